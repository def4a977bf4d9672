#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <json-c/json.h>

#include "proxyd/answer.h"
#include "proxyd/body.h"
#include "proxyd/headers.h"

#define BYTES(s) s, sizeof(s) - 1
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Parse a composed message, and free it. */
static struct json_object *
parse(struct evbuffer *message)
{
	struct json_object *json;

	assert_non_null(message);
	evbuffer_add(message, "", 1);
	json = json_tokener_parse((const char *)evbuffer_pullup(message, -1));
	evbuffer_free(message);
	assert_non_null(json);
	return json;
}

static struct json_object *
member(struct json_object *json, const char *name)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(json, name, &value));
	return value;
}

static void
check_string(
    struct json_object *json, const char *name, const char *value, size_t len)
{
	struct json_object *string = member(json, name);

	assert_true(json_object_is_type(string, json_type_string));
	assert_int_equal(json_object_get_string_len(string), len);
	assert_memory_equal(json_object_get_string(string), value, len);
}

static void
check_header(
    struct json_object *json, size_t i, const char *name, const char *value)
{
	struct json_object *pair;

	pair = json_object_array_get_idx(member(json, "headers"), i);
	assert_int_equal(json_object_array_length(pair), 2);
	assert_string_equal(
	    json_object_get_string(json_object_array_get_idx(pair, 0)), name);
	assert_string_equal(
	    json_object_get_string(json_object_array_get_idx(pair, 1)), value);
}

static void
test_compose(void **state)
{
	static const struct {
		const char *id;
		size_t id_len;
		int status;
		bool text;
		const char *in;
		size_t in_len;
		const char *body;
		size_t body_len;
		bool base64;
	} table[] = {
		{ BYTES("9f"), 200, true, BYTES(""), BYTES(""), false },
		{ BYTES("a\"b\\c\0d"), 404, true, BYTES("{\"a\":\"\\\"\"}\0"),
		    BYTES("{\"a\":\"\\\"\"}\0"), false },
		{ BYTES(""), 200, true, BYTES("caf\xc3\xa9"),
		    BYTES("caf\xc3\xa9"), false },
		{ BYTES("1"), 500, true, BYTES("caf\xe9"), BYTES("Y2Fm6Q=="),
		    true },
		{ BYTES("1"), 206, false, BYTES("foo"), BYTES("Zm9v"), true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct headers headers = { .lines_max = 256,
			.size_max = 131072 };
		struct body body;
		struct json_object *json;

		assert_int_equal(headers_line(&headers, BYTES("A: 1")), 0);
		assert_int_equal(
		    headers_line(&headers, BYTES("Content-Length: 9")), 0);
		assert_int_equal(body_start(&body, table[i].text, 1000), 0);
		assert_int_equal(
		    body_feed(&body, table[i].in, table[i].in_len), 0);
		assert_int_equal(body_finish(&body), 0);
		json = parse(answer_compose(table[i].id, table[i].id_len,
		    table[i].status, &headers, HEADERS_NO_LENGTH, &body));
		assert_int_equal(body_length(&body), 0);

		assert_int_equal(json_object_object_length(json), 5);
		check_string(json, "type", BYTES("http_proxy_response"));
		check_string(json, "request_id", table[i].id, table[i].id_len);
		check_string(json, "body", table[i].body, table[i].body_len);
		assert_int_equal(json_object_get_int(member(json, "status")),
		    table[i].status);
		assert_int_equal(
		    json_object_array_length(member(json, "headers")),
		    table[i].base64 ? 2 : 1);
		check_header(json, 0, "a", "1");
		if (table[i].base64)
			check_header(json, 1, "x-orch-encoding", "base64");
		json_object_put(json);
		body_clear(&body);
		headers_clear(&headers);
	}
}

static void
test_errors(void **state)
{
	static const struct {
		int status;
		const char *text;
		const char *shown;
	} table[] = {
		{ 502, "upstream refused the connection",
		    "upstream refused the connection" },
		{ 403, "\"quoted\"\n\\", "\"quoted\"\n\\" },
		{ 400, "", "" },
		{ 503, "caf\xe9", "caf\xc3\xa9" },
	};
	struct json_object *json, *inner;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		json = parse(answer_compose_error(
		    BYTES("i\"d"), table[i].status, table[i].text));
		check_string(json, "type", BYTES("http_proxy_response"));
		check_string(json, "request_id", BYTES("i\"d"));
		assert_int_equal(json_object_get_int(member(json, "status")),
		    table[i].status);
		check_header(json, 0, "content-type", "application/json");
		inner = json_tokener_parse(
		    json_object_get_string(member(json, "body")));
		assert_non_null(inner);
		assert_int_equal(json_object_object_length(inner), 1);
		check_string(
		    inner, "error", table[i].shown, strlen(table[i].shown));
		json_object_put(inner);
		json_object_put(json);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compose),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
