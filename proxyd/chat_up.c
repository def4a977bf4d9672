#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "proxyd/audit.h"
#include "proxyd/chat.h"
#include "proxyd/chat_filter.h"
#include "proxyd/chat_parts.h"
#include "proxyd/chat_tap.h"
#include "proxyd/chats.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/role.h"
#include "proxyd/upstream_socket.h"
#include "proxyd/user_requests.h"

/* How often messages that are held back are worth a record. */
#define NOTE_MS 60000

struct chat_message {
	TAILQ_ENTRY(chat_message) entry;
	uint64_t number;
	char action[AUDIT_WORD_SIZE]; /* its type, for the audit log */
	struct user_auth_token token; /* to be asked about */
	char *text;
	size_t len;
	bool sent;
};

void
chat_up_init(struct chat *c)
{
	TAILQ_INIT(&c->up.waiting);
}

void
chat_count(struct chat *c)
{
	size_t bytes = c->up.bytes + evbuffer_get_length(c->down.text);

	c->proxyd->buffered += bytes - c->buffered;
	c->buffered = bytes;
}

/* What the upstream gets: the payload, without the token. */
static struct chat_message *
message_new(const struct user_request *r)
{
	struct chat_message *m = calloc(1, sizeof(*m));
	struct json_object *payload = r->payload == NULL
					  ? json_object_new_object()
					  : json_object_get(r->payload);
	const char *text;

	if (m == NULL || payload == NULL)
		fatal("chat");
	m->number = r->number;
	m->token = *r->token;
	memset(r->token, 0, sizeof(*r->token));
	if (r->action != NULL)
		json_add_string(payload, "type", r->action);
	text = json_string(payload, "type", NULL);
	if (text != NULL)
		(void)strlcpy(m->action, text, sizeof(m->action));
	text = json_text(payload, &m->len);
	if ((m->text = malloc(m->len + 1)) == NULL)
		fatal("chat");
	memcpy(m->text, text, m->len + 1);
	json_object_put(payload);
	return m;
}

/* It is done with; its number ends if somebody is there to be told. */
static void
remove_message(struct chat *c, struct chat_message *m, bool told)
{
	TAILQ_REMOVE(&c->up.waiting, m, entry);
	c->up.count--;
	c->up.bytes -= m->len;
	if (told && m->number != c->number)
		reply_done(c->proxyd, m->number);
	user_auth_token_clear(&m->token);
	free(m->text);
	free(m);
}

void
chat_up_clear(struct chat *c, bool told)
{
	struct chat_message *m;

	while ((m = TAILQ_FIRST(&c->up.waiting)) != NULL)
		remove_message(c, m, told);
}

void
chat_up_add(struct chat *c, const struct user_request *r)
{
	struct chat_message *m = message_new(r);
	struct chat_up *up = &c->up;

	TAILQ_INSERT_TAIL(&up->waiting, m, entry);
	up->count++;
	up->bytes += m->len;
	c->used_ms = monotonic_ms();
	chat_count(c);
	if (up->count > CHAT_MESSAGES_MAX || up->bytes > CHAT_BYTES_MAX ||
	    !chats_may_wait(c->proxyd->chats, c))
		chat_fail(c, "too much at once");
}

void
chat_up_ask(struct chat *c)
{
	struct chat_message *m = TAILQ_FIRST(&c->up.waiting);

	(void)strlcpy(c->auth.action, m->action, sizeof(c->auth.action));
	c->auth.only = c->github_id;
	user_auth_ask(c->proxyd->user_auth, &c->auth, &m->token);
}

static void
note_held(struct chat *c, const struct chat_message *m)
{
	struct audit_case held = { .event = AUDIT_MESSAGE,
		.verdict = AUDIT_REFUSED,
		.github_id = c->github_id,
		.login = c->login,
		.role = c->role,
		.method = m->action,
		.target = CHATS_TARGET,
		.why = ROLE_READ_ONLY_REASON };
	int64_t now_ms = monotonic_ms();

	if (c->up.held_noted == 0 || now_ms - c->up.held_noted >= NOTE_MS) {
		c->up.held_noted = now_ms;
		audit_send(c->proxyd, &held);
	}
	c->proxyd->counts.messages_held++;
}

/* What the web app might have answered, so that nobody waits for it. */
static void
say_answer(struct chat *c, const struct chat_filter *filter)
{
	struct evbuffer *answer = evbuffer_new();
	size_t len;

	if (answer == NULL)
		fatal("chat");
	if (chat_filter_answer(filter,
		ROLE_READ_ONLY_REASON ". " ROLE_READ_ONLY_ADVICE, answer)) {
		len = evbuffer_get_length(answer);
		reply_text(c->proxyd, c->number, c->id,
		    evbuffer_pullup(answer, -1), len);
	}
	evbuffer_free(answer);
}

/* Whether who may only look may say that; else they are told. */
static bool
may_send(struct chat *c, const struct chat_message *m)
{
	struct chat_filter filter = { 0 };
	bool passes;

	if (c->role != SESSION_ROLE_READ_ONLY)
		return true;
	passes = chat_filter_feed(&filter, WS_TEXT, (const uint8_t *)m->text,
		     m->len, false) == CHAT_PASSES;
	if (!passes) {
		note_held(c, m);
		if (outbox_has_room(c->proxyd->outbox)) {
			reply_error_message(
			    c->proxyd, m->number, c->id, ROLE_READ_ONLY_REASON);
			say_answer(c, &filter);
		}
	}
	chat_filter_clear(&filter);
	return passes;
}

static void
send_message(struct chat *c, struct chat_message *m)
{
	chat_tap_up(c->tap, WS_TEXT, m->text, m->len, true);
	upstream_socket_send(c->socket, WS_TEXT, true, m->text, m->len);
	free(m->text);
	m->text = NULL;
	m->sent = true;
}

/* Advance the first message that waits; false if it has to wait. */
static bool
advance(struct chat *c, struct chat_message *m)
{
	if (m->sent) {
		if (!upstream_socket_is_writable(c->socket))
			return false;
		remove_message(c, m, true);
		return true;
	}
	if (c->auth.in != NULL)
		return false;
	if (c->proxyd->conf.rules &&
	    (m->token.text != NULL || m->token.why != NULL)) {
		/* Which may be decided at once, and go on in here. */
		chat_up_ask(c);
		return false;
	}
	if (may_send(c, m))
		send_message(c, m);
	else
		remove_message(c, m, true);
	return true;
}

void
chat_up_continue(struct chat *c)
{
	struct chat_message *m;

	/* Until it is known that they still may, nothing goes on. */
	while (c->state == CHAT_OPEN && c->check.in == NULL &&
	       (m = TAILQ_FIRST(&c->up.waiting)) != NULL && advance(c, m))
		continue;
	chat_count(c);
}
