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
#include "common/upgrade.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char *
text_of(struct evbuffer *buffer)
{
	evbuffer_add(buffer, "", 1);
	return (char *)evbuffer_pullup(buffer, -1);
}

static const char *const one_header[] = { "Origin: http://host" };
static const char *const two_headers[] = { "A: b", "authorization:\tx y " };
static const char *const one_protocol[] = { "chat" };
static const char *const three_protocols[] = { "a", "b.c", "!#$%&'*+-.^_`|~" };

#define HEADERS(a)   .headers = (a), .nheaders = COUNT(a)
#define PROTOCOLS(a) .protocols = (a), .nprotocols = COUNT(a)

static const struct {
	struct upgrade upgrade;
	const char *field;	     /* Host */
	const char *offered, *added; /* lines of the request */
} requests[] = {
	{ { .host = "host", .port = 80, .default_port = true, .target = "/ws" },
	    "host", "", "" },
	{ { .host = "host", .port = 80, .target = "/?a=%20b" }, "host:80", "",
	    "" },
	{ { .host = "::1", .port = 65535, .target = "/" }, "[::1]:65535", "",
	    "" },
	{ { .host = "::1", .port = 443, .default_port = true, .target = "/" },
	    "[::1]", "", "" },
	{ { .host = "h", .port = 1, .target = "/", HEADERS(one_header) }, "h:1",
	    "", "Origin: http://host\r\n" },
	{ { .host = "h",
	      .port = 1,
	      .target = "/",
	      HEADERS(two_headers),
	      PROTOCOLS(one_protocol) },
	    "h:1", "Sec-WebSocket-Protocol: chat\r\n",
	    "A: b\r\nauthorization:\tx y \r\n" },
	{ { .host = "h", .port = 1, .target = "/", PROTOCOLS(three_protocols) },
	    "h:1", "Sec-WebSocket-Protocol: a, b.c, !#$%&'*+-.^_`|~\r\n", "" },
};

static void
test_request(void **state)
{
	char expected[1024], key[UPGRADE_KEY_SIZE], last[UPGRADE_KEY_SIZE] = "";
	uint8_t nonce[24];
	struct evbuffer *out;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(requests); i++) {
		struct upgrade upgrade = requests[i].upgrade;

		upgrade.version = "1.2.3";
		out = evbuffer_new();
		assert_int_equal(upgrade_request(&upgrade, key, out), 0);
		(void)snprintf(expected, sizeof(expected),
		    "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
		    "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
		    "Sec-WebSocket-Version: 13\r\n%s"
		    "User-Agent: tetherd/1.2.3\r\n%s\r\n",
		    upgrade.target, requests[i].field, key, requests[i].offered,
		    requests[i].added);
		assert_string_equal(text_of(out), expected);
		/* A new key each time, of 16 bytes. */
		assert_string_not_equal(key, last);
		memcpy(last, key, sizeof(last));
		assert_int_equal(strlen(key), 24);
		assert_int_equal(base64_decode(key, 24, nonce), 16);
		evbuffer_free(out);
	}
}

/* Whatever cannot stand at its place: nothing is written. */
static const struct {
	const char *host, *target, *version, *header, *protocol;
} bad_requests[] = {
	{ "h\r\nX: y", "/", "1", "A: b", "p" },
	{ "h x", "/", "1", "A: b", "p" },
	{ "h\tx", "/", "1", "A: b", "p" },
	{ "h\x7f", "/", "1", "A: b", "p" },
	{ "h", "", "1", "A: b", "p" },
	{ "h", "x", "1", "A: b", "p" },
	{ "h", "/ HTTP/1.0", "1", "A: b", "p" },
	{ "h", "/\tx", "1", "A: b", "p" },
	{ "h", "/x\n", "1", "A: b", "p" },
	{ "h", "/x\r", "1", "A: b", "p" },
	{ "h", "/x\x01", "1", "A: b", "p" },
	{ "h", "/", "1\r\nX: y", "A: b", "p" },
	{ "h", "/", "1", "A: b\r\nX: y", "p" },
	{ "h", "/", "1", "A: b\rX", "p" },
	{ "h", "/", "1", "A: b\n", "p" },
	{ "h", "/", "1", "A: b\x1f", "p" },
	{ "h", "/", "1", "", "p" },
	{ "h", "/", "1", ": b", "p" },
	{ "h", "/", "1", "A", "p" },
	{ "h", "/", "1", "A : b", "p" },
	{ "h", "/", "1", "A b: c", "p" },
	{ "h", "/", "1", "\xc3\xa9: b", "p" },
	{ "h", "/", "1", "A: b", "" },
	{ "h", "/", "1", "A: b", "p, q" },
	{ "h", "/", "1", "A: b", "p\r\nX: y" },
	{ "h", "/", "1", "A: b", "p\xff" },
	{ "h", "/", "1", "A: b", "(p)" },
};

