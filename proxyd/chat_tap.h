#ifndef PROXYD_CHAT_TAP_H
#define PROXYD_CHAT_TAP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ws.h"

/*
 * Listens to a chat socket of the upstream, a tunnel's or a chat session's,
 * for runs that begin and end: a hint for runs.h, which knows better a moment
 * later.  Nothing is changed or held back.
 */

struct chat_tap;
struct runs;

/* Never NULL: running out of memory here is fatal. */
struct chat_tap *chat_tap_new(struct runs *);

/* NULL is fine.  The socket is gone, but what runs goes on. */
void chat_tap_free(struct chat_tap *);

/*
 * A part of a message to the upstream, or from it, as struct ws_ops has them:
 * of any size, in order, fin with the last part of each message.
 */
void chat_tap_up(
    struct chat_tap *, enum ws_type, const void *data, size_t len, bool fin);
void chat_tap_down(
    struct chat_tap *, enum ws_type, const void *data, size_t len, bool fin);

/* Whether something runs that was begun here, as far as is known. */
bool chat_tap_is_running(const struct chat_tap *);

#endif
