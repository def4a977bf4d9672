#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tetherd/ctl_json.h"
#include "tetherd/ctl_print.h"
#include "tetherd/json_string.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define HOSTILE "a\033[2J\x7f\n\t\"\\\x9b\xc3\xa9"

/* In place of the C library's. */
time_t
time(time_t *now)
{
	if (now != NULL)
		*now = 1000000000;
	return 1000000000;
}

static char *
text_of(void (*print)(FILE *, const struct ctl_answer *),
    const struct ctl_answer *a)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print(out, a);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
check(void (*print)(FILE *, const struct ctl_answer *),
    const struct ctl_answer *a, const char *wanted)
{
	char *text = text_of(print, a);

	assert_string_equal(text, wanted);
	free(text);
}

static const struct {
	enum control_kind kind;
	uint64_t number;
	const char *text;
} values[] = {
	{ CONTROL_KIND_NONE, 7, "-" },
	{ CONTROL_KIND_NUMBER, 0, "0" },
	{ CONTROL_KIND_NUMBER, UINT64_MAX, "18446744073709551615" },
	{ CONTROL_KIND_BYTES, 0, "0 B" },
	{ CONTROL_KIND_BYTES, 1023, "1023 B" },
	{ CONTROL_KIND_BYTES, 1024, "1.0 KiB" },
	{ CONTROL_KIND_BYTES, 1536, "1.5 KiB" },
	{ CONTROL_KIND_BYTES, 1048575, "1.0 MiB" },
	{ CONTROL_KIND_BYTES, 1048524, "1023.9 KiB" },
	{ CONTROL_KIND_BYTES, 33554432, "32.0 MiB" },
	{ CONTROL_KIND_BYTES, UINT64_MAX, "16.0 EiB" },
	{ CONTROL_KIND_TIME, 0, "00:00:00" },
	{ CONTROL_KIND_TIME, 59, "00:00:59" },
	{ CONTROL_KIND_TIME, 86399, "23:59:59" },
	{ CONTROL_KIND_TIME, 86400, "1d 00:00:00" },
	{ CONTROL_KIND_TIME, 273906, "3d 04:05:06" },
	{ CONTROL_KIND_TIME, UINT64_MAX, "213503982334601d 07:00:15" },
	{ CONTROL_KIND_SINCE, 0, "2001-09-09 01:46:40, 00:00:00 ago" },
	{ CONTROL_KIND_SINCE, 86401, "2001-09-08 01:46:39, 1d 00:00:01 ago" },
	{ CONTROL_KIND_SINCE, 999999999,
	    "1970-01-01 00:00:01, 11574d 01:46:39 ago" },
	{ CONTROL_KIND_SINCE, 1000000000, "11574d 01:46:40 ago" },
	{ CONTROL_KIND_SINCE, UINT64_MAX, "213503982334601d 07:00:15 ago" },
	{ CONTROL_KIND_DATE, 0, "1970-01-01 00:00:00" },
	{ CONTROL_KIND_DATE, 1700000000, "2023-11-14 22:13:20" },
	{ CONTROL_KIND_DATE, INT64_MAX, "9223372036854775807" },
	{ CONTROL_KIND_DATE, UINT64_MAX, "18446744073709551615" },
	{ CONTROL_KIND_FLAG, 0, "no" },
	{ CONTROL_KIND_FLAG, 1, "yes" },
	{ CONTROL_KIND_MS, 0, "0s" },
	{ CONTROL_KIND_MS, 1, "1ms" },
	{ CONTROL_KIND_MS, 1500, "1500ms" },
	{ CONTROL_KIND_MS, 29000, "29s" },
	{ CONTROL_KIND_MS, 60000, "1m" },
	{ CONTROL_KIND_MS, 90000, "90s" },
	{ CONTROL_KIND_MS, 3600000, "1h" },
	{ CONTROL_KIND_MS, 172800000, "2d" },
};

static void
test_values(void **state)
{
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(values); i++) {
		struct ctl_field f = { .kind = values[i].kind,
			.number = values[i].number };

		ctl_print_value(&f, text, sizeof(text));
		assert_string_equal(text, values[i].text);
	}
}

static char a_name[] = "request time", b_name[] = "in use", c_name[] = "up";
static char short_text[] = "none", hostile[] = HOSTILE, empty[] = "";

