/* What the parent asks of its children, and what they answer or claim. */

#include "tests/unit/tetherd/children_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const enum program all[] = { PROGRAM_CONNECTOR, PROGRAM_PROXYD,
	PROGRAM_AUTHD };

static const enum msg_type slices[] = { MSG_CONF_CONNECTOR, MSG_CONF_PROXYD,
	MSG_CONF_AUTHD };

/* The id of what count() found last, and the number in it. */
static uint64_t
last_id(void)
{
	uint64_t id;

	memcpy(&id, last + 8, sizeof(id));
	return id;
}

static uint32_t
last_number(void)
{
	uint32_t n;

	memcpy(&n, last + MSG_HEADER_SIZE, sizeof(n));
	return n;
}

static void
say_switched(enum program program, uint64_t id)
{
	struct msg_out m;

	msg_start(&m, MSG_CONF_SWITCHED, id);
	utter(program, &m);
	spin();
}

static void
accept_conf(enum program program, uint64_t id, uint32_t flags)
{
	struct msg_out m;

	msg_start(&m, MSG_CONF_ACCEPTED, id);
	msg_add_u32(&m, flags);
	utter(program, &m);
	spin();
}

static void
refuse_conf(enum program program, uint64_t id, const char *why)
{
	struct msg_out m;

	msg_start(&m, MSG_CONF_REFUSED, id);
	msg_add_str(&m, why);
	utter(program, &m);
	spin();
}

static void
answer_status(enum program program, uint64_t id, const char *text)
{
	struct status *status = status_new(program);
	struct msg_out m;

	if (program == PROGRAM_AUTHD)
		status_set_text(status, STATUS_AUTHD_DATABASE, text);
	msg_start(&m, MSG_STATUS, id);
	status_add(&m, status);
	status_free(status);
	utter(program, &m);
	spin();
}

/* The parent has nothing to do with it any more. */
static bool
is_cut_off(enum program program)
{
	uint8_t byte;
	ssize_t n;

	do
		n = recv(played[program].channel, &byte, 1, MSG_DONTWAIT);
	while (n > 0);
	return n == 0;
}

/* restart: bits by number of the program. */
static void
switch_all(const struct conf *to, uint64_t id, uint32_t flags, unsigned restart)
{
	size_t i;

	children_set_conf(children, to, id);
	for (i = 0; i < COUNT(all); i++)
		children_switch(children, all[i], id, flags,
		    (restart & (1U << all[i])) != 0);
}

static void
test_stage(void **state)
{
	size_t i;

	(void)state;
	bring_all_up();
	children_stage(children, conf, 1);
	accept_conf(PROGRAM_PROXYD, 1, 0);
	refuse_conf(PROGRAM_CONNECTOR, 1, "a\nb\033[m\377");
	accept_conf(PROGRAM_AUTHD, 1, CONF_TOKEN | CONF_RESTART);
	assert_events("proxyd accepts 1 0; connector refuses 1 a?b?[m?; "
		      "authd accepts 1 3; ");
	for (i = 0; i < COUNT(all); i++)
		assert_int_equal(count(all[i], slices[i]), 1);
	children_drop(children, 7);
	children_drop(children, 1);
	children_drop(children, 1);
	for (i = 0; i < COUNT(all); i++) {
		assert_int_equal(count(all[i], MSG_CONF_DROP), 1);
		assert_int_equal(last_id(), 1);
	}
	children_stage(children, conf, 2);
	for (i = 0; i < COUNT(all); i++) {
		assert_int_equal(count(all[i], MSG_CONF_DONE), 1);
		assert_int_equal(last_id(), 2);
		accept_conf(all[i], 2, 0);
	}
	switch_all(conf, 2, CONF_TOKEN, 0);
	for (i = 0; i < COUNT(all); i++) {
		assert_int_equal(count(all[i], MSG_CONF_SWITCH), 1);
		assert_int_equal(last_id(), 2);
		assert_int_equal(last_number(), CONF_TOKEN);
		assert_int_equal(played[all[i]].spawned, 1);
	}
}

/* Another configuration, whose users can be told from the first one's. */
static struct conf *
make_conf(const char *users)
{
	struct draft draft;

	draft_start(&draft);
	free(draft.conf.authd.users[0]);
	draft.conf.authd.users[0] = strdup(users);
	return draft_take(&draft);
}

