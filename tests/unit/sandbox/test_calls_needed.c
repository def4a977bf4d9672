#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <assert.h>
#include <malloc.h>
#include <poll.h>
#include <time.h>

#include "common/msg.h"
#include "tests/unit/sandbox/calls_table.h"

/* What each program does all the time, as libraries do it. */

#define MEGABYTE (UINT64_C(1) << 20)

/* Made before the sandbox is entered, as in the programs. */
static int channel[2] = { -1, -1 };
static int epoll = -1;

/* More than one arena, mapping, and step of growth; and back again. */
static int
try_memory(void)
{
	char *parts[64], *big = malloc(MEGABYTE), *bigger;
	size_t i;

	if (big == NULL)
		return -1;
	memset(big, 'x', MEGABYTE);
	for (i = 0; i < 64; i++) {
		parts[i] = calloc(1, (i + 1) * 4096);
		if (parts[i] == NULL)
			return -1;
		memset(parts[i], 'y', (i + 1) * 4096);
	}
	bigger = realloc(big, 16 * MEGABYTE);
	if (bigger == NULL || bigger[MEGABYTE - 1] != 'x')
		return -1;
	memset(bigger, 'z', 16 * MEGABYTE);
	free(bigger);
	for (i = 0; i < 64; i++)
		free(parts[i]);
	(void)malloc_trim(0);
	return 0;
}

static int
try_too_much_memory(void)
{
	/* Not known to the compiler, which would say that it is too much. */
	volatile size_t size = (size_t)PTRDIFF_MAX / 2;
	void *p = malloc(size);
	int rc = p == NULL ? -1 : 0;

	free(p);
	return rc;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(uint32_t));
}

/* So many that qsort(3) asks how much memory there is. */
static int
try_sort(void)
{
	static uint32_t numbers[100000];
	size_t i, n = sizeof(numbers) / sizeof(numbers[0]);

	for (i = 0; i < n; i++)
		numbers[i] = arc4random();
	qsort(numbers, n, sizeof(numbers[0]), compare);
	for (i = 1; i < n; i++)
		if (compare(&numbers[i - 1], &numbers[i]) > 0)
			return -1;
	return 0;
}

static int
try_time(void)
{
	time_t now = time(NULL);
	struct timespec ts;
	struct tm tm;

	/* As well where the kernel's page of it is not to be had. */
	if (syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts) == -1 ||
	    ts.tv_sec < now || clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return -1;
	return localtime_r(&now, &tm) == NULL ? -1 : 0;
}

static int
try_abort(void)
{
	abort();
}

static int
try_assert(void)
{
	(void)close(STDERR_FILENO);
	__assert_fail("that", "test", 1, "try_assert");
}

void __stack_chk_fail(void) __attribute__((noreturn));

static int
try_smashed_stack(void)
{
	(void)close(STDERR_FILENO);
	__stack_chk_fail();
}

static int
try_corrupt_heap(void)
{
	/* Not for the compiler to see. */
	volatile uintptr_t p = (uintptr_t)malloc(100);

	(void)close(STDERR_FILENO);
	free((void *)p);
	free((void *)p);
	return 0;
}

static int
try_exit(void)
{
	exit(0);
}

static int
try_fatal(void)
{
	fatalx("what was tried");
}

static int
try_log(void)
{
	char line[1 + LOG_LINE_MAX];

	log_warnx("a line");
	return recv(probe_world.log, line, sizeof(line), MSG_DONTWAIT) == 7 &&
		       memcmp(line + 1, "a line", 6) == 0
		   ? 0
		   : -1;
}

/* A message with a descriptor, sent and received. */
static int
try_message(void)
{
	static uint8_t buffer[MSG_SIZE_MAX];
	struct msg_out out;
	const char *why;
	struct msg m;

	msg_start(&out, MSG_LAUNCH, 7);
	msg_add_u32(&out, PROGRAM_DIALER);
	if (msg_send_now(channel[0], &out, STDIN_FILENO) == -1)
		return -1;
	why = msg_recv_now(channel[1], &m, buffer, 1000, PROGRAM_PARENT,
	    PROGRAM_LAUNCHER, MSG_RUN);
	if (why != NULL || m.id != 7 || msg_get_u32(&m) != PROGRAM_DIALER)
		return -1;
	return close(msg_take_fd(&m));
}

