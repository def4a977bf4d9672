#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <string.h>

#include "common/ws_internal.h"

/*
 * Frames are read here and not by wslay, which unmasks byte by byte in a
 * buffer of its own: that was a quarter of what a large message costs.
 */
struct ws_header {
	bool fin;
	uint8_t rsv;
	uint8_t opcode;
	bool masked;
	uint64_t len;
	uint8_t mask[4];
};

/* Where bits are numbered from the left, as in RFC 6455 section 5.2. */
#define HEADER_FIN    0x80
#define HEADER_RSV    0x70
#define HEADER_OPCODE 0x0f
#define HEADER_MASK   0x80
#define HEADER_LEN    0x7f

static uint64_t
ws_header_number(const uint8_t *p, size_t n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | *p++;
	return value;
}

/* Read a header from len bytes: its size, 0 if it is cut, -1 if it is bad. */
static int
ws_header_read(struct ws_header *h, const uint8_t *p, size_t len)
{
	size_t extra = 0, size;

	if (len < 2)
		return 0;
	memset(h, 0, sizeof(*h));
	h->fin = (p[0] & HEADER_FIN) != 0;
	h->rsv = p[0] & HEADER_RSV;
	h->opcode = p[0] & HEADER_OPCODE;
	h->masked = (p[1] & HEADER_MASK) != 0;
	h->len = p[1] & HEADER_LEN;
	if (wslay_is_ctrl_frame(h->opcode) &&
	    (!h->fin || h->len > WS_CONTROL_MAX))
		return -1;
	if (h->len == 126)
		extra = 2;
	else if (h->len == 127)
		extra = 8;
	size = 2 + extra + (h->masked ? sizeof(h->mask) : 0);
	if (len < size)
		return 0;
	if (extra > 0)
		h->len = ws_header_number(p + 2, extra);
	/* The shortest form is the only one, and the highest bit is zero. */
	if ((extra == 2 && h->len < 126) ||
	    (extra == 8 && (h->len <= UINT16_MAX || h->len > INT64_MAX)))
		return -1;
	if (h->masked)
		memcpy(h->mask, p + 2 + extra, sizeof(h->mask));
	return (int)size;
}

/* A frame begins: check all that its header says. */
static void
ws_frame_begin(struct ws *ws, const struct ws_header *h)
{
	ws->in_frame = true;
	ws->fin = h->fin;
	ws->opcode = h->opcode;
	ws->left = h->len;
	ws->at = 0;
	memcpy(ws->mask, h->mask, sizeof(ws->mask));
	ws->ncontrol = 0;
	if (h->rsv != 0 || h->masked != (ws->role == WS_SERVER)) {
		ws_fail(ws, WS_CLOSE_PROTOCOL, "bad frame header");
	} else if (wslay_is_ctrl_frame(h->opcode)) {
		if (h->opcode > WSLAY_PONG)
			ws_fail(ws, WS_CLOSE_PROTOCOL, "unknown opcode");
	} else if (h->opcode > WSLAY_BINARY_FRAME) {
		ws_fail(ws, WS_CLOSE_PROTOCOL, "unknown opcode");
	} else if ((h->opcode == WSLAY_CONTINUATION_FRAME) == (ws->type == 0)) {
		ws_fail(ws, WS_CLOSE_PROTOCOL, "fragments out of order");
	} else if (ws->message != NULL &&
		   h->len >
		       ws->message_max - evbuffer_get_length(ws->message)) {
		ws_fail(ws, WS_CLOSE_TOO_BIG, "message too big");
	} else if (h->opcode != WSLAY_CONTINUATION_FRAME) {
		ws->type = h->opcode;
		memset(&ws->utf8, 0, sizeof(ws->utf8));
	}
}

