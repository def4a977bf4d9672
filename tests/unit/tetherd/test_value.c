#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/value.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BAD	 (UINT64_MAX - 1)

/* A text as each kind of value, or BAD. */
static const struct {
	const char *text;
	uint64_t number, ms, bytes;
} table[] = {
	{ "0", 0, 0, 0 },
	{ "1", 1, 1000, 1 },
	{ "007", 7, 7000, 7 },
	{ "30", 30, 30000, 30 },
	{ "1ms", BAD, 1, BAD },
	{ "1500ms", BAD, 1500, BAD },
	{ "30s", BAD, 30000, BAD },
	{ "5m", BAD, 300000, BAD },
	{ "2h", BAD, 7200000, BAD },
	{ "1d", BAD, 86400000, BAD },
	{ "1K", BAD, BAD, 1024 },
	{ "32M", BAD, BAD, 33554432 },
	{ "64G", BAD, BAD, 68719476736 },
	{ "1T", BAD, BAD, BAD },
	{ "1k", BAD, BAD, BAD },
	{ "1M ", BAD, BAD, BAD },
	{ "1S", BAD, BAD, BAD },
	{ "1mss", BAD, BAD, BAD },
	{ "", BAD, BAD, BAD },
	{ "s", BAD, BAD, BAD },
	{ "K", BAD, BAD, BAD },
	{ "+1", BAD, BAD, BAD },
	{ "-1", BAD, BAD, BAD },
	{ " 1", BAD, BAD, BAD },
	{ "1 s", BAD, BAD, BAD },
	{ "1.5s", BAD, BAD, BAD },
	{ "0x10", BAD, BAD, BAD },
	{ "1e3", BAD, BAD, BAD },
	{ "18446744073709551615", UINT64_MAX, BAD, UINT64_MAX },
	{ "18446744073709551616", BAD, BAD, BAD },
	{ "18446744073709551620", BAD, BAD, BAD },
	{ "99999999999999999999999", BAD, BAD, BAD },
	/* times its unit, it does not fit */
	{ "18446744073709551615ms", BAD, UINT64_MAX, BAD },
	{ "213503982335d", BAD, BAD, BAD },
	{ "213503982334d", BAD, 18446744073657600000u, BAD },
	{ "17179869184G", BAD, BAD, BAD },
	{ "17179869183G", BAD, BAD, 18446744072635809792u },
};

static void
check(
    bool (*read)(const char *, uint64_t *), const char *text, uint64_t expected)
{
	uint64_t value = 42;
	bool good = read(text, &value);

	if (good != (expected != BAD) ||
	    value != (expected == BAD ? 42 : expected))
		fail_msg("\"%s\" is %llu", text, (unsigned long long)value);
}

static void
test_read(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		check(value_number, table[i].text, table[i].number);
		check(value_duration, table[i].text, table[i].ms);
		check(value_size, table[i].text, table[i].bytes);
	}
}

static const struct {
	uint64_t value;
	const char *number, *duration, *size;
} written[] = {
	{ 0, "0", "0", "0" },
	{ 1, "1", "1ms", "1" },
	{ 1000, "1000", "1s", "1000" },
	{ 1024, "1024", "1024ms", "1K" },
	{ 1500, "1500", "1500ms", "1500" },
	{ 29000, "29000", "29s", "29000" },
	{ 60000, "60000", "1m", "60000" },
	{ 90000, "90000", "90s", "90000" },
	{ 3600000, "3600000", "1h", "3600000" },
	{ 5400000, "5400000", "90m", "5400000" },
	{ 86400000, "86400000", "1d", "84375K" },
	{ 33554432, "33554432", "33554432ms", "32M" },
	{ 1073741824, "1073741824", "1073741824ms", "1G" },
	{ 1610612736, "1610612736", "1610612736ms", "1536M" },
	{ UINT64_MAX, "18446744073709551615", "18446744073709551615ms",
	    "18446744073709551615" },
};

/* As short as can be, and it reads as the same. */
static void
test_write(void **state)
{
	char text[VALUE_TEXT_MAX];
	uint64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(written); i++) {
		v = written[i].value;
		assert_string_equal(
		    value_number_text(text, v), written[i].number);
		check(value_number, text, v);
		assert_string_equal(
		    value_duration_text(text, v), written[i].duration);
		check(value_duration, text, v);
		assert_string_equal(value_size_text(text, v), written[i].size);
		check(value_size, text, v);
	}
}

static void
test_quote(void **state)
{
	static const char *const quoted[][2] = {
		{ "", "\"\"" },
		{ "a b", "\"a b\"" },
		{ "a\"b", "\"a\\\"b\"" },
		{ "a\\", "\"a\\\\\"" },
		{ "\\\"", "\"\\\\\\\"\"" },
		{ "$a #", "\"$a #\"" },
	};
	char *text;
	size_t i, len;
	FILE *f;

	(void)state;
	for (i = 0; i < COUNT(quoted); i++) {
		f = open_memstream(&text, &len);
		assert_non_null(f);
		value_quote(f, quoted[i][0]);
		assert_int_equal(fclose(f), 0);
		assert_string_equal(text, quoted[i][1]);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
