#include "tests/unit/connector/exchange_fixture.h"

/* Requests of any length, whole and in order; answers as they come. */
static void
test_exchange(void **state)
{
	static const size_t lengths[] = { 0, 1, MSG_PAYLOAD_MAX,
		MSG_PAYLOAD_MAX + 1, 3 * MSG_PAYLOAD_MAX, 1000000 };
	char id[8];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lengths); i++) {
		(void)snprintf(id, sizeof(id), "id%zu", i);
		request(id, lengths[i]);
	}
	spin();
	assert_int_equal(f->n, COUNT(lengths));
	assert_int_equal(exchange_count(f->ex), COUNT(lengths));
	for (i = 0; i < COUNT(lengths); i++)
		assert_int_equal(f->lengths[i], lengths[i]);
	answer(5, "five", false);
	answer(0, "zero", true);
	answer(0, "more", true);
	answer(0, "", false);
	spin();
	assert_string_equal(f->sent, "five;zero+more+;");
	assert_string_equal(f->notes, "up:1 sent:5 sent:0 ");
	assert_int_equal(exchange_count(f->ex), COUNT(lengths) - 2);
	/* A second answer to the same request is none. */
	answer(0, "again", false);
	spin();
	assert_string_equal(f->sent, "five;zero+more+;");
	/* Two that mix are the end of that proxyd. */
	answer(1, "one", true);
	answer(2, "two", false);
	spin();
	assert_string_equal(f->sent,
	    "five;zero+more+;one+;!502:id1;!502:id2;!502:id3;!502:id4;");
	assert_string_equal(f->notes, "up:1 sent:5 sent:0 sent:0 broken ");
	assert_int_equal(exchange_count(f->ex), 0);
}

static void
test_refuse(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	request("c", 10);
	spin();
	refuse(f->numbers[1], 400);
	refuse(f->numbers[0], 503);
	refuse(f->numbers[0], 503);
	refuse(f->numbers[0] + 99, 400);
	spin();
	assert_string_equal(f->sent, "!400:b;!503:a;");
	assert_int_equal(exchange_count(f->ex), 1);
	/* No others. */
	refuse(f->numbers[2], 200);
	spin();
	assert_string_equal(f->sent, "!400:b;!503:a;!502:c;");
	assert_string_equal(f->notes, "up:1 broken ");
}

/* proxyd dies: exactly one answer for each, a half one is ended before. */
static void
test_proxyd_lost(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	request("c", 10);
	spin();
	answer(1, "half", true);
	spin();
	lose_proxyd();
	assert_string_equal(f->sent, "half+;!502:a;!502:b;!502:c;");
	assert_int_equal(exchange_count(f->ex), 0);
	/* The next one begins with the link, and none of the old numbers. */
	attach_proxyd();
	answer(0, "late", false);
	spin();
	assert_string_equal(f->sent, "half+;!502:a;!502:b;!502:c;");
	assert_string_equal(f->notes, "up:1 up:1 sent:0 ");
	request("d", 10);
	spin();
	answer(3, "d", false);
	spin();
	assert_string_equal(f->sent, "half+;!502:a;!502:b;!502:c;d;");
	assert_false(f->ws_paused);
}

/* Requests that had not begun on their way are not lost with it. */
static void
test_waiting_for_proxyd(void **state)
{
	(void)state;
	lose_proxyd();
	request("a", 10);
	request("b", 20);
	spin();
	assert_string_equal(f->sent, "");
	assert_int_equal(exchange_count(f->ex), 2);
	attach_proxyd();
	spin();
	assert_int_equal(f->n, 2);
	assert_int_equal(f->lengths[0], 10);
	assert_int_equal(f->lengths[1], 20);
	assert_false(f->ws_paused);
	answer(1, "b", false);
	answer(0, "a", false);
	spin();
	assert_string_equal(f->sent, "b;a;");
	assert_int_equal(exchange_count(f->ex), 0);

	/* One that was half there is lost, the one behind it is not. */
	channel_pause(f->proxyd);
	request("c", LARGE);
	request("d", 30);
	assert_int_equal(exchange_count(f->ex), 2);
	lose_proxyd();
	assert_string_equal(f->sent, "b;a;!502:c;");
	assert_int_equal(exchange_count(f->ex), 1);
	attach_proxyd();
	spin();
	assert_int_equal(f->n, 3);
	assert_int_equal(f->lengths[2], 30);
}

