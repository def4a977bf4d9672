#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/slice.h"
#include "proxyd/deny.h"
#include "proxyd/request.h"
#include "proxyd/role.h"

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

/* For all, for each of the two roles: NULL for none. */
static struct deny *
make(const char *all, const char *full, const char *read_only)
{
	char none[] = "";
	char *copies[] = { strdup(all), full == NULL ? NULL : strdup(full),
		read_only == NULL ? NULL : strdup(read_only) };
	struct proxyd_conf conf = { .deny_paths = copies[0],
		.deny_paths_role = { full == NULL ? none : copies[1],
		    read_only == NULL ? none : copies[2] } };
	struct deny *d = deny_new(&conf);
	size_t i;

	for (i = 0; i < COUNT(copies); i++)
		free(copies[i]);
	return d;
}

static void
test_closed(void **state)
{
	struct deny *d = make(paths, NULL, NULL);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(closed); i++)
		if (!deny_matches(d, SESSION_ROLE_FULL, closed[i]))
			fail_msg("open: %s", closed[i]);
	deny_free(d);
}

static void
test_open(void **state)
{
	struct deny *d = make(paths, NULL, NULL);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(open); i++)
		if (deny_matches(d, SESSION_ROLE_FULL, open[i]))
			fail_msg("closed: %s", open[i]);
	deny_free(d);
}

/* What stands in a request as a target, and what it becomes on its way. */
static void
test_targets(void **state)
{
	static const char *const ways[] = { "/x/..\\shell", "/#/../shell",
		"/\"/../shell", "/\xc3\xa9/../shell", "/x y/../shell" };
	struct deny *d = make(paths, NULL, NULL);
	const char *why;
	char *target;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ways); i++) {
		target = request_target(ways[i], strlen(ways[i]), "q", 1, &why);
		assert_non_null(target);
		if (!deny_matches(d, SESSION_ROLE_FULL, target))
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
	assert_null(make("", NULL, NULL));
	assert_false(deny_matches(NULL, ROLE_NOBODY, "/shell"));
	deny_free(NULL);
	/* Empty lines close nothing, and the last newline may be missing. */
	d = make("\n\n/x", NULL, NULL);
	assert_true(deny_matches(d, SESSION_ROLE_FULL, "/x"));
	assert_false(deny_matches(d, SESSION_ROLE_FULL, "/"));
	assert_false(deny_matches(d, SESSION_ROLE_FULL, "/y"));
	deny_free(d);
}

/* Who is nobody is closed out wherever anybody is. */
static void
test_roles(void **state)
{
	static const enum session_role roles[] = { SESSION_ROLE_FULL,
		SESSION_ROLE_READ_ONLY, ROLE_NOBODY };
	static const struct {
		const char *all, *full, *read_only, *target;
		bool closed[3]; /* for these roles */
	} table[] = {
		{ "/a\n", NULL, NULL, "/a", { true, true, true } },
		{ "/a\n", "/b\n", "/c\n", "/a/x", { true, true, true } },
		{ "/a\n", "/b\n", "/c\n", "/b", { true, false, true } },
		{ "/a\n", "/b\n", "/c\n", "/c?x", { false, true, true } },
		{ "/a\n", "/b\n", "/c\n", "/d", { false, false, false } },
		{ "", "/b\n", NULL, "/b", { true, false, true } },
		{ "", NULL, "/c\n", "/x/%2e%2e/C", { false, true, true } },
		{ "", NULL, "/x\n/c\n", "/c", { false, true, true } },
		{ "", "/c\n", "/c\n", "/c", { true, true, true } },
		{ "", "/c/d\n", "/c\n", "/c", { false, true, true } },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct deny *d =
		    make(table[i].all, table[i].full, table[i].read_only);

		for (j = 0; j < COUNT(roles); j++)
			if (deny_matches(d, roles[j], table[i].target) !=
			    table[i].closed[j])
				fail_msg("row %zu, role %zu", i, j);
		deny_free(d);
	}
}

static void
test_all(void **state)
{
	static const char *const roots[] = { "/\n", "//\n", "/x/..\n" };
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(roots); i++) {
		struct deny *d = make(roots[i], NULL, NULL);

		for (j = 0; j < COUNT(open); j++)
			if (!deny_matches(d, SESSION_ROLE_FULL, open[j]))
				fail_msg("%s: open: %s", roots[i], open[j]);
		deny_free(d);
	}
}

/* Any bytes, exactly as many as there are, for the sanitizers. */
static void
test_garbage(void **state)
{
	static const char alphabet[] = "/./%2eE5cC\\s;?ab";
	struct deny *d = make(paths, NULL, NULL);
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
		(void)deny_matches(d, SESSION_ROLE_FULL, target);
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
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
