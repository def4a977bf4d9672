#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/takeover/drill.h"

#define PAGE 4096

/*
 * Should the sandbox fail, what is asked for happens: so nothing here is aimed
 * at anything but a file that the test made for it, its own tetherd, or this
 * process.
 */
static const char *victim;
static char victim_new[PATH_MAX];

static char page[PAGE];
static struct iovec ours = { page, sizeof(page) };
static struct sockaddr_in somewhere = { .sin_family = AF_INET };

/* What the sandbox has to kill for; those that return have failed. */

static long
do_fork(const struct drill *d)
{
	(void)d;
	/* Not fork(3), which might do something else on the way there. */
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long
do_vfork(const struct drill *d)
{
	(void)d;
	return syscall(SYS_clone, SIGCHLD | CLONE_VM | CLONE_VFORK, 0, 0, 0, 0);
}

static long
do_sibling(const struct drill *d)
{
	int pidfd;

	(void)d;
	return syscall(
	    SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
}

static long
do_execve(const struct drill *d)
{
	char shell[] = "/bin/sh", *argv[] = { shell, NULL };

	(void)d;
	return execve(shell, argv, argv + 1);
}

static long
do_ptrace(const struct drill *d)
{
	return ptrace(PTRACE_ATTACH, d->parent, NULL, NULL);
}

static long
do_process_vm_readv(const struct drill *d)
{
	struct iovec theirs = ours;

	return process_vm_readv(d->parent, &ours, 1, &theirs, 1, 0);
}

static long
do_kill(const struct drill *d)
{
	return kill(d->parent, SIGKILL);
}

static long
do_pidfd_open(const struct drill *d)
{
	return syscall(SYS_pidfd_open, d->parent, 0);
}

static long
do_dumpable(const struct drill *d)
{
	(void)d;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long
do_setuid(const struct drill *d)
{
	(void)d;
	return setuid(0);
}

static long
do_setgroups(const struct drill *d)
{
	(void)d;
	return syscall(SYS_setgroups, 0, NULL);
}

static long
do_setrlimit(const struct drill *d)
{
	static const struct rlimit more = { 4096, RLIM_INFINITY };

	(void)d;
	return setrlimit(RLIMIT_NOFILE, &more);
}

static long
do_unshare(const struct drill *d)
{
	(void)d;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET);
}

static long
do_setns(const struct drill *d)
{
	(void)d;
	return setns(CHILD_FD_LOG, 0);
}

static long
do_chroot(const struct drill *d)
{
	(void)d;
	return chroot("/");
}

static long
do_chdir(const struct drill *d)
{
	(void)d;
	return chdir("..");
}

static long
do_fchdir(const struct drill *d)
{
	(void)d;
	return fchdir(CHILD_FD_LOG);
}

static long
do_mount(const struct drill *d)
{
	(void)d;
	/* On what is no folder. */
	return mount("none", victim, "tmpfs", 0, NULL);
}

static long
do_open_by_handle_at(const struct drill *d)
{
	(void)d;
	return syscall(SYS_open_by_handle_at, AT_FDCWD, page, O_RDONLY);
}

static long
do_openat2(const struct drill *d)
{
	uint64_t how[3] = { 0 };

	(void)d;
	return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how));
}

static long
do_unlink(const struct drill *d)
{
	(void)d;
	return unlink(victim);
}

static long
do_rename(const struct drill *d)
{
	(void)d;
	return rename(victim, victim_new);
}

static long
do_link(const struct drill *d)
{
	(void)d;
	return link(victim, victim_new);
}

static long
do_symlink(const struct drill *d)
{
	(void)d;
	return symlink(victim, victim_new);
}

static long
do_mkdir(const struct drill *d)
{
	(void)d;
	return mkdir(victim_new, 0700);
}

static long
do_mknod(const struct drill *d)
{
	(void)d;
	return mknod(victim_new, S_IFIFO | 0600, 0);
}

static long
do_chmod(const struct drill *d)
{
	(void)d;
	return chmod(victim, 0666);
}

static long
do_execmem(const struct drill *d)
{
	(void)d;
	return (long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long
do_mprotect(const struct drill *d)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)d;
	return mprotect(at, PAGE, PROT_READ | PROT_EXEC);
}

static long
do_pkey_mprotect(const struct drill *d)
{
	(void)d;
	return syscall(SYS_pkey_mprotect, page, PAGE, PROT_EXEC, -1);
}

static long
do_memfd(const struct drill *d)
{
	(void)d;
	return memfd_create("drill", 0);
}

