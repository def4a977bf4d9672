#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/utf8.h"
#include "common/ws.h"

/*
 * Any bytes as frames of a peer: taken as whole messages or in parts, at
 * once or in pieces, with pauses or without, the same must come out.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct outcome {
	struct ws *ws;
	struct evbuffer *got; /* each message behind its type and length */
	struct evbuffer *gathered;
	uint16_t code;
	bool closed;
	bool pausing;
};

static void
take(struct outcome *o, enum ws_type type, struct evbuffer *message)
{
	size_t len = evbuffer_get_length(message);

	if (type == WS_TEXT && !utf8_valid(evbuffer_pullup(message, -1), len))
		abort();
	evbuffer_add(o->got, &type, sizeof(type));
	evbuffer_add(o->got, &len, sizeof(len));
	evbuffer_add_buffer(o->got, message);
}

static void
on_message(
    void *arg, struct ws *ws, enum ws_type type, struct evbuffer *message)
{
	(void)ws;
	take(arg, type, message);
}

static void
on_part(void *arg, struct ws *ws, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	struct outcome *o = arg;

	if (len == 0 && !fin)
		abort();
	evbuffer_add(o->gathered, data, len);
	if (fin)
		take(o, type, o->gathered);
	if (o->pausing)
		ws_pause(ws);
}

static void
on_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	struct outcome *o = arg;

	(void)reason;
	(void)clean;
	if (o->closed)
		abort();
	o->closed = true;
	o->code = code;
	ws_free(ws);
	o->ws = NULL;
}

static const struct ws_ops whole = {
	.message = on_message,
	.closed = on_closed,
};
static const struct ws_ops parts = { .part = on_part, .closed = on_closed };

static void
spin(struct event_base *base, struct outcome *o)
{
	int i;

	for (i = 0; i < 4; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		if (o->pausing && o->ws != NULL)
			ws_resume(o->ws);
	}
}

static struct outcome
feed(const uint8_t *data, size_t size, size_t piece, enum ws_role role,
    const struct ws_ops *ops, bool pausing)
{
	struct event_base *base = event_base_new();
	struct outcome o = { .pausing = pausing };
	struct bufferevent *pair[2];
	size_t n;

	o.got = evbuffer_new();
	o.gathered = evbuffer_new();
	if (bufferevent_pair_new(base, BEV_OPT_CLOSE_ON_FREE, pair) == -1)
		abort();
	(void)bufferevent_enable(pair[1], EV_READ | EV_WRITE);
	o.ws = ws_new(pair[0], role, 1 << 20, ops, &o);
	for (; size > 0; data += n, size -= n) {
		n = size < piece ? size : piece;
		bufferevent_write(pair[1], data, n);
		spin(base, &o);
	}
	/* With pauses one part comes in each turn. */
	for (n = 0; n < 1000 && pausing && o.ws != NULL; n++)
		spin(base, &o);
	ws_free(o.ws);
	bufferevent_free(pair[1]);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
	return o;
}

static void
compare(struct outcome *a, struct outcome *b)
{
	size_t len = evbuffer_get_length(a->got);

	if (a->closed != b->closed || a->code != b->code ||
	    len != evbuffer_get_length(b->got) ||
	    (len > 0 && memcmp(evbuffer_pullup(a->got, -1),
			    evbuffer_pullup(b->got, -1), len) != 0))
		abort();
}

static void
forget(struct outcome *o)
{
	evbuffer_free(o->got);
	evbuffer_free(o->gathered);
}

/* The first byte says how: which role, in what pieces. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome all, pieces, paused;
	enum ws_role role;
	size_t piece;

	if (size < 2 || size > 2048)
		return 0;
	role = data[0] & 1 ? WS_SERVER : WS_CLIENT;
	piece = (size_t)(data[0] >> 1) + 1;
	all = feed(data + 1, size - 1, size, role, &whole, false);
	pieces = feed(data + 1, size - 1, piece, role, &parts, false);
	paused = feed(data + 1, size - 1, size, role, &parts, true);
	compare(&all, &pieces);
	compare(&all, &paused);
	forget(&all);
	forget(&pieces);
	forget(&paused);
	return 0;
}
