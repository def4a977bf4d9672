/* A service manager of our own, and what it is told. */

#include <sys/socket.h>
#include <sys/un.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/log.h"
#include "tetherd/notify.h"

#define FAILED "READY=1\nSTATUS=reload failed: the old settings stay in force"

static struct event_base *base;
static char directory[32], path[64], abstract[80];
static int manager = -1;
static int logged[2];

/* A service manager's socket under that name; '@' is the abstract space. */
static int
listen_at(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_int_not_equal(fd, -1);
	assert_true(strlcpy(sun.sun_path, name, sizeof(sun.sun_path)) <
		    sizeof(sun.sun_path));
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, len), 0);
	return fd;
}

/* From now on; NULL removes the variable. */
static void
set(const char *name, const char *value)
{
	if (value == NULL)
		assert_int_equal(unsetenv(name), 0);
	else
		assert_int_equal(setenv(name, value, 1), 0);
}

/* The next datagram as a string, "" if there is none. */
static const char *
take(int fd)
{
	static char text[1024];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void
assert_told(const char *text)
{
	assert_string_equal(take(manager), text);
}

/* The first byte of a line is its level. */
static void
assert_warned(const char *text)
{
	const char *line = take(logged[0]);

	assert_int_equal(line[0], text[0] == '\0' ? '\0' : LOG_LEVEL_WARN);
	assert_string_equal(line[0] == '\0' ? line : line + 1, text);
}

static void
start(const char *name)
{
	manager = listen_at(name);
	set("NOTIFY_SOCKET", name);
	notify_start(base);
}

static int
setup(void **state)
{
	(void)state;
	(void)strlcpy(directory, "/tmp/notify.XXXXXX", sizeof(directory));
	if (mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/socket", directory);
	(void)snprintf(abstract, sizeof(abstract), "@%s", path);
	base = event_base_new();
	if (base == NULL || socketpair(AF_UNIX, SOCK_DGRAM, 0, logged) == -1)
		return -1;
	log_to_socket(logged[1]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	notify_finish();
	set("NOTIFY_SOCKET", NULL);
	set("WATCHDOG_USEC", NULL);
	set("WATCHDOG_PID", NULL);
	if (manager != -1)
		close(manager);
	manager = -1;
	log_to_stderr("test");
	close(logged[0]);
	close(logged[1]);
	event_base_free(base);
	(void)unlink(path);
	return rmdir(directory);
}

static void
assert_reload_told(void)
{
	const char *text;
	struct timespec now;
	int64_t usec, then;
	char end;

	notify_reloading();
	clock_gettime(CLOCK_MONOTONIC, &now);
	usec = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	text = take(manager);
	assert_int_equal(
	    sscanf(
		text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "%c", &then, &end),
	    1);
	assert_true(then <= usec && usec - then < 10000000);
}

static void
assert_whole_life(const char *name)
{
	start(name);
	assert_told("");
	notify_ready();
	assert_told("READY=1");
	assert_reload_told();
	assert_told("");
	notify_reloaded(true);
	assert_told(FAILED);
	assert_reload_told();
	notify_reloaded(false);
	assert_told("READY=1\nSTATUS=");
	notify_stopping();
	assert_told("STOPPING=1");
	assert_told("");
	assert_warned("");
}

static void
test_path(void **state)
{
	(void)state;
	assert_whole_life(path);
}

static void
test_abstract(void **state)
{
	(void)state;
	assert_whole_life(abstract);
}

/* Opened once: the name may lead nowhere, or elsewhere, by then. */
static void
test_kept(void **state)
{
	int other;

	(void)state;
	start(path);
	assert_int_equal(unlink(path), 0);
	other = listen_at(path);
	set("NOTIFY_SOCKET", NULL);
	notify_ready();
	assert_told("READY=1");
	assert_string_equal(take(other), "");
	close(other);
}

/* Where READY=1 of a reload would say something else. */
static void
test_reload_untold(void **state)
{
	(void)state;
	start(path);
	notify_reloading();
	notify_reloaded(false);
	assert_told("");
	notify_ready();
	assert_told("READY=1");
	notify_reloaded(true);
	assert_told("");
	notify_reloading();
	assert_string_not_equal(take(manager), "");
	notify_reloading();
	assert_told("");
	notify_stopping();
	assert_told("STOPPING=1");
	notify_reloaded(true);
	notify_reloading();
	notify_reloaded(false);
	notify_stopping();
	assert_told("");
}

/* None, or none that can be: nothing happens, and nothing is fatal. */
static void
test_nowhere(void **state)
{
	static const struct {
		const char *name;
		const char *warning;
	} rows[] = {
		{ NULL, "" },
		{ "", "" },
		{ "/nonexistent/x",
		    "NOTIFY_SOCKET: No such file or directory" },
		{ "@nobody listens here", "NOTIFY_SOCKET: Connection refused" },
		{ "/dev/null", "NOTIFY_SOCKET: Connection refused" },
	};
	size_t i;

	(void)state;
	set("WATCHDOG_USEC", "2000");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set("NOTIFY_SOCKET", rows[i].name);
		notify_start(base);
		assert_warned(rows[i].warning);
		assert_int_equal(
		    event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
		notify_ready();
		notify_reloading();
		notify_reloaded(false);
		notify_stopping();
		notify_finish();
		assert_warned("");
	}
}

static void
test_too_long(void **state)
{
	char longest[109];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	set("NOTIFY_SOCKET", longest);
	notify_start(base);
	assert_warned("NOTIFY_SOCKET: File name too long");
	notify_ready();
	assert_warned("");
}

/* Runs the event loop for that long, in milliseconds. */
static void
run_for(int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	assert_int_equal(event_base_loopexit(base, &tv), 0);
	assert_int_equal(event_base_dispatch(base), 0);
}

static void
test_manager_gone(void **state)
{
	(void)state;
	set("WATCHDOG_USEC", "20000");
	start(path);
	notify_ready();
	assert_told("READY=1");
	close(manager);
	manager = -1;
	run_for(100);
	assert_warned("NOTIFY_SOCKET: Connection refused");
	notify_reloading();
	notify_reloaded(false);
	notify_stopping();
	run_for(30);
	assert_warned("");
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* It is waited for, but not for long, and the watchdog does not at all. */
static void
test_manager_stuck(void **state)
{
	int64_t end = now_ms() + 60000, before;

	(void)state;
	set("WATCHDOG_USEC", "2000");
	start(path);
	notify_ready();
	while (take(logged[0])[0] != LOG_LEVEL_WARN) {
		assert_true(now_ms() < end);
		run_for(10);
	}
	before = now_ms();
	run_for(50);
	assert_true(now_ms() - before < 900);
	before = now_ms();
	notify_stopping();
	assert_in_range(now_ms() - before, 900, 10000);
	assert_warned("");
	assert_told("READY=1");
	assert_told("WATCHDOG=1");
}

/* How many WATCHDOG=1 came, and nothing else did. */
static int
pings(void)
{
	const char *text;
	int n = 0;

	for (text = take(manager); text[0] != '\0'; text = take(manager)) {
		assert_string_equal(text, "WATCHDOG=1");
		n++;
	}
	return n;
}

static void
test_watchdog(void **state)
{
	char own[16];
	size_t i;

	(void)state;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	const struct {
		const char *usec;
		const char *pid;
		int least; /* in 300 ms, on a machine that is busy */
		int most;
		const char *warning;
	} rows[] = {
		{ "100000", NULL, 1, 6, "" }, /* each 50 ms */
		{ "100000", own, 1, 6, "" },
		{ "100000", "", 1, 6, "" },
		{ "100000", "1", 0, 0, "" }, /* somebody else's */
		{ "100000", "x", 1, 6, "WATCHDOG_PID: invalid" },
		{ "500000", NULL, 1, 1, "" }, /* not the whole of it */
		{ "1200000", NULL, 0, 0, "" },
		{ "60000000", NULL, 0, 0, "" },
		{ "9223372036854775807", NULL, 0, 0, "" },
		{ "", NULL, 0, 0, "" },
		{ NULL, own, 0, 0, "" },
		{ "0", NULL, 0, 0, "WATCHDOG_USEC: too small" },
		{ "-5", NULL, 0, 0, "WATCHDOG_USEC: too small" },
		{ "10s", NULL, 0, 0, "WATCHDOG_USEC: invalid" },
	};
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int n;

		set("WATCHDOG_USEC", rows[i].usec);
		set("WATCHDOG_PID", rows[i].pid);
		start(path);
		run_for(rows[i].most > 0 ? 320 : 120);
		assert_warned(rows[i].warning);
		n = pings();
		if (n < rows[i].least || n > rows[i].most)
			fail_msg("row %zu: %d pings", i, n);
		notify_finish();
		close(manager);
		manager = -1;
		assert_int_equal(unlink(path), 0);
	}
}

/* One that wants to hear of us all the time does not keep us from working. */
static void
test_watchdog_tiny(void **state)
{
	int64_t before = now_ms();
	int n;

	(void)state;
	set("WATCHDOG_USEC", "1");
	start(abstract);
	run_for(4);
	n = pings();
	assert_in_range(n, 1, now_ms() - before + 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(path),
		TEST(abstract),
		TEST(kept),
		TEST(reload_untold),
		TEST(nowhere),
		TEST(too_long),
		TEST(manager_gone),
		TEST(manager_stuck),
		TEST(watchdog),
		TEST(watchdog_tiny),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
