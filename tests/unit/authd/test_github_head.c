/* What the head of an answer says. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authd/github_head.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW 784111777

static void
add(struct github_head *h, const char *line)
{
	assert_int_equal(github_head_add(h, line, strlen(line), NOW), 0);
}

static const struct {
	int status;
	const char *after;
	const char *remaining;
	const char *reset;
	int64_t wait_ms; /* -1 for no limit */
} limits[] = {
	{ 200, "7", "0", "784111999", -1 },
	{ 401, "7", "0", "784111999", -1 },
	{ 404, "7", "0", "784111999", -1 },
	{ 503, "7", "0", "784111999", -1 },
	{ 403, NULL, NULL, NULL, -1 },
	{ 403, NULL, "1", "784111999", -1 },
	{ 403, NULL, "junk", "784111999", -1 },
	{ 403, NULL, "", NULL, -1 },
	{ 403, NULL, "-0", NULL, -1 },
	{ 403, NULL, "0", NULL, 60000 },
	{ 403, NULL, "00", "784111787", 10000 },
	{ 403, NULL, "0", "784111787", 10000 },
	{ 403, NULL, "0", "784111777", 1000 },
	{ 403, NULL, "0", "784111776", 1000 },
	{ 403, NULL, "0", "0", 1000 },
	{ 403, NULL, "0", "-1", 60000 },
	{ 403, NULL, "0", "soon", 60000 },
	{ 403, NULL, "0", "784115377", 3600000 },
	{ 403, NULL, "0", "784115378", 3600000 },
	{ 403, NULL, "0", "99999999999999999999999999", 3600000 },
	{ 403, "5", NULL, NULL, 5000 },
	{ 403, "5", "0", "784111999", 5000 },
	{ 403, "5", "4999", "784111999", 5000 },
	{ 403, "0", NULL, NULL, 1000 },
	{ 403, "1", NULL, NULL, 1000 },
	{ 403, "3600", NULL, NULL, 3600000 },
	{ 403, "3601", NULL, NULL, 3600000 },
	{ 403, "4294967296", NULL, NULL, 3600000 },
	{ 403, "18446744073709551617", NULL, NULL, 3600000 },
	{ 403, "99999999999999999999999999", NULL, NULL, 3600000 },
	{ 403, "-7", NULL, NULL, 60000 },
	{ 403, "", NULL, NULL, 60000 },
	{ 403, "7.5", NULL, NULL, 60000 },
	{ 403, "+7", NULL, NULL, 60000 },
	{ 403, "-0700", NULL, NULL, 60000 },
	{ 403, "0x10", NULL, NULL, 60000 },
	{ 403, "never", NULL, NULL, 60000 },
	{ 403, "never", "0", "784111787", 10000 },
	{ 403, "Sun, 06 Nov 1994 08:49:47 GMT", NULL, NULL, 10000 },
	{ 403, "Sunday, 06-Nov-94 08:49:47 GMT", NULL, NULL, 10000 },
	{ 403, "Sun Nov  6 08:49:47 1994", NULL, NULL, 10000 },
	{ 403, "Sun, 06 Nov 1994 08:49:37 GMT", NULL, NULL, 1000 },
	{ 403, "Sun, 06 Nov 1991 08:49:37 GMT", NULL, NULL, 1000 },
	{ 403, "Sun, 06 Nov 2094 08:49:37 GMT", NULL, NULL, 3600000 },
	{ 429, NULL, NULL, NULL, 60000 },
	{ 429, "9", NULL, NULL, 9000 },
	{ 429, NULL, NULL, "784111787", 10000 },
	{ 429, NULL, "0", "784111787", 10000 },
	/* The quota is not what is used up. */
	{ 429, NULL, "4000", "784111787", 60000 },
};

static void
test_limits(void **state)
{
	struct github_head h;
	char line[128];
	uint32_t wait_ms;
	bool limited;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(limits); i++) {
		memset(&h, 0, sizeof(h));
		add(&h, "HTTP/1.1 403 Forbidden\r\n");
		if (limits[i].after != NULL) {
			(void)snprintf(line, sizeof(line),
			    "Retry-After: %s\r\n", limits[i].after);
			add(&h, line);
		}
		if (limits[i].remaining != NULL) {
			(void)snprintf(line, sizeof(line),
			    "X-RateLimit-Remaining:%s \r\n",
			    limits[i].remaining);
			add(&h, line);
		}
		if (limits[i].reset != NULL) {
			(void)snprintf(line, sizeof(line),
			    "x-ratelimit-reset: \t%s\n", limits[i].reset);
			add(&h, line);
		}
		assert_false(h.whole);
		add(&h, "\r\n");
		assert_true(h.whole);
		wait_ms = 0;
		limited =
		    github_head_is_limit(&h, limits[i].status, NOW, &wait_ms);
		if (limited != (limits[i].wait_ms != -1) ||
		    (limited && wait_ms != limits[i].wait_ms))
			fail_msg(
			    "row %zu: %d %u", i, limited, (unsigned)wait_ms);
	}
}

