#include "tests/unit/sandbox/probe.h"

/* What each program may do of what the kernel offers, tried. */

#define KILL "SIGSYS"
#define OK   "ok"

static int
try_nothing(void)
{
	return 0;
}

static int
try_fork(void)
{
	return fork();
}

static int
try_abort(void)
{
	abort();
}

static const struct row {
	const char *what;
	probe_attempt *attempt;
	const char *results[PROBE_PROGRAMS];
} rows[] = {
	{ "nothing", try_nothing, { OK, OK, OK, OK, OK, OK, OK } },
	{ "abort(3)", try_abort,
	    { "SIGABRT", "SIGABRT", "SIGABRT", "SIGABRT", "SIGABRT", "SIGABRT",
		"SIGABRT" } },
	{ "fork(2)", try_fork, { KILL, KILL, KILL, KILL, KILL, KILL, KILL } },
};

static void
test_attempts(void **state)
{
	const char *result;
	size_t i, p;
	int wrong = 0;

	(void)state;
	if (!probe_possible())
		skip();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (p = 0; p < PROBE_PROGRAMS; p++) {
			result = probe((enum probe_program)p, rows[i].attempt);
			if (rows[i].results[p] != NULL &&
			    strcmp(result, rows[i].results[p]) == 0)
				continue;
			print_error("%s, %s: %s\n", probe_names[p],
			    rows[i].what, result);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
	};

	return cmocka_run_group_tests(tests, probe_open, probe_close);
}