/* Those that were started since get the configuration that is in force. */
static void
test_restart(void **state)
{
	struct conf *next = make_conf("the-next-users");

	(void)state;
	bring_all_up();
	children_stage(children, next, 1);
	accept_conf(PROGRAM_PROXYD, 1, 0);
	accept_conf(PROGRAM_CONNECTOR, 1, 0);
	accept_conf(PROGRAM_AUTHD, 1, CONF_RESTART);
	events[0] = '\0';
	switch_all(next, 1, 0, 1U << PROGRAM_AUTHD);
	assert_int_equal(count(PROGRAM_PROXYD, MSG_CONF_SWITCH), 1);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_CONF_SWITCH), 1);
	assert_int_equal(count(PROGRAM_AUTHD, MSG_SHUTDOWN), 1);
	assert_false(children_all_run(children));
	/* What it says while it goes is of no interest, nor wrong. */
	accept_conf(PROGRAM_AUTHD, 1, 0);
	refuse_conf(PROGRAM_AUTHD, 5, "why");
	answer_status(PROGRAM_AUTHD, 5, "why");
	assert_events("");
	die(PROGRAM_AUTHD);
	assert_int_equal(played[PROGRAM_AUTHD].spawned, 2);
	bring_up(PROGRAM_AUTHD);
	assert_events("authd has 1; running; ");
	assert_int_equal(count(PROGRAM_AUTHD, MSG_CONF_AUTHD), 1);
	assert_non_null(memmem(last, sizeof(last), "the-next-users", 14));
	assert_int_equal(last_id(), 1);

	/* Dropped: whoever is started gets the old one. */
	children_stage(children, conf, 2);
	children_drop(children, 2);
	die(PROGRAM_AUTHD);
	bring_up(PROGRAM_AUTHD);
	assert_int_equal(count(PROGRAM_AUTHD, MSG_CONF_AUTHD), 1);
	assert_non_null(memmem(last, sizeof(last), "the-next-users", 14));
	assert_int_equal(last_id(), 1);
	/* The new one is not asked again, and not told of what is over. */
	children_drop(children, 2);
	assert_int_equal(count(PROGRAM_AUTHD, MSG_CONF_DROP), 0);
	/* Nor may it answer what its predecessor was asked. */
	accept_conf(PROGRAM_AUTHD, 2, 0);
	assert_true(is_cut_off(PROGRAM_AUTHD));
	switch_all(conf, 3, 0, 0);
	teardown(NULL);
	conf_free(next);
	setup(NULL);
}

static void
test_late(void **state)
{
	(void)state;
	bring_all_up();
	children_stage(children, conf, 1);
	children_drop(children, 1);
	children_stage(children, conf, 2);
	accept_conf(PROGRAM_AUTHD, 1, 0);
	refuse_conf(PROGRAM_PROXYD, 1, "late");
	assert_events("");
	accept_conf(PROGRAM_AUTHD, 2, 0);
	refuse_conf(PROGRAM_PROXYD, 2, "in time");
	assert_events("authd accepts 2 0; proxyd refuses 2 in time; ");
	children_drop(children, 2);
	accept_conf(PROGRAM_CONNECTOR, 2, 0);
	assert_events("");
	assert_false(is_cut_off(PROGRAM_CONNECTOR));
	assert_false(is_cut_off(PROGRAM_AUTHD));
	assert_false(is_cut_off(PROGRAM_PROXYD));
}

static void
test_status(void **state)
{
	(void)state;
	assert_int_equal(children_ask_status(children, 1), 0);
	bring_all_up();
	assert_int_equal(children_ask_status(children, 3), 3);
	assert_int_equal(children_ask_status(children, 4), 3);
	answer_status(PROGRAM_AUTHD, 3, "fine\n");
	answer_status(PROGRAM_PROXYD, 4, "");
	answer_status(PROGRAM_AUTHD, 4, "still");
	assert_events("status of authd 3 fine?; status of proxyd 4 ; "
		      "status of authd 4 still; ");
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_STATUS_GET), 2);
	assert_int_equal(last_id(), 4);
	die(PROGRAM_CONNECTOR);
	assert_int_equal(children_ask_status(children, 5), 2);
}

/* It is known when each of them runs with the new one, whatever happens. */
static void
test_switched(void **state)
{
	siginfo_t info;

	(void)state;
	bring_all_up();
	children_stage(children, conf, 1);
	children_set_conf(children, conf, 1);
	events[0] = '\0';
	/* By itself. */
	children_switch(children, PROGRAM_AUTHD, 1, 0, false);
	assert_events("");
	say_switched(PROGRAM_AUTHD, 1);
	assert_events("authd has 1; ");
	/* It dies before it says so. */
	children_switch(children, PROGRAM_PROXYD, 1, 0, false);
	die(PROGRAM_PROXYD);
	assert_events("lost proxyd; ");
	bring_up(PROGRAM_PROXYD);
	assert_events("proxyd has 1; running; ");
	/* Before it is told, and it runs again already. */
	die(PROGRAM_CONNECTOR);
	bring_up(PROGRAM_CONNECTOR);
	assert_events("lost connector; running; ");
	children_switch(children, PROGRAM_CONNECTOR, 1, 0, true);
	assert_events("connector has 1; ");
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_SHUTDOWN), 0);

	/* Or does not run again yet. */
	children_stage(children, conf, 2);
	children_set_conf(children, conf, 2);
	die(PROGRAM_CONNECTOR);
	children_switch(children, PROGRAM_CONNECTOR, 2, 0, false);
	assert_events("lost connector; ");
	bring_up(PROGRAM_CONNECTOR);
	assert_events("connector has 2; running; ");
	/* Not in time: its successor is nobody's business. */
	children_switch(children, PROGRAM_AUTHD, 2, 0, false);
	children_give_up(children, PROGRAM_AUTHD);
	assert_int_equal(waitid(P_PID, (id_t)played[PROGRAM_AUTHD].pid, &info,
			     WEXITED | WNOWAIT),
	    0);
	assert_int_equal(info.si_status, SIGKILL);
	die(PROGRAM_AUTHD);
	bring_up(PROGRAM_AUTHD);
	assert_events("lost authd; running; ");
}

