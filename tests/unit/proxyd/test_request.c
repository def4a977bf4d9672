#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "common/slice.h"
#include "proxyd/headers.h"
#include "proxyd/request.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct proxyd_conf conf = {
	.json_depth = 16,
	.headers_max = 48,
	.headers_size_max = 5000,
};

/* Parse a text that arrived in pieces of the given size. */
static struct request *
parse_pieces(
    const char *text, size_t len, size_t piece, bool keep, const char **why)
{
	struct evbuffer *buffer = evbuffer_new();
	struct request *request;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		/* By reference, so that each piece stays one. */
		evbuffer_add_reference(buffer, text + i, n, NULL, NULL);
	}
	*why = NULL;
	request = request_parse(buffer, &conf, keep, why);
	assert_int_equal(evbuffer_get_length(buffer), 0);
	assert_int_equal(request == NULL, *why != NULL);
	evbuffer_free(buffer);
	return request;
}

static struct request *
parse(const char *text)
{
	const char *why;

	return parse_pieces(text, strlen(text), SIZE_MAX, false, &why);
}

/* A request with this in place of the usual members but for the id. */
#define WITH(members)	   "{\"request_id\":\"1\"," members "}"
#define GET_WITH(members)  WITH("\"method\":\"GET\"," members)
#define ROOT_WITH(members) GET_WITH("\"path\":\"/\"," members)
#define HEADERS(list)	   ROOT_WITH("\"headers\":" list)
#define POST_WITH(members) WITH("\"method\":\"POST\",\"path\":\"/\"," members)
#define ID		   "[\"X-Orchestrator-User-Id\",\"583231\"]"
#define NAME		   "[\"X-Orchestrator-Username\",\"octocat\"]"

static const char complete[] =
    " {\"type\":\"http_proxy_request\",\"request_id\":\"9f\\u00e9\\n\","
    "\"method\":\"POST\",\"path\":\"/a b\",\"headers\":[[\"Accept\","
    "\"*/*\"]," ID "," NAME ",[\"X-Empty\",\"\"]],"
    "\"body\":\"caf\\u00e9 \\ud83d\\ude00 \xc3\xa9\\u0000!\","
    "\"query\":\"v=1\",\"proxy_base\":\"/clients/box/proxy\"}\r\n";

static void
test_complete(void **state)
{
	static const char body[] = "caf\xc3\xa9 \xf0\x9f\x98\x80 \xc3\xa9\0!";
	struct request *r;
	const char *why;
	size_t piece;

	(void)state;
	for (piece = 1; piece <= sizeof(complete); piece++) {
		r = parse_pieces(
		    complete, strlen(complete), piece, false, &why);
		assert_non_null(r);
		assert_null(r->error);
		assert_int_equal(r->id_len, 5);
		assert_memory_equal(r->id, "9f\xc3\xa9\n", 5);
		assert_string_equal(r->method, "POST");
		assert_string_equal(r->target, "/a%20b?v=1");
		assert_int_equal(r->nheaders, 2);
		assert_string_equal(r->headers[0], "Accept: */*");
		assert_string_equal(r->headers[1], "X-Empty;");
		assert_true(r->identified);
		assert_int_equal(r->github_id, 583231);
		assert_string_equal(r->login, "octocat");
		assert_string_equal(r->proxy_base, "/clients/box/proxy");
		assert_true(r->has_body);
		assert_int_equal(r->body_len, sizeof(body) - 1);
		assert_memory_equal(r->body, body, r->body_len);
		request_free(r);
	}
}

static void
test_least(void **state)
{
	struct request *r = parse(ROOT_WITH("\"headers\":null,\"body\":null,"
					    "\"query\":null,"
					    "\"proxy_base\":null"));

	(void)state;
	assert_non_null(r);
	assert_null(r->error);
	assert_string_equal(r->target, "/");
	assert_int_equal(r->nheaders, 0);
	assert_false(r->identified);
	assert_null(r->proxy_base);
	assert_false(r->has_body);
	request_free(r);
}

