#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/log.h"
#include "tetherd/process.h"

static char executables[PATH_MAX];

static int
executable_path(enum program program, char *path, size_t size)
{
	int n =
	    snprintf(path, size, "%s/%s", executables, program_name(program));

	return n < 0 || (size_t)n >= size ? -1 : 0;
}

void
process_find_executables(void)
{
	static const enum program children[] = { PROGRAM_CONNECTOR,
		PROGRAM_PROXYD, PROGRAM_AUTHD, PROGRAM_DIALER };
	char self[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	if (n == -1)
		fatal("/proc/self/exe");
	self[n] = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s/../libexec/tetherd",
		dirname(self)) >= sizeof(path))
		fatalx("path of the executables too long");
	if (realpath(path, executables) == NULL)
		fatal("%s", path);
	for (i = 0; i < sizeof(children) / sizeof(children[0]); i++) {
		if (executable_path(children[i], path, sizeof(path)) == -1)
			fatalx("path of the executables too long");
		if (access(path, X_OK) == -1)
			fatal("%s", path);
	}
}

/* Put fd at the number that a child expects, across exec. */
static void
place(int fd, int number)
{
	if (dup2(fd, number) == -1)
		_exit(1);
}

/*
 * Signals are blocked from before the fork until here: our handlers, run in
 * the child, would tell the parent's event loop of signals it never got.
 */
static void
forget_handlers(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
child_exec(enum program program, int channel, int log)
{
	char path[PATH_MAX];
	char *argv[] = { path, NULL };
	char *envp[] = { NULL };

	if (executable_path(program, path, sizeof(path)) == -1)
		_exit(1);
	/* Out of the way first: each may sit where the other one goes. */
	channel = fcntl(channel, F_DUPFD, CHILD_FD_LOG + 1);
	log = fcntl(log, F_DUPFD, CHILD_FD_LOG + 1);
	if (channel == -1 || log == -1)
		_exit(1);
	place(channel, CHILD_FD_PARENT);
	place(log, CHILD_FD_LOG);
	closefrom(CHILD_FD_LOG + 1);
	forget_handlers();
	execve(path, argv, envp);
	_exit(127);
}

pid_t
process_spawn(enum program program, struct process_sockets *ours)
{
	int channel[2] = { -1, -1 }, log[2] = { -1, -1 }, i;
	sigset_t all, old;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) ==
		-1 ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, log) == -1) {
		log_warn("%s: socketpair", program_name(program));
		goto failed;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		child_exec(program, channel[1], log[1]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid == -1) {
		log_warn("%s: fork", program_name(program));
		goto failed;
	}
	close(channel[1]);
	close(log[1]);
	ours->channel = channel[0];
	ours->log = log[0];
	return pid;

failed:
	for (i = 0; i < 2; i++) {
		if (channel[i] != -1)
			close(channel[i]);
		if (log[i] != -1)
			close(log[i]);
	}
	return -1;
}

const char *
process_describe_death(int status, char *buf, size_t size)
{
	int sig;

	if (WIFEXITED(status)) {
		snprintf(
		    buf, size, "exited with status %d", WEXITSTATUS(status));
		return buf;
	}
	sig = WTERMSIG(status);
	if (sig == SIGSYS)
		snprintf(
		    buf, size, "signal %d (SIGSYS): sandbox violation", sig);
	else
		snprintf(buf, size, "signal %d (%s)", sig, strsignal(sig));
	return buf;
}
