#ifndef PROXYD_BEHIND_H
#define PROXYD_BEHIND_H

#include <stddef.h>

/*
 * What stood before a place in a stream that comes in pieces: always the
 * same bytes, wherever it was split.
 */

#define BEHIND_MAX 80

/* Start from zeroes. */
struct behind {
	char text[BEHIND_MAX];
	size_t len;
};

/*
 * The last bytes before piece[at], and in *len how many: fewer than
 * BEHIND_MAX only if the stream began there.  What is returned may be
 * scratch, of BEHIND_MAX bytes.
 */
const char *behind_get(const struct behind *, const char *piece, size_t at,
    char *scratch, size_t *len);

/* The last byte before piece[at], or NUL at the start of the stream. */
char behind_byte(const struct behind *, const char *piece, size_t at);

/* The piece of len bytes is done with. */
void behind_add(struct behind *, const char *piece, size_t len);

#endif
