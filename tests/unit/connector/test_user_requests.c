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

#include "common/log.h"
#include "common/ws.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/exchange.h"
#include "connector/outgoing.h"
#include "connector/uploads.h"
#include "connector/user_requests.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LARGE	 8000000 /* more than a channel's socket takes */
#define LOST	 "the instance lost the request; try again"
#define STOP	 "the instance is stopping"

/* User requests, and a proxyd that the test plays. */
static struct fixture {
	struct event_base *base;
	struct connector connector;
	struct user_requests *ur;
	struct channel *proxyd; /* its end */
	/* what proxyd got */
	enum msg_type types[2 * USER_REQUESTS_MAX];
	uint64_t numbers[2 * USER_REQUESTS_MAX];
	size_t lengths[2 * USER_REQUESTS_MAX];
	size_t n; /* whole texts */
	size_t len;
	/* what the orchestrator got: "text;", "!id:error;" */
	char sent[8192];
	size_t nsent, sent_len;
	size_t nbehind; /* errors that came within a message */
	bool up, full, ws_paused, in_message, broken;
} * f;

/* In front of the connection and the WebSocket: only noted. */

struct ws *
connection_ws(const struct connection *c)
{
	static char ws;

	(void)c;
	return f->up ? (struct ws *)(void *)&ws : NULL;
}

int
ws_send_fragment(
    struct ws *ws, enum ws_type type, bool fin, const void *data, size_t len)
{
	size_t n = strlen(f->sent);

	(void)ws;
	assert_int_equal(type, WS_TEXT);
	(void)snprintf(f->sent + n, sizeof(f->sent) - n, "%.*s%s",
	    (int)(len < 16 ? len : 16), (const char *)data, fin ? ";" : "+");
	f->in_message = !fin;
	f->nsent += fin;
	f->sent_len += len;
	return 0;
}

bool
ws_is_writable(const struct ws *ws)
{
	(void)ws;
	return !f->full;
}

void
ws_pause(struct ws *ws)
{
	(void)ws;
	f->ws_paused = true;
}

void
ws_resume(struct ws *ws)
{
	(void)ws;
	f->ws_paused = false;
}

static void
note_error(
    const char *mark, const char *request_id, size_t len, const char *text)
{
	size_t n = strlen(f->sent);

	/* It would wait behind the rest of that. */
	if (f->in_message) {
		f->nbehind++;
		return;
	}
	(void)snprintf(f->sent + n, sizeof(f->sent) - n, "%s%.*s:%s;", mark,
	    (int)len, request_id, text);
	f->nsent++;
}

void
outgoing_user_error(struct connector *connector, const char *request_id,
    size_t len, const char *text)
{
	assert_ptr_equal(connector, &f->connector);
	note_error("!", request_id, len, text);
}

void
outgoing_user_message(struct connector *connector, const char *request_id,
    size_t len, const char *text)
{
	assert_ptr_equal(connector, &f->connector);
	note_error("?", request_id, len, text);
}

static int
on_chunk(void *arg, struct msg *m)
{
	(void)arg;
	assert_in_range(f->n, 0, 2 * USER_REQUESTS_MAX - 1);
	if (f->len > 0)
		assert_true(f->numbers[f->n] == m->id);
	f->types[f->n] = m->type;
	f->numbers[f->n] = m->id;
	f->len += m->len;
	if ((m->flags & MSG_FLAG_MORE) != 0)
		return 0;
	f->lengths[f->n++] = f->len;
	f->len = 0;
	return 0;
}

static int
on_reply(void *arg, struct msg *m)
{
	(void)arg;
	return user_requests_on_reply(f->ur, m);
}

static int
on_refuse(void *arg, struct msg *m)
{
	(void)arg;
	return user_requests_on_refuse(f->ur, m);
}

static void
on_writable(void *arg, struct channel *ch)
{
	(void)arg;
	(void)ch;
	uploads_continue(f->connector.uploads);
}

