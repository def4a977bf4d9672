#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json_scan.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT(s)	 s, sizeof(s) - 1

#define DEPTH 8

struct text {
	const char *text;
	size_t len;
};

/* Of each: what begins like it and lacks the end is none, but for numbers. */
static const struct text good[] = {
	/* any value, with blanks around it */
	{ TEXT("null") },
	{ TEXT("true") },
	{ TEXT("false") },
	{ TEXT("\"\"") },
	{ TEXT("[]") },
	{ TEXT("{}") },
	{ TEXT(" \t\r\n[ \t\r\n] \t\r\n") },
	{ TEXT("\n{ } ") },
	{ TEXT(" null ") },
	{ TEXT("[null,true,false,1,\"\",[],{}]") },
	{ TEXT("[ null , true\t,\nfalse ,\r1 , \"\" , [ ] , { } ]") },
	{ TEXT("{\"a\":null,\"b\":[{}],\"a\":{\"\":\"\"}}") },
	{ TEXT("{ \"a\" : 1 , \"b\" : 2 }") },
	{ TEXT("[[[[]],[{\"a\":[]}]]]") },
	/* strings */
	{ TEXT("\"a\"") },
	{ TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"") },
	{ TEXT("\"\\u0000\\u00e9\\uABCD\\uffff\"") },
	{ TEXT("\"\\ud83d\\ude00\"") },
	{ TEXT("\"\x7f,[]{}:'#\"") },
	{ TEXT("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\"") },
	{ TEXT("\"\xed\x9f\xbf\xee\x80\x80\"") },
	{ TEXT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"") },
	{ TEXT("{\"\xc3\xa9\\n\\u1234\":1}") },
	/* around what is looked at in one go */
	{ TEXT("\"0123456789abcd\"") },
	{ TEXT("\"0123456789abcde\"") },
	{ TEXT("\"0123456789abcdef\"") },
	{ TEXT("\"0123456789abcdef0123456789abcdef\"") },
	{ TEXT("\"0123456789abcdef\\n0123456789abcdef\"") },
	{ TEXT("\"0123456789abcde\\\\\\\"0123456789abcdef\xc3\xa9\"") },
	/* half a pair */
	{ TEXT("\"\\ud800\"") },
	{ TEXT("\"\\udc00x\\ud800\\ud800\"") },
	/* numbers */
	{ TEXT("[0,-0,7,-7,10,1234567890]") },
	{ TEXT("[0.0,-0.5,1.25,10.01]") },
	{ TEXT("[0e0,1e5,1E5,1e+5,1e-5,0E+00,-1.5e10,1.0E-01]") },
	{ TEXT("[123456789012345678901234567890,1e999,0.1e-999]") },
	{ TEXT("{\"a\":1,\"b\":0}") },
	{ TEXT("{\"a\":1.5 ,\"b\":1e5\n}") },
};

static const struct text numbers[] = {
	{ TEXT("0") },
	{ TEXT("-0") },
	{ TEXT("17") },
	{ TEXT("-1.5") },
	{ TEXT("0.10") },
	{ TEXT("1e5") },
	{ TEXT("1.5E-05") },
	{ TEXT("0e+0") },
	{ TEXT(" 1 ") },
};

