#include <sys/ioctl.h>
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>

#include "sandbox/calls.h"

/* What all processes need once they run. */
static const struct call list[] = {
	/* channels, log datagrams, sockets that they were handed */
	ALLOW(read),
	ALLOW(write),
	ALLOW(readv),
	ALLOW(writev),
	ALLOW(recvmsg),
	ALLOW(sendmsg),
	ALLOW(recvfrom),
	ALLOW(sendto),
	ALLOW(close),
	ALLOW(shutdown),
	ALLOW(getsockopt),
	ALLOW(getsockname),
	ALLOW(getpeername),

	ALLOW_IF(ioctl, IS(1, FIONREAD)), /* evbuffer_read() */

	/* libevent, and waiting for an answer before there is a loop */
	ALLOW(epoll_wait),
	ALLOW(epoll_pwait),
	ALLOW(epoll_ctl),
	ALLOW(poll),
	ALLOW(ppoll),

	/* malloc: nothing that could be executed */
	ALLOW(brk),
	ALLOW_IF(mmap, LACKS(2, PROT_EXEC)),
	ALLOW_IF(mprotect, LACKS(2, PROT_EXEC)),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW(futex),

	/* clocks, where the kernel does not lend its own */
	ALLOW(clock_gettime),
	ALLOW(gettimeofday),
	ALLOW(time),
	ALLOW(getrandom),

	/* stdio and libevent ask what a descriptor is */
	ALLOW(fstat),
	ALLOW(newfstatat),
	ALLOW(lseek),
	ALLOW_IF(fcntl, IS(1, F_GETFL)),
	ALLOW_IF(fcntl, IS(1, F_SETFL)),
	ALLOW_IF(fcntl, IS(1, F_GETFD)),
	ALLOW_IF(fcntl, IS(1, F_SETFD)),
	ALLOW_IF(fcntl, IS(1, F_DUPFD_CLOEXEC)),

	/* abort(3), and the return from handlers */
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigreturn),
	ALLOW(restart_syscall),
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(tgkill),

	ALLOW(exit),
	ALLOW(exit_group),

	/* libc looks whether the kernel has them */
	REFUSE(clone3, ENOSYS),
	REFUSE(statx, ENOSYS),
	REFUSE(rseq, ENOSYS),

	/* libraries look for files that they can do without */
	REFUSE(open, EACCES),
	REFUSE(openat, EACCES),
	REFUSE(stat, EACCES),
	REFUSE(access, EACCES),
	REFUSE(readlink, EACCES),
};

const struct calls calls_base = CALLS(list);
