#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/log.h"
#include "proxyd/audit.h"
#include "proxyd/escape.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/role.h"
#include "proxyd/tunnel.h"
#include "proxyd/tunnel_opening.h"
#include "proxyd/tunnel_parts.h"
#include "proxyd/tunnel_people.h"

static void tunnel_over(struct tunnel *, uint16_t, const char *, bool);
static void far_close(struct tunnel *, uint16_t, const char *);

struct tunnel *
tunnel_new(struct proxyd *proxyd, enum tunnel_kind kind, uint64_t number,
    const char *id, void (*changed)(void *, struct tunnel *), void *arg)
{
	size_t size = strlen(id) + 1;
	struct tunnel *t = calloc(1, sizeof(*t) + size);

	if (t == NULL)
		fatal("tunnel");
	memcpy(t->id_copy, id, size);
	t->id = t->id_copy;
	t->proxyd = proxyd;
	t->kind = kind;
	t->state = TUNNEL_OPENING;
	t->role = ROLE_NOBODY;
	t->number = number;
	t->changed = changed;
	t->changed_arg = arg;
	tunnel_up_init(t);
	tunnel_down_init(t);
	return t;
}

void
tunnel_free(struct tunnel *t)
{
	if (t->far != NULL)
		t->ops->free(t->far);
	tunnel_opening_free(t->opening);
	tunnel_people_leave(t);
	tunnel_up_clear(t);
	tunnel_down_clear(t);
	t->proxyd->buffered -= t->buffered;
	free(t->login);
	free(t->path);
	free(t);
}

bool
tunnel_is_done(const struct tunnel *t)
{
	return t->state == TUNNEL_OVER && t->far == NULL;
}

void
tunnel_count(struct tunnel *t)
{
	size_t bytes = t->up.owed + t->up.filter.len +
		       evbuffer_get_length(t->down.pending);

	t->proxyd->buffered += bytes - t->buffered;
	t->buffered = bytes;
}

/* It is open, or never will be; reason as for audit_tunnel(). */
static void
tunnel_settled(struct tunnel *t, const char *reason)
{
	struct proxyd_counts *counts = &t->proxyd->counts;

	if (reason == NULL)
		counts->tunnels_opened++;
	else if (reason[0] != '\0')
		counts->tunnels_refused++;
	audit_tunnel(t, reason);
}

void
tunnel_opened(struct tunnel *t, const char *protocol)
{
	struct evbuffer *out;

	if (t->state != TUNNEL_OPENING)
		return;
	t->state = TUNNEL_OPEN;
	tunnel_settled(t, NULL);
	out = reply_begin(t->id, false);
	if (evbuffer_add_printf(out, "{\"t\":\"open\",\"protocol\":\"%s\"}",
		protocol == NULL ? "" : protocol) == -1)
		fatal("tunnel");
	reply_end(t->proxyd, t->number, t->id, out, false);
}

void
tunnel_head(struct tunnel *t, struct evbuffer *members)
{
	struct evbuffer *out;

	if (t->state != TUNNEL_OPENING)
		return;
	t->state = TUNNEL_OPEN;
	tunnel_settled(t, NULL);
	out = reply_begin(t->id, false);
	if (evbuffer_add_printf(out, "{\"t\":\"head\",") == -1 ||
	    evbuffer_add_buffer(out, members) == -1 ||
	    evbuffer_add(out, "}", 1) == -1)
		fatal("tunnel");
	reply_end(t->proxyd, t->number, t->id, out, false);
}

/* {"t":"close",…} or {"t":"end",…}: the last word to the page. */
static void
say_over(struct tunnel *t, uint16_t code, const char *reason, bool clean)
{
	struct evbuffer *out = reply_begin(t->id, true);

	if (t->kind == TUNNEL_STREAM) {
		if (evbuffer_add_printf(out, "{\"t\":\"end\"") == -1)
			fatal("tunnel");
		if (reason[0] != '\0')
			reply_add_text(out, "error", reason);
	} else {
		if (evbuffer_add_printf(out,
			"{\"t\":\"close\",\"code\":%u,\"clean\":%s", code,
			clean ? "true" : "false") == -1)
			fatal("tunnel");
		reply_add_text(out, "reason", reason);
	}
	if (t->advice[0] != '\0')
		reply_add_text(out, "advice", t->advice);
	if (evbuffer_add(out, "}", 1) == -1)
		fatal("tunnel");
	reply_end(t->proxyd, t->number, t->id, out, true);
}

/* The page's side is over, and everything of it that waits. */
static void
tunnel_over(struct tunnel *t, uint16_t code, const char *reason, bool clean)
{
	if (t->state == TUNNEL_OVER)
		return;
	if (t->state == TUNNEL_OPENING)
		tunnel_settled(t, reason);
	t->state = TUNNEL_OVER;
	tunnel_opening_free(t->opening);
	t->opening = NULL;
	tunnel_up_fail(t);
	evbuffer_drain(t->down.pending, evbuffer_get_length(t->down.pending));
	tunnel_count(t);
	say_over(t, code, reason, clean);
}

