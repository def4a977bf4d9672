/* The lives of the three lasting children. */

#include <fcntl.h>

#include "tests/unit/tetherd/children_fixture.h"

static void
test_wiring(void **state)
{
	(void)state;
	bring_up(PROGRAM_CONNECTOR);
	bring_up(PROGRAM_AUTHD);
	assert_events("");
	assert_false(children_all_run(children));
	bring_up(PROGRAM_PROXYD);
	assert_events("ready; running; ");
	assert_true(children_all_run(children));
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_PEER), 2);
	assert_int_equal(count(PROGRAM_PROXYD, MSG_PEER), 2);
	assert_int_equal(count(PROGRAM_AUTHD, MSG_PEER), 2);
	assert_false(children_reap(children, getpid(), 0));
}

/* A child whose channel is closed, but whose death is not known yet. */
static void
test_channel_before_death(void **state)
{
	(void)state;
	bring_up(PROGRAM_AUTHD);
	bring_up(PROGRAM_PROXYD);
	close_channel(PROGRAM_PROXYD);
	spin();
	bring_up(PROGRAM_CONNECTOR);
	children_send_all(children, MSG_LOG_STATUS);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_PEER), 1);

	die(PROGRAM_PROXYD);
	assert_int_equal(played[PROGRAM_PROXYD].spawned, 2);
	(void)count(PROGRAM_AUTHD, MSG_PEER);
	bring_up(PROGRAM_PROXYD);
	assert_int_equal(count(PROGRAM_PROXYD, MSG_PEER), 2);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_PEER), 1);
	assert_int_equal(count(PROGRAM_AUTHD, MSG_PEER), 1);
}

static void
test_too_many_deaths(void **state)
{
	int i;

	(void)state;
	bring_up(PROGRAM_CONNECTOR);
	bring_up(PROGRAM_AUTHD);
	for (i = 0; i < 4; i++)
		die(PROGRAM_PROXYD);
	assert_int_equal(played[PROGRAM_PROXYD].spawned, 5);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_SHUTDOWN), 0);
	die(PROGRAM_PROXYD);
	assert_int_equal(played[PROGRAM_PROXYD].spawned, 5);

	/* The connector first, the rest when it is gone. */
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_SHUTDOWN), 1);
	assert_int_equal(count(PROGRAM_AUTHD, MSG_SHUTDOWN), 0);
	die(PROGRAM_CONNECTOR);
	assert_int_equal(count(PROGRAM_AUTHD, MSG_SHUTDOWN), 1);
	assert_null(strstr(events, "stopped"));
	die(PROGRAM_AUTHD);
	assert_non_null(strstr(events, "stopped 1; "));
}

/* What it asked for before it died is asked for in vain. */
static void
test_last_words(void **state)
{
	struct msg_out m;
	unsigned spawned;

	(void)state;
	bring_all_up();
	spawned = played[PROGRAM_CONNECTOR].spawned;
	msg_start(&m, MSG_DIAL, 5);
	utter(PROGRAM_CONNECTOR, &m);
	die(PROGRAM_CONNECTOR);
	assert_events("lost connector; ");
	assert_false(children_all_run(children));
	assert_int_equal(played[PROGRAM_CONNECTOR].spawned, spawned + 1);
	bring_up(PROGRAM_CONNECTOR);
	assert_events("running; ");
	say(PROGRAM_CONNECTOR, MSG_DIAL);
	assert_events("connector dial 0; ");
}

/* Each gets its own answers, while it lives. */
static void
test_dial(void **state)
{
	static const struct {
		enum program program;
		enum msg_type question, good, bad;
	} both[] = {
		{ PROGRAM_CONNECTOR, MSG_DIAL, MSG_DIALED, MSG_DIAL_FAILED },
		{ PROGRAM_AUTHD, MSG_DIAL_GITHUB, MSG_GITHUB_DIALED,
		    MSG_GITHUB_DIAL_FAILED },
	};
	char expected[64];
	int i, pipes[2];

	(void)state;
	bring_all_up();
	for (i = 0; i < 2; i++) {
		say(both[i].program, both[i].question);
		(void)snprintf(expected, sizeof(expected), "%s dial 0; ",
		    program_name(both[i].program));
		assert_events(expected);
		assert_int_equal(pipe(pipes), 0);
		children_dialed(children, both[i].program, 7, pipes[0], "peer");
		spin();
		assert_int_equal(count(both[i].program, both[i].good), 1);
		children_dialed(children, both[i].program, 8, -1, "why");
		spin();
		assert_int_equal(count(both[i].program, both[i].bad), 1);

		note_gone = true;
		die(both[i].program);
		note_gone = false;
		(void)snprintf(expected, sizeof(expected), "gone %s; lost %s; ",
		    program_name(both[i].program),
		    program_name(both[i].program));
		assert_events(expected);
		/* Whoever has come in its place did not ask. */
		pipes[0] = dup(pipes[1]);
		children_dialed(children, both[i].program, 9, pipes[0], "peer");
		assert_int_equal(fcntl(pipes[0], F_GETFD), -1);
		close(pipes[1]);
	}
}

