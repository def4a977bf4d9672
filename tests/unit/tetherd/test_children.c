/*
 * The three lasting children as the parent sees them.  Their sockets are
 * real, they themselves are played by the test: what stands behind a pid
 * only waits to be killed.
 */

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
#include "common/msg.h"
#include "tetherd/children.h"
#include "tetherd/draft.h"
#include "tetherd/process.h"

static struct {
	pid_t pid;
	int channel; /* the child's end, or -1 */
	unsigned spawned;
} played[PROGRAM_COUNT];

static struct event_base *base;
static struct children *children;
static struct conf *conf;
static unsigned ready, stopped;
static bool failed;

/* In place of a program: a process without any of our descriptors. */
pid_t
process_spawn(enum program program, struct process_sockets *ours)
{
	int channel[2], log[2], closed[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(closed), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, log), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		closefrom(0);
		for (;;)
			pause();
	}
	close(closed[1]);
	assert_int_equal(read(closed[0], &c, 1), 0);
	close(closed[0]);
	close(log[1]);
	ours->channel = channel[0];
	ours->log = log[0];
	played[program].pid = pid;
	played[program].channel = channel[1];
	played[program].spawned++;
	return pid;
}

const char *
process_describe_death(int status, char *buf, size_t size)
{
	(void)snprintf(buf, size, "status %d", status);
	return buf;
}

static void
on_ready(void *arg)
{
	(void)arg;
	ready++;
}

static void
on_stopped(void *arg, bool by_failure)
{
	(void)arg;
	stopped++;
	failed = by_failure;
}

static void
on_dial(void *arg, uint64_t id)
{
	(void)arg;
	(void)id;
}

static const struct children_ops ops = {
	.all_ready = on_ready,
	.all_stopped = on_stopped,
	.dial = on_dial,
};

static void
spin(void)
{
	int i;

	for (i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
say(enum program program, enum msg_type type)
{
	struct msg_out m;

	msg_start(&m, type, 0);
	if (type == MSG_HELLO_BACK)
		msg_add_u32(&m, MSG_PROTOCOL_VERSION);
	assert_int_equal(msg_send_now(played[program].channel, &m, -1), 0);
	spin();
}

/* From its start until it serves. */
static void
bring_up(enum program program)
{
	say(program, MSG_HELLO_BACK);
	say(program, MSG_READY);
}

/* How many messages of that type it was sent; all that wait are read. */
static unsigned
count(enum program program, enum msg_type type)
{
	static uint8_t datagram[MSG_SIZE_MAX];
	unsigned n = 0;
	uint16_t got;
	int fd;

	while (msg_recv_datagram(played[program].channel, datagram, &fd) > 0) {
		memcpy(&got, datagram, sizeof(got));
		n += got == type;
		assert_int_equal(fd != -1, got == MSG_PEER);
		if (fd != -1)
			close(fd);
	}
	return n;
}

static void
close_channel(enum program program)
{
	if (played[program].channel != -1)
		close(played[program].channel);
	played[program].channel = -1;
}

/* It is dead, and the parent has waited for it. */
static void
die(enum program program)
{
	pid_t pid = played[program].pid;
	int status;

	close_channel(program);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(children_reap(children, pid, status));
	spin();
}

static int
setup(void **state)
{
	struct draft draft;
	int i;

	(void)state;
	memset(played, 0, sizeof(played));
	for (i = 0; i < PROGRAM_COUNT; i++)
		played[i].channel = -1;
	ready = stopped = 0;
	failed = false;
	draft_start(&draft);
	conf = draft_take(&draft);
	base = event_base_new();
	assert_non_null(base);
	children = children_new(base, conf, &ops, NULL);
	children_start(children);
	return 0;
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	children_free(children); /* kills what is left */
	for (i = 0; i < PROGRAM_COUNT; i++)
		close_channel((enum program)i);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	event_base_free(base);
	conf_free(conf);
	return 0;
}

static void
test_wiring(void **state)
{
	(void)state;
	bring_up(PROGRAM_CONNECTOR);
	bring_up(PROGRAM_AUTHD);
	assert_int_equal(ready, 0);
	bring_up(PROGRAM_PROXYD);
	assert_int_equal(ready, 1);
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
	assert_int_equal(stopped, 0);
	die(PROGRAM_AUTHD);
	assert_int_equal(stopped, 1);
	assert_true(failed);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_wiring),
		TEST(test_channel_before_death),
		TEST(test_too_many_deaths),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
