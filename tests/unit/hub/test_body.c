#include <event2/buffer.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hub/body.h"
#include "hub/unescape.h"

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *escaped;
	const char *plain; /* NULL if it is malformed */
	size_t len;
} strings[] = {
	{ "", BYTES("") },
	{ "plain", BYTES("plain") },
	{ "\\\"\\\\\\/\\b\\f\\n\\r\\t", BYTES("\"\\/\b\f\n\r\t") },
	{ "a\\nb\\nc", BYTES("a\nb\nc") },
	{ "\\u0041\\u00e9\\u20AC", BYTES("A\xc3\xa9\xe2\x82\xac") },
	{ "\\u0000", BYTES("\0") },
	{ "\\ud83d\\ude00", BYTES("\xf0\x9f\x98\x80") },
	{ "\\udbff\\udfff", BYTES("\xf4\x8f\xbf\xbf") },
	{ "\\ud83d", BYTES("\xef\xbf\xbd") },
	{ "\\ud83dx", BYTES("\xef\xbf\xbdx") },
	{ "\\ude00\\ud83d", BYTES("\xef\xbf\xbd\xef\xbf\xbd") },
	{ "\\ud83d\\u0041", BYTES("\xef\xbf\xbd"
				  "A") },
	{ "\\", NULL, 0 },
	{ "\\x", NULL, 0 },
	{ "\\u", NULL, 0 },
	{ "\\u123", NULL, 0 },
	{ "\\u12g4", NULL, 0 },
	{ "ok\\", NULL, 0 },
};

static void
test_unescape(void **state)
{
	char text[64];
	ssize_t len;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		(void)strlcpy(text, strings[i].escaped, sizeof(text));
		len = unescape(text, strlen(text));
		if (strings[i].plain == NULL) {
			assert_int_equal(len, -1);
			continue;
		}
		assert_int_equal(len, strings[i].len);
		assert_memory_equal(text, strings[i].plain, (size_t)len);
	}
}

static const struct {
	const char *message;
	const char *rest; /* NULL if it is malformed */
	const char *body; /* NULL if there is none */
} messages[] = {
	{ "", "", NULL },
	{ "{}", "{}", NULL },
	{ "{\"body\":\"x\"}", "{\"body\":\"\"}", "x" },
	{ "{\"body\":\"\"}", "{\"body\":\"\"}", "" },
	{ " {\n\"a\" : 1, \"body\" :\t\"a\\\"b\" , \"c\":[2]}",
	    " {\n\"a\" : 1, \"body\" :\t\"\" , \"c\":[2]}", "a\"b" },
	{ "{\"body\":\"\\\\\"}", "{\"body\":\"\"}", "\\" },
	{ "{\"a\":\"body\",\"b\":\"\\\"body\\\":\\\"\"}",
	    "{\"a\":\"body\",\"b\":\"\\\"body\\\":\\\"\"}", NULL },
	{ "{\"a\":{\"body\":\"x\"},\"b\":[\"body\",\"x\"]}",
	    "{\"a\":{\"body\":\"x\"},\"b\":[\"body\",\"x\"]}", NULL },
	{ "{\"a\":[{}],\"body\":\"x\"}", "{\"a\":[{}],\"body\":\"\"}", "x" },
	{ "{\"body\":1}", "{\"body\":1}", NULL },
	{ "{\"body\"", "{\"body\"", NULL },
	{ "{\"body\":", "{\"body\":", NULL },
	{ "{\"body\":\"", "{\"body\":\"", NULL },
	{ "{\"body\":\"x\\\"", "{\"body\":\"x\\\"", NULL },
	{ "{\"bod", "{\"bod", NULL },
	{ "\"body\":\"x\"", "\"body\":\"x\"", NULL },
	{ "}{{\"body\":\"x\"", "}{{\"body\":\"\"", "x" },
	{ "{\"body\":\"\\q\"}", NULL, NULL },
};

/* Put the text into the buffer as two chains. */
static void
fill(struct evbuffer *buffer, const char *text, size_t at)
{
	struct evbuffer *second = evbuffer_new();

	(void)evbuffer_add(buffer, text, at);
	(void)evbuffer_add(second, text + at, strlen(text) - at);
	(void)evbuffer_add_buffer(buffer, second);
	evbuffer_free(second);
}

static void
check_cut(size_t i, size_t at)
{
	struct evbuffer *buffer = evbuffer_new();
	struct body body;
	size_t len;

	fill(buffer, messages[i].message, at);
	if (messages[i].rest == NULL) {
		assert_int_equal(body_cut(&body, buffer), -1);
	} else {
		assert_int_equal(body_cut(&body, buffer), 0);
		len = strlen(messages[i].rest);
		assert_int_equal(evbuffer_get_length(buffer), len);
		if (len > 0)
			assert_memory_equal(
			    evbuffer_pullup(buffer, -1), messages[i].rest, len);
	}
	if (messages[i].body == NULL) {
		assert_null(body.owner);
	} else {
		assert_non_null(body.owner);
		assert_int_equal(body.len, strlen(messages[i].body));
		assert_memory_equal(body.data, messages[i].body, body.len);
	}
	body_clear(&body);
	evbuffer_free(buffer);
}

static void
test_cut(void **state)
{
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		for (at = 0; at <= strlen(messages[i].message); at++)
			check_cut(i, at);
}

static void
test_decode(void **state)
{
	struct evbuffer *buffer = evbuffer_new();
	struct body body;

	(void)state;
	(void)evbuffer_add_printf(buffer, "{\"body\":\"Zm9v\\/w==\"}");
	assert_int_equal(body_cut(&body, buffer), 0);
	assert_int_equal(body_decode(&body), 0);
	assert_int_equal(body.len, 4);
	assert_memory_equal(body.data, "foo\xff", 4);
	assert_int_equal(body_decode(&body), -1);
	body_clear(&body);
	evbuffer_free(buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unescape),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