static const struct text bad[] = {
	/* nothing, or not whole */
	{ TEXT("") },
	{ TEXT(" ") },
	{ TEXT("[") },
	{ TEXT("{") },
	{ TEXT("nul") },
	{ TEXT("\"") },
	{ TEXT("\"\\\"") },
	{ TEXT("[1") },
	{ TEXT("[1,") },
	{ TEXT("{\"a\"") },
	{ TEXT("{\"a\":") },
	{ TEXT("{\"a\":1") },
	{ TEXT("{\"a\":1,") },
	/* more than one */
	{ TEXT("1 2") },
	{ TEXT("null null") },
	{ TEXT("nullnull") },
	{ TEXT("\"\"\"\"") },
	{ TEXT("[][]") },
	{ TEXT("{},") },
	{ TEXT("[]]") },
	{ TEXT("{}}") },
	{ TEXT("1,") },
	{ TEXT("1]") },
	{ TEXT("{}x") },
	{ TEXT("{} \0") },
	/* marks */
	{ TEXT("]") },
	{ TEXT("}") },
	{ TEXT(",") },
	{ TEXT(":") },
	{ TEXT("[}") },
	{ TEXT("{]") },
	{ TEXT("[1}") },
	{ TEXT("{\"a\":1]") },
	{ TEXT("[{\"a\":1]}") },
	{ TEXT("{\"a\":[1}]") },
	{ TEXT("[,]") },
	{ TEXT("[1,]") },
	{ TEXT("[,1]") },
	{ TEXT("[1,,2]") },
	{ TEXT("[1 2]") },
	{ TEXT("[\"a\" \"b\"]") },
	{ TEXT("[1:2]") },
	{ TEXT("[\"a\":1]") },
	{ TEXT("{,}") },
	{ TEXT("{\"a\"}") },
	{ TEXT("{\"a\",1}") },
	{ TEXT("{\"a\":}") },
	{ TEXT("{\"a\":1,}") },
	{ TEXT("{\"a\":1 \"b\":2}") },
	{ TEXT("{\"a\"::1}") },
	{ TEXT("{\"a\":1:2}") },
	{ TEXT("{:1}") },
	{ TEXT("{1:1}") },
	{ TEXT("{null:1}") },
	{ TEXT("{[]:1}") },
	{ TEXT("{a:1}") },
	{ TEXT("{'a':1}") },
	{ TEXT("{\"a\" 1}") },
	/* words */
	{ TEXT("True") },
	{ TEXT("NULL") },
	{ TEXT("nulx") },
	{ TEXT("nulll") },
	{ TEXT("truefalse") },
	{ TEXT("fals e") },
	{ TEXT("undefined") },
	{ TEXT("NaN") },
	{ TEXT("Infinity") },
	{ TEXT("-Infinity") },
	{ TEXT("[nan]") },
	{ TEXT("tru\0e") },
	/* numbers */
	{ TEXT("+1") },
	{ TEXT("-") },
	{ TEXT("--1") },
	{ TEXT("- 1") },
	{ TEXT("-a") },
	{ TEXT("01") },
	{ TEXT("-01") },
	{ TEXT("00") },
	{ TEXT(".5") },
	{ TEXT("-.5") },
	{ TEXT("1.") },
	{ TEXT("[1.]") },
	{ TEXT("1.e5") },
	{ TEXT("1.5.5") },
	{ TEXT("1e") },
	{ TEXT("1e+") },
	{ TEXT("[1e+]") },
	{ TEXT("[1e]") },
	{ TEXT("[-]") },
	{ TEXT("1e+-5") },
	{ TEXT("1e5.5") },
	{ TEXT("1e5e5") },
	{ TEXT("1e 5") },
	{ TEXT("0x10") },
	{ TEXT("1_000") },
	{ TEXT("1 000") },
	{ TEXT("1a") },
	{ TEXT("1\0") },
	{ TEXT("\xef\xbc\x91") },
	/* strings */
	{ TEXT("'a'") },
	{ TEXT("\"\\x41\"") },
	{ TEXT("\"\\'\"") },
	{ TEXT("\"\\\0\"") },
	{ TEXT("\"\\U0041\"") },
	{ TEXT("\"\\u\"") },
	{ TEXT("\"\\u004\"") },
	{ TEXT("\"\\u004g\"") },
	{ TEXT("\"\\u 041\"") },
	{ TEXT("\"\\\n\"") },
	{ TEXT("\"\0\"") },
	{ TEXT("\"\t\"") },
	{ TEXT("\"\n\"") },
	{ TEXT("\"\x1f\"") },
	{ TEXT("\"0123456789abcdef\x1f"
	       "0123456789abcdef\"") },
	{ TEXT("\"a\nb\"") },
	/* blanks and comments */
	{ TEXT("\f[]") },
	{ TEXT("\v[]") },
	{ TEXT("[]\0") },
	{ TEXT("\0[]") },
	{ TEXT("\xc2\xa0[]") },
	{ TEXT("\xe2\x80\xa8[]") },
	{ TEXT("\xef\xbb\xbf[]") },
	{ TEXT("[]//") },
	{ TEXT("/**/[]") },
	{ TEXT("[/**/]") },
	{ TEXT("#\n[]") },
	/* UTF-8: not whole, too long, a surrogate, too high, alone */
	{ TEXT("\"\xc3\"") },
	{ TEXT("\"\xc3") },
	{ TEXT("\"\xe2\x82\"") },
	{ TEXT("\"\xf0\x9f\x98\"") },
	{ TEXT("\"\xc0\x80\"") },
	{ TEXT("\"\xe0\x80\x80\"") },
	{ TEXT("\"\xed\xa0\x80\"") },
	{ TEXT("\"\xf4\x90\x80\x80\"") },
	{ TEXT("\"\x80\"") },
	{ TEXT("\"\xff\"") },
	{ TEXT("\"0123456789abcdef\xff\"") },
	{ TEXT("{\"\xe9\":1}") },
	{ TEXT("[\xe9]") },
	{ TEXT("\xc3") },
	/* too deep */
	{ TEXT("[[[[[[[[[]]]]]]]]]") },
	{ TEXT("[[[[[[[[1,{}]]]]]]]]") },
	{ TEXT("{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":{}}}}}}}}}") },
};

