#ifndef PROXYD_REPLY_H
#define PROXYD_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/link.h"
#include "proxyd/escape.h"
#include "proxyd/outbox.h"

/*
 * Replies to user_requests: protocol messages for the outbox.  Fatal when
 * out of memory.  A reply of more bytes than the orchestrator takes becomes an
 * error if it is the last one, and nothing if it is not; both are logged.
 */

struct evbuffer;
struct json_object;
struct proxyd;

/* What the frame around the data of a reply may take, in bytes. */
#define REPLY_FRAME_MAX (64 + ESCAPE_WORST * LINK_REQUEST_ID_MAX)

/* The longest data, as JSON, of a reply that travels in one piece. */
#define REPLY_DATA_MAX (OUTBOX_REPLY_MAX - REPLY_FRAME_MAX)

/* One of several: a response_chunk.  The data is taken over. */
void reply_chunk(struct proxyd *, uint64_t number, const char *request_id,
    struct json_object *data);

/* The same for data that is one JSON value already, which is copied. */
void reply_text(struct proxyd *, uint64_t number, const char *request_id,
    const void *json, size_t len);

/* The longest data, as JSON, that a reply may have. */
size_t reply_data_max(const struct proxyd *);

/* No more replies: what the number asked for is answered under another. */
void reply_done(struct proxyd *, uint64_t number);

/* The last one: a response_complete. */
void reply_complete(struct proxyd *, uint64_t number, const char *request_id,
    struct json_object *data);

/* The last one, with data that says what went wrong, to whoever asked. */
void reply_error(struct proxyd *, uint64_t number, const char *request_id,
    const char *message);

/*
 * A message of type "error": some orchestrators show it.  Those that do not
 * wait for the last reply, which has to follow.
 */
void reply_error_message(struct proxyd *, uint64_t number,
    const char *request_id, const char *message);

/*
 * Both, for somebody who may not: with auth_error, and advice, "" for none.
 */
void reply_refusal(struct proxyd *, uint64_t number, const char *request_id,
    const char *message, const char *advice);

/*
 * The same by hand, for data that no json_object ever holds: between the two
 * the caller adds one JSON value to the buffer that reply_begin() returns,
 * and reply_end() takes.
 */
struct evbuffer *reply_begin(const char *request_id, bool last);
/* A further member of an object that the caller writes: ,"name":"value". */
void reply_add_text(struct evbuffer *, const char *name, const char *value);
void reply_end(struct proxyd *, uint64_t number, const char *request_id,
    struct evbuffer *, bool last);

#endif
