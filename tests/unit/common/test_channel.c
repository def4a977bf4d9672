#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "common/channel.h"
#include "common/log.h"
#include "tests/unit/common/descriptors.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define IDS_MAX	 8192

/* One end, and what it reported. */
struct end {
	struct channel *ch; /* NULL once it was broken */
	struct channel_ops ops;
	uint64_t ids[IDS_MAX];
	size_t n;
	size_t bytes;
	unsigned broken;
	const char *why;
	unsigned writable;
	bool sending; /* nothing may be called back meanwhile */
	int rc;	      /* for handlers to return */
	bool pause;   /* after each message */
	bool take;
	int fd;			   /* the last one that was taken */
	struct evbuffer *expected; /* what payloads must be, in order */
	struct evbuffer *reply;	   /* sent back from inside the handler */
};

struct fixture {
	struct event_base *base;
	struct end a, b;
	int raw; /* a's socket, where the test plays a itself */
	int descriptors;
};

static int
on_message(void *arg, struct msg *m)
{
	struct end *end = arg;
	struct evbuffer_ptr start;

	assert_false(end->sending);
	assert_in_range(end->n, 0, IDS_MAX - 1);
	end->ids[end->n++] = m->id;
	end->bytes += m->len;
	if (end->reply != NULL) {
		evbuffer_ptr_set(end->reply, &start, 0, EVBUFFER_PTR_SET);
		assert_true(channel_send_slice(end->ch, MSG_ANSWER, 0, 1,
		    end->reply, &start, evbuffer_get_length(end->reply)));
	}
	if (end->expected != NULL) {
		assert_memory_equal(
		    evbuffer_pullup(end->expected, (ev_ssize_t)m->len), m->data,
		    m->len);
		evbuffer_drain(end->expected, m->len);
	}
	if (end->take)
		end->fd = msg_take_fd(m);
	if (end->pause)
		channel_pause(end->ch);
	return end->rc;
}

static void
on_broken(void *arg, struct channel *ch, const char *why)
{
	struct end *end = arg;

	assert_false(end->sending);
	assert_ptr_equal(ch, end->ch);
	end->broken++;
	end->why = why;
	channel_free(ch);
	end->ch = NULL;
}

static void
on_writable(void *arg, struct channel *ch)
{
	struct end *end = arg;

	assert_false(end->sending);
	assert_ptr_equal(ch, end->ch);
	end->writable++;
}

static void
start_end(struct fixture *f, struct end *end, int fd, enum program self,
    enum program peer)
{
	unsigned type;

	memset(end, 0, sizeof(*end));
	end->fd = -1;
	for (type = MSG_NONE + 1; type < MSG_TYPE_COUNT; type++)
		end->ops.handlers[type] = on_message;
	end->ops.broken = on_broken;
	end->ops.writable = on_writable;
	if (self != PROGRAM_COUNT)
		end->ch = channel_new(f->base, fd, self, peer, &end->ops, end);
}

/* PROGRAM_COUNT in place of a: only its raw socket, for the test. */
static void
start(struct fixture *f, enum program a, enum program b, enum program peer)
{
	int pair[2];

	f->descriptors = count_descriptors();
	f->base = event_base_new();
	assert_non_null(f->base);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	f->raw = a == PROGRAM_COUNT ? pair[0] : -1;
	start_end(f, &f->a, pair[0], a, b);
	start_end(f, &f->b, pair[1], b, peer);
}

static void
start_pair(struct fixture *f, enum program a, enum program b)
{
	start(f, a, b, a);
}

/* b is proxyd, and a a connector that the test plays. */
static void
start_raw(struct fixture *f)
{
	start(f, PROGRAM_COUNT, PROGRAM_PROXYD, PROGRAM_CONNECTOR);
}

/* All is closed at the end, whatever happened. */
static void
stop(struct fixture *f)
{
	channel_free(f->a.ch);
	channel_free(f->b.ch);
	if (f->raw != -1)
		close(f->raw);
	event_base_free(f->base);
	assert_int_equal(count_descriptors(), f->descriptors);
}