/* In pieces of that size, each in memory of its own; a refusal is final. */
static bool
scan_pieces(const char *text, size_t len, size_t first, size_t rest)
{
	struct json_scan s;
	bool is_good = true;
	size_t at, n;
	char *copy;

	json_scan_start(&s, DEPTH);
	for (at = 0, n = first; at < len; at += n, n = rest) {
		if (n > len - at)
			n = len - at;
		copy = malloc(n == 0 ? 1 : n);
		assert_non_null(copy);
		memcpy(copy, text + at, n);
		if (is_good) {
			is_good = json_scan_feed(&s, copy, n);
		} else {
			assert_false(json_scan_feed(&s, copy, n));
			assert_false(json_scan_complete(&s));
		}
		free(copy);
	}
	return json_scan_complete(&s);
}

static void
assert_scan(const struct text *t, size_t len, bool expected)
{
	size_t at;

	if (json_scan_text(t->text, len, DEPTH) != expected)
		fail_msg("%.*s", (int)len, t->text);
	for (at = 0; at <= len; at++)
		if (scan_pieces(t->text, len, at, len) != expected)
			fail_msg("%.*s at %zu", (int)len, t->text, at);
	if (scan_pieces(t->text, len, 1, 1) != expected)
		fail_msg("%.*s by the byte", (int)len, t->text);
}

static void
test_good(void **state)
{
	size_t i, len;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		len = good[i].len;
		assert_scan(&good[i], len, true);
		while (strchr(" \t\r\n", good[i].text[len - 1]) != NULL)
			len--;
		assert_scan(&good[i], len - 1, false);
	}
	for (i = 0; i < COUNT(numbers); i++)
		assert_scan(&numbers[i], numbers[i].len, true);
}

static void
test_bad(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_scan(&bad[i], bad[i].len, false);
}

/* Each byte: as all of a text, in a string, behind a backslash, in a list. */
static void
test_bytes(void **state)
{
	char text[] = "\"x\"";
	char escape[] = "\"\\x\"";
	char list[] = "[1x]";
	unsigned c;

	(void)state;
	for (c = 0; c < 256; c++) {
		text[1] = escape[2] = list[2] = (char)c;
		assert_int_equal(
		    json_scan_text(&text[1], 1, DEPTH), c >= '0' && c <= '9');
		assert_int_equal(json_scan_text(text, 3, DEPTH),
		    c >= ' ' && c < 0x80 && c != '"' && c != '\\');
		assert_int_equal(json_scan_text(escape, 4, DEPTH),
		    c != '\0' && strchr("\"\\/bfnrt", (int)c) != NULL);
		assert_int_equal(json_scan_text(list, 4, DEPTH),
		    (c >= '0' && c <= '9') ||
			(c != '\0' && strchr(" \t\r\n", (int)c) != NULL));
	}
}

