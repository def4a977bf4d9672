#include "tunnel_play.h"

static void
test_close_by_page(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_SOCKET);
	expect_credit(send_text(f, 0, "a"), 1);
	tunnel_close(f->t, 1, 4001, "enough");
	assert_true(f->far.closed);
	assert_int_equal(f->far.code, 4001);
	assert_string_equal(f->far.reason, "enough");
	expect_no_reply();
	/* Not heard any more. */
	tunnel_part(f->t, WS_TEXT, "x", 1, true);
	expect_error(send_text(f, 1, "b"));
	tunnel_far_gone(f->t, 4001, "as \"you\" say", true);
	expect_reply(OPEN, true,
	    "{\"t\":\"close\",\"code\":4001,\"clean\":true,"
	    "\"reason\":\"as \\\"you\\\" say\"}");
	assert_true(tunnel_is_done(f->t));
	assert_int_equal(f->changed, 1);
}

/* What was sent before goes before. */
static void
test_close_waits(void **state)
{
	struct fixture *f = *state;
	uint64_t a, b;

	start_open(f, TUNNEL_SOCKET);
	tunnel_close(f->t, 2, 1000, "");
	tunnel_close(f->t, 0, 4000, "again");
	assert_false(f->far.closed);
	b = send_text(f, 1, "b");
	expect_error(send_text(f, 2, "c"));
	assert_false(f->far.closed);
	f->far.writable = false;
	a = send_text(f, 0, "a");
	expect_got(f, "Ta;Tb;");
	assert_false(f->far.closed);
	f->far.writable = true;
	tunnel_writable(f->t);
	expect_credit(a, 1);
	expect_credit(b, 1);
	assert_true(f->far.closed);
	assert_int_equal(f->far.code, 1000);
}

/* What a page that closes left unacknowledged keeps nobody from reading. */
static void
test_close_unblocks(void **state)
{
	struct fixture *f = *state;
	static char data[WINDOW_SIZE + 10];
	uint64_t a;

	start_open(f, TUNNEL_SOCKET);
	part(f, WS_BINARY, data, sizeof(data), true);
	assert_true(f->far.paused);
	clear_replies();
	f->far.writable = false;
	a = send_text(f, 0, "a");
	tunnel_close(f->t, 1, 1000, "");
	assert_false(f->far.closed);
	assert_false(f->far.paused);
	part(f, WS_TEXT, "more", 4, true);
	tunnel_continue(f->t);
	assert_int_equal(tunnel_ack(f->t, 1), 0);
	assert_false(f->far.paused);
	expect_no_reply();
	assert_int_equal(f->proxyd.buffered, 1);
	f->far.writable = true;
	tunnel_writable(f->t);
	expect_credit(a, 1);
	assert_true(f->far.closed);
	assert_int_equal(f->proxyd.buffered, 0);
}

static void
test_close_never_through(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_SOCKET);
	tunnel_close(f->t, UINT64_MAX, 1000, "");
	tunnel_tick(f->t, 1000);
	tunnel_tick(f->t, 10999);
	expect_no_reply();
	tunnel_tick(f->t, 11000);
	expect_broken(f, WS_CLOSE_ABNORMAL);
}

static void
test_close_before_open(void **state)
{
	struct fixture *f = *state;

	start(f, TUNNEL_SOCKET);
	f->far.goes_at_once = true;
	tunnel_close(f->t, 0, 1000, "");
	expect_reply(OPEN, true,
	    "{\"t\":\"close\",\"code\":1006,\"clean\":false,\"reason\":\"\"}");
	assert_true(tunnel_is_done(f->t));
}

static void
test_close_by_upstream(void **state)
{
	struct fixture *f = *state;
	uint64_t a;

	start_open(f, TUNNEL_SOCKET);
	f->far.writable = false;
	a = send_text(f, 0, "a");
	part(f, WS_TEXT, "last", 4, true);
	tunnel_far_gone(f->t, WS_CLOSE_NO_STATUS, "", true);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":0,\"d\":\"last\"}");
	expect_error(a);
	expect_reply(OPEN, true,
	    "{\"t\":\"close\",\"code\":1005,\"clean\":true,\"reason\":\"\"}");
	assert_true(tunnel_is_done(f->t));
	expect_no_reply();
}