/* Nobody to answer to: dropped. */
static void
test_unanswerable(void **state)
{
	static const char *const table[] = {
		"",
		" ",
		"{",
		"x",
		"null",
		"1",
		"\"a\"",
		"[]",
		"[{\"request_id\":\"1\"}]",
		"{}",
		"{\"request_id\":null}",
		"{\"request_id\":1}",
		"{\"request_id\":[\"1\"]}",
		"{\"request_id\":\"\xff\"}",
		"{\"request_id\":\"\xed\xa0\x80\"}",
		"{\"request_id\":\"1\"",
		"{\"request_id\":\"1\"}}",
		"{\"request_id\":\"1\"} x",
		"{\"request_id\":\"1\"}{}",
		"{'request_id':'1'}",
		"{\"request_id\":\"1\",}",
		HEADERS("[" ID ",[\"X-Orchestrator-Username\",\"\xff\"]]"),
		ROOT_WITH("\"body\":NaN"),
		ROOT_WITH("\"body\":\"\t\""),
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		if (parse(table[i]) != NULL)
			fail_msg("%s", table[i]);
}

/* Cut off anywhere, a message is not JSON. */
static void
test_cut(void **state)
{
	const char *why;
	size_t len;

	(void)state;
	for (len = 0; len < strlen(complete) - 2; len++)
		assert_null(parse_pieces(complete, len, 7, false, &why));
}

/* Answered with a 400. */
static void
test_bad(void **state)
{
	static const char *const table[] = {
		WITH("\"path\":\"/\""),
		WITH("\"method\":null,\"path\":\"/\""),
		WITH("\"method\":1,\"path\":\"/\""),
		WITH("\"method\":\"\",\"path\":\"/\""),
		WITH("\"method\":\"G T\",\"path\":\"/\""),
		WITH("\"method\":\"GET\\r\\nX: y\",\"path\":\"/\""),
		WITH("\"method\":\"GET\\u0000\",\"path\":\"/\""),
		WITH("\"method\":\"G\xc3\xa9T\",\"path\":\"/\""),
		WITH("\"method\":\"(GET)\",\"path\":\"/\""),
		WITH("\"method\":\"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG\","
		     "\"path\":\"/\""),
		WITH("\"method\":\"CONNECT\",\"path\":\"/\""),
		WITH("\"method\":\"trace\",\"path\":\"/\""),
		WITH("\"method\":\"GET\""),
		GET_WITH("\"path\":null"),
		GET_WITH("\"path\":{}"),
		GET_WITH("\"path\":\"\""),
		GET_WITH("\"path\":\"a\""),
		GET_WITH("\"path\":\" /a\""),
		GET_WITH("\"path\":\"http://evil/\""),
		GET_WITH("\"path\":\"@evil/\""),
		GET_WITH("\"path\":\"\\\\evil/\""),
		GET_WITH("\"path\":\"/a\\r\\nX: y\""),
		GET_WITH("\"path\":\"/a\\tb\""),
		GET_WITH("\"path\":\"/a\\u0000b\""),
		GET_WITH("\"path\":\"/a\\u007f\""),
		ROOT_WITH("\"query\":1"),
		ROOT_WITH("\"query\":\"a\\nb\""),
		ROOT_WITH("\"query\":\"a\\u0000b\""),
		HEADERS("{\"a\":\"b\"}"),
		HEADERS("\"a\""),
		HEADERS("[\"a\",\"b\"]"),
		HEADERS("[null]"),
		HEADERS("[[]]"),
		HEADERS("[[\"a\"]]"),
		HEADERS("[[\"a\",\"b\",\"c\"]]"),
		HEADERS("[[\"a\",1]]"),
		HEADERS("[[\"a\",null]]"),
		HEADERS("[[1,\"a\"]]"),
		HEADERS("[[\"\",\"b\"]]"),
		HEADERS("[[\"a b\",\"c\"]]"),
		HEADERS("[[\"a:\",\"c\"]]"),
		HEADERS("[[\"a\\n\",\"c\"]]"),
		HEADERS("[[\"a\\u0000\",\"c\"]]"),
		HEADERS("[[\"\xc3\xa9\",\"c\"]]"),
		HEADERS("[[\"a\",\"b\\r\\nc: d\"]]"),
		HEADERS("[[\"a\",\"b\\n\"]]"),
		HEADERS("[[\"a\",\"b\\u0000\"]]"),
		HEADERS("[[\"a\",\"\\u001b[0m\"]]"),
		/* even in a header that would be dropped */
		HEADERS("[[\"host\",\"b\\n\"]]"),
		/* half an identity, or a broken one */
		HEADERS("[" ID "]"),
		HEADERS("[" NAME "]"),
		HEADERS("[" ID "," NAME "," ID "]"),
		HEADERS("[" ID "," NAME "," NAME "]"),
		HEADERS("[" ID "," NAME ",[\"x-orchestrator-USER-ID\","
			"\"583231\"]]"),
		HEADERS("[" ID ",[\"X-Orchestrator-Username\",\"\"]]"),
		HEADERS("[" ID ",[\"X-Orchestrator-Username\",\"a\\tb\"]]"),
		HEADERS("[" NAME ",[\"X-Orchestrator-User-Id\",\"\"]]"),
		HEADERS("[" NAME ",[\"X-Orchestrator-User-Id\",\"0\"]]"),
		HEADERS("[" NAME ",[\"X-Orchestrator-User-Id\",\"01\"]]"),
		HEADERS("[" NAME ",[\"X-Orchestrator-User-Id\",\"-1\"]]"),
		HEADERS("[" NAME ",[\"X-Orchestrator-User-Id\",\"+1\"]]"),
		HEADERS("[" NAME ",[\"X-Orchestrator-User-Id\",\"1, 2\"]]"),
		HEADERS("[" NAME ",[\"X-Orchestrator-User-Id\",\"0x1\"]]"),
		HEADERS("[" NAME ",[\"X-Orchestrator-User-Id\","
			"\"18446744073709551616\"]]"),
		ROOT_WITH("\"proxy_base\":1"),
		ROOT_WITH("\"proxy_base\":\"/a\\u0000\""),
		ROOT_WITH("\"body\":1"),
		ROOT_WITH("\"body\":{}"),
		ROOT_WITH("\"body_encoding\":1"),
		POST_WITH("\"body\":\"a\",\"body_encoding\":\"gzip\""),
		POST_WITH("\"body\":\"a\",\"body_encoding\":\"base64\""),
		POST_WITH("\"body\":\"Zm9v!\",\"body_encoding\":\"base64\""),
	};
	struct request *r;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		r = parse(table[i]);
		if (r == NULL || r->error == NULL)
			fail_msg("%s", table[i]);
		assert_string_equal(r->id, "1");
		request_free(r);
	}
}

