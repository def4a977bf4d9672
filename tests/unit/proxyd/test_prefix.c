#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/prefix.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define P	 "/clients/box/proxy"

/* What is taken over, or NULL. */
static const struct {
	const char *base;
	const char *text;
} bases[] = {
	{ P, P },
	{ P "/", P },
	{ "/a", "/a" },
	{ "/a/", "/a" },
	{ "/a/b", "/a/b" },
	{ "/aZ09-._~/%41%fF", "/aZ09-._~/%41%fF" },
	{ "/...", "/..." },
	{ "/.a/..b/c..", "/.a/..b/c.." },
	{ "/%2e%2e%2e", "/%2e%2e%2e" },
	{ "/%2f", "/%2f" },
	{ "", NULL },
	{ "/", NULL },
	{ "//", NULL },
	{ "a", NULL },
	{ "a/b", NULL },
	{ "//a", NULL },
	{ "/a//", NULL },
	{ "/a//b", NULL },
	{ "/.", NULL },
	{ "/..", NULL },
	{ "/./", NULL },
	{ "/a/../b", NULL },
	{ "/a/.", NULL },
	{ "/%2e", NULL },
	{ "/a/%2E%2e", NULL },
	{ "/a/.%2e/b", NULL },
	{ "/a/%2E.", NULL },
	{ "/a%", NULL },
	{ "/a%4", NULL },
	{ "/a%4g", NULL },
	{ "/a%g4", NULL },
	{ "/a%/41", NULL },
	{ "/a b", NULL },
	{ "/a\"", NULL },
	{ "/a'", NULL },
	{ "/a`", NULL },
	{ "/a<", NULL },
	{ "/a>", NULL },
	{ "/a&b", NULL },
	{ "/a;", NULL },
	{ "/a$", NULL },
	{ "/a(b)", NULL },
	{ "/a\\b", NULL },
	{ "/a?b", NULL },
	{ "/a#b", NULL },
	{ "/a:b", NULL },
	{ "/a@b", NULL },
	{ "/a,b", NULL },
	{ "/a\n", NULL },
	{ "/a\x7f", NULL },
	{ "/\xc3\xa9", NULL },
};

static void
test_bases(void **state)
{
	struct prefix prefix;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bases); i++) {
		if (prefix_init(&prefix, bases[i].base) !=
		    (bases[i].text != NULL))
			fail_msg("%s", bases[i].base);
		if (bases[i].text == NULL)
			continue;
		assert_string_equal(prefix.text, bases[i].text);
		assert_int_equal(prefix.len, strlen(bases[i].text));
	}
}

static void
test_longest(void **state)
{
	char base[REQUEST_BASE_MAX + 3];
	struct prefix prefix;

	(void)state;
	memset(base, 'a', sizeof(base));
	base[0] = '/';
	base[REQUEST_BASE_MAX] = '\0';
	assert_true(prefix_init(&prefix, base));
	assert_int_equal(prefix.len, REQUEST_BASE_MAX);
	base[REQUEST_BASE_MAX] = '/';
	base[REQUEST_BASE_MAX + 1] = '\0';
	assert_true(prefix_init(&prefix, base));
	assert_int_equal(prefix.len, REQUEST_BASE_MAX);
	base[REQUEST_BASE_MAX] = 'a';
	assert_false(prefix_init(&prefix, base));
	base[REQUEST_BASE_MAX + 1] = '/';
	base[REQUEST_BASE_MAX + 2] = '\0';
	assert_false(prefix_init(&prefix, base));
}

