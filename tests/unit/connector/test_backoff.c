#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connector/backoff.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Randomness as the test wants it: the lowest, the highest or its own.
 * Linked in front of libbsd's.
 */
static enum { LOWEST, MIDDLE, HIGHEST } chance;

uint32_t
arc4random_uniform(uint32_t bound)
{
	assert_true(bound > 0);
	switch (chance) {
	case LOWEST:
		return 0;
	case HIGHEST:
		return bound - 1;
	case MIDDLE:
		break;
	}
	return bound / 2;
}

static const uint32_t firsts[] = { 1, 2, 3, 10, 1000, 5000, 30000, 47999, 48000,
	48001, 50000, 59999, 60000 };

/* Without the jitter: half as much again each time, up to the limit. */
static void
test_growth(void **state)
{
	struct backoff b;
	uint32_t last, next;
	size_t i;
	int n;

	(void)state;
	chance = MIDDLE;
	for (i = 0; i < COUNT(firsts); i++) {
		backoff_init(&b, firsts[i]);
		last = backoff_next(&b);
		assert_true(last <= firsts[i] + 1);
		if (firsts[i] <= 48000)
			assert_in_range(last, firsts[i] - 1, firsts[i] + 1);
		for (n = 0; n < 40; n++) {
			next = backoff_next(&b);
			if (next < 47000) {
				assert_true(next + 2 >= last + last / 2);
				assert_true(next <= last + last / 2 + 3);
			} else
				assert_true(next >= last);
			last = next;
		}
		assert_in_range(last, 47990, 48010);
		backoff_reset(&b);
		assert_true(backoff_next(&b) <= firsts[i] + 1);
	}
}

/* With it: a quarter less or more, but never beyond the maximum. */
static void
test_bounds(void **state)
{
	struct backoff low, high;
	uint32_t a, b;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < COUNT(firsts); i++) {
		backoff_init(&low, firsts[i]);
		backoff_init(&high, firsts[i]);
		for (n = 0; n < 40; n++) {
			chance = LOWEST;
			a = backoff_next(&low);
			chance = HIGHEST;
			b = backoff_next(&high);
			assert_true(a >= 1);
			assert_true(a <= b);
			assert_true(b <= BACKOFF_MAX_MS);
			/* Wide enough to tell many instances apart. */
			if (b > 1000)
				assert_true(b - a > b / 3);
		}
		assert_in_range(a, 35000, 37000);
		assert_in_range(b, 59000, 60000);
	}
}

/* An operator who wants longer delays than the maximum gets them. */
static void
test_long_first(void **state)
{
	static const uint32_t longs[] = { 60001, 90000, 3600000, 86400000 };
	struct backoff b;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < COUNT(longs); i++) {
		backoff_init(&b, longs[i]);
		for (n = 0; n < 10; n++) {
			chance = (n % 2) == 0 ? LOWEST : HIGHEST;
			assert_in_range(backoff_next(&b),
			    longs[i] - longs[i] / 4, longs[i] + longs[i] / 4);
		}
	}
}

/* Another first delay begins anew, the same one changes nothing. */
static void
test_set_first(void **state)
{
	struct backoff b;

	(void)state;
	chance = MIDDLE;
	backoff_init(&b, 1000);
	(void)backoff_next(&b);
	backoff_set_first(&b, 1000);
	assert_in_range(backoff_next(&b), 1499, 1501);
	backoff_set_first(&b, 400);
	assert_in_range(backoff_next(&b), 399, 401);
	backoff_set_first(&b, 90000);
	assert_in_range(backoff_next(&b), 89999, 90001);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_long_first),
		cmocka_unit_test(test_set_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
