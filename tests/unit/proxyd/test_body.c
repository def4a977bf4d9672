#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "proxyd/body.h"

#define BYTES(s) s, sizeof(s) - 1
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NO_LIMIT SIZE_MAX

static const struct {
	bool text;
	const char *in;
	size_t len;
	bool base64;
	const char *content;
} table[] = {
	{ true, BYTES(""), false, "" },
	{ true, BYTES("<p id=\"x\">\n"), false, "<p id=\\\"x\\\">\\n" },
	{ true, BYTES("\xe2\x82\xac\0"), false, "\xe2\x82\xac\\u0000" },
	{ false, BYTES(""), true, "" },
	{ false, BYTES("f"), true, "Zg==" },
	{ false, BYTES("fo"), true, "Zm8=" },
	{ false, BYTES("foo"), true, "Zm9v" },
	{ false, BYTES("foobar"), true, "Zm9vYmFy" },
	/* no text after all: at once, midway, after escapes, at the end */
	{ true, BYTES("\xff"), true, "/w==" },
	{ true, BYTES("a\"\\\n\1\xe9 z"), true, "YSJcCgHpIHo=" },
	{ true, BYTES("\xe2\x82\"abc"), true, "4oIiYWJj" },
	{ true, BYTES("ab\xe2\x82"), true, "YWLigg==" },
	{ true, BYTES("\xc3"), true, "ww==" },
};

static void
check(struct body *body, const char *content, bool base64)
{
	size_t len = strlen(content);

	assert_int_equal(body_finish(body), 0);
	assert_int_equal(body_is_base64(body), base64);
	assert_int_equal(body_length(body), len);
	assert_memory_equal(evbuffer_pullup(body->content, -1), content, len);
	body_clear(body);
}

static void
test_split_anywhere(void **state)
{
	struct body body;
	size_t i, split;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		for (split = 0; split <= table[i].len; split++) {
			assert_int_equal(
			    body_start(&body, table[i].text, NO_LIMIT), 0);
			assert_int_equal(
			    body_feed(&body, table[i].in, split), 0);
			assert_int_equal(body_feed(&body, table[i].in + split,
					     table[i].len - split),
			    0);
			check(&body, table[i].content, table[i].base64);
		}
	}
}

static void
test_single_bytes(void **state)
{
	struct body body;
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		assert_int_equal(body_start(&body, table[i].text, NO_LIMIT), 0);
		for (k = 0; k < table[i].len; k++)
			assert_int_equal(
			    body_feed(&body, table[i].in + k, 1), 0);
		check(&body, table[i].content, table[i].base64);
	}
}

/* A megabyte of text whose last byte spoils it. */
static void
test_late_conversion(void **state)
{
	size_t len = 1 << 20, i;
	uint8_t *in = malloc(len), *back = malloc(len + 2);
	struct body body;
	ssize_t n;

	(void)state;
	for (i = 0; i < len; i++)
		in[i] = (uint8_t)(i * 7 % 0x80);
	in[len - 1] = 0xff;
	assert_int_equal(body_start(&body, true, NO_LIMIT), 0);
	for (i = 0; i < len; i += 4096)
		assert_int_equal(body_feed(&body, in + i, 4096), 0);
	assert_int_equal(body_finish(&body), 0);
	assert_true(body_is_base64(&body));
	n = base64_decode((char *)evbuffer_pullup(body.content, -1),
	    body_length(&body), back);
	assert_int_equal(n, len);
	assert_memory_equal(back, in, len);
	body_clear(&body);
	free(in);
	free(back);
}

/* The limit is one of the content, not of what was fed. */
static void
test_limit(void **state)
{
	static const struct {
		bool text;
		const char *in;
		size_t max;
		int fed, finished;
	} limits[] = {
		{ true, "abcdef", 6, 0, 0 },
		{ true, "abcdef", 5, -1, 0 },
		{ true, "ab\n", 4, 0, 0 },
		{ true, "ab\n", 3, -1, 0 },
		{ true, "\1", 5, -1, 0 },
		{ true, "", 0, 0, 0 },
		{ false, "abcdef", 8, 0, 0 },
		{ false, "abcdef", 7, -1, 0 },
		{ false, "abcd", 8, 0, 0 },
		{ false, "abcd", 7, 0, -1 },
		{ true, "abc\xc3", 8, 0, 0 },
		{ true, "abc\xc3", 7, 0, -1 },
		{ true, "\xff", 3, 0, -1 },
	};
	struct body body;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(limits); i++) {
		assert_int_equal(
		    body_start(&body, limits[i].text, limits[i].max), 0);
		errno = 0;
		assert_int_equal(
		    body_feed(&body, limits[i].in, strlen(limits[i].in)),
		    limits[i].fed);
		if (limits[i].fed == 0)
			assert_int_equal(
			    body_finish(&body), limits[i].finished);
		if (limits[i].fed == -1 || limits[i].finished == -1)
			assert_int_equal(errno, EMSGSIZE);
		body_clear(&body);
		body_clear(&body);
	}
}

/* However large a piece, little more than the limit is ever held. */
static void
test_limit_of_large_piece(void **state)
{
	size_t len = 8 << 20;
	void *in = calloc(1, len);
	struct body body;

	(void)state;
	assert_int_equal(body_start(&body, true, 1000), 0);
	assert_int_equal(body_feed(&body, in, len), -1);
	assert_true(body_length(&body) < 128 << 10);
	body_clear(&body);
	free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_anywhere),
		cmocka_unit_test(test_single_bytes),
		cmocka_unit_test(test_late_conversion),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_of_large_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
