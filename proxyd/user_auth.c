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
#include "proxyd/chats.h"
#include "proxyd/deny.h"
#include "proxyd/proxyd.h"
#include "proxyd/rates.h"
#include "proxyd/role.h"
#include "proxyd/user_auth.h"

/* sessions.c counts its own from 1. */
#define OUR_IDS (UINT64_C(1) << 63)

TAILQ_HEAD(auth_wait_list, user_auth_wait);

struct user_auth {
	struct proxyd *proxyd;
	struct auth_wait_list waiting; /* the oldest first */
	struct event *timer;	       /* not after that one is due */
	size_t count;
	uint64_t questions;
};

static void on_timer(int, short, void *);
static void on_service(void *, const struct session *);

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

void
user_auth_free(struct user_auth *ua)
{
	event_free(ua->timer);
	free(ua);
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

void
user_auth_take(struct json_object *payload, struct user_auth_token *token)
{
	struct json_object *object;
	const char *text;
	size_t i, len = 0;

	memset(token, 0, sizeof(*token));
	if (!json_object_is_type(payload, json_type_object) ||
	    !json_object_object_get_ex(payload, USER_AUTH_MEMBER, &object))
		return;
	text = json_string(payload, USER_AUTH_MEMBER, &len);
	for (i = 0; i < len && text[i] > ' ' && text[i] < 0x7f; i++)
		continue;
	if (text == NULL || i < len || len == 0 || len > SESSION_TOKEN_MAX)
		token->why = "auth_token is malformed";
	else if ((token->text = strdup(text)) == NULL)
		fatal("user_auth");
	remove_token(payload, object);
}

void
user_auth_token_clear(struct user_auth_token *token)
{
	if (token->text != NULL)
		freezero(token->text, strlen(token->text));
	memset(token, 0, sizeof(*token));
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

static void
leave(struct user_auth_wait *w)
{
	if (w->in != NULL) {
		TAILQ_REMOVE(&w->in->waiting, w, entry);
		w->in->count--;
		w->in = NULL;
	}
	sessions_cancel(&w->service);
	user_auth_token_clear(&w->token);
}

void
user_auth_cancel(struct user_auth_wait *w)
{
	if (w->in == NULL)
		return;
	note(w->in, AUDIT_GIVEN_UP, w->action, NULL, NULL);
	leave(w);
}

static void
settle(struct user_auth_wait *w, const struct user_auth_answer *answer)
{
	leave(w);
	w->done(w->arg, answer);
}

static void
refuse(struct user_auth *ua, struct user_auth_wait *w,
    const struct session *session, const char *reason, const char *advice)
{
	struct user_auth_answer answer = {
		.denied = true, .reason = reason, .advice = advice
	};

	note(ua, AUDIT_REFUSED, w->action, session, reason);
	ua->proxyd->counts.denied++;
	if (session != NULL)
		rates_note_failure(ua->proxyd->rates, session->github_id);
	settle(w, &answer);
}

/* It is not decided, and may be another time. */
static void
put_off(struct user_auth *ua, struct user_auth_wait *w, const char *reason)
{
	struct user_auth_answer answer = { .reason = reason, .advice = "" };

	note(ua, AUDIT_REFUSED, w->action, NULL, reason);
	settle(w, &answer);
}

static void
ask_by_token(struct user_auth *ua, const struct user_auth_wait *w)
{
	struct msg_out m;

	msg_start(&m, MSG_SESSION_GET_BY_TOKEN, w->id);
	session_token_add(&m, w->token.text);
	if (!child_send(&ua->proxyd->child, PROGRAM_AUTHD, &m))
		log_debugx("no authd to ask: it will be back");
}

static void
begin(struct user_auth *ua, struct user_auth_wait *w)
{
	const struct session *session;

	w->in = ua;
	w->id = OUR_IDS | ++ua->questions;
	w->until_ms = monotonic_ms() + USER_AUTH_MS;
	if (TAILQ_EMPTY(&ua->waiting))
		timer_set(ua->timer, USER_AUTH_MS);
	TAILQ_INSERT_TAIL(&ua->waiting, w, entry);
	ua->count++;
	if (w->token.text != NULL) {
		ask_by_token(ua, w);
		return;
	}
	w->service.done = on_service;
	w->service.arg = w;
	session = sessions_get_service(
	    ua->proxyd->sessions, SESSION_SERVICE_ACT, &w->service);
	if (session != NULL)
		on_service(w, session);
}

void
user_auth_ask(struct user_auth *ua, struct user_auth_wait *w,
    struct user_auth_token *token)
{
	w->token = *token;
	memset(token, 0, sizeof(*token));
	if (!ua->proxyd->conf.rules)
		user_auth_token_clear(&w->token);
	else if (w->token.text == NULL) {
		refuse(ua, w, NULL,
		    w->token.why == NULL ? USER_AUTH_NO_TOKEN : w->token.why,
		    "");
		return;
	}
	if (ua->count == USER_AUTH_MAX)
		put_off(ua, w, "too many at once; try again in a moment");
	else
		begin(ua, w);
}

bool
user_auth_owns(uint64_t id)
{
	return (id & OUR_IDS) != 0;
}

static void
on_timer(int fd, short what, void *arg)
{
	struct user_auth *ua = arg;
	int64_t now_ms = monotonic_ms();
	struct user_auth_wait *w;

	(void)fd;
	(void)what;
	while ((w = TAILQ_FIRST(&ua->waiting)) != NULL && w->until_ms <= now_ms)
		put_off(ua, w, "users cannot be looked up now");
	if (w != NULL)
		timer_set(ua->timer, (uint32_t)(w->until_ms - now_ms));
}

/* Whether that person may: NULL, or why not, with advice. */
static const char *
find_objection(const struct user_auth *ua, const struct user_auth_wait *w,
    const struct session *session, const char **advice)
{
	*advice = session->advice;
	if (session->status != SESSION_OK)
		return session->reason;
	*advice = "";
	/* The rules came while authd was asked. */
	if (ua->proxyd->conf.rules && w->token.text == NULL)
		return USER_AUTH_NO_TOKEN;
	if (w->only != 0)
		return session->github_id == w->only
			   ? NULL
			   : "auth_token is somebody else's";
	*advice = DENY_ADVICE;
	if (deny_matches(ua->proxyd->deny, session->role, CHATS_TARGET))
		return DENY_REASON;
	*advice = ROLE_READ_ONLY_ADVICE;
	if (session->role == SESSION_ROLE_READ_ONLY &&
	    !chat_filter_knows(w->action, strlen(w->action)))
		return ROLE_READ_ONLY_REASON;
	return NULL;
}

static void
decide(struct user_auth *ua, struct user_auth_wait *w,
    const struct session *session)
{
	struct user_auth_answer answer = { .session = session };
	const char *why, *advice;
	uint32_t wait_s;

	why = rates_admit(
	    ua->proxyd->rates, RATE_REQUESTS, session->github_id, &wait_s);
	if (why != NULL) {
		ua->proxyd->counts.rate++;
		put_off(ua, w, why);
		return;
	}
	if (session->status != SESSION_OK &&
	    session->status != SESSION_DENIED) {
		put_off(ua, w, session->reason);
		return;
	}
	why = find_objection(ua, w, session, &advice);
	if (why != NULL) {
		refuse(ua, w, session, why, advice);
		return;
	}
	if (w->only == 0)
		note(ua, AUDIT_ALLOWED, w->action, session, session->reason);
	settle(w, &answer);
}

static void
on_service(void *arg, const struct session *session)
{
	struct user_auth_wait *w = arg;

	decide(w->in, w, session);
}

int
user_auth_on_session(struct user_auth *ua, struct msg *m)
{
	struct session session;
	struct user_auth_wait *w;
	int rc = session_read(m, &session);

	TAILQ_FOREACH (w, &ua->waiting, entry)
		if (w->id == m->id && w->token.text != NULL)
			break;
	if (rc == 0 && w != NULL)
		decide(ua, w, &session);
	explicit_bzero(&session, sizeof(session));
	return rc;
}

void
user_auth_on_authd(struct user_auth *ua)
{
	const struct user_auth_wait *w;

	TAILQ_FOREACH (w, &ua->waiting, entry)
		if (w->token.text != NULL)
			ask_by_token(ua, w);
}
