#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connector/requests.h"

/* What a callback of requests_clear() saw. */
struct seen {
	uint64_t last;
	size_t n;
	char ids[64];
};

static void
on_each(void *arg, uint64_t number, const char *request_id, size_t len)
{
	struct seen *seen = arg;

	assert_true(number > seen->last); /* in the order they came */
	seen->last = number;
	seen->n++;
	(void)strncat(seen->ids, request_id, len);
}

static void
test_life(void **state)
{
	struct requests *r = requests_new();
	uint64_t a, b;
	size_t len;
	const char *id;

	(void)state;
	assert_int_equal(requests_count(r), 0);
	a = requests_add(r, "one...", 3);
	b = requests_add(r, "", 0);
	assert_true(a != 0 && b != 0 && a != b);
	assert_int_equal(requests_count(r), 2);
	id = requests_get(r, a, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(id, "one", 3);
	assert_non_null(requests_get(r, b, &len));
	assert_int_equal(len, 0);
	assert_non_null(requests_get(r, a, NULL));
	assert_null(requests_get(r, b + 1, NULL));
	assert_null(requests_get(r, 0, NULL));

	requests_remove(r, b + 1);
	requests_remove(r, a);
	requests_remove(r, a);
	assert_null(requests_get(r, a, NULL));
	assert_non_null(requests_get(r, b, NULL));
	assert_int_equal(requests_count(r), 1);
	requests_free(r);
}

static void
test_clear(void **state)
{
	struct requests *r = requests_new();
	struct seen seen = { 0 };

	(void)state;
	requests_clear(r, on_each, &seen);
	assert_int_equal(seen.n, 0);
	(void)requests_add(r, "a", 1);
	(void)requests_add(r, "b", 1);
	(void)requests_add(r, "c", 1);
	requests_clear(r, on_each, &seen);
	assert_int_equal(seen.n, 3);
	assert_string_equal(seen.ids, "abc");
	assert_int_equal(requests_count(r), 0);
	(void)requests_add(r, "d", 1);
	requests_clear(r, NULL, NULL);
	assert_int_equal(requests_count(r), 0);
	requests_free(r);
}

/* Numbers of a former connector; two of our own never meet. */
static void
test_adopt(void **state)
{
	struct requests *r = requests_new();
	uint64_t number;
	size_t len;
	int i;

	(void)state;
	assert_int_equal(requests_adopt(r, 17, "old", 3), 0);
	assert_int_equal(requests_adopt(r, 17, "other", 5), -1);
	assert_memory_equal(requests_get(r, 17, &len), "old", 3);
	assert_int_equal(requests_count(r), 1);
	assert_int_equal(requests_adopt(r, UINT64_MAX, "last", 4), 0);
	assert_non_null(requests_get(r, UINT64_MAX, NULL));
	/* Ahead of our own: a proxyd that is hostile can guess those. */
	number = requests_add(r, "a", 1);
	for (i = 1; i <= 3; i++)
		assert_int_equal(
		    requests_adopt(r, number + (uint64_t)i, "x", 1), 0);
	number = requests_add(r, "b", 1);
	assert_int_not_equal(number, 0);
	assert_memory_equal(requests_get(r, number, &len), "b", 1);
	requests_free(r);
}

static void
test_bound(void **state)
{
	struct requests *r = requests_new();
	uint64_t first, number;
	int i;

	(void)state;
	first = requests_add(r, "x", 1);
	for (i = 1; i < REQUESTS_MAX; i++)
		assert_int_not_equal(requests_add(r, "x", 1), 0);
	assert_int_equal(requests_add(r, "x", 1), 0);
	assert_int_equal(requests_adopt(r, 1, "x", 1), -1);
	assert_int_equal(requests_count(r), REQUESTS_MAX);
	requests_remove(r, first);
	number = requests_add(r, "x", 1);
	assert_int_not_equal(number, 0);
	assert_int_not_equal(number, first);
	requests_free(r);
}

static void
test_lasting(void **state)
{
	struct requests *r = requests_new();
	uint64_t a = requests_add(r, "a", 1), b = requests_add(r, "b", 1);

	(void)state;
	assert_int_equal(requests_count_lasting(r), 0);
	requests_set_lasting(r, a);
	requests_set_lasting(r, a);
	requests_set_lasting(r, b + 100);
	assert_int_equal(requests_count_lasting(r), 1);
	requests_remove(r, b);
	assert_int_equal(requests_count_lasting(r), 1);
	requests_remove(r, a);
	assert_int_equal(requests_count_lasting(r), 0);
	requests_set_lasting(r, requests_add(r, "c", 1));
	requests_clear(r, NULL, NULL);
	assert_int_equal(requests_count_lasting(r), 0);
	requests_free(r);
}

static void
test_before(void **state)
{
	struct requests *r = requests_new();
	uint64_t a, mark = requests_next(r);

	(void)state;
	assert_false(requests_has_before(r, mark));
	a = requests_add(r, "a", 1);
	assert_false(requests_has_before(r, mark));
	mark = requests_next(r);
	assert_true(mark > a);
	(void)requests_add(r, "b", 1);
	assert_true(requests_has_before(r, mark));
	requests_remove(r, a);
	assert_int_equal(requests_count(r), 1);
	assert_false(requests_has_before(r, mark));
	requests_free(r);
}

/* A connector that takes over begins elsewhere than the last one. */
static void
test_numbers(void **state)
{
	struct requests *a = requests_new(), *b = requests_new();
	uint64_t na = requests_add(a, "x", 1), nb = requests_add(b, "x", 1);

	(void)state;
	assert_true((na > nb ? na - nb : nb - na) > 1000000);
	requests_free(a);
	requests_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_lasting),
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
