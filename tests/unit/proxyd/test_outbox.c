#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/utf8.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define NUMBERS_MAX 256
#define SMALL	    (64 * 1024)
#define LARGE	    (SMALL + 1)

/* proxyd with an outbox, and a connector that the test plays. */
struct fixture {
	struct proxyd proxyd;
	struct event_base *base;
	struct channel *connector;
	/* what connector got */
	uint64_t order[NUMBERS_MAX]; /* of whole answers */
	size_t norder;
	struct evbuffer *texts[NUMBERS_MAX]; /* by number */
	uint64_t under_way;
	enum msg_type under_way_type;
	char adopted[4096];	/* "number:request_id " */
	bool last[NUMBERS_MAX]; /* the last reply came */
	bool check_utf8;
	bool acknowledge;
	unsigned messages;
};

static void
on_broken(void *arg, struct channel *ch, const char *why)
{
	(void)arg;
	(void)ch;
	fail_msg("broken: %s", why == NULL ? "end" : why);
}

static int
on_answer(void *arg, struct msg *m)
{
	struct fixture *f = arg;
	bool more = (m->flags & MSG_FLAG_MORE) != 0;

	assert_in_range(m->id, 0, NUMBERS_MAX - 1);
	/* The messages of two answers, or replies, never mix. */
	if (f->under_way != 0) {
		assert_int_equal(f->under_way, m->id);
		assert_int_equal(f->under_way_type, m->type);
	}
	f->under_way = more ? m->id : 0;
	f->under_way_type = m->type;
	if (more)
		assert_in_range(m->len, MSG_PAYLOAD_MAX - 3, MSG_PAYLOAD_MAX);
	if (f->check_utf8)
		assert_true(utf8_valid(m->data, m->len));
	f->messages++;
	if (f->texts[m->id] == NULL)
		f->texts[m->id] = evbuffer_new();
	evbuffer_add(f->texts[m->id], m->data, m->len);
	if (!more)
		f->order[f->norder++] = m->id;
	if (!more && f->acknowledge && m->type == MSG_ANSWER)
		channel_send_empty(f->connector, MSG_ANSWER_SENT, m->id);
	return 0;
}

static int
on_reply(void *arg, struct msg *m)
{
	struct fixture *f = arg;

	assert_in_range(m->id, 0, NUMBERS_MAX - 1);
	assert_false(f->last[m->id]);
	f->last[m->id] =
	    m->type == MSG_REPLY_LAST && (m->flags & MSG_FLAG_MORE) == 0;
	return on_answer(arg, m);
}

static int
on_adopt(void *arg, struct msg *m)
{
	struct fixture *f = arg;
	char request_id[LINK_REQUEST_ID_MAX + 1];
	size_t len = strlen(f->adopted);

	msg_get_str(m, request_id, sizeof(request_id));
	assert_true(msg_end(m));
	(void)snprintf(f->adopted + len, sizeof(f->adopted) - len, "%llu:%s ",
	    (unsigned long long)m->id, request_id);
	return 0;
}

static int
on_answer_sent(void *arg, struct msg *m)
{
	struct fixture *f = arg;

	outbox_on_sent(f->proxyd.outbox, m->id);
	return 0;
}

static void
on_writable(void *arg, struct channel *ch)
{
	struct fixture *f = arg;

	(void)ch;
	outbox_continue(f->proxyd.outbox);
}

static const struct channel_ops connector_side = {
	.handlers = {
		[MSG_ANSWER] = on_answer,
		[MSG_REPLY] = on_reply,
		[MSG_REPLY_LAST] = on_reply,
		[MSG_ADOPT] = on_adopt,
	},
	.broken = on_broken,
};

static const struct channel_ops proxyd_side = {
	.handlers[MSG_ANSWER_SENT] = on_answer_sent,
	.broken = on_broken,
	.writable = on_writable,
};

static void
attach(struct fixture *f)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	f->connector = channel_new(f->base, pair[0], PROGRAM_CONNECTOR,
	    PROGRAM_PROXYD, &connector_side, f);
	f->proxyd.child.peers[PROGRAM_CONNECTOR] = channel_new(f->base, pair[1],
	    PROGRAM_PROXYD, PROGRAM_CONNECTOR, &proxyd_side, f);
}

