#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "common/timer.h"
#include "proxyd/deny.h"
#include "proxyd/proxyd.h"
#include "proxyd/rates.h"
#include "proxyd/reply.h"
#include "proxyd/role.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnel_opening.h"
#include "proxyd/tunnel_people.h"
#include "proxyd/tunnels.h"
#include "proxyd/user_requests.h"

/* How often time is looked at while there are tunnels. */
#define TICK_MS 1000

RB_HEAD(tunnel_tree, tunnel);
TAILQ_HEAD(tunnel_list, tunnel);

struct tunnels {
	struct proxyd *proxyd;
	struct tunnel_tree by_id;
	struct tunnel_list all;
	struct tunnel_people *people;
	size_t count;
	struct event *tick;
	int64_t next_ping;
	struct event *reaper; /* of those that are done */
	bool draining;
	size_t in_use;
	void (*on_use)(void *arg);
	void *on_use_arg;
	void (*on_none)(void *arg);
	void *on_none_arg;
};

static int tunnel_compare(const struct tunnel *, const struct tunnel *);
RB_PROTOTYPE(tunnel_tree, tunnel, by_id, tunnel_compare)
RB_GENERATE(tunnel_tree, tunnel, by_id, tunnel_compare)

static void on_tick(int, short, void *);
static void on_reaper(int, short, void *);
static void on_flushed(void *);

static int
tunnel_compare(const struct tunnel *a, const struct tunnel *b)
{
	return strcmp(a->id, b->id);
}

struct tunnels *
tunnels_new(struct proxyd *proxyd)
{
	struct tunnels *ts = calloc(1, sizeof(*ts));

	if (ts == NULL)
		fatal("tunnels");
	ts->proxyd = proxyd;
	RB_INIT(&ts->by_id);
	TAILQ_INIT(&ts->all);
	ts->people = tunnel_people_new(proxyd);
	ts->tick = evtimer_new(proxyd->child.base, on_tick, ts);
	ts->reaper = event_new(proxyd->child.base, -1, 0, on_reaper, ts);
	if (ts->tick == NULL || ts->reaper == NULL)
		fatalx("no timer");
	sessions_on_flush(proxyd->sessions, on_flushed, ts);
	return ts;
}

static void
remove_tunnel(struct tunnels *ts, struct tunnel *t)
{
	RB_REMOVE(tunnel_tree, &ts->by_id, t);
	TAILQ_REMOVE(&ts->all, t, entry);
	ts->count--;
	tunnel_free(t);
}

void
tunnels_free(struct tunnels *ts)
{
	struct tunnel *t;

	while ((t = TAILQ_FIRST(&ts->all)) != NULL)
		remove_tunnel(ts, t);
	sessions_on_flush(ts->proxyd->sessions, NULL, NULL);
	tunnel_people_free(ts->people);
	event_free(ts->tick);
	event_free(ts->reaper);
	free(ts);
}

static void
on_reaper(int fd, short what, void *arg)
{
	struct tunnels *ts = arg;
	struct tunnel *t, *next;

	(void)fd;
	(void)what;
	for (t = TAILQ_FIRST(&ts->all); t != NULL; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (tunnel_is_done(t))
			remove_tunnel(ts, t);
	}
	if (ts->count == 0 && ts->on_none != NULL)
		ts->on_none(ts->on_none_arg);
}

static void
count_use(struct tunnels *ts)
{
	const struct tunnel *t;
	size_t n = 0;

	TAILQ_FOREACH (t, &ts->all, entry)
		if (t->state != TUNNEL_OVER && t->person != NULL)
			n++;
	if (n == ts->in_use)
		return;
	ts->in_use = n;
	if (ts->on_use != NULL)
		ts->on_use(ts->on_use_arg);
}

/* It is over, or its far end is gone. */
static void
on_changed(void *arg, struct tunnel *t)
{
	struct tunnels *ts = arg;

	count_use(ts);
	if (tunnel_is_done(t))
		event_active(ts->reaper, 0, 0);
}

