#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/json.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/ws.h"
#include "proxyd/chat.h"
#include "proxyd/chat_parts.h"
#include "proxyd/chat_tap.h"
#include "proxyd/chats.h"
#include "proxyd/deny.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/role.h"
#include "proxyd/upstream_socket.h"
#include "proxyd/user_requests.h"

static void on_asked(void *, const struct user_auth_answer *);
static void on_checked(void *, const struct session *);

struct chat *
chat_new(struct proxyd *proxyd, const struct user_request *r,
    void (*changed)(void *, struct chat *), void *arg)
{
	size_t size = strlen(r->request_id) + 1;
	struct chat *c = calloc(1, sizeof(*c) + size);

	if (c == NULL)
		fatal("chat");
	memcpy(c->id_copy, r->request_id, size);
	c->id = c->id_copy;
	c->proxyd = proxyd;
	c->number = r->number;
	c->role = ROLE_NOBODY;
	c->auth.done = on_asked;
	c->auth.arg = c;
	c->check.done = on_checked;
	c->check.arg = c;
	c->used_ms = monotonic_ms();
	c->changed = changed;
	c->changed_arg = arg;
	chat_up_init(c);
	chat_down_init(c);
	return c;
}

void
chat_free(struct chat *c)
{
	user_auth_cancel(&c->auth);
	sessions_cancel(&c->check);
	upstream_socket_free(c->socket);
	chat_tap_free(c->tap);
	chat_up_clear(c, false);
	chat_down_free(c);
	c->proxyd->buffered -= c->buffered;
	free(c);
}

bool
chat_is_done(const struct chat *c)
{
	return c->state == CHAT_OVER && c->socket == NULL;
}

void
chat_begin(struct chat *c, const struct user_request *r)
{
	chat_up_add(c, r);
	if (c->state == CHAT_ASKING)
		chat_up_ask(c);
}

void
chat_go_on(struct chat *c, const struct user_request *r)
{
	chat_up_add(c, r);
	chat_up_continue(c);
}

static struct json_object *
make_object(void)
{
	struct json_object *object = json_object_new_object();

	if (object == NULL)
		fatalx("json: out of memory");
	return object;
}

/* What comes before its last reply; false if that was said already. */
static bool
finish(struct chat *c, bool told)
{
	if (c->state == CHAT_OVER)
		return false;
	c->state = CHAT_OVER;
	user_auth_cancel(&c->auth);
	sessions_cancel(&c->check);
	chat_up_clear(c, told);
	chat_down_drop(c);
	chat_count(c);
	return true;
}

static void
leave(struct chat *c, uint16_t code)
{
	chat_socket_close(c, code);
	c->changed(c->changed_arg, c);
}

void
chat_end(struct chat *c, struct json_object *data, uint16_t code)
{
	if (!finish(c, true)) {
		json_object_put(data);
		return;
	}
	reply_complete(c->proxyd, c->number, c->id, data);
	leave(c, code);
}

void
chat_close(struct chat *c, uint16_t said, const char *reason, uint16_t code)
{
	struct json_object *data = make_object();
	struct json_object *number = json_object_new_int(said);

	if (number == NULL)
		fatalx("json: out of memory");
	json_add(data, "code", number);
	json_add_string(data, "reason", reason);
	chat_end(c, data, code);
}

static void
count_refused(struct chat *c)
{
	if (c->state == CHAT_ASKING || c->state == CHAT_OPENING)
		c->proxyd->counts.chats_refused++;
}

void
chat_fail(struct chat *c, const char *message)
{
	count_refused(c);
	if (!finish(c, true))
		return;
	reply_error_message(c->proxyd, c->number, c->id, message);
	reply_error(c->proxyd, c->number, c->id, message);
	leave(c, WS_CLOSE_GOING_AWAY);
}

void
chat_deny(struct chat *c, const char *message, const char *advice)
{
	count_refused(c);
	if (!finish(c, true))
		return;
	reply_refusal(c->proxyd, c->number, c->id, message, advice);
	leave(c, WS_CLOSE_GOING_AWAY);
}

