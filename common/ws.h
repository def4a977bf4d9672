#ifndef COMMON_WS_H
#define COMMON_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct evbuffer;

/*
 * A WebSocket (RFC 6455) on a bufferevent, after the opening handshake.
 * wslay makes the frames that go out; those that come in are read, pings
 * answered and the closing handshake done in here.
 */

struct ws;

enum ws_role { WS_CLIENT, WS_SERVER };
enum ws_type { WS_TEXT = 1, WS_BINARY = 2 }; /* the opcodes */

/* Status codes, RFC 6455 section 7.4.1. */
#define WS_CLOSE_NORMAL	    1000
#define WS_CLOSE_GOING_AWAY 1001
#define WS_CLOSE_PROTOCOL   1002
#define WS_CLOSE_NO_STATUS  1005
#define WS_CLOSE_ABNORMAL   1006
#define WS_CLOSE_INVALID    1007
#define WS_CLOSE_POLICY	    1008
#define WS_CLOSE_TOO_BIG    1009
#define WS_CLOSE_RESTART    1012

/* Unsent bytes above which ws_is_writable() is false. */
#define WS_OUTPUT_HIGH (256 * 1024)

struct ws_ops {
	/*
	 * A whole message; text is valid UTF-8.  The callee may drain or
	 * take over the contents of the buffer, not the buffer.
	 */
	void (*message)(
	    void *arg, struct ws *, enum ws_type, struct evbuffer *message);

	/*
	 * In place of message(), for messages of any size: payload as it
	 * arrives, also in the middle of a frame.  fin is true exactly once
	 * in each message, with its last part, which may be empty; if the
	 * connection ends within a message it never comes.  Text is valid
	 * UTF-8 so far, but a part may end within a character; the whole of
	 * a text is known to be valid once fin comes.  The data is gone when
	 * the callee returns, or frees the ws.
	 */
	void (*part)(void *arg, struct ws *, enum ws_type, const void *data,
	    size_t len, bool fin);

	/* A pong frame came.  May be NULL. */
	void (*pong)(void *arg, struct ws *);

	/* The output has room again, after it was not writable.  May be
	 * NULL. */
	void (*writable)(void *arg, struct ws *);

	/*
	 * The connection is over: with the peer's close code and reason, or
	 * ours where the peer broke the protocol, when clean, else
	 * WS_CLOSE_ABNORMAL and what happened.  A close frame without a
	 * code is WS_CLOSE_NO_STATUS.  The last callback; the callee frees
	 * the ws.  The reason is UTF-8 from the peer: log it through
	 * log_safe().
	 */
	void (*closed)(void *arg, struct ws *, uint16_t code,
	    const char *reason, bool clean);
};

/*
 * Take over the bufferevent, whose input may hold the first frames already.
 * Messages of more than message_max bytes fail the connection with 1009
 * before they are buffered; where there is a part(), message_max does not
 * count.  All callbacks come from the event loop, never
 * from inside one of the functions below; ws_free() is allowed in each.
 * Returns NULL (bufferevent still the caller's) when out of memory.
 */
struct ws *ws_new(struct bufferevent *, enum ws_role, size_t message_max,
    const struct ws_ops *, void *arg);

/* Drop the connection without ceremony, and free it.  NULL is allowed. */
void ws_free(struct ws *);

/* Send one message in one frame.  -1 when out of memory or closing. */
int ws_send(struct ws *, enum ws_type, const void *data, size_t len);

/*
 * Send one fragment of a message: the type counts for the first one only,
 * fin is true for the last.  While a message is unfinished ws_send() queues
 * behind it.  -1 as above.
 */
int ws_send_fragment(
    struct ws *, enum ws_type, bool fin, const void *data, size_t len);

/* Send a ping frame without payload. */
int ws_ping(struct ws *);

/*
 * Start the closing handshake; closed() follows when the peer answered, or
 * after 2 seconds.  A second call does nothing.
 */
void ws_close(struct ws *, uint16_t code, const char *reason);

/* Whether it ends, or ended, because the peer broke the protocol. */
bool ws_has_failed(const struct ws *);

/* What it speaks over, still its own: to ask why that broke. */
struct bufferevent *ws_bufferevent(const struct ws *);

/* Bytes that the kernel has not taken yet, and whether that is little. */
size_t ws_output_length(const struct ws *);
bool ws_is_writable(const struct ws *);

/* Whether a message began to come and is not all there. */
bool ws_is_receiving(const struct ws *);

/* Stop and resume reading from the peer: back-pressure. */
void ws_pause(struct ws *);
void ws_resume(struct ws *);

/*
 * The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455
 * section 4.2.2), NUL-terminated.
 */
#define WS_ACCEPT_SIZE 29
void ws_accept(char accept[WS_ACCEPT_SIZE], const char *key);

#endif
