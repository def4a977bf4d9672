#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "proxyd/escape.h"

/* A string constant and its length, NULs inside it included. */
#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *in;
	size_t len;
	const char *out;
} escapes[] = {
	{ BYTES(""), "" },
	{ BYTES("plain text without anything to be escaped in it"),
	    "plain text without anything to be escaped in it" },
	{ BYTES("\""), "\\\"" },
	{ BYTES("\\"), "\\\\" },
	{ BYTES("/"), "/" },
	{ BYTES("\b\t\n\f\r"), "\\b\\t\\n\\f\\r" },
	{ BYTES("\0\1\7\v\x0e\x1b\x1f"),
	    "\\u0000\\u0001\\u0007\\u000b\\u000e\\u001b\\u001f" },
	{ BYTES(" \x7f~"), " \x7f~" },
	{ BYTES("12345678901234567890\n1234567890\"123\\x"),
	    "12345678901234567890\\n1234567890\\\"123\\\\x" },
	{ BYTES("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80."),
	    "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80." },
	{ BYTES("\xe2\x80\xa8\xc2\x85\n"), "\xe2\x80\xa8\xc2\x85\\n" },
};

/* What is UTF-8 and what is not, and after how many bytes that shows. */
static const struct {
	const char *in;
	size_t len;
	bool complete;
	size_t consumed;
} encodings[] = {
	/* the ends of each length */
	{ BYTES("\xc2\x80"), true, 2 },
	{ BYTES("\xdf\xbf"), true, 2 },
	{ BYTES("\xe0\xa0\x80"), true, 3 },
	{ BYTES("\xed\x9f\xbf"), true, 3 },
	{ BYTES("\xee\x80\x80"), true, 3 },
	{ BYTES("\xef\xbf\xbf"), true, 3 },
	{ BYTES("\xf0\x90\x80\x80"), true, 4 },
	{ BYTES("\xf4\x8f\xbf\xbf"), true, 4 },
	/* overlong */
	{ BYTES("\xc0\x80"), false, 0 },
	{ BYTES("\xc0\xaf"), false, 0 },
	{ BYTES("\xc1\xbf"), false, 0 },
	{ BYTES("\xe0\x80\xaf"), false, 1 },
	{ BYTES("\xe0\x9f\xbf"), false, 1 },
	{ BYTES("\xf0\x80\x80\xaf"), false, 1 },
	{ BYTES("\xf0\x8f\xbf\xbf"), false, 1 },
	/* surrogates, alone and in a pair */
	{ BYTES("\xed\xa0\x80"), false, 1 },
	{ BYTES("\xed\xbf\xbf"), false, 1 },
	{ BYTES("\xed\xa0\xbd\xed\xb8\x80"), false, 1 },
	/* too high */
	{ BYTES("\xf4\x90\x80\x80"), false, 1 },
	{ BYTES("\xf5\x80\x80\x80"), false, 0 },
	{ BYTES("\xf8\x88\x80\x80\x80"), false, 0 },
	{ BYTES("\xfe"), false, 0 },
	{ BYTES("\xff\xff"), false, 0 },
	/* out of place */
	{ BYTES("\x80"), false, 0 },
	{ BYTES("a\xbf"), false, 1 },
	{ BYTES("\xc3\xc3\xa9"), false, 1 },
	{ BYTES("\xe2\x82 "), false, 2 },
	{ BYTES("\xe2\x82\xe2\x82\xac"), false, 2 },
	{ BYTES("\xf0\x9f\x98\""), false, 3 },
	{ BYTES("\xc3\n"), false, 1 },
	/* cut */
	{ BYTES("\xc3"), false, 1 },
	{ BYTES("x\xe2\x82"), false, 3 },
	{ BYTES("\xf0\x9f\x98"), false, 3 },
	{ BYTES("\xf0"), false, 1 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Feed in two pieces, into no more room than is asked for at a time. */
static size_t
feed_split(
    const char *in, size_t len, size_t split, char *out, struct escape *e)
{
	size_t used = split, more, n;

	n = escape_feed(
	    e, (const uint8_t *)in, &used, out, split * ESCAPE_WORST);
	more = len - split;
	n += escape_feed(e, (const uint8_t *)in + split, &more, out + n,
	    more * ESCAPE_WORST);
	/* Once invalid it takes nothing more. */
	assert_true(used == split || more == 0);
	return n;
}

static void
test_escapes(void **state)
{
	char out[512];
	size_t i, split, n;

	(void)state;
	for (i = 0; i < COUNT(escapes); i++) {
		for (split = 0; split <= escapes[i].len; split++) {
			struct escape e = { 0 };

			n = feed_split(
			    escapes[i].in, escapes[i].len, split, out, &e);
			assert_true(escape_complete(&e));
			assert_int_equal(n, strlen(escapes[i].out));
			assert_memory_equal(out, escapes[i].out, n);
		}
	}
}

/* A byte at a time, and with each size of the output's pieces. */
static void
test_small_pieces(void **state)
{
	char out[512];
	size_t i, room;

	(void)state;
	for (i = 0; i < COUNT(escapes); i++) {
		for (room = ESCAPE_WORST; room < 40; room++) {
			struct escape e = { 0 };
			size_t done = 0, n = 0, used, wrote;

			while (done < escapes[i].len) {
				used = room % 2 ? 1 : escapes[i].len - done;
				wrote = escape_feed(&e,
				    (const uint8_t *)escapes[i].in + done,
				    &used, out + n, room);
				assert_true(wrote <= room && used > 0);
				done += used;
				n += wrote;
			}
			assert_true(escape_complete(&e));
			assert_int_equal(n, strlen(escapes[i].out));
			assert_memory_equal(out, escapes[i].out, n);
		}
	}
}

/* Each case alone, behind and before plain text, and split anywhere. */
static void
test_encodings(void **state)
{
	size_t i, split, before, after, len;
	char in[64], out[64 * ESCAPE_WORST];

	(void)state;
	for (i = 0; i < COUNT(encodings) * 20 * 2; i++) {
		size_t k = i / 40;

		before = i % 40 / 2;
		after = encodings[k].complete ? i % 2 * 20 : 0;
		memset(in, 'x', sizeof(in));
		memcpy(in + before, encodings[k].in, encodings[k].len);
		len = before + encodings[k].len + after;
		for (split = 0; split <= len; split++) {
			struct escape e = { 0 };
			size_t n;

			n = feed_split(in, len, split, out, &e);
			assert_int_equal(
			    escape_complete(&e), encodings[k].complete);
			assert_int_equal(
			    n, before + encodings[k].consumed + after);
			assert_memory_equal(out, in, n);
		}
	}
}

/* Every sequence of up to four bytes over the bytes that matter. */
static void
test_all_sequences(void **state)
{
	static const uint8_t marks[] = { 0x0a, 0x22, 0x41, 0x7f, 0x80, 0x8f,
		0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
		0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff };
	size_t n = sizeof(marks), i;
	uint8_t in[8] = "0000zzzz";
	char out[8 * ESCAPE_WORST];

	(void)state;
	for (i = 0; i < n * n * n * n; i++) {
		struct escape at_once = { 0 }, single = { 0 };
		size_t used = sizeof(in), one, k;

		in[0] = marks[i % n];
		in[1] = marks[i / n % n];
		in[2] = marks[i / n / n % n];
		in[3] = marks[i / n / n / n];
		(void)escape_feed(&at_once, in, &used, out, sizeof(out));
		for (k = 0; k < sizeof(in); k++) {
			one = 1;
			(void)escape_feed(&single, in + k, &one, out, 6);
			if (one == 0)
				break;
		}
		assert_int_equal(k, used);
		assert_int_equal(at_once.invalid, !utf8_valid(in, 8));
		assert_int_equal(single.invalid, at_once.invalid);
	}
}

/* With room for blocks, two of them at each distance: as byte by byte. */
static void
test_blocks(void **state)
{
	static const char *const marks[] = { "\"", "\\", "\n", "\1", "\x7f",
		"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff" };
	char in[80], out[1024], slow[1024];
	size_t first, second, k, used, n, i, len;

	(void)state;
	for (i = 0; i < COUNT(marks) * 40 * 40; i++) {
		struct escape e = { 0 }, bytewise = { 0 };

		first = i % 40;
		second = first + i / 40 % 40;
		memset(in, 'p', sizeof(in));
		memcpy(in + first, "\"", 1);
		k = i / 1600;
		if (second + strlen(marks[k]) > sizeof(in))
			continue;
		memcpy(in + second, marks[k], strlen(marks[k]));
		used = sizeof(in);
		len = escape_feed(&e, (uint8_t *)in, &used, out, sizeof(out));
		for (n = 0, k = 0; k < used; k++) {
			size_t one = 1;

			n += escape_feed(&bytewise, (uint8_t *)in + k, &one,
			    slow + n, ESCAPE_WORST);
		}
		assert_int_equal(
		    e.invalid, !utf8_valid((uint8_t *)in, sizeof(in)));
		assert_int_equal(len, n);
		assert_memory_equal(out, slow, n);
	}
}

static void
test_evbuffer(void **state)
{
	size_t sizes[] = { 0, 1, 100, 5000, 70000, 300000 };
	uint8_t *in = malloc(300000), *back = malloc(300000 * ESCAPE_WORST);
	size_t i, k;

	(void)state;
	for (k = 0; k < 2 * COUNT(sizes); k++) {
		struct evbuffer *out = evbuffer_new();
		struct escape e = { 0 };
		struct unescape u = { 0 };
		size_t len = sizes[k / 2];

		/* Some bytes, or the worst there are. */
		for (i = 0; i < len; i++)
			in[i] = k % 2 ? 1 : (uint8_t)(i * i % 0x7f);
		assert_int_equal(escape_add(&e, out, in, len / 3), len / 3);
		assert_int_equal(
		    escape_add(&e, out, in + len / 3, len - len / 3),
		    len - len / 3);
		if (k % 2)
			assert_int_equal(evbuffer_get_length(out), 6 * len);
		i = evbuffer_get_length(out);
		evbuffer_remove(out, back, i);
		i = unescape_feed(&u, (char *)back, i, back);
		assert_int_equal(i, len);
		assert_memory_equal(back, in, len);
		evbuffer_free(out);
	}
	free(in);
	free(back);
}

static void
test_evbuffer_invalid(void **state)
{
	struct evbuffer *out = evbuffer_new();
	struct escape e = { 0 };

	(void)state;
	assert_int_equal(escape_add(&e, out, "ab\xe2\x82\"c", 6), 4);
	assert_true(e.invalid);
	assert_int_equal(evbuffer_get_length(out), 4);
	assert_int_equal(escape_add(&e, out, "x", 1), 0);
	evbuffer_free(out);
}

static void
test_unescape(void **state)
{
	uint8_t out[512];
	size_t i, split, n, len;

	(void)state;
	for (i = 0; i < COUNT(escapes); i++) {
		len = strlen(escapes[i].out);
		for (split = 0; split <= len; split++) {
			struct unescape u = { 0 };

			n = unescape_feed(&u, escapes[i].out, split, out);
			n += unescape_feed(
			    &u, escapes[i].out + split, len - split, out + n);
			assert_int_equal(n, escapes[i].len);
			assert_memory_equal(out, escapes[i].in, n);
		}
	}
}

static void
test_text(void **state)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{ "caf\xc3\xa9\"", "caf\xc3\xa9\\\"" },
		{ "caf\xe9\"\n", "caf\xc3\xa9\\\"\\n" },
		{ "\xff\x80", "\xc3\xbf\xc2\x80" },
		{ "\xc3\xa9\xe9", "\xc3\x83\xc2\xa9\xc3\xa9" },
		{ "\xc3", "\xc3\x83" },
		{ "", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct evbuffer *out = evbuffer_new();

		assert_int_equal(
		    escape_add_text(out, table[i].in, strlen(table[i].in)), 0);
		evbuffer_add(out, "", 1);
		assert_string_equal(evbuffer_pullup(out, -1), table[i].out);
		evbuffer_free(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_small_pieces),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_all_sequences),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_evbuffer),
		cmocka_unit_test(test_evbuffer_invalid),
		cmocka_unit_test(test_unescape),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
