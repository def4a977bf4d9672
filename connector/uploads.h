#ifndef CONNECTOR_UPLOADS_H
#define CONNECTOR_UPLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"
#include "connector/requests.h"

/*
 * Texts from the orchestrator on their way to proxyd, one after the other.
 * While there are many the orchestrator is not read from.
 */

struct connector;
struct evbuffer;
struct uploads;

/* Fatal when out of memory. */
struct uploads *uploads_new(struct connector *);
void uploads_free(struct uploads *);

/*
 * Send a text, which is taken over, in messages of that type.  It is put
 * down in requests, under a new number, when its first byte goes: one that
 * waits for a proxyd which is just being restarted has lost nothing.  The
 * caller sees to it that there is room in requests.  due_ms is for
 * requests_set_due().
 */
void uploads_add(struct uploads *, enum msg_type, struct requests *,
    const char *request_id, size_t len, struct evbuffer *text, int64_t due_ms);

/* Send what proxyd takes; when its channel or the link is new, too. */
void uploads_continue(struct uploads *);

/*
 * This proxyd leaves: what has not begun waits for another one, and as soon as
 * nothing else is on its way LEAVE_NOTED says so.  -1 if it said that before.
 */
int uploads_hold(struct uploads *);

/* There is another one. */
void uploads_release(struct uploads *);

/* How many of that type are not in requests yet. */
size_t uploads_count(const struct uploads *, enum msg_type);

/* How many of those have an answer due then or sooner. */
size_t uploads_count_due(const struct uploads *, enum msg_type, int64_t now_ms);

/* Whether one of that type and request_id is among those. */
bool uploads_has_waiting(
    const struct uploads *, enum msg_type, const char *request_id, size_t len);

/* proxyd lost the one that was half there, if any: it is not sent again. */
void uploads_drop_begun(struct uploads *);

/*
 * Drop those of that type which are not in requests yet, whose answer is due
 * then or sooner, and for which drop() is true.
 */
void uploads_drop_waiting(struct uploads *, enum msg_type, int64_t now_ms,
    bool (*drop)(void *arg, const char *request_id, size_t len), void *arg);

/* The rest of one that is half there, and has left requests, is of no use. */
void uploads_cut_begun(struct uploads *);

/* Nobody waits for an answer to any of them. */
void uploads_clear(struct uploads *);

#endif
