/* What each command does and answers. */

#include "tests/unit/tetherd/control_fixture.h"

static void
test_show_status(void **state)
{
	int fd = open_greeted();
	char *text;

	(void)state;
	say(fd, MSG_CTL_SHOW, 1, CONTROL_STATUS, 0);
	assert_int_equal(played.asked, 1);
	answer(PROGRAM_AUTHD, played.id);
	/* Of another inquiry, and twice: that is not all of them. */
	answer(PROGRAM_CONNECTOR, played.id + 1);
	answer(PROGRAM_AUTHD, played.id);
	answer(PROGRAM_AUTHD, played.id);
	answer(PROGRAM_PROXYD, played.id);
	assert_false(has_message(fd));
	answer(PROGRAM_CONNECTOR, played.id);
	text = hear_rows(fd);
	assert_in(text, "version=" TETHERD_VERSION " |");
	assert_in(text, "|mode=client |");
	assert_in(text, "|restarts=6 |");
	assert_in(text, "|activity=busy |");
	assert_null(strstr(text, "requests=1234"));
	assert_null(strstr(text, "no answer"));
	close(fd);
}

/* Some children do not answer: it takes 2 s, and says so. */
static void
test_no_answer(void **state)
{
	const struct timeval almost = { 1, 500000 }, rest = { 1, 0 };
	int fd = open_greeted();
	char *text;

	(void)state;
	say(fd, MSG_CTL_SHOW, 1, CONTROL_STATS, 0);
	answer(PROGRAM_PROXYD, played.id);
	event_base_loopexit(base, &almost);
	event_base_dispatch(base);
	assert_false(has_message(fd));
	event_base_loopexit(base, &rest);
	event_base_dispatch(base);
	text = hear_rows(fd);
	assert_in(text, "connector=no answer |");
	assert_in(text, "authd=no answer |");
	assert_in(text, "|requests=1234 |");
	assert_null(strstr(text, "activity"));
	answer_all(played.id);
	assert_false(has_message(fd));
	close(fd);
}

static void
test_show_others(void **state)
{
	int fd = open_greeted();
	char *text;

	(void)state;
	say(fd, MSG_CTL_SHOW, 1, CONTROL_PROCESSES, 0);
	text = hear_rows(fd);
	assert_in(text, "program=tetherd pid=");
	assert_in(text, "|program=connector pid=");
	assert_in(text, "state=running uptime=90 restarts=2 rss=");
	assert_in(text, " log level=verbose seccomp=");
	assert_in(text, " landlock=none capabilities=");
	assert_in(text,
	    "|program=launcher pid=? uid=? state=stopped uptime=? restarts=0 "
	    "rss=? log level=brief seccomp=? no new privs=? landlock=? "
	    "capabilities=? |program=connector ");
	say(fd, MSG_CTL_SHOW, 1, CONTROL_LIMITS, 0);
	answer_all(played.id);
	text = hear_rows(fd);
	assert_in(text, "limit=requests value=256 in use=77 adjustable=1 |");
	assert_in(text, "limit=body value=0 in use=? adjustable=1 |");
	assert_in(
	    text, "limit=control clients value=8 in use=1 adjustable=0 |");
	close(fd);
}

static void
test_show_config(void **state)
{
	static const size_t lengths[] = { 0, 1, CONTROL_TEXT_SIZE - 1,
		CONTROL_TEXT_SIZE, 100000 };
	static char all[200001];
	int fd = open_greeted();
	struct msg m;
	size_t i, len;

	(void)state;
	for (i = 0; i < COUNT(lengths); i++) {
		played.text_len = lengths[i];
		say(fd, MSG_CTL_SHOW, 1, CONTROL_CONFIG, 0);
		for (len = 0;; len += strlen(all + len)) {
			assert_null(msg_recv_now(fd, &m, buffer, 0,
			    PROGRAM_PARENT, PROGRAM_TETHERCTL, MSG_RUN));
			if (m.type != MSG_CTL_TEXT)
				break;
			msg_get_str(&m, all + len, CONTROL_TEXT_SIZE);
			assert_true(msg_end(&m));
		}
		assert_int_equal(m.type, MSG_CTL_DONE);
		assert_int_equal(len, lengths[i]);
	}
	for (i = 0; i < 100000; i++)
		assert_int_equal(all[i], "0123456789\n"[i % 11]);
	played.text_len = CONTROL_ANSWER_MAX + 1;
	say(fd, MSG_CTL_SHOW, 1, CONTROL_CONFIG, 0);
	hear_done(
	    fd, MSG_RUN, CONTROL_FAILED, "the text is too long to be shown");
	assert_int_equal(played.asked, 0);
	close(fd);
}

static void
test_reload(void **state)
{
	int fd = open_greeted(), other;
	struct msg m;
	char text[64];

	(void)state;
	say(fd, MSG_CTL_RELOAD, 0, 0, 0);
	assert_int_equal(played.reloads, 1);
	/* The next one waits, whatever it is. */
	say(fd, MSG_CTL_RELOAD, 0, 0, 0);
	assert_int_equal(played.reloads, 1);
	/* Others do not. */
	other = open_greeted();
	say(other, MSG_CTL_DISCONNECT, 0, 0, 0);
	hear_done(other, MSG_RUN, CONTROL_OK, "disconnecting");
	assert_int_equal(played.sent, MSG_DISCONNECT);
	close(other);

	assert_false(has_message(fd));
	played.done(played.arg, NULL);
	hear_done(fd, MSG_RUN, CONTROL_OK, "settings reloaded");
	spin();
	assert_int_equal(played.reloads, 2);
	played.done(played.arg, "a:1: one\nb:2: two\n");
	played.done = NULL;
	m = hear(fd, MSG_CTL_TEXT, MSG_RUN);
	msg_get_str(&m, text, sizeof(text));
	assert_string_equal(text, "a:1: one\nb:2: two\n");
	hear_done(fd, MSG_RUN, CONTROL_FAILED,
	    "reload failed: the old settings stay in force");
	close(fd);
}