/* As the exchange and main do. */
static void
lose_proxyd(void)
{
	channel_free(f->connector.child.peers[PROGRAM_PROXYD]);
	f->connector.child.peers[PROGRAM_PROXYD] = NULL;
	channel_free(f->proxyd);
	f->proxyd = NULL;
	f->len = 0;
	uploads_drop_begun(f->connector.uploads);
	user_requests_on_proxyd_lost(f->ur);
}

static void
on_broken(void *arg, struct channel *ch, const char *why)
{
	(void)arg;
	(void)ch;
	assert_string_equal(why, "malformed message");
	f->broken = true;
	lose_proxyd();
}

static void
on_proxyd_broken(void *arg, struct channel *ch, const char *why)
{
	(void)arg;
	(void)ch;
	fail_msg("proxyd got: %s", why == NULL ? "end" : why);
}

static const struct channel_ops connector_side = {
	.handlers = {
		[MSG_REPLY] = on_reply,
		[MSG_REPLY_LAST] = on_reply,
		[MSG_USER_REFUSE] = on_refuse,
	},
	.broken = on_broken,
	.writable = on_writable,
};

static const struct channel_ops proxyd_side = {
	.handlers = {
		[MSG_REQUEST] = on_chunk,
		[MSG_USER_REQUEST] = on_chunk,
	},
	.broken = on_proxyd_broken,
};

static void
attach_proxyd(void)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	f->connector.child.peers[PROGRAM_PROXYD] = channel_new(f->base, pair[0],
	    PROGRAM_CONNECTOR, PROGRAM_PROXYD, &connector_side, NULL);
	f->proxyd = channel_new(f->base, pair[1], PROGRAM_PROXYD,
	    PROGRAM_CONNECTOR, &proxyd_side, NULL);
	uploads_continue(f->connector.uploads);
}

static int
setup(void **state)
{
	(void)state;
	f = calloc(1, sizeof(*f));
	if (f == NULL || (f->base = event_base_new()) == NULL)
		return -1;
	f->connector.child.self = PROGRAM_CONNECTOR;
	f->connector.child.base = f->base;
	f->connector.uploads = uploads_new(&f->connector);
	f->ur = user_requests_new(&f->connector);
	f->up = true;
	attach_proxyd();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	user_requests_free(f->ur);
	uploads_free(f->connector.uploads);
	channel_free(f->connector.child.peers[PROGRAM_PROXYD]);
	channel_free(f->proxyd);
	event_base_free(f->base);
	free(f);
	return 0;
}

