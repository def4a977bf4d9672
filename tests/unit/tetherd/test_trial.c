/*
 * An authd that is only tried: played by the test over real sockets, and a
 * process that only waits to be killed stands behind its pid.
 */

#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/slice.h"
#include "common/timer.h"
#include "tetherd/conf.h"
#include "tetherd/draft.h"
#include "tetherd/process.h"
#include "tetherd/trial.h"

static struct event_base *base;
static struct trial *trial;
static struct conf *conf;
static struct event *timer;
static pid_t pid;
static int channel, log_socket; /* its ends */
static unsigned killed;
static bool none; /* no process can be had */
static char events[1024];

void
timer_set(struct event *t, uint32_t ms)
{
	struct timeval hour = { .tv_sec = 3600 };

	assert_int_equal(ms, TRIAL_TIMEOUT_MS);
	timer = t;
	assert_int_equal(evtimer_add(t, &hour), 0);
}

pid_t
process_spawn(enum program program, struct process_sockets *ours)
{
	int channels[2], logs[2];

	assert_int_equal(program, PROGRAM_AUTHD);
	if (none)
		return -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channels), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, logs), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		closefrom(0);
		for (;;)
			pause();
	}
	ours->channel = channels[0];
	ours->log = logs[0];
	ours->pidfd = pidfd_open(pid, 0);
	channel = channels[1];
	log_socket = logs[1];
	return pid;
}

void
process_kill(int pidfd)
{
	killed++;
	assert_int_equal(pidfd_send_signal(pidfd, SIGKILL, NULL, 0), 0);
}

const char *
process_describe_death(
    enum program program, pid_t p, int status, char *buf, size_t size)
{
	assert_int_equal(program, PROGRAM_AUTHD);
	assert_int_equal(p, pid);
	(void)snprintf(buf, size, "status %d", status);
	return buf;
}

static void
on_done(void *arg, const char *why)
{
	assert_ptr_equal(arg, events);
	(void)strlcat(events, why == NULL ? "good" : why, sizeof(events));
	(void)strlcat(events, "; ", sizeof(events));
}

static void
assert_events(const char *expected)
{
	assert_string_equal(events, expected);
	events[0] = '\0';
}

static void
spin(void)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
utter(struct msg_out *m)
{
	assert_int_equal(msg_send_now(channel, m, -1), 0);
	spin();
}

static void
say_hello(uint32_t version)
{
	struct msg_out m;

	msg_start(&m, MSG_HELLO_BACK, 0);
	msg_add_u32(&m, version);
	utter(&m);
}

static void
say_accepted(uint64_t id)
{
	struct msg_out m;

	msg_start(&m, MSG_CONF_ACCEPTED, id);
	msg_add_u32(&m, 0);
	utter(&m);
}

static void
say_refused(uint64_t id, const char *why)
{
	struct msg_out m;

	msg_start(&m, MSG_CONF_REFUSED, id);
	msg_add_str(&m, why);
	utter(&m);
}

/* It is gone, and waited for. */
static int
end(void)
{
	int status;

	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(channel);
	close(log_socket);
	return status;
}

static void
die(int status)
{
	(void)end();
	assert_false(trial_reap(trial, pid + 1, status));
	assert_true(trial_reap(trial, pid, status));
	assert_false(trial_reap(trial, pid, status));
}

static int
setup(void **state)
{
	struct draft draft;

	(void)state;
	killed = 0;
	none = false;
	events[0] = '\0';
	draft_start(&draft);
	conf = draft_take(&draft);
	base = event_base_new();
	trial = trial_new(base, on_done, events);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	trial_free(trial);
	event_base_free(base);
	conf_free(conf);
	return 0;
}

/* The last message of that type; how many there are. */
static unsigned
count(enum msg_type type, struct msg *m)
{
	static uint8_t datagram[MSG_SIZE_MAX], found[MSG_SIZE_MAX];
	unsigned n = 0;
	ssize_t len;
	int fd;

	memset(m, 0, sizeof(*m));
	while ((len = msg_recv_datagram(channel, datagram, &fd)) > 0) {
		uint16_t got;

		memcpy(&got, datagram, sizeof(got));
		assert_int_equal(fd, -1);
		if (got != type)
			continue;
		n++;
		memcpy(found, datagram, (size_t)len);
		m->data = found + MSG_HEADER_SIZE;
		m->len = (size_t)len - MSG_HEADER_SIZE;
		m->fd = -1;
	}
	return n;
}

