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
#include "proxyd/intake.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/transactions.h"
#include "proxyd/user_requests.h"

#define REQUESTS_MAX 3
#define BUFFERED_MAX (16 * 1024 * 1024)

/* proxyd with an intake; what begins, and what connector got, is noted. */
static struct fixture {
	struct proxyd proxyd;
	struct event_base *base;
	struct channel *connector;
	char notes[1024]; /* "request:number:length ", "!status:number " */
	size_t count;	  /* of transactions */
	const char *why;  /* what is wrong with what begins */
	bool flooded;	  /* the outbox, with replies */
} * f;

static void
note(const char *what, uint64_t number, size_t n)
{
	size_t len = strlen(f->notes);

	(void)snprintf(f->notes + len, sizeof(f->notes) - len, "%s:%llu:%zu ",
	    what, (unsigned long long)number, n);
}

static const char *
begin(const char *what, uint64_t number, struct evbuffer *text)
{
	size_t len = evbuffer_get_length(text);

	/* From now on it is counted by who has it. */
	assert_int_equal(f->proxyd.buffered, 0);
	note(what, number, len);
	evbuffer_drain(text, len);
	return f->why;
}

const char *
transactions_begin(
    struct transactions *ts, uint64_t number, struct evbuffer *text)
{
	(void)ts;
	return begin("request", number, text);
}

bool
outbox_is_flooded(const struct outbox *ob)
{
	(void)ob;
	return f->flooded;
}

size_t
transactions_count(const struct transactions *ts)
{
	(void)ts;
	return f->count;
}

const char *
user_requests_begin(
    struct proxyd *proxyd, uint64_t number, struct evbuffer *text)
{
	assert_ptr_equal(proxyd, &f->proxyd);
	return begin("user", number, text);
}

static int
on_refuse(void *arg, struct msg *m)
{
	(void)arg;
	note(m->type == MSG_REFUSE ? "refuse" : "user-refuse", m->id,
	    msg_get_u32(m));
	assert_true(msg_end(m));
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
	.handlers = {
		[MSG_REFUSE] = on_refuse,
		[MSG_USER_REFUSE] = on_refuse,
	},
	.broken = on_broken,
};

static const struct channel_ops proxyd_side = { .broken = on_broken };

