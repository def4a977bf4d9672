#include <sys/prctl.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "tetherd/spawn.h"

/* As the shell has it. */
#define EXIT_NOT_EXECUTED 127

/* Out of the way of all numbers that are to be given. */
static int
move_away(int fd)
{
	int moved = fcntl(fd, F_DUPFD, CHILD_FD_ROOT + 1);

	if (moved == -1)
		_exit(1);
	return moved;
}

/* Put fd at the number that a child expects, across execve(2). */
static void
place(int fd, int number)
{
	if (dup2(fd, number) == -1)
		_exit(1);
}

static void
place_descriptors(const struct spawn *s)
{
	int channel = move_away(s->channel), log = move_away(s->log);
	int root = s->root == -1 ? -1 : move_away(s->root);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	place(log, CHILD_FD_LOG);
	if (null == -1) {
		log_warn("/dev/null");
		_exit(1);
	}
	place(null, STDIN_FILENO);
	place(null, STDOUT_FILENO);
#ifndef SANITIZED
	/* A taken-over process could write anything to a terminal. */
	place(log, STDERR_FILENO);
#endif
	place(channel, CHILD_FD_PARENT);
	if (root != -1)
		place(root, CHILD_FD_ROOT);
	closefrom(root == -1 ? CHILD_FD_ROOT : CHILD_FD_ROOT + 1);
}

/*
 * Signals are blocked from before the clone until here: our handlers, run in
 * the child, would tell the parent's event loop of signals it never got.
 */
static void
forget_handlers(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	child_ignore_signals();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
execute(const struct spawn *s)
{
	char *path = (char *)(uintptr_t)s->path;
	char *argv[] = { path, NULL };

	log_to_socket(CHILD_FD_LOG);
	place_descriptors(s);
	forget_handlers();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		_exit(1);
	execve(s->path, argv, s->env);
	log_warn("can't execute %s", s->path);
	_exit(EXIT_NOT_EXECUTED);
}

/*
 * As fork(2) does it, without what libc does around it: nothing of that
 * matters between here and execve(2).  (The last two arguments, which some
 * architectures have in the other order, are both unused.)
 */
static pid_t
clone_process(unsigned long flags, int *pidfd)
{
	return (pid_t)syscall(
	    SYS_clone, flags | CLONE_PIDFD | SIGCHLD, 0UL, pidfd, 0UL, 0UL);
}

pid_t
spawn(const struct spawn *s, int *pidfd)
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = clone_process(s->sibling ? CLONE_PARENT : 0, pidfd);
	if (pid == 0)
		execute(s);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

char *
spawn_tunables(void)
{
	const char *value = getenv("GLIBC_TUNABLES");
	char *line = NULL;

	if (value != NULL && asprintf(&line, "GLIBC_TUNABLES=%s", value) == -1)
		fatal("GLIBC_TUNABLES");
	return line;
}
