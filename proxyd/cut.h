#ifndef PROXYD_CUT_H
#define PROXYD_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/reply.h"

struct evbuffer;

/*
 * Bytes on their way to a page are cut into pieces, each of which becomes a
 * JSON string in one protocol message of at most OUTBOX_REPLY_MAX bytes.
 */

/* Bytes of the content of that string, with room for other members. */
#define CUT_MAX (REPLY_DATA_MAX - 128)

/*
 * Add as many whole characters to the content of a JSON string as fit.
 * Returns how many bytes that were.  When it is not all: either no more
 * fits, or a character is cut short at the end of in, or (then *invalid) the
 * next bytes are no UTF-8.  Fatal when out of memory.
 */
size_t cut_text(
    struct evbuffer *out, const uint8_t *in, size_t len, bool *invalid);

/* The same as base64, padded, for any bytes. */
size_t cut_binary(struct evbuffer *out, const uint8_t *in, size_t len);

#endif
