#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT(s)	 s, sizeof(s) - 1

/* A text, and what is written of it; NULL if it is refused. */
static const struct {
	const char *text;
	size_t len;
	const char *written;
} table[] = {
	{ TEXT("{}"), "{}" },
	{ TEXT(" \t\r\n{} \t\r\n"), "{}" },
	{ TEXT("{\"a\":1}"), "{\"a\":1}" },
	{ TEXT("{ \"type\" : \"ping\" , \"x\" : [ 1 , -2.5e1 , null ,"
	       " true , false ] }"),
	    "{\"type\":\"ping\",\"x\":[1,-2.5e1,null,true,false]}" },
	{ TEXT("{\"a\":\"\\u00e9\\n\\\"\\ud83d\\ude00\"}"),
	    "{\"a\":\"\xc3\xa9\\n\\\"\xf0\x9f\x98\x80\"}" },
	{ TEXT("{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\"}"),
	    "{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\"}" },
	{ TEXT("{\"a\":\"x\\u0000y\"}"), "{\"a\":\"x\\u0000y\"}" },
	/* half a pair is what no text can hold; the last of two is kept */
	{ TEXT("{\"a\":\"x\\ud800y\"}"), "{\"a\":\"x\xef\xbf\xbdy\"}" },
	{ TEXT("{\"a\":1,\"a\":2}"), "{\"a\":2}" },
	/* not one object, or not only that */
	{ TEXT(""), NULL },
	{ TEXT("  "), NULL },
	{ TEXT("null"), NULL },
	{ TEXT("true"), NULL },
	{ TEXT("17"), NULL },
	{ TEXT("\"{}\""), NULL },
	{ TEXT("[]"), NULL },
	{ TEXT("[{}]"), NULL },
	{ TEXT("{}{}"), NULL },
	{ TEXT("{} {}"), NULL },
	{ TEXT("{}x"), NULL },
	{ TEXT("{},"), NULL },
	{ TEXT("{}]"), NULL },
	{ TEXT("x{}"), NULL },
	{ TEXT("\xef\xbb\xbf{}"), NULL },
	/* not whole */
	{ TEXT("{"), NULL },
	{ TEXT("{\"a\""), NULL },
	{ TEXT("{\"a\":"), NULL },
	{ TEXT("{\"a\":1"), NULL },
	{ TEXT("{\"a\":\"b"), NULL },
	{ TEXT("{\"a\":\"b\\"), NULL },
	{ TEXT("{\"a\":[1,2}"), NULL },
	/* NUL, before, in and behind */
	{ TEXT("\0{}"), NULL },
	{ TEXT("{}\0"), NULL },
	{ TEXT("{}\0{}"), NULL },
	{ TEXT("{}\0x"), NULL },
	{ TEXT("{\"a\":1\0}"), NULL },
	{ TEXT("{\"a\0b\":1}"), NULL },
	/* what strict means; json-c alone would take the first few */
	{ TEXT("{\"a\":NaN}"), NULL },
	{ TEXT("{\"a\":-Infinity}"), NULL },
	{ TEXT("{'a':1}"), NULL },
	{ TEXT("{\"a\":\"\xff\"}"), NULL },
	{ TEXT("{\"a\":\"\n\"}"), NULL },
	{ TEXT("{\"a\":'b'}"), NULL },
	{ TEXT("{a:1}"), NULL },
	{ TEXT("{\"a\":1,}"), NULL },
	{ TEXT("{\"a\":[1,]}"), NULL },
	{ TEXT("{/**/}"), NULL },
	{ TEXT("{\"a\":TRUE}"), NULL },
	{ TEXT("{\"a\":\"\\x\"}"), NULL },
	{ TEXT("{\"a\":01}"), NULL },
};

/* Pieces that libevent keeps apart, each in memory of its own. */
static void
add_piece(struct evbuffer *buffer, const char *text, size_t len)
{
	struct evbuffer *piece = evbuffer_new();

	assert_non_null(piece);
	assert_int_equal(evbuffer_add(piece, text, len), 0);
	assert_int_equal(evbuffer_add_buffer(buffer, piece), 0);
	evbuffer_free(piece);
}

