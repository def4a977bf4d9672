#ifndef TESTS_UNIT_FAKE_TIME_H
#define TESTS_UNIT_FAKE_TIME_H

#include <stdint.h>
#include <time.h>

/* Time as the test wants it: this stands in front of libc's. */
static int64_t now_ms = 1000000;
static int64_t slept_ms; /* which only CLOCK_BOOTTIME counts */

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int64_t ms = now_ms + (clock == CLOCK_BOOTTIME ? slept_ms : 0);

	ts->tv_sec = ms / 1000;
	ts->tv_nsec = ms % 1000 * 1000000;
	return 0;
}

#endif
