#ifndef TESTS_UNIT_COMMON_CHANNEL_FIXTURE_H
#define TESTS_UNIT_COMMON_CHANNEL_FIXTURE_H

/* Two channels, or one and a bare socket, whose events are noted. */

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

static inline int
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

static inline void
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

static inline void
on_writable(void *arg, struct channel *ch)
{
	struct end *end = arg;

	assert_false(end->sending);
	assert_ptr_equal(ch, end->ch);
	end->writable++;
}

static inline void
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
static inline void
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

static inline void
start_pair(struct fixture *f, enum program a, enum program b)
{
	start(f, a, b, a);
}

/* b is proxyd, and a a connector that the test plays. */
static inline void
start_raw(struct fixture *f)
{
	start(f, PROGRAM_COUNT, PROGRAM_PROXYD, PROGRAM_CONNECTOR);
}

/* All is closed at the end, whatever happened. */
static inline void
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
static inline void
spin(struct fixture *f)
{
	int i;

	for (i = 0; i < 400; i++)
		event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static inline void
send_empty(struct end *end, enum msg_type type, uint64_t id)
{
	end->sending = true;
	channel_send_empty(end->ch, type, id);
	end->sending = false;
}

static inline void
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
static inline bool
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

static inline void
assert_ids(const struct end *end, size_t n)
{
	size_t i;

	assert_int_equal(end->n, n);
	for (i = 0; i < n; i++)
		assert_int_equal(end->ids[i], i);
}

static inline void
assert_broken(const struct end *end, const char *why)
{
	assert_int_equal(end->broken, 1);
	if (why == NULL)
		assert_null(end->why);
	else
		assert_string_equal(end->why, why);
}

static inline struct evbuffer *
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

#endif