/*
 * One that is half there when it is given up still gets there whole: proxyd
 * would take what comes next for a part of it.
 */
static void
test_give_up_half(void **state)
{
	(void)state;
	channel_pause(f->proxyd);
	request("a", LARGE);
	request("b", 10);
	exchange_stop(f->ex, "late");
	assert_string_equal(f->sent, "!503:a;!503:b;");
	assert_int_equal(exchange_count(f->ex), 0);
	exchange_refuse(f->ex, NULL);
	request("c", 20);
	channel_resume(f->proxyd);
	spin();
	assert_int_equal(f->n, 2);
	assert_int_equal(f->lengths[0], LARGE);
	assert_int_equal(f->lengths[1], 20);
	answer(0, "a", false);
	answer(1, "c", false);
	spin();
	assert_string_equal(f->sent, "!503:a;!503:b;c;");
}

/* Told to stop all: those that come are refused as well. */
static void
test_stop(void **state)
{
	(void)state;
	exchange_stop(f->ex, "late");
	request("a", 10);
	assert_string_equal(f->sent, "!503:a;");
	exchange_link_down(f->ex);
	exchange_link_up(f->ex, 0);
	request("b", 10);
	assert_string_equal(f->sent, "!503:a;");
	assert_int_equal(exchange_count(f->ex), 1);
}

/* Within a reply that is half out no answer may come, nor the other way. */
static void
test_within_reply(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	f->connector.relay =
	    (struct relay){ true, MSG_REPLY, f->numbers[0], 0 };
	answer(0, "a", false);
	spin();
	assert_string_equal(f->notes, "up:1 broken ");
	assert_string_equal(f->sent, "!502:a;");
	/* That is not ours to end. */
	assert_true(f->connector.relay.is_open);
}

/* A refusal of what is half out is none. */
static void
test_refuse_within(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	spin();
	answer(0, "a1", true);
	refuse(f->numbers[0], 503);
	spin();
	assert_string_equal(f->notes, "up:1 broken ");
	assert_string_equal(f->sent, "a1+;!502:a;!502:b;");
}

/* The connection is gone: nobody waits, and late answers are dropped. */
static void
test_link_down(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	spin();
	answer(0, "half", true);
	spin();
	f->up = false;
	exchange_link_down(f->ex);
	answer(0, "rest", false);
	answer(1, "late", false);
	refuse(f->numbers[1], 400);
	adopt(17, "late");
	spin();
	assert_string_equal(f->sent, "half+");
	assert_int_equal(exchange_count(f->ex), 0);
	assert_string_equal(f->notes, "up:1 down ");
	/* Another connection, with other capabilities. */
	f->up = true;
	f->sent[0] = '\0';
	exchange_link_up(f->ex, LINK_BASE64);
	answer(1, "later", false);
	request("c", 10);
	spin();
	answer(2, "c", false);
	spin();
	assert_string_equal(f->sent, "c;");
	assert_string_equal(f->notes, "up:1 down up:2 sent:1 sent:2 ");
}

/* The orchestrator does not read: proxyd has to wait. */
static void
test_link_full(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	spin();
	f->full = true;
	answer(0, "a1", true);
	answer(0, "a2", false);
	answer(1, "b", false);
	spin();
	assert_string_equal(f->sent, "a1+");
	exchange_on_link_writable(f->ex);
	spin();
	assert_string_equal(f->sent, "a1+a2;");
	f->full = false;
	exchange_on_link_writable(f->ex);
	spin();
	assert_string_equal(f->sent, "a1+a2;b;");
	/* Lost while it is paused: what comes next is read again. */
	request("c", 10);
	spin();
	f->full = true;
	answer(2, "c1", true);
	answer(2, "c2", false);
	spin();
	f->full = f->up = false;
	exchange_link_down(f->ex);
	f->up = true;
	exchange_link_up(f->ex, 0);
	request("d", 10);
	spin();
	answer(3, "d", false);
	spin();
	assert_string_equal(f->sent, "a1+a2;b;c1+d;");
}

