#ifndef COMMON_CHANNEL_H
#define COMMON_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

struct channel;
struct event_base;
struct evbuffer;
struct evbuffer_ptr;

/*
 * A channel: one end of a SOCK_SEQPACKET socket pair between two of our own
 * processes, on an event loop.  Every message is checked against the table
 * before a handler sees it.
 */

/* Queued bytes at which the peer counts as stuck and the channel as broken. */
#define CHANNEL_QUEUE_MAX (4 * 1024 * 1024)

/*
 * Handles one message; reads it with the cursor of msg.h.  Returns 0, or -1
 * if the message is malformed, which breaks the channel.  A descriptor that
 * the handler does not take is closed.  A handler must not free the channel
 * that called it.
 */
typedef int (*channel_handler)(void *arg, struct msg *);

struct channel_ops {
	/* By msg_type; types without a handler break the channel. */
	channel_handler handlers[MSG_TYPE_COUNT];

	/*
	 * The channel is of no use any more: why is NULL when the other end
	 * closed it, else says how the peer misbehaved.  Called once, from
	 * the event loop, never from inside a send.  The callee frees the
	 * channel.
	 */
	void (*broken)(void *arg, struct channel *, const char *why);

	/* The queue is empty again after a send that had to wait; or NULL. */
	void (*writable)(void *arg, struct channel *);
};

/*
 * Make a channel of the socket fd, which it owns from now on, between self
 * and peer, in state MSG_RUN.  ops must outlive it.  Never returns NULL:
 * running out of memory here is fatal.
 */
struct channel *channel_new(struct event_base *, int fd, enum program self,
    enum program peer, const struct channel_ops *ops, void *arg);

/* Close it and drop what is queued.  NULL is allowed. */
void channel_free(struct channel *);

/* The parent moves a child's channel from START through SETUP to RUN. */
void channel_set_state(struct channel *, enum msg_state);

enum program channel_peer(const struct channel *);

/*
 * Send a message, with the descriptor fd or -1.  Takes both over: the
 * payload is wiped and freed, fd closed once it is sent.  What the socket
 * does not take at once is queued.  Failures surface through broken().
 */
void channel_send(struct channel *, struct msg_out *, int fd);

/* A message without payload. */
void channel_send_empty(struct channel *, enum msg_type, uint64_t id);

/*
 * Send len bytes (at most MSG_PAYLOAD_MAX) of an evbuffer from *at on as
 * one message, without copying and without draining the buffer.  Returns
 * false, nothing sent, when the socket is full: then writable() will be
 * called.
 */
bool channel_send_slice(struct channel *, enum msg_type, uint16_t flags,
    uint64_t id, struct evbuffer *, const struct evbuffer_ptr *at, size_t len);

/* True while a channel_send_slice() might succeed. */
bool channel_is_writable(const struct channel *);

/* Handle now what a peer sent before it died. */
void channel_drain(struct channel *);

/* Stop and resume reading from the peer: back-pressure. */
void channel_pause(struct channel *);
void channel_resume(struct channel *);

#endif
