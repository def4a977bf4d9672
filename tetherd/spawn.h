#ifndef TETHERD_SPAWN_H
#define TETHERD_SPAWN_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * A new process of ours: cloned, with the descriptors of child.h in their
 * places, and executed.  Standard input and output are /dev/null; what libc
 * or a library says on standard error becomes lines of the log, but in a build
 * with sanitizers.  It dies with its parent.
 */
struct spawn {
	const char *path; /* of the executable, absolute */
	char *const *env;
	int channel; /* for CHILD_FD_PARENT */
	int log;     /* for CHILD_FD_LOG */
	int root;    /* for CHILD_FD_ROOT, or -1 */
	/* A sibling of the caller instead of a child: its parent is ours. */
	bool sibling;
};

/*
 * Returns the pid, and in *pidfd a descriptor of the process with
 * close-on-exec; or -1 with errno set.  The descriptors stay the caller's.
 * What can't be executed says so in the log and exits with status 127.
 */
pid_t spawn(const struct spawn *, int *pidfd);

/*
 * All that is passed on of the environment, as a line of it: the administrator's
 * word to libc, for all processes.  malloc'd, or NULL if there is none.
 */
char *spawn_tunables(void);

#endif