static void
detach(struct fixture *f)
{
	channel_free(f->connector);
	f->connector = NULL;
	channel_free(f->proxyd.child.peers[PROGRAM_CONNECTOR]);
	f->proxyd.child.peers[PROGRAM_CONNECTOR] = NULL;
	f->under_way = 0;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->base = event_base_new()) == NULL)
		return -1;
	f->proxyd.child.self = PROGRAM_PROXYD;
	f->proxyd.outbox = outbox_new(&f->proxyd);
	f->proxyd.link_is_up = true;
	f->acknowledge = true;
	attach(f);
	*state = f;
	return 0;
}

static void
forget_texts(struct fixture *f)
{
	size_t i;

	for (i = 0; i < NUMBERS_MAX; i++) {
		if (f->texts[i] != NULL)
			evbuffer_free(f->texts[i]);
		f->texts[i] = NULL;
	}
	f->norder = 0;
	f->messages = 0;
}

/* Whatever a test did, all memory is accounted for in the end. */
static int
teardown(void **state)
{
	struct fixture *f = *state;

	outbox_free(f->proxyd.outbox);
	assert_int_equal(f->proxyd.buffered, 0);
	detach(f);
	forget_texts(f);
	event_base_free(f->base);
	free(f);
	return 0;
}

static void
spin(struct fixture *f)
{
	int i;

	for (i = 0; i < 1000; i++)
		event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* The text of an answer: told by its number, of any length. */
static uint8_t
byte_of(uint64_t number, size_t i)
{
	return (uint8_t)('a' + (number * 7 + i) % 26);
}

static struct evbuffer *
make_text(uint64_t number, size_t len)
{
	struct evbuffer *data = evbuffer_new();
	uint8_t *text = malloc(len + 1);
	size_t i;

	assert_non_null(data);
	assert_non_null(text);
	for (i = 0; i < len; i++)
		text[i] = byte_of(number, i);
	evbuffer_add(data, text, len);
	free(text);
	return data;
}

static void
add(struct fixture *f, uint64_t number, size_t len)
{
	char request_id[32];

	(void)snprintf(request_id, sizeof(request_id), "id-%llu",
	    (unsigned long long)number);
	outbox_add(
	    f->proxyd.outbox, number, request_id, make_text(number, len));
}

static void
reply(struct fixture *f, uint64_t number, size_t len, bool last)
{
	outbox_reply(f->proxyd.outbox, number, make_text(number, len), last);
}

static void
assert_text(struct fixture *f, uint64_t number, size_t len)
{
	const uint8_t *text;
	size_t i;

	assert_non_null(f->texts[number]);
	assert_int_equal(evbuffer_get_length(f->texts[number]), len);
	text = evbuffer_pullup(f->texts[number], -1);
	for (i = 0; i < len; i++)
		if (text[i] != byte_of(number, i))
			fail_msg("answer %llu differs at %zu",
			    (unsigned long long)number, i);
}

static void
assert_order(const struct fixture *f, const char *numbers)
{
	char text[1024] = "";
	size_t i, len = 0;

	for (i = 0; i < f->norder; i++) {
		(void)snprintf(text + len, sizeof(text) - len, "%s%llu",
		    i > 0 ? " " : "", (unsigned long long)f->order[i]);
		len = strlen(text);
	}
	assert_string_equal(text, numbers);
}

static void
test_lengths(void **state)
{
	static const size_t lengths[] = { 0, 1, 1000, MSG_PAYLOAD_MAX - 1,
		MSG_PAYLOAD_MAX, MSG_PAYLOAD_MAX + 1, 2 * MSG_PAYLOAD_MAX,
		2 * MSG_PAYLOAD_MAX + 1, 5000000 };
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < COUNT(lengths); i++) {
		add(f, i + 1, lengths[i]);
		assert_int_equal(f->proxyd.buffered, lengths[i]);
		assert_false(outbox_is_empty(f->proxyd.outbox));
		spin(f);
		assert_text(f, i + 1, lengths[i]);
		assert_int_equal(f->proxyd.buffered, 0);
		assert_true(outbox_is_empty(f->proxyd.outbox));
	}
	assert_order(f, "1 2 3 4 5 6 7 8 9");
}

