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

/* By the byte, in the way that no text of several bytes is looked at. */
static bool
valid_bytes(const uint8_t *text, size_t len)
{
	struct utf8 u = { 0 };
	size_t i;

	for (i = 0; i < len; i++)
		if (!utf8_feed(&u, text + i, 1))
			return false;
	return utf8_complete(&u);
}

/* All that can begin a character, with all kinds of bytes behind that. */
static void
test_whole(void **state)
{
	static const uint8_t tails[] = { 0, 'x', 0x7f, 0x80, 0x8f, 0x90, 0x9f,
		0xa0, 0xbf, 0xc0, 0xc2, 0xff };
	uint8_t text[] = "xxxxxxxxxx";
	unsigned first, second;
	size_t i, k, at;

	(void)state;
	for (first = 0; first < 256; first++)
		for (second = 0; second < 256; second++)
			for (i = 0; i < sizeof(tails); i++)
				for (k = 0; k < sizeof(tails); k++) {
					at = k % 5;
					memset(text, 'x', 10);
					text[at] = (uint8_t)first;
					text[at + 1] = (uint8_t)second;
					text[at + 2] = tails[i];
					text[at + 3] = tails[k];
					assert_int_equal(utf8_valid(text, 10),
					    valid_bytes(text, 10));
				}
}

/* Several in a row, cut anywhere. */
static void
test_row(void **state)
{
	static const char text[] =
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa9"
	    "abc\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xc3\xa9";
	const uint8_t *p = (const uint8_t *)text;
	size_t len, at;

	(void)state;
	for (len = 0; len < sizeof(text); len++) {
		assert_int_equal(utf8_valid(p, len), valid_bytes(p, len));
		for (at = 0; at <= len; at++)
			assert_int_equal(
			    valid_split_at(p, len, at), valid_bytes(p, len));
	}
	assert_true(utf8_valid(p, sizeof(text) - 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
