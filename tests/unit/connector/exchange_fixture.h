#ifndef TESTS_UNIT_CONNECTOR_EXCHANGE_FIXTURE_H
#define TESTS_UNIT_CONNECTOR_EXCHANGE_FIXTURE_H

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

#include "common/link.h"
#include "common/log.h"
#include "common/ws.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/exchange.h"
#include "connector/outgoing.h"
#include "connector/requests.h"
#include "connector/uploads.h"
#include "connector/user_requests.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define NUMBERS_MAX 64
#define MESSAGE_MAX 1234567
#define LARGE	    8000000 /* more than a channel's socket takes */

/* The exchange, and a proxyd that the test plays. */
static struct fixture {
	struct event_base *base;
	struct connector connector;
	struct exchange *ex;
	struct channel *proxyd; /* its end */
	/* what proxyd got */
	char notes[4096];
	uint64_t numbers[NUMBERS_MAX];
	size_t lengths[NUMBERS_MAX];
	size_t n; /* whole requests */
	size_t len;
	/* what the orchestrator got: "text;" and "!status:id;" */
	char sent[8192];
	bool in_message;
	bool up, full, ws_paused, half_is_lost;
	unsigned drained;
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

void
outgoing_error(struct connector *connector, const char *request_id, size_t len,
    int status, const char *text)
{
	size_t n = strlen(f->sent);

	assert_ptr_equal(connector, &f->connector);
	assert_false(f->in_message); /* it would never get out */
	assert_true(text[0] != '\0');
	(void)snprintf(f->sent + n, sizeof(f->sent) - n, "!%d:%.*s;", status,
	    (int)len, request_id);
}

void
user_requests_give_up(
    struct user_requests *ur, uint64_t number, const char *text)
{
	size_t n = strlen(f->sent);

	(void)ur;
	assert_true(text[0] != '\0');
	assert_false(f->in_message);
	(void)snprintf(f->sent + n, sizeof(f->sent) - n, "?%llu;",
	    (unsigned long long)number);
}

static void
note(const char *text)
{
	(void)strlcat(f->notes, text, sizeof(f->notes));
	(void)strlcat(f->notes, " ", sizeof(f->notes));
}

static int
on_request(void *arg, struct msg *m)
{
	(void)arg;
	assert_in_range(f->n, 0, NUMBERS_MAX - 1);
	if (f->len > 0)
		assert_true(f->numbers[f->n] == m->id);
	f->numbers[f->n] = m->id;
	f->len += m->len;
	if ((m->flags & MSG_FLAG_MORE) != 0)
		return 0;
	f->lengths[f->n++] = f->len;
	f->len = 0;
	return 0;
}

static int
on_link_up(void *arg, struct msg *m)
{
	struct link_up up;
	char text[64];

	(void)arg;
	assert_int_equal(link_up_read(m, &up), 0);
	assert_int_equal(up.message_max, f->connector.conf.message_max);
	assert_string_equal(up.client_id, f->connector.conf.client_id);
	(void)snprintf(text, sizeof(text), "up:%u", up.capabilities);
	note(text);
	return 0;
}

static int
on_link_down(void *arg, struct msg *m)
{
	(void)arg;
	(void)m;
	note("down");
	return 0;
}

static int
on_answer_sent(void *arg, struct msg *m)
{
	char text[64];
	size_t i;

	(void)arg;
	for (i = 0; i < f->n && f->numbers[i] != m->id; i++)
		continue;
	(void)snprintf(text, sizeof(text), "sent:%zu", i);
	note(text);
	return 0;
}

static int
on_adopt(void *arg, struct msg *m)
{
	(void)arg;
	return exchange_on_adopt(f->ex, m);
}

static int
on_answer(void *arg, struct msg *m)
{
	(void)arg;
	return exchange_on_answer(f->ex, m);
}

static int
on_refuse(void *arg, struct msg *m)
{
	(void)arg;
	return exchange_on_refuse(f->ex, m);
}

static int
on_leave(void *arg, struct msg *m)
{
	(void)arg;
	(void)m;
	return uploads_hold(f->connector.uploads);
}

static int
on_leave_noted(void *arg, struct msg *m)
{
	char text[64];

	(void)arg;
	(void)m;
	/* A request that is not whole is one that nobody waits for. */
	assert_true(f->len == 0 || f->half_is_lost);
	(void)snprintf(text, sizeof(text), "noted:%zu", f->n);
	note(text);
	return 0;
}

static void
on_writable(void *arg, struct channel *ch)
{
	(void)arg;
	(void)ch;
	uploads_continue(f->connector.uploads);
}

static void
lose_proxyd(void)
{
	channel_free(f->connector.child.peers[PROGRAM_PROXYD]);
	f->connector.child.peers[PROGRAM_PROXYD] = NULL;
	channel_free(f->proxyd);
	f->proxyd = NULL;
	f->len = 0;
	exchange_on_proxyd_lost(f->ex);
}

/* As child.c does: proxyd misbehaved. */
static void
on_broken(void *arg, struct channel *ch, const char *why)
{
	(void)arg;
	(void)ch;
	note(why == NULL ? "end" : "broken");
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
		[MSG_ADOPT] = on_adopt,
		[MSG_ANSWER] = on_answer,
		[MSG_REFUSE] = on_refuse,
		[MSG_LEAVE] = on_leave,
	},
	.broken = on_broken,
	.writable = on_writable,
};

