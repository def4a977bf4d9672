#include "tunnel_play.h"

static void
test_up(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_SOCKET);
	expect_credit(send_text(f, 0, "hello"), 5);
	expect_got(f, "Thello;");
	expect_credit(send_bytes(f, 1, WS_BINARY, "a\0b", 3, false), 3);
	evbuffer_drain(f->far.got, 5);
	expect_credit(send_text(f, 2, ""), 0);
	expect_got(f, "T;");
	expect_credit(send_bytes(f, 3, WS_TEXT, "ab", 2, true), 2);
	expect_credit(send_bytes(f, 4, WS_TEXT, "cd", 2, true), 2);
	expect_credit(send_bytes(f, 5, WS_TEXT, "", 0, false), 0);
	expect_got(f, "Tabcd;");
	expect_no_reply();
}

static void
test_up_order(void **state)
{
	struct fixture *f = *state;
	uint64_t a, b, c;

	start_open(f, TUNNEL_SOCKET);
	c = send_text(f, 2, "ccc");
	b = send_text(f, 1, "bb");
	expect_no_reply();
	assert_int_equal(f->proxyd.buffered, 5);
	a = send_text(f, 0, "a");
	expect_got(f, "Ta;Tbb;Tccc;");
	expect_credit(a, 1);
	expect_credit(b, 2);
	expect_credit(c, 3);
	assert_int_equal(f->proxyd.buffered, 0);
	/* Twice the same, passed already or held. */
	expect_error(send_text(f, 1, "b"));
	b = send_text(f, 4, "x");
	expect_error(send_text(f, 4, "y"));
	expect_error(send_text(f, 0, "a"));
	a = send_text(f, 3, "w");
	expect_got(f, "Tw;Tx;");
	expect_credit(a, 1);
	expect_credit(b, 1);
	assert_int_equal(f->t->state, TUNNEL_OPEN);
}

static void
test_up_backed_up(void **state)
{
	struct fixture *f = *state;
	uint64_t a, b;

	start_open(f, TUNNEL_SOCKET);
	f->far.writable = false;
	a = send_text(f, 0, "aa");
	b = send_text(f, 1, "b");
	expect_got(f, "Taa;Tb;");
	expect_no_reply();
	assert_int_equal(f->proxyd.buffered, 3);
	f->far.writable = true;
	tunnel_writable(f->t);
	expect_credit(a, 2);
	expect_credit(b, 1);
	assert_int_equal(f->proxyd.buffered, 0);
	expect_no_reply();
}

static void
test_up_too_much(void **state)
{
	struct fixture *f = *state;
	static char data[TUNNEL_PIECE_MAX + 1];
	uint64_t numbers[8];
	size_t i;

	start_open(f, TUNNEL_SOCKET);
	f->far.writable = false;
	for (i = 0; i < 8; i++)
		numbers[i] =
		    send_bytes(f, i, WS_BINARY, data, TUNNEL_PIECE_MAX, false);
	expect_no_reply();
	assert_int_equal(f->t->up.owed, TUNNEL_OWED_MAX);
	expect_error(send_bytes(f, 8, WS_BINARY, data, 1, false));
	for (i = 0; i < 8; i++)
		expect_error(numbers[i]);
	expect_broken(f, WS_CLOSE_TOO_BIG);
	expect_no_reply();
}

static void
test_up_too_large(void **state)
{
	struct fixture *f = *state;
	static char data[TUNNEL_PIECE_MAX + 1];

	start_open(f, TUNNEL_SOCKET);
	expect_credit(
	    send_bytes(f, 0, WS_BINARY, data, TUNNEL_PIECE_MAX, false),
	    TUNNEL_PIECE_MAX);
	expect_error(
	    send_bytes(f, 1, WS_BINARY, data, TUNNEL_PIECE_MAX + 1, false));
	expect_broken(f, WS_CLOSE_TOO_BIG);
}

static void
test_up_too_many(void **state)
{
	struct fixture *f = *state;
	uint64_t i, first = 0;

	start_open(f, TUNNEL_SOCKET);
	f->far.writable = false;
	for (i = 0; i < TUNNEL_OWED_COUNT_MAX; i++)
		first = send_text(f, i, "");
	expect_no_reply();
	first -= TUNNEL_OWED_COUNT_MAX - 1;
	expect_error(send_text(f, i, ""));
	for (i = 0; i < TUNNEL_OWED_COUNT_MAX; i++)
		expect_error(first + i);
	expect_broken(f, WS_CLOSE_TOO_BIG);
}

