#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/channel.h"
#include "common/log.h"

/* Messages handled before other events get their turn. */
#define BATCH 32

/*
 * Larger socket buffers save wake-ups: at Linux's default only two messages
 * of full size are under way.  The kernel cuts this to what it allows.
 */
#define SOCKET_BUFFER (1024 * 1024)

/* The most pieces of an evbuffer that one datagram is gathered from. */
#define SLICE_PIECES 64

struct queued {
	TAILQ_ENTRY(queued) entry;
	int fd;
	size_t len; /* with the header */
	uint8_t *data;
};

struct channel {
	enum program self;
	enum program peer;
	enum msg_state state;
	int fd;
	struct event *readable;
	struct event *writable;
	struct event *broken; /* reports from the loop, not from a send */
	const char *why;
	bool is_broken;
	bool peer_closed; /* sends are pointless; what it sent is not */
	bool was_full;
	bool paused;
	TAILQ_HEAD(, queued) queue;
	size_t queue_len; /* bytes */
	const struct channel_ops *ops;
	void *arg;
	uint8_t *buffer;
};

static void channel_on_readable(int, short, void *);
static void channel_on_writable(int, short, void *);
static void channel_on_broken(int, short, void *);

struct channel *
channel_new(struct event_base *base, int fd, enum program self,
    enum program peer, const struct channel_ops *ops, void *arg)
{
	struct channel *ch = calloc(1, sizeof(*ch));
	int size = SOCKET_BUFFER;

	if (ch == NULL)
		fatal("channel");
	ch->self = self;
	ch->peer = peer;
	ch->state = MSG_RUN;
	ch->fd = fd;
	ch->ops = ops;
	ch->arg = arg;
	TAILQ_INIT(&ch->queue);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));

	ch->buffer = malloc(MSG_SIZE_MAX);
	ch->readable =
	    event_new(base, fd, EV_READ | EV_PERSIST, channel_on_readable, ch);
	ch->writable = event_new(base, fd, EV_WRITE, channel_on_writable, ch);
	ch->broken = event_new(base, -1, 0, channel_on_broken, ch);
	if (ch->buffer == NULL || ch->readable == NULL ||
	    ch->writable == NULL || ch->broken == NULL ||
	    event_add(ch->readable, NULL) == -1)
		fatal("channel");
	return ch;
}

static void
queued_free(struct queued *q)
{
	if (q->fd != -1)
		close(q->fd);
	freezero(q->data, q->len);
	free(q);
}

void
channel_free(struct channel *ch)
{
	struct queued *q;

	if (ch == NULL)
		return;
	event_free(ch->readable);
	event_free(ch->writable);
	event_free(ch->broken);
	while ((q = TAILQ_FIRST(&ch->queue)) != NULL) {
		TAILQ_REMOVE(&ch->queue, q, entry);
		queued_free(q);
	}
	close(ch->fd);
	freezero(ch->buffer, MSG_SIZE_MAX);
	free(ch);
}

void
channel_set_state(struct channel *ch, enum msg_state state)
{
	ch->state = state;
}

enum program
channel_peer(const struct channel *ch)
{
	return ch->peer;
}

/* Stop all traffic and report once, from the event loop. */
static void
channel_break(struct channel *ch, const char *why)
{
	if (ch->is_broken)
		return;
	ch->is_broken = true;
	ch->why = why;
	event_del(ch->readable);
	event_del(ch->writable);
	event_active(ch->broken, EV_TIMEOUT, 0);
}

static void
channel_on_broken(int fd, short what, void *arg)
{
	struct channel *ch = arg;

	(void)fd;
	(void)what;
	ch->ops->broken(ch->arg, ch, ch->why);
}

/* What must not stay in the buffer until the next large message comes. */
static bool
is_secret(enum msg_type type)
{
	return type == MSG_TOKEN || type == MSG_TOKEN_GRANTED ||
	       type == MSG_SESSION || type == MSG_SESSION_GET_BY_TOKEN ||
	       type == MSG_USER_REQUEST || type == MSG_HANDLE ||
	       type == MSG_HANDLE_CHECK || type == MSG_CONF_AUTHD;
}

