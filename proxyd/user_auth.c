#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "common/json.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/session.h"
#include "common/timer.h"
#include "proxyd/audit.h"
#include "proxyd/chat_filter.h"
#include "proxyd/proxyd.h"
#include "proxyd/rates.h"
#include "proxyd/reply.h"
#include "proxyd/role.h"
#include "proxyd/user_auth.h"
#include "proxyd/user_requests.h"

/* sessions.c counts its own from 1. */
#define OUR_IDS (UINT64_C(1) << 63)

struct question {
	TAILQ_ENTRY(question) entry;
	uint64_t id;
	int64_t until_ms;   /* monotonic */
	uint64_t number;    /* of the user_request */
	const char *action; /* of the table of user_requests.c */
	void (*allowed)(struct proxyd *, const struct user_request *);
	char token[SESSION_TOKEN_MAX + 1];
	char request_id[LINK_REQUEST_ID_MAX + 1];
};

TAILQ_HEAD(question_list, question);

struct user_auth {
	struct proxyd *proxyd;
	struct question_list waiting; /* the oldest first */
	struct event *timer;	      /* not after that one is due */
	size_t count;
	uint64_t questions;
};

static void on_timer(int, short, void *);

struct user_auth *
user_auth_new(struct proxyd *proxyd)
{
	struct user_auth *ua = calloc(1, sizeof(*ua));

	if (ua == NULL)
		fatal("user_auth");
	ua->proxyd = proxyd;
	TAILQ_INIT(&ua->waiting);
	ua->timer = evtimer_new(proxyd->child.base, on_timer, ua);
	if (ua->timer == NULL)
		fatalx("no timer");
	return ua;
}

static void
question_free(struct user_auth *ua, struct question *q)
{
	TAILQ_REMOVE(&ua->waiting, q, entry);
	ua->count--;
	freezero(q, sizeof(*q));
}

void
user_auth_free(struct user_auth *ua)
{
	struct question *q;

	while ((q = TAILQ_FIRST(&ua->waiting)) != NULL)
		question_free(ua, q);
	event_free(ua->timer);
	free(ua);
}

static void
note(struct user_auth *ua, enum audit_verdict verdict, const char *action,
    const struct session *session, const char *why)
{
	struct audit_case c = { .event = AUDIT_ACTION,
		.verdict = verdict,
		.role = ROLE_NOBODY,
		.method = action,
		.why = why };

	if (session != NULL) {
		c.github_id = session->github_id;
		c.login = session->login;
		if (session->status == SESSION_OK)
			c.role = session->role;
	}
	/* Somebody's refusals have a limit, and that counts as nobody's. */
	if (verdict != AUDIT_REFUSED || c.github_id != RATES_NOBODY ||
	    audit_is_due(ua->proxyd, RATES_NOBODY))
		audit_send(ua->proxyd, &c);
}

void
user_auth_clear(struct user_auth *ua)
{
	struct question *q;

	while ((q = TAILQ_FIRST(&ua->waiting)) != NULL) {
		note(ua, AUDIT_GIVEN_UP, q->action, NULL, NULL);
		question_free(ua, q);
	}
}

static void
refuse(struct user_auth *ua, const struct user_request *r,
    const struct session *session, const char *reason, const char *advice)
{
	struct proxyd *p = ua->proxyd;

	note(ua, AUDIT_REFUSED, r->action, session, reason);
	p->counts.denied++;
	if (session != NULL)
		rates_note_failure(p->rates, session->github_id);
	reply_refusal(p, r->number, r->request_id, reason, advice);
}

/* It is not decided, and may be another time. */
static void
put_off(struct user_auth *ua, const struct user_request *r, const char *reason)
{
	struct proxyd *p = ua->proxyd;

	note(ua, AUDIT_REFUSED, r->action, NULL, reason);
	reply_error_message(p, r->number, r->request_id, reason);
	reply_error(p, r->number, r->request_id, reason);
}

/* Take the text out of json-c's memory, too, before that is freed. */
static void
remove_token(struct json_object *payload, struct json_object *token)
{
	static const char blank[SESSION_TOKEN_MAX];
	int len;

	if (json_object_is_type(token, json_type_string)) {
		len = json_object_get_string_len(token);
		if (len > SESSION_TOKEN_MAX)
			len = SESSION_TOKEN_MAX;
		(void)json_object_set_string_len(token, blank, len);
	}
	json_object_object_del(payload, USER_AUTH_MEMBER);
}

/* Returns NULL, or what is wrong with the token. */
static const char *
take_token(struct json_object *payload, char token[SESSION_TOKEN_MAX + 1])
{
	struct json_object *object;
	const char *text, *why = "auth_token is malformed";
	size_t i, len = 0;

	token[0] = '\0';
	if (payload == NULL ||
	    !json_object_object_get_ex(payload, USER_AUTH_MEMBER, &object))
		return "no auth_token";
	text = json_string(payload, USER_AUTH_MEMBER, &len);
	for (i = 0; i < len && text[i] > ' ' && text[i] < 0x7f; i++)
		continue;
	if (text != NULL && i == len && len > 0 && len <= SESSION_TOKEN_MAX) {
		memcpy(token, text, len + 1);
		why = NULL;
	}
	remove_token(payload, object);
	return why;
}

