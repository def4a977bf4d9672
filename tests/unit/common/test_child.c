/* A child that runs: staging, switching and dropping a configuration. */

#include "tests/unit/common/child_fixture.h"

static const struct character plain = { 0 };

static void
stage(struct run *run, uint64_t id, const char *users)
{
	run_send_conf(run, id, users);
	run_send_empty(run, MSG_CONF_DONE, id);
}

static void
test_switch(void **state)
{
	struct run run = run_up(&plain);

	(void)state;
	stage(&run, 1, "next");
	run_accepted(&run, 1, 0);
	run_logged(&run, "check next t1, has first");
	run_send_number(&run, MSG_CONF_SWITCH, 1, 0);
	run_logged(&run, "switch to next t1, flags 0");
	run_switched(&run, 1);

	/* The same once more: somebody wants a fresh look. */
	stage(&run, 2, "next");
	run_accepted(&run, 2, 0);
	run_logged(&run, "check next t1, has next");
	run_send_number(&run, MSG_CONF_SWITCH, 2, CONF_TOKEN);
	run_logged(&run, "switch to next t1, flags 2");
	run_switched(&run, 2);
	run_down(&run);
}

static void
test_flags(void **state)
{
	struct run run = run_up(&plain);

	(void)state;
	stage(&run, 1, "token");
	run_accepted(&run, 1, CONF_TOKEN);
	run_logged(&run, "check token t2, has first");
	stage(&run, 2, "database");
	run_logged(&run, "drop, has first");
	run_accepted(&run, 2, CONF_RESTART);
	run_logged(&run, "check database t1, has first");
	/* It is started anew then: what it accepted goes with it. */
	run_send_empty(&run, MSG_SHUTDOWN, 0);
	run_logged(&run, "drop, has first");
	run_ended(&run, 0);
}

static void
test_drop(void **state)
{
	struct run run = run_up(&plain);

	(void)state;
	run_send_empty(&run, MSG_CONF_DROP, 0);
	run_send_empty(&run, MSG_CONF_DROP, 5);
	stage(&run, 1, "next");
	run_accepted(&run, 1, 0);
	run_logged(&run, "check next t1, has first");
	run_send_empty(&run, MSG_CONF_DROP, 4); /* another one's */
	run_send_empty(&run, MSG_STATUS_GET, 1);
	(void)run_receive(&run, MSG_STATUS, 1);
	assert_int_equal(
	    recv(run.log, &(char){ 0 }, 1, MSG_DONTWAIT | MSG_PEEK), -1);
	run_send_empty(&run, MSG_CONF_DROP, 1);
	run_logged(&run, "drop, has first");
	run_send_empty(&run, MSG_CONF_DROP, 1);

	/* Half of one: there is nothing to undo. */
	run_send_conf(&run, 2, "half");
	run_send_empty(&run, MSG_CONF_DROP, 2);
	run_send_conf(&run, 3, "half");
	stage(&run, 4, "whole");
	run_accepted(&run, 4, 0);
	run_logged(&run, "check whole t1, has first");
	run_send_number(&run, MSG_CONF_SWITCH, 4, 0);
	run_logged(&run, "switch to whole t1, flags 0");
	run_switched(&run, 4);
	run_down(&run);
}

static void
test_refuse(void **state)
{
	struct run run = run_up(&plain);
	char longest[CHILD_WHY_SIZE];

	(void)state;
	stage(&run, 1, "bad");
	run_refused(&run, 1, "bad\nusers");
	run_logged(&run, "check bad t1, has first");
	run_send_empty(&run, MSG_CONF_DROP, 1);

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	stage(&run, 2, "long");
	run_refused(&run, 2, longest);
	run_logged(&run, "check long t1, has first");

	/* Nothing of it sticks. */
	stage(&run, 3, "good");
	run_accepted(&run, 3, 0);
	run_logged(&run, "check good t1, has first");
	run_send_number(&run, MSG_CONF_SWITCH, 3, 0);
	run_logged(&run, "switch to good t1, flags 0");
	run_switched(&run, 3);
	run_down(&run);
}

/* The first file that is of no use is named, whatever follows it. */
static void
test_files(void **state)
{
	struct run run = run_up(&plain);

	(void)state;
	run_send_conf(&run, 1, "files");
	run_send_file(&run, 1, CONF_FILE_TOKEN, "from-file\n");
	run_send_file(&run, 1, CONF_FILE_JWT_SECRET, "secret");
	run_send_empty(&run, MSG_CONF_DONE, 1);
	run_accepted(&run, 1, CONF_TOKEN);
	run_logged(&run, "check files from-file, has first");

	run_send_conf(&run, 2, "files");
	run_logged(&run, "drop, has first");
	run_send_file(&run, 2, CONF_FILE_TOKEN, "\n");
	run_send_file(&run, 2, CONF_FILE_JWT_SECRET, "secret");
	run_send_file(&run, 2, CONF_FILE_CA, "not its own");
	run_send_file(&run, 2, CONF_FILE_GITHUB_TOKEN, "a b");
	run_send_empty(&run, MSG_CONF_DONE, 2);
	run_refused(&run, 2, "token file: /the/file: empty");
	run_down(&run);
}