static int
setup(void **state)
{
	int pair[2];

	(void)state;
	f = calloc(1, sizeof(*f));
	if (f == NULL || (f->base = event_base_new()) == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	f->connector = channel_new(f->base, pair[0], PROGRAM_CONNECTOR,
	    PROGRAM_PROXYD, &connector_side, NULL);
	f->proxyd.child.self = PROGRAM_PROXYD;
	f->proxyd.child.peers[PROGRAM_CONNECTOR] = channel_new(f->base, pair[1],
	    PROGRAM_PROXYD, PROGRAM_CONNECTOR, &proxyd_side, NULL);
	f->proxyd.conf.requests_max = REQUESTS_MAX;
	f->proxyd.conf.buffered_max = BUFFERED_MAX;
	f->proxyd.intake = intake_new(&f->proxyd);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	intake_free(f->proxyd.intake);
	assert_int_equal(f->proxyd.buffered, 0);
	channel_free(f->connector);
	channel_free(f->proxyd.child.peers[PROGRAM_CONNECTOR]);
	event_base_free(f->base);
	free(f);
	return 0;
}

static int
chunk(enum msg_type type, uint64_t number, size_t len, bool more)
{
	static const uint8_t data[MSG_PAYLOAD_MAX];
	struct msg m = {
		.type = type,
		.flags = more ? MSG_FLAG_MORE : 0,
		.id = number,
		.fd = -1,
		.data = data,
		.len = len,
	};

	assert_in_range(len, 0, sizeof(data));
	return intake_on_chunk(f->proxyd.intake, &m);
}

static void
text(enum msg_type type, uint64_t number, size_t len)
{
	while (len > MSG_PAYLOAD_MAX) {
		assert_int_equal(chunk(type, number, MSG_PAYLOAD_MAX, true), 0);
		len -= MSG_PAYLOAD_MAX;
	}
	assert_int_equal(chunk(type, number, len, false), 0);
}

static void
assert_notes(const char *expected)
{
	int i;

	for (i = 0; i < 100; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_string_equal(f->notes, expected);
	f->notes[0] = '\0';
}

static void
test_whole(void **state)
{
	(void)state;
	text(MSG_REQUEST, 1, 0);
	text(MSG_USER_REQUEST, 1, 10);
	text(MSG_USER_REQUEST, 2, MSG_PAYLOAD_MAX + 1);
	text(MSG_REQUEST, 2, 3 * MSG_PAYLOAD_MAX);
	assert_notes("request:1:0 user:1:10 user:2:65521 request:2:196560 ");
	assert_int_equal(chunk(MSG_REQUEST, 3, 100, true), 0);
	assert_int_equal(f->proxyd.buffered, 100);
	assert_int_equal(chunk(MSG_REQUEST, 3, 1, false), 0);
	assert_notes("request:3:101 ");
}

/* Two that mix are a connector gone wrong. */
static void
test_mixed(void **state)
{
	(void)state;
	assert_int_equal(chunk(MSG_REQUEST, 0, 1, false), -1);
	assert_int_equal(chunk(MSG_USER_REQUEST, 0, 1, true), -1);
	assert_int_equal(chunk(MSG_REQUEST, 1, 1, true), 0);
	assert_int_equal(chunk(MSG_REQUEST, 2, 1, false), -1);
	assert_int_equal(chunk(MSG_USER_REQUEST, 1, 1, false), -1);
	assert_int_equal(chunk(MSG_REQUEST, 1, 1, false), 0);
	assert_int_equal(chunk(MSG_USER_REQUEST, 1, 1, true), 0);
	assert_int_equal(chunk(MSG_REQUEST, 1, 1, true), -1);
	assert_notes("request:1:2 ");
}

/* What has no request_id that could be read: connector knows it. */
static void
test_malformed(void **state)
{
	(void)state;
	f->why = "test";
	text(MSG_REQUEST, 1, 10);
	text(MSG_USER_REQUEST, 2, 10);
	assert_notes("request:1:10 user:2:10 refuse:1:400 user-refuse:2:400 ");
}

static void
test_longest(void **state)
{
	(void)state;
	text(MSG_USER_REQUEST, 1, INTAKE_USER_MAX);
	assert_notes("user:1:8388608 ");
	text(MSG_USER_REQUEST, 2, INTAKE_USER_MAX + 1);
	assert_notes("user-refuse:2:413 ");
	assert_int_equal(f->proxyd.buffered, 0);
	/* Refused once, and dropped to its end. */
	text(MSG_USER_REQUEST, 3, BUFFERED_MAX + MSG_PAYLOAD_MAX);
	assert_notes("user-refuse:3:413 ");
	/* Requests may be as long as all of them together. */
	text(MSG_REQUEST, 4, BUFFERED_MAX);
	assert_notes("request:4:16777216 ");
	text(MSG_REQUEST, 5, BUFFERED_MAX + 1);
	text(MSG_USER_REQUEST, 6, 1);
	assert_notes("user:6:1 refuse:5:503 ");
	assert_int_equal(f->proxyd.counts.busy, 3);
	assert_int_equal(f->proxyd.counts.requests, 1); /* no other began */
}

static void
test_overloaded(void **state)
{
	(void)state;
	f->count = REQUESTS_MAX;
	text(MSG_REQUEST, 1, 10);
	text(MSG_USER_REQUEST, 1, 10); /* has limits of its own */
	assert_notes("user:1:10 refuse:1:503 ");
	f->count = 0;
	f->proxyd.buffered = BUFFERED_MAX - 10;
	assert_int_equal(chunk(MSG_REQUEST, 2, 10, true), 0);
	assert_int_equal(chunk(MSG_REQUEST, 2, 1, true), 0);
	assert_int_equal(f->proxyd.buffered, BUFFERED_MAX - 10);
	f->proxyd.buffered = 0; /* too late for this one */
	assert_int_equal(chunk(MSG_REQUEST, 2, 1, false), 0);
	f->proxyd.buffered = BUFFERED_MAX - 9;
	text(MSG_USER_REQUEST, 2, 10);
	f->proxyd.buffered = 0;
	assert_notes("refuse:2:503 user-refuse:2:503 ");
	f->flooded = true;
	text(MSG_USER_REQUEST, 3, 10);
	text(MSG_REQUEST, 3, 10);
	assert_notes("request:3:10 user-refuse:3:503 ");
}

static void
test_drain(void **state)
{
	(void)state;
	assert_int_equal(chunk(MSG_USER_REQUEST, 1, 10, true), 0);
	intake_drain(f->proxyd.intake);
	assert_int_equal(chunk(MSG_USER_REQUEST, 1, 10, false), 0);
	text(MSG_REQUEST, 1, 10);
	assert_notes("user-refuse:1:503 refuse:1:503 ");
}

/* The connector died in the middle: the next one begins anew. */
static void
test_clear(void **state)
{
	(void)state;
	assert_int_equal(chunk(MSG_USER_REQUEST, 1, 1000, true), 0);
	assert_int_equal(f->proxyd.buffered, 1000);
	intake_clear(f->proxyd.intake);
	assert_int_equal(f->proxyd.buffered, 0);
	text(MSG_REQUEST, 2, 10);
	assert_notes("request:2:10 ");
	f->count = REQUESTS_MAX;
	assert_int_equal(chunk(MSG_REQUEST, 3, 10, true), 0);
	intake_clear(f->proxyd.intake);
	f->count = 0;
	text(MSG_REQUEST, 3, 10);
	assert_notes("request:3:10 refuse:3:503 ");
	/* Left to the end. */
	assert_int_equal(chunk(MSG_REQUEST, 4, 10, true), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_whole),
		TEST(test_mixed),
		TEST(test_malformed),
		TEST(test_longest),
		TEST(test_overloaded),
		TEST(test_drain),
		TEST(test_clear),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