static void
spin(void)
{
	int i;

	for (i = 0; i < 1000; i++)
		event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static struct evbuffer *
text_of(size_t len)
{
	struct evbuffer *text = evbuffer_new();
	char *data = calloc(1, len + 1);

	assert_non_null(text);
	assert_non_null(data);
	evbuffer_add(text, data, len);
	free(data);
	return text;
}

static void
request(const char *request_id, size_t len)
{
	struct evbuffer *text = text_of(len);

	user_requests_add(f->ur, request_id, strlen(request_id), text);
	evbuffer_free(text);
}

static void
send_part(enum msg_type type, uint64_t number, const char *text, size_t len,
    bool more)
{
	struct evbuffer *data = evbuffer_new();
	struct evbuffer_ptr start;

	evbuffer_add(data, text, len);
	evbuffer_ptr_set(data, &start, 0, EVBUFFER_PTR_SET);
	assert_true(channel_send_slice(f->proxyd, type,
	    more ? MSG_FLAG_MORE : 0, number, data, &start, len));
	evbuffer_free(data);
}

static void
reply_to(uint64_t number, const char *text, bool last)
{
	send_part(last ? MSG_REPLY_LAST : MSG_REPLY, number, text, strlen(text),
	    false);
}

static void
reply(size_t i, const char *text, bool last)
{
	reply_to(f->numbers[i], text, last);
}

static void
refuse(uint64_t number, uint32_t status)
{
	struct msg_out m;

	msg_start(&m, MSG_USER_REFUSE, number);
	msg_add_u32(&m, status);
	channel_send(f->proxyd, &m, -1);
}

static void
test_replies(void **state)
{
	(void)state;
	request("a", 10);
	request("b", MSG_PAYLOAD_MAX + 1);
	request("c", 1000000);
	spin();
	assert_int_equal(f->n, 3);
	assert_int_equal(f->types[0], MSG_USER_REQUEST);
	assert_int_equal(f->lengths[0], 10);
	assert_int_equal(f->lengths[1], MSG_PAYLOAD_MAX + 1);
	assert_int_equal(f->lengths[2], 1000000);
	assert_int_equal(user_requests_count(f->ur), 3);
	reply(2, "c1", false);
	reply(0, "a1", false);
	reply(2, "c2", true);
	reply(0, "a2", false);
	spin();
	assert_string_equal(f->sent, "c1;a1;c2;a2;");
	assert_int_equal(user_requests_count(f->ur), 2);
	/* After the last one there is none; nor to what was never asked. */
	reply(2, "c3", false);
	reply(2, "c4", true);
	reply_to(f->numbers[2] + 17, "x1", true);
	reply(1, "b1", true);
	spin();
	assert_string_equal(f->sent, "c1;a1;c2;a2;b1;");
	assert_false(f->broken);
	assert_int_equal(user_requests_count(f->ur), 1);
}

static void
test_refuse(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	request("c", 10);
	request("d", 10);
	spin();
	refuse(f->numbers[1], 400);
	refuse(f->numbers[0], 413);
	refuse(f->numbers[2], 503);
	refuse(f->numbers[2], 503);
	refuse(f->numbers[0] + 99, 400);
	spin();
	assert_string_equal(f->sent,
	    "!b:malformed request;!a:request too large;"
	    "!c:too many requests at once; try again;");
	assert_int_equal(user_requests_count(f->ur), 1);
	refuse(f->numbers[3], 502);
	spin();
	assert_true(f->broken);
	assert_non_null(strstr(f->sent, "!d:" LOST ";"));
}

/* As long as they are: one message of the WebSocket each. */
static void
test_lengths(void **state)
{
	static const size_t lengths[] = { 1, 65519, 65520, 65521, 131040,
		131041, 200000 };
	static char text[200000];
	size_t i, k, at, n;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (i = 0; i < 2 * COUNT(lengths); i++) {
		request("a", 10);
		spin();
		f->nsent = f->sent_len = 0;
		for (at = 0, k = 0; at < lengths[i / 2]; at += n, k++) {
			n = lengths[i / 2] - at;
			if (n > MSG_PAYLOAD_MAX)
				n = MSG_PAYLOAD_MAX;
			send_part(i % 2 == 0 ? MSG_REPLY : MSG_REPLY_LAST,
			    f->numbers[i], text, n, at + n < lengths[i / 2]);
			spin();
			assert_int_equal(
			    f->in_message, at + n < lengths[i / 2]);
		}
		assert_int_equal(f->nsent, 1);
		assert_int_equal(f->sent_len, lengths[i / 2]);
		assert_int_equal(f->connector.counters.replies, i + 1);
		assert_int_equal(user_requests_count(f->ur), (i + 2) / 2);
		assert_int_equal(user_requests_unanswered(f->ur), 0);
	}
	assert_false(f->broken);
}

/* What comes before the part in question, and whether it may come. */
static const struct {
	const char *what;
	struct {
		enum msg_type type;
		size_t i; /* of the request */
		const char *text;
		bool more;
	} parts[4];
	const char *sent; /* before the end of proxyd */
	bool broken;
	size_t left; /* that still wait */
} orders[] = {
	{ "parts of one",
	    { { MSG_REPLY, 0, "a", true }, { MSG_REPLY, 0, "b", true },
		{ MSG_REPLY, 0, "c", false } },
	    "a+b+c;", false, 3 },
	{ "parts of the last",
	    { { MSG_REPLY_LAST, 0, "a", true },
		{ MSG_REPLY_LAST, 0, "b", false } },
	    "a+b;", false, 2 },
	{ "an empty last part",
	    { { MSG_REPLY_LAST, 0, "a", true },
		{ MSG_REPLY_LAST, 0, "", false } },
	    "a+;", false, 2 },
	{ "a silent end", { { MSG_REPLY_LAST, 0, "", false } }, "", false, 2 },
	{ "a silent end later",
	    { { MSG_REPLY, 0, "a", false }, { MSG_REPLY_LAST, 0, "", false },
		{ MSG_REPLY, 0, "b", false } },
	    "a;", false, 2 },
	{ "no silent end",
	    { { MSG_REPLY_LAST, 0, "", true },
		{ MSG_REPLY_LAST, 0, "", false } },
	    "+;", false, 2 },
	{ "another number",
	    { { MSG_REPLY, 0, "a", true }, { MSG_REPLY, 1, "b", false } },
	    "a+;", true, 0 },
	{ "another number, silently",
	    { { MSG_REPLY, 0, "a", true }, { MSG_REPLY_LAST, 1, "", false } },
	    "a+;", true, 0 },
	{ "another type",
	    { { MSG_REPLY, 0, "a", true }, { MSG_REPLY_LAST, 0, "b", false } },
	    "a+;", true, 0 },
	{ "another type, silently",
	    { { MSG_REPLY, 0, "a", true }, { MSG_REPLY_LAST, 0, "", false } },
	    "a+;", true, 0 },
	{ "the other type",
	    { { MSG_REPLY_LAST, 0, "a", true }, { MSG_REPLY, 0, "b", false } },
	    "a+;", true, 0 },
	{ "an unknown number",
	    { { MSG_REPLY, 0, "a", true }, { MSG_REPLY, 3, "b", false } },
	    "a+;", true, 0 },
	{ "an unknown number before",
	    { { MSG_REPLY, 3, "a", true }, { MSG_REPLY, 0, "b", false } }, "b;",
	    false, 3 },
	{ "one after the other",
	    { { MSG_REPLY, 0, "a", true }, { MSG_REPLY, 0, "b", false },
		{ MSG_REPLY_LAST, 1, "c", true },
		{ MSG_REPLY_LAST, 1, "d", false } },
	    "a+b;c+d;", false, 2 },
};

static void
test_orders(void **state)
{
	char expected[256];
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(orders); i++) {
		f->n = 0;
		f->sent[0] = '\0';
		f->broken = false;
		request("a", 10);
		request("b", 10);
		request("c", 10);
		spin();
		f->numbers[3] = f->numbers[0] + 1000;
		for (k = 0; k < 4 && orders[i].parts[k].text != NULL; k++)
			send_part(orders[i].parts[k].type,
			    f->numbers[orders[i].parts[k].i],
			    orders[i].parts[k].text,
			    strlen(orders[i].parts[k].text),
			    orders[i].parts[k].more);
		spin();
		(void)snprintf(expected, sizeof(expected), "%s%s",
		    orders[i].sent,
		    orders[i].broken ? "!a:" LOST ";!b:" LOST ";!c:" LOST ";"
				     : "");
		if (strcmp(f->sent, expected) != 0 ||
		    f->broken != orders[i].broken ||
		    user_requests_count(f->ur) != orders[i].left)
			fail_msg("%s: %s, %d, %zu", orders[i].what, f->sent,
			    f->broken, user_requests_count(f->ur));
		if (!f->broken)
			lose_proxyd();
		attach_proxyd();
	}
	assert_int_equal(f->nbehind, 0);
}

