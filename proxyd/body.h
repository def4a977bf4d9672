#ifndef PROXYD_BODY_H
#define PROXYD_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base64.h"
#include "proxyd/escape.h"

struct evbuffer;

/*
 * The body of an answer on its way from the upstream to the orchestrator:
 * it gathers in one evbuffer, already as the content of a JSON string.  A
 * body that was to be text and is not, turns into base64 when that shows.
 *
 * Rewriting has its place in front of body_feed(): a rewriter takes the
 * bytes of the upstream and feeds what it makes of them, at its own pace,
 * and is flushed right before body_finish().  Nothing below knows of it.
 */
struct body {
	struct evbuffer *content;
	size_t max;
	bool base64;
	struct escape escape;
	struct base64 encoder;
};

/*
 * Begin a body, as text or as base64, whose content may have max bytes.
 * Returns -1 if out of memory; otherwise the body wants body_clear().
 */
int body_start(struct body *, bool text, size_t max);

/*
 * Add a piece.  Returns -1 with errno EMSGSIZE if the content would exceed
 * the limit, ENOMEM if out of memory; the body is then good for
 * body_clear() only.
 */
int body_feed(struct body *, const void *piece, size_t len);

/* Say that all was fed.  Returns as body_feed(). */
int body_finish(struct body *);

/* True if the content is base64; may change until body_finish(). */
bool body_is_base64(const struct body *);

/* Bytes of the content, escaped or encoded, so far. */
size_t body_length(const struct body *);

/* Free what the body holds; again is fine, and so is a zeroed struct. */
void body_clear(struct body *);

#endif
