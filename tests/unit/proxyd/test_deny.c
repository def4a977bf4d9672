#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/deny.h"
#include "proxyd/request.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char paths[] = "/shell\n/api/git/\n/caf%C3%A9\n/a b/../c\n"
			    "/%2573ecret\n/b/hidden\n/back\\slash\n";

static const char *const closed[] = {
	"/shell",
	"/shell/",
	"/shell/below",
	"/shell?query",
	"/shell/?query=/else",
	"/SHELL",
	"/sHeLL/x",
	/* encoded */
	"/%73hell",
	"/%53HELL",
	"/s%68ell/x",
	"/%73%68%65%6c%6C",
	"/shell%2fbelow",
	"/shell%2Fbelow",
	"/shell%5cbelow",
	"/%2fshell",
	"/%2Fshell",
	"/shell%3fx",
	"/shell%23x",
	"/shell%00",
	"/shell;x=1",
	"/shell%3Bx=1",
	"/%zz/../shell",
	/* slashes */
	"//shell",
	"///shell//",
	"/\\shell",
	"\\shell",
	"/shell\\x",
	"/%5cshell",
	"/x/..\\shell",
	"/api//git",
	"/api///git/status",
	"/api\\git",
	"/api%5Cgit",
	"/api%2fgit",
	/* dots */
	"/./shell",
	"/x/../shell",
	"/x/y/../../shell",
	"/../shell",
	"/../../../shell",
	"/shell/.",
	"/shell/..",
	"/shell/../x",
	"/shell/x/..",
	"/api/./git",
	"/api/x/../git",
	"/api/git/../x",
	"/x//../shell",
	"/x/y//../../shell",
	"/%2e/shell",
	"/x/%2e%2e/shell",
	"/x/%2E%2e/shell",
	"/x/.%2e/shell",
	"/x/%2e./shell",
	"/x%2f..%2fshell",
	"/x%2f%2e%2e%2fshell",
	"/x/..%2fshell",
	"/x/%2e%2e%2fshell",
	"/x/..%5cshell",
	"/x%5c..%5cshell",
	"/x%5c%2e%2e/shell",
	"/%5c../shell",
	"/x/;/../../shell",
	/* those who read a backslash as itself, and who do not */
	"/a%5cb/../shell",
	"/a%5cb/%2e%2e/shell",
	"/a%5cb/../../shell",
	"/a\\b/../shell",
	/* and a slash that is encoded */
	"/a%2fb/../shell",
	"/a%2fb/%2e%2e/shell",
	/* dots that are, or are not, and a path of two segments */
	"/b/%2e%2e/../hidden",
	"/b/x/%2e%2e/hidden",
	"/b/%2e%2e/b/hidden",
	/* a slash that is there for some */
	"/b//../hidden",
	"/b/hidden//..",
	"/b/x//../hidden",
	"/x//../b/hidden",
	/* with a host, as in a URL */
	"//host/shell",
	"//host//shell",
	"///host/shell",
	"//host/x/../shell",
	"//user@host:1/%73hell",
	"/\\host/shell",
	"/%5chost/shell",
	"//host/api/git",
	/* what is written in other ways in the configuration */
	"/caf\xc3\xa9",
	"/caf%c3%a9/x",
	"/c%61f%C3%a9",
	"/c",
	"/c/x",
	"/%2573ecret",
	"/%73ecret",
	"/back\\slash",
	"/back%5cslash",
	"/back%5Cslash/x",
};

static const char *const open[] = {
	"/",
	"/?/shell",
	"/x?path=/shell",
	"/x?/../shell",
	"/shells",
	"/shel",
	"/shell.html",
	"/shell%20",
	"/shell-x/shell",
	"/x/shell",
	"/x/shell/y",
	"/api",
	"/api/",
	"/api/gitx",
	"/api/gi",
	"/api/x/git",
	"/v1/api/git",
	"/x/.../shell",
	"/.../shell",
	"/..shell",
	"/x..%2fshell",
	"/x%2fshell",
	"/%2e%2e%2e/shell",
	"/x/%2e/shell",
	/* what is encoded twice is decoded by nobody */
	"/%2573hell",
	"/%252fshell",
	"/x/%252e%252e/shell",
	"/%",
	"/%7",
	"/%73",
	"/shell%",
	"/shell%7",
	"/caf%C3",
	"/a b/c",
	"/secret",
	"//shell.example/x",
	"//host",
	"//host?/shell",
	"/b",
	"/hidden",
};

static void
test_closed(void **state)
{
	struct deny *d = deny_new(paths);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(closed); i++)
		if (!deny_matches(d, closed[i]))
			fail_msg("open: %s", closed[i]);
	deny_free(d);
}

static void
test_open(void **state)
{
	struct deny *d = deny_new(paths);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(open); i++)
		if (deny_matches(d, open[i]))
			fail_msg("closed: %s", open[i]);
	deny_free(d);
}

/* What stands in a request as a target, and what it becomes on its way. */
static void
test_targets(void **state)
{
	static const char *const ways[] = { "/x/..\\shell", "/#/../shell",
		"/\"/../shell", "/\xc3\xa9/../shell", "/x y/../shell" };
	struct deny *d = deny_new(paths);
	const char *why;
	char *target;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ways); i++) {
		target = request_target(ways[i], strlen(ways[i]), "q", 1, &why);
		assert_non_null(target);
		if (!deny_matches(d, target))
			fail_msg("open: %s", target);
		free(target);
	}
	deny_free(d);
}

static void
test_none(void **state)
{
	struct deny *d;

	(void)state;
	assert_null(deny_new(""));
	assert_false(deny_matches(NULL, "/shell"));
	deny_free(NULL);
	/* Empty lines close nothing, and the last newline may be missing. */
	d = deny_new("\n\n/x");
	assert_true(deny_matches(d, "/x"));
	assert_false(deny_matches(d, "/"));
	assert_false(deny_matches(d, "/y"));
	deny_free(d);
}

static void
test_all(void **state)
{
	static const char *const roots[] = { "/\n", "//\n", "/x/..\n" };
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(roots); i++) {
		struct deny *d = deny_new(roots[i]);

		for (j = 0; j < COUNT(open); j++)
			if (!deny_matches(d, open[j]))
				fail_msg("%s: open: %s", roots[i], open[j]);
		deny_free(d);
	}
}

/* Any bytes, exactly as many as there are, for the sanitizers. */
static void
test_garbage(void **state)
{
	static const char alphabet[] = "/./%2eE5cC\\s;?ab";
	struct deny *d = deny_new(paths);
	uint32_t seed = 1;
	size_t i, j, len;

	(void)state;
	for (i = 0; i < 20000; i++) {
		char *target;

		len = i % 24;
		target = malloc(len + 2);
		assert_non_null(target);
		target[0] = '/';
		for (j = 1; j <= len; j++) {
			seed = seed * 1664525 + 1013904223;
			target[j] =
			    alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		target[len + 1] = '\0';
		(void)deny_matches(d, target);
		free(target);
	}
	deny_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