static struct ctl_row rows[] = {
	{ 3, { { CONTROL_KIND_TEXT, a_name, hostile, 0 },
		 { CONTROL_KIND_NUMBER, b_name, NULL, 12345678 },
		 { CONTROL_KIND_MS, c_name, NULL, 1500 } } },
	{ 3, { { CONTROL_KIND_TEXT, a_name, short_text, 0 },
		 { CONTROL_KIND_NONE, b_name, NULL, 0 },
		 { CONTROL_KIND_TIME, c_name, NULL, 90061 } } },
	{ 2, { { CONTROL_KIND_TEXT, a_name, empty, 0 },
		 { CONTROL_KIND_FLAG, b_name, NULL, 1 } } },
};
static const struct ctl_answer all = { .nrows = 3, .rows = rows },
			       none = { .nrows = 0 };

static void
test_text(void **state)
{
	(void)state;
	check(ctl_print_list, &all,
	    "request time: a?[2J???\"\\???\n"
	    "in use:       12345678\n"
	    "up:           1500ms\n"
	    "request time: none\n"
	    "in use:       -\n"
	    "up:           1d 01:01:01\n"
	    "request time: -\n"
	    "in use:       yes\n");
	check(ctl_print_table, &all,
	    "REQUEST TIME     IN USE           UP\n"
	    "a?[2J???\"\\???  12345678       1500ms\n"
	    "none                  -  1d 01:01:01\n"
	    "-                   yes            -\n");
	check(ctl_print_list, &none, "");
	check(ctl_print_table, &none, "");
}

static void
test_json(void **state)
{
	(void)state;
	check(ctl_json_table, &all,
	    "[\n"
	    "\t{\n"
	    "\t\t\"request_time\": \"a\\u001b[2J\\u007f\\u000a\\u0009\\\"\\\\"
	    "\\ufffd\\ufffd\\ufffd\",\n"
	    "\t\t\"in_use\": 12345678,\n"
	    "\t\t\"up\": 1.500\n"
	    "\t},\n"
	    "\t{\n"
	    "\t\t\"request_time\": \"none\",\n"
	    "\t\t\"in_use\": null,\n"
	    "\t\t\"up\": 90061\n"
	    "\t},\n"
	    "\t{\n"
	    "\t\t\"request_time\": \"\",\n"
	    "\t\t\"in_use\": true\n"
	    "\t}\n"
	    "]\n");
	check(ctl_json_list,
	    &(struct ctl_answer){ .nrows = 1, .rows = &rows[2] },
	    "{\n\t\"request_time\": \"\",\n\t\"in_use\": true\n}\n");
	check(ctl_json_table, &none, "[\n]\n");
	check(ctl_json_list, &none, "{\n}\n");
}

static const struct {
	const char *text, *json;
} strings[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "\"\\/", "\"\\\"\\\\/\"" },
	{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
	{ "\xc2\x80", "\"\\u0080\"" },
	{ "\xdf\xbf\xe0\xa0\x80", "\"\\u07ff\\u0800\"" },
	{ "\xef\xbf\xbf", "\"\\uffff\"" },
	{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
	    "\"\\ud800\\udc00\\udbff\\udfff\"" },
	{ "\xf0\x9f\x98\x80!", "\"\\ud83d\\ude00!\"" },
	{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "a\xff", "\"a\\ufffd\"" },
	{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },
};

static void
test_json_strings(void **state)
{
	size_t i, len;
	char *text;
	FILE *out;

	(void)state;
	for (i = 0; i < COUNT(strings); i++) {
		out = open_memstream(&text, &len);
		assert_non_null(out);
		json_string(out, strings[i].text);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, strings[i].json);
		free(text);
	}
}

static void
test_long_text(void **state)
{
	static const struct {
		const char *text, *printed;
	} texts[] = {
		{ "", "" },
		{ "one", "one\n" },
		{ "one\n", "one\n" },
		{ "one\n\ttwo\n", "one\n\ttwo\n" },
		{ HOSTILE "\r", "a?[2J?\n\t\"\\????\n" },
	};
	size_t i, len;
	char *text;
	FILE *out;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		out = open_memstream(&text, &len);
		assert_non_null(out);
		ctl_print_text(out, texts[i].text);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, texts[i].printed);
		free(text);
	}
	out = open_memstream(&text, &len);
	assert_non_null(out);
	ctl_json_text(out, "the config", "a\n");
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "{\n\t\"the_config\": \"a\\u000a\"\n}\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_long_text),
	};

	assert_int_equal(setenv("TZ", "UTC0", 1), 0);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
