#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/log.h"
#include "proxyd/escape.h"
#include "proxyd/chats.h"
#include "proxyd/handles.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/rates.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnels.h"
#include "proxyd/user_requests.h"

/*
 * What a page and an upstream may do to a WebSocket ("A") and a stream
 * ("B"), in any order: the bounds of tunnel.h hold, and nothing is left.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct proxyd p;
static uint64_t number;

struct far {
	struct tunnel *tunnel;
	bool writable, paused;
};

static void
far_send(void *arg, const struct piece *piece)
{
	struct far *far = arg;

	if (far->tunnel->kind != TUNNEL_SOCKET || piece->len > TUNNEL_PIECE_MAX)
		abort();
}

static bool
far_is_writable(const void *arg)
{
	const struct far *far = arg;

	return far->writable;
}

static void
far_pause(void *arg)
{
	struct far *far = arg;

	if (far->paused)
		abort();
	far->paused = true;
}

static void
far_resume(void *arg)
{
	struct far *far = arg;

	if (!far->paused)
		abort();
	far->paused = false;
}

static bool
far_close(void *arg, uint16_t code, const char *reason)
{
	struct far *far = arg;

	if (code == 1006 || strlen(reason) > TUNNEL_REASON_MAX)
		abort();
	return far->tunnel->kind == TUNNEL_STREAM;
}

static void
far_free(void *arg)
{
	(void)arg;
}

static const struct tunnel_far_ops far_ops = {
	.send = far_send,
	.is_writable = far_is_writable,
	.pause = far_pause,
	.resume = far_resume,
	.close = far_close,
	.free = far_free,
};

/* Take up to a byte 0xff, or all that is left. */
static size_t
take(const uint8_t **data, size_t *size, const uint8_t **piece)
{
	const uint8_t *end = memchr(*data, 0xff, *size);
	size_t len = end != NULL ? (size_t)(end - *data) : *size;

	*piece = *data;
	*data += len + (end != NULL);
	*size -= len + (end != NULL);
	return len;
}

static void
ask(const char *id, const char *action, struct evbuffer *payload)
{
	struct evbuffer *text = evbuffer_new();

	evbuffer_add_printf(text,
	    "{\"request_id\":\"%s\",\"action\":\"%s\",\"payload\":", id,
	    action);
	evbuffer_add_buffer(text, payload);
	evbuffer_add(text, "}", 1);
	(void)user_requests_begin(&p, ++number, text);
	evbuffer_free(text);
}

/* A payload that is nearly right: for A or B, with a number and a string. */
static void
add_payload(struct evbuffer *out, uint8_t how, uint8_t n, const uint8_t *string,
    size_t len)
{
	static const char *const names[] = { "d", "b", "reason", "code" };

	evbuffer_add_printf(out,
	    "{\"id\":\"%c\",\"n\":%u,\"more\":%s,\"%s\":\"",
	    how & 1 ? 'B' : 'A', n, how & 2 ? "true" : "false",
	    names[how >> 2 & 3]);
	escape_add_text(out, (const char *)string, len);
	evbuffer_add_printf(
	    out, "\",\"code\":%u}", 1000 + 256u * (how >> 4) + n);
}

static void
say(const uint8_t **data, size_t *size, uint8_t op)
{
	static const char *const actions[] = { "tunnel.send", "tunnel.ack",
		"tunnel.close", "tunnel.pong", "stream.ack", "stream.cancel",
		"tunnel.open", "stream.open" };
	struct evbuffer *payload = evbuffer_new();
	const uint8_t *string, *head = *data;
	size_t len;

	if ((op & 8) != 0 || *size < 2) {
		len = take(data, size, &string);
		evbuffer_add(payload, string, len);
	} else {
		*data += 2;
		*size -= 2;
		len = take(data, size, &string);
		add_payload(payload, head[0], head[1], string, len);
	}
	ask("x", actions[op & 7], payload);
	evbuffer_free(payload);
}

