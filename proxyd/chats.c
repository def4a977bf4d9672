#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "common/timer.h"
#include "common/ws.h"
#include "proxyd/chat.h"
#include "proxyd/chats.h"
#include "proxyd/close_code.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/user_requests.h"

/* How often time is looked at while there are chats. */
#define TICK_MS 1000

RB_HEAD(chat_tree, chat);
TAILQ_HEAD(chat_list, chat);

struct chats {
	struct proxyd *proxyd;
	struct chat_tree by_id; /* those that are not over */
	struct chat_list all;	/* the oldest first */
	size_t count, all_count;
	size_t told; /* how many are in use */
	struct event *tick;
	struct event *reaper; /* of those that are done */
	bool draining;
	void (*on_use)(void *arg);
	void *on_use_arg;
	void (*on_none)(void *arg);
	void *on_none_arg;
};

static int chat_compare(const struct chat *, const struct chat *);
RB_PROTOTYPE(chat_tree, chat, by_id, chat_compare)
RB_GENERATE(chat_tree, chat, by_id, chat_compare)

static void on_tick(int, short, void *);
static void on_reaper(int, short, void *);

static int
chat_compare(const struct chat *a, const struct chat *b)
{
	return strcmp(a->id, b->id);
}

struct chats *
chats_new(struct proxyd *proxyd)
{
	struct chats *cs = calloc(1, sizeof(*cs));

	if (cs == NULL)
		fatal("chats");
	cs->proxyd = proxyd;
	RB_INIT(&cs->by_id);
	TAILQ_INIT(&cs->all);
	cs->tick = evtimer_new(proxyd->child.base, on_tick, cs);
	cs->reaper = event_new(proxyd->child.base, -1, 0, on_reaper, cs);
	if (cs->tick == NULL || cs->reaper == NULL)
		fatalx("no timer");
	return cs;
}

static void
remove_chat(struct chats *cs, struct chat *c)
{
	TAILQ_REMOVE(&cs->all, c, entry);
	cs->all_count--;
	chat_free(c);
}

void
chats_free(struct chats *cs)
{
	struct chat *c;

	while ((c = TAILQ_FIRST(&cs->all)) != NULL)
		remove_chat(cs, c);
	event_free(cs->tick);
	event_free(cs->reaper);
	free(cs);
}

static void
on_reaper(int fd, short what, void *arg)
{
	struct chats *cs = arg;
	struct chat *c, *next;

	(void)fd;
	(void)what;
	for (c = TAILQ_FIRST(&cs->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, entry);
		if (chat_is_done(c))
			remove_chat(cs, c);
	}
	if (cs->all_count == 0 && cs->on_none != NULL)
		cs->on_none(cs->on_none_arg);
}

static void
tell_use(struct chats *cs)
{
	size_t in_use = chats_in_use(cs);

	if (in_use == cs->told)
		return;
	cs->told = in_use;
	if (cs->on_use != NULL)
		cs->on_use(cs->on_use_arg);
}

static struct chat *
find(struct chats *cs, const char *id)
{
	struct chat key = { .id = id };

	return RB_FIND(chat_tree, &cs->by_id, &key);
}

/* It may begin, is over, or its socket is gone. */
static void
on_changed(void *arg, struct chat *c)
{
	struct chats *cs = arg;

	if (c->state == CHAT_OVER && find(cs, c->id) == c) {
		RB_REMOVE(chat_tree, &cs->by_id, c);
		cs->count--;
	}
	tell_use(cs);
	if (chat_is_done(c))
		event_active(cs->reaper, 0, 0);
}

static void
on_tick(int fd, short what, void *arg)
{
	struct chats *cs = arg;
	int64_t now_ms = monotonic_ms();
	struct chat *c;

	(void)fd;
	(void)what;
	TAILQ_FOREACH (c, &cs->all, entry)
		chat_tick(c, now_ms);
	if (cs->all_count > 0)
		timer_set(cs->tick, TICK_MS);
}

/*
 * An upstream that does not say goodbye keeps a socket for a while: those
 * are no more than all that there may be.
 */
static void
limit_goodbyes(struct chats *cs)
{
	struct chat *c;

	if (cs->all_count - cs->count <= cs->proxyd->conf.chats_max)
		return;
	TAILQ_FOREACH (c, &cs->all, entry) {
		if (c->state == CHAT_OVER) {
			remove_chat(cs, c);
			return;
		}
	}
}

/* Why there can not be one more: NULL, or for the person. */
static const char *
find_objection(const struct chats *cs)
{
	if (cs->draining)
		return "the instance stops";
	if (cs->count >= cs->proxyd->conf.chats_max)
		return "too many chat sessions";
	return NULL;
}

