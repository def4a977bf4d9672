#ifndef TETHERD_SPAWN_H
#define TETHERD_SPAWN_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * A new process of ours: cloned, with the descriptors of child.h in their
 * places, and executed.
 */
struct spawn {
	const char *path; /* of the executable, absolute */
	char *const *env;
	int channel; /* for CHILD_FD_PARENT */
	int log;     /* for CHILD_FD_LOG */
	int root;    /* for CHILD_FD_ROOT, or -1 */
	/*
	 * A sibling of the caller instead of a child: its parent is ours.
	 * A child dies with the caller, a sibling does not.
	 */
	bool sibling;
};

/*
 * Returns the pid, and in *pidfd a descriptor of the process with
 * close-on-exec; or -1 with errno set.  The descriptors stay the caller's.
 */
pid_t spawn(const struct spawn *, int *pidfd);

#endif