/* Let the loop do all that it can do now. */
static void
spin(struct fixture *f)
{
	int i;

	for (i = 0; i < 400; i++)
		event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
send_empty(struct end *end, enum msg_type type, uint64_t id)
{
	end->sending = true;
	channel_send_empty(end->ch, type, id);
	end->sending = false;
}

static void
send_text(
    struct end *end, enum msg_type type, uint64_t id, const char *text, int fd)
{
	struct msg_out m;

	msg_start(&m, type, id);
	msg_add_str(&m, text);
	end->sending = true;
	channel_send(end->ch, &m, fd);
	end->sending = false;
	assert_null(m.data);
}

/* From an offset of a buffer; the buffer must stay as it is. */
static bool
send_slice(struct end *end, uint64_t id, struct evbuffer *source, size_t from,
    size_t len)
{
	size_t before = evbuffer_get_length(source);
	struct evbuffer_ptr at;
	bool sent;

	assert_int_equal(
	    evbuffer_ptr_set(source, &at, from, EVBUFFER_PTR_SET), 0);
	end->sending = true;
	sent =
	    channel_send_slice(end->ch, MSG_REQUEST, 0, id, source, &at, len);
	end->sending = false;
	assert_int_equal(at.pos, from);
	assert_int_equal(evbuffer_get_length(source), before);
	return sent;
}

static void
assert_ids(const struct end *end, size_t n)
{
	size_t i;

	assert_int_equal(end->n, n);
	for (i = 0; i < n; i++)
		assert_int_equal(end->ids[i], i);
}

static void
assert_broken(const struct end *end, const char *why)
{
	assert_int_equal(end->broken, 1);
	if (why == NULL)
		assert_null(end->why);
	else
		assert_string_equal(end->why, why);
}

static struct evbuffer *
filled(size_t n)
{
	struct evbuffer *buffer = evbuffer_new();
	uint8_t *data = malloc(n);
	size_t i;

	assert_non_null(buffer);
	assert_non_null(data);
	for (i = 0; i < n; i++)
		data[i] = (uint8_t)(i % 251);
	assert_int_equal(evbuffer_add(buffer, data, n), 0);
	free(data);
	return buffer;
}

static void
test_order(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	assert_int_equal(channel_peer(f.a.ch), PROGRAM_PROXYD);
	for (i = 0; i < 1500; i++) {
		send_empty(&f.a, MSG_ANSWER_SENT, i);
		send_text(&f.b, MSG_ADOPT, i, "an id", -1);
	}
	spin(&f);
	assert_ids(&f.a, 1500);
	assert_ids(&f.b, 1500);
	assert_int_equal(f.a.bytes, 1500 * 9);
	assert_int_equal(f.a.broken + f.b.broken, 0);
	stop(&f);
}

/* Other events get their turn in between. */
static void
test_batch(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	for (i = 0; i < 100; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_in_range(f.b.n, 1, 99);
	spin(&f);
	assert_ids(&f.b, 100);
	stop(&f);
}

/* Is it still open here? */
static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void
test_descriptors(void **state)
{
	struct fixture f;
	int fd, open_fds;

	(void)state;
	start_pair(&f, PROGRAM_PARENT, PROGRAM_CONNECTOR);
	open_fds = count_descriptors();
	/* Not taken. */
	fd = dup(STDIN_FILENO);
	send_text(&f.a, MSG_DIALED, 1, "peer", fd);
	assert_false(is_open(fd));
	spin(&f);
	assert_int_equal(f.b.n, 1);
	assert_int_equal(count_descriptors(), open_fds);
	/* Taken. */
	f.b.take = true;
	send_text(&f.a, MSG_DIALED, 2, "peer", dup(STDIN_FILENO));
	spin(&f);
	assert_true(f.b.fd != -1 && is_open(f.b.fd));
	close(f.b.fd);
	/* Not taken, and malformed. */
	f.b.take = false;
	f.b.rc = -1;
	send_text(&f.a, MSG_DIALED, 3, "peer", dup(STDIN_FILENO));
	/* Behind the end: nobody will ever take it. */
	send_text(&f.a, MSG_DIALED, 4, "peer", dup(STDIN_FILENO));
	spin(&f);
	assert_int_equal(f.b.n, 3);
	assert_broken(&f.b, "malformed message");
	assert_broken(&f.a, NULL);
	stop(&f);
}

/* Descriptors that had to wait in the queue arrive with their messages. */
static void
test_queued_descriptors(void **state)
{
	struct fixture f;
	struct stat expected, got;
	int pipes[100][2], i;

	(void)state;
	start_pair(&f, PROGRAM_PARENT, PROGRAM_CONNECTOR);
	channel_pause(f.b.ch);
	/* More than the socket keeps: those are freed with the queue. */
	for (i = 0; i < 3000; i++)
		send_empty(&f.a, MSG_LOG_STATUS, 0);
	assert_false(channel_is_writable(f.a.ch));
	for (i = 0; i < (int)COUNT(pipes); i++)
		send_text(&f.a, MSG_DIALED, 1, "", dup(STDIN_FILENO));
	stop(&f);

	start_pair(&f, PROGRAM_PARENT, PROGRAM_CONNECTOR);
	f.b.take = f.b.pause = true;
	channel_pause(f.b.ch);
	for (i = 0; i < (int)COUNT(pipes); i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		send_text(&f.a, MSG_DIALED, (uint64_t)i, "", dup(pipes[i][0]));
	}
	for (i = 0; i < (int)COUNT(pipes); i++) {
		channel_resume(f.b.ch);
		spin(&f);
		assert_int_equal(f.b.n, i + 1);
		assert_int_equal(f.b.ids[i], i);
		assert_int_equal(fstat(pipes[i][0], &expected), 0);
		assert_int_equal(fstat(f.b.fd, &got), 0);
		assert_int_equal(got.st_ino, expected.st_ino);
		close(f.b.fd);
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	stop(&f);
}

/* A peer that does not read: a bounded queue, then the end. */
static void
test_queue_bound(void **state)
{
	char text[4001];
	struct fixture f;
	size_t sent = 0, taken = 0, queued;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	start_pair(&f, PROGRAM_AUTHD, PROGRAM_CONNECTOR);
	channel_pause(f.b.ch);
	while (channel_is_writable(f.a.ch)) {
		send_text(&f.a, MSG_TOKEN, sent++, text, -1);
		taken = sent;
	}
	taken--; /* the last one was the first to be queued */
	spin(&f);
	assert_int_equal(f.a.writable, 0);
	queued = CHANNEL_QUEUE_MAX / (MSG_HEADER_SIZE + sizeof(text) + 3);
	while (sent < taken + queued)
		send_text(&f.a, MSG_TOKEN, sent++, text, -1);
	spin(&f);
	assert_int_equal(f.a.broken, 0);
	/* The one too many; more of them are dropped. */
	send_text(&f.a, MSG_TOKEN, sent++, text, -1);
	send_text(&f.a, MSG_TOKEN, sent++, text, dup(STDIN_FILENO));
	assert_false(channel_is_writable(f.a.ch));
	assert_int_equal(f.a.broken, 0);
	spin(&f);
	assert_broken(&f.a, "peer does not read");
	/* What the socket had is not lost. */
	channel_resume(f.b.ch);
	spin(&f);
	assert_ids(&f.b, taken);
	assert_broken(&f.b, NULL);
	stop(&f);
}

/* What was queued goes out, in order, once the peer reads: each time. */
static void
test_queue_flows(void **state)
{
	char text[4001];
	struct fixture f;
	uint64_t sent = 0;
	unsigned round;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	start_pair(&f, PROGRAM_AUTHD, PROGRAM_CONNECTOR);
	for (round = 1; round <= 3; round++) {
		channel_pause(f.b.ch);
		while (sent < round * 900)
			send_text(&f.a, MSG_TOKEN, sent++, text, -1);
		assert_false(channel_is_writable(f.a.ch));
		channel_resume(f.b.ch);
		spin(&f);
		assert_ids(&f.b, sent);
		assert_int_equal(f.a.writable, round);
		assert_true(channel_is_writable(f.a.ch));
	}
	/* More than the bound in all, less at any time. */
	assert_true(f.b.bytes > 2 * (size_t)CHANNEL_QUEUE_MAX);
	assert_int_equal(f.a.broken + f.b.broken, 0);
	stop(&f);
}

/* Room in the socket is for what waits in the queue first. */
static void
test_queue_first(void **state)
{
	struct evbuffer *source = filled(10);
	struct fixture f;
	uint64_t sent = 0;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_pause(f.b.ch);
	while (channel_is_writable(f.a.ch))
		send_empty(&f.a, MSG_ANSWER_SENT, sent++);
	channel_resume(f.b.ch);
	channel_drain(f.b.ch); /* before a's loop could notice */
	assert_ids(&f.b, sent - 1);
	assert_false(send_slice(&f.a, 99, source, 0, 10));
	send_empty(&f.a, MSG_ANSWER_SENT, sent++);
	spin(&f);
	assert_ids(&f.b, sent);
	evbuffer_free(source);
	stop(&f);
}

static void
test_slice_pressure(void **state)
{
	struct evbuffer *source = filled(MSG_PAYLOAD_MAX);
	struct fixture f;
	uint64_t sent = 0, round;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	for (round = 1; round <= 3; round++) {
		channel_pause(f.b.ch);
		while (send_slice(&f.a, sent, source, 0, MSG_PAYLOAD_MAX))
			sent++;
		assert_in_range(sent, 1, 1000);
		assert_false(channel_is_writable(f.a.ch));
		assert_false(send_slice(&f.a, 99, source, 0, 1));
		spin(&f);
		assert_int_equal(f.a.writable, round - 1);
		channel_resume(f.b.ch);
		spin(&f);
		assert_ids(&f.b, sent);
		assert_int_equal(f.a.writable, round);
		assert_true(channel_is_writable(f.a.ch));
	}
	/* A slice does not overtake what is queued. */
	channel_pause(f.b.ch);
	while (channel_is_writable(f.a.ch))
		send_empty(&f.a, MSG_ANSWER_SENT, sent++);
	assert_false(send_slice(&f.a, 99, source, 0, 0));
	channel_resume(f.b.ch);
	spin(&f);
	assert_ids(&f.b, sent);
	assert_int_equal(f.a.writable, 4);
	assert_true(send_slice(&f.a, sent++, source, 0, 0));
	spin(&f);
	assert_ids(&f.b, sent);
	evbuffer_free(source);
	stop(&f);
}

/* n pieces of the given size, none of which libevent may merge. */
static struct evbuffer *
in_pieces(size_t n, size_t size)
{
	static uint8_t data[4096];
	struct evbuffer *buffer = evbuffer_new();
	size_t i;

	assert_non_null(buffer);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i % 251);
	for (i = 0; i < n; i++)
		assert_int_equal(evbuffer_add_reference(buffer,
				     data + i * size % (sizeof(data) - size),
				     size, NULL, NULL),
		    0);
	return buffer;
}

/* Slices of a buffer of many pieces, around the most that are gathered. */
static void
test_slice_pieces(void **state)
{
	static const struct {
		size_t pieces, size, from, len;
	} table[] = {
		{ 1, 10, 0, 10 },
		{ 1, 10, 3, 4 },
		{ 1, 10, 10, 0 },
		{ 2, 10, 9, 2 },
		{ 64, 10, 0, 640 },
		{ 64, 10, 5, 634 },
		{ 65, 10, 0, 641 },
		{ 65, 10, 0, 640 },
		{ 65, 10, 9, 641 },
		{ 66, 10, 9, 641 },
		{ 400, 10, 0, 4000 },
		{ 400, 10, 1234, 2345 },
		{ 400, 1, 7, 393 },
		{ 300, 300, 0, MSG_PAYLOAD_MAX },
		{ 300, 300, 24000, MSG_PAYLOAD_MAX },
		{ 30, 3000, 17, MSG_PAYLOAD_MAX },
	};
	struct fixture f;
	size_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	for (i = 0; i < COUNT(table); i++) {
		struct evbuffer *source =
		    in_pieces(table[i].pieces, table[i].size);
		uint8_t *copy = malloc(evbuffer_get_length(source));

		assert_non_null(copy);
		evbuffer_copyout(source, copy, evbuffer_get_length(source));
		f.b.expected = evbuffer_new();
		evbuffer_add(f.b.expected, copy + table[i].from, table[i].len);
		f.b.n = 0;
		assert_true(
		    send_slice(&f.a, i, source, table[i].from, table[i].len));
		spin(&f);
		assert_int_equal(f.b.n, 1);
		assert_int_equal(f.b.ids[0], i);
		assert_int_equal(evbuffer_get_length(f.b.expected), 0);
		evbuffer_free(f.b.expected);
		evbuffer_free(source);
		free(copy);
	}
	stop(&f);
}

/* A slice that is sent while a message is handled leaves that one alone. */
static void
test_slice_in_handler(void **state)
{
	struct evbuffer *source = filled(100);
	struct fixture f;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	f.b.reply = in_pieces(200, 1);
	f.b.expected = filled(100);
	evbuffer_drain(f.b.reply, 100);
	assert_true(send_slice(&f.a, 0, source, 0, 100));
	spin(&f);
	assert_int_equal(f.b.n, 1);
	assert_int_equal(f.a.n, 1);
	evbuffer_free(f.b.reply);
	evbuffer_free(f.b.expected);
	evbuffer_free(source);
	stop(&f);
}

static void
test_pause(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_resume(f.b.ch); /* nothing to resume */
	channel_pause(f.b.ch);
	channel_pause(f.b.ch);
	for (i = 0; i < 10; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	spin(&f);
	channel_drain(f.b.ch);
	assert_int_equal(f.b.n, 0);
	/* From inside a handler it counts at once. */
	f.b.pause = true;
	for (i = 1; i < 10; i++) {
		channel_resume(f.b.ch);
		spin(&f);
		assert_ids(&f.b, i);
	}
	f.b.pause = false;
	channel_resume(f.b.ch);
	spin(&f);
	assert_ids(&f.b, 10);
	/* While it is paused, it sends. */
	channel_pause(f.b.ch);
	send_text(&f.b, MSG_ADOPT, 0, "", -1);
	spin(&f);
	assert_ids(&f.a, 1);
	stop(&f);
}

static void
test_end(void **state)
{
	struct fixture f;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_free(f.a.ch);
	f.a.ch = NULL;
	/* Sends to nobody say nothing by themselves. */
	send_empty(&f.b, MSG_ANSWER, 1);
	send_text(&f.b, MSG_ADOPT, 2, "", -1);
	assert_int_equal(f.b.broken, 0);
	spin(&f);
	assert_broken(&f.b, NULL);
	stop(&f);
}

/* What a peer sent before it closed is still read, all of it. */
static void
check_last_words(bool unread, bool sending, bool drained)
{
	struct fixture f;
	uint64_t i;

	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	for (i = 0; i < 100; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	/* Died before it read that: ECONNRESET. */
	if (unread)
		send_text(&f.b, MSG_ADOPT, 1, "", -1);
	channel_free(f.a.ch);
	f.a.ch = NULL;
	if (sending)
		send_text(&f.b, MSG_ADOPT, 2, "", -1);
	assert_int_equal(f.b.n, 0);
	if (drained) {
		channel_drain(f.b.ch);
		assert_int_equal(f.b.broken, 0);
		assert_ids(&f.b, 100);
	}
	spin(&f);
	assert_ids(&f.b, 100);
	assert_broken(&f.b, NULL);
	stop(&f);
}

static void
test_last_words(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		check_last_words((i & 1) != 0, (i & 2) != 0, (i & 4) != 0);
}

/*
 * The peer is gone, but since we are paused that is not known yet: no queue
 * grows, no blame is laid, and the loop does not run hot.
 */
static void
test_end_while_paused(void **state)
{
	struct evbuffer *source = filled(100);
	struct fixture f;
	int i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	send_text(&f.b, MSG_ADOPT, 0, "", -1);
	channel_pause(f.a.ch);
	channel_free(f.b.ch);
	f.b.ch = NULL;
	for (i = 0; i < 10; i++)
		assert_false(send_slice(&f.a, 1, source, 0, 100));
	spin(&f);
	assert_in_range(f.a.writable, 0, 1);
	assert_int_equal(f.a.broken, 0);
	channel_resume(f.a.ch);
	spin(&f);
	assert_ids(&f.a, 1);
	assert_broken(&f.a, NULL);
	stop(&f);

	/* The same with messages that wait in the queue. */
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_pause(f.b.ch);
	channel_pause(f.a.ch);
	while (channel_is_writable(f.a.ch))
		send_empty(&f.a, MSG_ANSWER_SENT, 0);
	channel_free(f.b.ch);
	f.b.ch = NULL;
	for (i = 0; i < 2 * CHANNEL_QUEUE_MAX / MSG_HEADER_SIZE; i++) {
		send_empty(&f.a, MSG_ANSWER_SENT, 0);
		if (i % 1000 == 0)
			event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	spin(&f);
	assert_int_equal(f.a.broken, 0);
	channel_resume(f.a.ch);
	spin(&f);
	assert_broken(&f.a, NULL);
	evbuffer_free(source);
	stop(&f);
}

/* Datagrams that no peer of good will sends. */
static void
test_malformed(void **state)
{
	static const struct {
		unsigned type, flags;
		size_t len, sent; /* as the header says, and in truth */
		unsigned descriptors;
		const char *why;
	} table[] = {
		{ MSG_LINK_DOWN, 0, 0, 8, 0, "datagram of the wrong size" },
		{ MSG_LINK_DOWN, 0, 1, 16, 0, "length does not match" },
		{ MSG_LINK_DOWN, 0, 0, 17, 0, "length does not match" },
		{ MSG_LINK_DOWN, 0, 1, 17, 0,
		    "length not allowed for this message" },
		{ MSG_LINK_DOWN, 8, 0, 16, 0, "unknown flags" },
		{ MSG_LINK_DOWN, 0, 0, 16, 1,
		    "descriptor missing or not allowed" },
		{ MSG_NONE, 0, 0, 16, 0, "unknown message type" },
		{ MSG_TYPE_COUNT, 0, 0, 16, 0, "unknown message type" },
		{ MSG_TYPE_COUNT, 0, 0, 16, 1, "unknown message type" },
		{ MSG_ANSWER, 0, 0, 16, 0,
		    "message not allowed on this channel" },
		{ MSG_TOKEN_GET, 0, 0, 16, 0,
		    "message not allowed on this channel" },
		{ MSG_SETUP_DONE, 0, 0, 16, 0,
		    "message not allowed on this channel" },
		{ MSG_LINK_DOWN, 0, 0, 16, 2, "malformed datagram" },
		{ MSG_REQUEST, 0, 65520, MSG_SIZE_MAX + 1, 0,
		    "malformed datagram" },
		{ MSG_LINK_DOWN, 0, 0, 0, 1, "malformed datagram" },
	};
	static uint8_t datagram[MSG_SIZE_MAX + 1];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		size_t room = table[i].descriptors * sizeof(int);
		struct iovec iov = { datagram, table[i].sent };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
		struct cmsghdr *cmsg;

		start_raw(&f);
		msg_put_header(datagram, (enum msg_type)table[i].type,
		    (uint16_t)table[i].flags, 1, table[i].len);
		memset(&control, 0, sizeof(control)); /* stdin */
		if (room > 0) {
			mh.msg_control = control.space;
			mh.msg_controllen = CMSG_SPACE(room);
			cmsg = CMSG_FIRSTHDR(&mh);
			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(room);
		}
		assert_int_equal(sendmsg(f.raw, &mh, 0), table[i].sent);
		/* What comes behind it is not looked at. */
		msg_put_header(datagram, MSG_LINK_DOWN, 0, 1, 0);
		assert_int_equal(send(f.raw, datagram, 16, 0), 16);
		spin(&f);
		assert_int_equal(f.b.n, 0);
		assert_broken(&f.b, table[i].why);
		stop(&f);
	}
}

static void
test_refused(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	/* The handler says no. */
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	f.b.rc = -1;
	for (i = 0; i < 3; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	spin(&f);
	assert_ids(&f.b, 1);
	assert_broken(&f.b, "malformed message");
	assert_broken(&f.a, NULL);
	stop(&f);
	/* There is no handler. */
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	f.b.ops.handlers[MSG_ANSWER_SENT] = NULL;
	send_empty(&f.a, MSG_ANSWER_SENT, 0);
	send_empty(&f.a, MSG_LINK_DOWN, 0);
	channel_drain(f.b.ch);
	assert_int_equal(f.b.broken, 0); /* not before the loop runs */
	spin(&f);
	assert_int_equal(f.b.n, 0);
	assert_broken(&f.b, "message that nobody handles");
	stop(&f);
	/* Freed before it could say so: never again. */
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	f.b.rc = -1;
	send_empty(&f.a, MSG_ANSWER_SENT, 0);
	channel_drain(f.b.ch);
	channel_free(f.b.ch);
	f.b.ch = NULL;
	spin(&f);
	assert_int_equal(f.b.broken, 0);
	stop(&f);
}

/* The states of a child's start, in order and out of it. */
static void
test_states(void **state)
{
	static const enum msg_type sent[] = { MSG_HELLO_BACK, MSG_READY };
	struct fixture f;
	struct msg_out m;
	int channel_state;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sent); i++)
		for (channel_state = MSG_START; channel_state <= MSG_RUN;
		     channel_state++) {
			bool right =
			    channel_state == (i == 0 ? MSG_START : MSG_RUN);

			start_pair(&f, PROGRAM_AUTHD, PROGRAM_PARENT);
			channel_set_state(
			    f.b.ch, (enum msg_state)channel_state);
			msg_start(&m, sent[i], 0);
			if (i == 0)
				msg_add_u32(&m, MSG_PROTOCOL_VERSION);
			channel_send(f.a.ch, &m, -1);
			spin(&f);
			assert_int_equal(f.b.n, right);
			assert_int_equal(f.b.broken, !right);
			if (!right)
				assert_broken(&f.b, "message not allowed now");
			stop(&f);
		}
}

/* Each row of the table over a real channel between each two programs. */
static const struct row {
	enum msg_type type;
	size_t min;
	bool fd;
} rows[] = {
#define NO_FD					     false
#define WITH_FD					     true
#define MESSAGE(name, from, to, min, max, fd, state) { MSG_##name, min, fd },
#include "common/messages.def"
#undef MESSAGE
};

static void
check_pair(const struct row *row, enum program from, enum program to,
    enum msg_state channel_state, unsigned *arrived)
{
	static uint8_t payload[64];
	struct msg parsed;
	struct fixture f;
	struct msg_out m;
	uint8_t header[MSG_HEADER_SIZE + sizeof(payload)] = { 0 };
	const char *why;
	size_t i;

	start_pair(&f, from, to);
	channel_set_state(f.b.ch, channel_state);
	msg_start(&m, row->type, 1);
	for (i = 0; i < row->min; i++)
		msg_add_u8(&m, 0);
	channel_send(f.a.ch, &m, row->fd ? dup(STDIN_FILENO) : -1);
	for (i = 0; i < 4; i++)
		event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	/* As msg_parse() says, whose test has the whole table. */
	msg_put_header(header, row->type, 0, 1, row->min);
	why = msg_parse(&parsed, header, MSG_HEADER_SIZE + row->min,
	    row->fd ? STDIN_FILENO : -1, from, to, channel_state);
	assert_int_equal(f.b.n, why == NULL);
	if (why != NULL)
		assert_broken(&f.b, why);
	*arrived += (unsigned)f.b.n;
	stop(&f);
}

static void
test_every_pair(void **state)
{
	unsigned from, to, arrived = 0, tried = 0;
	int channel_state;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		for (from = 0; from < PROGRAM_COUNT; from++)
			for (to = 0; to < PROGRAM_COUNT; to++)
				for (channel_state = MSG_START;
				     channel_state <= MSG_RUN;
				     channel_state++, tried++)
					check_pair(&rows[i], (enum program)from,
					    (enum program)to,
					    (enum msg_state)channel_state,
					    &arrived);
	print_message(
	    "%u messages between all pairs: %u arrived\n", tried, arrived);
	assert_true(arrived > COUNT(rows));
}

static void
test_drain(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_drain(f.b.ch);
	for (i = 0; i < 150; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	channel_drain(f.b.ch);
	assert_ids(&f.b, 150);
	assert_int_equal(f.b.broken, 0);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_queued_descriptors),
		cmocka_unit_test(test_queue_bound),
		cmocka_unit_test(test_queue_flows),
		cmocka_unit_test(test_queue_first),
		cmocka_unit_test(test_slice_pressure),
		cmocka_unit_test(test_slice_pieces),
		cmocka_unit_test(test_slice_in_handler),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_end_while_paused),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_drain),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