static const struct {
	const char *value;
	bool more;
} links[] = {
	{ "<https://a/?page=2>; rel=\"next\"", true },
	{ "<https://a/?page=2>;rel=next", true },
	{ "<https://a/?page=2> ; REL = \"NEXT\" ", true },
	{ "<a>; rel=\"prev\", <b>; rel=\"next\", <c>; rel=\"last\"", true },
	{ "<a>; rel=\"last next\"", true },
	{ "<a>; rel=\"  next\"", true },
	{ "<a>; title=\"x, <y>; z\"; rel=\"next\"", true },
	{ "<a>; title=\"q\\\"; rel=\\\"prev\"; rel=\"next\"", true },
	{ "<a>; hidden; rel=next", true },
	{ "<a,b>; rel=next", true },
	{ "<a>, , <b>; rel=next", true },
	{ "<a>; rel=\"next", true },
	{ "", false },
	{ "next", false },
	{ "<a>", false },
	{ "<a>; rel", false },
	{ "<a>; rel=", false },
	{ "<a>; rel=\"\"", false },
	{ "<a>; rel=\"prev\"", false },
	{ "<a>; rel=\"nextish\"", false },
	{ "<a>; rel=\"x-next\"", false },
	{ "<a>; rel=\"nex\"", false },
	{ "<a>; rev=\"next\"", false },
	{ "<a>; relx=\"next\"", false },
	{ "<a>; rel=prev; rel=next", false },
	{ "<a>; title=\"; rel=next\"", false },
	{ "<a; rel=next", false },
	{ "<a; rel=next>", false },
	{ "a; rel=next", false },
	{ "<a>; title=\"x\\", false },
	{ "<", false },
	{ "<a>;", false },
	{ "<a>;;;=;", false },
};

static void
test_links(void **state)
{
	struct github_head h;
	char line[256];
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(links); i++) {
		(void)snprintf(
		    line, sizeof(line), "link: %s\r\n", links[i].value);
		memset(&h, 0, sizeof(h));
		add(&h, line);
		if (h.more != links[i].more)
			fail_msg("%s", links[i].value);
		/* Any cut of it is read to its end and no further. */
		for (n = 0; n < strlen(line); n++) {
			char *cut = strndup(line, n);

			memset(&h, 0, sizeof(h));
			add(&h, cut);
			free(cut);
		}
	}
	/* Two fields of the name, in either order. */
	memset(&h, 0, sizeof(h));
	add(&h, "Link: <a>; rel=next\r\n");
	add(&h, "Link: <a>; rel=prev\r\n");
	assert_true(h.more);
	/* Another answer begins. */
	add(&h, "\r\n");
	add(&h, "HTTP/1.1 200 OK\r\n");
	assert_false(h.more);
	assert_false(h.whole);
}

/* Fields that are none of ours, or none at all. */
static void
test_others(void **state)
{
	static const char *const lines[] = { "X-Link: <a>; rel=next",
		"Link <a>; rel=next", "Link", ":", "", "Link : <a>; rel=next",
		"Retry-Afte: 7", "\x01\xff: x" };
	static char big[5000];
	struct github_head h = { 0 };
	size_t i;
	uint32_t wait_ms;

	(void)state;
	for (i = 0; i < COUNT(lines); i++)
		add(&h, lines[i]);
	memset(big, 'x', sizeof(big) - 1);
	memcpy(big, "Link: <a>; rel=next", 19);
	add(&h, big);
	memcpy(big, "Retry-After: 1", 14);
	add(&h, big);
	assert_false(h.more);
	assert_false(h.has_after);
	assert_false(github_head_is_limit(&h, 403, NOW, &wait_ms));
}

static void
test_bounds(void **state)
{
	static char line[GITHUB_HEAD_MAX + 1];
	struct github_head h = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < GITHUB_HEAD_LINES_MAX; i++)
		add(&h, "A: b\r\n");
	assert_int_equal(github_head_add(&h, "A: b\r\n", 6, NOW), -1);
	memset(&h, 0, sizeof(h));
	memset(line, 'x', sizeof(line));
	assert_int_equal(github_head_add(&h, line, GITHUB_HEAD_MAX, NOW), 0);
	assert_int_equal(github_head_add(&h, line, 1, NOW), -1);
	/* An answer after the other makes no new room. */
	memset(&h, 0, sizeof(h));
	for (i = 0; i < GITHUB_HEAD_LINES_MAX; i++)
		add(&h, "HTTP/1.1 103 Early Hints\r\n");
	assert_int_equal(github_head_add(&h, "HTTP/1.1 200\r\n", 14, NOW), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