/* The upstream went while the page had no room: it gets all of it. */
static void
test_gone_while_paused(void **state)
{
	struct fixture *f = *state;
	static char data[65536];
	uint64_t a;

	start_open(f, TUNNEL_SOCKET);
	while (!f->far.paused)
		part(f, WS_BINARY, data, 60000, true);
	receive(f, "bin");
	clear_replies();
	tunnel_far_gone(f->t, WS_CLOSE_ABNORMAL, "", false);
	assert_int_equal(f->t->state, TUNNEL_OPEN);
	/* What the page sends until it knows goes nowhere. */
	a = send_text(f, 0, "a");
	expect_credit(a, 1);
	assert_int_equal(f->t->buffered, 300000 - WINDOW_SIZE);
	clear_replies();
	assert_int_equal(tunnel_ack(f->t, f->next), 0);
	expect_reply(OPEN, false,
	    json_object_to_json_string_ext(
		replies[0].data, JSON_C_TO_STRING_PLAIN));
	expect_reply(OPEN, true,
	    "{\"t\":\"close\",\"code\":1006,\"clean\":false,\"reason\":\"\"}");
	assert_true(tunnel_is_done(f->t));
}

/* Nothing waits, though the page has no room. */
static void
test_gone_when_full(void **state)
{
	struct fixture *f = *state;
	static char data[65536];
	unsigned i;

	start_open(f, TUNNEL_SOCKET);
	for (i = 0; i < WINDOW_SIZE / sizeof(data); i++)
		part(f, WS_BINARY, data, sizeof(data), true);
	assert_true(f->far.paused);
	assert_int_equal(receive(f, "bin"), WINDOW_SIZE);
	tunnel_far_gone(f->t, 4004, "", true);
	next_reply(OPEN, true);
	assert_true(tunnel_is_done(f->t));
}

/* A page that closes does not want what has no room. */
static void
test_gone_after_close(void **state)
{
	struct fixture *f = *state;
	static char data[65536];

	start_open(f, TUNNEL_SOCKET);
	while (!f->far.paused)
		part(f, WS_BINARY, data, 60000, true);
	receive(f, "bin");
	tunnel_close(f->t, 0, 1000, "");
	expect_no_reply();
	tunnel_far_gone(f->t, 1000, "", true);
	next_reply(OPEN, true);
	assert_true(tunnel_is_done(f->t));
}

static void
test_close_after_gone(void **state)
{
	struct fixture *f = *state;
	static char data[65536];

	start_open(f, TUNNEL_SOCKET);
	while (!f->far.paused)
		part(f, WS_BINARY, data, 60000, true);
	receive(f, "bin");
	tunnel_far_gone(f->t, 4004, "", true);
	tunnel_close(f->t, 0, 1000, "");
	expect_reply(OPEN, true,
	    "{\"t\":\"close\",\"code\":4004,\"clean\":true,\"reason\":\"\"}");
	assert_true(tunnel_is_done(f->t));
}

static void
test_refused(void **state)
{
	struct fixture *f = *state;

	start(f, TUNNEL_SOCKET);
	f->far.goes_at_once = true;
	tunnel_refuse(f->t, "502 no\nway");
	expect_reply(OPEN, true,
	    "{\"t\":\"close\",\"code\":1006,\"clean\":false,"
	    "\"reason\":\"502 no\\nway\"}");
	tunnel_refuse(f->t, "502 again");
	tunnel_opened(f->t, NULL);
	expect_no_reply();
	assert_true(tunnel_is_done(f->t));
}