/* A socket is for the settings that a child has. */
static void
test_dial_meanwhile(void **state)
{
	(void)state;
	bring_all_up();
	children_stage(children, conf, 1);
	say(PROGRAM_CONNECTOR, MSG_DIAL);
	assert_events("connector dial 0; ");
	children_set_conf(children, conf, 1);
	say(PROGRAM_CONNECTOR, MSG_DIAL);
	assert_events("");
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_DIAL_FAILED), 1);
	children_switch(children, PROGRAM_CONNECTOR, 1, 0, false);
	say(PROGRAM_CONNECTOR, MSG_DIAL);
	assert_events("connector dial 0; ");
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_DIAL_FAILED), 0);
	/* A reload that failed. */
	children_stage(children, conf, 2);
	children_drop(children, 2);
	say(PROGRAM_CONNECTOR, MSG_DIAL);
	assert_events("connector dial 0; ");
}

/*
 * What only a broken child says, in place of a right answer: a is
 * CONF_ACCEPTED, r CONF_REFUSED, w CONF_SWITCHED, s STATUS, u has unknown
 * flags, each before its id; C, W and S are what the parent asks with an id.
 */
static const char *const lies[] = {
	"a0",
	"a1",
	"r0",
	"r1",
	"s0",
	"s1",
	"C1u1",
	"C1a2",
	"C1r2",
	"C1a0",
	"C1r0",
	"C1a1a1",
	"C1a1r1",
	"C1r1r1",
	"C1r1a1",
	"C1C2a2a1",
	"C1s1",
	"S1a1",
	"S1s2",
	"S1s0",
	"S1s1s1",
	"S1S2s2s1",
	"w0",
	"w1",
	"C1w1",
	"C1a1w1",
	"C1a1W1w0",
	"C1a1W1w2",
	"C1a1W1w1w1",
};

static void
test_lies(void **state)
{
	struct msg_out m;
	const char *step;
	uint64_t id;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lies); i++) {
		bring_all_up();
		for (step = lies[i]; *step != '\0'; step += 2) {
			assert_false(is_cut_off(PROGRAM_AUTHD));
			id = (uint64_t)(step[1] - '0');
			if (*step == 'C')
				children_stage(children, conf, id);
			else if (*step == 'S')
				(void)children_ask_status(children, id);
			else if (*step == 'r')
				refuse_conf(PROGRAM_AUTHD, id, "why");
			else if (*step == 'W')
				children_switch(
				    children, PROGRAM_AUTHD, id, 0, false);
			else if (*step == 'w')
				say_switched(PROGRAM_AUTHD, id);
			else if (*step == 's')
				answer_status(PROGRAM_AUTHD, id, "x");
			else
				accept_conf(PROGRAM_AUTHD, id,
				    *step == 'u' ? ~(uint32_t)CONF_FLAGS_KNOWN
						 : 0);
		}
		if (!is_cut_off(PROGRAM_AUTHD))
			fail_msg("%s is taken", lies[i]);
		assert_null(strstr(events, "u1"));
		assert_false(is_cut_off(PROGRAM_PROXYD));
		/* What the parent does next finds nobody there. */
		children_drop(children, 1);
		children_stage(children, conf, 3);
		switch_all(conf, 3, 0, 0);
		teardown(NULL);
		setup(NULL);
	}
	/* Malformed ones. */
	bring_all_up();
	(void)children_ask_status(children, 1);
	msg_start(&m, MSG_STATUS, 1);
	msg_add_u64(&m, 1);
	utter(PROGRAM_AUTHD, &m);
	children_stage(children, conf, 1);
	msg_start(&m, MSG_CONF_REFUSED, 1);
	msg_add_u64(&m, UINT64_MAX);
	utter(PROGRAM_PROXYD, &m);
	spin();
	assert_true(is_cut_off(PROGRAM_AUTHD));
	assert_true(is_cut_off(PROGRAM_PROXYD));
	assert_events("");
}