static bool
is_traced(void)
{
	return log_get_level() >= LOG_LEVEL_TRACE;
}

static void
trace_sent(
    const struct channel *ch, enum msg_type type, uint64_t id, size_t len)
{
	log_tracex("> %s to %s, id %" PRIu64 ", %zu bytes", msg_name(type),
	    program_name(ch->peer), id, len);
}

static void
channel_dispatch(struct channel *ch, size_t n, int fd)
{
	struct msg m;
	const char *why;

	why = msg_parse(&m, ch->buffer, n, fd, ch->peer, ch->self, ch->state);
	if (why != NULL) {
		if (fd != -1)
			close(fd);
		channel_break(ch, why);
		return;
	}
	if (is_traced())
		log_tracex("< %s from %s, id %" PRIu64 ", %zu bytes",
		    msg_name(m.type), program_name(ch->peer), m.id, m.len);
	if (ch->ops->handlers[m.type] == NULL)
		channel_break(ch, "message that nobody handles");
	else if (ch->ops->handlers[m.type](ch->arg, &m) == -1)
		channel_break(ch, "malformed message");
	if (is_secret(m.type))
		explicit_bzero(ch->buffer, n);
	if (m.fd != -1)
		close(m.fd);
}

/* One message; false when there is none, or none wanted. */
static bool
channel_receive(struct channel *ch)
{
	int fd, n;

	if (ch->paused || ch->is_broken)
		return false;
	n = msg_recv_datagram(ch->fd, ch->buffer, &fd);
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n == -1 && errno == EBADMSG)
		channel_break(ch, "malformed datagram");
	else if (n <= 0)
		channel_break(ch, NULL);
	else
		channel_dispatch(ch, (size_t)n, fd);
	return true;
}

static void
channel_on_readable(int fd, short what, void *arg)
{
	int i;

	(void)fd;
	(void)what;
	for (i = 0; i < BATCH && channel_receive(arg); i++)
		continue;
}

void
channel_drain(struct channel *ch)
{
	while (channel_receive(ch))
		continue;
}

/*
 * Hand a datagram to the socket.  1: taken; 0: the socket is full; -1: the
 * channel is broken.
 */
static int
channel_put(struct channel *ch, struct iovec *iov, int niov, int fd)
{
	if (msg_send_iov(ch->fd, iov, niov, fd) != -1)
		return 1;
	/* ENOBUFS: too many descriptors under way, or no kernel memory. */
	if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)
		return 0;
	/* What the peer sent before it closed must still be read, so only
	 * the reading side decides that the channel is at its end. */
	if (errno == EPIPE || errno == ECONNRESET) {
		ch->peer_closed = true;
		return -1;
	}
	log_warn("send to %s", program_name(ch->peer));
	channel_break(ch, "send failed");
	return -1;
}

static void
channel_wait_writable(struct channel *ch)
{
	ch->was_full = true;
	if (event_add(ch->writable, NULL) == -1)
		fatal("event_add");
}

static void
channel_on_writable(int unused, short what, void *arg)
{
	struct channel *ch = arg;
	struct queued *q;
	struct iovec iov;
	int rc;

	(void)unused;
	(void)what;
	while ((q = TAILQ_FIRST(&ch->queue)) != NULL) {
		iov.iov_base = q->data;
		iov.iov_len = q->len;
		rc = channel_put(ch, &iov, 1, q->fd);
		if (rc == 0) {
			channel_wait_writable(ch);
			return;
		}
		if (rc == -1)
			return;
		TAILQ_REMOVE(&ch->queue, q, entry);
		ch->queue_len -= q->len;
		queued_free(q);
	}
	if (!ch->was_full)
		return;
	ch->was_full = false;
	if (ch->ops->writable != NULL)
		ch->ops->writable(ch->arg, ch);
}

static void
channel_queue(
    struct channel *ch, struct msg_out *m, const uint8_t *header, int fd)
{
	struct queued *q = calloc(1, sizeof(*q));
	size_t len = MSG_HEADER_SIZE + m->len;

