#ifndef TESTS_UNIT_CONNECTOR_FAKE_CLOCK_H
#define TESTS_UNIT_CONNECTOR_FAKE_CLOCK_H

#include <sys/epoll.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

/*
 * Time as the test wants it, for the real event loop: these two stand in
 * front of libc's.  Waiting takes none, it moves the clock.
 */
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

int
epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
	(void)epfd;
	(void)events;
	(void)max;
	assert_int_not_equal(timeout, -1); /* nothing else would end that */
	now_ms += timeout;
	return 0;
}

#endif