/* While an answer is half out no reply may come. */
static void
test_within_answer(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	f->connector.relay =
	    (struct relay){ true, MSG_ANSWER, f->numbers[0], 0 };
	reply(0, "a1", false);
	spin();
	assert_true(f->broken);
	assert_string_equal(f->sent, "!a:" LOST ";");
}

/* A refusal may come within the message of another one only. */
static void
test_refuse_within(void **state)
{
	static const enum msg_type types[] = { MSG_REPLY, MSG_REPLY_LAST };
	size_t i;

	(void)state;
	request("a", 10);
	request("b", 10);
	spin();
	send_part(MSG_REPLY, f->numbers[0], "a1", 2, true);
	refuse(f->numbers[1], 503);
	spin();
	assert_false(f->broken);
	assert_int_equal(f->nbehind, 1);
	send_part(MSG_REPLY, f->numbers[0], "a2", 2, false);
	spin();
	for (i = 0; i < COUNT(types); i++) {
		f->n = 0;
		f->sent[0] = '\0';
		f->broken = false;
		request("c", 10);
		spin();
		send_part(types[i], f->numbers[0], "c1", 2, true);
		refuse(f->numbers[0], 503);
		spin();
		assert_true(f->broken);
		assert_memory_equal(f->sent, "c1+;!", 5);
		attach_proxyd();
	}
}

