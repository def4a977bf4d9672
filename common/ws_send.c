#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <stdlib.h>
#include <string.h>

#include "common/ws_internal.h"

/* A frame that is not longer is copied to where it goes. */
#define WS_COPY_MAX 1024

static ssize_t
ws_write(const uint8_t *data, size_t len, int flags, void *arg)
{
	struct ws *ws = arg;

	(void)flags;
	return evbuffer_add(ws->frame, data, len) == 0 ? (ssize_t)len : -1;
}

static int
ws_mask(uint8_t *mask, size_t len, void *arg)
{
	(void)arg;
	arc4random_buf(mask, len);
	return 0;
}

/*
 * Frames are made aside and moved over whole, so that running out of memory
 * halfway leaves no torn frame in the output.  wslay's context lives as long
 * as that: it holds 4 KiB that an idle connection has no use for.
 */
static int
ws_make(struct ws *ws, uint8_t opcode, bool fin, const void *data, size_t len)
{
	static const struct wslay_frame_callbacks callbacks = {
		.send_callback = ws_write,
		.genmask_callback = ws_mask,
	};
	struct wslay_frame_iocb iocb = {
		.fin = fin,
		.opcode = opcode,
		.payload_length = len,
		.mask = ws->role == WS_CLIENT,
		.data = data,
		.data_length = len,
	};
	wslay_frame_context_ptr context;
	ssize_t n;

	if (evbuffer_expand(ws->frame, len + WS_HEADER_MAX) == -1 ||
	    wslay_frame_context_init(&context, &callbacks, ws) != 0)
		return -1;
	n = wslay_frame_send(context, &iocb);
	wslay_frame_context_free(context);
	if (n == (ssize_t)len)
		return 0;
	(void)evbuffer_drain(ws->frame, evbuffer_get_length(ws->frame));
	return -1;
}

/*
 * Each buffer that is moved keeps what it was allocated with, at least half a
 * kilobyte: a peer that pings and does not read would have 100 bytes of ours
 * for each of its own.  Small frames are copied, and lie side by side.
 */
static int
ws_move(struct ws *ws, struct evbuffer *to)
{
	size_t len = evbuffer_get_length(ws->frame);
	int rc;

	if (len > WS_COPY_MAX)
		return evbuffer_add_buffer(to, ws->frame);
	rc = evbuffer_add(to, evbuffer_pullup(ws->frame, -1), len);
	(void)evbuffer_drain(ws->frame, len);
	return rc;
}

int
ws_frame(struct ws *ws, uint8_t opcode, bool fin, const void *data, size_t len)
{
	if (ws_make(ws, opcode, fin, data, len) == -1 ||
	    ws_move(ws, bufferevent_get_output(ws->bev)) == -1)
		return -1;
	if (!ws_is_writable(ws))
		ws->blocked = true;
	return 0;
}

int
ws_frame_behind(
    struct ws *ws, uint8_t opcode, bool fin, const void *data, size_t len)
{
	if (ws_make(ws, opcode, fin, data, len) == -1 ||
	    ws_move(ws, ws->behind) == -1)
		return -1;
	if (!ws_is_writable(ws))
		ws->blocked = true;
	return 0;
}

int
ws_send(struct ws *ws, enum ws_type type, const void *data, size_t len)
{
	if (ws->state != WS_OPEN)
		return -1;
	if (ws->fragmented)
		return ws_frame_behind(ws, type, true, data, len);
	return ws_frame(ws, type, true, data, len);
}

int
ws_send_fragment(
    struct ws *ws, enum ws_type type, bool fin, const void *data, size_t len)
{
	uint8_t opcode = ws->fragmented ? WSLAY_CONTINUATION_FRAME : type;

	if (ws->state != WS_OPEN || ws_frame(ws, opcode, fin, data, len) == -1)
		return -1;
	ws->fragmented = !fin;
	if (fin && bufferevent_write_buffer(ws->bev, ws->behind) == -1)
		return -1;
	return 0;
}

int
ws_ping(struct ws *ws)
{
	if (ws->state != WS_OPEN)
		return -1;
	return ws_frame(ws, WSLAY_PING, true, NULL, 0);
}

void
ws_pong(struct ws *ws, const uint8_t *data, size_t len)
{
	if (ws->state != WS_OPEN)
		return;
	if (ws_is_writable(ws)) {
		(void)ws_frame(ws, WSLAY_PONG, true, data, len);
		return;
	}
	/*
	 * Pings may come faster than their answers are read.  Answering the
	 * latest of several is enough (RFC 6455 section 5.5.3).
	 */
	memcpy(ws->pong, data, len);
	ws->npong = len;
	ws->pong_due = true;
}

void
ws_send_close(struct ws *ws, uint16_t code, const char *reason)
{
	uint8_t payload[WS_CONTROL_MAX];
	size_t len = strnlen(reason, sizeof(payload) - 2);

	/* Do not cut a character in two. */
	while (len > 0 && ((uint8_t)reason[len] & 0xc0) == 0x80)
		len--;
	payload[0] = (uint8_t)(code >> 8);
	payload[1] = (uint8_t)code;
	memcpy(payload + 2, reason, len);
	len = code == WS_CLOSE_NO_STATUS ? 0 : len + 2;
	(void)ws_frame(ws, WSLAY_CONNECTION_CLOSE, true, payload, len);
}

size_t
ws_output_length(const struct ws *ws)
{
	if (ws->bev == NULL)
		return 0;
	return evbuffer_get_length(bufferevent_get_output(ws->bev)) +
	       evbuffer_get_length(ws->behind);
}

bool
ws_is_writable(const struct ws *ws)
{
	return ws->state == WS_OPEN && ws_output_length(ws) < WS_OUTPUT_HIGH;
}
