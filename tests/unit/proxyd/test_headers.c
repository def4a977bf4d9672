#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <json-c/json.h>

#include "proxyd/headers.h"

#define HEADERS_COUNT_MAX 20
#define HEADERS_SIZE_MAX  65536

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A head, with lines that end in '\n', and what is written of it. */
static const struct {
	const char *head;
	unsigned flags;
	const char *json;
} table[] = {
	{ "", 0, "[]" },
	{ "HTTP/1.1 200 OK\r\n\r\n", 0, "[]" },
	{ "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", 0,
	    "[[\"content-type\",\"text/html\"]]" },
	{ "HTTP/1.1 200 OK\nA:1\nB:\t 2 \t\n\n", 0,
	    "[[\"a\",\"1\"],[\"b\",\"2\"]]" },
	/* repeated ones stay, in order; so do empty ones */
	{ "HTTP/2 200\nSet-Cookie: a\nX:\nSet-Cookie: b\n\n", 0,
	    "[[\"set-cookie\",\"a\"],[\"x\",\"\"],[\"set-cookie\",\"b\"]]" },
	/* hop-by-hop */
	{ "HTTP/1.1 200 OK\nConnection: Keep-Alive, X-a ,x-B\n"
	  "Keep-Alive: timeout=5\nTransfer-Encoding: chunked\nTE: x\n"
	  "Trailer: x\nUpgrade: h2c\nProxy-Authenticate: x\nX-A: 1\n"
	  "x-b: 2\nX-C: 3\n\n",
	    0, "[[\"x-c\",\"3\"]]" },
	{ "HTTP/1.1 200 OK\nX-A: 1\nX-B: 1\nConnection: x-a\n"
	  "connection: x-b\n\n",
	    0, "[]" },
	/* what would be untrue, or is not the upstream's to say */
	{ "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Encoding: br\n\n", 0,
	    "[[\"content-length\",\"5\"],[\"content-encoding\",\"br\"]]" },
	{ "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Encoding: br\n\n",
	    HEADERS_NO_LENGTH, "[[\"content-encoding\",\"br\"]]" },
	{ "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Encoding: br\n\n",
	    HEADERS_NO_LENGTH | HEADERS_NO_ENCODING, "[]" },
	{ "HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\n\n",
	    0, "[]" },
	{ "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 5\n\n", 0,
	    "[[\"content-length\",\"5\"]]" },
	{ "HTTP/1.1 200 OK\nX-Orch-Encoding: base64\n\n", 0, "[]" },
	{ "HTTP/1.1 200 OK\nX-Refreshed-Token: a.b.c\n\n", 0, "[]" },
	{ "HTTP/1.1 200 OK\n\n", HEADERS_BASE64,
	    "[[\"x-orch-encoding\",\"base64\"]]" },
	{ "HTTP/1.1 200 OK\nA: 1\n\n", HEADERS_BASE64,
	    "[[\"a\",\"1\"],[\"x-orch-encoding\",\"base64\"]]" },
	/* only the last head counts, and no trailer */
	{ "HTTP/1.1 100 Continue\nA: 1\n\nHTTP/1.1 103 Early Hints\n"
	  "Link: x\n\nHTTP/1.1 200 OK\nB: 2\n\nC: 3\n",
	    0, "[[\"b\",\"2\"]]" },
	{ "HTTP/1.1 302 Found\nLocation: /\n\nHTTP/1.1 200 OK\nB: 2\n\n", 0,
	    "[[\"b\",\"2\"]]" },
	/* folded */
	{ "HTTP/1.1 200 OK\nA: 1\n  2\n\t3 \n\n", 0, "[[\"a\",\"1 2 3\"]]" },
	{ "HTTP/1.1 200 OK\nA:\n 2\n \n\n", 0, "[[\"a\",\"2\"]]" },
	{ "HTTP/1.1 200 OK\n fold\nA: 1\n\n", 0, "[[\"a\",\"1\"]]" },
	{ "HTTP/1.1 200 OK\nA: 1\nbad name: 2\n fold\n\n", 0,
	    "[[\"a\",\"1\"]]" },
	/* no headers */
	{ "HTTP/1.1 200 OK\nno colon\n: x\nA B: 1\nA : 1\nC: \x01\n"
	  "D: a\rb\nE: 1\n\n",
	    0, "[[\"e\",\"1\"]]" },
	/* any bytes */
	{ "HTTP/1.1 200 OK\nA: \"\\\xc3\xa9\nB: caf\xe9\n\n", 0,
	    "[[\"a\",\"\\\"\\\\\xc3\xa9\"],[\"b\",\"caf\xc3\xa9\"]]" },
};