/* proxyd does not read: the orchestrator has to wait. */
static void
test_proxyd_full(void **state)
{
	(void)state;
	channel_pause(f->proxyd);
	request("a", LARGE);
	assert_true(f->ws_paused);
	request("b", 10);
	spin();
	assert_true(f->ws_paused);
	assert_int_equal(f->n, 0);
	channel_resume(f->proxyd);
	spin();
	assert_false(f->ws_paused);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->lengths[0], LARGE);
	assert_int_equal(f->lengths[1], 10);
	/* The connection goes while proxyd does not read. */
	channel_pause(f->proxyd);
	request("c", LARGE);
	f->up = false;
	exchange_link_down(f->ex);
	assert_int_equal(exchange_count(f->ex), 0);
}

/* One proxyd answers what it has, the next one what came since. */
static void
test_leave(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	spin();
	leave();
	assert_string_equal(f->notes, "up:1 noted:2 ");
	request("c", 10);
	request("d", 10);
	answer(1, "b", false);
	spin();
	assert_int_equal(f->n, 2);
	assert_int_equal(exchange_count(f->ex), 3);
	lose_proxyd();
	assert_string_equal(f->sent, "b;!502:a;");
	request("e", 10);
	attach_proxyd();
	spin();
	assert_int_equal(f->n, 5);
	assert_string_equal(f->notes, "up:1 noted:2 sent:1 up:1 ");
	answer(2, "c", false);
	spin();
	assert_string_equal(f->sent, "b;!502:a;c;");
	/* And so on. */
	leave();
	request("f", 10);
	spin();
	assert_int_equal(f->n, 5);
	assert_string_equal(
	    f->notes, "up:1 noted:2 sent:1 up:1 sent:2 noted:5 ");
}

/* The one that is half there gets there, and no more. */
static void
test_leave_halfway(void **state)
{
	(void)state;
	channel_pause(f->proxyd);
	request("a", LARGE);
	request("b", 10);
	leave();
	assert_string_equal(f->notes, "");
	assert_true(f->ws_paused);
	channel_resume(f->proxyd);
	spin();
	assert_int_equal(f->n, 1);
	assert_int_equal(f->lengths[0], LARGE);
	assert_string_equal(f->notes, "up:1 noted:1 ");
	assert_false(f->ws_paused);
	/* It is said once. */
	request("c", 10);
	f->up = false;
	exchange_link_down(f->ex);
	spin();
	assert_string_equal(f->notes, "up:1 noted:1 down ");
}

/* Nobody waits for the rest of it any more. */
static void
test_leave_link_down(void **state)
{
	(void)state;
	channel_pause(f->proxyd);
	request("a", LARGE);
	leave();
	f->up = false;
	exchange_link_down(f->ex);
	channel_resume(f->proxyd);
	f->half_is_lost = true;
	spin();
	assert_string_equal(f->notes, "up:1 noted:0 down ");
	/* What comes by the next one waits as well. */
	f->up = true;
	exchange_link_up(f->ex, LINK_STATUS);
	request("b", 10);
	spin();
	assert_int_equal(f->n, 0);
	assert_int_equal(exchange_count(f->ex), 1);
}

static void
test_leave_twice(void **state)
{
	(void)state;
	leave();
	assert_string_equal(f->notes, "up:1 noted:0 ");
	leave();
	assert_string_equal(f->notes, "up:1 noted:0 broken ");
}

/* There is no next one: who waits is told in time. */
static void
test_leave_late(void **state)
{
	(void)state;
	f->connector.conf.total_ms = 0;
	leave();
	request("a", 10);
	while (f->sent[0] == '\0')
		event_base_loop(f->base, EVLOOP_ONCE);
	assert_string_equal(f->sent, "!504:a;");
	assert_int_equal(exchange_count(f->ex), 0);
}

