#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "common/link.h"
#include "common/log.h"
#include "common/slice.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/exchange.h"
#include "connector/incoming.h"
#include "connector/presence.h"
#include "connector/user_requests.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * What incoming_message() does is what it calls: all of that is noted here
 * instead of being done.
 */
static char calls[8192];
static bool is_up, is_pending;
static int log_fd;

static void
note(const char *call, const char *text)
{
	size_t len = strlen(calls);

	(void)snprintf(calls + len, sizeof(calls) - len, "%s(%s)", call, text);
}

bool
connection_is_up(const struct connection *c)
{
	(void)c;
	return is_up;
}

bool
connection_is_pending(const struct connection *c)
{
	(void)c;
	return is_pending;
}

void
connection_on_granted(
    struct connection *c, const char *token, const char *client_id)
{
	(void)c;
	note("granted", token);
	note("as", client_id);
}

void
connection_on_claim_timeout(struct connection *c, const char *why)
{
	(void)c;
	note("timeout", why);
}

void
connection_on_registered(struct connection *c)
{
	(void)c;
	note("registered", "");
}

void
connection_on_pong(struct connection *c)
{
	(void)c;
	note("pong", "");
}

void
connection_refuse(struct connection *c, const char *why)
{
	(void)c;
	note("refuse", why);
}

void
presence_refresh(struct presence *p)
{
	(void)p;
	note("status", "");
}

static void
note_request(
    const char *call, const char *request_id, size_t len, struct evbuffer *text)
{
	char id[LINK_REQUEST_ID_MAX + 1];

	assert_in_range(len, 0, LINK_REQUEST_ID_MAX);
	memcpy(id, request_id, len);
	id[len] = '\0';
	note(call, id);
	/* The text is whole: proxyd parses it once more. */
	assert_memory_equal(evbuffer_pullup(text, 1), "{", 1);
}

void
exchange_request(struct exchange *ex, const char *request_id, size_t len,
    struct evbuffer *text)
{
	(void)ex;
	note_request("request", request_id, len, text);
}

void
user_requests_add(struct user_requests *ur, const char *request_id, size_t len,
    struct evbuffer *text)
{
	(void)ur;
	note_request("user_request", request_id, len, text);
}

#define LONG_ID_64 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG_ID LONG_ID_64 LONG_ID_64 LONG_ID_64 LONG_ID_64

#define REQUEST(id)	 "{\"type\":\"http_proxy_request\",\"request_id\":" id "}"
#define REGISTERED(more) "{\"type\":\"registered\",\"success\":true" more "}"
#define GRANTED(token, id)                               \
	"{\"type\":\"token_granted\",\"token\":\"" token \
	"\",\"client_id\":\"" id "\"}"
#define NO_ID	"http_proxy_request without a valid request_id ignored"
#define NO_JSON "message that is not a JSON object ignored"
#define NO_TYPE "message without a type ignored"

