#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "proxyd/cut.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/tunnel.h"
#include "proxyd/tunnel_parts.h"

static void
on_gathered(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tunnel_continue(arg);
}

void
tunnel_down_init(struct tunnel *t)
{
	(void)evtimer_assign(
	    &t->down.gather, t->proxyd->child.base, on_gathered, t);
	if ((t->down.pending = evbuffer_new()) == NULL)
		fatal("tunnel");
}

void
tunnel_down_clear(struct tunnel *t)
{
	(void)evtimer_del(&t->down.gather);
	evbuffer_free(t->down.pending);
}

/* Cut a piece of at most len bytes; 0 if none can be cut off now. */
static size_t
cut(struct tunnel *t, struct evbuffer *content, size_t len, bool *text)
{
	struct tunnel_down *down = &t->down;
	const uint8_t *in = evbuffer_pullup(down->pending, (ev_ssize_t)len);
	bool all = len == evbuffer_get_length(down->pending);
	bool invalid = false;
	size_t taken = 0;

	*text =
	    t->kind == TUNNEL_SOCKET ? down->type == WS_TEXT : !down->binary;
	if (*text)
		taken = cut_text(content, in, len, &invalid);
	if (taken > 0 || t->kind == TUNNEL_SOCKET)
		return *text ? taken : cut_binary(content, in, len);
	/* A stream whose bytes are no text, or end within a character. */
	if (*text && !invalid && !(down->fin && all))
		return 0;
	down->binary = true;
	*text = false;
	return cut_binary(content, in, len);
}

static void
say_piece(struct tunnel *t, struct evbuffer *content, bool text, bool more)
{
	struct evbuffer *out = reply_begin(t->id, false);

	if (evbuffer_add_printf(out, "{\"t\":\"%s\",\"n\":%llu,\"d\":\"",
		text ? "text" : "bin",
		(unsigned long long)t->down.window.next) == -1 ||
	    evbuffer_add_buffer(out, content) == -1 ||
	    evbuffer_add_printf(out, more ? "\",\"more\":true}" : "\"}") == -1)
		fatal("tunnel");
	reply_end(t->proxyd, t->number, t->id, out, false);
}

/* Send one piece; false when there is none that may be sent. */
static bool
send_piece(struct tunnel *t)
{
	struct tunnel_down *down = &t->down;
	size_t len = evbuffer_get_length(down->pending), taken = 0;
	size_t room = window_room(&down->window);
	struct evbuffer *content;
	bool last, text = down->type == WS_TEXT;

	if (!outbox_has_room(t->proxyd->outbox) || (len == 0 && !down->fin))
		return false;
	content = evbuffer_new();
	if (content == NULL)
		fatal("tunnel");
	if (len > 0 && room > 0)
		taken = cut(t, content, len < room ? len : room, &text);
	last = down->fin && taken == len;
	if (taken > 0 || (last && t->kind == TUNNEL_SOCKET)) {
		say_piece(t, content, text, t->kind == TUNNEL_SOCKET && !last);
		window_sent(&down->window, taken);
		evbuffer_drain(down->pending, taken);
	}
	if (last)
		down->fin = false;
	evbuffer_free(content);
	return taken > 0 || last;
}

/* Whether something waits that only the page, or the outbox, can let go. */
static bool
is_blocked(const struct tunnel *t)
{
	const struct tunnel_down *down = &t->down;

	return !outbox_has_room(t->proxyd->outbox) ||
	       window_room(&down->window) == 0 || down->fin ||
	       /* more than the beginning of a character */
	       evbuffer_get_length(down->pending) > 3;
}

void
tunnel_down_continue(struct tunnel *t)
{
	struct tunnel_down *down = &t->down;
	bool blocked, empty;

	if (t->up.closing)
		return;
	(void)evtimer_del(&down->gather);
	while (send_piece(t))
		continue;
	tunnel_count(t);
	blocked = is_blocked(t);
	empty = evbuffer_get_length(down->pending) == 0 && !down->fin;
	if (t->end.known && (empty || !blocked)) {
		tunnel_finish(t);
		return;
	}
	if (t->far == NULL || blocked == down->paused)
		return;
	down->paused = blocked;
	if (blocked)
		t->ops->pause(t->far);
	else
		t->ops->resume(t->far);
}

/* An upstream may want to have said all before it takes what is to come in
 * front of the close. */
void
tunnel_down_stop(struct tunnel *t)
{
	struct tunnel_down *down = &t->down;

	(void)evtimer_del(&down->gather);
	evbuffer_drain(down->pending, evbuffer_get_length(down->pending));
	down->fin = false;
	tunnel_count(t);
	if (t->far == NULL || !down->paused)
		return;
	down->paused = false;
	t->ops->resume(t->far);
}

void
tunnel_part(
    struct tunnel *t, enum ws_type type, const void *data, size_t len, bool fin)
{
	struct tunnel_down *down = &t->down;

	/* A page that closes its socket hears no more of it. */
	if (t->state != TUNNEL_OPEN || t->up.closing)
		return;
	down->type = type;
	down->fin = fin;
	if (len > 0 && evbuffer_add(down->pending, data, len) == -1)
		fatal("tunnel");
	if (fin || t->kind == TUNNEL_STREAM ||
	    evbuffer_get_length(down->pending) >= TUNNEL_GATHER)
		tunnel_down_continue(t);
	else if (!evtimer_pending(&down->gather, NULL))
		timer_set(&down->gather, TUNNEL_GATHER_MS);
	tunnel_count(t);
}

int
tunnel_ack(struct tunnel *t, uint64_t n)
{
	if (window_ack(&t->down.window, n) == -1)
		return -1;
	if (t->state == TUNNEL_OPEN)
		tunnel_down_continue(t);
	return 0;
}