static void
on_tick(int fd, short what, void *arg)
{
	struct tunnels *ts = arg;
	int64_t now_ms = monotonic_ms();
	bool ping = now_ms >= ts->next_ping;
	struct tunnel *t;

	(void)fd;
	(void)what;
	if (ts->count == 0)
		return;
	if (ping)
		ts->next_ping = now_ms + TUNNEL_PING_MS;
	TAILQ_FOREACH (t, &ts->all, entry) {
		tunnel_tick(t, now_ms);
		if (ping)
			tunnel_ping(t);
	}
	tunnel_people_check(ts->people, now_ms);
	timer_set(ts->tick, TICK_MS);
}

/* What is known of people counts no more. */
static void
on_flushed(void *arg)
{
	struct tunnels *ts = arg;

	tunnel_people_hurry(ts->people);
	tunnel_people_check(ts->people, monotonic_ms());
}

static struct tunnel *
find(struct tunnels *ts, const char *id)
{
	struct tunnel key = { .id = id };

	return RB_FIND(tunnel_tree, &ts->by_id, &key);
}

struct tunnel *
tunnels_find(struct tunnels *ts, const char *id)
{
	struct tunnel *t = find(ts, id);

	return t == NULL || t->state == TUNNEL_OVER ? NULL : t;
}

static struct tunnel *
add_tunnel(
    struct tunnels *ts, enum tunnel_kind kind, const struct user_request *r)
{
	struct tunnel *t = tunnel_new(
	    ts->proxyd, kind, r->number, r->request_id, on_changed, ts);

	if (ts->count == 0) {
		ts->next_ping = monotonic_ms() + TUNNEL_PING_MS;
		timer_set(ts->tick, TICK_MS);
	}
	RB_INSERT(tunnel_tree, &ts->by_id, t);
	TAILQ_INSERT_TAIL(&ts->all, t, entry);
	ts->count++;
	return t;
}

void
tunnels_open(
    struct tunnels *ts, enum tunnel_kind kind, const struct user_request *r)
{
	bool full = ts->count >= ts->proxyd->conf.tunnels_max;
	const char *why = "no payload";
	char reason[128];
	struct tunnel *t;

	if (find(ts, r->request_id) != NULL) {
		reply_error(ts->proxyd, r->number, r->request_id,
		    "that request_id is in use");
		return;
	}
	t = add_tunnel(ts, kind, r);
	if (ts->draining) {
		tunnel_refuse(t, "503 the instance stops");
		return;
	}
	if (full) {
		tunnel_refuse(t, "503 too many tunnels");
		return;
	}
	if (r->payload != NULL)
		t->opening = tunnel_opening_new(t, r->payload, &why);
	if (t->opening != NULL) {
		tunnel_opening_start(t->opening);
		return;
	}
	(void)snprintf(reason, sizeof(reason), "400 %s", why);
	tunnel_refuse(t, reason);
}

const char *
tunnels_may_ask(const struct tunnels *ts, const struct tunnel *t)
{
	struct proxyd *p = ts->proxyd;
	const struct tunnel *other;
	uint32_t wait_s;
	size_t n = 0;

	if (rates_admit(p->rates, RATE_TUNNELS, t->github_id, &wait_s) !=
	    NULL) {
		p->counts.rate++;
		return "429 too many tunnels opened";
	}
	TAILQ_FOREACH (other, &ts->all, entry)
		if (other->github_id == t->github_id)
			n++;
	log_debugx(
	    "tunnel to %s for %llu", t->path, (unsigned long long)t->github_id);
	return n > p->conf.tunnels_user_max
		   ? "503 too many tunnels of one person"
		   : NULL;
}

static bool
role_may_have(
    enum session_role role, const struct tunnel *t, const char *target)
{
	return t->kind == TUNNEL_SOCKET
		   ? role_socket(role, target) != ROLE_SOCKET_CLOSED
		   : role_may_request(role, "GET", target);
}