/* A message, the calls that it leads to, and the line in the log if any. */
static const struct {
	const char *text, *called, *line;
	uint32_t capabilities;
} table[] = {
	{ "{\"type\":\"pong\",\"client_id\":\"box\"}", "pong()", NULL, 0 },
	{ "{\"type\":\"pong\"}", "pong()", NULL, 0 },
	/* registered */
	{ REGISTERED(""), "registered()", NULL, 0 },
	{ REGISTERED(",\"message\":null"), "registered()", NULL, 0 },
	{ REGISTERED(",\"capabilities\":[\"status\"]"), "registered()", NULL,
	    LINK_STATUS },
	{ REGISTERED(",\"capabilities\":[\"x\",\"base64\",1,null,\"status\"]"),
	    "registered()", NULL, LINK_STATUS | LINK_BASE64 },
	{ REGISTERED(",\"capabilities\":\"status\""), "registered()", NULL, 0 },
	{ REGISTERED(",\"capabilities\":null"), "registered()", NULL, 0 },
	{ "{\"type\":\"registered\",\"success\":false,"
	  "\"message\":\"no\\n\\u001b[0m\"}",
	    "refuse(registration refused: no??[0m)", NULL, 0 },
	{ "{\"type\":\"registered\",\"success\":false}",
	    "refuse(registration refused: )", NULL, 0 },
	{ "{\"type\":\"registered\"}", "",
	    "registered without a valid success ignored", 0 },
	{ "{\"type\":\"registered\",\"success\":\"true\"}", "",
	    "registered without a valid success ignored", 0 },
	{ "{\"type\":\"registered\",\"success\":1}", "",
	    "registered without a valid success ignored", 0 },
	/* command */
	{ "{\"type\":\"command\",\"command\":\"disconnect\"}",
	    "refuse(the orchestrator told us to disconnect)", NULL, 0 },
	{ "{\"type\":\"command\",\"command\":\"refresh_status\"}", "status()",
	    NULL, 0 },
	{ "{\"type\":\"command\",\"command\":\"dance\\n\"}", "",
	    "command ignored: dance?", 0 },
	{ "{\"type\":\"command\"}", "",
	    "command without a valid command ignored", 0 },
	{ "{\"type\":\"command\",\"command\":7}", "",
	    "command without a valid command ignored", 0 },
	/* error */
	{ "{\"type\":\"error\",\"message\":\"Disconnected by user\"}", "",
	    "the orchestrator says: Disconnected by user", 0 },
	{ "{\"type\":\"error\",\"message\":\"a\\r\\nb\"}", "",
	    "the orchestrator says: a??b", 0 },
	{ "{\"type\":\"error\"}", "", "error without a valid message ignored",
	    0 },
	/* requests */
	{ REQUEST("\"9f\""), "request(9f)", NULL, 0 },
	{ REQUEST("\"" LONG_ID "\""), "request(" LONG_ID ")", NULL, 0 },
	{ REQUEST("\"" LONG_ID "x\""), "", NO_ID, 0 },
	{ REQUEST("\"a\\u0000b\""), "", NO_ID, 0 },
	{ REQUEST("17"), "", NO_ID, 0 },
	{ REQUEST("null"), "", NO_ID, 0 },
	{ "{\"type\":\"http_proxy_request\"}", "", NO_ID, 0 },
	{ "{\"type\":\"user_request\",\"request_id\":\"1\","
	  "\"action\":\"a\",\"payload\":{}}",
	    "user_request(1)", NULL, 0 },
	{ "{\"type\":\"user_request\",\"request_id\":\"" LONG_ID "\","
	  "\"action\":\"\",\"payload\":7}",
	    "user_request(" LONG_ID ")", NULL, 0 },
	{ "{\"type\":\"user_request\",\"request_id\":\"a\\u0000b\","
	  "\"action\":\"a\"}",
	    "", "user_request without a valid request_id ignored", 0 },
	{ "{\"type\":\"user_request_follow_up\",\"request_id\":\"2\"}",
	    "user_request(2)", NULL, 0 },
	{ "{\"type\":\"user_request_follow_up\",\"request_id\":\"" LONG_ID
	  "x\"}",
	    "", "user_request_follow_up without a valid request_id ignored",
	    0 },
	{ "{\"type\":\"user_request\",\"request_id\":\"" LONG_ID "x\","
	  "\"action\":\"a\"}",
	    "", "user_request without a valid request_id ignored", 0 },
	{ "{\"type\":\"user_request\",\"request_id\":\"1\"}", "",
	    "user_request without a valid action ignored", 0 },
	{ "{\"type\":\"user_request\",\"action\":\"1\"}", "",
	    "user_request without a valid request_id ignored", 0 },
	{ "{\"type\":\"user_request_follow_up\"}", "",
	    "user_request_follow_up without a valid request_id ignored", 0 },
	/* what only comes to an instance without a token, well formed or not */
	{ "{\"type\":\"pending_registered\",\"success\":false}", "",
	    "pending_registered ignored: not pending", 0 },
	{ GRANTED("ao_1", "box"), "", "token_granted ignored: not pending", 0 },
	{ "{\"type\":\"authorization_denied\",\"reason\":\"\"}", "",
	    "authorization_denied ignored: not pending", 0 },
	{ "{\"type\":\"authorization_timeout\",\"message\":\"\"}", "",
	    "authorization_timeout ignored: not pending", 0 },
	{ "{\"type\":\"pending_registered\"}", "",
	    "pending_registered without a valid success ignored", 0 },
	{ "{\"type\":\"token_granted\",\"token\":\"t\"}", "",
	    "token_granted without a valid client_id ignored", 0 },
	{ "{\"type\":\"token_granted\",\"client_id\":\"t\"}", "",
	    "token_granted without a valid token ignored", 0 },
	{ "{\"type\":\"authorization_denied\"}", "",
	    "authorization_denied without a valid reason ignored", 0 },
	{ "{\"type\":\"authorization_timeout\"}", "",
	    "authorization_timeout without a valid message ignored", 0 },
	/* no message of the protocol */
	{ "{\"type\":\"unheard_of\"}", "", NULL, 0 },
	{ "{\"type\":\"Pong\"}", "", NULL, 0 },
	{ "{\"type\":\"\"}", "", NULL, 0 },
	{ "{}", "", NO_TYPE, 0 },
	{ "{\"type\":1}", "", NO_TYPE, 0 },
	{ "[]", "", NO_JSON, 0 },
	{ "", "", NO_JSON, 0 },
	{ "pong", "", NO_JSON, 0 },
	{ "{\"type\":\"pong\"", "", NO_JSON, 0 },
	{ "{\"type\":\"pong\"}}", "", NO_JSON, 0 },
};