static long
do_socket(const struct drill *d)
{
	(void)d;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
do_socket_packet(const struct drill *d)
{
	(void)d;
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static long
do_socket_netlink(const struct drill *d)
{
	(void)d;
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static long
do_socket_unix(const struct drill *d)
{
	(void)d;
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long
do_socket_vsock(const struct drill *d)
{
	(void)d;
	return socket(AF_VSOCK, SOCK_STREAM, 0);
}

static long
do_socketpair(const struct drill *d)
{
	int fds[2];

	(void)d;
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
}

/*
 * The system call itself: authd has a connect(3) of its own.  Over a socket
 * that is connected already, to be rid of whom it is connected to.
 */
static long
do_connect(const struct drill *d)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	(void)d;
	return syscall(SYS_connect, CHILD_FD_LOG, &nobody, sizeof(nobody));
}

static long
do_bind(const struct drill *d)
{
	(void)d;
	return bind(
	    CHILD_FD_LOG, (struct sockaddr *)&somewhere, sizeof(somewhere));
}

static long
do_listen(const struct drill *d)
{
	(void)d;
	return listen(CHILD_FD_LOG, 1);
}

static long
do_accept(const struct drill *d)
{
	(void)d;
	return accept(CHILD_FD_LOG, NULL, NULL);
}

static long
do_sendmmsg(const struct drill *d)
{
	struct mmsghdr message = { .msg_len = 0 };

	(void)d;
	return sendmmsg(CHILD_FD_LOG, &message, 1, 0);
}

static long
do_io_uring(const struct drill *d)
{
	(void)d;
	return syscall(SYS_io_uring_setup, 8, page);
}

static long
do_bpf(const struct drill *d)
{
	(void)d;
	return syscall(SYS_bpf, 0, page, sizeof(page));
}

static long
do_perf(const struct drill *d)
{
	(void)d;
	return syscall(SYS_perf_event_open, page, 0, -1, -1, 0);
}

static long
do_keyctl(const struct drill *d)
{
	(void)d;
	return syscall(SYS_keyctl, 0, -3, 0, 0, 0);
}

static long
do_userfaultfd(const struct drill *d)
{
	(void)d;
	return syscall(SYS_userfaultfd, 0);
}

static long
do_seccomp(const struct drill *d)
{
	(void)d;
	return syscall(SYS_seccomp, 0, 0, NULL);
}

static long
do_tiocsti(const struct drill *d)
{
	(void)d;
	return syscall(SYS_ioctl, 0, 0x5412, "x");
}

static long
do_setown(const struct drill *d)
{
	return fcntl(CHILD_FD_LOG, F_SETOWN, d->parent);
}

#ifdef __x86_64__
/* Calls of another architecture have other numbers: 20 is getpid there. */
static long
do_ia32(const struct drill *d)
{
	long rc;

	(void)d;
	__asm__ volatile("int $0x80" : "=a"(rc) : "0"(20L) : "memory");
	return rc;
}

/* The same for x32: getpid. */
static long
do_x32(const struct drill *d)
{
	(void)d;
	return syscall(0x40000000 + SYS_getpid);
}
#endif

static const struct {
	const char *name;
	long (*call)(const struct drill *);
} calls[] = {
	{ "fork", do_fork },
	{ "vfork", do_vfork },
	{ "sibling", do_sibling },
	{ "execve", do_execve },
	{ "ptrace", do_ptrace },
	{ "process_vm_readv", do_process_vm_readv },
	{ "kill", do_kill },
	{ "pidfd_open", do_pidfd_open },
	{ "dumpable", do_dumpable },
	{ "setuid", do_setuid },
	{ "setgroups", do_setgroups },
	{ "setrlimit", do_setrlimit },
	{ "unshare", do_unshare },
	{ "setns", do_setns },
	{ "chroot", do_chroot },
	{ "chdir", do_chdir },
	{ "fchdir", do_fchdir },
	{ "mount", do_mount },
	{ "open_by_handle_at", do_open_by_handle_at },
	{ "openat2", do_openat2 },
	{ "unlink", do_unlink },
	{ "rename", do_rename },
	{ "link", do_link },
	{ "symlink", do_symlink },
	{ "mkdir", do_mkdir },
	{ "mknod", do_mknod },
	{ "chmod", do_chmod },
	{ "execmem", do_execmem },
	{ "mprotect", do_mprotect },
	{ "pkey_mprotect", do_pkey_mprotect },
	{ "memfd_create", do_memfd },
	{ "socket", do_socket },
	{ "socket-packet", do_socket_packet },
	{ "socket-netlink", do_socket_netlink },
	{ "socket-unix", do_socket_unix },
	{ "socket-vsock", do_socket_vsock },
	{ "socketpair", do_socketpair },
	{ "connect", do_connect },
	{ "bind", do_bind },
	{ "listen", do_listen },
	{ "accept", do_accept },
	{ "sendmmsg", do_sendmmsg },
	{ "io_uring_setup", do_io_uring },
	{ "bpf", do_bpf },
	{ "perf_event_open", do_perf },
	{ "keyctl", do_keyctl },
	{ "userfaultfd", do_userfaultfd },
	{ "seccomp", do_seccomp },
	{ "tiocsti", do_tiocsti },
	{ "setown", do_setown },
#ifdef __x86_64__
	{ "ia32", do_ia32 },
	{ "x32", do_x32 },
#endif
};

/* deadly NAME VICTIM: the log says what it returned, if it did. */
void
attack_deadly(struct drill *d, int argc, char **argv)
{
	size_t i;

	if (argc != 2)
		fatalx("drill: deadly NAME VICTIM");
	victim = argv[1];
	(void)snprintf(victim_new, sizeof(victim_new), "%s.new", victim);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, argv[0]) == 0) {
			drill_say(argv[0], calls[i].call(d));
			return;
		}
	fatalx("drill: no such call");
}

/*
 * kill PID ...: the only call for signals that the sandbox leaves, for
 * abort(3), aimed at others.
 */
void
attack_kill(struct drill *d, int argc, char **argv)
{
	char text[64];
	long long pid;
	int i;

	(void)d;
	for (i = 0; i < argc; i++) {
		pid = drill_number(argv[i]);
		(void)snprintf(text, sizeof(text), "kill %lld", pid);
		drill_say(text, tgkill((pid_t)pid, (pid_t)pid, SIGKILL));
	}
}