static void
test_targets(void **state)
{
	static const struct {
		const char *path, *query, *target;
	} table[] = {
		{ "/", "", "/" },
		{ "/a", "b=c&d", "/a?b=c&d" },
		{ "//evil", "", "//evil" },
		{ "/@host", "", "/@host" },
		{ "/\\host", "", "/%5Chost" },
		{ "/http://evil/", "", "/http://evil/" },
		{ "/../x", "", "/../x" },
		{ "/%41%2f%zz%", "%", "/%41%2f%zz%?%" },
		{ "/a b#c", "d e#f", "/a%20b%23c?d%20e%23f" },
		{ "/\"<>\\", "\"<>\\", "/%22%3C%3E%5C?%22%3C%3E%5C" },
		{ "/^`{|}[]", "^`{|}[]", "/^`{|}[]?^`{|}[]" },
		{ "/caf\xc3\xa9", "\xff", "/caf%C3%A9?%FF" },
		{ "/~!$&'()*+,;=:@[]-._", "/?", "/~!$&'()*+,;=:@[]-._?/?" },
	};
	const char *why;
	char *target;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		target = request_target(table[i].path, strlen(table[i].path),
		    table[i].query, strlen(table[i].query), &why);
		assert_non_null(target);
		assert_string_equal(target, table[i].target);
		free(target);
	}
}

static void
test_methods(void **state)
{
	static const char *const table[][2] = { { "get", "GET" },
		{ "Head", "HEAD" }, { "post", "POST" }, { "put", "PUT" },
		{ "delete", "DELETE" }, { "options", "OPTIONS" },
		{ "patch", "patch" }, { "PATCH", "PATCH" },
		{ "M-SEARCH", "M-SEARCH" } };
	struct request *r;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		(void)snprintf(text, sizeof(text),
		    WITH("\"method\":\"%s\",\"path\":\"/\",\"body\":\"x\""),
		    table[i][0]);
		r = parse(text);
		assert_non_null(r);
		assert_null(r->error);
		assert_string_equal(r->method, table[i][1]);
		assert_int_equal(r->has_body, i > 1);
		request_free(r);
	}
}