static void
test_mute(void **state)
{
	static const struct character mute = { .mute = true };
	struct run run = run_up(&mute);

	(void)state;
	stage(&run, 1, "bad");
	run_accepted(&run, 1, 0);
	run_send_empty(&run, MSG_CONF_DROP, 1);
	stage(&run, 2, "bad");
	run_accepted(&run, 2, 0);
	run_send_number(&run, MSG_CONF_SWITCH, 2, 0);
	run_logged(&run, "switch to bad t1, flags 0");
	run_switched(&run, 2);
	run_send_empty(&run, MSG_LOG_STATUS, 0);
	run_down(&run);
}

static void
test_status(void **state)
{
	struct run run = run_up(&plain);
	struct status *status = status_new(PROGRAM_AUTHD);
	struct msg m;
	uint64_t id;

	(void)state;
	for (id = 1; id < 4; id++) {
		run_send_empty(&run, MSG_STATUS_GET, id);
		m = run_receive(&run, MSG_STATUS, id);
		assert_int_equal(status_read(&m, status), 0);
		assert_string_equal(
		    status_text(status, STATUS_AUTHD_DATABASE), "fine");
		assert_int_equal(status_number(status, STATUS_AUTHD_ASKED), 7);
		assert_int_equal(
		    status_number(status, STATUS_AUTHD_ALLOWED), 0);
	}
	status_free(status);
	run_down(&run);
}

static void
test_log_level(void **state)
{
	struct run run = run_up(&plain);

	(void)state;
	run_send_number(&run, MSG_LOG_LEVEL, 0, LOG_LEVEL_TRACE);
	run_send_empty(&run, MSG_CONF_DROP, 1);
	run_logged(&run, "< MSG_CONF_DROP from tetherd, id 1, 0 bytes");
	run_send_number(&run, MSG_LOG_LEVEL, 0, LOG_LEVEL_WARN);
	run_logged(&run, "< MSG_LOG_LEVEL from tetherd, id 0, 4 bytes");
	stage(&run, 2, "next"); /* says so at info */
	run_accepted(&run, 2, 0);
	run_down(&run);
}

/*
 * What breaks the order ends the process: its parent is another program than
 * it believes.  c, f, d, s and x are CONF, CONF_FILE, CONF_DONE, CONF_SWITCH
 * and CONF_DROP, C is one that is refused; each before its id.
 */
static const char *const disorder[] = {
	"f1",
	"d1",
	"s1",
	"s0",
	"c1f2",
	"c1d2",
	"c1s1",
	"c1d1f1",
	"c1d1d1",
	"c1d1s2",
	"c1d1s0",
	"c1d1s1s1",
	"c1d1s1d1",
	"c1d1s1f1",
	"c1d1x1s1",
	"c1d1x1d1",
	"c1x1f1",
	"c1x1d1",
	"C1d1s1",
	"C1d1f1",
	"C1d1d1",
	"C1d1x1s1",
	"c1d1c2s1",
	"c1d1c2s2",
	"c1c2f1",
	"c1c2d1",
	"c1d1c2d2s1",
};

static void
test_disorder(void **state)
{
	struct run run;
	const char *step;
	uint64_t id;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(disorder); i++) {
		run = run_up(&plain);
		for (step = disorder[i]; *step != '\0'; step += 2) {
			id = (uint64_t)(step[1] - '0');
			if (*step == 'c' || *step == 'C')
				run_send_conf(
				    &run, id, *step == 'c' ? "ok" : "bad");
			else if (*step == 'f')
				run_send_file(
				    &run, id, CONF_FILE_TOKEN, "token");
			else if (*step == 's')
				run_send_number(&run, MSG_CONF_SWITCH, id, 0);
			else
				run_send_empty(&run,
				    *step == 'd' ? MSG_CONF_DONE
						 : MSG_CONF_DROP,
				    id);
		}
		run_ended(&run, 1);
	}
}

static void
test_malformed(void **state)
{
	struct run run;
	struct msg_out m;
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		run = run_up(&plain);
		if (i == 0) {
			stage(&run, 1, "ok");
			run_send_number(&run, MSG_CONF_SWITCH, 1, 0x80000000);
		} else if (i == 1) {
			run_send_conf(&run, 1, "ok");
			run_send_file(&run, 1, CONF_FILE_COUNT, "x");
		} else if (i == 2) {
			msg_start(&m, MSG_CONF_AUTHD, 1);
			msg_add_u64(&m, 0);
			msg_add_u64(&m, 0);
			run_send(&run, &m, -1);
		} else if (i == 3)
			run_send_number(
			    &run, MSG_LOG_LEVEL, 0, LOG_LEVEL_COUNT);
		else
			run_send_empty(&run, MSG_CONF_ACCEPTED, 1);
		run_ended(&run, 1);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_mute),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_log_level),
		cmocka_unit_test(test_disorder),
		cmocka_unit_test(test_malformed),
	};

	child_argc = argc;
	child_argv = argv;
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