/* Each byte at each place of a string that is looked at many bytes at once. */
static void
test_places(void **state)
{
	char text[50];
	unsigned c;
	size_t at;

	(void)state;
	for (at = 1; at < sizeof(text) - 1; at++) {
		memset(text, 'x', sizeof(text));
		text[0] = text[sizeof(text) - 1] = '"';
		for (c = 0; c < 0x80; c++) {
			if (c == '\\')
				continue;
			text[at] = (char)c;
			assert_int_equal(
			    json_scan_text(text, sizeof(text), DEPTH),
			    c >= ' ' && c != '"');
		}
	}
}

/* By kind: arrays, objects, both by turns, or many by turns. */
static bool
is_array(unsigned kind, size_t i)
{
	return kind == 0 || (kind == 2 && i % 2 != 0) ||
	       (kind == 3 && i / 50 % 2 != 0);
}

/* n containers in each other. */
static bool
is_nested(size_t n, unsigned kind, const char *inner, unsigned depth)
{
	char *text = malloc(6 * n + 16), *end = text;
	bool result;
	size_t i;

	assert_non_null(text);
	for (i = 0; i < n; i++)
		end = stpcpy(end, is_array(kind, i) ? "[" : "{\"a\":");
	end = stpcpy(end, inner);
	for (i = n; i-- > 0;)
		*end++ = is_array(kind, i) ? ']' : '}';
	result = json_scan_text(text, (size_t)(end - text), depth);
	free(text);
	return result;
}

static void
test_depth(void **state)
{
	static const unsigned depths[] = { 1, 2, 8, 63, 64, 65, 128, 1023,
		1024 };
	unsigned kind, d;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(depths); i++)
		for (kind = 0; kind < 4; kind++) {
			d = depths[i];
			assert_true(is_nested(d, kind, "0", d));
			assert_false(is_nested(d + 1, kind, "0", d));
			assert_true(is_nested(d - 1, kind, "{}", d));
			assert_true(is_nested(d - 1, kind, "[]", d));
			assert_false(is_nested(d, kind, "{}", d));
			assert_false(is_nested(d, kind, "[]", d));
			assert_false(is_nested(100000, kind, "0", d));
		}
	/* None at all, and more than anybody can allow. */
	assert_true(is_nested(0, 0, "0", 0));
	assert_false(is_nested(1, 0, "0", 0));
	assert_true(is_nested(1024, 2, "0", 100000));
	assert_false(is_nested(1025, 2, "0", 100000));
	/* Next to each other they are not deep. */
	assert_true(json_scan_text(TEXT("[[],[],{},{},[[],[]]]"), 3));
	assert_false(json_scan_text(TEXT("[[],[],{},{},[[],[[]]]]"), 3));
}

static void
test_values(void **state)
{
	static const struct {
		struct text text;
		size_t values;
	} cases[] = {
		{ { TEXT("") }, 0 },
		{ { TEXT("1") }, 1 },
		{ { TEXT("[]") }, 1 },
		{ { TEXT("[1,\"[1,2]\",null]") }, 4 },
		{ { TEXT("{\"a\":1,\"b\":{}}") }, 3 },
		{ { TEXT("[{},[[]],{\"a\":[true]}]") }, 7 },
	};
	struct json_scan s;
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		json_scan_start(&s, DEPTH);
		for (k = 0; k < cases[i].text.len; k++)
			assert_true(
			    json_scan_feed(&s, cases[i].text.text + k, 1));
		assert_int_equal(s.values, cases[i].values);
	}
}

/* Longer than what is read in one go, with something at each place there. */
static void
test_long(void **state)
{
	static const char *const units[] = { "x", "\\n", "\\u00e9", "\xc3\xa9",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80", "0123456789abcde\\\\" };
	const size_t size = 100000;
	char *text = malloc(size);
	size_t i, len, n, from;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < COUNT(units); i++)
		for (from = 0; from < 20; from++) {
			memset(text, ' ', from);
			text[from] = '"';
			n = strlen(units[i]);
			for (len = from + 1; len + n + 2 < size; len += n)
				memcpy(text + len, units[i], n);
			text[len++] = '"';
			assert_true(json_scan_text(text, len, DEPTH));
			assert_false(json_scan_text(text, len - 1, DEPTH));
			text[len - 1] = '\n';
			text[len++] = '"';
			assert_false(json_scan_text(text, len, DEPTH));
		}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
