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

#include "common/log.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/user_requests.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* In front of the outbox: replies are only noted, "number:text" and a bar
 * behind the last one. */
static char sent[4096];
static size_t sent_len;

void
outbox_reply(
    struct outbox *ob, uint64_t number, struct evbuffer *message, bool last)
{
	size_t len = strlen(sent);

	(void)ob;
	sent_len = evbuffer_get_length(message);
	assert_in_range(sent_len, 2, OUTBOX_REPLY_MAX);
	(void)snprintf(sent + len, sizeof(sent) - len, "%llu:%.*s%s",
	    (unsigned long long)number, (int)sent_len,
	    (const char *)evbuffer_pullup(message, -1), last ? "|" : "");
	evbuffer_free(message);
}

#define LONG_64 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG LONG_64 LONG_64 LONG_64 LONG_64

#define COMPLETE(id, data)                                       \
	"7:{\"type\":\"response_complete\",\"request_id\":\"" id \
	"\",\"data\":" data "}|"
#define ERROR(id, text) \
	COMPLETE(id, "{\"error\":true,\"message\":\"" text "\"}")
#define UNKNOWN(id, action)                          \
	"7:{\"type\":\"error\",\"request_id\":\"" id \
	"\",\"message\":\"Unknown action: " action   \
	"\"}" COMPLETE(id, "{\"code\":4000,\"reason\":\"Unknown action\"}")
#define ASK(members) "{\"type\":\"user_request\"," members "}"

/* The text of a user_request, and what becomes of it. */
static const struct {
	const char *text, *sent, *why;
} requests[] = {
	{ ASK("\"request_id\":\"r\",\"action\":\"dance\",\"payload\":{}"),
	    UNKNOWN("r", "dance"), NULL },
	{ ASK("\"request_id\":\"r\",\"action\":\"dance\""),
	    UNKNOWN("r", "dance"), NULL },
	{ ASK("\"request_id\":\"r\",\"action\":\"dance\",\"payload\":null"),
	    UNKNOWN("r", "dance"), NULL },
	{ ASK("\"request_id\":\"a\\\"\\u00e9\",\"action\":\"\\n\\u00e9\""),
	    UNKNOWN("a\\\"\xc3\xa9", "???"), NULL },
	{ ASK("\"request_id\":\"" LONG "\",\"action\":\"\""), UNKNOWN(LONG, ""),
	    NULL },
	{ ASK("\"request_id\":\"r\",\"action\":\"" LONG_64 "\""),
	    UNKNOWN("r", "0123456789abcdef0123456789abcdef"
			 "0123456789abcdef0123456789abcde"),
	    NULL },
	{ ASK("\"request_id\":\"r\""), ERROR("r", "no action"), NULL },
	{ ASK("\"request_id\":\"r\",\"action\":null"), ERROR("r", "no action"),
	    NULL },
	{ ASK("\"request_id\":\"r\",\"action\":7"), ERROR("r", "no action"),
	    NULL },
	{ ASK("\"request_id\":\"r\",\"action\":\"a\\u0000b\""),
	    ERROR("r", "no action"), NULL },
	{ ASK("\"request_id\":\"r\",\"action\":\"a\",\"payload\":[]"),
	    ERROR("r", "payload is not an object"), NULL },
	{ ASK("\"request_id\":\"r\",\"action\":\"a\",\"payload\":\"x\""),
	    ERROR("r", "payload is not an object"), NULL },
	{ "{\"type\":\"user_request_follow_up\",\"request_id\":\"r\","
	  "\"payload\":{}}",
	    ERROR("r", "no such session"), NULL },
	/* no request_id to reply to */
	{ ASK("\"action\":\"a\""), "", "no valid request_id" },
	{ ASK("\"request_id\":7,\"action\":\"a\""), "", "no valid request_id" },
	{ ASK("\"request_id\":\"a\\u0000\",\"action\":\"a\""), "",
	    "no valid request_id" },
	{ ASK("\"request_id\":\"" LONG "x\",\"action\":\"a\""), "",
	    "no valid request_id" },
	{ "", "", "not a JSON object" },
	{ "[]", "", "not a JSON object" },
	{ "{", "", "not a JSON object" },
};