/* Before it is ready, it may only refuse, and once. */
static void
test_lies_at_start(void **state)
{
	(void)state;
	say(PROGRAM_AUTHD, MSG_HELLO_BACK);
	accept_conf(PROGRAM_AUTHD, 0, 0);
	assert_true(is_cut_off(PROGRAM_AUTHD));
	say(PROGRAM_PROXYD, MSG_HELLO_BACK);
	refuse_conf(PROGRAM_PROXYD, 1, "why");
	assert_true(is_cut_off(PROGRAM_PROXYD));
	say(PROGRAM_CONNECTOR, MSG_HELLO_BACK);
	refuse_conf(PROGRAM_CONNECTOR, 0, "why");
	assert_false(is_cut_off(PROGRAM_CONNECTOR));
	refuse_conf(PROGRAM_CONNECTOR, 0, "why");
	assert_true(is_cut_off(PROGRAM_CONNECTOR));
	assert_events("");
}

static void
ask_restart(enum program program, bool owner)
{
	struct msg_out m;

	msg_start(&m, MSG_RESTART, 0);
	msg_add_u8(&m, owner);
	msg_add_str(&m, "why");
	utter(program, &m);
	spin();
}

/* It gets what it wants, four times. */
static void
test_wants_restart(void **state)
{
	struct child_info info;
	unsigned i;

	(void)state;
	bring_all_up();
	for (i = 1; i <= 4; i++) {
		ask_restart(PROGRAM_AUTHD, false);
		assert_events("restart authd; ");
		assert_int_equal(count(PROGRAM_AUTHD, MSG_SHUTDOWN), 1);
		/* Asking again, it is on its way already. */
		ask_restart(PROGRAM_AUTHD, false);
		assert_int_equal(count(PROGRAM_AUTHD, MSG_SHUTDOWN), 0);
		die(PROGRAM_AUTHD);
		assert_int_equal(played[PROGRAM_AUTHD].spawned, i + 1);
		assert_events("");
		bring_up(PROGRAM_AUTHD);
		assert_events("running; ");
	}
	assert_true(children_info(children, PROGRAM_AUTHD, &info));
	assert_int_equal(info.lost, 4);
	ask_restart(PROGRAM_AUTHD, false);
	assert_events("restart authd; ");
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_SHUTDOWN), 1);
	die(PROGRAM_CONNECTOR);
	die(PROGRAM_PROXYD);
	die(PROGRAM_AUTHD);
	assert_int_equal(played[PROGRAM_AUTHD].spawned, 5);
	assert_events("stopped 1; ");
}

/* As another user, if there is one now. */
static void
test_wants_other_user(void **state)
{
	struct child_info info;

	(void)state;
	bring_all_up();
	has_other_owner = false;
	ask_restart(PROGRAM_AUTHD, true);
	assert_events("restart authd as other; ");
	assert_int_equal(count(PROGRAM_AUTHD, MSG_SHUTDOWN), 0);
	assert_true(children_info(children, PROGRAM_AUTHD, &info));
	assert_int_equal(info.lost, 0);
	has_other_owner = true;
	ask_restart(PROGRAM_AUTHD, true);
	assert_events("restart authd as other; ");
	assert_int_equal(count(PROGRAM_AUTHD, MSG_SHUTDOWN), 1);
	die(PROGRAM_AUTHD);
	assert_int_equal(played[PROGRAM_AUTHD].spawned, 2);
}

/* Only authd may ask, only while it runs; a stop comes first. */
static void
test_must_not_want_restart(void **state)
{
	struct msg_out m;

	(void)state;
	say(PROGRAM_AUTHD, MSG_HELLO_BACK);
	ask_restart(PROGRAM_AUTHD, false);
	assert_true(is_cut_off(PROGRAM_AUTHD));
	teardown(NULL);
	setup(NULL);
	bring_all_up();
	ask_restart(PROGRAM_PROXYD, false);
	assert_true(is_cut_off(PROGRAM_PROXYD));
	msg_start(&m, MSG_RESTART, 0);
	msg_add_u32(&m, 9);
	utter(PROGRAM_AUTHD, &m);
	spin();
	assert_true(is_cut_off(PROGRAM_AUTHD));
	teardown(NULL);
	setup(NULL);
	bring_all_up();
	children_stop(children);
	ask_restart(PROGRAM_AUTHD, false);
	assert_events("");
	assert_false(is_cut_off(PROGRAM_AUTHD));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stage),
		TEST(test_restart),
		TEST(test_wants_restart),
		TEST(test_wants_other_user),
		TEST(test_must_not_want_restart),
		TEST(test_switched),
		TEST(test_dial_meanwhile),
		TEST(test_late),
		TEST(test_status),
		TEST(test_lies),
		TEST(test_lies_at_start),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
