#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/log.h"
#include "proxyd/reply.h"
#include "proxyd/tunnel.h"
#include "proxyd/tunnel_parts.h"

static const char unknown[] = "no such tunnel";

void
tunnel_up_init(struct tunnel *t)
{
	reorder_init(&t->up.order);
	TAILQ_INIT(&t->up.sent);
}

void
tunnel_up_clear(struct tunnel *t)
{
	struct tunnel_up *up = &t->up;
	struct piece *p;

	reorder_clear(&up->order);
	while ((p = TAILQ_FIRST(&up->sent)) != NULL) {
		TAILQ_REMOVE(&up->sent, p, entry);
		piece_free(p);
	}
	chat_filter_clear(&up->filter);
	up->owed = up->count = 0;
}

static void
fail_all(struct tunnel *t, struct piece_list *list)
{
	struct piece *p;

	TAILQ_FOREACH (p, list, entry)
		reply_error(t->proxyd, p->number, p->request_id, unknown);
}

void
tunnel_up_fail(struct tunnel *t)
{
	fail_all(t, &t->up.sent);
	fail_all(t, &t->up.order.held);
	tunnel_up_clear(t);
}

bool
tunnel_up_has_gap(const struct tunnel *t)
{
	const struct tunnel_up *up = &t->up;

	return up->order.count > 0 ||
	       (up->closing && up->order.next < up->close_after);
}

static void
credit(struct tunnel *t, struct piece *p)
{
	struct evbuffer *out = reply_begin(p->request_id, true);

	if (evbuffer_add_printf(out, "{\"ok\":true,\"credit\":%zu}", p->len) ==
	    -1)
		fatal("tunnel");
	reply_end(t->proxyd, p->number, p->request_id, out, true);
	TAILQ_REMOVE(&t->up.sent, p, entry);
	t->up.owed -= p->len;
	t->up.count--;
	piece_free(p);
}

/*
 * Credit what the upstream has taken, then close when the page wants it.  An
 * upstream that is gone takes anything: why it went is on its way.
 */
static void
settle(struct tunnel *t)
{
	struct tunnel_up *up = &t->up;
	struct piece *p;

	while ((p = TAILQ_FIRST(&up->sent)) != NULL &&
	       (t->far == NULL || t->ops->is_writable(t->far)))
		credit(t, p);
	tunnel_count(t);
	if (!up->closing || up->order.next < up->close_after ||
	    !TAILQ_EMPTY(&up->sent))
		return;
	if (t->far != NULL &&
	    t->ops->close(t->far, up->close_code, up->close_reason))
		t->far = NULL;
	if (t->far == NULL)
		tunnel_finish(t);
}

void
tunnel_writable(struct tunnel *t)
{
	if (t->state == TUNNEL_OPEN)
		settle(t);
}

/* Hand a piece to the far end; -1 if it does not continue what was sent. */
static int
forward(struct tunnel *t, struct piece *p)
{
	struct tunnel_up *up = &t->up;

	TAILQ_INSERT_TAIL(&up->sent, p, entry);
	if (up->fragmented && p->type != up->type)
		return -1;
	up->fragmented = p->more;
	up->type = p->type;
	if (t->far != NULL && up->mute)
		tunnel_mute_send(t, p);
	else if (t->far != NULL)
		t->ops->send(t->far, p);
	free(p->data);
	p->data = NULL;
	return 0;
}

static void
forward_all(struct tunnel *t)
{
	struct tunnel_up *up = &t->up;
	struct piece *p;

	while ((p = reorder_take(&up->order)) != NULL) {
		/* The next one is missed from now on. */
		up->gap_since = 0;
		if (forward(t, p) == -1) {
			log_debugx("tunnel: its page mixes messages");
			tunnel_break(t, WS_CLOSE_ABNORMAL, "");
			return;
		}
	}
	settle(t);
}

static void
turn_down(struct tunnel *t, struct piece *p, const char *why)
{
	reply_error(t->proxyd, p->number, p->request_id, why);
	piece_free(p);
}

void
tunnel_send(struct tunnel *t, struct piece *p)
{
	struct tunnel_up *up = &t->up;

	if (t->state != TUNNEL_OPEN || t->kind != TUNNEL_SOCKET) {
		turn_down(t, p, "tunnel is not open");
		return;
	}
	if (up->closing && p->n >= up->close_after) {
		turn_down(t, p, "tunnel is closed");
		return;
	}
	if (p->len > TUNNEL_PIECE_MAX || up->owed + p->len > TUNNEL_OWED_MAX ||
	    up->count == TUNNEL_OWED_COUNT_MAX) {
		turn_down(t, p, "too much");
		tunnel_break(t, WS_CLOSE_TOO_BIG, "");
		return;
	}
	switch (reorder_put(&up->order, p)) {
	case REORDER_TAKEN:
		up->owed += p->len;
		up->count++;
		forward_all(t);
		break;
	case REORDER_DUPLICATE:
		turn_down(t, p, "that piece came twice");
		break;
	case REORDER_TOO_FAR:
		turn_down(t, p, "too much after a piece that is missing");
		tunnel_break(t, WS_CLOSE_ABNORMAL, "");
		break;
	}
}

void
tunnel_close(struct tunnel *t, uint64_t n, uint16_t code, const char *reason)
{
	struct tunnel_up *up = &t->up;

	if (up->closing || t->state == TUNNEL_OVER)
		return;
	if (t->state == TUNNEL_OPENING) {
		tunnel_refuse(t, "");
		return;
	}
	up->closing = true;
	up->close_after = n;
	up->close_code = code;
	(void)strlcpy(up->close_reason, reason, sizeof(up->close_reason));
	if (t->kind == TUNNEL_STREAM)
		up->close_after = 0;
	settle(t);
	if (t->state == TUNNEL_OPEN)
		tunnel_down_stop(t);
}