	if (q == NULL || (q->data = malloc(len)) == NULL)
		fatal("channel queue");
	memcpy(q->data, header, MSG_HEADER_SIZE);
	if (m->len > 0)
		memcpy(q->data + MSG_HEADER_SIZE, m->data, m->len);
	q->len = len;
	q->fd = fd;
	TAILQ_INSERT_TAIL(&ch->queue, q, entry);
	ch->queue_len += len;
	channel_wait_writable(ch);
	if (ch->queue_len > CHANNEL_QUEUE_MAX)
		channel_break(ch, "peer does not read");
}

void
channel_send(struct channel *ch, struct msg_out *m, int fd)
{
	uint8_t header[MSG_HEADER_SIZE];
	struct iovec iov[2] = {
		{ .iov_base = header, .iov_len = sizeof(header) },
		{ .iov_base = m->data, .iov_len = m->len },
	};
	int rc = 0;

	if (m->failed)
		fatalx("%s does not fit a message", msg_name(m->type));
	msg_put_header(header, m->type, m->flags, m->id, m->len);
	if (!ch->is_broken && !ch->peer_closed) {
		if (is_traced())
			trace_sent(ch, m->type, m->id, m->len);
		if (TAILQ_EMPTY(&ch->queue))
			rc = channel_put(ch, iov, 2, fd);
		if (rc == 0) {
			channel_queue(ch, m, header, fd);
			fd = -1;
		}
	}
	msg_discard(m);
	if (fd != -1)
		close(fd);
}

void
channel_send_empty(struct channel *ch, enum msg_type type, uint64_t id)
{
	struct msg_out m;

	msg_start(&m, type, id);
	channel_send(ch, &m, -1);
}

bool
channel_send_slice(struct channel *ch, enum msg_type type, uint16_t flags,
    uint64_t id, struct evbuffer *source, const struct evbuffer_ptr *at,
    size_t len)
{
	uint8_t header[MSG_HEADER_SIZE];
	struct evbuffer_iovec pieces[SLICE_PIECES];
	struct iovec iov[1 + SLICE_PIECES];
	struct evbuffer_ptr start = *at;
	uint8_t *copy = NULL;
	size_t left = len;
	int i, n, rc;

	if (ch->is_broken || ch->peer_closed || !TAILQ_EMPTY(&ch->queue))
		return false;
	n = len == 0 ? 0
		     : evbuffer_peek(source, (ev_ssize_t)len, &start, pieces,
			   SLICE_PIECES);
	if (n > SLICE_PIECES) {
		/* Rare: text that trickled in.  Not into ch->buffer: a
		 * handler may be reading its message there. */
		copy = malloc(len);
		if (copy == NULL)
			fatal("channel");
		evbuffer_copyout_from(source, at, copy, len);
		pieces[0].iov_base = copy;
		pieces[0].iov_len = len;
		n = 1;
	}
	iov[0].iov_base = header;
	iov[0].iov_len = sizeof(header);
	for (i = 0; i < n; i++) {
		iov[1 + i].iov_base = pieces[i].iov_base;
		iov[1 + i].iov_len =
		    pieces[i].iov_len < left ? pieces[i].iov_len : left;
		left -= iov[1 + i].iov_len;
	}
	msg_put_header(header, type, flags, id, len);
	rc = channel_put(ch, iov, 1 + n, -1);
	freezero(copy, len);
	if (rc == 0)
		channel_wait_writable(ch);
	if (rc == 1 && is_traced())
		trace_sent(ch, type, id, len);
	return rc == 1;
}

bool
channel_is_writable(const struct channel *ch)
{
	return !ch->is_broken && !ch->peer_closed && !ch->was_full;
}

void
channel_pause(struct channel *ch)
{
	ch->paused = true;
	event_del(ch->readable);
}

void
channel_resume(struct channel *ch)
{
	if (!ch->paused)
		return;
	ch->paused = false;
	if (!ch->is_broken && event_add(ch->readable, NULL) == -1)
		fatal("event_add");
}