static void
check(struct evbuffer *buffer, const char *written, const char *text)
{
	size_t before = evbuffer_get_length(buffer);
	struct json_object *object = json_parse(buffer, JSON_DEPTH_MAX);

	assert_int_equal(evbuffer_get_length(buffer), before);
	if ((object != NULL) != (written != NULL))
		fail_msg(
		    "%s: %s", text, written == NULL ? "accepted" : "refused");
	if (object != NULL)
		assert_string_equal(json_object_to_json_string_ext(
					object, JSON_C_TO_STRING_PLAIN),
		    written);
	json_object_put(object);
	evbuffer_free(buffer);
}

static void
test_whole(void **state)
{
	struct evbuffer *buffer;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		buffer = evbuffer_new();
		add_piece(buffer, table[i].text, table[i].len);
		check(buffer, table[i].written, table[i].text);
	}
}

static void
test_split(void **state)
{
	struct evbuffer *buffer;
	size_t i, at;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		for (at = 0; at <= table[i].len; at++) {
			buffer = evbuffer_new();
			add_piece(buffer, table[i].text, at);
			add_piece(
			    buffer, table[i].text + at, table[i].len - at);
			check(buffer, table[i].written, table[i].text);
		}
		buffer = evbuffer_new();
		for (at = 0; at < table[i].len; at++)
			add_piece(buffer, table[i].text + at, 1);
		check(buffer, table[i].written, table[i].text);
	}
}

/* More pieces than are looked at in one go, around that number. */
/* What is no message may be an array, too; nothing else is a value of ours. */
static void
test_value(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "{}", true },
		{ " [ ] ", true },
		{ "[{\"a\":1},2]", true },
		{ "", false },
		{ "1", false },
		{ "null", false },
		{ "\"a\"", false },
		{ "[1", false },
		{ "[1,]", false },
		{ "[1]]", false },
		{ "[1] {}", false },
	};
	struct evbuffer *buffer = evbuffer_new();
	struct json_object *value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		evbuffer_add(buffer, cases[i].text, strlen(cases[i].text));
		value = json_parse_value(buffer, JSON_DEPTH_MAX);
		if ((value != NULL) != cases[i].good)
			fail_msg("%s", cases[i].text);
		json_object_put(value);
		evbuffer_drain(buffer, evbuffer_get_length(buffer));
	}
	evbuffer_free(buffer);
}

static void
test_many_pieces(void **state)
{
	static const size_t pieces[] = { 255, 256, 257, 258, 512, 513, 1000 };
	struct json_object *object;
	struct evbuffer *buffer;
	const char *value;
	size_t i, k, len;

	(void)state;
	for (i = 0; i < COUNT(pieces); i++) {
		buffer = evbuffer_new();
		add_piece(buffer, "{\"a\":\"", 6);
		for (k = 2; k < pieces[i]; k++)
			add_piece(buffer, "xyz", 3);
		add_piece(buffer, "\"}", 2);
		object = json_parse(buffer, JSON_DEPTH_MAX);
		assert_non_null(object);
		value = json_string(object, "a", &len);
		assert_int_equal(len, 3 * (pieces[i] - 2));
		for (k = 0; k < len; k++)
			assert_int_equal(value[k], "xyz"[k % 3]);
		json_object_put(object);
		/* Garbage in the very last one. */
		add_piece(buffer, " ", 1);
		add_piece(buffer, "x", 1);
		assert_null(json_parse(buffer, JSON_DEPTH_MAX));
		evbuffer_free(buffer);
	}
}

/* n times the unit, in an object; in one piece or in pieces of a byte. */
static bool
parses_repeated(const char *start, const char *unit, size_t n, const char *end,
    bool bytewise)
{
	struct evbuffer *buffer = evbuffer_new();
	struct json_object *object;
	size_t i, k;

	evbuffer_add(buffer, start, strlen(start));
	for (i = 0; i < n; i++)
		for (k = 0; unit[k] != '\0'; k++) {
			if (bytewise)
				add_piece(buffer, unit + k, 1);
			else
				evbuffer_add(buffer, unit + k, 1);
		}
	evbuffer_add(buffer, end, strlen(end));
	object = json_parse(buffer, JSON_DEPTH_MAX);
	json_object_put(object);
	evbuffer_free(buffer);
	return object != NULL;
}