void
chat_abandon(struct chat *c)
{
	if (finish(c, false))
		leave(c, WS_CLOSE_GOING_AWAY);
}

void
chat_refuse(struct chat *c, const struct user_auth_answer *answer)
{
	if (answer->denied)
		chat_deny(c, answer->reason, answer->advice);
	else
		chat_fail(c, answer->reason);
}

/* The role that is known by now is another one, or not. */
static bool
is_changed(struct chat *c, const struct session *session)
{
	if (session->role == c->role)
		return false;
	chat_deny(c, "your access changed", "");
	return true;
}

/* Whoever says the first message that waits is known. */
static void
on_asked(void *arg, const struct user_auth_answer *answer)
{
	struct chat *c = arg;
	const struct session *session = answer->session;

	if (session == NULL) {
		chat_refuse(c, answer);
		return;
	}
	if (c->state == CHAT_OPEN) {
		if (!is_changed(c, session))
			chat_up_continue(c);
		return;
	}
	c->github_id = session->github_id;
	(void)strlcpy(c->login, session->login, sizeof(c->login));
	c->role = session->role;
	chat_socket_open(c, session->jwt);
	c->changed(c->changed_arg, c);
}

static void
judge(struct chat *c, const struct session *session)
{
	c->unsure = session->status == SESSION_UNAVAILABLE ||
		    session->status == SESSION_BUSY;
	if (c->unsure)
		c->ask_again_ms = monotonic_ms() + CHAT_RETRY_MS;
	else if (session->status != SESSION_OK)
		chat_deny(c, session->reason, session->advice);
	else if (is_changed(c, session))
		return;
	chat_up_continue(c);
}

static void
on_checked(void *arg, const struct session *session)
{
	judge(arg, session);
}

void
chat_check(struct chat *c)
{
	struct sessions *sessions = c->proxyd->sessions;
	const struct session *session;

	if ((c->state != CHAT_OPENING && c->state != CHAT_OPEN) ||
	    c->check.in != NULL)
		return;
	if (c->github_id == 0)
		session = sessions_get_service(
		    sessions, SESSION_SERVICE_ACT, &c->check);
	else
		session =
		    sessions_get(sessions, c->github_id, c->login, &c->check);
	if (session != NULL)
		judge(c, session);
}

void
chat_move(struct chat *c)
{
	/* Of others it is not decided yet where they lead. */
	if (c->state != CHAT_ASKING)
		chat_close(c, WS_CLOSE_RESTART, "Service restart",
		    WS_CLOSE_GOING_AWAY);
}

void
chat_check_settings(struct chat *c)
{
	struct proxyd *p = c->proxyd;

	/* Of others it is not decided yet. */
	if (c->state == CHAT_ASKING)
		return;
	if (c->github_id == 0 && p->conf.rules)
		chat_deny(c, USER_AUTH_NO_TOKEN, "");
	else if (deny_matches(p->deny, c->role, CHATS_TARGET))
		chat_deny(c, DENY_REASON, DENY_ADVICE);
}

void
chat_tick(struct chat *c, int64_t now_ms)
{
	if (c->unsure && now_ms >= c->ask_again_ms)
		chat_check(c);
	if (c->state == CHAT_OPENING && now_ms >= c->open_until_ms) {
		c->proxyd->counts.upstream_failed++;
		chat_fail(c, upstream_socket_reason(UPSTREAM_SOCKET_TIMEOUT) +
				 UPSTREAM_SOCKET_STATUS_SIZE);
	}
	if (c->state == CHAT_OPEN &&
	    now_ms - c->used_ms >= c->proxyd->conf.chat_idle_ms &&
	    !chat_tap_is_running(c->tap))
		chat_close(c, WS_CLOSE_NORMAL, "Idle timeout", WS_CLOSE_NORMAL);
}

void
chat_continue(struct chat *c)
{
	if (c->state == CHAT_OPEN)
		chat_down_continue(c);
}