/* Whole URLs, and what prefix_apply() makes of them. */
static const struct {
	const char *url;
	enum prefix_verdict verdict;
	const char *applied;
} urls[] = {
	{ "/", PREFIX_ADD, P "/" },
	{ "/x", PREFIX_ADD, P "/x" },
	{ "/x//y", PREFIX_ADD, P "/x//y" },
	{ "/?x", PREFIX_ADD, P "/?x" },
	{ "/#x", PREFIX_ADD, P "/#x" },
	{ "/\t", PREFIX_ADD, P "/\t" },
	{ "/\tx", PREFIX_ADD, P "/\tx" },
	{ "/c", PREFIX_ADD, P "/c" },
	{ "/clients", PREFIX_ADD, P "/clients" },
	{ "/clients/box/prox", PREFIX_ADD, P "/clients/box/prox" },
	{ "/clients/box/proxz", PREFIX_ADD, P "/clients/box/proxz" },
	{ "/clients/box2/proxy/", PREFIX_ADD, P "/clients/box2/proxy/" },
	{ "/Clients/box/proxy/", PREFIX_ADD, P "/Clients/box/proxy/" },
	{ P "x", PREFIX_ADD, P P "x" },
	{ P ".", PREFIX_ADD, P P "." },
	{ P, PREFIX_CLOSE, P "/" },
	{ P "?", PREFIX_CLOSE, P "/?" },
	{ P "?x#y", PREFIX_CLOSE, P "/?x#y" },
	{ P "#x", PREFIX_CLOSE, P "/#x" },
	{ P "/", PREFIX_KEEP, NULL },
	{ P "/x", PREFIX_KEEP, NULL },
	{ P "\\x", PREFIX_KEEP, NULL },
	{ "", PREFIX_KEEP, NULL },
	{ "x", PREFIX_KEEP, NULL },
	{ "x/y", PREFIX_KEEP, NULL },
	{ "./x", PREFIX_KEEP, NULL },
	{ "../x", PREFIX_KEEP, NULL },
	{ "?x", PREFIX_KEEP, NULL },
	{ "#/x", PREFIX_KEEP, NULL },
	{ "http://h/x", PREFIX_KEEP, NULL },
	{ "data:,/x", PREFIX_KEEP, NULL },
	{ "blob:/x", PREFIX_KEEP, NULL },
	{ "//h/x", PREFIX_KEEP, NULL },
	{ "//", PREFIX_KEEP, NULL },
	{ "///x", PREFIX_KEEP, NULL },
	{ "/\\h", PREFIX_KEEP, NULL },
	{ "\\/h", PREFIX_KEEP, NULL },
	{ "/\t/h", PREFIX_KEEP, NULL },
	{ "/\n\r\t\\h", PREFIX_KEEP, NULL },
};

static void
test_urls(void **state)
{
	enum prefix_verdict verdict;
	struct prefix prefix;
	const char *url, *applied;
	char out[128];
	size_t i, n, len;

	(void)state;
	assert_true(prefix_init(&prefix, P));
	for (i = 0; i < COUNT(urls); i++) {
		url = urls[i].url;
		len = strlen(url);
		if (prefix_judge(&prefix, url, len, true) != urls[i].verdict)
			fail_msg("%s", url);
		/* With fewer bytes the same, or that more are needed. */
		for (n = 0; n <= len; n++) {
			verdict = prefix_judge(&prefix, url, n, false);
			if (verdict != PREFIX_MORE &&
			    verdict != urls[i].verdict)
				fail_msg("%zu bytes of %s", n, url);
		}
		applied = urls[i].applied != NULL ? urls[i].applied : url;
		assert_true(
		    prefix_apply(&prefix, url, len, out, strlen(applied) + 1));
		assert_string_equal(out, applied);
		assert_false(
		    prefix_apply(&prefix, url, len, out, strlen(applied)));
	}
}

/* How many bytes it takes, at least. */
static void
test_more(void **state)
{
	static const struct {
		const char *url;
		size_t enough;
	} rows[] = {
		{ "x", 1 },
		{ "/x", 2 },
		{ "//", 2 },
		{ "/\t\tx", 4 },
		{ "/cx", 3 },
		{ P "x", sizeof(P) },
		{ P "/", sizeof(P) },
		{ P "?", sizeof(P) },
	};
	struct prefix prefix;
	size_t i, n;

	(void)state;
	assert_true(prefix_init(&prefix, P));
	for (i = 0; i < COUNT(rows); i++)
		for (n = 0; n <= strlen(rows[i].url); n++)
			if ((prefix_judge(&prefix, rows[i].url, n, false) ==
				PREFIX_MORE) != (n < rows[i].enough))
				fail_msg("%zu bytes of %s", n, rows[i].url);
}

/* The verdict on a long URL never needs more than PREFIX_LOOK bytes. */
static void
check_look(const struct prefix *prefix, const char *url, size_t len)
{
	enum prefix_verdict verdict, known = PREFIX_MORE;
	size_t n;

	for (n = 0; n <= len; n++) {
		verdict = prefix_judge(prefix, url, n, false);
		if (n >= PREFIX_LOOK)
			assert_int_not_equal(verdict, PREFIX_MORE);
		if (known != PREFIX_MORE)
			assert_int_equal(verdict, known);
		known = verdict;
	}
	assert_int_equal(prefix_judge(prefix, url, len, true), known);
}

static void
test_look(void **state)
{
	static const char last[] = "/\\x?#\t";
	static char url[PREFIX_LOOK + 8], base[REQUEST_BASE_MAX + 1];
	struct prefix prefix;
	size_t i, k;

	(void)state;
	memset(base, 'a', sizeof(base) - 1);
	base[0] = '/';
	assert_true(prefix_init(&prefix, base));
	for (i = 0; i < strlen(last); i++)
		for (k = PREFIX_LOOK - 4; k < sizeof(url); k++) {
			memset(url, '\t', sizeof(url));
			url[0] = '/';
			url[k] = last[i];
			check_look(&prefix, url, sizeof(url));
			memset(url, 'a', sizeof(url));
			url[0] = '/';
			url[k] = last[i];
			check_look(&prefix, url, sizeof(url));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bases),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_more),
		cmocka_unit_test(test_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
