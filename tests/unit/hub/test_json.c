#include <event2/buffer.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hub/json.h"

#define BYTES(s) s, sizeof(s) - 1

static void
test_escape(void **state)
{
	static const struct {
		const char *plain;
		size_t len;
		const char *escaped;
	} cases[] = {
		{ BYTES(""), "\"\"" },
		{ BYTES("plain / text\x7f"), "\"plain / text\x7f\"" },
		{ BYTES("\"\\\n\r\t"), "\"\\\"\\\\\\n\\r\\t\"" },
		{ BYTES("a\0b\x1f"), "\"a\\u0000b\\u001f\"" },
		{ BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ BYTES("a\xff"
			"b"),
		    "\"a\xef\xbf\xbd"
		    "b\"" },
		{ BYTES("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ BYTES("\xed\xa0\x80"),
		    "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	};
	struct evbuffer *out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		out = evbuffer_new();
		assert_int_equal(
		    json_escape(out, cases[i].plain, cases[i].len), 0);
		assert_int_equal(
		    evbuffer_get_length(out), strlen(cases[i].escaped));
		assert_memory_equal(evbuffer_pullup(out, -1), cases[i].escaped,
		    strlen(cases[i].escaped));
		evbuffer_free(out);
	}
}

static void
test_get_string(void **state)
{
	struct json_object *o =
	    json_tokener_parse("{\"a\":\"x\",\"b\":1,\"c\":\"x\\u0000y\"}");

	(void)state;
	assert_string_equal(json_string(o, "a", NULL), "x");
	assert_null(json_string(o, "b", NULL));
	assert_null(
	    json_string(o, "c", NULL)); /* a NUL would hide what follows */
	assert_null(json_string(o, "d", NULL));
	assert_null(json_string(NULL, "a", NULL));
	json_object_put(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_get_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