static void
refuse(enum program program)
{
	struct msg_out m;

	msg_start(&m, MSG_CONF_REFUSED, 0);
	msg_add_str(&m, "no such\ndatabase");
	utter(program, &m);
}

/* Known from its message, or only from its death. */
static void
test_refused_at_start(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		say(PROGRAM_AUTHD, MSG_HELLO_BACK);
		refuse(PROGRAM_AUTHD);
		if (i == 0)
			spin();
		die(PROGRAM_AUTHD);
		assert_int_equal(played[PROGRAM_AUTHD].spawned, 1);
		assert_events("");
		die(PROGRAM_CONNECTOR);
		die(PROGRAM_PROXYD);
		assert_events("stopped 1; ");
		teardown(NULL);
		setup(NULL);
	}
}

static void
test_refused_later(void **state)
{
	int i;

	(void)state;
	bring_all_up();
	die(PROGRAM_AUTHD);
	assert_events("lost authd; ");
	for (i = 2; i < 5; i++) {
		assert_int_equal(played[PROGRAM_AUTHD].spawned, i);
		say(PROGRAM_AUTHD, MSG_HELLO_BACK);
		refuse(PROGRAM_AUTHD);
		if (i == 3)
			spin();
		die(PROGRAM_AUTHD);
		assert_events("lost authd; ");
	}
	bring_up(PROGRAM_AUTHD);
	assert_events("running; ");
	die(PROGRAM_AUTHD);
	assert_int_equal(played[PROGRAM_AUTHD].spawned, 5);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_SHUTDOWN), 1);
}

/* A line of a child, at that level, and what comes out of the log. */
static const char *
relayed(enum program program, enum log_level level)
{
	static char line[2 * LOG_LINE_MAX];
	char datagram[] = "?text";
	int log[2];
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, log), 0);
	log_to_socket(log[1]);
	datagram[0] = (char)level;
	assert_int_equal(
	    send(played[program].log, datagram, sizeof(datagram) - 1, 0), 5);
	spin();
	log_to_stderr("test");
	n = recv(log[0], line, sizeof(line) - 1, MSG_DONTWAIT);
	line[n < 0 ? 0 : n] = '\0';
	close(log[0]);
	close(log[1]);
	return line[0] == '\0' ? "" : strchr(line, ':');
}

/* The level that it was told last; CRIT if none. */
static enum log_level
told_level(enum program program)
{
	uint32_t level;

	if (count(program, MSG_LOG_LEVEL) == 0)
		return LOG_LEVEL_CRIT;
	memcpy(&level, last + MSG_HEADER_SIZE, sizeof(level));
	return level;
}

static void
test_log_level(void **state)
{
	struct child_info info;

	(void)state;
	bring_all_up();
	assert_string_equal(relayed(PROGRAM_PROXYD, LOG_LEVEL_WARN), "");
	children_set_log_level(children, PROGRAM_PROXYD, LOG_LEVEL_TRACE);
	assert_int_equal(told_level(PROGRAM_PROXYD), LOG_LEVEL_TRACE);
	assert_int_equal(told_level(PROGRAM_AUTHD), LOG_LEVEL_CRIT);
	assert_string_equal(relayed(PROGRAM_PROXYD, LOG_LEVEL_TRACE), ": text");
	assert_string_equal(relayed(PROGRAM_AUTHD, LOG_LEVEL_WARN), "");
	assert_int_equal(log_get_level(), LOG_LEVEL_CRIT);

	die(PROGRAM_PROXYD);
	assert_string_equal(relayed(PROGRAM_PROXYD, LOG_LEVEL_DEBUG), ": text");
	bring_up(PROGRAM_PROXYD);
	assert_int_equal(told_level(PROGRAM_PROXYD), LOG_LEVEL_TRACE);
	assert_true(children_info(children, PROGRAM_PROXYD, &info));
	assert_int_equal(info.log_level, LOG_LEVEL_TRACE);

	children_set_log_level(children, PROGRAM_COUNT, LOG_LEVEL_INFO);
	assert_int_equal(told_level(PROGRAM_PROXYD), LOG_LEVEL_INFO);
	assert_int_equal(told_level(PROGRAM_AUTHD), LOG_LEVEL_INFO);
	assert_int_equal(told_level(PROGRAM_CONNECTOR), LOG_LEVEL_INFO);
	assert_string_equal(relayed(PROGRAM_PROXYD, LOG_LEVEL_DEBUG), "");
	children_set_log_level(children, PROGRAM_PARENT, LOG_LEVEL_TRACE);
	children_set_log_level(children, PROGRAM_DIALER, LOG_LEVEL_TRACE);
	assert_int_equal(told_level(PROGRAM_AUTHD), LOG_LEVEL_CRIT);
}