/* Undo the mask, eight bytes at a time. */
static void
ws_unmask(struct ws *ws, uint8_t *p, size_t len)
{
	uint8_t key[8];
	uint64_t mask, word;
	size_t i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = ws->mask[(ws->at + i) % sizeof(ws->mask)];
	memcpy(&mask, key, sizeof(mask));
	for (i = 0; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		word ^= mask;
		memcpy(p + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		p[i] ^= key[i % sizeof(key)];
	ws->at = (ws->at + len) % sizeof(ws->mask);
}

/* Payload for part(); its end is also the message's where that is fin. */
static void
ws_part(struct ws *ws, const uint8_t *data, size_t len, bool fin)
{
	enum ws_type type = ws->type;

	if (fin && type == WS_TEXT && !utf8_complete(&ws->utf8)) {
		ws_fail(ws, WS_CLOSE_INVALID, "text is not UTF-8");
		return;
	}
	if (fin)
		ws->type = 0;
	ws->ops->part(ws->arg, ws, type, data, len, fin);
}

static void
ws_frame_data(struct ws *ws, const uint8_t *data, size_t len)
{
	ws->left -= len;
	if (wslay_is_ctrl_frame(ws->opcode)) {
		/* Their headers say that they fit. */
		memcpy(ws->control + ws->ncontrol, data, len);
		ws->ncontrol += len;
		return;
	}
	if (ws->state != WS_OPEN)
		return; /* after our close frame nobody wants messages */
	if (ws->type == WS_TEXT && !utf8_feed(&ws->utf8, data, len))
		ws_fail(ws, WS_CLOSE_INVALID, "text is not UTF-8");
	else if (ws->message == NULL)
		ws_part(ws, data, len, ws->fin && ws->left == 0);
	else if (len > 0 && evbuffer_add(ws->message, data, len) == -1)
		ws_fail(ws, WS_CLOSE_TOO_BIG, "out of memory");
}

/* Codes that may stand in a close frame (RFC 6455 section 7.4). */
static bool
ws_code_valid(uint16_t code)
{
	if (code >= 1000 && code <= 1014)
		return code != 1004 && code != WS_CLOSE_NO_STATUS &&
		       code != WS_CLOSE_ABNORMAL;
	return code >= 3000 && code <= 4999;
}

static void
ws_close_frame(struct ws *ws)
{
	char reason[WS_REASON_SIZE] = "";
	uint16_t code = WS_CLOSE_NO_STATUS;

	if (ws->ncontrol == 1) {
		ws_fail(ws, WS_CLOSE_PROTOCOL, "bad close frame");
		return;
	}
	if (ws->ncontrol >= 2) {
		code = (uint16_t)(ws->control[0] << 8 | ws->control[1]);
		memcpy(reason, ws->control + 2, ws->ncontrol - 2);
		if (!ws_code_valid(code)) {
			ws_fail(ws, WS_CLOSE_PROTOCOL, "bad close code");
			return;
		}
		if (!utf8_valid(ws->control + 2, ws->ncontrol - 2)) {
			ws_fail(
			    ws, WS_CLOSE_INVALID, "close reason is not UTF-8");
			return;
		}
	}
	ws_close_received(ws, code, reason);
}

static void
ws_message_end(struct ws *ws)
{
	enum ws_type type = ws->type;

	if (ws->message == NULL) {
		/* An empty frame: else the last part has been there. */
		if (ws->type != 0 && ws->state == WS_OPEN)
			ws_part(ws, NULL, 0, true);
		ws->type = 0;
		return;
	}
	ws->type = 0;
	if (ws->state == WS_OPEN) {
		if (type == WS_TEXT && !utf8_complete(&ws->utf8)) {
			ws_fail(ws, WS_CLOSE_INVALID, "text is not UTF-8");
			return;
		}
		ws->ops->message(ws->arg, ws, type, ws->message);
	}
	(void)evbuffer_drain(ws->message, evbuffer_get_length(ws->message));
}

static void
ws_frame_end(struct ws *ws)
{
	ws->in_frame = false;
	switch (ws->opcode) {
	case WSLAY_CONNECTION_CLOSE:
		ws_close_frame(ws);
		break;
	case WSLAY_PING:
		ws_pong(ws, ws->control, ws->ncontrol);
		break;
	case WSLAY_PONG:
		if (ws->state == WS_OPEN && ws->ops->pong != NULL)
			ws->ops->pong(ws->arg, ws);
		break;
	default:
		if (ws->fin)
			ws_message_end(ws);
		break;
	}
}

static bool
ws_listens(const struct ws *ws)
{
	return !ws->paused && (ws->state == WS_OPEN || ws->state == WS_CLOSING);
}

/* Take a header from the input; false if there is none, or a bad one. */
static bool
ws_take_header(struct ws *ws, struct evbuffer *input)
{
	struct ws_header header;
	uint8_t bytes[WS_HEADER_MAX];
	ev_ssize_t n = evbuffer_copyout(input, bytes, sizeof(bytes));
	int size = ws_header_read(&header, bytes, n > 0 ? (size_t)n : 0);

	if (size == -1)
		ws_fail(ws, WS_CLOSE_PROTOCOL, "bad frame header");
	if (size <= 0)
		return false;
	(void)evbuffer_drain(input, (size_t)size);
	ws_frame_begin(ws, &header);
	return ws_listens(ws);
}

/* Take payload from the input, as far as it is there in one piece. */
static bool
ws_take_payload(struct ws *ws, struct evbuffer *input)
{
	struct evbuffer_iovec piece;
	size_t len;

	if (ws->left == 0)
		return true;
	/* An empty buffer may hold an empty piece. */
	if (evbuffer_peek(input, -1, NULL, &piece, 1) < 1 || piece.iov_len == 0)
		return false;
	len = piece.iov_len < ws->left ? piece.iov_len : (size_t)ws->left;
	/* In place: nobody else sees what bufferevents read. */
	if (ws->role == WS_SERVER)
		ws_unmask(ws, piece.iov_base, len);
	ws_frame_data(ws, piece.iov_base, len);
	/* Where part() freed the ws, the input is gone. */
	if (ws->bev != NULL)
		(void)evbuffer_drain(input, len);
	return ws_listens(ws);
}

void
ws_receive(struct ws *ws)
{
	struct evbuffer *input;

	while (ws_listens(ws)) {
		input = bufferevent_get_input(ws->bev);
		if (!ws->in_frame && !ws_take_header(ws, input))
			break;
		if (!ws_take_payload(ws, input))
			break;
		if (ws->left == 0)
			ws_frame_end(ws);
	}
	/* Unread input would turn our hanging up into a reset. */
	if (ws->bev != NULL && ws->state > WS_CLOSING)
		(void)evbuffer_drain(bufferevent_get_input(ws->bev),
		    evbuffer_get_length(bufferevent_get_input(ws->bev)));
}

bool
ws_is_receiving(const struct ws *ws)
{
	return ws->type != 0;
}
