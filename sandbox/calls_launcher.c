#include <sys/mman.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>

#include "sandbox/calls.h"

/* The launcher makes siblings of itself, and nothing else. */
static const struct call list[] = {
	ALLOW_IF(clone, IS(0, CLONE_PARENT | CLONE_PIDFD | SIGCHLD)),
};

/* Up to its sandbox a program also needs to be loaded, and to set itself up. */
static const struct call start[] = {
	/* from clone(2) to execve(2): which files is up to Landlock */
	ALLOW(execve),
	ALLOW(dup2),
	ALLOW(dup3),
	ALLOW_IF(fcntl, IS(1, F_DUPFD)),
	ALLOW(close_range),

	/* the dynamic loader, libc, constructors of libraries */
	ALLOW(mmap),
	ALLOW(mprotect),
	ALLOW(arch_prctl),
	ALLOW(set_tid_address),
	ALLOW(set_robust_list),
	ALLOW(rseq),
	ALLOW(prlimit64),
	ALLOW(getrlimit),
	ALLOW(open), /* with O_PATH as well, for Landlock */
	ALLOW(openat),
	ALLOW(getcwd),
	ALLOW(uname),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
#ifdef __SNR_mseal
	ALLOW(mseal),
#endif
	/* the pid is another one by then */
	ALLOW(tgkill),

	/* child_start(): is this our parent's socket? */
	ALLOW_IF(getsockopt, IS(1, SOL_SOCKET), IS(2, SO_TYPE)),

	/* libevent and libcurl */
	ALLOW(epoll_create1),
	ALLOW(eventfd2),
	ALLOW(pipe2),
	ALLOW_IF(socketpair, IS(0, AF_UNIX)),

	/* authd: certificates, and memory for secrets */
	ALLOW(getdents64),
	ALLOW_IF(madvise, IS(2, MADV_DONTDUMP)),
	ALLOW(mlock),
	ALLOW(mlock2),

	/* authd: its folder, for the user that it runs as */
	ALLOW(mkdir),
	ALLOW(mkdirat),
	ALLOW(fchown),

	/* the sandbox itself */
	ALLOW(setrlimit),
	ALLOW(umask),
	ALLOW_IF(prctl, IS(0, PR_SET_PDEATHSIG)), /* before execve(2) */
	ALLOW_IF(prctl, IS(0, PR_SET_DUMPABLE)),
	ALLOW_IF(prctl, IS(0, PR_SET_NO_NEW_PRIVS)),
	ALLOW_IF(prctl, IS(0, PR_SET_SECCOMP)),
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
	ALLOW(setuid),
	ALLOW(setgid),
	ALLOW(getresuid),
	ALLOW(getresgid),
	ALLOW(capget),
	ALLOW(capset),
};

const struct calls calls_launcher = CALLS(list);
const struct calls calls_start = CALLS(start);
