#ifndef COMMON_WS_INTERNAL_H
#define COMMON_WS_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include <wslay/wslay.h>

#include "common/utf8.h"
#include "common/ws.h"

/* Shared by ws.c, ws_recv.c and ws_send.c only. */

#define WS_HEADER_MAX  14  /* of a frame */
#define WS_CONTROL_MAX 125 /* payload of a control frame */
#define WS_REASON_SIZE 124 /* of a close frame, with a NUL */

enum ws_state {
	WS_OPEN,
	WS_CLOSING, /* we sent a close frame, the peer's is to come */
	WS_FAILED,  /* we sent one and no longer listen */
	WS_ENDING,  /* both were sent; ours is still on its way out */
	WS_OVER	    /* closed() is due, or done */
};

struct ws {
	struct bufferevent *bev;
	enum ws_role role;
	size_t message_max;
	const struct ws_ops *ops;
	void *arg;

	enum ws_state state;
	uint16_t code; /* for closed() */
	char reason[WS_REASON_SIZE];
	bool clean;
	bool failed; /* the peer broke the protocol */
	struct event close_timer;

	/*
	 * Callbacks come from the event loop only: what happens inside of a
	 * public function is left to this event.
	 */
	struct event wake;
	int depth;  /* of callbacks under way */
	bool freed; /* by one of them: the struct lives until it returns */

	/* The frame being received. */
	bool in_frame;
	bool fin;
	uint8_t opcode;
	uint64_t left;	 /* payload bytes still to come */
	uint8_t mask[4]; /* zeroes where there is none */
	size_t at;	 /* offset into the mask */
	uint8_t control[WS_CONTROL_MAX];
	size_t ncontrol;

	/* The message being received; type 0 for none. */
	uint8_t type;
	struct evbuffer *message; /* NULL where part() takes it */
	struct utf8 utf8;
	bool paused;

	/* Sending. */
	struct evbuffer *frame;	 /* the frame being made */
	struct evbuffer *behind; /* frames that wait for a fragmented message */
	bool fragmented;	 /* a fragmented message is unfinished */
	bool blocked;		 /* writable() is due */
	bool pong_due;		 /* to the last ping, once output has room */
	uint8_t pong[WS_CONTROL_MAX];
	size_t npong;
};

/* Process input until there is no more, or a callback says stop. */
void ws_receive(struct ws *);

/* Make a frame and put it into the output, or behind it. */
int ws_frame(struct ws *, uint8_t opcode, bool fin, const void *, size_t len);
int ws_frame_behind(
    struct ws *, uint8_t opcode, bool fin, const void *, size_t len);

/* Answer a ping now, or later when the peer does not read. */
void ws_pong(struct ws *, const uint8_t *, size_t len);

/* Send a close frame; the code WS_CLOSE_NO_STATUS stands for none. */
void ws_send_close(struct ws *, uint16_t code, const char *reason);

/* Fail the connection (RFC 6455 section 7.1.7): the peer is at fault. */
void ws_fail(struct ws *, uint16_t code, const char *reason);

/* The connection is over; closed() follows from the event loop. */
void ws_over(struct ws *, uint16_t code, const char *reason, bool clean);

/* The peer's close frame came. */
void ws_close_received(struct ws *, uint16_t code, const char *reason);

#endif
