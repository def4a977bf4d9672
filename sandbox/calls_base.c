#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>

#include "sandbox/calls.h"

/*
 * What all processes need once they run.  Where libc or the architecture
 * chooses between several calls for the same, all of them are here: those of
 * the next release are on the list before it is.
 */
static const struct call list[] = {
	/* channels, log lines, sockets that they were handed: sendto(2) has no
	 * address, and nothing connects by the way (TCP Fast Open), of which
	 * Landlock would not know */
	ALLOW(read),
	ALLOW(write),
	ALLOW(readv),
	ALLOW(writev),
	ALLOW(recvmsg),
	ALLOW_IF(sendmsg, LACKS(2, MSG_FASTOPEN)),
	ALLOW(recvfrom),
	ALLOW_IF(sendto, LACKS(3, MSG_FASTOPEN), IS(4, 0)),
	ALLOW(close),
	/* a channel that comes later */
	ALLOW_IF(setsockopt, IS(1, SOL_SOCKET), IS(2, SO_SNDBUF)),

	ALLOW_IF(ioctl, IS(1, FIONREAD)), /* evbuffer_read() */

	/* libevent, and waiting for an answer before there is a loop */
	ALLOW(epoll_wait),
	ALLOW(epoll_pwait),
	ALLOW(epoll_pwait2),
	ALLOW(epoll_ctl),
	ALLOW(poll),
	ALLOW(ppoll),

	/* malloc(3), and arc4random(3): nothing that could be executed, and
	 * no files */
	ALLOW(brk),
	ALLOW_IF(mmap, LACKS(2, PROT_EXEC), HAS(3, MAP_ANONYMOUS)),
	ALLOW_IF(mprotect, LACKS(2, PROT_EXEC)),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW_IF(madvise, IS(2, MADV_DONTNEED)),
	ALLOW_IF(madvise, IS(2, MADV_HUGEPAGE)), /* glibc.malloc.hugetlb=1 */
	REFUSE_IF(prctl, EINVAL, IS(0, PR_SET_VMA)), /* names of mappings */
	REFUSE(sched_getaffinity, EPERM),	     /* another arena? */

	/* pthread_once(3) and locks, of which nobody waits for another's */
	ALLOW_IF(futex, IS(1, FUTEX_WAKE_PRIVATE)),
	ALLOW_IF(futex, IS(1, FUTEX_WAIT_PRIVATE)),

	/* clocks, where the kernel does not lend its own */
	ALLOW(clock_gettime),
	ALLOW(gettimeofday),
	ALLOW(time),
	/* OpenSSL, arc4random(3), malloc(3) */
	ALLOW(getrandom),

	ALLOW(fstat), /* stdio: what is this descriptor? */
	ALLOW(lseek),
	ALLOW(sysinfo), /* qsort(3): is there room for a copy? */

	/* abort(3), and the return from handlers; libcurl and SIGPIPE */
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigreturn),
	ALLOW(restart_syscall), /* after SIGSTOP */
	ALLOW(gettid),
	ALLOW_SELF(tgkill),
	ALLOW(getpid), /* arc4random(3): has somebody forked? */

	ALLOW(exit_group),

	/* libc looks whether the kernel has them */
	REFUSE(clone3, ENOSYS),
	REFUSE(statx, ENOSYS),
	REFUSE(rseq, ENOSYS),

	/* libraries look for files that they can do without: the time zone,
	 * mostly.  newfstatat(2) is what fstat(3) is made of in some releases
	 * of libc, which get along without. */
	REFUSE(open, EACCES),
	REFUSE(openat, EACCES),
	REFUSE(stat, EACCES),
	REFUSE(lstat, EACCES),
	REFUSE(newfstatat, EACCES),
	REFUSE(access, EACCES),
	REFUSE(faccessat, EACCES),
	REFUSE(faccessat2, EACCES),
	REFUSE(readlink, EACCES),
	REFUSE(readlinkat, EACCES),
};

const struct calls calls_base = CALLS(list);
