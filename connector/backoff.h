#ifndef CONNECTOR_BACKOFF_H
#define CONNECTOR_BACKOFF_H

#include <stdint.h>

/*
 * Delays between attempts to connect: growing, and spread so that many
 * instances do not come back in the same second.  All in milliseconds.
 */

#define BACKOFF_MAX_MS	   60000
#define BACKOFF_REFUSED_MS 60000 /* for a token that is not accepted */

struct backoff {
	uint32_t first;
	uint32_t next;
};

void backoff_init(struct backoff *, uint32_t first_ms);

/* Another first delay: begin anew with it, if it differs. */
void backoff_set_first(struct backoff *, uint32_t first_ms);

/* The connection stood: begin anew. */
void backoff_reset(struct backoff *);

/* The delay before the next attempt; the one after that is longer. */
uint32_t backoff_next(struct backoff *);

#endif