/* Answers wait for the connector, the link, and an acknowledgement. */
static void
test_waiting(void **state)
{
	struct fixture *f = *state;

	f->acknowledge = false;
	f->proxyd.link_is_up = false;
	add(f, 1, 10);
	add(f, 2, 20);
	spin(f);
	assert_order(f, "");
	f->proxyd.link_is_up = true;
	outbox_continue(f->proxyd.outbox);
	spin(f);
	assert_order(f, "1 2");
	assert_int_equal(f->proxyd.buffered, 30);
	/* Others than those that were handed over are ignored. */
	outbox_on_sent(f->proxyd.outbox, 3);
	assert_int_equal(f->proxyd.buffered, 30);
	outbox_on_sent(f->proxyd.outbox, 1);
	outbox_on_sent(f->proxyd.outbox, 1);
	assert_int_equal(f->proxyd.buffered, 20);
	outbox_on_sent(f->proxyd.outbox, 2);
	assert_true(outbox_is_empty(f->proxyd.outbox));
	/* No connector. */
	detach(f);
	add(f, 3, 30);
	outbox_on_sent(f->proxyd.outbox, 3);
	assert_int_equal(f->proxyd.buffered, 30);
	attach(f);
	outbox_continue(f->proxyd.outbox);
	spin(f);
	assert_text(f, 3, 30);
}

/* A small one goes before large ones that have not begun. */
static void
test_small_first(void **state)
{
	struct fixture *f = *state;

	f->proxyd.link_is_up = false;
	add(f, 1, LARGE);
	add(f, 2, LARGE);
	add(f, 3, SMALL);
	add(f, 4, 10);
	add(f, 5, 3 * SMALL);
	add(f, 6, 20);
	f->proxyd.link_is_up = true;
	outbox_continue(f->proxyd.outbox);
	spin(f);
	assert_order(f, "3 4 6 1 2 5");
	assert_text(f, 1, LARGE);
	assert_text(f, 5, 3 * SMALL);
}

/* But no reply before another one of its number: the last one is the last. */
static void
test_order_of_replies(void **state)
{
	struct fixture *f = *state;

	channel_pause(f->connector);
	reply(f, 1, 8000000, false);
	reply(f, 2, LARGE, false);
	reply(f, 3, LARGE, false);
	reply(f, 2, 10, true);
	add(f, 4, LARGE);
	reply(f, 4, 20, false);
	spin(f);
	channel_resume(f->connector);
	spin(f);
	assert_order(f, "1 2 2 4 3 4");
	assert_true(f->last[2]);
}

/* And not between the messages of one that has begun. */
static void
test_begun(void **state)
{
	struct fixture *f = *state;

	channel_pause(f->connector);
	add(f, 1, 8000000); /* more than the socket takes */
	add(f, 2, LARGE);
	add(f, 3, 10);
	spin(f);
	assert_int_equal(f->messages, 0);
	channel_resume(f->connector);
	spin(f);
	assert_order(f, "1 3 2");
	assert_text(f, 1, 8000000);
}

/* A large one is not overtaken for ever. */
static void
test_overtaking(void **state)
{
	struct fixture *f = *state;
	uint64_t i;

	f->proxyd.link_is_up = false;
	add(f, 1, LARGE);
	for (i = 2; i < 102; i++)
		add(f, i, 10);
	f->proxyd.link_is_up = true;
	outbox_continue(f->proxyd.outbox);
	spin(f);
	assert_int_equal(f->norder, 101);
	/* 64 of them went before it; all kept their order. */
	assert_int_equal(f->order[64], 1);
	for (i = 0; i < 64; i++)
		assert_int_equal(f->order[i], i + 2);
	for (i = 65; i < 101; i++)
		assert_int_equal(f->order[i], i + 1);
}

