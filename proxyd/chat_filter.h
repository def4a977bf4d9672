#ifndef PROXYD_CHAT_FILTER_H
#define PROXYD_CHAT_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ws.h"

/*
 * What somebody who may only look says on the web app's chat socket: only
 * whole text messages that subscribe to something, or ask about it, go on.
 * They are known by their exact type; whatever else there is, or will be, is
 * held back.
 */

struct evbuffer;

/* Bytes of a message; a longer one is held back. */
#define CHAT_FILTER_MAX 65536

/* A message that comes in pieces; zeroed at the start. */
struct chat_filter {
	uint8_t *text; /* of what came so far, at most CHAT_FILTER_MAX */
	size_t len;
	bool is_bad; /* whatever is to come */
};

enum chat_verdict {
	CHAT_MORE,   /* the message goes on */
	CHAT_PASSES, /* text and len are the message, to be sent as it is */
	CHAT_HELD    /* it must not be sent */
};

/* A piece.  After a verdict chat_filter_clear() comes before the next one. */
enum chat_verdict chat_filter_feed(struct chat_filter *, enum ws_type,
    const uint8_t *data, size_t len, bool more);

/* Free what it holds: it is as at the start. */
void chat_filter_clear(struct chat_filter *);

/*
 * What the web app would say to its page about a message that it cannot do
 * anything with, so that the page does not wait for an answer: added to out,
 * and true; or false if it would say nothing.  why is one line for the
 * person.
 */
bool chat_filter_answer(
    const struct chat_filter *, const char *why, struct evbuffer *out);

/* Whether messages of that type, or user_requests of that action, go on. */
bool chat_filter_knows(const char *type, size_t len);

#endif