static void
test_bad_request(void **state)
{
	struct evbuffer *out = evbuffer_new();
	char key[UPGRADE_KEY_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad_requests); i++) {
		const char *headers[] = { "X: y", bad_requests[i].header };
		const char *protocols[] = { "q", bad_requests[i].protocol };
		struct upgrade upgrade = {
			.host = bad_requests[i].host,
			.port = 1,
			.target = bad_requests[i].target,
			.version = bad_requests[i].version,
			HEADERS(headers),
			PROTOCOLS(protocols),
		};

		if (upgrade_request(&upgrade, key, out) != -1)
			fail_msg("row %zu is written", i);
		assert_int_equal(evbuffer_get_length(out), 0);
	}
	evbuffer_free(out);
}

static const struct upgrade offers_none = { 0 };
static const struct upgrade offers_one = { PROTOCOLS(one_protocol) };
static const struct upgrade offers_three = { PROTOCOLS(three_protocols) };

/* The example of RFC 6455 section 1.3. */
#define KEY	   "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT	   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define HEAD	   "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE	   "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define GOOD	   HEAD UPGRADE CONNECTION ACCEPT "\r\n"

#define NO_HTTP	  "not an HTTP/1.1 answer"
#define NO_SERVER "not the answer of a WebSocket server"
#define MALFORMED "malformed header in the answer"
#define EXTENSION "extension that was not asked for"
#define PROTOCOL  "subprotocol that was not asked for"

static const struct {
	const char *answer;
	enum upgrade_result result;
	int status;
	const char *why;
} responses[] = {
	{ GOOD, UPGRADE_DONE, 101, NULL },
	{ "HTTP/1.1 101\r\n" UPGRADE CONNECTION ACCEPT "\r\n", UPGRADE_DONE,
	    101, NULL },
	/* any case, any order, any blanks */
	{ HEAD "sec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	       "CONNECTION:\t keep-alive ,uPGRADE\r\n"
	       "upgrade:   WebSocket\r\nDate: now\r\nX:\r\n\r\n",
	    UPGRADE_DONE, 101, NULL },
	{ HEAD "Upgrade: websocket \t\r\nConnection: Upgrade \r\n"
	       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n\r\n",
	    UPGRADE_DONE, 101, NULL },
	{ HEAD UPGRADE "Connection: a\r\n" CONNECTION "Connection: b\r\n" ACCEPT
		       "\r\n",
	    UPGRADE_DONE, 101, NULL },
	/* another status */
	{ "HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\n",
	    UPGRADE_REFUSED, 401, NULL },
	{ "HTTP/1.1 500 Oops\r\n\r\n", UPGRADE_REFUSED, 500, NULL },
	{ "HTTP/1.1 200 OK\r\n" UPGRADE CONNECTION ACCEPT "\r\n",
	    UPGRADE_REFUSED, 200, NULL },
	{ "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", UPGRADE_REFUSED, 302,
	    NULL },
	{ "HTTP/1.1 100 Continue\r\n\r\n", UPGRADE_REFUSED, 100, NULL },
	/* no HTTP/1.1 */
	{ "HTTP/1.0 101 Switching Protocols\r\n" UPGRADE CONNECTION ACCEPT
	  "\r\n",
	    UPGRADE_BROKEN, 0, NO_HTTP },
	{ "HTTP/2 101\r\n\r\n", UPGRADE_BROKEN, 0, NO_HTTP },
	{ "HTTP/1.1  101 x\r\n\r\n", UPGRADE_BROKEN, 0, NO_HTTP },
	{ "HTTP/1.1 1o1 x\r\n\r\n", UPGRADE_BROKEN, 0, NO_HTTP },
	{ "HTTP/1.1 10\r\n\r\n", UPGRADE_BROKEN, 0, NO_HTTP },
	{ "HTTP/1.1 1011 x\r\n\r\n", UPGRADE_BROKEN, 0, NO_HTTP },
	{ "HTTP/1.1 -01 x\r\n\r\n", UPGRADE_BROKEN, 0, NO_HTTP },
	{ "http/1.1 101 x\r\n\r\n", UPGRADE_BROKEN, 0, NO_HTTP },
	{ "SSH-2.0\r\n\r\n", UPGRADE_BROKEN, 0, NO_HTTP },
	{ "\r\n\r\n", UPGRADE_BROKEN, 0, NO_HTTP },
	/* something missing or wrong */
	{ HEAD "\r\n", UPGRADE_BROKEN, 101, NO_SERVER },
	{ HEAD CONNECTION ACCEPT "\r\n", UPGRADE_BROKEN, 101, NO_SERVER },
	{ HEAD UPGRADE ACCEPT "\r\n", UPGRADE_BROKEN, 101, NO_SERVER },
	{ HEAD UPGRADE CONNECTION "\r\n", UPGRADE_BROKEN, 101, NO_SERVER },
	{ HEAD "Upgrade: h2c\r\n" CONNECTION ACCEPT "\r\n", UPGRADE_BROKEN, 101,
	    NO_SERVER },
	{ HEAD UPGRADE "Connection: close\r\n" ACCEPT "\r\n", UPGRADE_BROKEN,
	    101, NO_SERVER },
	{ HEAD UPGRADE CONNECTION
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n\r\n",
	    UPGRADE_BROKEN, 101, NO_SERVER },
	{ HEAD UPGRADE CONNECTION
	    "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n\r\n",
	    UPGRADE_BROKEN, 101, NO_SERVER },
	{ HEAD UPGRADE CONNECTION "Sec-WebSocket-Accept: " KEY "\r\n\r\n",
	    UPGRADE_BROKEN, 101, NO_SERVER },
	{ HEAD UPGRADE CONNECTION "Sec-WebSocket-Accept:\r\n\r\n",
	    UPGRADE_BROKEN, 101, NO_SERVER },
	{ HEAD UPGRADE CONNECTION ACCEPT
	    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
	    UPGRADE_BROKEN, 101, EXTENSION },
	{ HEAD UPGRADE CONNECTION ACCEPT "Sec-WebSocket-Protocol: x\r\n\r\n",
	    UPGRADE_BROKEN, 101, PROTOCOL },
	{ HEAD UPGRADE "no colon\r\n" CONNECTION ACCEPT "\r\n", UPGRADE_BROKEN,
	    101, MALFORMED },
	{ HEAD UPGRADE ": no name\r\n" CONNECTION ACCEPT "\r\n", UPGRADE_BROKEN,
	    101, MALFORMED },
};