/* Requests of a connector that died. */
static void
test_adopt(void **state)
{
	(void)state;
	f->numbers[0] = 1234;
	f->numbers[1] = 5678;
	adopt(1234, "old");
	adopt(5678, "");
	spin();
	assert_int_equal(exchange_count(f->ex), 2);
	answer(0, "from before", false);
	refuse(5678, 503);
	spin();
	assert_string_equal(f->sent, "from before;!503:;");
	/* Two of one number: the fault of a connector that was taken over. */
	adopt(1234, "a");
	adopt(1234, "b");
	spin();
	assert_string_equal(f->notes, "up:1 sent:0 ");
	assert_int_equal(exchange_count(f->ex), 1);
	answer(0, "a", false);
	answer(0, "b", false);
	spin();
	assert_string_equal(f->sent, "from before;!503:;a;");
	assert_int_equal(exchange_count(f->ex), 0);
}

/* Let time pass for the exchange's timer. */
static void
spin_ms(int ms)
{
	const struct timeval after = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(f->base, &after);
	event_base_dispatch(f->base);
}

/* proxyd hangs: each gets an answer in time, and none of those that follow. */
static void
test_late(void **state)
{
	(void)state;
	f->connector.conf.total_ms = 100;
	request("a", 10);
	spin();
	answer(0, "in time", false);
	request("b", 10);
	spin_ms(400);
	assert_string_equal(f->sent, "in time;");
	request("c", 10);
	spin_ms(500);
	assert_string_equal(f->sent, "in time;!504:b;");
	spin_ms(500);
	assert_string_equal(f->sent, "in time;!504:b;!504:c;");
	assert_int_equal(exchange_count(f->ex), 0);
	answer(1, "b1", true);
	answer(1, "b2", false);
	refuse(f->numbers[2], 503);
	spin();
	assert_string_equal(f->sent, "in time;!504:b;!504:c;");
	assert_string_equal(f->notes, "up:1 sent:0 sent:1 ");
}

/* The same where there is no proxyd, or it has no room. */
static void
test_late_waiting(void **state)
{
	(void)state;
	f->connector.conf.total_ms = 100;
	lose_proxyd();
	request("a", 10);
	spin_ms(1000);
	assert_string_equal(f->sent, "!504:a;");
	assert_false(f->ws_paused);
	attach_proxyd();
	spin();
	assert_int_equal(f->n, 0);
	channel_pause(f->proxyd);
	request("b", LARGE);
	request("c", 10);
	spin_ms(1000);
	assert_string_equal(f->sent, "!504:a;!504:b;!504:c;");
	assert_int_equal(exchange_count(f->ex), 0);
	/* What is half there is cut. */
	assert_false(f->ws_paused);
	channel_resume(f->proxyd);
	spin();
	assert_int_equal(f->n, 1);
	assert_in_range(f->lengths[0], 1, LARGE - 1);
	request("d", 10);
	spin();
	assert_int_equal(f->n, 2);
	assert_int_equal(f->lengths[1], 10);
}

/* One that is half out has more time, while more of it can come. */
static void
test_late_half(void **state)
{
	(void)state;
	f->connector.conf.total_ms = 100;
	request("a", 10);
	request("b", 10);
	spin();
	answer(0, "a1", true);
	spin_ms(500);
	answer(0, "a2", true);
	spin_ms(800);
	/* Another one would wait behind it. */
	assert_string_equal(f->sent, "a1+a2+");
	assert_int_equal(exchange_count(f->ex), 2);
	spin_ms(700);
	assert_string_equal(f->sent, "a1+a2+;!504:a;!504:b;");
	assert_int_equal(exchange_count(f->ex), 0);
	answer(0, "a3", false);
	spin();
	assert_string_equal(f->sent, "a1+a2+;!504:a;!504:b;");
}

/* A connection that takes nothing gets no other answer sooner. */
static void
test_late_link_full(void **state)
{
	(void)state;
	f->connector.conf.total_ms = 100;
	request("a", 10);
	spin();
	f->full = true;
	answer(0, "a1", true);
	answer(0, "a2", false);
	spin_ms(2000);
	assert_string_equal(f->sent, "a1+");
	f->full = false;
	exchange_on_link_writable(f->ex);
	spin();
	assert_string_equal(f->sent, "a1+a2;");
}