static void
test_user_requests(void **state)
{
	struct proxyd proxyd = { 0 };
	struct evbuffer *text;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(requests); i++) {
		text = evbuffer_new();
		evbuffer_add(text, requests[i].text, strlen(requests[i].text));
		sent[0] = '\0';
		why = user_requests_begin(&proxyd, 7, text);
		if (requests[i].why == NULL && why != NULL)
			fail_msg("%s: %s", requests[i].text, why);
		if (requests[i].why != NULL)
			assert_string_equal(why, requests[i].why);
		assert_string_equal(sent, requests[i].sent);
		assert_int_equal(evbuffer_get_length(text), 0);
		evbuffer_free(text);
	}
}

static struct json_object *
data_of(const char *text)
{
	struct json_object *data = json_tokener_parse(text);

	assert_non_null(data);
	return data;
}

static void
test_forms(void **state)
{
	struct proxyd proxyd = { 0 };
	struct evbuffer *out;

	(void)state;
	sent[0] = '\0';
	reply_chunk(&proxyd, 1, "r", data_of("{\"t\":\"/\\u20ac\"}"));
	reply_complete(&proxyd, 2, "\\", data_of("[1,null]"));
	reply_error(&proxyd, 3, "r", "a\"b");
	reply_error_message(&proxyd, 4, "\"", "c\n");
	assert_string_equal(sent,
	    "1:{\"type\":\"response_chunk\",\"request_id\":\"r\","
	    "\"data\":{\"t\":\"/\xe2\x82\xac\"}}"
	    "2:{\"type\":\"response_complete\",\"request_id\":\"\\\\\","
	    "\"data\":[1,null]}|"
	    "3:{\"type\":\"response_complete\",\"request_id\":\"r\","
	    "\"data\":{\"error\":true,\"message\":\"a\\\"b\"}}|"
	    "4:{\"type\":\"error\",\"request_id\":\"\\\"\","
	    "\"message\":\"c\\n\"}");
	sent[0] = '\0';
	out = reply_begin("r", false);
	evbuffer_add(out, "{}", 2);
	reply_end(&proxyd, 5, "r", out, false);
	out = reply_begin("r", true);
	evbuffer_add(out, "7", 1);
	reply_end(&proxyd, 5, "r", out, true);
	assert_string_equal(sent,
	    "5:{\"type\":\"response_chunk\",\"request_id\":\"r\",\"data\":{}}"
	    "5:{\"type\":\"response_complete\",\"request_id\":\"r\","
	    "\"data\":7}|");
}

/* A reply whose data has that many bytes, under the longest request_id. */
static void
reply_long(struct proxyd *proxyd, size_t len, bool last)
{
	char id[LINK_REQUEST_ID_MAX + 1];
	struct evbuffer *out;
	char *data = malloc(len);

	assert_non_null(data);
	memset(id, '\x01', sizeof(id) - 1); /* six bytes each */
	id[sizeof(id) - 1] = '\0';
	memset(data, '1', len);
	sent[0] = '\0';
	sent_len = 0;
	out = reply_begin(id, last);
	evbuffer_add(out, data, len);
	reply_end(proxyd, 9, id, out, last);
	free(data);
}

static void
test_longest(void **state)
{
	struct proxyd proxyd = { 0 };
	size_t frame;

	(void)state;
	reply_long(&proxyd, REPLY_DATA_MAX, true);
	assert_in_range(
	    sent_len, OUTBOX_REPLY_MAX - REPLY_FRAME_MAX, OUTBOX_REPLY_MAX);
	frame = sent_len - REPLY_DATA_MAX;
	assert_in_range(frame, 0, REPLY_FRAME_MAX);
	reply_long(&proxyd, OUTBOX_REPLY_MAX - frame, true);
	assert_int_equal(sent_len, OUTBOX_REPLY_MAX);
	/* One byte more: an error if it is the last one, else nothing. */
	reply_long(&proxyd, OUTBOX_REPLY_MAX - frame + 1, true);
	assert_non_null(strstr(sent, "\"message\":\"reply too large\"}}|"));
	reply_long(&proxyd, OUTBOX_REPLY_MAX, false);
	assert_string_equal(sent, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_requests),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_longest),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