/* Whether the role may have that tunnel: NULL, or why not, with advice. */
static const char *
find_objection(const struct tunnels *ts, struct tunnel *t,
    enum session_role role, const char *target)
{
	if (deny_matches(ts->proxyd->deny, role, t->path)) {
		tunnel_advise(t, DENY_ADVICE);
		return "403 " DENY_REASON;
	}
	if (!role_may_have(role, t, target)) {
		tunnel_advise(t, ROLE_READ_ONLY_ADVICE);
		return "403 " ROLE_READ_ONLY_REASON;
	}
	return NULL;
}

const char *
tunnels_may_open(struct tunnels *ts, struct tunnel *t, enum session_role role,
    const char *target)
{
	const char *why = find_objection(ts, t, role, target);

	t->role = role;
	if (why != NULL) {
		tunnels_note_denied(ts, t);
		return why;
	}
	t->up.mute = t->kind == TUNNEL_SOCKET &&
		     role_socket(role, t->path) == ROLE_SOCKET_MUTE;
	tunnel_people_join(ts->people, t);
	count_use(ts);
	return NULL;
}

void
tunnels_note_denied(struct tunnels *ts, const struct tunnel *t)
{
	ts->proxyd->counts.denied++;
	rates_note_failure(ts->proxyd->rates, t->github_id);
}

bool
tunnels_may_send(const struct tunnels *ts, const struct tunnel *t)
{
	const struct tunnel *other;
	size_t n = 0;

	if (t->up.count < TUNNELS_OWED_FEW)
		return true;
	TAILQ_FOREACH (other, &ts->all, entry)
		if (other->github_id == t->github_id)
			n += other->up.count;
	return n < TUNNELS_OWED_MAX;
}

void
tunnels_continue(struct tunnels *ts)
{
	struct tunnel *t;

	TAILQ_FOREACH (t, &ts->all, entry)
		tunnel_continue(t);
}

void
tunnels_clear(struct tunnels *ts)
{
	struct tunnel *t;

	TAILQ_FOREACH (t, &ts->all, entry)
		tunnel_abandon(t);
}

void
tunnels_drain(struct tunnels *ts)
{
	struct tunnel *t;

	ts->draining = true;
	TAILQ_FOREACH (t, &ts->all, entry) {
		tunnel_refuse(t, "503 the instance stops");
		tunnel_break(t, WS_CLOSE_GOING_AWAY, "");
	}
}

void
tunnels_leave(struct tunnels *ts)
{
	struct tunnel *t;

	ts->draining = true;
	TAILQ_FOREACH (t, &ts->all, entry) {
		tunnel_refuse(t, "503 the web app moved");
		tunnel_move(t);
	}
}

void
tunnels_close_denied(struct tunnels *ts)
{
	const struct deny *deny = ts->proxyd->deny;
	struct tunnel *t;

	TAILQ_FOREACH (t, &ts->all, entry) {
		/* Of others it is not decided yet. */
		if (t->person == NULL || !deny_matches(deny, t->role, t->path))
			continue;
		tunnel_advise(t, DENY_ADVICE);
		tunnel_refuse(t, "403 " DENY_REASON);
		tunnel_break(t, WS_CLOSE_POLICY,
		    t->kind == TUNNEL_STREAM ? "403 " DENY_REASON
					     : DENY_REASON);
	}
}

void
tunnels_move(struct tunnels *ts)
{
	struct tunnel *t;

	TAILQ_FOREACH (t, &ts->all, entry)
		tunnel_move(t);
}

size_t
tunnels_in_use(const struct tunnels *ts)
{
	return ts->in_use;
}

void
tunnels_on_use(struct tunnels *ts, void (*changed)(void *), void *arg)
{
	ts->on_use = changed;
	ts->on_use_arg = arg;
}

size_t
tunnels_count(const struct tunnels *ts)
{
	return ts->count;
}

void
tunnels_on_none(struct tunnels *ts, void (*done)(void *), void *arg)
{
	ts->on_none = done;
	ts->on_none_arg = arg;
}
