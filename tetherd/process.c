#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/kernel_log.h"
#include "tetherd/launcher.h"
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
		PROGRAM_PROXYD, PROGRAM_AUTHD, PROGRAM_DIALER,
		PROGRAM_LAUNCHER };
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

const char *
process_folder(void)
{
	return executables;
}

pid_t
process_spawn(enum program program, struct process_sockets *ours)
{
	int channel[2] = { -1, -1 }, log[2] = { -1, -1 }, i;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) ==
		-1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, log) == -1) {
		log_warn("%s: socketpair", program_name(program));
		goto failed;
	}
	pid = launcher_spawn(program, channel[1], log[1], &ours->pidfd);
	channel[1] = log[1] = -1;
	if (pid == -1)
		goto failed;
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

void
process_kill(int pidfd)
{
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == -1 && errno != ESRCH)
		log_warn("can't kill a process");
}

static void
describe_violation(enum program program, pid_t pid, char *buf, size_t size)
{
	char call[96];

	if (kernel_log_find(pid, program_name(program), call, sizeof(call)))
		(void)snprintf(buf, size,
		    "signal %d (SIGSYS): sandbox violation: %s", SIGSYS, call);
	else
		(void)snprintf(buf, size,
		    "signal %d (SIGSYS): sandbox violation; "
		    "see type=1326 in the kernel's log",
		    SIGSYS);
}

const char *
process_describe_death(
    enum program program, pid_t pid, int status, char *buf, size_t size)
{
	int sig;

	if (WIFEXITED(status)) {
		snprintf(
		    buf, size, "exited with status %d", WEXITSTATUS(status));
		return buf;
	}
	sig = WTERMSIG(status);
	if (sig == SIGSYS)
		describe_violation(program, pid, buf, size);
	else
		snprintf(buf, size, "signal %d (%s)", sig, strsignal(sig));
	return buf;
}