/* It gets what authd would get, but for one thing. */
static void
test_sent(void **state)
{
	struct authd_conf got = { 0 };
	struct msg m;

	(void)state;
	assert_int_equal(trial_start(trial, conf), 0);
	spin();
	assert_int_equal(count(MSG_HELLO, &m), 1);
	say_hello(MSG_PROTOCOL_VERSION);
	assert_int_equal(count(MSG_CONF_AUTHD, &m), 1);
	assert_int_equal(slice_authd.get(&got, &m), 0);
	assert_true(got.trial);
	assert_false(conf->authd.trial);
	assert_string_equal(got.database_path, conf->authd.database_path);
	assert_string_equal(got.state_dir, conf->authd.state_dir);
	slice_free_authd(&got);
	say_accepted(0);
	assert_events("");
	die(0);
	assert_events("good; ");
	assert_int_equal(killed, 0);
	assert_false(evtimer_pending(timer, NULL));
}

static void
test_refused(void **state)
{
	(void)state;
	assert_int_equal(trial_start(trial, conf), 0);
	say_hello(MSG_PROTOCOL_VERSION);
	say_refused(0, "no \033 database");
	assert_events("");
	die(256);
	assert_events("authd refuses: no ? database; ");
	/* Nothing of it is left. */
	assert_int_equal(trial_start(trial, conf), 0);
	say_hello(MSG_PROTOCOL_VERSION);
	say_accepted(0);
	die(0);
	assert_events("good; ");
}

/* Its last words come with its death. */
static void
test_last_words(void **state)
{
	struct msg_out m;

	(void)state;
	assert_int_equal(trial_start(trial, conf), 0);
	say_hello(MSG_PROTOCOL_VERSION);
	msg_start(&m, MSG_CONF_REFUSED, 0);
	msg_add_str(&m, "why");
	assert_int_equal(msg_send_now(channel, &m, -1), 0);
	die(256);
	assert_events("authd refuses: why; ");
}

static void
test_deaths(void **state)
{
	(void)state;
	assert_int_equal(trial_start(trial, conf), 0);
	die(9);
	assert_events("authd, tried with the new settings, died: status 9; ");
	assert_int_equal(trial_start(trial, conf), 0);
	say_hello(MSG_PROTOCOL_VERSION);
	die(31);
	assert_events("authd, tried with the new settings, died: status 31; ");
	assert_int_equal(killed, 0);
}

static void
test_hangs(void **state)
{
	unsigned i;

	(void)state;
	/* With an answer and without: it has to end, too. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(trial_start(trial, conf), 0);
		say_hello(MSG_PROTOCOL_VERSION);
		if (i == 1)
			say_accepted(0);
		event_active(timer, EV_TIMEOUT, 1);
		spin();
		assert_int_equal(killed, i + 1);
		die(9);
		assert_events("authd, tried with the new settings, was not "
			      "done within 10 s; ");
	}
}

/* Words that are not due: it is ended, and never believed. */
static void
test_lies(void **state)
{
	static const struct {
		bool hello;
		uint64_t id;
		bool twice;
		uint32_t version;
	} table[] = {
		{ .hello = false, .id = 0 },
		{ .hello = true, .id = 1, .version = MSG_PROTOCOL_VERSION },
		{ .hello = true,
		    .twice = true,
		    .version = MSG_PROTOCOL_VERSION },
		{ .hello = true, .version = MSG_PROTOCOL_VERSION + 1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(trial_start(trial, conf), 0);
		if (table[i].hello)
			say_hello(table[i].version);
		if (!table[i].hello || table[i].version == MSG_PROTOCOL_VERSION)
			say_accepted(table[i].id);
		if (table[i].twice)
			say_accepted(table[i].id);
		assert_int_equal(killed, i + 1);
		die(9);
		assert_events("authd, tried with the new settings, died: "
			      "status 9; ");
	}
}

/* Another one, or none, instead: nobody hears of the first. */
static void
test_given_up(void **state)
{
	pid_t first;

	(void)state;
	assert_int_equal(trial_start(trial, conf), 0);
	first = pid;
	trial_give_up(trial);
	assert_int_equal(killed, 1);
	(void)end();
	assert_false(trial_reap(trial, first, 9));
	trial_give_up(trial);
	assert_int_equal(killed, 1);
	none = true;
	assert_int_equal(trial_start(trial, conf), -1);
	assert_events("");
	none = false;
	assert_int_equal(trial_start(trial, conf), 0);
	trial_give_up(trial);
	(void)end();
	assert_events("");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sent),
		TEST(test_refused),
		TEST(test_last_words),
		TEST(test_deaths),
		TEST(test_hangs),
		TEST(test_lies),
		TEST(test_given_up),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
