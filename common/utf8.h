#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Validation of UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing
 * above U+10FFFF) that comes in pieces.
 */

struct utf8 {
	uint8_t need;	  /* continuation bytes still to come */
	uint8_t min, max; /* what the next of them may be */
};

/* Check a piece, starting from zeroes; false once the text is invalid. */
bool utf8_feed(struct utf8 *, const uint8_t *, size_t len);

/* Whether the text may end here: no character is unfinished. */
bool utf8_complete(const struct utf8 *);

/* Check a whole text. */
bool utf8_valid(const uint8_t *, size_t len);

#endif