static void
test_open_in_time(void **state)
{
	struct fixture *f = *state;

	start(f, TUNNEL_SOCKET);
	f->far.goes_at_once = true;
	tunnel_tick(f->t, 5000);
	tunnel_tick(f->t, 34999);
	expect_no_reply();
	tunnel_tick(f->t, 35000);
	expect_reply(OPEN, true,
	    "{\"t\":\"close\",\"code\":1006,\"clean\":false,"
	    "\"reason\":\"504 the web app did not answer in time\"}");
	assert_true(tunnel_is_done(f->t));
}

static void
test_pings(void **state)
{
	struct fixture *f = *state;
	int i;

	start_open(f, TUNNEL_SOCKET);
	for (i = 0; i < 10; i++) {
		tunnel_ping(f->t);
		expect_reply(OPEN, false, "{\"t\":\"ping\"}");
		tunnel_ping(f->t);
		expect_reply(OPEN, false, "{\"t\":\"ping\"}");
		tunnel_pong(f->t);
	}
	for (i = 0; i < TUNNEL_PINGS_MAX; i++) {
		tunnel_ping(f->t);
		expect_reply(OPEN, false, "{\"t\":\"ping\"}");
	}
	tunnel_ping(f->t);
	expect_broken(f, WS_CLOSE_ABNORMAL);
}

/* One that is opening at the old upstream ends when it is open. */
static void
test_moved_before_open(void **state)
{
	struct fixture *f = *state;

	start(f, TUNNEL_SOCKET);
	tunnel_move(f->t);
	tunnel_tick(f->t, 1000);
	expect_no_reply();
	tunnel_opened(f->t, NULL);
	expect_reply(OPEN, false, "{\"t\":\"open\",\"protocol\":\"\"}");
	assert_false(f->far.closed);
	tunnel_tick(f->t, 2000);
	expect_broken(f, WS_CLOSE_RESTART);
}

/* What the old upstream said last is not lost. */
static void
test_moved_when_gone(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_SOCKET);
	outbox_is_full = true;
	part(f, WS_TEXT, "last", 4, true);
	tunnel_far_gone(f->t, 4001, "bye", true);
	tunnel_move(f->t);
	tunnel_tick(f->t, 1000);
	outbox_is_full = false;
	tunnel_continue(f->t);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":0,\"d\":\"last\"}");
	expect_reply(OPEN, true,
	    "{\"t\":\"close\",\"code\":4001,\"clean\":true,"
	    "\"reason\":\"bye\"}");
}

static void
test_abandoned(void **state)
{
	struct fixture *f = *state;
	static char data[65536];

	start_open(f, TUNNEL_SOCKET);
	f->far.writable = false;
	send_text(f, 0, "a");
	send_text(f, 2, "c");
	while (!f->far.paused)
		part(f, WS_BINARY, data, 60000, true);
	clear_replies();
	tunnel_abandon(f->t);
	expect_no_reply();
	assert_true(f->far.closed);
	assert_int_equal(f->far.code, WS_CLOSE_GOING_AWAY);
	assert_int_equal(f->proxyd.buffered, 0);
	assert_false(tunnel_is_done(f->t));
	tunnel_part(f->t, WS_TEXT, "x", 1, true);
	tunnel_far_gone(f->t, 1001, "", true);
	assert_true(tunnel_is_done(f->t));
	expect_no_reply();
	assert_false(f->far.freed);
}

static void
test_freed(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_SOCKET);
	f->far.writable = false;
	send_text(f, 0, "a");
	send_text(f, 2, "c");
	tunnel_free(f->t);
	f->t = NULL;
	assert_true(f->far.freed);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_close_by_page),
		TEST(test_close_waits),
		TEST(test_close_unblocks),
		TEST(test_close_never_through),
		TEST(test_close_before_open),
		TEST(test_close_by_upstream),
		TEST(test_gone_while_paused),
		TEST(test_gone_when_full),
		TEST(test_gone_after_close),
		TEST(test_close_after_gone),
		TEST(test_refused),
		TEST(test_open_in_time),
		TEST(test_pings),
		TEST(test_moved_before_open),
		TEST(test_moved_when_gone),
		TEST(test_abandoned),
		TEST(test_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