/* Which headers go on: those whose value is "yes". */
static void
test_forwarded(void **state)
{
	static const char text[] = HEADERS(
	    "[[\"Host\",\"no\"],[\"Authorization\",\"no\"],"
	    "[\"X-Orchestrator-Other\",\"no\"],[\"Connection\",\"X-a\"],"
	    "[\"connection\",\"close , X-B\"],[\"Keep-Alive\",\"no\"],"
	    "[\"Proxy-Authorization\",\"no\"],[\"proxy-x\",\"no\"],"
	    "[\"TE\",\"no\"],[\"Trailer\",\"no\"],"
	    "[\"Transfer-Encoding\",\"no\"],[\"Upgrade\",\"no\"],"
	    "[\"Content-Length\",\"no\"],[\"Accept-Encoding\",\"no\"],"
	    "[\"Expect\",\"no\"],[\"HTTP2-Settings\",\"no\"],"
	    "[\"x-A\",\"no\"],[\"x-b\",\"no\"],[\"X-C\",\"yes\"],"
	    "[\"Cookie\",\"yes\"],[\"cookie\",\" yes\\t\"],"
	    "[\"X-Forwarded-For\",\"yes\"],[\"If-Match\",\"yes\"],"
	    "[\"If-Unmodified-Since\",\"yes\"],[\"If-None-Match\",\"cond\"],"
	    "[\"IF-MODIFIED-SINCE\",\"cond\"],[\"Range\",\"cond\"],"
	    "[\"If-Range\",\"cond\"]]");
	struct request *r;
	const char *why;
	size_t i;
	int keep;

	(void)state;
	for (keep = 0; keep <= 1; keep++) {
		r = parse_pieces(text, strlen(text), SIZE_MAX, keep, &why);
		assert_non_null(r);
		assert_null(r->error);
		assert_int_equal(r->nheaders, keep ? 10 : 6);
		for (i = 0; i < r->nheaders; i++) {
			const char *value = strstr(r->headers[i], ": ");

			assert_non_null(value);
			assert_string_equal(value, i < 6 ? ": yes" : ": cond");
		}
		request_free(r);
	}
}

/* "connection" can not hide an identity; case and order do not matter. */
static void
test_identity(void **state)
{
	struct request *r = parse(
	    HEADERS("[[\"Connection\",\"x-orchestrator-user-id, "
		    "x-orchestrator-username\"],[\"x-ORCHESTRATOR-username\","
		    "\" a b\"],[\"x-orchestrator-user-id\","
		    "\"18446744073709551615 \"]]"));

	(void)state;
	assert_non_null(r);
	assert_null(r->error);
	assert_true(r->identified);
	assert_true(r->github_id == UINT64_MAX);
	assert_string_equal(r->login, "a b");
	assert_int_equal(r->nheaders, 0);
	request_free(r);
}