static void
test_info(void **state)
{
	struct child_info info;

	(void)state;
	assert_false(children_info(children, PROGRAM_PARENT, &info));
	assert_false(children_info(children, PROGRAM_DIALER, &info));
	assert_false(children_info(children, PROGRAM_COUNT, &info));
	assert_true(children_info(children, PROGRAM_AUTHD, &info));
	assert_int_equal(info.pid, played[PROGRAM_AUTHD].pid);
	assert_string_equal(info.state, "starting");
	assert_int_equal(info.lost, 0);
	assert_in_range(info.uptime, 0, 60);
	bring_all_up();
	die(PROGRAM_AUTHD);
	bring_up(PROGRAM_AUTHD);
	assert_true(children_info(children, PROGRAM_AUTHD, &info));
	assert_int_equal(info.pid, played[PROGRAM_AUTHD].pid);
	assert_string_equal(info.state, "running");
	assert_int_equal(info.lost, 1);
	children_stop(children);
	assert_true(children_info(children, PROGRAM_CONNECTOR, &info));
	assert_string_equal(info.state, "stopping");
	assert_false(children_all_run(children));
	die(PROGRAM_CONNECTOR);
	assert_true(children_info(children, PROGRAM_CONNECTOR, &info));
	assert_int_equal(info.pid, 0);
	assert_int_equal(info.uptime, 0);
	assert_string_equal(info.state, "stopped");
}

/* The wish to stay away outlives the connector that was told. */
static void
test_stays_away(void **state)
{
	(void)state;
	bring_all_up();
	children_send(children, PROGRAM_CONNECTOR, MSG_DISCONNECT);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_DISCONNECT), 1);
	die(PROGRAM_CONNECTOR);
	/* Nobody there: that wish is lost. */
	children_send(children, PROGRAM_CONNECTOR, MSG_RECONNECT);
	bring_up(PROGRAM_CONNECTOR);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_DISCONNECT), 1);
	die(PROGRAM_PROXYD);
	bring_up(PROGRAM_PROXYD);
	assert_int_equal(count(PROGRAM_PROXYD, MSG_DISCONNECT), 0);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_DISCONNECT), 0);

	children_send(children, PROGRAM_CONNECTOR, MSG_RECONNECT);
	die(PROGRAM_CONNECTOR);
	bring_up(PROGRAM_CONNECTOR);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_DISCONNECT), 0);

	children_send(children, PROGRAM_CONNECTOR, MSG_DISCONNECT);
	children_set_conf(children, conf, 1);
	children_switch(children, PROGRAM_CONNECTOR, 1, 0, true);
	die(PROGRAM_CONNECTOR);
	bring_up(PROGRAM_CONNECTOR);
	assert_int_equal(count(PROGRAM_CONNECTOR, MSG_DISCONNECT), 0);
}

static void
complain(enum program program, enum program of)
{
	struct msg_out m;

	msg_start(&m, MSG_PEER_BROKEN, 0);
	msg_add_u32(&m, of);
	msg_add_str(&m, "why");
	utter(program, &m);
}

/* How many lines with that text were logged. */
static unsigned
count_lines(int log, const char *text)
{
	char line[1 + LOG_LINE_MAX];
	unsigned n = 0;
	ssize_t len;

	while ((len = recv(log, line, sizeof(line) - 1, MSG_DONTWAIT)) > 0) {
		line[len] = '\0';
		n += strstr(line + 1, text) != NULL;
	}
	return n;
}

/* One who complains all the time has another one killed only once. */
static void
test_complains(void **state)
{
	int i, log[2];

	(void)state;
	bring_all_up();
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, log), 0);
	log_to_socket(log[1]);
	log_set_level(LOG_LEVEL_WARN);
	for (i = 0; i < 10; i++)
		complain(PROGRAM_PROXYD, PROGRAM_AUTHD);
	spin();
	assert_int_equal(count_lines(log[0], "authd is broken"), 1);
	die(PROGRAM_AUTHD);
	assert_int_equal(played[PROGRAM_AUTHD].spawned, 2);
	/* The next one can be complained of anew. */
	complain(PROGRAM_PROXYD, PROGRAM_AUTHD);
	spin();
	assert_int_equal(count_lines(log[0], "authd is broken"), 1);
	/* Whoever goes on with that has to go as well. */
	complain(PROGRAM_PROXYD, PROGRAM_CONNECTOR);
	spin();
	assert_int_equal(count_lines(log[0], "again and again"), 1);
	log_set_level(LOG_LEVEL_CRIT);
	log_to_stderr("test");
	close(log[0]);
	close(log[1]);
}

/* A child cannot go on unattended once it has closed its channel. */
static void
test_closes_channel(void **state)
{
	pid_t pid = played[PROGRAM_PROXYD].pid;
	int i, status = 0;

	(void)state;
	bring_all_up();
	close_channel(PROGRAM_PROXYD);
	for (i = 0; i < 300 && waitpid(pid, &status, WNOHANG) == 0; i++) {
		spin();
		usleep(10000);
	}
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_true(children_reap(children, pid, status));
	assert_int_equal(played[PROGRAM_PROXYD].spawned, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_closes_channel),
		TEST(test_stays_away),
		TEST(test_complains),
		TEST(test_wiring),
		TEST(test_channel_before_death),
		TEST(test_too_many_deaths),
		TEST(test_last_words),
		TEST(test_dial),
		TEST(test_refused_at_start),
		TEST(test_refused_later),
		TEST(test_log_level),
		TEST(test_info),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