static void
test_up_window_beyond_gap(void **state)
{
	struct fixture *f = *state;
	static char data[TUNNEL_PIECE_MAX];
	uint64_t a, b;

	start_open(f, TUNNEL_SOCKET);
	a = send_bytes(f, 1, WS_BINARY, data, sizeof(data), false);
	b = send_bytes(f, 2, WS_BINARY, data, sizeof(data), false);
	expect_no_reply();
	expect_error(send_bytes(f, 3, WS_BINARY, data, 1, false));
	expect_error(a);
	expect_error(b);
	expect_broken(f, WS_CLOSE_ABNORMAL);
}

static void
test_up_gap(void **state)
{
	struct fixture *f = *state;
	uint64_t a;

	start_open(f, TUNNEL_SOCKET);
	tunnel_tick(f->t, 1000);
	tunnel_tick(f->t, 100000);
	a = send_text(f, 1, "b");
	tunnel_tick(f->t, 101000);
	tunnel_tick(f->t, 110999);
	expect_no_reply();
	/* The gap closes, another one begins. */
	expect_credit(send_text(f, 0, "a"), 1);
	expect_credit(a, 1);
	a = send_text(f, 3, "d");
	tunnel_tick(f->t, 111000);
	tunnel_tick(f->t, 120999);
	expect_no_reply();
	tunnel_tick(f->t, 121000);
	expect_error(a);
	expect_broken(f, WS_CLOSE_ABNORMAL);
	/* Late ones. */
	expect_error(send_text(f, 2, "c"));
	assert_int_equal(tunnel_ack(f->t, 0), 0);
	tunnel_ping(f->t);
	tunnel_tick(f->t, 200000);
	tunnel_close(f->t, 0, 1000, "");
	expect_no_reply();
	assert_false(tunnel_is_done(f->t));
	tunnel_far_gone(f->t, 1001, "", true);
	assert_true(tunnel_is_done(f->t));
	assert_int_equal(f->changed, 2);
	expect_no_reply();
}

static void
test_up_mixed(void **state)
{
	struct fixture *f = *state;
	uint64_t a;

	start_open(f, TUNNEL_SOCKET);
	expect_credit(send_bytes(f, 0, WS_TEXT, "a", 1, true), 1);
	a = send_bytes(f, 1, WS_BINARY, "b", 1, false);
	expect_error(a);
	expect_broken(f, WS_CLOSE_ABNORMAL);
	expect_got(f, "Ta");
}

static void
test_not_open(void **state)
{
	struct fixture *f = *state;

	start(f, TUNNEL_SOCKET);
	expect_error(send_text(f, 0, "a"));
	tunnel_ping(f->t);
	expect_no_reply();
}

/*
 * To the page.
 */

static void
test_down(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_SOCKET);
	part(f, WS_TEXT, "h\"i", 3, true);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":0,\"d\":\"h\\\"i\"}");
	part(f, WS_BINARY, "\0\xff", 2, true);
	expect_reply(OPEN, false, "{\"t\":\"bin\",\"n\":1,\"d\":\"AP8=\"}");
	part(f, WS_TEXT, "", 0, true);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":2,\"d\":\"\"}");
	part(f, WS_BINARY, NULL, 0, true);
	expect_reply(OPEN, false, "{\"t\":\"bin\",\"n\":3,\"d\":\"\"}");
	/* A message in parts, one ends within a character. */
	part(f, WS_TEXT, "a\xe2", 2, false);
	tunnel_continue(f->t);
	expect_reply(
	    OPEN, false, "{\"t\":\"text\",\"n\":4,\"d\":\"a\",\"more\":true}");
	part(f, WS_TEXT, "\x82", 1, false);
	tunnel_continue(f->t);
	expect_no_reply();
	part(f, WS_TEXT, "\xac", 1, false);
	tunnel_continue(f->t);
	expect_reply(OPEN, false,
	    "{\"t\":\"text\",\"n\":5,\"d\":\"\xe2\x82\xac\",\"more\":true}");
	part(f, WS_TEXT, "", 0, true);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":6,\"d\":\"\"}");
	expect_no_reply();
	assert_false(f->far.paused);
}

