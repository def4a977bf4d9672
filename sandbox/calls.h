#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#include <seccomp.h>

/*
 * The system calls that processes may make: lists, each line with who needs
 * it.  What is on none of a process's lists ends it with SIGSYS.
 */

#define CALL_ARGS_MAX 3

struct call {
	int number;
	int error; /* 0 if it is allowed, else all that it does is to fail */
	bool self; /* allowed if the first argument is this process's pid */
	unsigned nargs;
	struct scmp_arg_cmp args[CALL_ARGS_MAX]; /* all of them must hold */
};

struct calls {
	const struct call *list;
	size_t n;
};

/* A line of a list. */
#define ALLOW(name)                      \
	{                                \
		.number = SCMP_SYS(name) \
	}
#define ALLOW_SELF(name)                                \
	{                                               \
		.number = SCMP_SYS(name), .self = true, \
	}
#define ALLOW_IF(name, ...) CALL_IF(name, 0, __VA_ARGS__)
#define REFUSE(name, errno)                                \
	{                                                  \
		.number = SCMP_SYS(name), .error = (errno) \
	}
#define REFUSE_IF(name, errno, ...) CALL_IF(name, errno, __VA_ARGS__)
#define CALL_IF(name, errno, ...)                                         \
	{                                                                 \
		.number = SCMP_SYS(name), .error = (errno),               \
		.nargs = sizeof((struct scmp_arg_cmp[]){ __VA_ARGS__ }) / \
			 sizeof(struct scmp_arg_cmp),                     \
		.args = {                                                 \
			__VA_ARGS__                                       \
		}                                                         \
	}

/*
 * Conditions on the argument of that index, counted from 0.  They look at all
 * 64 bits of it, of which the kernel may take 32.
 */
#define IS(index, value)                         \
	{                                        \
		(index), SCMP_CMP_EQ, (value), 0 \
	}
#define ISNT(index, value)                       \
	{                                        \
		(index), SCMP_CMP_NE, (value), 0 \
	}
#define LACKS(index, mask)                             \
	{                                              \
		(index), SCMP_CMP_MASKED_EQ, (mask), 0 \
	}
#define HAS(index, mask)                                    \
	{                                                   \
		(index), SCMP_CMP_MASKED_EQ, (mask), (mask) \
	}

/* That type of socket, whatever flags come with it. */
#define IS_TYPE(index, type)                                              \
	{                                                                 \
		(index), SCMP_CMP_MASKED_EQ,                              \
		    ~(scmp_datum_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), (type) \
	}

#define CALLS(array)                                        \
	{                                                   \
		(array), sizeof(array) / sizeof((array)[0]) \
	}

extern const struct calls calls_base;  /* libc, libevent, channels, log */
extern const struct calls calls_files; /* by their names */
extern const struct calls calls_connector;
extern const struct calls calls_proxyd;
extern const struct calls calls_proxyd_tcp;
extern const struct calls calls_proxyd_unix;
extern const struct calls calls_authd;
extern const struct calls calls_dialer;
extern const struct calls calls_parent;
extern const struct calls calls_launcher;
extern const struct calls calls_start; /* of a program, up to its sandbox */

/*
 * Allow what the lists allow, of which there are n, and nothing else.  Where
 * one refuses what another one allows, with or without a condition, it is not
 * refused, unless the one that refuses has a condition itself.
 */
void calls_confine(const struct calls *const lists[], size_t n);

#endif