/* What the upstream does to a tunnel. */
static void
act(struct far *far, const uint8_t **data, size_t *size, uint8_t op)
{
	static uint8_t large[65536];
	struct tunnel *t = far->tunnel;
	const uint8_t *bytes;
	size_t len;

	if (t == NULL || t->far == NULL)
		return;
	switch (op & 3) {
	case 0:
		len = take(data, size, &bytes);
		if (t->kind == TUNNEL_SOCKET && !far->paused)
			tunnel_part(t, WS_BINARY, bytes, len, (op & 4) != 0);
		else if (!far->paused)
			tunnel_part(t, WS_TEXT, bytes, len, false);
		break;
	case 1:
		if (!far->paused)
			tunnel_part(t, WS_BINARY, large, sizeof(large), true);
		break;
	case 2:
		far->writable = !far->writable;
		if (far->writable)
			tunnel_writable(t);
		break;
	default:
		tunnel_far_gone(t, 1000 + op, "gone", true);
		break;
	}
}

static struct tunnel *
open_tunnel(const char *id, const char *action, struct far *far)
{
	struct evbuffer *payload = evbuffer_new(), *head = evbuffer_new();

	evbuffer_add_printf(
	    payload, "{\"handle\":\"h\",\"path\":\"/\",\"method\":\"GET\"}");
	ask(id, action, payload);
	far->tunnel = tunnels_find(p.tunnels, id);
	far->writable = true;
	far->paused = false;
	far->tunnel->ops = &far_ops;
	far->tunnel->far = far;
	evbuffer_add_printf(head, "\"status\":200,\"headers\":[]");
	if (far->tunnel->kind == TUNNEL_SOCKET)
		tunnel_opened(far->tunnel, NULL);
	else
		tunnel_head(far->tunnel, head);
	evbuffer_free(head);
	evbuffer_free(payload);
	return far->tunnel;
}

static void
check(const struct tunnel *t)
{
	if (t->up.owed > TUNNEL_OWED_MAX ||
	    t->up.count > TUNNEL_OWED_COUNT_MAX ||
	    window_room(&t->down.window) > WINDOW_SIZE ||
	    t->up.filter.len > CHAT_FILTER_MAX ||
	    t->buffered >
		TUNNEL_OWED_MAX + CHAT_FILTER_MAX + 65536 + TUNNEL_GATHER ||
	    (t->state == TUNNEL_OVER && t->buffered > 0))
		abort();
}

static void
start_once(void)
{
	if (p.child.base != NULL)
		return;
	log_set_level(LOG_LEVEL_CRIT);
	p.child.base = event_base_new();
	p.conf.json_depth = 64;
	p.conf.headers_max = 16;
	p.conf.headers_size_max = 4096;
	p.conf.tunnels_max = p.conf.tunnels_user_max = 2;
	p.rates = rates_new(&p.conf);
	p.sessions = sessions_new(&p);
	p.handles = handles_new(&p);
	p.outbox = outbox_new(&p);
	p.chats = chats_new(&p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct far fars[2];
	struct tunnel *a, *b;
	int64_t now_ms = 1;
	uint8_t op;

	start_once();
	p.tunnels = tunnels_new(&p);
	a = open_tunnel("A", "tunnel.open", &fars[0]);
	b = open_tunnel("B", "stream.open", &fars[1]);
	a->up.mute = size > 0 && (*data & 0x40) != 0;
	while (size > 0) {
		op = *data++;
		size--;
		if (op < 0x80) {
			say(&data, &size, op);
		} else if (op < 0xc0) {
			act(&fars[op >> 5 & 1], &data, &size, op & 7);
		} else {
			now_ms += (op & 0x1f) * 1000;
			tunnel_tick(a, now_ms);
			tunnel_tick(b, now_ms);
			if ((op & 0x20) != 0)
				tunnel_ping(a);
		}
		check(a);
		check(b);
	}
	tunnels_free(p.tunnels);
	if (p.buffered != 0)
		abort();
	return 0;
}