/* Within a reply whose rest does not come. */
static void
test_late_within_reply(void **state)
{
	(void)state;
	f->connector.conf.total_ms = 100;
	request("a", 10);
	spin();
	f->connector.relay = (struct relay){ true, MSG_REPLY, 42, 0 };
	spin_ms(1000);
	assert_string_equal(f->sent, ";?42;!504:a;");
	assert_false(f->connector.relay.is_open);
}

/* What a former connector left under a request_id that comes again. */
static void
test_adopted_again(void **state)
{
	(void)state;
	f->numbers[1] = 1234;
	f->numbers[2] = 5678;
	adopt(1234, "a");
	spin();
	request("a", 10);
	request("b", 10);
	adopt(5678, "b");
	spin();
	assert_int_equal(exchange_count(f->ex), 2);
	f->numbers[2] = 1234;
	answer(2, "old a", false);
	f->numbers[2] = 5678;
	answer(2, "old b", false);
	spin();
	assert_string_equal(f->sent, "");
	answer(0, "a", false);
	f->numbers[1] = f->numbers[0] + 1;
	answer(1, "b", false);
	spin();
	assert_string_equal(f->sent, "a;b;");
	/* Half out when the other one comes: it is cut. */
	f->numbers[2] = 99;
	adopt(99, "c");
	answer(2, "c1", true);
	spin();
	request("c", 10);
	spin();
	assert_string_equal(f->sent, "a;b;c1+;");
	assert_int_equal(exchange_count(f->ex), 1);
}

static void
test_too_many(void **state)
{
	int i;

	(void)state;
	for (i = 1; i < REQUESTS_MAX; i++)
		adopt((uint64_t)i, "x");
	spin();
	assert_int_equal(exchange_count(f->ex), REQUESTS_MAX - 1);
	request("a", 10);
	request("b", 10);
	spin();
	assert_string_equal(f->sent, "!503:b;");
	assert_int_equal(f->n, 1);
	answer(0, "a", false);
	spin();
	request("c", 10);
	spin();
	assert_string_equal(f->sent, "!503:b;a;");
	assert_int_equal(f->n, 2);
}

/* A hostile proxyd fills the table while a request waits for room. */
static void
test_adopted_meanwhile(void **state)
{
	int i;

	(void)state;
	channel_pause(f->proxyd);
	request("a", LARGE);
	request("b", 10);
	for (i = 1; i < REQUESTS_MAX + 2; i++)
		adopt((uint64_t)i, "x");
	spin();
	assert_null(strstr(f->notes, "broken"));
	/* b, which had not begun, has its place. */
	assert_int_equal(exchange_count(f->ex), REQUESTS_MAX);
}

static void
on_drained(void *arg)
{
	assert_ptr_equal(arg, &f->drained);
	f->drained++;
}

static void
test_drain(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	spin();
	exchange_drain(f->ex, "stopping", on_drained, &f->drained);
	request("c", 10);
	spin();
	assert_string_equal(f->sent, "!503:c;");
	assert_int_equal(f->n, 2);
	answer(0, "a", false);
	spin();
	assert_int_equal(f->drained, 0);
	answer(1, "b1", true);
	spin();
	assert_int_equal(f->drained, 0);
	answer(1, "b2", false);
	spin();
	assert_int_equal(f->drained, 1);
	assert_string_equal(f->sent, "!503:c;a;b1+b2;");
}

static void
test_drain_nothing(void **state)
{
	(void)state;
	exchange_drain(f->ex, "stopping", on_drained, &f->drained);
	assert_int_equal(f->drained, 1);
}

/* The last answer is an error of our own. */
static void
test_drain_lost(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	exchange_drain(f->ex, "stopping", on_drained, &f->drained);
	lose_proxyd();
	assert_string_equal(f->sent, "!502:a;");
	assert_int_equal(f->drained, 1);
}

static void
test_drain_refused(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	exchange_drain(f->ex, "stopping", on_drained, &f->drained);
	refuse(f->numbers[0], 503);
	spin();
	assert_int_equal(f->drained, 1);
}