/* A message that is half out ends before the errors, in each case. */
static void
test_cut(void **state)
{
	static const enum msg_type types[] = { MSG_REPLY, MSG_REPLY_LAST };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		f->n = 0;
		f->sent[0] = '\0';
		request("a", 10);
		request("b", 10);
		spin();
		send_part(types[i], f->numbers[1], "b1", 2, true);
		spin();
		user_requests_stop(f->ur, STOP);
		assert_string_equal(f->sent, "b1+;!a:" STOP ";!b:" STOP ";");
		/* The rest of it is on its way, and the next one. */
		send_part(types[i], f->numbers[1], "b2", 2, true);
		send_part(types[i], f->numbers[1], "b3", 2, false);
		request("c", 10);
		spin();
		reply(2, "c1", false);
		spin();
		assert_string_equal(f->sent, "b1+;!a:" STOP ";!b:" STOP ";c1;");
		send_part(types[i], f->numbers[2], "c2", 2, true);
		spin();
		/* Gone with the connection: the next one knows nothing. */
		f->in_message = false;
		relay_forget(&f->connector);
		user_requests_on_link_down(f->ur);
		send_part(types[i], f->numbers[2], "c3", 2, false);
		request("d", 10);
		spin();
		f->sent[0] = '\0';
		reply(3, "d1", true);
		spin();
		assert_string_equal(f->sent, "d1;");
		assert_false(f->broken);
	}
	assert_int_equal(f->nbehind, 0);
}

/* Several numbers have one request_id: it gets one last reply. */
static void
test_same_id(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	request("a", 10);
	request("ab", 10);
	request("a", 10);
	spin();
	assert_int_equal(f->n, 5);
	reply(0, "a1", false);
	reply(2, "", true);
	spin();
	assert_int_equal(user_requests_count(f->ur), 4);
	/* A refusal ends what it belongs to, which is not all of that. */
	refuse(f->numbers[4], 503);
	spin();
	assert_string_equal(
	    f->sent, "a1;?a:too many requests at once; try again;");
	request("a", 10);
	spin();
	f->sent[0] = '\0';
	channel_pause(f->proxyd);
	request("big", LARGE);
	request("a", 10);
	request("c", 30);
	request("big", 20);
	assert_int_equal(user_requests_count(f->ur), 8);
	lose_proxyd();
	assert_string_equal(
	    f->sent, "!a:" LOST ";!b:" LOST ";!ab:" LOST ";!big:" LOST ";");
	/* What followed one that is lost is so, too. */
	assert_int_equal(user_requests_count(f->ur), 1);
	attach_proxyd();
	spin();
	assert_int_equal(f->n, 7);
	assert_int_equal(f->lengths[6], 30);
	/* Told to stop, those that wait get no second one either. */
	channel_pause(f->proxyd);
	request("big", LARGE);
	request("c", 10);
	request("d", 10);
	request("d", 10);
	f->sent[0] = '\0';
	user_requests_refuse(f->ur, STOP);
	request("c", 10);
	request("e", 10);
	user_requests_stop(f->ur, STOP);
	assert_string_equal(f->sent,
	    "?c:" STOP ";!e:" STOP ";!c:" STOP ";!big:" STOP ";!d:" STOP ";");
	assert_int_equal(user_requests_count(f->ur), 0);
	uploads_clear(f->connector.uploads);
}

/* Too many: what follows one that is there does not end it. */
static void
test_too_many_of_one(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < USER_REQUESTS_MAX; i++)
		request("x", 10);
	spin();
	request("x", 10);
	assert_string_equal(f->sent, "?x:too many requests at once;");
	lose_proxyd();
	assert_string_equal(
	    f->sent, "?x:too many requests at once;!x:" LOST ";");
}

