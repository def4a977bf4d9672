#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>

#include "tests/unit/sandbox/calls_table.h"

/*
 * System calls that hardly any program may make.  The launcher's sandbox is
 * what all that it starts begin with, so that it has what setting up a sandbox
 * takes: there the kernel itself objects to the arguments.
 */

/* A process that is none of theirs: the test itself. */
static pid_t other;

static int
try_fork(void)
{
	return fork();
}

static void *
run_nothing(void *arg)
{
	return arg;
}

static int
try_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run_nothing, NULL);
	return errno == 0 ? 0 : -1;
}

static int
try_kill(void)
{
	return kill(other, 0);
}

static int
try_tgkill(void)
{
	return (int)syscall(SYS_tgkill, other, other, 0);
}

/* An upper half that the kernel does not look at makes no other process. */
static int
try_tgkill_wide(void)
{
	return (int)syscall(SYS_tgkill, (1L << 32) | getpid(), gettid(), 0);
}

static int
try_pidfd_open(void)
{
	return (int)syscall(SYS_pidfd_open, other, 0);
}

static int
try_process_vm_readv(void)
{
	return (int)syscall(SYS_process_vm_readv, other, NULL, 0, NULL, 0, 0);
}

static const struct row processes[] = {
	{ TRY(try_fork), NOBODY },
	{ TRY(try_thread), NOBODY },
	{ CALL(clone, SIGCHLD), NOBODY },
	{ CALL(clone, CLONE_VM | CLONE_VFORK | SIGCHLD), NOBODY },
	{ CALL(clone, CLONE_NEWUSER | SIGCHLD), NOBODY },
	{ CALL(clone3, 0, 0), ALL("ENOSYS") },
	{ CALL(execve, 0, 0, 0), EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(execveat, -1, 0, 0, 0, 0), NOBODY },
	{ TRY(try_kill), NOBODY },
	/* The launcher leaves it to those that it starts, and to Landlock. */
	{ TRY(try_tgkill), EACH(NO, NO, NO, NO, NO, "EPERM", NO) },
	{ TRY(try_tgkill_wide), EACH(NO, NO, NO, NO, NO, OK, NO) },
	{ CALL(tkill, 1, 0), NOBODY },
	{ CALL(rt_sigqueueinfo, 1, 0, 0), NOBODY },
	{ TRY(try_pidfd_open), NOBODY },
	{ CALL(pidfd_getfd, -1, 0, 0), NOBODY },
	{ CALL(pidfd_send_signal, -1, SIGKILL, 0, 0),
	    EACH(NO, NO, NO, NO, NO, NO, "EBADF") },
	{ CALL(pidfd_send_signal, -1, SIGTERM, 0, 0), NOBODY },
	{ CALL(wait4, -1, 0, 0, 0), EACH(NO, NO, NO, NO, NO, NO, "ECHILD") },
	{ CALL(ptrace, PTRACE_TRACEME, 0, 0, 0), NOBODY },
	{ TRY(try_process_vm_readv), NOBODY },
	{ CALL(process_vm_writev, 1, 0, 0, 0, 0, 0), NOBODY },
	{ CALL(process_madvise, -1, 0, 0, 0, 0), NOBODY },
	{ CALL(kcmp, 1, 1, 0, 0, 0), NOBODY },
	{ CALL(setpgid, 0, 0), NOBODY },
	{ CALL(setsid), NOBODY },
	{ CALL(setpriority, 0, 0, 0), NOBODY },
	{ CALL(sched_setaffinity, 0, 0, 0), NOBODY },
	{ CALL(sched_getaffinity, 0, 0, 0), ALL("EPERM") },
	{ CALL(setrlimit, 7, 0), EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(prlimit64, 0, 99, 0, 0),
	    EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
};

static const struct row privileges[] = {
	{ CALL(setuid, -1), EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(setgid, -1), EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(setreuid, -1, -1), NOBODY },
	{ CALL(setresuid, -1, -1, -1), EACH(NO, NO, NO, NO, NO, OK, NO) },
	{ CALL(setresgid, -1, -1, -1), EACH(NO, NO, NO, NO, NO, OK, NO) },
	{ CALL(setfsuid, -1), NOBODY },
	{ CALL(capset, 0, 0), EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(chroot, 0), EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(chdir, 0), EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(fchdir, -1), EACH(NO, NO, NO, NO, NO, "EBADF", NO) },
	{ CALL(pivot_root, 0, 0), NOBODY },
	{ CALL(unshare, CLONE_NEWUSER), NOBODY },
	{ CALL(setns, -1, 0), NOBODY },
	{ CALL(mount, 0, 0, 0, 0, 0), NOBODY },
	{ CALL(umount2, 0, 0), NOBODY },
	{ CALL(open_tree, -1, 0, 0), NOBODY },
	{ CALL(move_mount, -1, 0, -1, 0, 0), NOBODY },
	{ CALL(fsopen, 0, 0), NOBODY },
	{ CALL(prctl, PR_SET_DUMPABLE, 2),
	    EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(prctl, PR_SET_NO_NEW_PRIVS, 0),
	    EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(prctl, PR_SET_SECCOMP, 99),
	    EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(prctl, PR_SET_PDEATHSIG, 99),
	    EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(prctl, PR_CAPBSET_READ, 0, 0, 0, 0),
	    EACH(NO, NO, NO, NO, OK, OK, NO) },
	{ CALL(prctl, PR_CAPBSET_DROP, 99, 0, 0, 0), NOBODY },
	{ CALL(prctl, PR_CAP_AMBIENT, 0), NOBODY },
	{ CALL(prctl, PR_SET_PTRACER, 1), NOBODY },
	{ CALL(prctl, PR_SET_MM, 0), NOBODY },
	{ CALL(prctl, PR_SET_SECUREBITS, 0), NOBODY },
	{ CALL(prctl, PR_SET_NAME, 0), NOBODY },
	{ CALL(prctl, PR_SET_CHILD_SUBREAPER, 1), NOBODY },
	{ CALL(prctl, PR_SET_VMA, 0), ALL("EINVAL") },
	{ CALL(seccomp, SECCOMP_SET_MODE_FILTER, 0, 0),
	    EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(landlock_create_ruleset, 0, 0, 0),
	    EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(landlock_restrict_self, -1, 0),
	    EACH(NO, NO, NO, NO, NO, "EBADF", NO) },
};

static const struct row kernel[] = {
	{ CALL(keyctl, 0, 0), NOBODY },
	{ CALL(add_key, 0, 0, 0, 0, 0), NOBODY },
	{ CALL(request_key, 0, 0, 0, 0), NOBODY },
	{ CALL(bpf, 0, 0, 0), NOBODY },
	{ CALL(perf_event_open, 0, 0, 0, 0, 0), NOBODY },
	{ CALL(userfaultfd, 0), NOBODY },
	{ CALL(io_uring_setup, 1, 0), NOBODY },
	{ CALL(io_uring_enter, -1, 0, 0, 0, 0, 0), NOBODY },
	{ CALL(io_uring_register, -1, 0, 0, 0), NOBODY },
	{ CALL(init_module, 0, 0, 0), NOBODY },
	{ CALL(finit_module, -1, 0, 0), NOBODY },
	{ CALL(delete_module, 0, 0), NOBODY },
	{ CALL(reboot, 0, 0, 0, 0), NOBODY },
	{ CALL(kexec_load, 0, 0, 0, 0), NOBODY },
	{ CALL(kexec_file_load, -1, -1, 0, 0, 0), NOBODY },
	{ CALL(personality, 0xffffffff), NOBODY },
	{ CALL(syslog, 10, 0, 0), NOBODY },
	{ CALL(acct, 0), NOBODY },
	{ CALL(swapon, 0, 0), NOBODY },
	{ CALL(sethostname, 0, 0), NOBODY },
	{ CALL(clock_settime, 0, 0), NOBODY },
	{ CALL(settimeofday, 0, 0), NOBODY },
	{ CALL(adjtimex, 0), NOBODY },
	{ CALL(quotactl, 0, 0, 0, 0), NOBODY },
	{ CALL(lookup_dcookie, 0, 0, 0), NOBODY },
	{ CALL(migrate_pages, 0, 0, 0, 0), NOBODY },
	{ CALL(mbind, 0, 0, 0, 0, 0, 0), NOBODY },
	{ CALL(remap_file_pages, 0, 0, 0, 0, 0), NOBODY },
	{ CALL(pkey_mprotect, 0, 0, 0, -1), NOBODY },
	{ CALL(membarrier, 0, 0), NOBODY },
	{ CALL(shmget, 0, 0, 0), NOBODY },
	{ CALL(msgget, 0, 0), NOBODY },
	{ CALL(semget, 0, 0, 0), NOBODY },
	{ CALL(mq_open, 0, 0, 0, 0), NOBODY },
	{ CALL(fanotify_init, 0, 0), NOBODY },
	{ CALL(inotify_init1, 0), NOBODY },
	{ CALL(timer_create, 0, 0, 0), NOBODY },
	{ CALL(setitimer, 0, 0, 0), NOBODY },
	{ CALL(splice, -1, 0, -1, 0, 0, 0), NOBODY },
	{ CALL(vmsplice, -1, 0, 0, 0), NOBODY },
#ifdef __x86_64__
	{ CALL(iopl, 0), NOBODY },
	{ CALL(ioperm, 0, 0, 0), NOBODY },
	{ CALL(modify_ldt, 0, 0, 0), NOBODY },
	{ CALL(fork), NOBODY },
	{ CALL(arch_prctl, 0), EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
#endif
};

#ifdef __x86_64__

/* getpid(2) of a process of 32 bits, by its number there. */
static int
try_int_80(void)
{
	int rc = 20;

	__asm__ volatile("int $0x80" : "+a"(rc) : : "memory");
	return rc;
}

/* Also by the number that is getpid(2) here, and another one there. */
static int
try_int_80_native(void)
{
	int rc = SYS_getpid;

	__asm__ volatile("int $0x80" : "+a"(rc) : "b"(-1) : "memory");
	return rc;
}

static int
try_x32(void)
{
	return (int)syscall(0x40000000L | SYS_getpid);
}

static const struct row architectures[] = {
	{ TRY(try_int_80), NOBODY },
	{ TRY(try_int_80_native), NOBODY },
	{ TRY(try_x32), NOBODY },
};

static void
test_architectures(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	(void)fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(try_int_80() == getpid() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		print_message("this kernel has no calls of 32 bits\n");
		skip();
	}
	CHECK(architectures);
}

#endif

static void
test_processes(void **state)
{
	(void)state;
	CHECK(processes);
}

static void
test_privileges(void **state)
{
	(void)state;
	CHECK(privileges);
}

static void
test_kernel(void **state)
{
	(void)state;
	CHECK(kernel);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test(test_kernel),
#ifdef __x86_64__
		cmocka_unit_test(test_architectures),
#endif
	};

	other = getpid();
	return cmocka_run_group_tests(tests, probe_open, probe_close);
}
