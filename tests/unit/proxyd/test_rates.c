#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/monotonic.h"
#include "common/slice.h"
#include "proxyd/rates.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct proxyd_conf conf;
static struct rates *r;
static int64_t now_ms;

/* Stands in front of the real one. */
int64_t
monotonic_ms(void)
{
	return now_ms;
}

static int
setup(void **state)
{
	(void)state;
	conf = (struct proxyd_conf){ 0 };
	now_ms = 1234567;
	r = rates_new(&conf);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rates_free(r);
	return 0;
}

/* How many may be had at once, of at most 10000. */
static unsigned
drain(enum rate rate, uint64_t id)
{
	uint32_t wait_s;
	unsigned n = 0;

	while (n < 10000 && rates_admit(r, rate, id, &wait_s) == NULL)
		n++;
	return n;
}

static uint32_t
wait_of(enum rate rate, uint64_t id)
{
	uint32_t wait_s = 0;

	assert_non_null(rates_admit(r, rate, id, &wait_s));
	return wait_s;
}

static void
test_buckets(void **state)
{
	static const struct {
		enum rate rate;
		uint32_t limit;
		unsigned burst;	 /* at once */
		uint32_t wait_s; /* after it */
		int64_t later_ms;
		unsigned more; /* after that time */
	} table[] = {
		{ RATE_REQUESTS, 100, 100, 1, 9, 0 },
		{ RATE_REQUESTS, 100, 100, 1, 10, 1 },
		{ RATE_REQUESTS, 100, 100, 1, 500, 50 },
		{ RATE_REQUESTS, 100, 100, 1, 1000, 100 },
		{ RATE_REQUESTS, 100, 100, 1, 3600000, 100 },
		{ RATE_REQUESTS, 1, 10, 1, 999, 0 },
		{ RATE_REQUESTS, 1, 10, 1, 1000, 1 },
		{ RATE_REQUESTS, 1, 10, 1, 60000, 10 },
		{ RATE_REQUESTS, 11, 11, 1, 1000, 11 },
		{ RATE_REQUESTS, 1000000, 10000, 0, 0, 10000 },
		{ RATE_TUNNELS, 60, 60, 1, 999, 0 },
		{ RATE_TUNNELS, 60, 60, 1, 1000, 1 },
		{ RATE_TUNNELS, 60, 60, 1, 3600000, 60 },
		{ RATE_TUNNELS, 1, 1, 60, 59999, 0 },
		{ RATE_TUNNELS, 1, 1, 60, 60000, 1 },
		{ RATE_TUNNELS, 4, 4, 15, 30000, 2 },
		{ RATE_TUNNELS, 7, 7, 9, 60000, 7 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		uint64_t id = i + 1;
		unsigned n;

		conf.requests_rate = conf.tunnels_rate = 0;
		if (table[i].rate == RATE_REQUESTS)
			conf.requests_rate = table[i].limit;
		else
			conf.tunnels_rate = table[i].limit;
		if ((n = drain(table[i].rate, id)) != table[i].burst)
			fail_msg("row %zu: %u at once", i, n);
		if (n < 10000 && wait_of(table[i].rate, id) != table[i].wait_s)
			fail_msg("row %zu: waits", i);
		now_ms += table[i].later_ms;
		if ((n = drain(table[i].rate, id)) != table[i].more)
			fail_msg("row %zu: %u later", i, n);
	}
}

/* Who keeps to the limit is never refused; who does not gets no more. */
static void
test_steady(void **state)
{
	unsigned i, got = 0;
	uint32_t wait_s;

	(void)state;
	conf.requests_rate = 50;
	for (i = 0; i < 500; i++, now_ms += 20)
		assert_null(rates_admit(r, RATE_REQUESTS, 1, &wait_s));
	for (i = 0; i < 10000; i++, now_ms++)
		got += rates_admit(r, RATE_REQUESTS, 1, &wait_s) == NULL;
	assert_in_range(got, 540, 550);
}

static void
test_each(void **state)
{
	(void)state;
	conf.requests_rate = 20;
	conf.tunnels_rate = 5;
	assert_int_equal(drain(RATE_REQUESTS, 1), 20);
	assert_int_equal(drain(RATE_TUNNELS, 1), 5);
	assert_int_equal(drain(RATE_REQUESTS, 2), 20);
	assert_int_equal(drain(RATE_REQUESTS, UINT64_MAX), 20);
	assert_int_equal(drain(RATE_REQUESTS, 1), 0);
	assert_int_equal(rates_count(r), 3);
	/* Nobody is not one person. */
	assert_int_equal(drain(RATE_REQUESTS, 0), 10000);
	assert_int_equal(drain(RATE_TUNNELS, 0), 10000);
	assert_int_equal(rates_count(r), 3);
}

static void
note(uint64_t id, unsigned n)
{
	while (n-- > 0)
		rates_note_failure(r, id);
}

static void
test_failures(void **state)
{
	uint32_t wait_s;
	const char *why;

	(void)state;
	conf.requests_rate = 1000;
	conf.failures_rate = 3;
	note(1, 2);
	assert_int_equal(drain(RATE_TUNNELS, 1), 10000);
	note(1, 1);
	why = rates_admit(r, RATE_REQUESTS, 1, &wait_s);
	assert_non_null(why);
	assert_int_equal(wait_s, 20);
	assert_ptr_equal(rates_admit(r, RATE_TUNNELS, 1, &wait_s), why);
	assert_int_equal(drain(RATE_REQUESTS, 2), 1000);
	assert_ptr_not_equal(rates_admit(r, RATE_REQUESTS, 2, &wait_s), why);
	/* More of them do not make it longer. */
	note(1, 1000);
	assert_int_equal(wait_of(RATE_REQUESTS, 1), 20);
	now_ms += 19999;
	assert_int_equal(wait_of(RATE_REQUESTS, 1), 1);
	now_ms += 1;
	/* What was refused took nothing. */
	assert_int_equal(drain(RATE_REQUESTS, 1), 1000);
	note(0, 1000);
	assert_int_equal(rates_count(r), 2);
	assert_int_equal(drain(RATE_REQUESTS, 0), 10000);
}

static void
test_off(void **state)
{
	(void)state;
	note(1, 10000);
	assert_int_equal(drain(RATE_REQUESTS, 1), 10000);
	assert_int_equal(drain(RATE_TUNNELS, 1), 10000);
	assert_int_equal(rates_count(r), 0);
	/* Only the one that is set counts. */
	conf.failures_rate = 1;
	assert_int_equal(drain(RATE_REQUESTS, 1), 10000);
	note(1, 1);
	assert_int_equal(drain(RATE_REQUESTS, 1), 0);
	conf.failures_rate = 0;
	conf.tunnels_rate = 1;
	assert_int_equal(drain(RATE_REQUESTS, 1), 10000);
	assert_int_equal(drain(RATE_TUNNELS, 1), 1);
}

/* Other limits: a bucket is as full as it was, and never worse than empty. */
static void
test_change(void **state)
{
	(void)state;
	conf.tunnels_rate = 1;
	assert_int_equal(drain(RATE_TUNNELS, 1), 1);
	conf.tunnels_rate = 600;
	assert_int_equal(drain(RATE_TUNNELS, 1), 0);
	assert_int_equal(wait_of(RATE_TUNNELS, 1), 1);
	now_ms += 1000;
	assert_int_equal(drain(RATE_TUNNELS, 1), 10);
	conf.tunnels_rate = 0;
	assert_int_equal(drain(RATE_TUNNELS, 1), 10000);
	conf.tunnels_rate = 6;
	assert_in_range(drain(RATE_TUNNELS, 1), 0, 6);
	conf.requests_rate = 2;
	assert_int_equal(drain(RATE_REQUESTS, 2), 10);
	conf.requests_rate = 1000;
	assert_int_equal(drain(RATE_REQUESTS, 2), 0);
	now_ms += 10;
	assert_int_equal(drain(RATE_REQUESTS, 2), 10);
}

static void
test_tells(void **state)
{
	(void)state;
	assert_true(rates_tells(r, 1));
	assert_false(rates_tells(r, 1));
	assert_true(rates_tells(r, 2));
	now_ms += 999;
	assert_false(rates_tells(r, 1));
	now_ms += 1;
	assert_true(rates_tells(r, 1));
	assert_false(rates_tells(r, 1));
}

/* Of many people the one not heard of for the longest is forgotten. */
static void
test_people(void **state)
{
	uint64_t id;

	(void)state;
	conf.tunnels_rate = 1;
	for (id = 1; id <= RATES_PEOPLE_MAX; id++)
		assert_int_equal(drain(RATE_TUNNELS, id), 1);
	assert_int_equal(rates_count(r), RATES_PEOPLE_MAX);
	assert_int_equal(drain(RATE_TUNNELS, 1), 0); /* so 2 is the oldest */
	assert_int_equal(drain(RATE_TUNNELS, 5000), 1);
	assert_int_equal(rates_count(r), RATES_PEOPLE_MAX);
	assert_int_equal(drain(RATE_TUNNELS, 1), 0);
	assert_int_equal(drain(RATE_TUNNELS, 3), 0);
	assert_int_equal(drain(RATE_TUNNELS, 2), 1);
	assert_int_equal(rates_count(r), RATES_PEOPLE_MAX);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_buckets),
		TEST(test_steady),
		TEST(test_each),
		TEST(test_failures),
		TEST(test_off),
		TEST(test_change),
		TEST(test_tells),
		TEST(test_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