static void
test_proxyd_lost(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	spin();
	reply(0, "a1", false);
	spin();
	lose_proxyd();
	assert_string_equal(f->sent, "a1;!a:" LOST ";!b:" LOST ";");
	assert_int_equal(user_requests_count(f->ur), 0);
	/* What had not begun waits for the next one. */
	request("c", 30);
	assert_false(f->ws_paused);
	assert_int_equal(user_requests_count(f->ur), 1);
	attach_proxyd();
	reply(1, "b1", true);
	spin();
	assert_false(f->ws_paused);
	assert_int_equal(f->n, 3);
	assert_int_equal(f->lengths[2], 30);
	assert_string_equal(f->sent, "a1;!a:" LOST ";!b:" LOST ";");
	/* What was half there is lost. */
	channel_pause(f->proxyd);
	request("d", LARGE);
	request("e", 40);
	assert_true(f->ws_paused);
	f->sent[0] = '\0';
	lose_proxyd();
	assert_string_equal(f->sent, "!c:" LOST ";!d:" LOST ";");
	attach_proxyd();
	spin();
	assert_int_equal(f->n, 4);
	assert_int_equal(f->lengths[3], 40);
}

/* The connection is gone: nobody waits, and late replies are dropped. */
static void
test_link_down(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	reply(0, "a1", false);
	spin();
	f->up = false;
	user_requests_on_link_down(f->ur);
	uploads_clear(f->connector.uploads);
	assert_int_equal(user_requests_count(f->ur), 0);
	reply(0, "a2", false);
	spin();
	f->up = true;
	reply(0, "a3", true);
	refuse(f->numbers[0], 503);
	request("b", 10);
	spin();
	assert_true(f->numbers[1] != f->numbers[0]);
	reply(1, "b1", true);
	spin();
	assert_string_equal(f->sent, "a1;b1;");
	assert_false(f->broken);
}

/* The orchestrator does not read: proxyd has to wait. */
static void
test_link_full(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	f->full = true;
	reply(0, "a1", false);
	reply(0, "a2", false);
	spin();
	assert_string_equal(f->sent, "a1;");
	f->full = false;
	channel_resume(f->connector.child.peers[PROGRAM_PROXYD]);
	spin();
	assert_string_equal(f->sent, "a1;a2;");
}

static void
test_too_many(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < USER_REQUESTS_MAX; i++)
		request("x", 10);
	request("y", 10);
	assert_string_equal(f->sent,
	    "?y:too many requests at once;!y:too many requests at once;");
	spin();
	assert_int_equal(f->n, USER_REQUESTS_MAX);
	assert_int_equal(user_requests_count(f->ur), USER_REQUESTS_MAX);
	reply(7, "end", true);
	spin();
	f->sent[0] = '\0';
	request("z", 10);
	request("y", 10);
	spin();
	assert_int_equal(f->n, USER_REQUESTS_MAX + 1);
	assert_string_equal(f->sent,
	    "?y:too many requests at once;!y:too many requests at once;");
	/* Those that wait count as well. */
	lose_proxyd();
	f->sent[0] = '\0';
	for (i = 0; i < USER_REQUESTS_MAX; i++)
		request("w", 10);
	assert_string_equal(f->sent, "");
	request("y", 10);
	assert_int_equal(user_requests_count(f->ur), USER_REQUESTS_MAX);
	assert_memory_equal(f->sent, "?y:", 3);
}

static void
test_stop(void **state)
{
	struct evbuffer *text = text_of(10);
	struct requests *others = requests_new();

	(void)state;
	request("a", 10);
	spin();
	channel_pause(f->proxyd);
	request("b", LARGE);
	request("c", 10);
	uploads_add(f->connector.uploads, MSG_REQUEST, others, "http", 4, text,
	    INT64_MAX);
	request("d", 10);
	assert_int_equal(user_requests_count(f->ur), 4);
	assert_int_equal(uploads_count(f->connector.uploads, MSG_REQUEST), 1);
	f->connector.child.stopping = true;
	user_requests_refuse(f->ur, STOP);
	request("e", 10);
	assert_string_equal(f->sent, "!e:" STOP ";");
	user_requests_stop(f->ur, STOP);
	assert_string_equal(f->sent,
	    "!e:" STOP ";!a:" STOP ";!b:" STOP ";!c:" STOP ";!d:" STOP ";");
	assert_int_equal(user_requests_count(f->ur), 0);
	/* Requests are not its business. */
	assert_int_equal(uploads_count(f->connector.uploads, MSG_REQUEST), 1);
	uploads_clear(f->connector.uploads);
	requests_free(others);
	evbuffer_free(text);
}

