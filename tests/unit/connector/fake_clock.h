#ifndef TESTS_UNIT_CONNECTOR_FAKE_CLOCK_H
#define TESTS_UNIT_CONNECTOR_FAKE_CLOCK_H

#include <sys/epoll.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/fake_time.h"

/*
 * For the real event loop: this stands in front of libc's.  Waiting takes no
 * time, it moves the clock.
 */
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
