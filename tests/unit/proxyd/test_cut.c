#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "common/base64.h"
#include "common/utf8.h"
#include "proxyd/cut.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *in;
	size_t len;
	size_t taken;
	bool invalid;
	const char *out;
} texts[] = {
	{ "", 0, 0, false, "" },
	{ "a", 1, 1, false, "a" },
	{ "a\"\\\n\0\x1f", 6, 6, false, "a\\\"\\\\\\n\\u0000\\u001f" },
	{ "\xc3\xa4", 2, 2, false, "\xc3\xa4" },
	/* cut short at the end */
	{ "\xc3", 1, 0, false, "" },
	{ "x\xc3", 2, 1, false, "x" },
	{ "x\xe2\x82", 3, 1, false, "x" },
	{ "\xf0\x9f\x97", 3, 0, false, "" },
	{ "\xf0\x9f\x97\x9d\xf0", 5, 4, false, "\xf0\x9f\x97\x9d" },
	/* no UTF-8 */
	{ "\xff", 1, 0, true, "" },
	{ "ab\xff", 3, 2, true, "ab" },
	{ "ab\x80"
	  "c",
	    4, 2, true, "ab" },
	{ "ab\xc3"
	  "c",
	    4, 2, true, "ab" },
	{ "\xe2\x82"
	  "c",
	    3, 0, true, "" },
	{ "\xed\xa0\x80", 3, 0, true, "" },
	{ "\xf0\x9f\x97\xff", 4, 0, true, "" },
	{ "\xc3\xa4\xf4\x90\x80\x80", 6, 2, true, "\xc3\xa4" },
};

static void
test_texts(void **state)
{
	struct evbuffer *out = evbuffer_new();
	bool invalid;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		size_t taken = cut_text(
		    out, (const uint8_t *)texts[i].in, texts[i].len, &invalid);
		size_t len = evbuffer_get_length(out);

		if (taken != texts[i].taken || invalid != texts[i].invalid ||
		    len != strlen(texts[i].out) ||
		    (len > 0 && memcmp(evbuffer_pullup(out, -1), texts[i].out,
				    len) != 0))
			fail_msg("row %zu: %zu taken, %d, %zu out", i, taken,
			    invalid, len);
		evbuffer_drain(out, len);
	}
	evbuffer_free(out);
}

static char *
unescape(struct evbuffer *out, size_t *len)
{
	struct unescape u = { 0 };
	size_t size = evbuffer_get_length(out);
	char *text = malloc(size + 1);

	*len = unescape_feed(
	    &u, (const char *)evbuffer_pullup(out, -1), size, (uint8_t *)text);
	return text;
}

/* Long texts come in pieces, each of which is whole and not too long. */
static void
check_long(const char *unit, size_t times, size_t skew)
{
	size_t n = strlen(unit), len = skew + n * times, at = 0, got,
	       pieces = 0;
	uint8_t *in = malloc(len);
	struct evbuffer *out = evbuffer_new();
	char *back;
	bool invalid;
	size_t i, taken;

	memset(in, 'x', skew);
	for (i = 0; i < times; i++)
		memcpy(in + skew + i * n, unit, n);
	while (at < len) {
		taken = cut_text(out, in + at, len - at, &invalid);
		assert_false(invalid);
		assert_int_not_equal(taken, 0);
		assert_in_range(evbuffer_get_length(out), 1, CUT_MAX);
		/* No smaller than it must be. */
		if (at + taken < len)
			assert_in_range(evbuffer_get_length(out),
			    CUT_MAX - ESCAPE_WORST, CUT_MAX);
		back = unescape(out, &got);
		assert_int_equal(got, taken);
		assert_memory_equal(back, in + at, taken);
		assert_true(utf8_valid(in + at, taken));
		free(back);
		at += taken;
		evbuffer_drain(out, evbuffer_get_length(out));
		pieces++;
	}
	assert_in_range(pieces, 2, 100);
	evbuffer_free(out);
	free(in);
}

static void
test_long(void **state)
{
	static const char *const units[] = { "a", "\n", "\x01", "\xc3\xa4",
		"\xe2\x82\xac", "\xf0\x9f\x97\x9d", "\"\xf0\x9f\x97\x9d\x02" };
	size_t i, skew;

	(void)state;
	for (i = 0; i < COUNT(units); i++)
		for (skew = 0; skew < 4; skew++)
			check_long(units[i], 160000 / strlen(units[i]), skew);
}

static void
test_binary(void **state)
{
	static uint8_t in[200000], back[200000];
	static const size_t lens[] = { 0, 1, 2, 3, 4, 5, 1000, 47000,
		sizeof(in) };
	struct evbuffer *out = evbuffer_new();
	size_t i, at, taken, len;
	ssize_t n;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + i / 256);
	for (i = 0; i < COUNT(lens); i++) {
		at = 0;
		do {
			taken = cut_binary(out, in + at, lens[i] - at);
			len = evbuffer_get_length(out);
			assert_in_range(len, 0, CUT_MAX);
			if (at + taken < lens[i])
				assert_in_range(len, CUT_MAX - 8, CUT_MAX);
			n = base64_decode(
			    (const char *)evbuffer_pullup(out, -1), len, back);
			assert_int_equal(n, taken);
			assert_memory_equal(in + at, back, taken);
			evbuffer_drain(out, len);
			at += taken;
		} while (at < lens[i]);
	}
	evbuffer_free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_binary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
