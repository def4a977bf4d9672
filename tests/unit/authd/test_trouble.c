#include "authd/trouble.h"
#include "tests/unit/authd/fixture.h"

static void
test_trouble(void **state)
{
	struct fixture *f = *state;
	struct trouble t = { 0 };
	int i;

	trouble_over(&t, "thing");
	assert_int_equal(log_count(f, ""), 0);

	for (i = 0; i < 100; i++)
		trouble_report(&t, "thing: %s", "broken");
	assert_int_equal(log_count(f, "thing: broken"), 1);
	trouble_over(&t, "thing");
	trouble_over(&t, "thing");
	assert_int_equal(log_count(f, "thing works again"), 1);

	/* Back within the minute: known already. */
	trouble_report(&t, "thing: broken");
	assert_int_equal(log_count(f, ""), 0);
	trouble_report(&t, "thing: lost");
	assert_int_equal(log_count(f, "thing: lost"), 1);

	/* A minute later it is worth a reminder. */
	t.logged_ms -= 60000;
	trouble_report(&t, "thing: lost");
	assert_int_equal(log_count(f, "thing: lost"), 1);

	/* Taking turns does not fill the log. */
	for (i = 0; i < 100; i++)
		trouble_report(&t, "thing: %d", i % 2);
	assert_true(log_count(f, "thing") <= 5);
	t.window_ms -= 60000;
	trouble_report(&t, "thing: lost");
	assert_int_equal(log_count(f, "thing: lost"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trouble, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
