#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "tetherd/complaints.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct origin nowhere = { ORIGIN_DEFAULT, NULL, 0 };

/* Where it was read, and how the line begins. */
static const struct {
	struct origin origin;
	const char *line;
} table[] = {
	{ { ORIGIN_FILE, "/etc/tetherd.conf", 12 },
	    "/etc/tetherd.conf:12: wrong 7" },
	{ { ORIGIN_FILE, "/etc/tetherd.conf", 0 },
	    "/etc/tetherd.conf: wrong 7" },
	{ { ORIGIN_ENV_FILE, "a/.env", 1 }, "a/.env:1: wrong 7" },
	{ { ORIGIN_ENVIRONMENT, "PORT", 0 }, "PORT: wrong 7" },
	{ { ORIGIN_FLAG, "-d", 0 }, "-d: wrong 7" },
	{ { ORIGIN_DEFAULT, NULL, 0 }, "wrong 7" },
	{ { ORIGIN_FILE, "a\nb\x7f%s", 1 }, "a?b?%s:1: wrong 7" },
};

static void
test_origins(void **state)
{
	struct complaints *c;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		c = complaints_new();
		complain(c, &table[i].origin, "wrong %d", 7);
		complaints_text(c, text, sizeof(text));
		assert_string_equal(text, table[i].line);
		complaints_free(c);
	}
	complaints_free(NULL);
}

static void
test_mild(void **state)
{
	struct complaints *c = complaints_new();
	char text[256];

	(void)state;
	complaints_text(c, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(complaints_count(c), 0);
	complain_mildly(c, &nowhere, "%s", "so\tso");
	assert_int_equal(complaints_count(c), 0);
	complain(c, &nowhere, "\x1b[31m");
	complain_mildly(c, &nowhere, "well");
	assert_int_equal(complaints_count(c), 1);
	complaints_text(c, text, sizeof(text));
	assert_string_equal(text, "so?so\n?[31m\nwell");
	complaints_free(c);
}

/* What two settings have in common is wrong once, and counts for both. */
static void
test_again(void **state)
{
	static const struct origin port = { ORIGIN_ENVIRONMENT, "PORT", 0 };
	struct complaints *c = complaints_new();
	char text[256];

	(void)state;
	complain(c, &nowhere, "a");
	complain(c, &nowhere, "b");
	complain(c, &nowhere, "a");
	complain_mildly(c, &nowhere, "b");
	complain(c, &port, "b");
	complaints_text(c, text, sizeof(text));
	assert_string_equal(text, "a\nb\nPORT: b");
	assert_int_equal(complaints_count(c), 4);
	complaints_free(c);
}

static void
test_long_line(void **state)
{
	struct origin origin = { ORIGIN_FILE, NULL, 3 };
	struct complaints *c = complaints_new();
	char file[2 * LOG_LINE_MAX], text[4 * LOG_LINE_MAX];

	(void)state;
	memset(file, 'f', sizeof(file));
	file[sizeof(file) - 1] = '\0';
	complain(c, &nowhere, "%s", file);
	file[0] = 'g';
	origin.file = file;
	complain(c, &origin, "x");
	complaints_text(c, text, sizeof(text));
	assert_int_equal(strlen(text), 2 * (LOG_LINE_MAX - 1) + 1);
	assert_int_equal(strcspn(text, "\n"), LOG_LINE_MAX - 1);
	complaints_free(c);
}

/* More than are kept: counted, and what is left out is said. */
static void
test_many(void **state)
{
	struct complaints *c = complaints_new();
	char text[4096], *end;
	unsigned i;

	(void)state;
	for (i = 0; i < COMPLAINTS_MAX; i++)
		complain(c, &nowhere, "number %u", i);
	complaints_text(c, text, sizeof(text));
	assert_null(strstr(text, "more"));
	for (; i < COMPLAINTS_MAX + 3; i++)
		complain(c, &nowhere, "number %u", i);
	complain_mildly(c, &nowhere, "number %u", i);
	assert_int_equal(complaints_count(c), COMPLAINTS_MAX + 3);
	complaints_text(c, text, sizeof(text));
	end = strstr(text, "\nnumber 99\n");
	assert_non_null(end);
	assert_string_equal(end, "\nnumber 99\nand 4 more");
	complaints_free(c);
}

/* The text in every size: whole lines, and how many are left out. */
static void
test_sizes(void **state)
{
	static const char whole[] = "first\nsecond, which is longer\nthird";
	struct complaints *c = complaints_new();
	char text[sizeof(whole) + 64];
	size_t size;

	(void)state;
	complain(c, &nowhere, "first");
	complain(c, &nowhere, "second, which is longer");
	complain(c, &nowhere, "third");
	for (size = 0; size <= sizeof(text); size++) {
		memset(text, '#', sizeof(text));
		complaints_text(c, text, size);
		if (size < sizeof(text))
			assert_int_equal(text[size], '#');
		if (size > 0)
			assert_non_null(memchr(text, '\0', size));
		if (size >= sizeof(whole))
			assert_string_equal(text, whole);
		else if (size > strlen("and 3 more"))
			assert_string_equal(text, "and 3 more");
	}
	complain(c, &nowhere, "fourth, so that there is more than fits");
	complaints_text(c, text, strlen("first\n") + 32);
	assert_string_equal(text, "first\nand 3 more");
	complaints_free(c);
}

static void
test_log(void **state)
{
	struct complaints *c = complaints_new();
	static const char *const lines[] = { "one", "two" };
	char line[LOG_LINE_MAX + 1];
	unsigned i;
	ssize_t n;
	int fds[2];

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	log_to_socket(fds[0]);
	complain(c, &nowhere, "one");
	complain_mildly(c, &nowhere, "two");
	complaints_log(c);
	for (i = 0; i < COUNT(lines); i++) {
		n = recv(fds[1], line, sizeof(line) - 1, 0);
		assert_true(n > 1);
		line[n] = '\0';
		assert_int_equal(line[0], LOG_LEVEL_WARN);
		assert_string_equal(line + 1, lines[i]);
	}
	assert_int_equal(recv(fds[1], line, sizeof(line), 0), -1);
	log_to_stderr("test");
	close(fds[0]);
	close(fds[1]);
	complaints_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_mild),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
