#include "authd/failures.h"
#include "common/monotonic.h"

/* One failure: the bucket gets the rate, as a number, each millisecond. */
#define FAILURE 60000

static void
failures_fill(struct failures *f, uint32_t rate)
{
	int64_t now = monotonic_ms();
	int64_t full = (int64_t)rate * FAILURE;

	f->level += (now - f->filled_ms) * rate;
	if (f->level > full || f->rate != rate)
		f->level = full;
	f->filled_ms = now;
	f->rate = rate;
}

bool
failures_allow(struct failures *f, uint32_t rate)
{
	failures_fill(f, rate);
	return rate == 0 || f->level >= FAILURE;
}

void
failures_count(struct failures *f, uint32_t rate)
{
	failures_fill(f, rate);
	f->level -= FAILURE;
}
