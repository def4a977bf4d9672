#include <event2/buffer.h>

#include "common/base64.h"
#include "common/json_scan.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "proxyd/chat.h"
#include "proxyd/chat_parts.h"
#include "proxyd/chat_tap.h"
#include "proxyd/escape.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/upstream_socket.h"

/* What is no JSON, as a member of an object; bytes have one more. */
#define RAW_BEGIN  "{\"raw\":\""
#define RAW_END	   "\"}"
#define RAW_BASE64 "\",\"encoding\":\"base64\"}"

/* Bytes of binary messages that are encoded at once; divisible by 3. */
#define ENCODE_STEP 3072

void
chat_down_init(struct chat *c)
{
	if ((c->down.text = evbuffer_new()) == NULL)
		fatal("chat");
}

void
chat_down_free(struct chat *c)
{
	evbuffer_free(c->down.text);
}

void
chat_down_drop(struct chat *c)
{
	evbuffer_drain(c->down.text, evbuffer_get_length(c->down.text));
}

/* In the place of a message. */
static void
say_too_long(struct chat *c)
{
	static const char text[] = "{\"error\":true,\"message\":"
				   "\"a message of the web app is too long\"}";

	log_debugx("chat: a message of the upstream is too long");
	reply_text(c->proxyd, c->number, c->id, text, sizeof(text) - 1);
}

static void
add(struct evbuffer *out, const void *data, size_t len)
{
	if (evbuffer_add(out, data, len) == -1)
		fatal("chat");
}

static void
add_base64(struct evbuffer *out, const uint8_t *data, size_t len)
{
	struct base64 state = { .nheld = 0 };
	char text[BASE64_SIZE(ENCODE_STEP)];
	size_t n;

	while (len > 0) {
		n = len < ENCODE_STEP ? len : ENCODE_STEP;
		add(out, text, base64_feed(&state, data, n, text));
		data += n;
		len -= n;
	}
	add(out, text, base64_finish(&state, text));
}

/*
 * Text that is no JSON.  Each of its bytes may take six: what becomes too
 * long is not made to the end.
 */
static bool
add_escaped(struct evbuffer *out, const uint8_t *data, size_t len, size_t max)
{
	struct escape state = { 0 };
	size_t n;

	while (len > 0 && evbuffer_get_length(out) <= max) {
		n = len < ENCODE_STEP ? len : ENCODE_STEP;
		if (escape_add(&state, out, data, n) != (ssize_t)n)
			return false;
		data += n;
		len -= n;
	}
	return len == 0;
}

static void
say_raw(struct chat *c, enum ws_type type, const uint8_t *data, size_t len)
{
	size_t max = reply_data_max(c->proxyd);
	struct evbuffer *raw = evbuffer_new();
	bool whole;

	if (raw == NULL)
		fatal("chat");
	add(raw, RAW_BEGIN, sizeof(RAW_BEGIN) - 1);
	if (type == WS_TEXT) {
		whole = add_escaped(raw, data, len, max);
		add(raw, RAW_END, sizeof(RAW_END) - 1);
	} else {
		whole = len / 3 * 4 <= max;
		if (whole)
			add_base64(raw, data, len);
		add(raw, RAW_BASE64, sizeof(RAW_BASE64) - 1);
	}
	len = evbuffer_get_length(raw);
	if (whole && len <= max)
		reply_text(
		    c->proxyd, c->number, c->id, evbuffer_pullup(raw, -1), len);
	else
		say_too_long(c);
	evbuffer_free(raw);
}

/* A message is whole. */
static void
say(struct chat *c, enum ws_type type)
{
	struct chat_down *down = &c->down;
	size_t len = evbuffer_get_length(down->text);
	const uint8_t *data = evbuffer_pullup(down->text, -1);

	if (down->too_long)
		say_too_long(c);
	else if (type == WS_TEXT &&
		 json_scan_text(data, len, c->proxyd->conf.json_depth))
		reply_text(c->proxyd, c->number, c->id, data, len);
	else
		say_raw(c, type, data, len);
	down->too_long = false;
	chat_down_drop(c);
}

/* Whether so much more of a message would be too long for anybody. */
static bool
is_too_long(const struct chat *c, size_t more)
{
	const struct proxyd *p = c->proxyd;

	return evbuffer_get_length(c->down.text) + more > reply_data_max(p) ||
	       p->buffered + more > p->conf.buffered_max;
}

void
chat_down_part(
    struct chat *c, enum ws_type type, const void *data, size_t len, bool fin)
{
	struct chat_down *down = &c->down;

	c->used_ms = monotonic_ms();
	chat_tap_down(c->tap, type, data, len, fin);
	if (!down->too_long && is_too_long(c, len)) {
		down->too_long = true;
		chat_down_drop(c);
	}
	if (!down->too_long && len > 0)
		add(down->text, data, len);
	if (fin)
		say(c, type);
	chat_count(c);
	chat_down_continue(c);
}

void
chat_down_continue(struct chat *c)
{
	bool full = !outbox_has_room(c->proxyd->outbox);

	if (c->socket == NULL || full == c->down.paused)
		return;
	c->down.paused = full;
	if (full)
		upstream_socket_pause(c->socket);
	else
		upstream_socket_resume(c->socket);
}