static int
feed(struct headers *headers, const char *head)
{
	size_t len;

	for (; *head != '\0'; head += len) {
		len = strcspn(head, "\n") + 1;
		if (headers_line(headers, head, len) == -1)
			return -1;
	}
	return 0;
}

static void
test_written(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct headers headers = { .lines_max = HEADERS_COUNT_MAX,
			.size_max = HEADERS_SIZE_MAX };
		struct evbuffer *out = evbuffer_new();
		struct json_object *json;
		const char *text;

		assert_int_equal(feed(&headers, table[i].head), 0);
		assert_int_equal(
		    headers_write(&headers, table[i].flags, out), 0);
		evbuffer_add(out, "", 1);
		text = (const char *)evbuffer_pullup(out, -1);
		assert_string_equal(text, table[i].json);
		json = json_tokener_parse(text);
		assert_non_null(json);
		json_object_put(json);
		evbuffer_free(out);
		headers_clear(&headers);
	}
}

static void
test_get(void **state)
{
	struct headers headers = { .lines_max = HEADERS_COUNT_MAX,
		.size_max = HEADERS_SIZE_MAX };

	(void)state;
	assert_null(headers_get(&headers, "location"));
	assert_int_equal(
	    feed(&headers, "HTTP/1.1 302 Found\nLocation: /a\nlocation: /b\n"
			   "Content-Type: text/html\n\n"),
	    0);
	assert_string_equal(headers_get(&headers, "Location"), "/a");
	assert_string_equal(headers_get(&headers, "content-TYPE"), "text/html");
	assert_null(headers_get(&headers, "x"));
	headers_clear(&headers);
	assert_null(headers_get(&headers, "location"));
}

static void
test_changed(void **state)
{
	struct headers headers = { .lines_max = HEADERS_COUNT_MAX,
		.size_max = HEADERS_SIZE_MAX };
	struct evbuffer *out = evbuffer_new();
	size_t size;

	(void)state;
	assert_int_equal(feed(&headers, "A: 1\nB: 2\nC: 3\nD: 4\n"), 0);
	size = headers.size;
	headers_replace(&headers, 1, strdup("two"));
	assert_int_equal(headers.size, size + 2);
	headers_remove(&headers, 3);
	headers_remove(&headers, 0);
	assert_int_equal(headers.count, 2);
	assert_int_equal(headers.size, size + 2 - 4);
	assert_int_equal(headers_append(&headers, "X-Y", "z z"), 0);
	assert_int_equal(headers.size, size + 2 - 4 + 6);
	assert_int_equal(headers_write(&headers, 0, out), 0);
	evbuffer_add(out, "", 1);
	assert_string_equal((const char *)evbuffer_pullup(out, -1),
	    "[[\"b\",\"two\"],[\"c\",\"3\"],[\"x-y\",\"z z\"]]");
	evbuffer_free(out);
	while (headers.count > 0)
		headers_remove(&headers, headers.count - 1);
	headers_clear(&headers);
}

/* Bounds that rewriting has exceeded are no room for more lines. */
static void
test_changed_too_large(void **state)
{
	struct headers headers = { .lines_max = HEADERS_COUNT_MAX,
		.size_max = HEADERS_SIZE_MAX };
	char *value = malloc(HEADERS_SIZE_MAX + 1);
	int i;

	(void)state;
	assert_non_null(value);
	memset(value, 'v', HEADERS_SIZE_MAX);
	value[HEADERS_SIZE_MAX] = '\0';
	assert_int_equal(feed(&headers, "A: 1\n"), 0);
	headers_replace(&headers, 0, value);
	assert_int_equal(feed(&headers, "B: 2\n"), -1);
	headers_clear(&headers);

	for (i = 0; i <= HEADERS_COUNT_MAX; i++)
		assert_int_equal(headers_append(&headers, "a", "1"), 0);
	assert_int_equal(feed(&headers, "B: 2\n"), -1);
	headers_clear(&headers);
}

