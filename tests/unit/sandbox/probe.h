#ifndef TESTS_UNIT_SANDBOX_PROBE_H
#define TESTS_UNIT_SANDBOX_PROBE_H

/*
 * Tries one thing in a process of its own that has entered the real sandbox
 * of a program, and tells exactly what came of it.
 *
 *	probe_open();				once, makes a world to try in
 *	probe(PROBE_AUTHD, open_a_file)		"ok", "EACCES", "SIGSYS"
 *	probe_close();
 *
 * What is tried is a function that returns as a system call does: -1 with
 * errno set, or anything else for success (-1 and no errno is "EBADMSG": not
 * what was expected).  It sees all that the test has set
 * up, as fork(2) leaves it.
 */

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "sandbox/sandbox.h"

/* The sandboxes that there are; proxyd has one for each kind of upstream. */
enum probe_program {
	PROBE_CONNECTOR,
	PROBE_PROXYD,
	PROBE_PROXYD_UNIX,
	PROBE_AUTHD,
	PROBE_DIALER,
	PROBE_LAUNCHER,
	PROBE_PARENT,
	PROBE_PROGRAMS
};

static const char *const probe_names[PROBE_PROGRAMS] = {
	[PROBE_CONNECTOR] = "connector",
	[PROBE_PROXYD] = "proxyd",
	[PROBE_PROXYD_UNIX] = "proxyd with unix:",
	[PROBE_AUTHD] = "authd",
	[PROBE_DIALER] = "dialer",
	[PROBE_LAUNCHER] = "launcher",
	[PROBE_PARENT] = "tetherd",
};

/* What comes before the result. */
#define PROBE_ENTERED (-1)

/* What failed, and not by a system call. */
#define PROBE_WRONG EBADMSG

/* Seconds, for what should not wait at all. */
#define PROBE_PATIENCE 20

/*
 * What the programs are confined to; a test may change it between probes.
 * There are no sandboxes in a build with sanitizers: see probe_possible().
 */
static struct {
	struct confinement confinement;
	/*
	 * authd's databases, the proxyd's Unix socket, what the launcher may
	 * execute, and what tetherd may write.
	 */
	char folder[64];
	uint16_t port; /* the upstream's, and the dialer's */
	int log;       /* whatever the process logs can be received here */
	int log_end;   /* the process's end of it */
} probe_world;

/* What is tried. */
typedef int probe_attempt(void);

static inline bool
probe_possible(void)
{
#ifdef SANITIZED
	return false;
#else
	return true;
#endif
}

/* For cmocka's setup of a group. */
static inline int
probe_open(void **state)
{
	int log[2];

	(void)state;
	(void)snprintf(probe_world.folder, sizeof(probe_world.folder),
	    "/tmp/tetherd-probe.XXXXXX");
	/* Which is proxyd's root with a socket, as whoever it becomes. */
	if (mkdtemp(probe_world.folder) == NULL ||
	    chmod(probe_world.folder, 0755) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, log) == -1)
		return -1;
	probe_world.log = log[0];
	probe_world.log_end = log[1];
	probe_world.port = 1;
	probe_world.confinement = (struct confinement){ .sandbox = true };
	return 0;
}

static inline int
probe_close(void **state)
{
	(void)state;
	close(probe_world.log);
	close(probe_world.log_end);
	return rmdir(probe_world.folder);
}

/* As tetherd makes it for its children; -1 if nobody asks for it. */
static inline int
probe_root(void)
{
	char path[] = "/tmp/tetherd-root.XXXXXX";
	int fd;

	if (!probe_world.confinement.drop)
		return -1;
	if (mkdtemp(path) == NULL)
		fatal("mkdtemp");
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || rmdir(path) == -1)
		fatal("%s", path);
	return fd;
}

static inline void
probe_enter(enum probe_program program)
{
	const struct confinement *c = &probe_world.confinement;
	const struct sandbox_path paths[] = {
		{ probe_world.folder, SANDBOX_WRITE },
		{ "/etc", SANDBOX_READ },
		{ "/proc", SANDBOX_READ },
	};

	switch (program) {
	case PROBE_CONNECTOR:
		sandbox_connector(c, probe_root());
		break;
	case PROBE_PROXYD:
		sandbox_proxyd(c, probe_root(), probe_world.port);
		break;
	case PROBE_PROXYD_UNIX:
		sandbox_proxyd_unix(c, probe_world.folder);
		break;
	case PROBE_AUTHD:
		sandbox_authd(c, probe_world.folder, probe_world.folder);
		break;
	case PROBE_DIALER:
		sandbox_dialer(c, probe_world.port);
		break;
	case PROBE_LAUNCHER:
		sandbox_launcher(c, probe_world.folder);
		break;
	case PROBE_PARENT:
		sandbox_parent(c, paths, sizeof(paths) / sizeof(paths[0]));
		break;
	case PROBE_PROGRAMS:
	default:
		fatalx("no such program");
	}
}

static inline void __attribute__((noreturn))
probe_try(enum probe_program program, probe_attempt *attempt, int answer)
{
	int error = PROBE_ENTERED;
	bool failed;

	log_to_socket(probe_world.log_end);
	(void)alarm(PROBE_PATIENCE);
	probe_enter(program);
	(void)!write(answer, &error, sizeof(error));
	errno = 0;
	failed = attempt() == -1;
	error = !failed ? 0 : errno != 0 ? errno : PROBE_WRONG;
	(void)!write(answer, &error, sizeof(error));
	_exit(0);
}

/* What the log says about a process that did not even get into its sandbox. */
static inline void
probe_explain(enum probe_program program, int status)
{
	char line[1 + LOG_LINE_MAX + 1] = "";

	while (recv(probe_world.log, line, sizeof(line) - 1, MSG_DONTWAIT) > 0)
		print_error("%s\n", line + 1);
	fail_msg(
	    "%s: wait status 0x%x", probe_names[program], (unsigned)status);
}

static inline const char *
probe_result(enum probe_program program, int answer, int status)
{
	static char result[32];
	int error;

	if (read(answer, &error, sizeof(error)) != sizeof(error) ||
	    error != PROBE_ENTERED)
		probe_explain(program, status);
	if (WIFSIGNALED(status))
		(void)snprintf(result, sizeof(result), "SIG%s",
		    sigabbrev_np(WTERMSIG(status)));
	else if (read(answer, &error, sizeof(error)) != sizeof(error))
		(void)snprintf(
		    result, sizeof(result), "exit %d", WEXITSTATUS(status));
	else
		(void)snprintf(result, sizeof(result), "%s",
		    error == 0 ? "ok" : strerrorname_np(error));
	return result;
}

/*
 * "ok", the name of an error, that of the signal that ended it, or "exit 1" if
 * it came to that.  Valid until the next one.
 */
static inline const char *
probe(enum probe_program program, probe_attempt *attempt)
{
	int answer[2], status;
	const char *result;
	pid_t pid;

	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
	(void)fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		probe_try(program, attempt, answer[1]);
	close(answer[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	result = probe_result(program, answer[0], status);
	close(answer[0]);
	return result;
}

#endif