/* Nothing answers: the time limit does. */
static void
wait_drained(void)
{
	exchange_drain(f->ex, "stopping", on_drained, &f->drained);
	while (f->drained == 0)
		event_base_loop(f->base, EVLOOP_ONCE);
	assert_int_equal(exchange_count(f->ex), 0);
}

static void
test_drain_timeout(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	wait_drained();
	assert_string_equal(f->sent, "!503:a;");
}

/* A message that is half out ends before the errors begin. */
static void
test_drain_timeout_halfway(void **state)
{
	(void)state;
	request("a", 10);
	request("b", 10);
	spin();
	answer(0, "a1", true);
	spin();
	wait_drained();
	assert_string_equal(f->sent, "a1+;!503:a;!503:b;");
}

/* Requests that wait for a proxyd which does not come. */
static void
test_drain_timeout_waiting(void **state)
{
	(void)state;
	lose_proxyd();
	request("a", 10);
	request("b", 10);
	wait_drained();
	assert_string_equal(f->sent, "!503:a;!503:b;");
}

static void
test_drain_link_down(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	exchange_drain(f->ex, "stopping", on_drained, &f->drained);
	exchange_link_down(f->ex);
	assert_int_equal(f->drained, 1);
	assert_string_equal(f->sent, "");
}

/* No new ones, until there is another connection. */
static void
test_refuse_new(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	exchange_refuse(f->ex, "later");
	request("b", 10);
	assert_string_equal(f->sent, "!503:b;");
	answer(0, "a1", true);
	spin();
	exchange_stop(f->ex, "now");
	assert_string_equal(f->sent, "!503:b;a1+;!503:a;");
	assert_int_equal(exchange_count(f->ex), 0);
	exchange_stop(f->ex, "now");
	exchange_link_down(f->ex);
	exchange_link_up(f->ex, 0);
	request("c", 10);
	spin();
	assert_int_equal(f->n, 2);
	answer(1, "cc", false);
	spin();
	assert_int_equal(f->connector.counters.answers, 1);
	assert_int_equal(f->connector.counters.answer_bytes, 4);
	/* The end is the end. */
	exchange_drain(f->ex, "stopping", on_drained, &f->drained);
	assert_int_equal(f->drained, 1);
	exchange_link_down(f->ex);
	request("d", 10);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->drained, 1);
}

/* A drain that was under way when the end came. */
static void
test_drain_twice(void **state)
{
	(void)state;
	request("a", 10);
	spin();
	exchange_refuse(f->ex, "later");
	request("b", 10);
	exchange_drain(f->ex, "stopping", on_drained, &f->drained);
	request("c", 10);
	assert_string_equal(f->sent, "!503:b;!503:c;");
	answer(0, "a", false);
	spin();
	assert_int_equal(f->drained, 1);
	assert_string_equal(f->sent, "!503:b;!503:c;a;");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_exchange),
		TEST(test_refuse),
		TEST(test_proxyd_lost),
		TEST(test_waiting_for_proxyd),
		TEST(test_give_up_half),
		TEST(test_stop),
		TEST(test_within_reply),
		TEST(test_refuse_within),
		TEST(test_link_down),
		TEST(test_link_full),
		TEST(test_proxyd_full),
		TEST(test_leave),
		TEST(test_leave_halfway),
		TEST(test_leave_link_down),
		TEST(test_leave_twice),
		TEST(test_leave_late),
		TEST(test_adopt),
		TEST(test_late),
		TEST(test_late_waiting),
		TEST(test_late_half),
		TEST(test_late_link_full),
		TEST(test_late_within_reply),
		TEST(test_adopted_again),
		TEST(test_too_many),
		TEST(test_adopted_meanwhile),
		TEST(test_drain),
		TEST(test_drain_nothing),
		TEST(test_drain_lost),
		TEST(test_drain_refused),
		TEST(test_drain_timeout),
		TEST(test_drain_timeout_halfway),
		TEST(test_drain_timeout_waiting),
		TEST(test_drain_link_down),
		TEST(test_refuse_new),
		TEST(test_drain_twice),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