/* Parts of a message wait for each other, but not long. */
static void
test_down_gathers(void **state)
{
	struct fixture *f = *state;
	static char data[TUNNEL_GATHER];

	start_open(f, TUNNEL_SOCKET);
	memset(data, 'x', sizeof(data));
	part(f, WS_TEXT, "a", 1, false);
	part(f, WS_TEXT, "b", 1, false);
	expect_no_reply();
	assert_int_equal(f->proxyd.buffered, 2);
	event_base_loop(f->proxyd.child.base, EVLOOP_ONCE);
	expect_reply(
	    OPEN, false, "{\"t\":\"text\",\"n\":0,\"d\":\"ab\",\"more\":true}");
	part(f, WS_TEXT, "c", 1, false);
	part(f, WS_TEXT, "d", 1, true);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":1,\"d\":\"cd\"}");
	assert_int_equal(f->proxyd.buffered, 0);
	part(f, WS_TEXT, data, TUNNEL_GATHER - 1, false);
	expect_no_reply();
	part(f, WS_TEXT, data, 1, false);
	next_reply(OPEN, false);
	expect_no_reply();
	/* It was for nothing. */
	part(f, WS_TEXT, "e", 1, false);
	tunnel_far_gone(f->t, WS_CLOSE_ABNORMAL, "", false);
	next_reply(OPEN, false);
	next_reply(OPEN, true);
	event_base_loop(f->proxyd.child.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	expect_no_reply();
}

/* Feed a message in parts of that size, as the page acknowledges. */
static void
check_down(struct fixture *f, enum ws_type type, const uint8_t *data,
    size_t len, size_t step)
{
	size_t at = 0, outstanding = 0, n;
	bool fin;

	while (at < len || f->in_message || f->far.paused) {
		if (!f->far.paused && at < len) {
			n = len - at < step ? len - at : step;
			fin = at + n == len;
			part(f, type, data + at, n, fin);
			at += n;
			f->in_message = true;
		}
		outstanding += receive(f, type == WS_TEXT ? "text" : "bin");
		assert_in_range(outstanding, 0, WINDOW_SIZE);
		assert_in_range(f->t->buffered, 0, step + TUNNEL_GATHER);
		if (f->far.paused) {
			/* Nothing is lost by acknowledging late. */
			assert_in_range(
			    outstanding, WINDOW_SIZE - 3, WINDOW_SIZE);
			assert_int_equal(tunnel_ack(f->t, f->next), 0);
			outstanding = 0;
		}
	}
	assert_int_equal(evbuffer_get_length(f->page), len);
	assert_memory_equal(evbuffer_pullup(f->page, -1), data, len);
	evbuffer_drain(f->page, len);
	assert_int_equal(tunnel_ack(f->t, f->next), 0);
	clear_replies();
}

static void
test_down_window(void **state)
{
	struct fixture *f = *state;
	static const size_t steps[] = { 65536, 65535, 16384, 4099, 60000 };
	size_t i, len = 1000000;
	uint8_t *data = malloc(len + 4);

	start_open(f, TUNNEL_SOCKET);
	for (i = 0; i < COUNT(steps); i++) {
		arc4random_buf(data, len);
		check_down(f, WS_BINARY, data, len, steps[i]);
		memset(data, 'x', len);
		check_down(f, WS_TEXT, data, len, steps[i]);
		memset(data, 2, len);
		check_down(f, WS_TEXT, data, len, steps[i]);
	}
	for (i = 0; i + 4 <= len; i += 4)
		memcpy(data + i, "\xf0\x9f\x97\x9d", 4);
	check_down(f, WS_TEXT, data, i, 65536);
	check_down(f, WS_TEXT, data, i, 4097);
	data[0] = 'x';
	for (i = 1; i + 3 <= len; i += 3)
		memcpy(data + i, "\xe2\x82\xac", 3);
	check_down(f, WS_TEXT, data, i, 65536);
	free(data);
}

/* A page that follows the rules never stops for good. */
static void
test_down_lazy_page(void **state)
{
	struct fixture *f = *state;
	static char data[1000];
	unsigned i;

	start_open(f, TUNNEL_SOCKET);
	for (i = 0; i < 5000; i++) {
		part(f, WS_BINARY, data, i % sizeof(data), true);
		receive(f, "bin");
		if (f->since >= 65536) {
			f->since = 0;
			assert_int_equal(tunnel_ack(f->t, f->next), 0);
		}
		assert_false(f->far.paused);
		clear_replies();
	}
}

static void
test_down_bad_ack(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_SOCKET);
	assert_int_equal(tunnel_ack(f->t, 1), -1);
	part(f, WS_TEXT, "a", 1, true);
	assert_int_equal(tunnel_ack(f->t, 2), -1);
	assert_int_equal(tunnel_ack(f->t, UINT64_MAX), -1);
	assert_int_equal(tunnel_ack(f->t, 1), 0);
	assert_int_equal(tunnel_ack(f->t, 0), 0);
	assert_int_equal(f->t->state, TUNNEL_OPEN);
}

static void
test_down_full_outbox(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_SOCKET);
	outbox_is_full = true;
	part(f, WS_TEXT, "a", 1, true);
	expect_no_reply();
	assert_true(f->far.paused);
	tunnel_continue(f->t);
	expect_no_reply();
	outbox_is_full = false;
	tunnel_continue(f->t);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":0,\"d\":\"a\"}");
	assert_false(f->far.paused);
}

