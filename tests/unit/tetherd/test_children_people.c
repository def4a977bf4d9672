/* What proxyd and authd tell the parent of people. */

#include "tests/unit/tetherd/children_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
is_cut_off(enum program program)
{
	(void)count(program, MSG_HELLO);
	return recv(played[program].channel, last, 1, MSG_DONTWAIT) == 0;
}

static enum audit_event event;

static void
make(struct msg_out *m, enum msg_type type, uint64_t id)
{
	const struct audit_record record = { .event = event, .login = "mona" };
	static const struct admin_user user = { .login = "lisa" };
	static const struct admin_token token = { .host = "h:1" };
	static const struct admin_done done = { true, "well" };

	msg_start(m, type, id);
	switch ((int)type) {
	case MSG_AUDIT:
		audit_add(m, &record);
		break;
	case MSG_ADMIN_USER:
		admin_user_add(m, &user);
		break;
	case MSG_ADMIN_TOKEN:
		admin_token_add(m, &token);
		break;
	default:
		admin_done_add(m, &done);
		break;
	}
}

static void
tell(enum program program, enum msg_type type, uint64_t id)
{
	struct msg_out m;

	make(&m, type, id);
	utter(program, &m);
	spin();
}

static void
test_audit(void **state)
{
	(void)state;
	event = AUDIT_SIGN_IN;
	/* Before it is ready, too. */
	say(PROGRAM_AUTHD, MSG_HELLO_BACK);
	tell(PROGRAM_AUTHD, MSG_AUDIT, 0);
	assert_events("audit of authd mona; ");
	say(PROGRAM_AUTHD, MSG_READY);
	bring_up(PROGRAM_PROXYD);
	event = AUDIT_REQUEST;
	tell(PROGRAM_PROXYD, MSG_AUDIT, 0);
	assert_events("audit of proxyd mona; ");
	bring_up(PROGRAM_CONNECTOR);
	assert_events("ready; running; ");
	/* It decides nothing about people. */
	tell(PROGRAM_CONNECTOR, MSG_AUDIT, 0);
	assert_events("");
	assert_true(is_cut_off(PROGRAM_CONNECTOR));
}

/* Nor does one of them speak for the other. */
static void
test_audit_of_others(void **state)
{
	static const enum program deciders[] = {
		[AUDIT_SIGN_IN] = PROGRAM_AUTHD,
		[AUDIT_REQUEST] = PROGRAM_PROXYD,
		[AUDIT_TUNNEL] = PROGRAM_PROXYD,
		[AUDIT_MESSAGE] = PROGRAM_PROXYD,
		[AUDIT_ACTION] = PROGRAM_PROXYD,
		[AUDIT_OPERATOR] = PROGRAM_AUTHD,
		[AUDIT_TOKEN] = PROGRAM_AUTHD,
	};
	enum program other;

	(void)state;
	bring_all_up();
	for (event = 0; event < AUDIT_EVENT_COUNT; event++) {
		tell(deciders[event], MSG_AUDIT, 0);
		assert_events(deciders[event] == PROGRAM_AUTHD
				  ? "audit of authd mona; "
				  : "audit of proxyd mona; ");
	}
	for (event = AUDIT_REQUEST; event <= AUDIT_OPERATOR;
	     event += AUDIT_OPERATOR - AUDIT_REQUEST) {
		other = deciders[event] == PROGRAM_AUTHD ? PROGRAM_PROXYD
							 : PROGRAM_AUTHD;
		tell(other, MSG_AUDIT, 0);
		assert_events("");
		assert_true(is_cut_off(other));
	}
}

/* What one had decided before it died counts. */
static void
test_last_words(void **state)
{
	struct msg_out m;

	(void)state;
	event = AUDIT_REQUEST;
	bring_all_up();
	make(&m, MSG_AUDIT, 0);
	utter(PROGRAM_PROXYD, &m);
	die(PROGRAM_PROXYD);
	assert_events("audit of proxyd mona; lost proxyd; ");
	/* An answer to the operator does not: he is told that there is none. */
	make(&m, MSG_ADMIN_DONE, 1);
	utter(PROGRAM_AUTHD, &m);
	die(PROGRAM_AUTHD);
	assert_events("lost authd; ");
}

static void
test_admin(void **state)
{
	static const struct admin_request request = { ADMIN_USER_ROLE, "mona",
		"full" };
	struct admin_request got;
	struct msg m;

	(void)state;
	assert_false(children_ask_admin(children, 7, &request));
	bring_all_up();
	assert_true(children_ask_admin(children, 8, &request));
	assert_int_equal(count(PROGRAM_AUTHD, MSG_ADMIN), 1);
	assert_int_equal(count(PROGRAM_PROXYD, MSG_ADMIN), 0);
	assert_null(msg_parse(&m, last,
	    MSG_HEADER_SIZE + 4 + 4 + strlen("mona") + 4 + strlen("full"), -1,
	    PROGRAM_PARENT, PROGRAM_AUTHD, MSG_RUN));
	assert_int_equal(m.id, 8);
	assert_int_equal(admin_request_read(&m, &got), 0);
	assert_int_equal(got.op, ADMIN_USER_ROLE);
	assert_string_equal(got.whom, "mona");
	assert_string_equal(got.value, "full");

	tell(PROGRAM_AUTHD, MSG_ADMIN_USER, 8);
	tell(PROGRAM_AUTHD, MSG_ADMIN_TOKEN, 8);
	tell(PROGRAM_AUTHD, MSG_ADMIN_DONE, 8);
	assert_events("user 8 lisa; token 8 h:1; done 8 1 well; ");
	die(PROGRAM_AUTHD);
	assert_events("lost authd; ");
	assert_false(children_ask_admin(children, 9, &request));
}

/* Malformed messages, and answers that nobody can have asked for. */
static void
test_lies(void **state)
{
	static const enum msg_type types[] = { MSG_AUDIT, MSG_ADMIN_USER,
		MSG_ADMIN_TOKEN, MSG_ADMIN_DONE };
	struct msg_out m;
	size_t i, malformed;

	(void)state;
	for (i = 0; i < COUNT(types); i++)
		for (malformed = 0; malformed < 2; malformed++) {
			if (types[i] == MSG_AUDIT && malformed == 0)
				continue;
			bring_all_up();
			make(&m, types[i], malformed ? 1 : UNASKED);
			if (malformed)
				msg_add_u8(&m, 0);
			utter(PROGRAM_AUTHD, &m);
			spin();
			if (!is_cut_off(PROGRAM_AUTHD))
				fail_msg("%s is taken", msg_name(types[i]));
			if (malformed)
				assert_events("");
			teardown(NULL);
			setup(NULL);
		}
	/* Only authd says such things. */
	bring_all_up();
	make(&m, MSG_ADMIN_DONE, 1);
	utter(PROGRAM_PROXYD, &m);
	spin();
	assert_true(is_cut_off(PROGRAM_PROXYD));
	assert_events("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_audit),
		TEST(test_audit_of_others),
		TEST(test_last_words),
		TEST(test_admin),
		TEST(test_lies),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