/* What the browser shows, and what a script of a page asks for. */
static void
test_purpose(void **state)
{
#define ASK(method, list) \
	WITH("\"method\":\"" method "\",\"path\":\"/\",\"headers\":" list)
#define HTML "[\"accept\",\"text/plain, text/html;q=0.9\"]"
	static const struct {
		const char *text;
		bool navigates, fetched;
	} table[] = {
		{ ASK("GET", "[]"), false, false },
		{ ASK("GET", "[" HTML "]"), true, false },
		{ ASK("HEAD", "[" HTML "]"), true, false },
		{ ASK("POST", "[" HTML "]"), false, false },
		{ ASK("GET", "[" HTML "," HTML "]"), false, false },
		{ ASK("GET", "[[\"Accept\",\"*/*\"]]"), false, false },
		{ ASK("GET", "[[\"Accept\",\"text/htm\"]]"), false, false },
		{ ASK("GET", "[[\"Sec-Fetch-Mode\",\"Navigate \"]]"), true,
		    false },
		{ ASK("POST", "[[\"sec-fetch-mode\",\"navigate\"]]"), true,
		    false },
		{ ASK("GET", "[" HTML ",[\"sec-fetch-mode\",\"cors\"]]"), false,
		    false },
		{ ASK("GET", "[" HTML ",[\"sec-fetch-mode\",\"navigatex\"]]"),
		    false, false },
		{ ASK("GET", "[" HTML ",[\"sec-fetch-mode\",\"\"]]"), false,
		    false },
		{ ASK("GET", "[" HTML ",[\"sec-fetch-mode\",\"navigate\"],"
			     "[\"sec-fetch-mode\",\"navigate\"]]"),
		    false, false },
		{ ASK("GET", "[[\"Sec-Fetch-Dest\",\"empty\"]]"), false, true },
		{ ASK("GET", "[[\"Sec-Fetch-Dest\",\"emptyx\"]]"), false,
		    false },
		{ ASK("GET", "[[\"Sec-Fetch-Dest\",\"document\"]]"), false,
		    false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct request *r = parse(table[i].text);

		assert_null(r->error);
		if (r->navigates != table[i].navigates ||
		    r->fetched != table[i].fetched)
			fail_msg("%s", table[i].text);
		request_free(r);
	}
}

static void
test_encoded_body(void **state)
{
	struct request *r = parse(
	    POST_WITH("\"body\":\"AP/+Zg==\",\"body_encoding\":\"base64\""));

	(void)state;
	assert_non_null(r);
	assert_null(r->error);
	assert_int_equal(r->body_len, 4);
	assert_memory_equal(r->body, "\0\xff\xfe\x66", 4);
	request_free(r);

	r = parse(POST_WITH("\"body\":\"\",\"body_encoding\":\"base64\""));
	assert_null(r->error);
	assert_true(r->has_body);
	assert_int_equal(r->body_len, 0);
	request_free(r);
}

/* A message with n headers, or a part of n bytes; whether it is good. */
static bool
is_good(const char *before, const char *each, size_t n, const char *after)
{
	char *text = malloc(n * strlen(each) + 512), *end;
	struct request *r;
	bool good;

	end = stpcpy(text, before);
	while (n-- > 0)
		end = stpcpy(end, each);
	(void)stpcpy(end, after);
	r = parse(text);
	good = r != NULL && r->error == NULL;
	request_free(r);
	free(text);
	return good;
}

static void
test_bounds(void **state)
{
	static const char big[] = ",[\"a\",\"0123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "1234567890123456789012345678901234567890"
				  "\"]";
	const size_t each = sizeof(big) - 1 - strlen(",[\"\",\"\"]");
	static const char rest[] = "\",\"method\":\"GET\",\"path\":\"/\"}";
	static const struct {
		const char *before, *each, *after;
		size_t max;
	} table[] = {
		{ "{\"request_id\":\"", "x", rest, REQUEST_ID_MAX },
		{ "{\"request_id\":\"1\",\"path\":\"/\",\"method\":\"", "M",
		    "\"}", REQUEST_METHOD_MAX },
		{ "{\"request_id\":\"1\",\"path\":\"/", "p",
		    "\",\"method\":\"GET\"}", REQUEST_TARGET_MAX - 1 },
		{ "{\"request_id\":\"1\",\"path\":\"/12\",\"query\":\"", "#",
		    "\",\"method\":\"GET\"}", (REQUEST_TARGET_MAX - 4) / 3 },
		{ "{\"request_id\":\"1\",\"proxy_base\":\"/", "p", rest,
		    REQUEST_BASE_MAX - 1 },
		{ "{\"request_id\":\"1\",\"headers\":[[\"a\",\"", "v",
		    "\"]],\"x\":\"\",\"method\":\"GET\",\"path\":\"/\"}",
		    5000 - 1 },
		{ "{\"request_id\":\"1\",\"method\":\"GET\",\"path\":\"/\","
		  "\"headers\":[[\"a\",\"\"]",
		    ",[\"a\",\"\"]", "]}", 48 - 1 },
		{ "{\"request_id\":\"1\",\"method\":\"GET\",\"path\":\"/\","
		  "\"headers\":[[\"aaaaaaaaaa\",\"\"],[\"Connection\",\"",
		    "x", "\"]]}", HEADERS_CONNECTION_MAX - 10 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		assert_true(is_good(table[i].before, table[i].each,
		    table[i].max, table[i].after));
		assert_false(is_good(table[i].before, table[i].each,
		    table[i].max + 1, table[i].after));
	}
	i = (5000 - 1) / each;
	assert_true(i < 48);
	assert_true(is_good(table[6].before, big, i, table[6].after));
	assert_false(is_good(table[6].before, big, i + 1, table[6].after));
}

/* Nesting is bounded: it could exhaust the parser's stack. */
static void
test_depth(void **state)
{
	static const char before[] = ROOT_WITH("\"x\":");
	char start[sizeof(before)];

	(void)state;
	(void)snprintf(
	    start, sizeof(start), "%.*s", (int)strlen(before) - 1, before);
	assert_false(is_good(start, "[", 1000, ""));
	assert_false(is_good(start, "[[[[[]]]]]", 1, ""));
	assert_true(is_good(start, "[[[[[]]]]]", 1, "}"));
	assert_true(is_good(start, "[[[[[", 3, "]]]]]]]]]]]]]]]}"));
	assert_false(is_good(start, "[[[[", 4, "]]]]]]]]]]]]]]]]}"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_unanswerable),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_purpose),
		cmocka_unit_test(test_encoded_body),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
