#ifndef TEST_TUNNEL_PLAY_H
#define TEST_TUNNEL_PLAY_H

/* A tunnel between a page and a far end that the tests play. */

#include "tests/unit/proxyd/tunnel_fixture.h"

#include "proxyd/rates.h"

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

static inline void
on_changed(void *arg, struct tunnel *t)
{
	struct fixture *f = arg;

	assert_ptr_equal(t, f->t);
	f->changed++;
}

static inline void
start(struct fixture *f, enum tunnel_kind kind)
{
	f->t = tunnel_new(&f->proxyd, kind, OPEN, "R", on_changed, f);
	f->t->ops = &fake_far_ops;
	f->t->far = &f->far;
	f->far.writable = true;
	f->numbers = 100;
}

static inline void
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

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->proxyd.child.base = event_base_new();
	f->proxyd.rates = rates_new(&f->proxyd.conf);
	f->far.got = evbuffer_new();
	f->page = evbuffer_new();
	outbox_is_full = false;
	*state = f;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	if (f->t != NULL)
		tunnel_free(f->t);
	assert_int_equal(f->proxyd.buffered, 0);
	rates_free(f->proxyd.rates);
	event_base_free(f->proxyd.child.base);
	evbuffer_free(f->far.got);
	evbuffer_free(f->page);
	clear_replies();
	free(f);
	return 0;
}

/* A piece of the page, with a number of its own, which is returned. */
static inline uint64_t
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

static inline uint64_t
send_text(struct fixture *f, uint64_t n, const char *text)
{
	return send_bytes(f, n, WS_TEXT, text, strlen(text), false);
}

static inline void
expect_credit(uint64_t number, size_t credit)
{
	char text[64];

	(void)snprintf(
	    text, sizeof(text), "{\"ok\":true,\"credit\":%zu}", credit);
	expect_reply(number, true, text);
}

static inline void
expect_got(struct fixture *f, const char *wanted)
{
	size_t len = evbuffer_get_length(f->far.got);

	assert_int_equal(len, strlen(wanted));
	if (len > 0)
		assert_memory_equal(
		    evbuffer_pullup(f->far.got, -1), wanted, len);
	evbuffer_drain(f->far.got, len);
}

static inline void
part(struct fixture *f, enum ws_type type, const void *data, size_t len,
    bool fin)
{
	assert_false(f->far.paused);
	tunnel_part(f->t, type, data, len, fin);
}

/* Take the pieces that came for the page; returns their bytes. */
static inline size_t
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

static inline void
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

#endif
