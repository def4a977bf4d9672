#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include <string.h>

#include "common/ws_internal.h"

ssize_t
ws_read(uint8_t *data, size_t len, int flags, void *arg)
{
	struct ws *ws = arg;
	int n;

	(void)flags;
	n = evbuffer_remove(bufferevent_get_input(ws->bev), data, len);
	return n > 0 ? n : -1; /* wslay takes -1 as "not now" */
}

/* A frame begins: check all that its header says. */
static void
ws_frame_begin(struct ws *ws, const struct wslay_frame_iocb *frame)
{
	bool control = wslay_is_ctrl_frame(frame->opcode);

	ws->in_frame = true;
	ws->fin = frame->fin;
	ws->opcode = frame->opcode;
	ws->left = frame->payload_length;
	ws->ncontrol = 0;
	if (frame->rsv != 0 || frame->mask != (ws->role == WS_SERVER)) {
		ws_fail(ws, WS_CLOSE_PROTOCOL, "bad frame header");
	} else if (control) {
		if (frame->opcode > WSLAY_PONG)
			ws_fail(ws, WS_CLOSE_PROTOCOL, "unknown opcode");
	} else if (frame->opcode > WSLAY_BINARY_FRAME) {
		ws_fail(ws, WS_CLOSE_PROTOCOL, "unknown opcode");
	} else if ((frame->opcode == WSLAY_CONTINUATION_FRAME) ==
		   (ws->type == 0)) {
		ws_fail(ws, WS_CLOSE_PROTOCOL, "fragments out of order");
	} else if (frame->payload_length >
		   ws->message_max - evbuffer_get_length(ws->message)) {
		ws_fail(ws, WS_CLOSE_TOO_BIG, "message too big");
	} else if (frame->opcode != WSLAY_CONTINUATION_FRAME) {
		ws->type = frame->opcode;
		memset(&ws->utf8, 0, sizeof(ws->utf8));
	}
}

static void
ws_frame_data(struct ws *ws, const uint8_t *data, size_t len)
{
	ws->left -= len;
	if (wslay_is_ctrl_frame(ws->opcode)) {
		/* wslay refuses control frames that do not fit. */
		memcpy(ws->control + ws->ncontrol, data, len);
		ws->ncontrol += len;
		return;
	}
	if (ws->state != WS_OPEN)
		return; /* after our close frame nobody wants messages */
	if (ws->type == WS_TEXT && !utf8_feed(&ws->utf8, data, len))
		ws_fail(ws, WS_CLOSE_INVALID, "text is not UTF-8");
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

void
ws_receive(struct ws *ws)
{
	struct wslay_frame_iocb frame;
	ssize_t n;

	while (ws_listens(ws)) {
		memset(&frame, 0, sizeof(frame));
		if ((n = wslay_frame_recv(ws->frames, &frame)) ==
		    WSLAY_ERR_WANT_READ)
			break;
		if (n < 0) {
			ws_fail(ws, WS_CLOSE_PROTOCOL, "bad frame header");
			break;
		}
		if (!ws->in_frame)
			ws_frame_begin(ws, &frame);
		if (ws_listens(ws))
			ws_frame_data(ws, frame.data, frame.data_length);
		if (ws_listens(ws) && ws->left == 0)
			ws_frame_end(ws);
	}
	/* Unread input would turn our hanging up into a reset. */
	if (ws->bev != NULL && ws->state > WS_CLOSING)
		(void)evbuffer_drain(bufferevent_get_input(ws->bev),
		    evbuffer_get_length(bufferevent_get_input(ws->bev)));
}
