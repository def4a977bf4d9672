#ifndef PROXYD_ESCAPE_H
#define PROXYD_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/utf8.h"

struct evbuffer;

/*
 * Bytes to the content of a JSON string (RFC 8259 section 7) and back, as a
 * stream that may be split anywhere.  Escaping checks in the same pass that
 * the bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing
 * above U+10FFFF), and changes only quote, backslash and controls: each byte
 * consumed can be got back by unescape_feed(), also those of a character
 * that then turned out to be broken.
 */

/* The longest that one byte becomes. */
#define ESCAPE_WORST 6

/* Start from zeroes. */
struct escape {
	struct utf8 utf8;
	bool invalid; /* the byte after the last consumed is wrong */
};

/*
 * Escape from in to out, of the given size, until one of them ends or the
 * input is no UTF-8.  *len is the length of in, and becomes how much of it
 * was consumed.  Returns the bytes written.  With ESCAPE_WORST * *len bytes
 * of room all of a valid input is consumed.
 */
size_t escape_feed(
    struct escape *, const uint8_t *in, size_t *len, char *out, size_t size);

/*
 * The same onto the end of an evbuffer.  Returns how much was consumed: if
 * that is not len the input is no UTF-8 there; -1 if out of memory.
 */
ssize_t escape_add(
    struct escape *, struct evbuffer *out, const void *in, size_t len);

/* Whether the input may end here: valid, and not within a character. */
bool escape_complete(const struct escape *);

/*
 * Add a whole string's content, whatever its bytes: what is no UTF-8 is
 * taken for Latin-1.  Returns -1 if out of memory.
 */
int escape_add_text(struct evbuffer *out, const char *in, size_t len);

/* Start from zeroes. */
struct unescape {
	uint8_t seen;	/* bytes of an escape so far */
	uint8_t digits; /* the value of its hexadecimal digits */
};

/*
 * Undo what escape_feed() wrote, and nothing else: in is trusted.  out has
 * room for len bytes and may be in.  Returns the bytes written.
 */
size_t unescape_feed(
    struct unescape *, const char *in, size_t len, uint8_t *out);

#endif
