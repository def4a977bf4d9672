#ifndef PROXYD_WINDOW_H
#define PROXYD_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/*
 * What was sent to a page and not acknowledged yet.  Pieces are numbered
 * from 0; an acknowledgement covers all pieces below a number.
 */

/* Bytes that may be on their way. */
#define WINDOW_SIZE 262144

/*
 * An acknowledgement is rounded down to the last of these marks, which are
 * about that many bytes apart: so a flood of tiny pieces, even of empty
 * ones, needs no more memory than a few large ones.
 */
#define WINDOW_STEP  4096
#define WINDOW_MARKS (WINDOW_SIZE / WINDOW_STEP)

struct window_mark {
	uint64_t n;	/* the pieces below this number */
	uint64_t bytes; /* have so many */
};

/* Start from zeroes. */
struct window {
	uint64_t next;	/* number of the next piece */
	uint64_t sent;	/* bytes of all */
	uint64_t acked; /* of those */
	struct window_mark marks[WINDOW_MARKS];
	size_t first, count; /* of the marks, in a ring */
};

/* Bytes that may be sent now. */
size_t window_room(const struct window *);

/* A piece of so many bytes, at most window_room(), is on its way. */
void window_sent(struct window *, size_t len);

/* All pieces below n arrived.  -1 if there are not so many. */
int window_ack(struct window *, uint64_t n);

#endif