/* Every value is counted, nothing in strings is. */
static void
test_values(void **state)
{
	static const struct {
		const char *start, *unit, *end;
		size_t around, values; /* of each unit */
	} cases[] = {
		{ "{\"a\":[", "0,", "0]}", 3, 1 },
		{ "{\"a\":[", "[],", "0]}", 3, 1 },
		{ "{\"a\":[", "{},", "0]}", 3, 1 },
		{ "{\"a\":[", "[0],", "0]}", 3, 2 },
		{ "{\"a\":[", "{\"a\":0},", "0]}", 3, 2 },
		{ "{\"a\":[", "\"[\\\",'\",", "0]}", 3, 1 },
		{ "{\"a\":[", "{\"\\\\,\\\"{\":0},", "0]}", 3, 2 },
		{ "{", "\"a\":null,", "\"b\":0}", 2, 1 },
		/* no quote hides what follows */
		{ "{\"a\":[{\"'\":0},", "0,", "0]}", 5, 1 },
	};
	static const char *const free_units[] = { ",", "[", "{", "'", "\\\"",
		"\\\\", "\\\",\\\\" };
	size_t i, most;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		most = (JSON_VALUES_MAX - cases[i].around) / cases[i].values;
		assert_true(parses_repeated(
		    cases[i].start, cases[i].unit, most, cases[i].end, false));
		assert_false(parses_repeated(cases[i].start, cases[i].unit,
		    most + 1, cases[i].end, false));
		assert_false(parses_repeated(cases[i].start, cases[i].unit,
		    most + 1, cases[i].end, true));
	}
	for (i = 0; i < COUNT(free_units); i++) {
		assert_true(parses_repeated(
		    "{\"a\":\"", free_units[i], 200000, "\"}", false));
		assert_true(parses_repeated(
		    "{\"a\":\"", free_units[i], 70000, "\"}", true));
	}
}

/* n containers in each other, something in the innermost one. */
static bool
parses_nested(int n, unsigned depth_max)
{
	struct evbuffer *buffer = evbuffer_new();
	struct json_object *object;
	int i;

	add_piece(buffer, "{\"a\":", 5);
	for (i = 1; i < n; i++)
		add_piece(buffer, "[", 1);
	add_piece(buffer, "0", 1);
	for (i = 1; i < n; i++)
		add_piece(buffer, "]", 1);
	add_piece(buffer, "}", 1);
	object = json_parse(buffer, depth_max);
	json_object_put(object);
	evbuffer_free(buffer);
	return object != NULL;
}

static void
test_depth(void **state)
{
	static const unsigned depths[] = { 1, 8, JSON_DEPTH_MAX, 1024 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(depths); i++) {
		assert_true(parses_nested((int)depths[i], depths[i]));
		assert_false(parses_nested((int)depths[i] + 1, depths[i]));
		assert_false(parses_nested(100000, depths[i]));
	}
}

static void
test_string(void **state)
{
	struct evbuffer *buffer = evbuffer_new();
	struct json_object *object;
	const char *value;
	size_t len = 99;

	(void)state;
	add_piece(
	    buffer, TEXT("{\"a\":\"b\",\"nul\":\"x\\u0000y\",\"n\":1,"
			 "\"z\":null,\"o\":{},\"l\":[\"a\"],\"e\":\"\"}"));
	object = json_parse(buffer, JSON_DEPTH_MAX);
	assert_non_null(object);
	assert_string_equal(json_string(object, "a", NULL), "b");
	assert_string_equal(json_string(object, "e", &len), "");
	assert_int_equal(len, 0);
	value = json_string(object, "nul", &len);
	assert_int_equal(len, 3);
	assert_memory_equal(value, "x\0y", 4);
	assert_null(json_string(object, "n", &len));
	assert_null(json_string(object, "z", &len));
	assert_null(json_string(object, "o", &len));
	assert_null(json_string(object, "l", &len));
	assert_null(json_string(object, "A", &len));
	json_object_put(object);
	evbuffer_free(buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_many_pieces),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
