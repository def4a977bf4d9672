/* A child's records for the audit log, read and not read. */

#include "tests/unit/common/child_fixture.h"

/* More than what any socket between the two takes. */
#define MANY 20000

static const struct character few = { .records = 3 };
static const struct character many = { .records = MANY };

/* The number of the next record. */
static uint64_t
receive_record(struct run *run)
{
	struct msg m = run_receive(run, MSG_AUDIT, 0);
	struct audit_record record;

	assert_int_equal(audit_read(&m, &record), 0);
	assert_int_equal(record.event, AUDIT_REQUEST);
	assert_int_equal(strlen(record.path), AUDIT_PATH_SIZE - 1);
	return record.github_id;
}

static void
test_read(void **state)
{
	struct run run = run_up(&few);
	uint64_t i;

	(void)state;
	run_send_empty(&run, MSG_LOG_STATUS, 0);
	for (i = 1; i <= 3; i++)
		assert_int_equal(receive_record(&run), i);
	run_logged(&run, "3 records, 0 lost");
	run_down(&run);
}

static unsigned long
read_lost(struct run *run)
{
	char line[1 + LOG_LINE_MAX];
	struct pollfd p = { .fd = run->log, .events = POLLIN };
	unsigned long lost = 0;
	ssize_t n;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	n = recv(run->log, line, sizeof(line) - 1, 0);
	assert_true(n > 1);
	line[n] = '\0';
	assert_int_equal(sscanf(line + 1, "20000 records, %lu lost", &lost), 1);
	return lost;
}

/* Twice: what was lost once is not counted again. */
static void
test_not_read(void **state)
{
	struct run run = run_up(&many);
	unsigned long lost, i;
	char line[128];
	int round;

	(void)state;
	for (round = 0; round < 2; round++) {
		run_send_empty(&run, MSG_LOG_STATUS, 0);
		/* It has not waited for anybody to read. */
		lost = read_lost(&run);
		assert_in_range(lost, 1, MANY - 1);
		for (i = 1; i <= MANY - lost; i++)
			assert_int_equal(receive_record(&run), i);
		(void)snprintf(line, sizeof(line),
		    "audit: %lu records lost: tetherd was too busy to read "
		    "them",
		    lost);
		run_logged(&run, line);
	}
	run_down(&run);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_not_read),
	};

	child_argc = argc;
	child_argv = argv;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