static void
test_too_many(void **state)
{
	struct headers headers = { .lines_max = HEADERS_COUNT_MAX,
		.size_max = HEADERS_SIZE_MAX };
	char line[32];
	int i;

	(void)state;
	for (i = 0; i < HEADERS_COUNT_MAX; i++) {
		(void)snprintf(line, sizeof(line), "x-%d: %d\r\n", i, i);
		assert_int_equal(feed(&headers, line), 0);
	}
	assert_int_equal(feed(&headers, "one: more\r\n"), -1);
	headers_clear(&headers);

	/* Joined ones count, too: each costs as much as the value is long. */
	for (i = 0; i < HEADERS_COUNT_MAX; i++)
		assert_int_equal(feed(&headers, i == 0 ? "a: 1\n" : " 2\n"), 0);
	assert_int_equal(feed(&headers, " 3\n"), -1);
	headers_clear(&headers);
}

/* How often names are looked for in them is bounded, too. */
static void
test_connection(void **state)
{
	struct headers headers;
	char line[HEADERS_CONNECTION_MAX + 1];
	size_t i;

	(void)state;
	headers_init(&headers, SIZE_MAX, SIZE_MAX);
	memset(line, 'a', sizeof(line));
	memcpy(line, "Connection:", strlen("Connection:"));
	assert_int_equal(headers_line(&headers, line, sizeof(line) - 1), 0);
	assert_int_equal(feed(&headers, "other: a\n"), 0);
	assert_int_equal(feed(&headers, "Connection: a\n"), -1);
	assert_int_equal(feed(&headers, "HTTP/1.1 200\n"), 0);
	assert_int_equal(headers_line(&headers, line, sizeof(line)), -1);
	headers_clear(&headers);

	/* However they are cut, and joined. */
	for (i = 0; i < HEADERS_CONNECTION_MAX / strlen("connection:"); i++)
		assert_int_equal(feed(&headers, "connection:\n"), 0);
	assert_int_equal(feed(&headers, "connection:\n"), -1);
	headers_clear(&headers);
	assert_int_equal(feed(&headers, "connection:a\n"), 0);
	for (i = strlen("connection:a"); i + 2 <= HEADERS_CONNECTION_MAX;
	     i += 2)
		assert_int_equal(feed(&headers, " a\n"), 0);
	assert_int_equal(feed(&headers, " a\n"), -1);
	headers_clear(&headers);
}

/* None at all; and bounds that are kept from one head to the next. */
static void
test_bounds(void **state)
{
	struct headers headers;

	(void)state;
	headers_init(&headers, 0, 0);
	assert_int_equal(feed(&headers, "HTTP/1.1 200 OK\n"), 0);
	assert_int_equal(feed(&headers, "a:\n"), -1);
	headers_clear(&headers);
	headers_init(&headers, 2, 8);
	assert_int_equal(feed(&headers, "a: 1\nb: 2\n"), 0);
	assert_int_equal(feed(&headers, "c:\n"), -1);
	assert_int_equal(feed(&headers, "HTTP/1.1 200 OK\na: 12345\n"), 0);
	assert_int_equal(feed(&headers, "b\n"), -1);
	headers_clear(&headers);
	assert_int_equal(feed(&headers, "a: 123456\n"), -1);
	headers_clear(&headers);
}

static void
test_too_large(void **state)
{
	static const char *const starts[] = { "x: 1", " 2", "no colon" };
	static char line[4096];
	size_t i, k;

	(void)state;
	for (k = 0; k < COUNT(starts); k++) {
		struct headers headers = { .lines_max = HEADERS_COUNT_MAX,
			.size_max = HEADERS_SIZE_MAX };

		memset(line, 'v', sizeof(line));
		memcpy(line, starts[k], strlen(starts[k]));
		assert_int_equal(headers_line(&headers, "a: 1", 4), 0);
		for (i = 0; i < HEADERS_SIZE_MAX / sizeof(line) - 1; i++)
			assert_int_equal(
			    headers_line(&headers, line, sizeof(line)), 0);
		assert_int_equal(
		    headers_line(&headers, line, sizeof(line)), -1);
		/* A new head has room again. */
		assert_int_equal(feed(&headers, "HTTP/1.1 200 OK\na: 1\n"), 0);
		headers_clear(&headers);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_changed_too_large),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
