#ifndef TESTS_TAKEOVER_DRILL_H
#define TESTS_TAKEOVER_DRILL_H

#include <sys/types.h>

#include "common/child.h"

/*
 * The takeover drill: programs that are linked with this do, on a signal, what
 * somebody would who runs code of his own in them.  Their code is that of all
 * others, and so is their sandbox.
 *
 * What they are to do stands in the file "drill" beside them, in lines
 *
 *	PROGRAM WHEN ATTACK [ARGUMENT ...] [; ATTACK ...]
 *
 * Each process takes the first line of its program, which is marked as taken
 * with a '#' at its start; one that finds none is as it always is.  WHEN is
 * "go", for the next LOG_STATUS that the parent sends (SIGUSR1), or "start",
 * for the moment in which the sandbox is there and READY is not sent yet.
 * Nothing relies on the sandbox for more than its result: what is harmed, if
 * there is none, is a file that the test made, or the test's own processes.
 * What came of it is logged, as "drill: WHAT: RESULT".
 */

/* What somebody finds who takes over a process. */
struct drill {
	struct child *child;	/* NULL in launcher and dialer */
	int fds[PROGRAM_COUNT]; /* of its channels, or -1 */
	pid_t parent;
};

/* Arguments are words; they belong to the caller. */
typedef void (*attack)(struct drill *, int argc, char **argv);

attack attack_find(const char *name);

void attack_files(struct drill *, int argc, char **argv);
void attack_deadly(struct drill *, int argc, char **argv);
void attack_network(struct drill *, int argc, char **argv);
void attack_kill(struct drill *, int argc, char **argv);
void attack_send(struct drill *, int argc, char **argv);
void attack_raw(struct drill *, int argc, char **argv);
void attack_log(struct drill *, int argc, char **argv);
void attack_close(struct drill *, int argc, char **argv);
void attack_hang(struct drill *, int argc, char **argv);
void attack_read(struct drill *, int argc, char **argv);
void attack_speak(struct drill *, int argc, char **argv);
void attack_local(struct drill *, int argc, char **argv);

/* Do what the plan has for "go" or "start". */
void drill_run(const char *when);

/* Log the result of a system call: "ok", or the name of errno. */
void drill_say(const char *what, long result);

/* A number of an argument; whatever is not one ends the process. */
long long drill_number(const char *);

#endif
