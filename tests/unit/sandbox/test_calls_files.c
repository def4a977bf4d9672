#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/futex.h>

#include "tests/unit/sandbox/calls_table.h"

/* System calls about files, descriptors and memory. */

/* Which need a descriptor or a path, and give it up again. */
static int a_file = -1;

#define NEW_FILE (O_WRONLY | O_CREAT)

static int
try_open(void)
{
	return (int)syscall(SYS_openat, AT_FDCWD, "/etc/hosts", O_RDONLY);
}

static int
try_open_path(void)
{
	return (int)syscall(SYS_openat, AT_FDCWD, "/etc/hosts", O_PATH);
}

static int
try_stat(void)
{
	struct stat st;

	return (int)syscall(SYS_newfstatat, AT_FDCWD, "/etc/hosts", &st, 0);
}

/* Not even with the flag of fstat(3). */
static int
try_stat_empty(void)
{
	struct stat st;

	return (int)syscall(
	    SYS_newfstatat, AT_FDCWD, "/etc/hosts", &st, AT_EMPTY_PATH);
}

static int
try_fstat(void)
{
	struct stat st;

	return (int)syscall(SYS_fstat, a_file, &st);
}

static int
try_memory_file(void)
{
	return (int)syscall(SYS_memfd_create, "probe", 0);
}

/* Authd's databases have what SQLite wants; the launcher allows it, too. */
static const struct row files[] = {
	{ TRY(try_open),
	    EACH("EACCES", "EACCES", "EACCES", "EACCES", OK, OK, OK) },
	{ TRY(try_open_path),
	    EACH("EACCES", "EACCES", "EACCES", NO, NO, OK, NO) },
	{ TRY(try_stat), EACH("EACCES", "EACCES", "EACCES", OK, OK, OK, OK) },
	{ TRY(try_stat_empty),
	    EACH("EACCES", "EACCES", "EACCES", OK, OK, OK, OK) },
	{ TRY(try_fstat), ALL(OK) },
	{ CALL(openat, -1, 0, O_RDONLY),
	    EACH("EACCES", "EACCES", "EACCES", "EFAULT", "EFAULT", "EFAULT",
		"EFAULT") },
	{ CALL(openat, -1, 0, NEW_FILE),
	    EACH("EACCES", "EACCES", "EACCES", "EFAULT", "EFAULT", "EFAULT",
		"EFAULT") },
	{ CALL(openat2, -1, 0, 0, 0), NOBODY },
	{ CALL(statx, -1, 0, 0, 0, 0), ALL("ENOSYS") },
	{ CALL(faccessat, -1, 0, 0),
	    EACH("EACCES", "EACCES", "EACCES", "EFAULT", "EFAULT", "EFAULT",
		"EFAULT") },
	{ CALL(readlinkat, -1, 0, 0, 1),
	    EACH("EACCES", "EACCES", "EACCES", "EFAULT", "EFAULT", "EFAULT",
		"EFAULT") },
	{ CALL(statfs, 0, 0), NOBODY },
	{ CALL(getdents64, -1, 0, 0), EACH(NO, NO, NO, NO, NO, "EBADF", NO) },
	{ CALL(getcwd, 0, 0),
	    EACH(NO, NO, NO, "ERANGE", NO, "ERANGE", "ERANGE") },
	{ CALL(mkdirat, -1, 0, 0),
	    EACH(NO, NO, NO, "EFAULT", NO, "EFAULT", NO) },
	{ CALL(unlinkat, -1, 0, 0),
	    EACH(NO, NO, NO, "EFAULT", NO, "EFAULT", "EFAULT") },
	{ CALL(renameat2, -1, 0, -1, 0, 0), NOBODY },
	{ CALL(linkat, -1, 0, -1, 0, 0), NOBODY },
	{ CALL(symlinkat, 0, -1, 0), NOBODY },
	{ CALL(mknodat, -1, 0, S_IFIFO, 0), NOBODY },
	{ CALL(fchmodat, -1, 0, 0), NOBODY },
	{ CALL(fchownat, -1, 0, 0, 0, 0), NOBODY },
	{ CALL(utimensat, -1, 0, 0, 0), NOBODY },
	{ CALL(truncate, 0, 0), NOBODY },
	{ CALL(setxattr, 0, 0, 0, 0, 0), NOBODY },
	{ CALL(getxattr, 0, 0, 0, 0), NOBODY },
	{ CALL(fchmod, -1, 0), EACH(NO, NO, NO, "EBADF", NO, "EBADF", NO) },
	{ CALL(fchown, -1, 0, 0), EACH(NO, NO, NO, "EBADF", NO, "EBADF", NO) },
	{ CALL(ftruncate, -1, 0), EACH(NO, NO, NO, "EBADF", NO, "EBADF", NO) },
	{ CALL(fallocate, -1, 0, 0, 1),
	    EACH(NO, NO, NO, "EBADF", NO, "EBADF", NO) },
	{ CALL(fsync, -1), EACH(NO, NO, NO, "EBADF", NO, "EBADF", NO) },
	{ CALL(fdatasync, -1), EACH(NO, NO, NO, "EBADF", NO, "EBADF", NO) },
	{ CALL(flock, -1, 0), NOBODY },
	{ CALL(pread64, -1, 0, 0, 0),
	    EACH("EBADF", NO, NO, "EBADF", "EBADF", "EBADF", "EBADF") },
	{ CALL(pwrite64, -1, 0, 0, 0),
	    EACH(NO, NO, NO, "EBADF", NO, "EBADF", NO) },
	{ CALL(sendfile, -1, -1, 0, 0), EACH(NO, NO, NO, NO, NO, NO, "EBADF") },
	{ CALL(copy_file_range, -1, 0, -1, 0, 0, 0), NOBODY },
	{ CALL(umask, 077), EACH(NO, NO, NO, NO, NO, OK, OK) },
	{ TRY(try_memory_file), EACH(NO, NO, NO, NO, NO, NO, OK) },
	{ CALL(memfd_secret, 0), NOBODY },
	{ CALL(name_to_handle_at, -1, 0, 0, 0, 0), NOBODY },
	{ CALL(open_by_handle_at, -1, 0, 0), NOBODY },
};

