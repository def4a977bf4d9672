#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/reorder.h"

static struct piece *
make(uint64_t n, size_t len)
{
	struct piece *p = piece_new(n, "");

	p->n = n;
	p->len = len;
	return p;
}

static enum reorder_result
put(struct reorder *r, uint64_t n, size_t len)
{
	struct piece *p = make(n, len);
	enum reorder_result result = reorder_put(r, p);

	if (result != REORDER_TAKEN)
		piece_free(p);
	return result;
}

/* Take all whose turn it is; returns how many. */
static size_t
take_all(struct reorder *r)
{
	struct piece *p;
	size_t n = 0;

	while ((p = reorder_take(r)) != NULL) {
		assert_int_equal(p->n, r->next - 1);
		piece_free(p);
		n++;
	}
	return n;
}

/* Every order of seven pieces. */
static void
permute(int *order, int n, int fixed)
{
	int i, t;

	if (fixed == n) {
		struct reorder r;
		size_t taken = 0;

		reorder_init(&r);
		for (i = 0; i < n; i++) {
			assert_int_equal(
			    put(&r, (uint64_t)order[i], 10), REORDER_TAKEN);
			taken += take_all(&r);
			assert_int_equal(taken, r.next);
			assert_int_equal(r.count + taken, i + 1);
			assert_int_equal(r.bytes, 10 * r.count);
		}
		assert_int_equal(taken, n);
		return;
	}
	for (i = fixed; i < n; i++) {
		t = order[fixed], order[fixed] = order[i], order[i] = t;
		permute(order, n, fixed + 1);
		t = order[fixed], order[fixed] = order[i], order[i] = t;
	}
}

static void
test_orders(void **state)
{
	int order[] = { 0, 1, 2, 3, 4, 5, 6 };

	(void)state;
	permute(order, 7, 0);
}

static void
test_duplicates(void **state)
{
	struct reorder r;

	(void)state;
	reorder_init(&r);
	assert_int_equal(put(&r, 0, 1), REORDER_TAKEN);
	assert_int_equal(put(&r, 0, 1), REORDER_DUPLICATE);
	assert_int_equal(take_all(&r), 1);
	assert_int_equal(put(&r, 0, 1), REORDER_DUPLICATE);
	assert_int_equal(put(&r, 3, 1), REORDER_TAKEN);
	assert_int_equal(put(&r, 5, 1), REORDER_TAKEN);
	assert_int_equal(put(&r, 3, 1), REORDER_DUPLICATE);
	assert_int_equal(put(&r, 5, 1), REORDER_DUPLICATE);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.bytes, 2);
	reorder_clear(&r);
	assert_int_equal(r.bytes, 0);
	assert_null(reorder_take(&r));
}

static void
test_bounds(void **state)
{
	struct reorder r;
	uint64_t i;

	(void)state;
	reorder_init(&r);
	assert_int_equal(put(&r, UINT64_MAX, 1), REORDER_TAKEN);
	assert_int_equal(put(&r, 1, REORDER_BYTES_MAX - 1), REORDER_TAKEN);
	assert_int_equal(put(&r, 2, 1), REORDER_TOO_FAR);
	assert_int_equal(put(&r, 2, 0), REORDER_TAKEN);
	/* What closes the gap gets in. */
	assert_int_equal(put(&r, 0, 131072), REORDER_TAKEN);
	assert_int_equal(put(&r, 5, 1), REORDER_TOO_FAR);
	assert_int_equal(take_all(&r), 3);
	assert_int_equal(r.count, 1);
	reorder_clear(&r);

	reorder_init(&r);
	for (i = 1; i <= REORDER_COUNT_MAX; i++)
		assert_int_equal(put(&r, i, 0), REORDER_TAKEN);
	assert_int_equal(put(&r, i, 0), REORDER_TOO_FAR);
	assert_int_equal(put(&r, 0, 0), REORDER_TAKEN);
	assert_int_equal(take_all(&r), REORDER_COUNT_MAX + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