static const struct channel_ops proxyd_side = {
	.handlers = {
		[MSG_LINK_UP] = on_link_up,
		[MSG_LINK_DOWN] = on_link_down,
		[MSG_REQUEST] = on_request,
		[MSG_ANSWER_SENT] = on_answer_sent,
		[MSG_LEAVE_NOTED] = on_leave_noted,
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
	exchange_on_proxyd(f->ex);
}

static int
setup(void **state)
{
	static char client_id[] = "box";

	(void)state;
	f = calloc(1, sizeof(*f));
	if (f == NULL || (f->base = event_base_new()) == NULL)
		return -1;
	f->connector.child.self = PROGRAM_CONNECTOR;
	f->connector.child.base = f->base;
	f->connector.conf.client_id = client_id;
	f->connector.conf.message_max = MESSAGE_MAX;
	f->connector.conf.total_ms = 60000;
	f->connector.uploads = uploads_new(&f->connector);
	f->ex = exchange_new(&f->connector);
	attach_proxyd();
	f->up = true;
	exchange_link_up(f->ex, LINK_STATUS);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	exchange_free(f->ex);
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

static void
request(const char *request_id, size_t len)
{
	struct evbuffer *text = evbuffer_new();
	char *data = calloc(1, len + 1);

	assert_non_null(text);
	assert_non_null(data);
	evbuffer_add(text, data, len);
	exchange_request(f->ex, request_id, strlen(request_id), text);
	evbuffer_free(text);
	free(data);
}

static void
answer(size_t i, const char *text, bool more)
{
	struct evbuffer *data = evbuffer_new();
	struct evbuffer_ptr start;

	evbuffer_add(data, text, strlen(text));
	evbuffer_ptr_set(data, &start, 0, EVBUFFER_PTR_SET);
	assert_true(
	    channel_send_slice(f->proxyd, MSG_ANSWER, more ? MSG_FLAG_MORE : 0,
		f->numbers[i], data, &start, strlen(text)));
	evbuffer_free(data);
}

static void
refuse(uint64_t number, uint32_t status)
{
	struct msg_out m;

	msg_start(&m, MSG_REFUSE, number);
	msg_add_u32(&m, status);
	channel_send(f->proxyd, &m, -1);
}

static void
leave(void)
{
	channel_send_empty(f->proxyd, MSG_LEAVE, 0);
	spin();
}

static void
adopt(uint64_t number, const char *request_id)
{
	struct msg_out m;

	msg_start(&m, MSG_ADOPT, number);
	msg_add_str(&m, request_id);
	channel_send(f->proxyd, &m, -1);
}

#endif
