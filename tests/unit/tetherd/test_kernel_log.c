/* A kernel's log that the test plays, and the real one where it may be read. */

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "common/log.h"
#include "tests/unit/common/descriptors.h"
#include "tetherd/kernel_log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define X86_64 0xc000003e
#define I386   0x40000003

static struct {
	bool refused;
	int ours; /* where the kernel prints to, or -1 for the real one */
	int theirs;
	int overwritten; /* so many reads find that records are lost */
} kernel = { .ours = -1, .theirs = -1 };

/* In place of the C library's. */
int
open(const char *path, int flags, ...)
{
	if (strcmp(path, "/dev/kmsg") == 0 && kernel.refused) {
		errno = EPERM;
		return -1;
	}
	if (strcmp(path, "/dev/kmsg") == 0 && kernel.ours != -1) {
		assert_int_equal(flags & O_ACCMODE, O_RDONLY);
		assert_true((flags & O_NONBLOCK) != 0);
		assert_true((flags & O_CLOEXEC) != 0);
		return fcntl(kernel.theirs, F_DUPFD_CLOEXEC, 0);
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

off_t
lseek(int fd, off_t offset, int whence)
{
	if (kernel.ours == -1)
		return (off_t)syscall(SYS_lseek, fd, offset, whence);
	assert_int_equal(offset, 0);
	assert_int_equal(whence, SEEK_END);
	return 0;
}

ssize_t
read(int fd, void *buf, size_t n)
{
	if (kernel.overwritten > 0) {
		kernel.overwritten--;
		errno = EPIPE;
		return -1;
	}
	return (ssize_t)syscall(SYS_read, fd, buf, n);
}

static int
begin(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	kernel.ours = fds[0];
	kernel.theirs = fds[1];
	kernel_log_open();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	kernel_log_close();
	close(kernel.ours);
	close(kernel.theirs);
	kernel.ours = kernel.theirs = -1;
	return 0;
}

static void
print(const char *record)
{
	assert_int_equal(
	    send(kernel.ours, record, strlen(record), 0), strlen(record));
}

static void
print_death(int pid, const char *name, int call)
{
	char record[512];

	(void)snprintf(record, sizeof(record),
	    "5,532,57970996096,-;audit: type=1326 audit(1795406283.423:249): "
	    "auid=4294967295 uid=0 gid=0 ses=4294967295 pid=%d comm=\"%s\" "
	    "exe=\"/usr/libexec/tetherd/%s\" sig=31 arch=c000003e syscall=%d "
	    "compat=0 ip=0x7fc6fc17ddc7 code=0x80000000\n",
	    pid, name, name, call);
	print(record);
}

#define HEAD "5,532,57970996096,-;audit: type=1326 audit(1795406283.423:249): "
#define WHO  "auid=4294967295 uid=0 gid=0 ses=4294967295 "
#define TAIL " compat=0 ip=0x7fc6fc17ddc7 code=0x80000000\n"

static const struct {
	const char *record;
	int pid; /* 0: it is none */
	const char *name;
	uint32_t arch;
	int call;
} records[] = {
	{ HEAD WHO "pid=25704 comm=\"connector\" exe=\"/a/connector\" sig=31 "
		   "arch=c000003e syscall=17" TAIL,
	    25704, "connector", X86_64, 17 },
	/* without the kernel's name for the subsystem; with a label */
	{ "5,1,2,c;type=1326 audit(1.2:3): auid=1 uid=1000 gid=1000 ses=1 "
	  "subj=tetherd (enforce) pid=1 comm=\"authd\" exe=6120 sig=31 "
	  "arch=40000003 syscall=0" TAIL,
	    1, "authd", I386, 0 },
	{ HEAD "ppid=1 comm=\"123456789012345\" sig=31 arch=1 syscall=2", 0, "",
	    0, 0 }, /* no space before it: another field's end */
	{ HEAD WHO "pid=1 comm=\"123456789012345\" sig=31 arch=1 syscall=2", 1,
	    "123456789012345", 1, 2 },
	/* what is not printable was made digits */
	{ HEAD WHO "pid=1 comm=6120706964 sig=31 arch=1 syscall=2", 0, "", 0,
	    0 },
	{ HEAD WHO "pid=1 comm=\"1234567890123456\" sig=31 arch=1 syscall=2", 0,
	    "", 0, 0 },
	{ HEAD WHO "pid=1 comm=\"\" sig=31 arch=1 syscall=2", 0, "", 0, 0 },
	/* not its end: a filter that only notes it; another signal */
	{ HEAD WHO "pid=1 comm=\"a\" sig=0 arch=1 syscall=2", 0, "", 0, 0 },
	{ HEAD WHO "pid=1 comm=\"a\" sig=310 arch=1 syscall=2", 0, "", 0, 0 },
	/* written by a user */
	{ "12,532,57970996096,-;audit: type=1326 audit(1.2:3): auid=1 pid=1 "
	  "comm=\"a\" sig=31 arch=1 syscall=2",
	    0, "", 0, 0 },
	{ "8,532,57970996096,-;audit: type=1326 audit(1.2:3): auid=1 pid=1 "
	  "comm=\"a\" sig=31 arch=1 syscall=2",
	    0, "", 0, 0 },
	/* said by somebody else in the kernel, or of another type */
	{ "5,1,2,-;usb: audit: type=1326 audit(1.2:3): auid=1 pid=1 "
	  "comm=\"a\" sig=31 arch=1 syscall=2",
	    0, "", 0, 0 },
	{ "5,1,2,-;audit: type=1300 audit(1.2:3): auid=1 pid=1 comm=\"a\" "
	  "sig=31 arch=1 syscall=2",
	    0, "", 0, 0 },
	{ "5,1,2,-;audit: type=13260 audit(1.2:3): auid=1 pid=1 comm=\"a\" "
	  "sig=31 arch=1 syscall=2",
	    0, "", 0, 0 },
	/* numbers that are none */
	{ HEAD WHO "pid=0 comm=\"a\" sig=31 arch=1 syscall=2", 0, "", 0, 0 },
	{ HEAD WHO "pid=-1 comm=\"a\" sig=31 arch=1 syscall=2", 0, "", 0, 0 },
	{ HEAD WHO "pid=2147483648 comm=\"a\" sig=31 arch=1 syscall=2", 0, "",
	    0, 0 },
	{ HEAD WHO "pid=99999999999999999999 comm=\"a\" sig=31 arch=1 "
		   "syscall=2",
	    0, "", 0, 0 },
	{ HEAD WHO "pid=1 comm=\"a\" sig=31 arch=x syscall=2", 0, "", 0, 0 },
	{ HEAD WHO "pid=1 comm=\"a\" sig=31 arch=100000000 syscall=2", 0, "", 0,
	    0 },
	{ HEAD WHO "pid=1 comm=\"a\" sig=31 arch=1 syscall=", 0, "", 0, 0 },
	{ HEAD WHO "pid=1 comm=\"a\" sig=31 arch=1 syscall=-1", 0, "", 0, 0 },
	{ HEAD WHO "pid=1 comm=\"a\" sig=31 arch=1 syscall=2147483648", 0, "",
	    0, 0 },
	{ HEAD, 0, "", 0, 0 },
	{ "5,1,2,-", 0, "", 0, 0 },
	{ "5;", 0, "", 0, 0 },
	{ "", 0, "", 0, 0 },
};

static void
test_parse(void **state)
{
	struct kernel_log_death d;
	char part[512];
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(records); i++) {
		if (kernel_log_parse(records[i].record, &d) !=
		    (records[i].pid != 0))
			fail_msg("%s", records[i].record);
		if (records[i].pid == 0)
			continue;
		assert_int_equal(d.pid, records[i].pid);
		assert_string_equal(d.name, records[i].name);
		assert_int_equal(d.arch, records[i].arch);
		assert_int_equal(d.call, records[i].call);
	}
	/* Cut anywhere: nothing is read behind its end. */
	for (n = 0; n < strlen(records[0].record); n++) {
		memcpy(part, records[0].record, n);
		part[n] = '\0';
		(void)kernel_log_parse(part, &d);
	}
}

static void
assert_found(int pid, const char *name, const char *text)
{
	char found[96];

	if (!kernel_log_find(pid, name, found, sizeof(found)))
		fail_msg("%s was not found", text);
	assert_string_equal(found, text);
}

static void
assert_nothing(int pid, const char *name)
{
	char found[96] = "as before";

	assert_false(kernel_log_find(pid, name, found, sizeof(found)));
	assert_string_equal(found, "as before");
}

static void
test_find(void **state)
{
	char text[96];
	int i;

	(void)state;
	print("6,1,2,-;something else");
	print_death(70, "proxyd", SCMP_SYS(socket));
	print_death(71, "authd", SCMP_SYS(execve));
	print("6,1,2,-;something else");
	/* In another order, and once only. */
	(void)snprintf(
	    text, sizeof(text), "system call execve (%d)", SCMP_SYS(execve));
	if (seccomp_arch_native() == X86_64) {
		assert_found(71, "authd", text);
		assert_found(70, "proxyd", "system call socket (41)");
	}
	assert_nothing(70, "proxyd");
	/* Another program's of that pid: of a name space other than ours. */
	print_death(70, "sshd", 41);
	assert_nothing(70, "proxyd");
	/* The same pid again. */
	print_death(72, "proxyd", 1);
	print_death(72, "proxyd", 9999);
	assert_found(72, "proxyd",
	    seccomp_arch_native() == X86_64
		? "system call unknown (9999)"
		: "system call unknown (9999) of architecture 0xc000003e");
	/* The last eight are kept. */
	for (i = 1; i <= 9; i++)
		print_death(i, "dialer", 9999);
	assert_nothing(1, "dialer");
	assert_found(2, "dialer", "system call unknown (9999)");
	assert_found(9, "dialer", "system call unknown (9999)");
	assert_nothing(0, "");
}

static void
test_architecture(void **state)
{
	(void)state;
	print(HEAD WHO "pid=5 comm=\"authd\" exe=\"/authd\" sig=31 "
		       "arch=40000003 syscall=102" TAIL);
	assert_found(5, "authd",
	    "system call socketcall (102) of architecture 0x40000003");
}

/* Older records were overwritten before we came to read them. */
static void
test_overwritten(void **state)
{
	(void)state;
	kernel.overwritten = 100;
	print_death(70, "proxyd", 9999);
	assert_found(70, "proxyd", "system call unknown (9999)");
	assert_int_equal(kernel.overwritten, 0);
	/* For ever: a bound for that, too. */
	kernel.overwritten = 1 << 30;
	assert_nothing(70, "proxyd");
	assert_true(kernel.overwritten > (1 << 30) - 200000);
	kernel.overwritten = 0;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The kernel prints it a little after the death, behind something else. */
static void
test_late(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		(void)usleep(5000);
		print("6,1,2,-;something else");
		(void)usleep(5000);
		print_death(70, "proxyd", 9999);
		_exit(0);
	}
	assert_found(70, "proxyd", "system call unknown (9999)");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Where it prints none, that costs time once. */
static void
test_in_vain(void **state)
{
	int64_t began = now_ms();
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_nothing(70, "proxyd");
	assert_in_range(now_ms() - began, 10, 1000);
	print_death(70, "proxyd", 9999);
	assert_found(70, "proxyd", "system call unknown (9999)");
}

/* One that prints without end does not hold us. */
static void
test_flood(void **state)
{
	pid_t pid = fork();
	int64_t began;

	(void)state;
	if (pid == 0) {
		for (;;)
			(void)send(kernel.ours, "6,1,2,-;x", 9, 0);
	}
	began = now_ms();
	assert_nothing(70, "proxyd");
	assert_in_range(now_ms() - began, 0, 5000);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_not_allowed(void **state)
{
	int before = count_descriptors();

	(void)state;
	kernel.refused = true;
	kernel_log_open();
	assert_nothing(1, "proxyd");
	kernel_log_close();
	kernel.refused = false;
	assert_int_equal(count_descriptors(), before);
}

static void
violate(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	(void)prctl(PR_SET_NAME, "proxyd");
	if (filter == NULL ||
	    seccomp_rule_add(
		filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 0) != 0 ||
	    seccomp_load(filter) != 0)
		_exit(1);
	(void)socket(AF_INET, SOCK_STREAM, 0);
	_exit(2);
}

/* The kernel prints few of them in a time, of all on this machine. */
static void
test_real(void **state)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), status, i;
	char text[96], wanted[96];
	bool found = false;
	pid_t pid;

	(void)state;
	if (fd == -1) {
		print_message("the kernel's log can not be read here\n");
		skip();
	}
	close(fd);
	for (i = 0; i < 8 && !found; i++) {
		if (i > 0)
			(void)sleep(1);
		kernel_log_open();
		pid = fork();
		if (pid == 0)
			violate();
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
		found = kernel_log_find(pid, "proxyd", text, sizeof(text));
		kernel_log_close();
	}
	if (!found) {
		print_message("the kernel does not print such deaths here\n");
		skip();
	}
	(void)snprintf(wanted, sizeof(wanted), "system call socket (%d)",
	    SCMP_SYS(socket));
	assert_string_equal(text, wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		TEST(test_find),
		TEST(test_architecture),
		TEST(test_overwritten),
		TEST(test_late),
		TEST(test_in_vain),
		TEST(test_flood),
		cmocka_unit_test(test_not_allowed),
		cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