/* Characters of one to four bytes at every place around the cut. */
static void
test_characters(void **state)
{
	static const char *const characters[] = { "a", "\xc3\xa9",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	struct fixture *f = *state;
	struct evbuffer *data, *copy;
	size_t i, before, k, len;

	f->check_utf8 = true;
	for (i = 0; i < COUNT(characters); i++)
		for (before = 0; before < 4; before++) {
			data = evbuffer_new();
			copy = evbuffer_new();
			for (k = 0; k < before; k++)
				evbuffer_add(data, "x", 1);
			len = strlen(characters[i]);
			for (k = 0; k < 300000; k += len)
				evbuffer_add(data, characters[i], len);
			evbuffer_add_buffer_reference(copy, data);
			forget_texts(f);
			outbox_add(f->proxyd.outbox, 1, "id", data);
			spin(f);
			len = evbuffer_get_length(copy);
			assert_int_equal(evbuffer_get_length(f->texts[1]), len);
			assert_memory_equal(evbuffer_pullup(f->texts[1], -1),
			    evbuffer_pullup(copy, -1), len);
			assert_int_equal(f->messages,
			    (len + MSG_PAYLOAD_MAX - 1) / MSG_PAYLOAD_MAX);
			evbuffer_free(copy);
		}
}

/* In pieces of any size, as the upstream's body trickled in. */
static void
test_pieces(void **state)
{
	static const size_t sizes[] = { 1, 100, 5000, 70000 };
	static uint8_t text[200000];
	struct fixture *f = *state;
	struct evbuffer *data;
	size_t i, k, n;

	for (k = 0; k < sizeof(text); k++)
		text[k] = byte_of(1, k);
	for (i = 0; i < COUNT(sizes); i++) {
		data = evbuffer_new();
		for (k = 0; k < sizeof(text); k += n) {
			n = sizeof(text) - k < sizes[i] ? sizeof(text) - k
							: sizes[i];
			evbuffer_add_reference(data, text + k, n, NULL, NULL);
		}
		forget_texts(f);
		outbox_add(f->proxyd.outbox, 1, "id", data);
		spin(f);
		assert_text(f, 1, sizeof(text));
	}
}

/* A connector that takes over gets all that was not acknowledged. */
static void
test_hand_over(void **state)
{
	struct fixture *f = *state;
	size_t before;

	f->acknowledge = false;
	add(f, 1, 10);
	add(f, 2, 100000);
	add(f, 3, 30);
	spin(f);
	assert_order(f, "1 2 3");
	outbox_on_sent(f->proxyd.outbox, 1);
	/* The next ones get stuck, the first of them half out. */
	channel_pause(f->connector);
	add(f, 4, 8000000);
	add(f, 5, 50);
	add(f, 6, LARGE);
	spin(f);
	before = f->proxyd.buffered;
	assert_int_equal(before, 100000 + 30 + 8000000 + 50 + LARGE);

	detach(f);
	f->proxyd.link_is_up = false;
	outbox_rewind(f->proxyd.outbox);
	forget_texts(f);
	attach(f);
	outbox_continue(f->proxyd.outbox);
	spin(f);
	assert_int_equal(f->norder, 0);

	f->proxyd.link_is_up = true;
	f->acknowledge = true;
	outbox_adopt(f->proxyd.outbox);
	outbox_continue(f->proxyd.outbox);
	assert_int_equal(f->proxyd.buffered, before);
	spin(f);
	assert_string_equal(f->adopted, "2:id-2 3:id-3 4:id-4 5:id-5 6:id-6 ");
	assert_order(f, "2 3 4 5 6");
	assert_text(f, 2, 100000);
	assert_text(f, 3, 30);
	assert_text(f, 4, 8000000);
	assert_text(f, 5, 50);
	assert_text(f, 6, LARGE);
	assert_int_equal(f->proxyd.buffered, 0);
	assert_true(outbox_is_empty(f->proxyd.outbox));
}

/* Nobody waits any more: nothing is sent, nothing is kept. */
static void
test_clear(void **state)
{
	struct fixture *f = *state;

	f->acknowledge = false;
	add(f, 1, 10);
	spin(f);
	f->proxyd.link_is_up = false;
	add(f, 2, LARGE);
	add(f, 3, 10);
	assert_int_equal(f->proxyd.buffered, LARGE + 20);
	outbox_clear(f->proxyd.outbox);
	assert_int_equal(f->proxyd.buffered, 0);
	assert_true(outbox_is_empty(f->proxyd.outbox));
	f->proxyd.link_is_up = true;
	outbox_adopt(f->proxyd.outbox);
	outbox_continue(f->proxyd.outbox);
	outbox_on_sent(f->proxyd.outbox, 1);
	spin(f);
	assert_order(f, "1");
	assert_string_equal(f->adopted, "");
	/* Left to the end: what waits and what is with the connector. */
	add(f, 4, 10);
	spin(f);
	f->proxyd.link_is_up = false;
	add(f, 5, 10);
}

/* In order; done with as soon as they are out. */
static void
test_replies(void **state)
{
	static const size_t lengths[] = { 1, 1000, 65519, 65520 };
	struct fixture *f = *state;
	size_t i;

	f->acknowledge = false;
	for (i = 0; i < COUNT(lengths); i++)
		reply(f, i + 1, lengths[i], true);
	assert_int_equal(f->proxyd.buffered, 0);
	assert_true(outbox_is_empty(f->proxyd.outbox));
	spin(f);
	assert_order(f, "1 2 3 4");
	for (i = 0; i < COUNT(lengths); i++) {
		assert_text(f, i + 1, lengths[i]);
		assert_true(f->last[i + 1]);
	}
	/* They wait for a connector that does not read, and are counted. */
	channel_pause(f->connector);
	add(f, 5, 8000000);
	reply(f, 6, 100, false);
	reply(f, 7, 200, true);
	reply(f, 6, 300, true);
	assert_int_equal(f->proxyd.buffered, 8000000 + 600);
	assert_false(outbox_is_empty(f->proxyd.outbox));
	channel_resume(f->connector);
	spin(f);
	assert_order(f, "1 2 3 4 5 6 7 6");
	assert_int_equal(evbuffer_get_length(f->texts[6]), 400);
	assert_int_equal(f->proxyd.buffered, 8000000);
	outbox_on_sent(f->proxyd.outbox, 5);
	assert_true(outbox_is_empty(f->proxyd.outbox));
}

/* In as many messages as it takes. */
static void
test_long_replies(void **state)
{
	static const struct {
		size_t len;
		unsigned messages;
	} replies[] = {
		{ 0, 1 },
		{ 1, 1 },
		{ 65519, 1 },
		{ 65520, 1 },
		{ 65521, 2 },
		{ 200000, 4 },
		{ 32 * 1024 * 1024, 513 },
	};
	struct fixture *f = *state;
	size_t i;

	/* Only a last one may be empty. */
	for (i = 1; i < 2 * COUNT(replies); i++) {
		forget_texts(f);
		memset(f->last, 0, sizeof(f->last));
		reply(f, 1, replies[i / 2].len, i % 2 == 1);
		while (!outbox_is_empty(f->proxyd.outbox))
			spin(f);
		spin(f);
		assert_order(f, "1");
		assert_text(f, 1, replies[i / 2].len);
		assert_int_equal(f->last[1], i % 2 == 1);
		assert_int_equal(f->messages, replies[i / 2].messages);
		assert_int_equal(f->proxyd.buffered, 0);
	}
}

/* Half out when the channel is full: nothing comes in between. */
static void
test_long_reply_begun(void **state)
{
	struct fixture *f = *state;

	f->check_utf8 = true;
	channel_pause(f->connector);
	reply(f, 1, 8000000, false);
	add(f, 2, 10);
	reply(f, 3, 20, true);
	add(f, 4, LARGE);
	reply(f, 1, LARGE, true);
	spin(f);
	assert_int_equal(f->messages, 0);
	assert_int_equal(f->proxyd.buffered, 8000000 + 30 + 2 * LARGE);
	channel_resume(f->connector);
	spin(f);
	assert_order(f, "1 2 3 4 1");
	assert_true(f->last[1]);
	assert_int_equal(evbuffer_get_length(f->texts[1]), 8000000 + LARGE);
	assert_text(f, 4, LARGE);
	assert_true(outbox_is_empty(f->proxyd.outbox));
}

/* Long ones are held back, but are no flood. */
static void
test_room(void **state)
{
	static const struct {
		size_t len, times;
		bool has_room, is_flooded;
	} cases[] = {
		{ OUTBOX_REPLIES_HIGH - 1, 1, true, false },
		{ OUTBOX_REPLIES_HIGH, 1, false, false },
		{ 32 * 1024 * 1024, 1, false, false },
		{ 16 * 1024 * 1024, 7, false, false },
		{ 65000, 16, true, false },
		{ 65000, 17, false, false },
		{ 65000, OUTBOX_REPLIES_MAX / 65000, false, false },
		{ 65000, OUTBOX_REPLIES_MAX / 65000 + 1, false, true },
	};
	struct fixture *f = *state;
	size_t i, k;

	for (i = 0; i < COUNT(cases); i++) {
		channel_pause(f->connector);
		add(f, 1, 8000000); /* more than the socket takes */
		for (k = 0; k < cases[i].times; k++)
			reply(f, 2, cases[i].len, false);
		assert_int_equal(f->proxyd.buffered,
		    8000000 + cases[i].len * cases[i].times);
		assert_int_equal(
		    outbox_has_room(f->proxyd.outbox), cases[i].has_room);
		assert_int_equal(
		    outbox_is_flooded(f->proxyd.outbox), cases[i].is_flooded);
		detach(f);
		outbox_clear(f->proxyd.outbox);
		assert_true(outbox_has_room(f->proxyd.outbox));
		attach(f);
	}
}

/* One that was half out with the old connector is not the new one's. */
static void
test_long_reply_dropped(void **state)
{
	struct fixture *f = *state;

	add(f, 1, 10);
	spin(f);
	channel_pause(f->connector);
	reply(f, 2, 8000000, true);
	add(f, 3, 8000000);
	reply(f, 4, 8000000, false);
	spin(f);
	detach(f);
	outbox_rewind(f->proxyd.outbox);
	assert_int_equal(f->proxyd.buffered, 8000000);
	attach(f);
	reply(f, 5, LARGE, true);
	outbox_continue(f->proxyd.outbox);
	spin(f);
	assert_order(f, "1 3 5");
	assert_text(f, 3, 8000000);
	/* Nor is it the new link's. */
	channel_pause(f->connector);
	reply(f, 6, 8000000, true);
	outbox_clear(f->proxyd.outbox);
	assert_int_equal(f->proxyd.buffered, 0);
	assert_true(outbox_has_room(f->proxyd.outbox));
	detach(f);
	attach(f);
	reply(f, 7, LARGE, true);
	spin(f);
	assert_text(f, 7, LARGE);
}

/* A connector that asks for ever and reads nothing. */
static void
test_flood(void **state)
{
	struct fixture *f = *state;
	size_t n;

	channel_pause(f->connector);
	add(f, 1, OUTBOX_REPLIES_MAX);
	assert_false(outbox_is_flooded(f->proxyd.outbox));
	for (n = 0; n < OUTBOX_REPLIES_MAX; n += 65000) {
		assert_false(outbox_is_flooded(f->proxyd.outbox));
		reply(f, 2, 65000, false);
	}
	assert_true(outbox_is_flooded(f->proxyd.outbox));
	f->proxyd.link_is_up = false;
	outbox_rewind(f->proxyd.outbox);
	assert_false(outbox_is_flooded(f->proxyd.outbox));
}

/* Before large answers that have not begun, but not for ever. */
static void
test_reply_overtaking(void **state)
{
	struct fixture *f = *state;
	uint64_t i;

	channel_pause(f->connector);
	add(f, 1, 8000000); /* more than the socket takes */
	add(f, 2, LARGE);
	add(f, 3, 10);
	reply(f, 4, OUTBOX_REPLY_MAX, false);
	add(f, 5, 20);
	for (i = 6; i < 106; i++)
		reply(f, i, 10, true);
	channel_resume(f->connector);
	spin(f);
	assert_int_equal(f->norder, 105);
	assert_int_equal(f->order[0], 1);
	/* 64 of them went before the second one; all kept their order. */
	for (i = 1; i <= 64; i++)
		assert_int_equal(f->order[i], i + 2);
	assert_int_equal(f->order[65], 2);
	for (i = 66; i < 105; i++)
		assert_int_equal(f->order[i], i + 1);
}

/* Who waited for a reply is gone with the link, or with the connector. */
static void
test_replies_dropped(void **state)
{
	struct fixture *f = *state;

	f->proxyd.link_is_up = false;
	reply(f, 1, 10, true);
	assert_true(outbox_is_empty(f->proxyd.outbox));
	assert_int_equal(f->proxyd.buffered, 0);
	f->proxyd.link_is_up = true;

	channel_pause(f->connector);
	add(f, 2, 8000000);
	reply(f, 3, 10, false);
	add(f, 4, 10);
	reply(f, 3, 10, true);
	spin(f);
	detach(f);
	f->proxyd.link_is_up = false;
	outbox_rewind(f->proxyd.outbox);
	assert_int_equal(f->proxyd.buffered, 8000000 + 10);
	attach(f);
	f->proxyd.link_is_up = true;
	outbox_adopt(f->proxyd.outbox);
	outbox_continue(f->proxyd.outbox);
	spin(f);
	assert_string_equal(f->adopted, "2:id-2 4:id-4 ");
	assert_order(f, "2 4");

	channel_pause(f->connector);
	add(f, 5, 8000000);
	reply(f, 6, 10, true);
	outbox_clear(f->proxyd.outbox);
	assert_int_equal(f->proxyd.buffered, 0);
	/* Left to the end. */
	add(f, 7, 8000000);
	reply(f, 8, 10, true);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_lengths),
		TEST(test_waiting),
		TEST(test_small_first),
		TEST(test_order_of_replies),
		TEST(test_begun),
		TEST(test_overtaking),
		TEST(test_characters),
		TEST(test_pieces),
		TEST(test_hand_over),
		TEST(test_clear),
		TEST(test_replies),
		TEST(test_long_replies),
		TEST(test_long_reply_begun),
		TEST(test_long_reply_dropped),
		TEST(test_room),
		TEST(test_flood),
		TEST(test_reply_overtaking),
		TEST(test_replies_dropped),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
