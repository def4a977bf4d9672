#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/field.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Every byte, alone and beside a letter. */
static void
test_bytes(void **state)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		char s[] = { (char)c, 'a' };
		bool in_token = c != 0 && strchr(token, c) != NULL;
		bool in_value = c == '\t' || (c >= ' ' && c != 0x7f);

		assert_int_equal(field_is_token(s, 1), in_token);
		assert_int_equal(field_is_token(s, 2), in_token);
		assert_int_equal(field_is_value(s, 1), in_value);
		assert_int_equal(field_is_value(s, 2), in_value);
	}
	assert_false(field_is_token("", 0));
	assert_true(field_is_value("", 0));
}

static void
test_trim(void **state)
{
	static const char *const table[][2] = { { "", "" }, { " \t ", "" },
		{ "a", "a" }, { "\ta b ", "a b" }, { "a\n ", "a\n" } };
	size_t i, len;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		const char *s = table[i][0];

		len = strlen(s);
		field_trim(&s, &len);
		assert_int_equal(len, strlen(table[i][1]));
		assert_memory_equal(s, table[i][1], len);
	}
}

static void
test_hop(void **state)
{
	static const char *const hop[] = { "Connection", "keep-alive", "TE",
		"trailer", "Transfer-Encoding", "upgrade", "proxy-anything",
		"Proxy-Connection" };
	static const char *const end[] = { "", "connections", "t", "tea",
		"proxy", "x-proxy-a", "content-length" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(hop); i++)
		assert_true(field_is_hop(hop[i]));
	for (i = 0; i < COUNT(end); i++)
		assert_false(field_is_hop(end[i]));
}

static void
test_list(void **state)
{
	static const struct {
		const char *list, *name;
		bool has;
	} table[] = {
		{ "a", "a", true },
		{ "A", "a", true },
		{ "a,b , c", "B", true },
		{ "a,b , c ", "c", true },
		{ ",,\t a", "a", true },
		{ "ab", "a", false },
		{ "a", "ab", false },
		{ "a b", "a", false },
		{ "", "a", false },
		{ ",", "a", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		assert_int_equal(
		    field_list_has(table[i].list, table[i].name), table[i].has);
}

static void
test_item_end(void **state)
{
	static const struct {
		const char *list;
		char separator;
		size_t end;
	} table[] = {
		{ "", ',', 0 },
		{ "ab", ',', 2 },
		{ "a,b", ',', 1 },
		{ "a,b", ';', 3 },
		{ "\"a,b\",c", ',', 5 },
		{ "\"a\\\",b\",c", ',', 7 },
		{ "\"a\\\\\",b", ',', 5 },
		{ "a\\,b", ',', 2 },
		{ "\"a,b", ',', 4 },
		{ "\"a\\", ',', 3 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		assert_int_equal(
		    field_item_end(table[i].list, table[i].separator) -
			table[i].list,
		    table[i].end);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_hop),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_item_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
