#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/utf8.h"

static const struct {
	const char *text;
	bool valid;
} cases[] = {
	{ "", true },
	{ "plain text that is longer than one machine word", true },
	{ "\x7f", true },
	{ "\xc2\x80", true },
	{ "\xdf\xbf", true },
	{ "\xe0\xa0\x80", true },
	{ "\xed\x9f\xbf", true },
	{ "\xee\x80\x80", true },
	{ "\xef\xbf\xbf", true },
	{ "\xf0\x90\x80\x80", true },
	{ "\xf4\x8f\xbf\xbf", true },
	{ "12345678\xc3\xa9"
	  "12345678",
	    true },
	{ "\x80", false },
	{ "\xbf", false },
	{ "\xc0\x80", false }, /* overlong */
	{ "\xc1\xbf", false },
	{ "\xe0\x9f\xbf", false },
	{ "\xf0\x8f\xbf\xbf", false },
	{ "\xed\xa0\x80", false }, /* surrogates */
	{ "\xed\xbf\xbf", false },
	{ "\xf4\x90\x80\x80", false }, /* above U+10FFFF */
	{ "\xf5\x80\x80\x80", false },
	{ "\xff", false },
	{ "\xc3", false }, /* unfinished */
	{ "\xe2\x82", false },
	{ "\xf0\x9f\x98", false },
	{ "\xc3(", false },
	{ "\xe2\x82(", false },
	{ "12345678\xff", false },
};

static bool
valid_split_at(const uint8_t *text, size_t len, size_t at)
{
	struct utf8 u = { 0 };

	return utf8_feed(&u, text, at) && utf8_feed(&u, text + at, len - at) &&
	       utf8_complete(&u);
}

static void
test_cases(void **state)
{
	const uint8_t *text;
	size_t i, at, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = (const uint8_t *)cases[i].text;
		len = strlen(cases[i].text);
		assert_int_equal(utf8_valid(text, len), cases[i].valid);
		for (at = 0; at <= len; at++)
			assert_int_equal(
			    valid_split_at(text, len, at), cases[i].valid);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
