#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "common/log.h"
#include "proxyd/chats.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnels.h"
#include "proxyd/user_requests.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * proxyd with an outbox, and a connector that notes the replies: "number:text"
 * and a bar behind the last one.
 */
static struct event_base *base;
static struct channel *connector;
static struct proxyd proxyd;
static char sent[4096];
static size_t sent_len; /* of the last one, whole */
static bool in_message;

static int
on_reply(void *arg, struct msg *m)
{
	bool more = (m->flags & MSG_FLAG_MORE) != 0;
	size_t len = strlen(sent);

	(void)arg;
	sent_len = in_message ? sent_len + m->len : m->len;
	if (!in_message) {
		(void)snprintf(sent + len, sizeof(sent) - len,
		    "%llu:", (unsigned long long)m->id);
		len = strlen(sent);
	}
	(void)snprintf(sent + len, sizeof(sent) - len, "%.*s%s", (int)m->len,
	    (const char *)m->data,
	    m->type == MSG_REPLY_LAST && !more ? "|" : "");
	in_message = more;
	return 0;
}

static void
on_broken(void *arg, struct channel *ch, const char *why)
{
	(void)arg;
	(void)ch;
	fail_msg("broken: %s", why == NULL ? "end" : why);
}

static const struct channel_ops connector_side = {
	.handlers = { [MSG_REPLY] = on_reply, [MSG_REPLY_LAST] = on_reply },
	.broken = on_broken,
};

static const struct channel_ops proxyd_side = { .broken = on_broken };

static int
setup(void **state)
{
	int pair[2];

	(void)state;
	if ((base = event_base_new()) == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	connector = channel_new(base, pair[0], PROGRAM_CONNECTOR,
	    PROGRAM_PROXYD, &connector_side, NULL);
	proxyd.child.self = PROGRAM_PROXYD;
	proxyd.child.base = base;
	proxyd.child.peers[PROGRAM_CONNECTOR] = channel_new(base, pair[1],
	    PROGRAM_PROXYD, PROGRAM_CONNECTOR, &proxyd_side, NULL);
	proxyd.conf.json_depth = 64;
	proxyd.outbox = outbox_new(&proxyd);
	proxyd.sessions = sessions_new(&proxyd);
	proxyd.tunnels = tunnels_new(&proxyd);
	proxyd.chats = chats_new(&proxyd);
	proxyd.link_is_up = true;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	chats_free(proxyd.chats);
	tunnels_free(proxyd.tunnels);
	sessions_free(proxyd.sessions);
	outbox_free(proxyd.outbox);
	assert_int_equal(proxyd.buffered, 0);
	channel_free(connector);
	channel_free(proxyd.child.peers[PROGRAM_CONNECTOR]);
	event_base_free(base);
	return 0;
}

/* Let what is on its way arrive. */
static void
spin(void)
{
	int i;

	for (i = 0; i < 10; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
assert_sent(const char *expected)
{
	spin();
	assert_string_equal(sent, expected);
	sent[0] = '\0';
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
	struct evbuffer *text;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(requests); i++) {
		text = evbuffer_new();
		evbuffer_add(text, requests[i].text, strlen(requests[i].text));
		why = user_requests_begin(&proxyd, 7, text);
		if (requests[i].why == NULL && why != NULL)
			fail_msg("%s: %s", requests[i].text, why);
		if (requests[i].why != NULL)
			assert_string_equal(why, requests[i].why);
		assert_sent(requests[i].sent);
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
	struct evbuffer *out;

	(void)state;
	reply_chunk(&proxyd, 1, "r", data_of("{\"t\":\"/\\u20ac\"}"));
	reply_complete(&proxyd, 2, "\\", data_of("[1,null]"));
	reply_error(&proxyd, 3, "r", "a\"b");
	reply_error_message(&proxyd, 4, "\"", "c\n");
	assert_sent("1:{\"type\":\"response_chunk\",\"request_id\":\"r\","
		    "\"data\":{\"t\":\"/\xe2\x82\xac\"}}"
		    "2:{\"type\":\"response_complete\",\"request_id\":\"\\\\\","
		    "\"data\":[1,null]}|"
		    "3:{\"type\":\"response_complete\",\"request_id\":\"r\","
		    "\"data\":{\"error\":true,\"message\":\"a\\\"b\"}}|"
		    "4:{\"type\":\"error\",\"request_id\":\"\\\"\","
		    "\"message\":\"c\\n\"}");
	out = reply_begin("r", false);
	evbuffer_add(out, "{}", 2);
	reply_end(&proxyd, 5, "r", out, false);
	out = reply_begin("r", true);
	evbuffer_add(out, "7", 1);
	reply_end(&proxyd, 5, "r", out, true);
	assert_sent(
	    "5:{\"type\":\"response_chunk\",\"request_id\":\"r\",\"data\":{}}"
	    "5:{\"type\":\"response_complete\",\"request_id\":\"r\","
	    "\"data\":7}|");
	/* Nothing of the text is touched. */
	reply_text(&proxyd, 6, "r", "{ \"a\\u0041\": 1e0 }garbage", 18);
	reply_done(&proxyd, 7);
	assert_sent("6:{\"type\":\"response_chunk\",\"request_id\":\"r\","
		    "\"data\":{ \"a\\u0041\": 1e0 }}7:|");
	/* All of it, whatever is in front. */
	proxyd.link_is_up = false;
	reply_done(&proxyd, 8);
	assert_sent("");
	proxyd.link_is_up = true;
}

/* A reply whose data has that many bytes, under the longest request_id. */
static void
reply_long(size_t len, bool last)
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
	reply_end(&proxyd, 9, id, out, last);
	free(data);
	spin();
}

/* As long as the orchestrator takes, and one byte more. */
static void
test_longest(void **state)
{
	static const struct {
		uint64_t message_max;
		size_t max;
	} links[] = {
		{ 0, 65520 }, /* none yet */
		{ 1000, 65520 },
		{ 65520, 65520 },
		{ 65521, 65521 },
		{ 65536, 65536 },
		{ 200000, 200000 },
	};
	size_t frame, i;

	(void)state;
	for (i = 0; i < COUNT(links); i++) {
		proxyd.link.message_max = links[i].message_max;
		reply_long(reply_data_max(&proxyd), true);
		assert_in_range(
		    sent_len, links[i].max - REPLY_FRAME_MAX, links[i].max);
		frame = sent_len - reply_data_max(&proxyd);
		assert_in_range(frame, 0, REPLY_FRAME_MAX);
		reply_long(links[i].max - frame, true);
		assert_int_equal(sent_len, links[i].max);
		/* An error if it is the last one, else nothing. */
		reply_long(links[i].max - frame + 1, true);
		assert_non_null(
		    strstr(sent, "\"message\":\"reply too large\"}}|"));
		reply_long(links[i].max, false);
		assert_sent("");
	}
	proxyd.link.message_max = 0;
	assert_int_equal(REPLY_DATA_MAX + REPLY_FRAME_MAX, OUTBOX_REPLY_MAX);
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
	return cmocka_run_group_tests(tests, setup, teardown);
}
