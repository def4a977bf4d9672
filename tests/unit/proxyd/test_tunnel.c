#include "tests/unit/proxyd/tunnel_fixture.h"

#include <stdio.h>

#include "common/base64.h"
#include "proxyd/cut.h"

#define OPEN 7 /* number of the user_request that opened it */

struct fixture {
	struct proxyd proxyd;
	struct tunnel *t;
	struct fake_far far;
	unsigned changed;
	uint64_t numbers; /* of the user_requests that follow */
	/* the page: what it has got */
	struct evbuffer *page;
	uint64_t next;
	bool in_message;
	size_t since; /* bytes since its last acknowledgement */
};

static void
on_changed(void *arg, struct tunnel *t)
{
	struct fixture *f = arg;

	assert_ptr_equal(t, f->t);
	f->changed++;
}

static void
start(struct fixture *f, enum tunnel_kind kind)
{
	f->t = tunnel_new(&f->proxyd, kind, OPEN, "R", on_changed, f);
	f->t->ops = &fake_far_ops;
	f->t->far = &f->far;
	f->far.writable = true;
	f->numbers = 100;
}

static void
start_open(struct fixture *f, enum tunnel_kind kind)
{
	struct evbuffer *members = evbuffer_new();

	start(f, kind);
	if (kind == TUNNEL_SOCKET) {
		tunnel_opened(f->t, NULL);
		expect_reply(OPEN, false, "{\"t\":\"open\",\"protocol\":\"\"}");
	} else {
		evbuffer_add_printf(members, "\"status\":200,\"headers\":[]");
		tunnel_head(f->t, members);
		expect_reply(OPEN, false,
		    "{\"t\":\"head\",\"status\":200,\"headers\":[]}");
	}
	evbuffer_free(members);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->proxyd.child.base = event_base_new();
	f->far.got = evbuffer_new();
	f->page = evbuffer_new();
	outbox_is_full = false;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	if (f->t != NULL)
		tunnel_free(f->t);
	assert_int_equal(f->proxyd.buffered, 0);
	event_base_free(f->proxyd.child.base);
	evbuffer_free(f->far.got);
	evbuffer_free(f->page);
	clear_replies();
	free(f);
	return 0;
}

/* A piece of the page, with a number of its own, which is returned. */
static uint64_t
send_bytes(struct fixture *f, uint64_t n, enum ws_type type, const void *data,
    size_t len, bool more)
{
	struct piece *p = piece_new(++f->numbers, "S");

	p->n = n;
	p->type = type;
	p->len = len;
	p->more = more;
	p->data = malloc(len + 1);
	memcpy(p->data, data, len);
	tunnel_send(f->t, p);
	return f->numbers;
}

static uint64_t
send_text(struct fixture *f, uint64_t n, const char *text)
{
	return send_bytes(f, n, WS_TEXT, text, strlen(text), false);
}

static void
expect_credit(uint64_t number, size_t credit)
{
	char text[64];

	(void)snprintf(
	    text, sizeof(text), "{\"ok\":true,\"credit\":%zu}", credit);
	expect_reply(number, true, text);
}

static void
expect_got(struct fixture *f, const char *wanted)
{
	size_t len = evbuffer_get_length(f->far.got);

	assert_int_equal(len, strlen(wanted));
	if (len > 0)
		assert_memory_equal(
		    evbuffer_pullup(f->far.got, -1), wanted, len);
	evbuffer_drain(f->far.got, len);
}

static void
part(struct fixture *f, enum ws_type type, const void *data, size_t len,
    bool fin)
{
	assert_false(f->far.paused);
	tunnel_part(f->t, type, data, len, fin);
}

/* Take the pieces that came for the page; returns their bytes. */
static size_t
receive(struct fixture *f, const char *type)
{
	static uint8_t bytes[OUTBOX_REPLY_MAX];
	struct json_object *n, *more;
	size_t len, total = 0;
	const char *d;

	while (taken_replies < nreplies) {
		struct json_object *data = next_reply(OPEN, false);

		assert_string_equal(json_string(data, "t", NULL), type);
		assert_true(json_object_object_get_ex(data, "n", &n));
		assert_int_equal(json_object_get_int64(n), f->next++);
		d = json_string(data, "d", &len);
		if (strcmp(type, "bin") == 0) {
			len = (size_t)base64_decode(d, len, bytes);
			evbuffer_add(f->page, bytes, len);
		} else
			evbuffer_add(f->page, d, len);
		f->in_message =
		    json_object_object_get_ex(data, "more", &more) &&
		    json_object_get_boolean(more);
		total += len;
	}
	f->since += total;
	return total;
}

/*
 * The page's pieces.
 */

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
expect_broken(struct fixture *f, uint16_t code)
{
	char text[96];

	(void)snprintf(text, sizeof(text),
	    "{\"t\":\"close\",\"code\":%u,\"clean\":%s,\"reason\":\"\"}", code,
	    code == WS_CLOSE_ABNORMAL ? "false" : "true");
	expect_reply(OPEN, true, text);
	assert_int_equal(f->t->state, TUNNEL_OVER);
	assert_true(f->far.closed);
	assert_int_equal(f->far.code, WS_CLOSE_GOING_AWAY);
	assert_int_equal(f->changed, 1);
	assert_int_equal(f->proxyd.buffered, 0);
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
		TEST(test_abandoned),
		TEST(test_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