static void
handle(struct connector *connector, const char *text)
{
	struct evbuffer *buffer = evbuffer_new();

	assert_non_null(buffer);
	evbuffer_add(buffer, text, strlen(text));
	calls[0] = '\0';
	incoming_message(connector, buffer);
	evbuffer_free(buffer);
}

static void
assert_line(const char *text, const char *expected)
{
	char line[LOG_LINE_MAX + 2];
	ssize_t n = recv(log_fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	if (expected == NULL) {
		if (n > 0)
			fail_msg("%s: %.*s", text, (int)n - 1, line + 1);
		return;
	}
	if (n < 1)
		fail_msg("%s: nothing logged", text);
	line[n] = '\0';
	assert_string_equal(line + 1, expected);
	assert_int_equal(recv(log_fd, line, sizeof(line), MSG_DONTWAIT), -1);
}

static void
test_messages(void **state)
{
	struct connector connector;
	size_t i;

	(void)state;
	is_up = true;
	for (i = 0; i < COUNT(table); i++) {
		connector = (struct connector){ .conf.json_depth = 64 };
		handle(&connector, table[i].text);
		assert_string_equal(calls, table[i].called);
		assert_int_equal(connector.capabilities, table[i].capabilities);
		assert_line(table[i].text, table[i].line);
		/* An "error" is only for the log, too. */
		assert_int_equal(connector.counters.messages_ignored,
		    table[i].called[0] == '\0' &&
			strstr(table[i].text, "\"error\",") == NULL);
	}
}

static void
test_not_up(void **state)
{
	struct connector connector = { .conf.json_depth = 64 };

	(void)state;
	is_up = false;
	handle(&connector, REQUEST("\"9f\""));
	assert_string_equal(calls, "");
	assert_line("", "http_proxy_request before registered ignored");
	handle(&connector,
	    "{\"type\":\"user_request\",\"request_id\":\"1\",\"action\":\"a\"}");
	assert_string_equal(calls, "");
	assert_line("", "user_request before registered ignored");
	handle(&connector,
	    "{\"type\":\"user_request_follow_up\",\"request_id\":\"1\"}");
	assert_string_equal(calls, "");
	assert_line("", "user_request_follow_up before registered ignored");
	assert_int_equal(connector.counters.messages_ignored, 3);
}

#define BAD_TOKEN "token_granted without a valid token ignored"
#define BAD_ID	  "token_granted without a valid client_id ignored"

/* What comes while nobody has claimed us; as above. */
static const struct {
	const char *text, *called, *line;
	bool heard; /* though nothing is done */
} pending_table[] = {
	{ "{\"type\":\"pong\"}", "pong()", NULL, true },
	{ "{\"type\":\"pending_registered\",\"success\":true}", "", NULL,
	    true },
	{ "{\"type\":\"pending_registered\",\"success\":false,"
	  "\"message\":\"no\\nsuch\"}",
	    "", "still pending, though the orchestrator says: no?such", true },
	{ "{\"type\":\"pending_registered\"}", "",
	    "pending_registered without a valid success ignored", false },
	{ "{\"type\":\"authorization_denied\",\"reason\":\"no\\u001b\"}",
	    "refuse(authorization denied: no?)", NULL, false },
	{ "{\"type\":\"authorization_timeout\",\"message\":\"late\"}",
	    "timeout(nobody claimed this instance: late)", NULL, false },
	{ GRANTED("ao_1_x", "box"), "granted(ao_1_x)as(box)", NULL, false },
	{ GRANTED("~!\\\"\\\\", "a@b:c"), "granted(~!\"\\)as(a@b:c)", NULL,
	    false },
	{ GRANTED("", "box"), "", BAD_TOKEN, false },
	{ GRANTED("a b", "box"), "", BAD_TOKEN, false },
	{ GRANTED("a\\r\\n", "box"), "", BAD_TOKEN, false },
	{ GRANTED("a\\u0000b", "box"), "", BAD_TOKEN, false },
	{ GRANTED("\xc3\xa9", "box"), "", BAD_TOKEN, false },
	{ GRANTED("ao_1", ""), "", BAD_ID, false },
	{ GRANTED("ao_1", ".."), "", BAD_ID, false },
	{ GRANTED("ao_1", "../x"), "", BAD_ID, false },
	{ GRANTED("ao_1", "a/b"), "", BAD_ID, false },
	{ GRANTED("ao_1", "a%2fb"), "", BAD_ID, false },
	{ GRANTED("ao_1", "a?b"), "", BAD_ID, false },
	{ GRANTED("ao_1", "a b"), "", BAD_ID, false },
	{ GRANTED("ao_1", "a\\u0000b"), "", BAD_ID, false },
	{ GRANTED("ao_1", LONG_ID_64 LONG_ID_64), /* just short enough */
	    "granted(ao_1)as(" LONG_ID_64 LONG_ID_64 ")", NULL, false },
	{ GRANTED("ao_1", LONG_ID_64 LONG_ID_64 "x"), "", BAD_ID, false },
	/* what only comes to one that has a token */
	{ REGISTERED(""), "", "registered while pending ignored", false },
	{ "{\"type\":\"registered\",\"success\":false}", "",
	    "registered while pending ignored", false },
	{ REQUEST("\"9f\""), "", "http_proxy_request before registered ignored",
	    false },
	{ "{\"type\":\"command\",\"command\":\"refresh_status\"}", "",
	    "command ignored: refresh_status", false },
	{ "{\"type\":\"command\",\"command\":\"disconnect\"}",
	    "refuse(the orchestrator told us to disconnect)", NULL, false },
};

static void
test_pending(void **state)
{
	struct connector connector;
	size_t i;

	(void)state;
	is_up = false;
	is_pending = true;
	for (i = 0; i < COUNT(pending_table); i++) {
		connector = (struct connector){ .conf.json_depth = 64 };
		handle(&connector, pending_table[i].text);
		assert_string_equal(calls, pending_table[i].called);
		assert_line(pending_table[i].text, pending_table[i].line);
		assert_int_equal(connector.counters.messages_ignored,
		    pending_table[i].called[0] == '\0' &&
			!pending_table[i].heard);
		assert_int_equal(connector.capabilities, 0);
	}
	is_pending = false;
}

/* The longest token, and one that is too long. */
static void
test_long_token(void **state)
{
	struct connector connector = { .conf.json_depth = 64 };
	char token[CONF_SECRET_MAX + 2], text[sizeof(token) + 128];
	size_t i;

	(void)state;
	is_pending = true;
	for (i = 0; i < 2; i++) {
		memset(token, 'x', sizeof(token));
		token[CONF_SECRET_MAX + i] = '\0';
		(void)snprintf(text, sizeof(text), GRANTED("%s", "box"), token);
		handle(&connector, text);
		assert_line("", i == 0 ? NULL : BAD_TOKEN);
		assert_int_equal(calls[0] == '\0', i == 1);
	}
	is_pending = false;
}

/* Nothing of a token stays where it came: in several pieces, too. */
static void
test_wiped(void **state)
{
	static char pieces[][64] = { "{\"type\":\"token_granted\",",
		"\"token\":\"ao_1", "_secret\",\"client_id\":", "\"box\"}" };
	static const char zeros[64];
	struct connector connector = { .conf.json_depth = 64 };
	struct evbuffer *buffer;
	size_t i, n, way, len[COUNT(pieces)];

	(void)state;
	for (i = 0; i < COUNT(pieces); i++)
		len[i] = strlen(pieces[i]);
	/* Accepted, ignored, malformed. */
	for (way = 0; way < 3; way++) {
		char copy[COUNT(pieces)][64];

		memcpy(copy, pieces, sizeof(copy));
		if (way == 2)
			memcpy(copy[3], "123456", 6);
		is_pending = way != 1;
		buffer = evbuffer_new();
		for (i = 0; i < COUNT(pieces); i++)
			assert_int_equal(
			    evbuffer_add_reference(buffer, copy[i],
				way == 2 && i == 3 ? 1 : len[i], NULL, NULL),
			    0);
		if (way == 2)
			evbuffer_add(buffer, "}", 1);
		calls[0] = '\0';
		incoming_message(&connector, buffer);
		evbuffer_free(buffer);
		for (i = 0; i < 3; i++)
			for (n = 0; n < len[i]; n++)
				assert_memory_equal(copy[i], zeros, len[i]);
		assert_string_equal(
		    calls, way == 0 ? "granted(ao_1_secret)as(box)" : "");
		assert_line("", way == 0 ? NULL
				: way == 1
				    ? "token_granted ignored: not pending"
				    : BAD_ID);
	}
	is_pending = false;
}

/* A flood is counted, but does not fill the log. */
static void
test_flood(void **state)
{
	struct connector connector = { .conf.json_depth = 64 };
	char line[LOG_LINE_MAX + 2];
	size_t i, lines = 0;

	(void)state;
	is_pending = true;
	for (i = 0; i < 300; i++) {
		handle(&connector, i % 2 == 0 ? GRANTED("a b", "box") : "{}");
		while (recv(log_fd, line, sizeof(line), MSG_DONTWAIT) > 0)
			lines++;
	}
	assert_int_equal(connector.counters.messages_ignored, 300);
	assert_int_equal(lines, 101);
	/* But in the next minute again. */
	connector.said.since_ms -= 60000;
	handle(&connector, "{}");
	assert_line("{}", NO_TYPE);
	is_pending = false;
}

/* What the last orchestrator could do does not count for this one. */
static void
test_capabilities(void **state)
{
	struct connector connector = { .conf.json_depth = 64 };

	(void)state;
	handle(&connector, REGISTERED(",\"capabilities\":[\"base64\"]"));
	assert_int_equal(connector.capabilities, LINK_BASE64);
	handle(&connector, REGISTERED(""));
	assert_int_equal(connector.capabilities, 0);
}

/* Every prefix of every message: no crash, no call that was not meant. */
static void
test_prefixes(void **state)
{
	struct connector connector = { .conf.json_depth = 64 };
	char text[1024], line[LOG_LINE_MAX + 2];
	size_t i, n;

	(void)state;
	is_up = true;
	for (i = 0; i < COUNT(table); i++)
		for (n = 0; n < strlen(table[i].text) && n < 1023; n++) {
			memcpy(text, table[i].text, n);
			text[n] = '\0';
			handle(&connector, text);
			if (strcmp(text, "{\"type\":\"pong\"}") != 0)
				assert_string_equal(calls, "");
		}
	while (recv(log_fd, line, sizeof(line), MSG_DONTWAIT) > 0)
		continue;
}

static int
group_setup(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == -1)
		return -1;
	log_fd = pair[0];
	log_to_socket(pair[1]);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_not_up),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_long_token),
		cmocka_unit_test(test_wiped),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