/* The answer in two pieces, or in one for at == 0, and a frame behind it. */
static void
check_response(size_t i, size_t at)
{
	const char *answer = responses[i].answer;
	size_t len = strlen(answer);
	struct evbuffer *in = evbuffer_new();
	enum upgrade_result result;
	struct upgrade_answer a;

	if (at > 0) {
		evbuffer_add(in, answer, at);
		assert_int_equal(
		    upgrade_response(in, &offers_none, KEY, &a), UPGRADE_MORE);
		assert_int_equal(evbuffer_get_length(in), at);
	}
	evbuffer_add(in, answer + at, len - at);
	evbuffer_add(in, "\x81\x02hi", 4);
	result = upgrade_response(in, &offers_none, KEY, &a);
	if (result != responses[i].result)
		fail_msg("%s\nresult %d: %s", answer, result,
		    a.why == NULL ? "" : a.why);
	if (result == UPGRADE_BROKEN)
		assert_string_equal(a.why, responses[i].why);
	else
		assert_int_equal(a.status, responses[i].status);
	assert_null(a.protocol);
	if (result == UPGRADE_DONE) {
		assert_int_equal(evbuffer_get_length(in), 4);
		assert_memory_equal(evbuffer_pullup(in, 4), "\x81\x02hi", 4);
	}
	evbuffer_free(in);
}

static void
test_responses(void **state)
{
	size_t i, at;

	(void)state;
	for (i = 0; i < COUNT(responses); i++)
		for (at = 0; at < strlen(responses[i].answer); at++)
			check_response(i, at);
}

static void
test_byte_by_byte(void **state)
{
	struct evbuffer *in = evbuffer_new();
	struct upgrade_answer a;
	const char *c;

	(void)state;
	for (c = GOOD; c[1] != '\0'; c++) {
		evbuffer_add(in, c, 1);
		assert_int_equal(
		    upgrade_response(in, &offers_none, KEY, &a), UPGRADE_MORE);
	}
	evbuffer_add(in, c, 1);
	assert_int_equal(
	    upgrade_response(in, &offers_none, KEY, &a), UPGRADE_DONE);
	assert_int_equal(evbuffer_get_length(in), 0);
	evbuffer_free(in);
}