static const struct row descriptors[] = {
	{ CALL(dup, -1), NOBODY },
	{ CALL(dup3, -1, 0, 0), EACH(NO, NO, NO, NO, NO, "EBADF", NO) },
	{ CALL(close_range, 9, 8, 0), EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(pipe2, 0, 0), EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(eventfd2, 0, 99), EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(epoll_create1, 99), EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(signalfd4, -1, 0, 0, 0), NOBODY },
	{ CALL(timerfd_create, 0, 0), NOBODY },
	{ CALL(fcntl, -1, F_GETFL),
	    EACH(NO, "EBADF", "EBADF", "EBADF", "EBADF", "EBADF", "EBADF") },
	{ CALL(fcntl, -1, F_SETFL, 0),
	    EACH(NO, "EBADF", "EBADF", "EBADF", "EBADF", "EBADF", NO) },
	{ CALL(fcntl, -1, F_GETFD),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(fcntl, -1, F_DUPFD, 0), EACH(NO, NO, NO, NO, NO, "EBADF", NO) },
	{ CALL(fcntl, -1, F_DUPFD_CLOEXEC, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", "EBADF") },
	{ CALL(fcntl, -1, F_GETLK, 0),
	    EACH(NO, NO, NO, "EBADF", NO, "EBADF", NO) },
	{ CALL(fcntl, -1, F_SETLK, 0),
	    EACH(NO, NO, NO, "EBADF", NO, "EBADF", NO) },
	{ CALL(fcntl, -1, F_SETLKW, 0), NOBODY },
	{ CALL(fcntl, -1, F_ADD_SEALS, 0),
	    EACH(NO, NO, NO, NO, NO, NO, "EBADF") },
	{ CALL(fcntl, -1, F_SETOWN, 1), NOBODY },
	{ CALL(fcntl, -1, F_SETSIG, 9), NOBODY },
	{ CALL(fcntl, -1, F_SETLEASE, 0), NOBODY },
	{ CALL(fcntl, -1, F_NOTIFY, 0), NOBODY },
	{ CALL(fcntl, -1, F_SETPIPE_SZ, 0), NOBODY },
	{ CALL(ioctl, -1, FIONREAD, 0), ALL("EBADF") },
	{ CALL(ioctl, -1, TIOCSTI, 0), NOBODY },
	{ CALL(ioctl, -1, (1L << 32) | TIOCSTI, 0), NOBODY },
	{ CALL(ioctl, -1, TCGETS, 0), NOBODY },
	{ CALL(ioctl, -1, TIOCLINUX, 0), NOBODY },
	{ CALL(ioctl, -1, FIOASYNC, 0), NOBODY },
	{ CALL(ioctl, -1, FIONBIO, 0), NOBODY },
};

/* What is mapped by a condition that holds fails at its length of 0. */
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define EXECUTE	  (PROT_READ | PROT_EXEC)
#define WRITE	  (PROT_READ | PROT_WRITE)

static int
try_executable(void)
{
	return mmap(NULL, 4096, EXECUTE, MAP_PRIVATE, a_file, 0) == MAP_FAILED
		   ? -1
		   : 0;
}

static const struct row memory[] = {
	{ CALL(mmap, 0, 0, WRITE, ANONYMOUS, -1, 0), ALL("EINVAL") },
	{ CALL(mmap, 0, 0, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0),
	    ALL("EINVAL") },
	{ CALL(mmap, 0, 0, WRITE, ANONYMOUS | MAP_HUGETLB, -1, 0),
	    ALL("EINVAL") },
	{ CALL(mmap, 0, 0, EXECUTE, ANONYMOUS, -1, 0),
	    EACH(NO, NO, NO, NO, NO, "EINVAL", "EACCES") },
	{ CALL(mmap, 0, 0, WRITE | PROT_EXEC, ANONYMOUS, -1, 0),
	    EACH(NO, NO, NO, NO, NO, "EINVAL", "EACCES") },
	{ CALL(mmap, 0, 0, WRITE | PROT_EXEC, MAP_PRIVATE, -1, 0),
	    EACH(NO, NO, NO, NO, NO, "EBADF", "EACCES") },
	{ CALL(mmap, 0, 0, WRITE | PROT_EXEC, MAP_SHARED, -1, 0),
	    EACH(NO, NO, NO, NO, NO, "EBADF", "EACCES") },
	{ TRY(try_executable), EACH(NO, NO, NO, NO, OK, OK, "EACCES") },
	{ CALL(mmap, 0, 0, WRITE, MAP_PRIVATE, -1, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", "EBADF") },
	{ CALL(mmap, 0, 0, WRITE, MAP_SHARED, -1, 0),
	    EACH(NO, NO, NO, "EBADF", "EBADF", "EBADF", "EBADF") },
	{ CALL(mprotect, 0, 0, WRITE), ALL(OK) },
	{ CALL(mprotect, 0, 0, EXECUTE),
	    EACH(NO, NO, NO, NO, NO, OK, "EACCES") },
	{ CALL(mprotect, 0, 0, WRITE | PROT_EXEC),
	    EACH(NO, NO, NO, NO, NO, OK, "EACCES") },
	{ CALL(munmap, 0, 0), ALL("EINVAL") },
	{ CALL(mremap, 1, 0, 0, 0, 0), ALL("EINVAL") },
	{ CALL(madvise, 0, 0, MADV_DONTNEED), ALL(OK) },
	{ CALL(madvise, 0, 0, MADV_HUGEPAGE), ALL(OK) },
	{ CALL(madvise, 0, 0, MADV_DONTDUMP),
	    EACH(NO, NO, NO, NO, NO, OK, NO) },
	{ CALL(madvise, 0, 0, MADV_DODUMP), NOBODY },
	{ CALL(madvise, 0, 0, MADV_DOFORK), NOBODY },
	{ CALL(madvise, 0, 0, MADV_HWPOISON), NOBODY },
	{ CALL(madvise, 0, 0, MADV_MERGEABLE), NOBODY },
	{ CALL(mlock, 0, 0), EACH(NO, NO, NO, NO, NO, OK, NO) },
	{ CALL(mlockall, 0), NOBODY },
	{ CALL(mincore, 0, 0, 0), NOBODY },
	{ CALL(futex, 0, FUTEX_WAKE_PRIVATE, 1), ALL(OK) },
	{ CALL(futex, 0, FUTEX_WAIT_PRIVATE, 0, 0), ALL("EFAULT") },
	{ CALL(futex, 0, FUTEX_WAKE, 1), NOBODY },
	{ CALL(futex, 0, FUTEX_LOCK_PI_PRIVATE, 0, 0), NOBODY },
	{ CALL(futex, 0, FUTEX_CMP_REQUEUE_PI_PRIVATE, 0, 0, 0, 0), NOBODY },
	{ CALL(set_robust_list, 0, 0), EACH(NO, NO, NO, NO, NO, "EINVAL", NO) },
	{ CALL(rseq, 0, 0, 0, 0), EACH("ENOSYS", "ENOSYS", "ENOSYS", "ENOSYS",
				      "ENOSYS", "EINVAL", "ENOSYS") },
};

static void
test_files(void **state)
{
	(void)state;
	CHECK(files);
}

static void
test_descriptors(void **state)
{
	(void)state;
	CHECK(descriptors);
}

static void
test_memory(void **state)
{
	(void)state;
	CHECK(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_memory),
	};

	a_file = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	if (a_file == -1)
		return 1;
	return cmocka_run_group_tests(tests, probe_open, probe_close);
}