static void
far_close(struct tunnel *t, uint16_t code, const char *reason)
{
	if (t->far != NULL && t->ops->close(t->far, code, reason))
		t->far = NULL;
}

void
tunnel_finish(struct tunnel *t)
{
	tunnel_over(t, t->end.code, t->end.reason, t->end.clean);
	t->changed(t->changed_arg, t);
}

void
tunnel_far_gone(struct tunnel *t, uint16_t code, const char *reason, bool clean)
{
	t->far = NULL;
	if (t->state == TUNNEL_OVER) {
		t->changed(t->changed_arg, t);
		return;
	}
	t->end.known = true;
	t->end.code = code;
	t->end.clean = clean;
	(void)strlcpy(t->end.reason, reason, sizeof(t->end.reason));
	if (t->up.closing)
		tunnel_finish(t);
	else
		tunnel_down_continue(t);
}

void
tunnel_break(struct tunnel *t, uint16_t code, const char *reason)
{
	if (t->state == TUNNEL_OVER)
		return;
	if (t->kind == TUNNEL_STREAM && reason[0] == '\0')
		reason = "502 the tunnel broke";
	tunnel_over(t, code, reason, code != WS_CLOSE_ABNORMAL);
	far_close(t, WS_CLOSE_GOING_AWAY, "");
	t->changed(t->changed_arg, t);
}

void
tunnel_advise(struct tunnel *t, const char *advice)
{
	(void)strlcpy(t->advice, advice, sizeof(t->advice));
}

void
tunnel_refuse(struct tunnel *t, const char *reason)
{
	if (t->state != TUNNEL_OPENING)
		return;
	log_debugx("tunnel refused: %s", reason);
	tunnel_over(t, WS_CLOSE_ABNORMAL, reason, false);
	far_close(t, WS_CLOSE_GOING_AWAY, "");
	t->changed(t->changed_arg, t);
}

void
tunnel_move(struct tunnel *t)
{
	/* What the old one said last still gets to the page. */
	if (t->far == NULL)
		return;
	if (t->state == TUNNEL_OPEN)
		tunnel_break(t, WS_CLOSE_RESTART,
		    t->kind == TUNNEL_STREAM ? "503 the web app moved" : "");
	else
		t->moved = true;
}

void
tunnel_abandon(struct tunnel *t)
{
	if (t->state != TUNNEL_OVER) {
		if (t->state == TUNNEL_OPENING)
			tunnel_settled(t, "");
		t->state = TUNNEL_OVER;
		tunnel_opening_free(t->opening);
		t->opening = NULL;
		tunnel_up_clear(t);
		evbuffer_drain(
		    t->down.pending, evbuffer_get_length(t->down.pending));
		tunnel_count(t);
		far_close(t, WS_CLOSE_GOING_AWAY, "");
	}
	t->changed(t->changed_arg, t);
}

void
tunnel_pong(struct tunnel *t)
{
	t->pings = 0;
}

void
tunnel_ping(struct tunnel *t)
{
	struct evbuffer *out;

	if (t->state != TUNNEL_OPEN)
		return;
	if (t->pings == TUNNEL_PINGS_MAX) {
		log_debugx("tunnel: its page does not answer");
		tunnel_break(t, WS_CLOSE_ABNORMAL, "");
		return;
	}
	t->pings++;
	out = reply_begin(t->id, false);
	if (evbuffer_add_printf(out, "{\"t\":\"ping\"}") == -1)
		fatal("tunnel");
	reply_end(t->proxyd, t->number, t->id, out, false);
}

void
tunnel_tick(struct tunnel *t, int64_t now_ms)
{
	if (t->state == TUNNEL_OPENING) {
		if (t->open_until == 0)
			t->open_until = now_ms + TUNNEL_OPEN_MS;
		if (now_ms < t->open_until)
			return;
		t->proxyd->counts.upstream_failed++;
		tunnel_refuse(t, "504 the web app did not answer in time");
		return;
	}
	if (t->state == TUNNEL_OPEN && t->moved)
		tunnel_move(t);
	if (t->state != TUNNEL_OPEN || !tunnel_up_has_gap(t))
		return;
	if (t->up.gap_since == 0) {
		t->up.gap_since = now_ms;
	} else if (now_ms - t->up.gap_since >= TUNNEL_GAP_MS) {
		log_debugx("tunnel: a piece got lost");
		tunnel_break(t, WS_CLOSE_ABNORMAL, "");
	}
}

void
tunnel_continue(struct tunnel *t)
{
	if (t->state == TUNNEL_OPEN)
		tunnel_down_continue(t);
}