/* A NUL at every place. */
static void
test_nul(void **state)
{
	static const char good[] = GOOD;
	char text[sizeof(good)];
	struct evbuffer *in;
	struct upgrade_answer a;
	size_t at;

	(void)state;
	for (at = 0; at < sizeof(good) - 5; at++) {
		memcpy(text, good, sizeof(text));
		text[at] = '\0';
		in = evbuffer_new();
		evbuffer_add(in, text, sizeof(text) - 1);
		assert_int_equal(upgrade_response(in, &offers_none, KEY, &a),
		    UPGRADE_BROKEN);
		assert_string_equal(a.why, "NUL in the answer");
		evbuffer_free(in);
	}
}

/* Around the longest head, with its end there and not. */
static void
test_large(void **state)
{
	static const char begin[] = HEAD UPGRADE CONNECTION ACCEPT "X: ";
	static char text[UPGRADE_HEAD_MAX + 16];
	struct evbuffer *in;
	struct upgrade_answer a;
	size_t len;
	int whole;

	(void)state;
	for (len = UPGRADE_HEAD_MAX - 2; len < UPGRADE_HEAD_MAX + 2; len++)
		for (whole = 0; whole < 2; whole++) {
			bool fits = len < UPGRADE_HEAD_MAX;

			memset(text, 'x', len);
			memcpy(text, begin, sizeof(begin) - 1);
			if (whole)
				memcpy(text + len - 4, "\r\n\r\n", 4);
			in = evbuffer_new();
			evbuffer_add(in, text, len);
			assert_int_equal(
			    upgrade_response(in, &offers_none, KEY, &a),
			    !fits   ? UPGRADE_BROKEN
			    : whole ? UPGRADE_DONE
				    : UPGRADE_MORE);
			if (!fits)
				assert_string_equal(
				    a.why, "answer with too many headers");
			evbuffer_free(in);
		}
	/* Much behind a short head is none of our business. */
	in = evbuffer_new();
	evbuffer_add(in, GOOD, strlen(GOOD));
	evbuffer_add(in, text, sizeof(text));
	assert_int_equal(
	    upgrade_response(in, &offers_none, KEY, &a), UPGRADE_DONE);
	assert_int_equal(evbuffer_get_length(in), sizeof(text));
	evbuffer_free(in);
}

static const struct {
	const struct upgrade *offer;
	const char *fields;
	enum upgrade_result result;
	const char *protocol;
} choices[] = {
	{ &offers_none, "", UPGRADE_DONE, NULL },
	{ &offers_one, "", UPGRADE_DONE, NULL },
	{ &offers_one, "Sec-WebSocket-Protocol: chat\r\n", UPGRADE_DONE,
	    "chat" },
	{ &offers_one, "sec-websocket-PROTOCOL:chat  \r\n", UPGRADE_DONE,
	    "chat" },
	{ &offers_three, "Sec-WebSocket-Protocol: a\r\n", UPGRADE_DONE, "a" },
	{ &offers_three, "Sec-WebSocket-Protocol: b.c\r\n", UPGRADE_DONE,
	    "b.c" },
	{ &offers_none, "Sec-WebSocket-Protocol: chat\r\n", UPGRADE_BROKEN,
	    NULL },
	{ &offers_none, "Sec-WebSocket-Protocol:\r\n", UPGRADE_BROKEN, NULL },
	{ &offers_one, "Sec-WebSocket-Protocol:\r\n", UPGRADE_BROKEN, NULL },
	{ &offers_one, "Sec-WebSocket-Protocol: Chat\r\n", UPGRADE_BROKEN,
	    NULL },
	{ &offers_one, "Sec-WebSocket-Protocol: cha\r\n", UPGRADE_BROKEN,
	    NULL },
	{ &offers_three, "Sec-WebSocket-Protocol: a, b.c\r\n", UPGRADE_BROKEN,
	    NULL },
	{ &offers_three,
	    "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n",
	    UPGRADE_BROKEN, NULL },
	{ &offers_three, "Sec-WebSocket-Extensions: a\r\n", UPGRADE_BROKEN,
	    NULL },
};

static void
test_protocol(void **state)
{
	struct evbuffer *in;
	struct upgrade_answer a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(choices); i++) {
		in = evbuffer_new();
		evbuffer_add_printf(in, "%s%s\r\n",
		    HEAD UPGRADE CONNECTION ACCEPT, choices[i].fields);
		if (upgrade_response(in, choices[i].offer, KEY, &a) !=
		    choices[i].result)
			fail_msg("row %zu", i);
		if (choices[i].protocol != NULL)
			assert_string_equal(a.protocol, choices[i].protocol);
		else if (choices[i].result == UPGRADE_DONE)
			assert_null(a.protocol);
		else
			assert_non_null(a.why);
		evbuffer_free(in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_bad_request),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
