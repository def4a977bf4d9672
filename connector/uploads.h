#ifndef CONNECTOR_UPLOADS_H
#define CONNECTOR_UPLOADS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/msg.h"
#include "connector/requests.h"

/*
 * Texts from the orchestrator on their way to proxyd, one after the other.
 * While there are any the orchestrator is not read from.
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
 * caller sees to it that there is room in requests.
 */
void uploads_add(struct uploads *, enum msg_type, struct requests *,
    const char *request_id, size_t len, struct evbuffer *text);

/* Send what proxyd takes; when its channel or the link is new, too. */
void uploads_continue(struct uploads *);

/* How many of that type are not in requests yet. */
size_t uploads_count(const struct uploads *, enum msg_type);

/* proxyd lost the one that was half there, if any: it is not sent again. */
void uploads_drop_begun(struct uploads *);

/*
 * Drop those of that type which are not in requests yet and for which drop()
 * is true.
 */
void uploads_drop_waiting(struct uploads *, enum msg_type,
    bool (*drop)(void *arg, const char *request_id, size_t len), void *arg);

/* Nobody waits for an answer to any of them. */
void uploads_clear(struct uploads *);

#endif
