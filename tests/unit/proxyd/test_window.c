#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/window.h"

static void
test_exact(void **state)
{
	struct window w = { 0 };

	(void)state;
	assert_int_equal(window_room(&w), WINDOW_SIZE);
	window_sent(&w, WINDOW_SIZE - 1);
	assert_int_equal(window_room(&w), 1);
	window_sent(&w, 1);
	assert_int_equal(window_room(&w), 0);
	window_sent(&w, 0);
	assert_int_equal(window_room(&w), 0);
	assert_int_equal(w.next, 3);
	assert_int_equal(window_ack(&w, 0), 0);
	assert_int_equal(window_room(&w), 0);
	assert_int_equal(window_ack(&w, 1), 0);
	assert_int_equal(window_room(&w), WINDOW_SIZE - 1);
	assert_int_equal(window_ack(&w, 3), 0);
	assert_int_equal(window_room(&w), WINDOW_SIZE);
}

/* What a page may claim. */
static void
test_hostile(void **state)
{
	struct window w = { 0 };

	(void)state;
	assert_int_equal(window_ack(&w, 0), 0);
	assert_int_equal(window_ack(&w, 1), -1);
	window_sent(&w, 5000);
	assert_int_equal(window_ack(&w, 2), -1);
	assert_int_equal(window_ack(&w, UINT64_MAX), -1);
	assert_int_equal(window_room(&w), WINDOW_SIZE - 5000);
	assert_int_equal(window_ack(&w, 1), 0);
	/* Old news, again and again. */
	assert_int_equal(window_ack(&w, 0), 0);
	assert_int_equal(window_ack(&w, 1), 0);
	assert_int_equal(window_room(&w), WINDOW_SIZE);
	window_sent(&w, 10);
	assert_int_equal(window_ack(&w, 1), 0);
	assert_int_equal(window_room(&w), WINDOW_SIZE - 10);
}

/*
 * Pieces of any size, acknowledged anywhere: the room is never more than
 * the truth, and never less by more than a step.
 */
static void
check_random(unsigned seed, size_t largest)
{
	static size_t lens[100000];
	struct window w = { 0 };
	size_t n = 0, acked = 0, out = 0, len, room;
	int i;

	srand(seed);
	for (i = 0; i < 100000; i++) {
		len = (size_t)rand() % (largest + 1);
		room = window_room(&w);
		if (len <= room && rand() % 3 != 0) {
			window_sent(&w, len);
			lens[n++] = len;
			out += len;
		} else if (rand() % 50 == 0 || len > room) {
			size_t to = acked + (size_t)rand() % (n - acked + 1);

			while (acked < to)
				out -= lens[acked++];
			assert_int_equal(window_ack(&w, to), 0);
		}
		room = window_room(&w);
		assert_in_range(room, 0, WINDOW_SIZE - out);
		assert_in_range(WINDOW_SIZE - out - room, 0, WINDOW_STEP - 1);
		assert_in_range(w.count, 0, WINDOW_MARKS);
		assert_int_equal(w.next, n);
	}
	assert_int_equal(window_ack(&w, n), 0);
	assert_int_equal(window_room(&w), WINDOW_SIZE);
}

static void
test_random(void **state)
{
	(void)state;
	check_random(1, 1);
	check_random(2, 10);
	check_random(3, 4096);
	check_random(4, 5000);
	check_random(5, 65536);
	check_random(6, WINDOW_SIZE);
}

/* A flood of empty pieces costs nothing. */
static void
test_empty(void **state)
{
	struct window w = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 1000000; i++)
		window_sent(&w, 0);
	assert_int_equal(window_room(&w), WINDOW_SIZE);
	assert_int_equal(w.count, 0);
	assert_int_equal(window_ack(&w, 1000000), 0);
	assert_int_equal(window_ack(&w, 1000001), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
