#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hub/http.h"
#include "hub/route.h"

static void
test_match(void **state)
{
	static const struct {
		const char *pattern;
		const char *uri;
		const char *id; /* NULL: no match */
		const char *rest;
	} cases[] = {
		{ "/", "/", "", "" },
		{ "/", "/?a", "", "" },
		{ "/", "/a", NULL, "" },
		{ "/", "", NULL, "" },
		{ "/clients", "/clients", "", "" },
		{ "/clients", "/clients/", NULL, "" },
		{ "/c/*/x", "/c/box/x", "box", "" },
		{ "/c/*/x", "/c/box/x?y", "box", "" },
		{ "/c/*/x", "/c/box/xy", NULL, "" },
		{ "/c/*/x", "/c//x", NULL, "" },
		{ "/c/*/x", "/c/a/b/x", NULL, "" },
		{ "/c/*/x", "/c/a?/x", NULL, "" },
		{ "/c/*/x", "/c/12345678/x", NULL, "" }, /* too long */
		{ "/c/*/p>", "/c/a/p", "a", "" },
		{ "/c/*/p>", "/c/a/p/", "a", "/" },
		{ "/c/*/p>", "/c/a/p?q", "a", "?q" },
		{ "/c/*/p>", "/c/a/p//e/../?q", "a", "//e/../?q" },
		{ "/c/*/p>", "/c/a/px", NULL, "" },
	};
	char id[8];
	const char *rest;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(id, 0, sizeof(id));
		rest = "";
		assert_int_equal(route_match(cases[i].pattern, cases[i].uri, id,
				     sizeof(id), &rest),
		    cases[i].id != NULL);
		if (cases[i].id == NULL)
			continue;
		assert_string_equal(id, cases[i].id);
		assert_string_equal(rest, cases[i].rest);
	}
}

static void
test_ids(void **state)
{
	char id[200];

	(void)state;
	assert_true(http_is_id("box"));
	assert_true(http_is_id("A-1._~"));
	assert_true(http_is_id("..."));
	assert_false(http_is_id(""));
	assert_false(http_is_id("."));
	assert_false(http_is_id(".."));
	assert_false(http_is_id("a/b"));
	assert_false(http_is_id("a b"));
	assert_false(http_is_id("a%2f"));
	assert_false(http_is_id("\xc3\xa9"));
	memset(id, 'a', sizeof(id));
	id[128] = '\0';
	assert_true(http_is_id(id));
	id[128] = 'a';
	id[129] = '\0';
	assert_false(http_is_id(id));
}

static void
test_headers(void **state)
{
	(void)state;
	assert_true(http_is_token("X-a_1"));
	assert_false(http_is_token(""));
	assert_false(http_is_token("a:"));
	assert_false(http_is_token("a b"));
	assert_false(http_is_token("a\r\nb"));
	assert_true(http_is_value(""));
	assert_true(http_is_value("a \xff"));
	assert_false(http_is_value("a\rb"));
	assert_false(http_is_value("a\n"));
	assert_true(http_is_hop_by_hop("Transfer-Encoding"));
	assert_false(http_is_hop_by_hop("te2"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