static void
test_connection(void **state)
{
	int fd = open_greeted();

	(void)state;
	say(fd, MSG_CTL_RECONNECT, 0, 0, 0);
	hear_done(fd, MSG_RUN, CONTROL_OK, "reconnecting");
	assert_int_equal(played.sent, MSG_RECONNECT);
	played.sent = MSG_NONE;
	played.state = "starting";
	say(fd, MSG_CTL_RECONNECT, 0, 0, 0);
	hear_done(fd, MSG_RUN, CONTROL_FAILED, "connector does not run");
	played.state = "running";
	conf.connector.enabled = false;
	say(fd, MSG_CTL_DISCONNECT, 0, 0, 0);
	hear_done(fd, MSG_RUN, CONTROL_FAILED,
	    "mode standalone: there is no orchestrator");
	assert_int_equal(played.sent, MSG_NONE);
	close(fd);
}

static void
test_log(void **state)
{
	int fd = open_greeted();

	(void)state;
	say(fd, MSG_CTL_LOG, 2, CONTROL_VERBOSE, PROGRAM_PROXYD);
	hear_done(fd, MSG_RUN, CONTROL_OK, "");
	assert_int_equal(played.level_of, PROGRAM_PROXYD);
	assert_int_equal(played.level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_get_level(), LOG_LEVEL_CRIT);
	played.level_of = PROGRAM_DIALER;
	say(fd, MSG_CTL_LOG, 2, CONTROL_BRIEF, PROGRAM_PARENT);
	hear_done(fd, MSG_RUN, CONTROL_OK, "");
	assert_int_equal(played.level_of, PROGRAM_DIALER);
	assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
	log_set_level(LOG_LEVEL_CRIT);
	say(fd, MSG_CTL_LOG, 2, CONTROL_BRIEF, CONTROL_ALL);
	hear_done(fd, MSG_RUN, CONTROL_OK, "");
	assert_int_equal(played.level_of, PROGRAM_COUNT);
	assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
	close(fd);
}

static void
ask_admin(int fd, enum admin_op op, const char *whom)
{
	struct admin_request request = { .op = op };
	struct msg_out m;

	(void)strlcpy(request.whom, whom, sizeof(request.whom));
	msg_start(&m, MSG_CTL_ADMIN, 0);
	admin_request_add(&m, &request);
	assert_int_equal(msg_send_now(fd, &m, -1), 0);
	spin();
}

/* A list, a change, and the end of authd and of tetherd meanwhile. */
static void
test_admin(void **state)
{
	static const struct admin_user user = { .github_id = 7,
		.login = "mona" };
	static const struct admin_done good = { true, "" },
				       bad = { false, "no such user: x" };
	int fd = open_greeted();

	(void)state;
	ask_admin(fd, ADMIN_USERS, "");
	assert_int_equal(played.request.op, ADMIN_USERS);
	assert_false(has_message(fd));
	assert_int_equal(control_on_admin_user(control, played.id, &user), 0);
	assert_int_equal(control_on_admin_done(control, played.id, &good), 0);
	assert_in(hear_rows(fd), "github id=7 login=mona ");

	ask_admin(fd, ADMIN_USER_DISABLE, "x");
	assert_string_equal(played.request.whom, "x");
	assert_int_equal(control_on_admin_done(control, played.id, &bad), 0);
	hear_done(fd, MSG_RUN, CONTROL_FAILED, "no such user: x");
	assert_int_equal(control_on_admin_user(control, 0, &user), -1);
	assert_int_equal(control_on_admin_done(control, 99, &good), -1);

	ask_admin(fd, ADMIN_TOKENS, "");
	control_on_authd_gone(control);
	hear_done(fd, MSG_RUN, CONTROL_FAILED, "authd did not answer");
	ask_admin(fd, ADMIN_TOKENS, "");
	control_stop(control);
	hear_done(fd, MSG_RUN, CONTROL_FAILED, "tetherd is stopping");
	/* Then nobody is there. */
	assert_int_equal(control_on_admin_user(control, played.id, &user), 0);
	assert_int_equal(control_on_admin_done(control, played.id, &good), 0);
	control_on_authd_gone(control);
	close(fd);
}

/* He hung up before authd answered. */
static void
test_admin_gone(void **state)
{
	static const struct admin_user user = { .login = "mona" };
	int fd = open_greeted();

	(void)state;
	ask_admin(fd, ADMIN_USERS, "");
	close(fd);
	assert_int_equal(
	    event_base_loopexit(base, &(struct timeval){ .tv_sec = 2 }), 0);
	event_base_dispatch(base);
	assert_int_equal(control_on_admin_user(control, played.id, &user), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_show_status),
		TEST(test_no_answer),
		TEST(test_show_others),
		TEST(test_show_config),
		TEST(test_reload),
		TEST(test_connection),
		TEST(test_log),
		TEST(test_admin),
		TEST(test_admin_gone),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
