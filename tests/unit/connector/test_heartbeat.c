#include <sys/epoll.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/log.h"
#include "connector/heartbeat.h"
#include "tests/unit/connector/fake_clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
	struct event_base *base;
	struct heartbeat h;
	int64_t began;
	int64_t pings[64];
	size_t npings;
	int64_t dead_at;
	unsigned dead;
	const char *why;
	bool answers; /* a pong comes for each ping, at once */
	bool stops;   /* inside the callback */
};

static void
send_ping(void *arg)
{
	struct fixture *f = arg;

	assert_in_range(f->npings, 0, COUNT(f->pings) - 1);
	f->pings[f->npings++] = now_ms - f->began;
	if (f->answers)
		heartbeat_on_pong(&f->h);
	if (f->stops)
		heartbeat_stop(&f->h);
}

static void
dead(void *arg, const char *why)
{
	struct fixture *f = arg;

	f->dead++;
	f->dead_at = now_ms - f->began;
	f->why = why;
}

static void
start(struct fixture *f, uint32_t interval_ms)
{
	memset(f, 0, sizeof(*f));
	slept_ms = 0;
	f->base = event_base_new();
	assert_non_null(f->base);
	heartbeat_init(&f->h, f->base, interval_ms, send_ping, dead, f);
	/* Nothing before it is started. */
	assert_int_equal(
	    event_base_get_num_events(f->base, EVENT_BASE_COUNT_ADDED), 0);
	f->began = now_ms;
	heartbeat_start(&f->h);
}

static void
stop(struct fixture *f)
{
	heartbeat_stop(&f->h);
	assert_int_equal(
	    event_base_get_num_events(f->base, EVENT_BASE_COUNT_ADDED), 0);
	heartbeat_clear(&f->h);
	event_base_free(f->base);
}

/* Until so many milliseconds after the start. */
static void
run_until(struct fixture *f, int64_t ms)
{
	struct timeval after = { 0 };

	ms -= now_ms - f->began;
	if (ms <= 0)
		return;
	after.tv_sec = ms / 1000;
	after.tv_usec = ms % 1000 * 1000;
	assert_int_equal(event_base_loopexit(f->base, &after), 0);
	assert_int_equal(event_base_dispatch(f->base), 0);
}

static void
test_interval(void **state)
{
	static const uint32_t intervals[] = { 500, 1000, 10000, 30000, 100000 };
	struct fixture f;
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(intervals); i++) {
		start(&f, intervals[i]);
		f.answers = true;
		run_until(&f, 10 * (int64_t)intervals[i] + 100);
		assert_in_range(f.npings, 10, 11);
		for (k = 0; k < 10; k++)
			assert_in_range(f.pings[k],
			    (int64_t)(k + 1) * intervals[i],
			    (int64_t)(k + 1) * intervals[i] + 50);
		assert_int_equal(f.dead, 0);
		stop(&f);
	}
}

/* No pong: dead once, 10 s after the first ping without one. */
static void
test_dead(void **state)
{
	static const uint32_t intervals[] = { 500, 3000, 9999, 30000 };
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(intervals); i++) {
		start(&f, intervals[i]);
		run_until(&f, 200000);
		assert_int_equal(f.dead, 1);
		assert_string_equal(f.why, "no pong");
		assert_in_range(f.dead_at, intervals[i] + HEARTBEAT_PONG_MS,
		    intervals[i] + HEARTBEAT_PONG_MS + 50);
		/* It has stopped by itself. */
		assert_int_equal(
		    event_base_get_num_events(f.base, EVENT_BASE_COUNT_ADDED),
		    0);
		stop(&f);
	}
}

