#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "common/admin.h"
#include "common/channel.h"
#include "common/log.h"
#include "common/timer.h"
#include "tetherd/children.h"
#include "tetherd/control_admin.h"
#include "tetherd/control_row.h"

#define NO_ANSWER "authd did not answer"

struct question {
	TAILQ_ENTRY(question) entry;
	struct control_admin *all;
	uint64_t id;
	enum admin_op op;
	unsigned rows;
	struct channel *channel;
	struct event *timer;
	control_admin_done done;
	void *arg;
};

struct control_admin {
	struct event_base *base;
	struct children *children;
	uint64_t last_id;
	TAILQ_HEAD(, question) list;
};

static void question_on_timer(int, short, void *);

struct control_admin *
control_admin_new(struct event_base *base, struct children *children)
{
	struct control_admin *all = calloc(1, sizeof(*all));

	if (all == NULL)
		fatal("control");
	all->base = base;
	all->children = children;
	TAILQ_INIT(&all->list);
	return all;
}

static void
question_free(struct question *q)
{
	TAILQ_REMOVE(&q->all->list, q, entry);
	event_free(q->timer);
	free(q);
}

void
control_admin_free(struct control_admin *all)
{
	struct question *q;

	if (all == NULL)
		return;
	while ((q = TAILQ_FIRST(&all->list)) != NULL)
		question_free(q);
	free(all);
}

void
control_admin_forget(struct control_admin *all, const void *arg)
{
	struct question *q, *next;

	TAILQ_FOREACH_SAFE (q, &all->list, entry, next)
		if (q->arg == arg)
			question_free(q);
}

/* Who asked may ask again at once. */
static void
question_end(struct question *q, bool good, const char *text)
{
	control_admin_done done = q->done;
	void *arg = q->arg;

	question_free(q);
	done(arg, good, text);
}

static void
question_on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	question_end(arg, false, NO_ANSWER);
}

void
control_admin_start(struct control_admin *all,
    const struct admin_request *request, struct channel *channel,
    control_admin_done done, void *arg)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL)
		fatal("control");
	q->all = all;
	q->id = ++all->last_id;
	q->op = request->op;
	q->channel = channel;
	q->done = done;
	q->arg = arg;
	q->timer = evtimer_new(all->base, question_on_timer, q);
	if (q->timer == NULL)
		fatalx("control: no timer");
	TAILQ_INSERT_TAIL(&all->list, q, entry);
	if (!children_ask_admin(all->children, q->id, request))
		question_end(q, false, "authd does not run");
	else
		timer_set(q->timer, CONTROL_ADMIN_TIMEOUT_MS);
}

char *
control_admin_describe(const struct admin_request *r, char *dst, size_t size)
{
	static const char *const words[ADMIN_OP_COUNT] = {
		[ADMIN_USERS] = "users",
		[ADMIN_USER_DISABLE] = "users disable",
		[ADMIN_USER_ENABLE] = "users enable",
		[ADMIN_USER_ROLE] = "users role",
		[ADMIN_TOKENS] = "tokens",
		[ADMIN_TOKEN_FORGET] = "tokens forget",
	};

	(void)snprintf(dst, size, "%s%s%s%s%s", words[r->op],
	    r->whom[0] == '\0' ? "" : " ", r->whom,
	    r->value[0] == '\0' ? "" : " ", r->value);
	return log_safe(dst, size, dst);
}

/* -1 for one that was never asked; *q is NULL for one that is over. */
static int
find(struct control_admin *all, uint64_t id, struct question **q)
{
	TAILQ_FOREACH (*q, &all->list, entry)
		if ((*q)->id == id)
			break;
	return id == 0 || id > all->last_id ? -1 : 0;
}

/* The same for a row of an answer to that question. */
static int
find_for_row(struct control_admin *all, uint64_t id, enum admin_op op,
    struct question **q)
{
	if (find(all, id, q) == -1)
		return -1;
	if (*q == NULL)
		return 0;
	return (*q)->op != op || ++(*q)->rows > ADMIN_ROWS_MAX ? -1 : 0;
}

/* Seconds since 1970; 0 is never. */
static void
add_date(struct msg_out *m, const char *name, uint64_t date)
{
	if (date == 0)
		control_row_none(m, name);
	else
		control_row_number(m, name, CONTROL_KIND_DATE, date);
}

/* Without a role of the operator's it is that of the rule. */
int
control_admin_on_user(
    struct control_admin *all, uint64_t id, const struct admin_user *u)
{
	struct question *q;
	struct msg_out m;

	if (find_for_row(all, id, ADMIN_USERS, &q) == -1)
		return -1;
	if (q == NULL)
		return 0;
	control_row_start(&m);
	control_row_number(&m, "github id", CONTROL_KIND_NUMBER, u->github_id);
	control_row_text(&m, "login", u->login);
	if (u->user_name[0] == '\0')
		control_row_none(&m, "user");
	else
		control_row_text(&m, "user", u->user_name);
	if (u->has_role)
		control_row_text(&m, "role", session_role_name(u->role));
	else
		control_row_none(&m, "role");
	control_row_text(&m, "by", u->has_role ? "operator" : "rule");
	control_row_text(&m, "state", u->disabled ? "disabled" : "enabled");
	control_row_number(&m, "handles", CONTROL_KIND_NUMBER, u->handles);
	add_date(&m, "last seen", u->last_seen);
	channel_send(q->channel, &m, -1);
	return 0;
}

int
control_admin_on_token(
    struct control_admin *all, uint64_t id, const struct admin_token *t)
{
	struct question *q;
	struct msg_out m;

	if (find_for_row(all, id, ADMIN_TOKENS, &q) == -1)
		return -1;
	if (q == NULL)
		return 0;
	control_row_start(&m);
	control_row_text(&m, "host", t->host);
	control_row_text(&m, "client id", t->client_id);
	add_date(&m, "granted", t->granted_at);
	control_row_number(&m, "used", CONTROL_KIND_FLAG, t->used);
	channel_send(q->channel, &m, -1);
	return 0;
}

int
control_admin_on_done(
    struct control_admin *all, uint64_t id, const struct admin_done *d)
{
	struct question *q;

	if (find(all, id, &q) == -1)
		return -1;
	if (q != NULL)
		question_end(q, d->good, d->text);
	return 0;
}

/* A question that is asked meanwhile finds no authd. */
void
control_admin_on_gone(struct control_admin *all)
{
	struct question *q;

	while ((q = TAILQ_FIRST(&all->list)) != NULL)
		question_end(q, false, NO_ANSWER);
}