/* Both kinds go through one queue, each with numbers of its own. */
static void
test_kinds(void **state)
{
	struct requests *others = requests_new();
	struct evbuffer *text;
	size_t i;

	(void)state;
	channel_pause(f->proxyd);
	request("a", LARGE);
	for (i = 0; i < 3; i++) {
		text = text_of(20);
		uploads_add(f->connector.uploads, MSG_REQUEST, others, "http",
		    4, text, INT64_MAX);
		evbuffer_free(text);
		request("b", 10);
	}
	assert_int_equal(requests_count(others), 0);
	channel_resume(f->proxyd);
	spin();
	assert_int_equal(f->n, 7);
	assert_int_equal(requests_count(others), 3);
	assert_int_equal(user_requests_count(f->ur), 4);
	for (i = 1; i < 7; i++) {
		assert_int_equal(
		    f->types[i], i % 2 == 1 ? MSG_REQUEST : MSG_USER_REQUEST);
		assert_int_equal(f->lengths[i], i % 2 == 1 ? 20 : 10);
	}
	assert_non_null(requests_get(others, f->numbers[1], NULL));
	requests_free(others);
}

/* One that was answered once may go on for ever. */
static void
test_unanswered(void **state)
{
	(void)state;
	assert_int_equal(user_requests_unanswered(f->ur), 0);
	channel_pause(f->proxyd);
	request("a", LARGE);
	request("b", 10);
	request("c", 10);
	assert_int_equal(user_requests_unanswered(f->ur), 3);
	channel_resume(f->proxyd);
	spin();
	assert_int_equal(user_requests_unanswered(f->ur), 3);
	reply(0, "a1", false);
	reply(1, "b1", true);
	spin();
	assert_int_equal(user_requests_unanswered(f->ur), 1);
	reply(0, "a2", false);
	spin();
	assert_int_equal(user_requests_unanswered(f->ur), 1);
	reply(0, "a3", true);
	spin();
	assert_int_equal(user_requests_unanswered(f->ur), 1);
	assert_int_equal(user_requests_count(f->ur), 1);
	assert_int_equal(f->connector.counters.replies, 4);
	assert_int_equal(f->connector.counters.reply_bytes, 8);
}

/* No new ones, until there is another connection. */
static void
test_refuse_new(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	user_requests_refuse(f->ur, "later");
	request("b", 10);
	reply(0, "a1", false);
	spin();
	assert_string_equal(f->sent, "!b:later;a1;");
	user_requests_stop(f->ur, "now");
	assert_string_equal(f->sent, "!b:later;a1;!a:now;");
	assert_int_equal(user_requests_count(f->ur), 0);
	user_requests_on_link_down(f->ur);
	request("c", 10);
	spin();
	assert_int_equal(f->n, 2);
	/* The end is the end. */
	f->connector.child.stopping = true;
	user_requests_refuse(f->ur, STOP);
	user_requests_on_link_down(f->ur);
	request("d", 10);
	assert_string_equal(f->sent, "!b:later;a1;!a:now;!d:" STOP ";");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_replies),
		TEST(test_refuse),
		TEST(test_lengths),
		TEST(test_orders),
		TEST(test_within_answer),
		TEST(test_refuse_within),
		TEST(test_cut),
		TEST(test_same_id),
		TEST(test_too_many_of_one),
		TEST(test_proxyd_lost),
		TEST(test_link_down),
		TEST(test_link_full),
		TEST(test_too_many),
		TEST(test_stop),
		TEST(test_kinds),
		TEST(test_unanswered),
		TEST(test_refuse_new),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