static void
ask(struct user_auth *ua, const struct question *q)
{
	struct msg_out m;

	msg_start(&m, MSG_SESSION_GET_BY_TOKEN, q->id);
	session_token_add(&m, q->token);
	if (!child_send(&ua->proxyd->child, PROGRAM_AUTHD, &m))
		log_debugx("no authd to ask: it will be back");
}

static void
begin(struct user_auth *ua, const struct user_request *r, const char *token,
    void (*allowed)(struct proxyd *, const struct user_request *))
{
	struct question *q;

	if (ua->count == USER_AUTH_MAX) {
		put_off(ua, r, "too many at once; try again in a moment");
		return;
	}
	if ((q = calloc(1, sizeof(*q))) == NULL)
		fatal("user_auth");
	q->id = OUR_IDS | ++ua->questions;
	q->until_ms = monotonic_ms() + USER_AUTH_MS;
	q->number = r->number;
	q->action = r->action;
	q->allowed = allowed;
	(void)strlcpy(q->token, token, sizeof(q->token));
	(void)strlcpy(q->request_id, r->request_id, sizeof(q->request_id));
	if (TAILQ_EMPTY(&ua->waiting))
		timer_set(ua->timer, USER_AUTH_MS);
	TAILQ_INSERT_TAIL(&ua->waiting, q, entry);
	ua->count++;
	ask(ua, q);
}

void
user_auth_begin(struct user_auth *ua, const struct user_request *r,
    void (*allowed)(struct proxyd *, const struct user_request *))
{
	struct user_request bare = { .number = r->number,
		.request_id = r->request_id,
		.action = r->action };
	char token[SESSION_TOKEN_MAX + 1];
	const char *why = take_token(r->payload, token);

	if (!ua->proxyd->conf.rules)
		allowed(ua->proxyd, &bare);
	else if (why != NULL)
		refuse(ua, &bare, NULL, why, "");
	else
		begin(ua, &bare, token, allowed);
	explicit_bzero(token, sizeof(token));
}

bool
user_auth_owns(uint64_t id)
{
	return (id & OUR_IDS) != 0;
}

static struct user_request
request_of(const struct question *q)
{
	return (struct user_request){ .number = q->number,
		.request_id = q->request_id,
		.action = q->action };
}

static void
on_timer(int fd, short what, void *arg)
{
	struct user_auth *ua = arg;
	int64_t now_ms = monotonic_ms();
	struct user_request r;
	struct question *q;

	(void)fd;
	(void)what;
	while (
	    (q = TAILQ_FIRST(&ua->waiting)) != NULL && q->until_ms <= now_ms) {
		r = request_of(q);
		put_off(ua, &r, "users cannot be looked up now");
		question_free(ua, q);
	}
	if (q != NULL)
		timer_set(ua->timer, (uint32_t)(q->until_ms - now_ms));
}

static void
decide(struct user_auth *ua, struct question *q, const struct session *session)
{
	struct user_request r = request_of(q);
	const char *why;
	uint32_t wait_s;

	why = rates_admit(
	    ua->proxyd->rates, RATE_REQUESTS, session->github_id, &wait_s);
	if (why != NULL) {
		ua->proxyd->counts.rate++;
		put_off(ua, &r, why);
		return;
	}
	switch (session->status) {
	case SESSION_OK:
		if (session->role == SESSION_ROLE_READ_ONLY &&
		    !chat_filter_knows(q->action, strlen(q->action))) {
			refuse(ua, &r, session, ROLE_READ_ONLY_REASON,
			    ROLE_READ_ONLY_ADVICE);
			return;
		}
		note(ua, AUDIT_ALLOWED, q->action, session, session->reason);
		q->allowed(ua->proxyd, &r);
		return;
	case SESSION_DENIED:
		refuse(ua, &r, session, session->reason, session->advice);
		return;
	case SESSION_UNAVAILABLE:
	case SESSION_BUSY:
	case SESSION_STATUS_COUNT:
		break;
	}
	put_off(ua, &r, session->reason);
}

int
user_auth_on_session(struct user_auth *ua, struct msg *m)
{
	struct session session;
	struct question *q;

	if (session_read(m, &session) == -1)
		return -1;
	TAILQ_FOREACH (q, &ua->waiting, entry)
		if (q->id == m->id)
			break;
	if (q != NULL) {
		decide(ua, q, &session);
		question_free(ua, q);
	}
	explicit_bzero(&session, sizeof(session));
	return 0;
}

void
user_auth_on_authd(struct user_auth *ua)
{
	const struct question *q;

	TAILQ_FOREACH (q, &ua->waiting, entry)
		ask(ua, q);
}
