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
#include "common/slice.h"
#include "common/ws.h"
#include "connector/upgrade.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char *
text_of(struct evbuffer *buffer)
{
	evbuffer_add(buffer, "", 1);
	return (char *)evbuffer_pullup(buffer, -1);
}

static const struct {
	bool tls;
	const char *host;
	uint32_t port;
	const char *target, *token, *client_id;
	const char *line, *field; /* of the request: target and Host */
} requests[] = {
	{ false, "host", 80, "/ws", "ao_1_x", "box",
	    "/ws?token=ao_1_x&client_id=box", "host" },
	{ true, "host", 443, "/", "t", "b", "/?token=t&client_id=b", "host" },
	{ true, "host", 80, "/", "t", "b", "/?token=t&client_id=b", "host:80" },
	{ false, "host", 443, "/", "t", "b", "/?token=t&client_id=b",
	    "host:443" },
	{ false, "::1", 8080, "/a?x=1", "t", "b", "/a?x=1&token=t&client_id=b",
	    "[::1]:8080" },
	{ true, "::1", 443, "/", "t", "b", "/?token=t&client_id=b", "[::1]" },
	{ false, "h", 65535, "/?a&b", "t", "b", "/?a&b&token=t&client_id=b",
	    "h:65535" },
	/* nothing in a token or an id can leave its place */
	{ false, "h", 80, "/", "a&b=c#d e/?+%\r\n", "-._~AZaz09",
	    "/?token=a%26b%3Dc%23d%20e%2F%3F%2B%25%0D%0A"
	    "&client_id=-._~AZaz09",
	    "h" },
	{ false, "h", 80, "/", "\xc3\xa9\x7f\xff\x01", "a b",
	    "/?token=%C3%A9%7F%FF%01&client_id=a%20b", "h" },
	{ false, "h", 80, "/", "", "", "/?token=&client_id=", "h" },
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
		struct connector_conf conf = {
			.tls = requests[i].tls,
			.port = requests[i].port,
			.host = strdup(requests[i].host),
			.target = strdup(requests[i].target),
			.client_id = strdup(requests[i].client_id),
			.version = strdup("1.2.3"),
		};

		out = evbuffer_new();
		assert_int_equal(
		    upgrade_request(&conf, requests[i].token, key, out), 0);
		(void)snprintf(expected, sizeof(expected),
		    "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
		    "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
		    "Sec-WebSocket-Version: 13\r\n"
		    "User-Agent: tetherd/1.2.3\r\n\r\n",
		    requests[i].line, requests[i].field, key);
		assert_string_equal(text_of(out), expected);
		/* A new key each time, of 16 bytes. */
		assert_string_not_equal(key, last);
		memcpy(last, key, sizeof(last));
		assert_int_equal(strlen(key), 24);
		assert_int_equal(base64_decode(key, 24, nonce), 16);
		evbuffer_free(out);
		free(conf.host);
		free(conf.target);
		free(conf.client_id);
		free(conf.version);
	}
}

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
#define UNASKED	  "extension or subprotocol that was not asked for"

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
	    UPGRADE_BROKEN, 101, UNASKED },
	{ HEAD UPGRADE CONNECTION ACCEPT "Sec-WebSocket-Protocol: x\r\n\r\n",
	    UPGRADE_BROKEN, 101, UNASKED },
	{ HEAD UPGRADE "no colon\r\n" CONNECTION ACCEPT "\r\n", UPGRADE_BROKEN,
	    101, MALFORMED },
	{ HEAD UPGRADE ": no name\r\n" CONNECTION ACCEPT "\r\n", UPGRADE_BROKEN,
	    101, MALFORMED },
};

/* The answer in two pieces, or in one for at == 0, and a frame behind it. */
static void
check_response(size_t i, size_t at)
{
	const char *answer = responses[i].answer, *why = NULL;
	size_t len = strlen(answer);
	struct evbuffer *in = evbuffer_new();
	enum upgrade_result result;
	int status = 0;

	if (at > 0) {
		evbuffer_add(in, answer, at);
		assert_int_equal(
		    upgrade_response(in, KEY, &status, &why), UPGRADE_MORE);
		assert_int_equal(evbuffer_get_length(in), at);
	}
	evbuffer_add(in, answer + at, len - at);
	evbuffer_add(in, "\x81\x02hi", 4);
	result = upgrade_response(in, KEY, &status, &why);
	if (result != responses[i].result)
		fail_msg("%s\nresult %d: %s", answer, result,
		    why == NULL ? "" : why);
	if (result == UPGRADE_BROKEN)
		assert_string_equal(why, responses[i].why);
	else
		assert_int_equal(status, responses[i].status);
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
	const char *why, *c;
	int status;

	(void)state;
	for (c = GOOD; c[1] != '\0'; c++) {
		evbuffer_add(in, c, 1);
		assert_int_equal(
		    upgrade_response(in, KEY, &status, &why), UPGRADE_MORE);
	}
	evbuffer_add(in, c, 1);
	assert_int_equal(
	    upgrade_response(in, KEY, &status, &why), UPGRADE_DONE);
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
	const char *why;
	size_t at;
	int status;

	(void)state;
	for (at = 0; at < sizeof(good) - 5; at++) {
		memcpy(text, good, sizeof(text));
		text[at] = '\0';
		in = evbuffer_new();
		evbuffer_add(in, text, sizeof(text) - 1);
		assert_int_equal(
		    upgrade_response(in, KEY, &status, &why), UPGRADE_BROKEN);
		assert_string_equal(why, "NUL in the answer");
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
	const char *why = NULL;
	size_t len;
	int status, whole;

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
			    upgrade_response(in, KEY, &status, &why),
			    !fits   ? UPGRADE_BROKEN
			    : whole ? UPGRADE_DONE
				    : UPGRADE_MORE);
			if (!fits)
				assert_string_equal(
				    why, "answer with too many headers");
			evbuffer_free(in);
		}
	/* Much behind a short head is none of our business. */
	in = evbuffer_new();
	evbuffer_add(in, GOOD, strlen(GOOD));
	evbuffer_add(in, text, sizeof(text));
	assert_int_equal(
	    upgrade_response(in, KEY, &status, &why), UPGRADE_DONE);
	assert_int_equal(evbuffer_get_length(in), sizeof(text));
	evbuffer_free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
