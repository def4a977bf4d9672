#ifndef PROXYD_REORDER_H
#define PROXYD_REORDER_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ws.h"

/*
 * Pieces that came from a page in any order, put back in order by their
 * numbers, which begin at 0.
 */

/* What may wait for a piece that did not come yet. */
#define REORDER_BYTES_MAX 262144
#define REORDER_COUNT_MAX 512

/* A piece of a WebSocket message. */
struct piece {
	TAILQ_ENTRY(piece) entry;
	uint64_t n;
	enum ws_type type;
	bool more; /* the message goes on in the next piece */
	size_t len;
	uint8_t *data;
	uint64_t number; /* of the user_request that brought it */
	char request_id[];
};

TAILQ_HEAD(piece_list, piece);

struct reorder {
	uint64_t next;		/* the piece whose turn it is */
	struct piece_list held; /* in order */
	size_t bytes, count;	/* of those that are held */
};

enum reorder_result {
	REORDER_TAKEN,	   /* it belongs to the reorder now */
	REORDER_DUPLICATE, /* that one was here before */
	REORDER_TOO_FAR	   /* too much would wait */
};

/* Make one, zeroed but for what is given; fatal when out of memory. */
struct piece *piece_new(uint64_t number, const char *request_id);
void piece_free(struct piece *);

void reorder_init(struct reorder *);

/* Free the pieces. */
void reorder_clear(struct reorder *);

enum reorder_result reorder_put(struct reorder *, struct piece *);

/* The piece whose turn it is, now the caller's; NULL if it is not here. */
struct piece *reorder_take(struct reorder *);

#endif
