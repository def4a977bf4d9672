#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/redirect.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char base[] = "http://127.0.0.1:3001";

/* Where a Location leads from /dir/page?old=1; NULL: not followed. */
static const struct {
	const char *location;
	const char *target;
} locations[] = {
	{ "/login", "/login" },
	{ "/login?next=%2Fa&b=c", "/login?next=%2Fa&b=c" },
	{ "/login#part", "/login" },
	{ "/login?a#part?b", "/login?a" },
	{ "other", "/dir/other" },
	{ "../other", "/other" },
	{ "../../../other", "/other" },
	{ "/a/../b/./c", "/b/c" },
	{ "?new=2", "/dir/page?new=2" },
	{ "http://127.0.0.1:3001/x", "/x" },
	{ "HTTP://127.0.0.1:3001/x", "/x" },
	{ "http://127.0.0.1:3001", "/" },
	{ "http://127.0.0.1:3001?q", "/?q" },
	{ "//127.0.0.1:3001/x", "/x" },
	{ "/with space", "/with%20space" },
	{ "/caf\xc3\xa9?\xe2\x82\xac", "/caf%c3%a9?%e2%82%ac" },
	{ "/\\evil.example/x", "/%5Cevil.example/x" },
	{ "/@evil.example", "/@evil.example" },
	/* elsewhere */
	{ "https://127.0.0.1:3001/x", NULL },
	{ "http://127.0.0.1/x", NULL },
	{ "http://127.0.0.1:3002/x", NULL },
	{ "http://127.0.0.1:30010/x", NULL },
	{ "http://localhost:3001/x", NULL },
	{ "http://127.0.0.1:3001@evil.example/x", NULL },
	{ "http://evil.example#@127.0.0.1:3001/x", NULL },
	{ "http://user@127.0.0.1:3001/x", NULL },
	{ "http://user:pw@127.0.0.1:3001/x", NULL },
	{ "//evil.example/x", NULL },
	{ "///evil.example/x", NULL },
	{ "http://127.0.0.1.evil.example:3001/x", NULL },
	{ "http://[::1]:3001/x", NULL },
	/* no HTTP, or nothing at all */
	{ "ftp://127.0.0.1:3001/x", NULL },
	{ "file:///etc/passwd", NULL },
	{ "javascript:alert(1)", NULL },
	{ "", NULL },
	{ NULL, NULL },
	{ "/a\r\nb", NULL },
	{ "/a\x01", NULL },
};

static void
test_locations(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(locations); i++) {
		struct redirect next = { .target = NULL };
		bool follow;

		follow = redirect_next(base, "GET", "/dir/page?old=1", 302,
		    locations[i].location, &next);
		if (follow != (locations[i].target != NULL))
			fail_msg("%s", locations[i].location);
		if (!follow)
			continue;
		assert_string_equal(next.target, locations[i].target);
		assert_string_equal(next.method, "GET");
		free(next.target);
	}
}

static void
test_methods(void **state)
{
	static const struct {
		long status;
		const char *method, *next; /* NULL: not followed */
		bool keep_body;
	} table[] = {
		{ 301, "GET", "GET", true },
		{ 301, "HEAD", "HEAD", true },
		{ 301, "POST", "GET", false },
		{ 301, "PUT", "PUT", true },
		{ 302, "POST", "GET", false },
		{ 302, "DELETE", "DELETE", true },
		{ 303, "GET", "GET", true },
		{ 303, "HEAD", "HEAD", true },
		{ 303, "POST", "GET", false },
		{ 303, "PATCH", "GET", false },
		{ 307, "POST", "POST", true },
		{ 308, "POST", "POST", true },
		{ 308, "PUT", "PUT", true },
		{ 200, "GET", NULL, false },
		{ 201, "POST", NULL, false },
		{ 300, "GET", NULL, false },
		{ 304, "GET", NULL, false },
		{ 305, "GET", NULL, false },
		{ 306, "GET", NULL, false },
		{ 401, "GET", NULL, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct redirect next = { .target = NULL };
		bool follow;

		follow = redirect_next(
		    base, table[i].method, "/a", table[i].status, "/b", &next);
		assert_int_equal(follow, table[i].next != NULL);
		if (!follow)
			continue;
		assert_string_equal(next.method, table[i].next);
		assert_int_equal(next.keep_body, table[i].keep_body);
		assert_string_equal(next.target, "/b");
		free(next.target);
	}
}

/* Targets that look like another host stay paths. */
static void
test_strange_targets(void **state)
{
	static const char *const targets[] = { "//evil.example/a", "/@evil/a",
		"/%2e%2e/a", "/:80/a", "/a?http://evil/" };
	struct redirect next;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(targets); i++) {
		assert_true(
		    redirect_next(base, "GET", targets[i], 302, "/b", &next));
		assert_string_equal(next.target, "/b");
		free(next.target);
	}
	assert_true(redirect_next(base, "GET", "//evil/a", 302, "b", &next));
	assert_string_equal(next.target, "//evil/b");
	free(next.target);
}

static void
test_default_port(void **state)
{
	struct redirect next;

	(void)state;
	assert_true(redirect_next(
	    "http://[::1]:80", "GET", "/", 302, "http://[::1]/x", &next));
	assert_string_equal(next.target, "/x");
	free(next.target);
}

static void
test_too_long(void **state)
{
	char *location = malloc(REQUEST_TARGET_MAX + 2);
	struct redirect next;

	(void)state;
	memset(location, 'a', REQUEST_TARGET_MAX + 1);
	location[0] = '/';
	location[REQUEST_TARGET_MAX + 1] = '\0';
	assert_false(redirect_next(base, "GET", "/", 302, location, &next));
	location[REQUEST_TARGET_MAX] = '\0';
	assert_true(redirect_next(base, "GET", "/", 302, location, &next));
	free(next.target);
	free(location);
}

static void
test_dropped_headers(void **state)
{
	(void)state;
	assert_true(redirect_drops("Content-Type: text/plain"));
	assert_true(redirect_drops("content-language;"));
	assert_false(redirect_drops("Content-Types: x"));
	assert_false(redirect_drops("Accept: content-type"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locations),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_strange_targets),
		cmocka_unit_test(test_default_port),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_dropped_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
