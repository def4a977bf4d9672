#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "proxyd/chats.h"
#include "proxyd/intake.h"
#include "proxyd/leave.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/transactions.h"
#include "proxyd/tunnels.h"

/* proxyd with nothing in it but what the test says that there is. */
static struct fixture {
	struct proxyd proxyd;
	struct channel *connector;
	size_t transactions, tunnels;
	bool outbox_is_full, chats_are_there;
	char notes[256];
} * f;

static void
note(const char *text)
{
	(void)strlcat(f->notes, text, sizeof(f->notes));
	(void)strlcat(f->notes, " ", sizeof(f->notes));
}

size_t
transactions_count(const struct transactions *ts)
{
	(void)ts;
	return f->transactions;
}

bool
outbox_is_empty(const struct outbox *ob)
{
	(void)ob;
	return !f->outbox_is_full;
}

size_t
tunnels_count(const struct tunnels *ts)
{
	(void)ts;
	return f->tunnels;
}

bool
chats_are_gone(const struct chats *cs)
{
	(void)cs;
	return !f->chats_are_there;
}

void
intake_drain(struct intake *in)
{
	(void)in;
	note("closed");
}

void
tunnels_drain(struct tunnels *ts)
{
	(void)ts;
	note("tunnels-stop");
}

void
chats_drain(struct chats *cs)
{
	(void)cs;
	note("chats-stop");
}

void
tunnels_leave(struct tunnels *ts)
{
	(void)ts;
	note("tunnels-move");
}

void
chats_leave(struct chats *cs)
{
	(void)cs;
	note("chats-move");
}

void
child_exit(struct child *c)
{
	assert_ptr_equal(c, &f->proxyd.child);
	note("exit");
}

static void
on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("time is up");
}

static int
on_leave(void *arg, struct msg *m)
{
	(void)arg;
	assert_int_equal(m->id, 0);
	note("leave");
	return 0;
}

static void
on_broken(void *arg, struct channel *ch, const char *why)
{
	(void)arg;
	(void)ch;
	fail_msg("broken: %s", why == NULL ? "end" : why);
}

static const struct channel_ops connector_side = {
	.handlers = { [MSG_LEAVE] = on_leave },
	.broken = on_broken,
};

static const struct channel_ops proxyd_side = { .broken = on_broken };

static int
setup(void **state)
{
	struct proxyd *p;
	int pair[2];

	(void)state;
	f = calloc(1, sizeof(*f));
	if (f == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	p = &f->proxyd;
	p->child.self = PROGRAM_PROXYD;
	p->child.base = event_base_new();
	p->timer = evtimer_new(p->child.base, on_timer, NULL);
	f->connector = channel_new(p->child.base, pair[0], PROGRAM_CONNECTOR,
	    PROGRAM_PROXYD, &connector_side, NULL);
	p->child.peers[PROGRAM_CONNECTOR] = channel_new(p->child.base, pair[1],
	    PROGRAM_PROXYD, PROGRAM_CONNECTOR, &proxyd_side, NULL);
	return 0;
}

static void
lose_connector(void)
{
	channel_free(f->connector);
	channel_free(f->proxyd.child.peers[PROGRAM_CONNECTOR]);
	f->connector = f->proxyd.child.peers[PROGRAM_CONNECTOR] = NULL;
}

static int
teardown(void **state)
{
	(void)state;
	lose_connector();
	event_free(f->proxyd.timer);
	event_base_free(f->proxyd.child.base);
	free(f);
	return 0;
}

static void
expect_notes(const char *expected)
{
	int i;

	for (i = 0; i < 10; i++)
		event_base_loop(f->proxyd.child.base, EVLOOP_NONBLOCK);
	assert_string_equal(f->notes, expected);
	f->notes[0] = '\0';
}

/* How long it still waits at most, in seconds. */
static void
expect_patience(int seconds)
{
	struct timeval end, now;

	assert_true(evtimer_pending(f->proxyd.timer, &end));
	gettimeofday(&now, NULL);
	assert_in_range(end.tv_sec * 1000 + end.tv_usec / 1000 -
			    now.tv_sec * 1000 - now.tv_usec / 1000,
	    seconds * 1000 - 900, seconds * 1000);
}

static void
begin(void)
{
	f->proxyd.child.stopping = true;
	leave_begin(&f->proxyd);
}

static int
noted(void)
{
	struct msg m = { .type = MSG_LEAVE_NOTED, .fd = -1 };

	return leave_on_noted(&f->proxyd, &m);
}

static void
test_idle(void **state)
{
	(void)state;
	leave_check(&f->proxyd);
	expect_notes("");
	begin();
	expect_notes("leave ");
	leave_check(&f->proxyd);
	expect_notes("");
	assert_int_equal(noted(), 0);
	expect_notes("closed tunnels-move chats-move exit ");
}

/* It goes on as ever until connector sends no more, and then until all is
 * answered. */
static void
test_answers(void **state)
{
	(void)state;
	f->transactions = 1;
	f->outbox_is_full = true;
	begin();
	expect_patience(7);
	expect_notes("leave ");
	assert_int_equal(noted(), 0);
	expect_notes("closed tunnels-move chats-move ");
	f->transactions = 0;
	leave_check(&f->proxyd);
	expect_notes("");
	f->transactions = 1;
	f->outbox_is_full = false;
	leave_check(&f->proxyd);
	expect_notes("");
	expect_patience(7);
	f->transactions = 0;
	leave_check(&f->proxyd);
	expect_notes("exit ");
}

/* An upstream that says no goodbye does not keep others from the next one. */
static void
test_goodbye(void **state)
{
	struct timeval until, later;

	(void)state;
	f->tunnels = 1;
	f->chats_are_there = true;
	begin();
	expect_notes("leave ");
	assert_int_equal(noted(), 0);
	expect_notes("closed tunnels-move chats-move ");
	expect_patience(1);
	assert_true(evtimer_pending(f->proxyd.timer, &until));
	f->tunnels = 0;
	usleep(20000); /* more than libevent's clock is coarse */
	leave_check(&f->proxyd);
	expect_notes("");
	assert_true(evtimer_pending(f->proxyd.timer, &later));
	assert_true(timercmp(&until, &later, ==));
	f->tunnels = 1;
	f->chats_are_there = false;
	leave_check(&f->proxyd);
	expect_notes("");
	f->tunnels = 0;
	leave_check(&f->proxyd);
	expect_notes("exit ");
}

/* The end of all: who could get an answer is gone. */
static void
test_without_connector(void **state)
{
	(void)state;
	lose_connector();
	f->transactions = 1;
	f->outbox_is_full = true;
	f->tunnels = 1;
	begin();
	expect_notes("tunnels-stop chats-stop ");
	expect_patience(1);
	f->tunnels = 0;
	leave_check(&f->proxyd);
	expect_notes("exit ");
}

/* It goes while this one leaves. */
static void
test_connector_lost(void **state)
{
	(void)state;
	f->transactions = 1;
	begin();
	expect_notes("leave ");
	lose_connector();
	leave_check(&f->proxyd);
	expect_notes("exit ");
}

static void
test_wrong(void **state)
{
	(void)state;
	assert_int_equal(noted(), -1);
	f->transactions = 1;
	begin();
	expect_notes("leave ");
	assert_int_equal(noted(), 0);
	assert_int_equal(noted(), -1);
	expect_notes("closed tunnels-move chats-move ");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_idle),
		TEST(test_answers),
		TEST(test_goodbye),
		TEST(test_without_connector),
		TEST(test_connector_lost),
		TEST(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
