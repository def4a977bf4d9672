#include <sched.h>
#include <signal.h>

#include "sandbox/calls.h"

/* The launcher makes siblings of itself, and nothing else. */
static const struct call list[] = {
	ALLOW_IF(clone, IS(0, CLONE_PARENT | CLONE_PIDFD | SIGCHLD)),
};

/* Up to its sandbox a program also needs to be loaded, and to set itself up. */
static const struct call start[] = {
	/* from clone(2) to execve(2), and the dynamic loader */
	ALLOW(execve),
	ALLOW(dup2),
	ALLOW(fcntl),
	ALLOW(close_range),
	ALLOW(mmap),
	ALLOW(mprotect),
	ALLOW(arch_prctl),
	ALLOW(set_tid_address),
	ALLOW(set_robust_list),
	ALLOW(rseq),
	ALLOW(prlimit64),
	ALLOW(getrlimit),
	ALLOW(setrlimit),
	ALLOW(open),
	ALLOW(openat),
	ALLOW(stat),
	ALLOW(lstat),
	ALLOW(access),
	ALLOW(readlink),
	ALLOW(pread64),
	ALLOW(getdents64),
	ALLOW(getcwd),
	ALLOW(uname),
	ALLOW(sysinfo),
	ALLOW(statfs),
	ALLOW(sched_getaffinity),
	ALLOW(sigaltstack),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW(getppid),
	ALLOW(umask),
	ALLOW(mlock),
	ALLOW(mlock2),
	ALLOW(munlock),
	ALLOW(setsockopt),
	ALLOW(ioctl),

	/* libevent and libcurl */
	ALLOW(epoll_create1),
	ALLOW(epoll_create),
	ALLOW(eventfd2),
	ALLOW(pipe2),
	ALLOW(timerfd_create),
	ALLOW(socketpair),

	/* authd's folder */
	ALLOW(mkdir),
	ALLOW(fchown),
	ALLOW(fchownat),
	ALLOW(fchmod),

	/* the sandbox itself */
	ALLOW(prctl),
	ALLOW(seccomp),
	ALLOW(landlock_create_ruleset),
	ALLOW(landlock_add_rule),
	ALLOW(landlock_restrict_self),
	ALLOW(chroot),
	ALLOW(fchdir),
	ALLOW(chdir),
	ALLOW(setgroups),
	ALLOW(getgroups),
	ALLOW(setresuid),
	ALLOW(setresgid),
	ALLOW(setreuid),
	ALLOW(setregid),
	ALLOW(setuid),
	ALLOW(setgid),
	ALLOW(getresuid),
	ALLOW(getresgid),
	ALLOW(capget),
	ALLOW(capset),
};

const struct calls calls_launcher = CALLS(list);
const struct calls calls_start = CALLS(start);