void
chats_begin(struct chats *cs, const struct user_request *r)
{
	struct proxyd *p = cs->proxyd;
	const char *why = find_objection(cs);
	struct chat *c;

	if (why != NULL) {
		p->counts.chats_refused++;
		reply_error_message(p, r->number, r->request_id, why);
		reply_error(p, r->number, r->request_id, why);
		return;
	}
	limit_goodbyes(cs);
	c = chat_new(p, r, on_changed, cs);
	if (cs->all_count == 0)
		timer_set(cs->tick, TICK_MS);
	RB_INSERT(chat_tree, &cs->by_id, c);
	TAILQ_INSERT_TAIL(&cs->all, c, entry);
	cs->count++;
	cs->all_count++;
	chat_begin(c, r);
}

static void
complain(struct chats *cs, const struct user_request *r)
{
	reply_error(cs->proxyd, r->number, r->request_id, "no such session");
}

void
chats_go_on(struct chats *cs, const struct user_request *r)
{
	struct chat *c = find(cs, r->request_id);

	if (c == NULL)
		complain(cs, r);
	else
		chat_go_on(c, r);
}

void
chats_close(struct chats *cs, const struct user_request *r)
{
	struct chat *c = find(cs, r->request_id);
	const char *reason = close_reason_read(r->payload);
	uint16_t code;

	if (c == NULL) {
		complain(cs, r);
		return;
	}
	/* Whatever they say, they want it closed. */
	if (!close_code_read(r->payload, &code) || code < 3000)
		code = WS_CLOSE_NORMAL;
	if (reason == NULL || reason[0] == '\0')
		reason = "Normal close";
	reply_done(cs->proxyd, r->number);
	chat_close(c, code, reason, WS_CLOSE_NORMAL);
}

bool
chats_has(struct chats *cs, const char *request_id)
{
	return find(cs, request_id) != NULL;
}

bool
chats_may_wait(const struct chats *cs, const struct chat *c)
{
	const struct chat *other;
	size_t n = 0;

	if (c->up.count <= CHATS_WAITING_FEW)
		return true;
	TAILQ_FOREACH (other, &cs->all, entry)
		if (other->github_id == c->github_id)
			n += other->up.count;
	return n <= CHATS_WAITING_MAX;
}

void
chats_continue(struct chats *cs)
{
	struct chat *c;

	TAILQ_FOREACH (c, &cs->all, entry)
		chat_continue(c);
}

void
chats_clear(struct chats *cs)
{
	struct chat *c;

	TAILQ_FOREACH (c, &cs->all, entry)
		chat_abandon(c);
}

void
chats_drain(struct chats *cs)
{
	struct chat *c;

	cs->draining = true;
	TAILQ_FOREACH (c, &cs->all, entry)
		chat_close(
		    c, WS_CLOSE_GOING_AWAY, "Going away", WS_CLOSE_GOING_AWAY);
}

void
chats_leave(struct chats *cs)
{
	struct chat *c;

	cs->draining = true;
	TAILQ_FOREACH (c, &cs->all, entry)
		chat_close(c, WS_CLOSE_RESTART, "Service restart",
		    WS_CLOSE_GOING_AWAY);
}

void
chats_on_settings(struct chats *cs)
{
	struct chat *c;

	TAILQ_FOREACH (c, &cs->all, entry)
		chat_check_settings(c);
}

void
chats_move(struct chats *cs)
{
	struct chat *c;

	TAILQ_FOREACH (c, &cs->all, entry)
		chat_move(c);
}

void
chats_on_flush(struct chats *cs)
{
	struct chat *c;

	TAILQ_FOREACH (c, &cs->all, entry)
		chat_check(c);
}

size_t
chats_count(const struct chats *cs)
{
	return cs->count;
}

size_t
chats_in_use(const struct chats *cs)
{
	const struct chat *c;
	size_t n = 0;

	TAILQ_FOREACH (c, &cs->all, entry)
		n += c->state == CHAT_OPENING || c->state == CHAT_OPEN;
	return n;
}

void
chats_on_use(struct chats *cs, void (*used)(void *), void *arg)
{
	cs->on_use = used;
	cs->on_use_arg = arg;
}

bool
chats_are_gone(const struct chats *cs)
{
	return cs->all_count == 0;
}

void
chats_on_none(struct chats *cs, void (*done)(void *), void *arg)
{
	cs->on_none = done;
	cs->on_none_arg = arg;
}
