/* A child that starts: from HELLO to READY. */

#include "tests/unit/common/child_fixture.h"

static const struct character plain = { 0 };

static void
test_start(void **state)
{
	struct run run = run_up(&plain);

	(void)state;
	run_down(&run);
}

/* Its parent is gone: there is nothing to finish for. */
static void
test_orphan(void **state)
{
	struct run run = run_up(&plain);

	(void)state;
	close(run.channel);
	run.channel = dup(run.log);
	run_ended(&run, 1);
}

static void
test_version(void **state)
{
	struct run run = run_start(&plain);

	(void)state;
	run_send_number(&run, MSG_HELLO, 0, MSG_PROTOCOL_VERSION + 1);
	run_logged(&run, "hello: this is not the authd of this tetherd");
	run_ended(&run, 1);
}

/* Refused by the program, after it got all. */
static void
test_refuse(void **state)
{
	static const struct character refuses = { .refuses = true };
	struct run run = run_start(&refuses);

	(void)state;
	run_hello(&run);
	run_send_conf(&run, 0, "first");
	run_send_empty(&run, MSG_CONF_DONE, 0);
	run_refused(&run, 0, "no such database");
	run_ended(&run, 1);
}

static void
test_files(void **state)
{
	struct run run = run_start(&plain);

	(void)state;
	run_hello(&run);
	run_send_conf(&run, 0, "first");
	run_send_file(&run, 0, CONF_FILE_TOKEN, "a b\n");
	run_send_file(&run, 0, CONF_FILE_JWT_SECRET, "secret");
	run_send_file(&run, 0, CONF_FILE_GITHUB_TOKEN, "");
	run_send_empty(&run, MSG_CONF_DONE, 0);
	run_refused(&run, 0,
	    "token file: /the/file: contains characters that have no place in "
	    "a token");
	run_ended(&run, 1);
}

/* As in test_child.c; o is the slice of another program. */
static void
test_disorder(void **state)
{
	static const char *const disorder[] = { "d", "f", "cc", "cfc", "r",
		"cr", "s", "cs", "x", "co", "o" };
	struct run run;
	const char *step;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(disorder); i++) {
		run = run_start(&plain);
		run_hello(&run);
		for (step = disorder[i]; *step != '\0'; step++) {
			if (*step == 'c')
				run_send_conf(&run, 0, "first");
			else if (*step == 'f')
				run_send_file(
				    &run, 0, CONF_FILE_TOKEN, "token");
			else if (*step == 'r')
				run_send_file(
				    &run, 0, CONF_FILE_COUNT, "token");
			else if (*step == 's')
				run_send_number(&run, MSG_CONF_SWITCH, 0, 0);
			else
				run_send_empty(&run,
				    *step == 'd'   ? MSG_CONF_DONE
				    : *step == 'x' ? MSG_CONF_DROP
						   : MSG_CONF_CONNECTOR,
				    0);
		}
		run_ended(&run, 1);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_disorder),
	};

	child_argc = argc;
	child_argv = argv;
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