/*
 * Streams.
 */

static void
test_stream_text(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_STREAM);
	part(f, WS_TEXT, "data: \xc3", 7, false);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":0,\"d\":\"data: \"}");
	part(f, WS_TEXT, "\xa4\n\n", 3, false);
	expect_reply(
	    OPEN, false, "{\"t\":\"text\",\"n\":1,\"d\":\"\xc3\xa4\\n\\n\"}");
	/* From what is no UTF-8 on, bytes. */
	part(f, WS_TEXT, "x\xff!", 3, false);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":2,\"d\":\"x\"}");
	expect_reply(OPEN, false, "{\"t\":\"bin\",\"n\":3,\"d\":\"/yE=\"}");
	part(f, WS_TEXT, "abc", 3, false);
	expect_reply(OPEN, false, "{\"t\":\"bin\",\"n\":4,\"d\":\"YWJj\"}");
	part(f, WS_TEXT, NULL, 0, true);
	tunnel_far_gone(f->t, 1000, "", true);
	expect_reply(OPEN, true, "{\"t\":\"end\"}");
	assert_true(tunnel_is_done(f->t));
}

static void
test_stream_cut(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_STREAM);
	part(f, WS_TEXT, "a\xf0\x9f", 3, false);
	expect_reply(OPEN, false, "{\"t\":\"text\",\"n\":0,\"d\":\"a\"}");
	part(f, WS_TEXT, NULL, 0, true);
	expect_reply(OPEN, false, "{\"t\":\"bin\",\"n\":1,\"d\":\"8J8=\"}");
	tunnel_far_gone(f->t, 1000, "502 it broke off", true);
	expect_reply(
	    OPEN, true, "{\"t\":\"end\",\"error\":\"502 it broke off\"}");
}

/* The end waits for what the page has no room for. */
static void
test_stream_end_waits(void **state)
{
	struct fixture *f = *state;
	static char data[65536];
	size_t i, sent = 0;

	start_open(f, TUNNEL_STREAM);
	memset(data, 'x', sizeof(data));
	for (i = 0; !f->far.paused; i++) {
		part(f, WS_TEXT, data, 60000, false);
		sent += 60000;
	}
	assert_int_equal(receive(f, "text"), WINDOW_SIZE);
	tunnel_part(f->t, WS_TEXT, NULL, 0, true);
	tunnel_far_gone(f->t, 1000, "", true);
	expect_no_reply();
	assert_int_equal(f->t->state, TUNNEL_OPEN);
	clear_replies();
	f->t->down.paused = true;
	assert_int_equal(tunnel_ack(f->t, f->next), 0);
	assert_true(nreplies >= 2);
	assert_int_equal(replies[nreplies - 1].last, 1);
	nreplies--;
	json_object_put(replies[nreplies].json);
	assert_int_equal(receive(f, "text"), sent - WINDOW_SIZE);
	assert_true(tunnel_is_done(f->t));
}

static void
test_stream_cancel(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_STREAM);
	f->far.goes_at_once = true;
	expect_error(send_text(f, 0, "a"));
	tunnel_close(f->t, 99, 1000, "");
	assert_true(f->far.closed);
	expect_reply(OPEN, true, "{\"t\":\"end\"}");
	assert_true(tunnel_is_done(f->t));
	assert_int_equal(f->changed, 1);
}

static void
test_stream_broken(void **state)
{
	struct fixture *f = *state;

	start_open(f, TUNNEL_STREAM);
	f->far.goes_at_once = true;
	tunnel_break(f->t, WS_CLOSE_GOING_AWAY, "");
	expect_reply(
	    OPEN, true, "{\"t\":\"end\",\"error\":\"502 the tunnel broke\"}");
	assert_true(tunnel_is_done(f->t));
}

/*
 * The end.
 */

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_up),
		TEST(test_up_order),
		TEST(test_up_backed_up),
		TEST(test_up_too_much),
		TEST(test_up_too_large),
		TEST(test_up_too_many),
		TEST(test_up_window_beyond_gap),
		TEST(test_up_gap),
		TEST(test_up_mixed),
		TEST(test_not_open),
		TEST(test_down),
		TEST(test_down_gathers),
		TEST(test_down_window),
		TEST(test_down_lazy_page),
		TEST(test_down_bad_ack),
		TEST(test_down_full_outbox),
		TEST(test_stream_text),
		TEST(test_stream_cut),
		TEST(test_stream_end_waits),
		TEST(test_stream_cancel),
		TEST(test_stream_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
