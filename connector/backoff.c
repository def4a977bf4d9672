#include <stdlib.h>

#include "connector/backoff.h"

void
backoff_init(struct backoff *b, uint32_t first_ms)
{
	b->first = first_ms;
	backoff_reset(b);
}

void
backoff_set_first(struct backoff *b, uint32_t first_ms)
{
	if (first_ms != b->first)
		backoff_init(b, first_ms);
}

void
backoff_reset(struct backoff *b)
{
	b->next = b->first;
}

/* Up to a quarter less or more. */
static uint32_t
spread(uint32_t ms)
{
	return ms - ms / 4 + arc4random_uniform(ms / 2 + 1);
}

uint32_t
backoff_next(struct backoff *b)
{
	/* Spread, the longest delay still stays within the maximum. */
	uint32_t limit = BACKOFF_MAX_MS / 5 * 4, delay;

	/* Who asks for longer delays than that gets them. */
	if (b->first > BACKOFF_MAX_MS)
		limit = b->first;
	delay = b->next < limit ? b->next : limit;
	b->next = delay > limit / 3 * 2 ? limit : delay + (delay + 1) / 2;
	return spread(delay);
}
