#ifndef AUTHD_FAILURES_H
#define AUTHD_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many failures there may be: a bucket of as many as the rate allows in a
 * minute, that is filled at the rate, and may be in debt.  Start from zeroes:
 * it is full then.
 */
struct failures {
	int64_t level;
	int64_t filled_ms;
	uint32_t rate; /* that it was filled for */
};

/* Whether there may be one more; the rate is for a minute, 0 for no limit. */
bool failures_allow(struct failures *, uint32_t rate);

/* There was one. */
void failures_count(struct failures *, uint32_t rate);

#endif