/* A pong in time resets it, one that is late does not come into play. */
static void
test_pong(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 30000);
	run_until(&f, 30100);
	assert_int_equal(f.npings, 1);
	run_until(&f, 39000);
	heartbeat_on_pong(&f.h);
	run_until(&f, 59000);
	assert_int_equal(f.dead, 0);
	run_until(&f, 60100);
	assert_int_equal(f.npings, 2);
	/* One that nobody asked for changes nothing. */
	heartbeat_on_pong(&f.h);
	heartbeat_on_pong(&f.h);
	run_until(&f, 90100);
	assert_int_equal(f.npings, 3);
	run_until(&f, 200000);
	assert_int_equal(f.dead, 1);
	assert_in_range(f.dead_at, 100000, 100100);
	stop(&f);
}

static void
test_stop(void **state)
{
	static const int64_t when[] = { 0, 5000, 29000, 30100, 39000 };
	struct fixture f;
	size_t i, pings;

	(void)state;
	for (i = 0; i < COUNT(when); i++) {
		start(&f, 30000);
		run_until(&f, when[i]);
		heartbeat_stop(&f.h);
		pings = f.npings;
		assert_int_equal(
		    event_base_get_num_events(f.base, EVENT_BASE_COUNT_ADDED),
		    0);
		run_until(&f, 500000);
		assert_int_equal(f.npings, pings);
		assert_int_equal(f.dead, 0);
		/* And again, from the beginning. */
		f.began = now_ms;
		f.npings = 0;
		heartbeat_start(&f.h);
		run_until(&f, 29000);
		assert_int_equal(f.npings, 0);
		run_until(&f, 200000);
		assert_int_equal(f.npings, 1);
		assert_in_range(f.dead_at, 40000, 40100);
		stop(&f);
	}
	/* The ping finds out that the connection is gone. */
	start(&f, 1000);
	f.stops = true;
	run_until(&f, 200000);
	assert_int_equal(f.npings, 1);
	assert_int_equal(f.dead, 0);
	stop(&f);
}

/* After a sleep of this length, is a ping sent within a tick? */
static void
test_sleep(void **state)
{
	static const struct {
		int64_t ms;
		bool ping;
	} table[] = {
		{ 0, false },
		{ 1000, false },
		{ 13000, false },
		{ 17000, true },
		{ 60000, true },
		{ 86400000, true },
	};
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		start(&f, 30000);
		run_until(&f, 11000);
		assert_int_equal(f.npings, 0);
		slept_ms = table[i].ms;
		run_until(&f, 16000);
		assert_int_equal(f.npings, table[i].ping);
		/* Once: the tick after it knows. */
		run_until(&f, 24000);
		assert_int_equal(f.npings, table[i].ping);
		/* A connection that is gone shows soon. */
		run_until(&f, 200000);
		assert_int_equal(f.dead, 1);
		if (table[i].ping)
			assert_in_range(f.dead_at, 25000, 26100);
		else
			assert_in_range(f.dead_at, 40000, 40100);
		stop(&f);
	}
}

/* A shorter interval counts at once, a longer one from the next ping on. */
static void
test_set_interval(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, 86400000);
	f.answers = true;
	run_until(&f, 10000);
	heartbeat_set_interval(&f.h, 20000);
	run_until(&f, 31000);
	assert_int_equal(f.npings, 1);
	assert_in_range(f.pings[0], 30000, 30100);
	heartbeat_set_interval(&f.h, 60000);
	run_until(&f, 120000);
	assert_int_equal(f.npings, 3);
	assert_in_range(f.pings[1], 50000, 50100);
	assert_in_range(f.pings[2], 110000, 110100);
	/* The same one changes nothing. */
	heartbeat_set_interval(&f.h, 60000);
	run_until(&f, 171000);
	assert_int_equal(f.npings, 4);
	stop(&f);
	/* Nothing is sent before it is started. */
	start(&f, 20000);
	heartbeat_stop(&f.h);
	heartbeat_set_interval(&f.h, 1000);
	run_until(&f, 30000);
	assert_int_equal(f.npings, 0);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_pong),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_set_interval),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