static int
try_streams(void)
{
	char a[4] = "abc", b[4] = "";
	struct iovec out = { a, 3 }, in = { b, 3 };
	struct pollfd p = { .fd = channel[1], .events = POLLIN };
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, channel[1], &event) == -1 ||
	    epoll_wait(epoll, &event, 1, 0) != 0 ||
	    writev(channel[0], &out, 1) != 3 ||
	    epoll_wait(epoll, &event, 1, 1000) != 1 || poll(&p, 1, 1000) != 1 ||
	    readv(channel[1], &in, 1) != 3 || memcmp(a, b, 3) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_DEL, channel[1], NULL) == -1)
		return -1;
	if (write(channel[0], a, 2) != 2 || read(channel[1], b, 3) != 2 ||
	    send(channel[0], a, 3, MSG_NOSIGNAL) != 3 ||
	    recv(channel[1], b, 3, MSG_DONTWAIT) != 3)
		return -1;
	return close(channel[0]);
}

static int
try_signal_to_itself(void)
{
	if (signal(SIGUSR1, SIG_IGN) == SIG_ERR || raise(SIGUSR1) != 0)
		return -1;
	return 0;
}

/* A signal that comes while something waits, with a handler. */
static void
take(int signo)
{
	(void)signo;
}

static int
try_handler(void)
{
	const struct sigaction action = { .sa_handler = take };

	return sigaction(SIGUSR2, &action, NULL) == 0 && raise(SIGUSR2) == 0
		   ? 0
		   : -1;
}

static int
try_random(void)
{
	uint8_t bytes[300];

	arc4random_buf(bytes, sizeof(bytes));
	return getentropy(bytes, 256);
}

static const struct row rows[] = {
	{ TRY(try_memory), ALL(OK) },
	{ TRY(try_too_much_memory), ALL("ENOMEM") },
	{ TRY(try_sort), ALL(OK) },
	{ TRY(try_random), ALL(OK) },
	{ TRY(try_time), ALL(OK) },
	{ TRY(try_log), ALL(OK) },
	{ TRY(try_message), ALL(OK) },
	{ TRY(try_streams), ALL(OK) },
	{ TRY(try_signal_to_itself), ALL(OK) },
	{ TRY(try_handler), ALL(OK) },
	{ TRY(try_abort), ALL("SIGABRT") },
	{ TRY(try_assert), ALL("SIGABRT") },
	{ TRY(try_smashed_stack), ALL("SIGABRT") },
	{ TRY(try_corrupt_heap), ALL("SIGABRT") },
	{ TRY(try_exit), ALL("exit 0") },
	{ TRY(try_fatal), ALL("exit 1") },
	{ CALL(epoll_pwait, -1, 0, 0, 0, 0, 0), ALL("EBADF") },
	{ CALL(epoll_pwait2, -1, 0, 0, 0, 0, 0), ALL("EBADF") },
	{ CALL(ppoll, 0, 0, 1, 0, 0), ALL("EFAULT") },
	{ CALL(restart_syscall), ALL("EINTR") },
	{ CALL(uname, 0), EACH(NO, NO, NO, NO, "EFAULT", "EFAULT", "EFAULT") },
	{ CALL(clock_nanosleep, 99, 0, 0, 0),
	    EACH(NO, NO, NO, "EINVAL", "EINVAL", "EINVAL", NO) },
	{ CALL(geteuid), EACH(NO, NO, NO, OK, OK, OK, OK) },
};

static void
test_needed(void **state)
{
	char line[1 + LOG_LINE_MAX];

	(void)state;
	CHECK(rows);
	/* try_fatal() is heard of, once from each. */
	assert_int_equal(
	    recv(probe_world.log, line, sizeof(line), MSG_DONTWAIT), 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needed),
	};

	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll == -1 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       channel) == -1)
		return 1;
	return cmocka_run_group_tests(tests, probe_open, probe_close);
}
