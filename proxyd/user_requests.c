#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "common/link.h"
#include "common/log.h"
#include "proxyd/chats.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/tunnel_actions.h"
#include "proxyd/tunnels.h"
#include "proxyd/user_auth.h"
#include "proxyd/user_requests.h"

/* Its last reply is in the outbox when the handler returns, or later. */
typedef void (*handler)(struct proxyd *, const struct user_request *);

static void begin_chat(struct proxyd *, const struct user_request *);

static const struct {
	const char *action;
	handler handle;
} actions[] = {
	{ "tunnel.open", tunnel_action_open },
	{ "tunnel.send", tunnel_action_send },
	{ "tunnel.ack", tunnel_action_ack },
	{ "tunnel.pong", tunnel_action_pong },
	{ "tunnel.close", tunnel_action_close },
	{ "stream.open", stream_action_open },
	{ "stream.ack", tunnel_action_ack },
	{ "stream.pong", tunnel_action_pong },
	{ "stream.cancel", stream_action_cancel },
	{ "claude-command", begin_chat },
	{ "cursor-command", begin_chat },
	{ "codex-command", begin_chat },
	{ "abort-session", begin_chat },
	{ "claude-permission-response", begin_chat },
	{ "cursor-abort", begin_chat },
	{ "check-session-status", begin_chat },
	{ "get-active-sessions", begin_chat },
	{ "chat.send", begin_chat },
	{ "chat.abort", begin_chat },
	{ "chat.subscribe", begin_chat },
	{ "chat.permission-response", begin_chat },
	{ NULL, NULL },
};

/* Ends the chat of that request_id. */
#define CLOSE "close"

static void
on_unknown(struct proxyd *p, const struct user_request *r)
{
	struct json_object *data = json_object_new_object();
	struct json_object *code = json_object_new_int(4000);
	char safe[64], text[96];

	if (data == NULL || code == NULL)
		fatalx("json: out of memory");
	(void)snprintf(text, sizeof(text), "Unknown action: %s",
	    log_safe(safe, sizeof(safe), r->action));
	reply_error_message(p, r->number, r->request_id, text);
	json_add(data, "code", code);
	json_add_string(data, "reason", "Unknown action");
	reply_complete(p, r->number, r->request_id, data);
}

static void
begin_chat(struct proxyd *p, const struct user_request *r)
{
	chats_begin(p->chats, r);
}

static handler
find_handler(const char *action)
{
	size_t i;

	for (i = 0; actions[i].action != NULL; i++)
		if (strcmp(actions[i].action, action) == 0)
			return actions[i].handle;
	return on_unknown;
}

/* What has that request_id must not seem to end with what is wrong here. */
static void
complain(struct proxyd *p, const struct user_request *r, const char *why)
{
	if (chats_has(p->chats, r->request_id) ||
	    tunnels_find(p->tunnels, r->request_id) != NULL) {
		reply_error_message(p, r->number, r->request_id, why);
		reply_done(p, r->number);
	} else
		reply_error(p, r->number, r->request_id, why);
}

/* Whatever is said where a chat is goes to the chat, but for tunnels. */
static void
dispatch(struct proxyd *p, const struct user_request *r)
{
	handler handle = find_handler(r->action);
	bool closes = strcmp(r->action, CLOSE) == 0;
	bool chats = closes || handle == begin_chat || handle == on_unknown;
	bool is_chat = chats_has(p->chats, r->request_id);

	if (chats ? tunnels_find(p->tunnels, r->request_id) != NULL : is_chat)
		complain(p, r, "that request_id is in use");
	else if (closes)
		chats_close(p->chats, r);
	else if (chats && is_chat)
		chats_go_on(p->chats, r);
	else
		handle(p, r);
}

static void
follow_up(struct proxyd *p, const struct user_request *r)
{
	if (tunnels_find(p->tunnels, r->request_id) != NULL)
		complain(p, r, "no such session");
	else if (r->action != NULL && strcmp(r->action, CLOSE) == 0)
		chats_close(p->chats, r);
	else
		chats_go_on(p->chats, r);
}

/* Nothing is left of a secret when the memory is used for something else. */
static void
wipe(struct evbuffer *text)
{
	struct evbuffer_iovec piece;

	while (evbuffer_peek(text, -1, NULL, &piece, 1) > 0) {
		explicit_bzero(piece.iov_base, piece.iov_len);
		evbuffer_drain(text, piece.iov_len);
	}
}

/* Check the form of all but the request_id. */
static void
begin(struct proxyd *p, struct user_request *r, struct json_object *json)
{
	const char *type = json_string(json, "type", NULL);
	bool follows =
	    type != NULL && strcmp(type, "user_request_follow_up") == 0;

	r->action = json_string(json, "action", NULL);
	json_object_object_get_ex(json, "payload", &r->payload);
	if (r->action == NULL && !follows)
		complain(p, r, "no action");
	else if (r->payload != NULL &&
		 !json_object_is_type(r->payload, json_type_object))
		complain(p, r, "payload is not an object");
	else if (follows)
		follow_up(p, r);
	else
		dispatch(p, r);
}

/* All of it that is in json-c's memory goes, whatever comes of the rest. */
static bool
take_token(struct json_object *json, struct user_auth_token *token)
{
	struct json_object *payload = NULL;

	json_object_object_get_ex(json, "payload", &payload);
	user_auth_take(payload, token);
	return token->text != NULL || token->why != NULL;
}

const char *
user_requests_begin(struct proxyd *p, uint64_t number, struct evbuffer *text)
{
	struct json_object *json = json_parse(text, p->conf.json_depth);
	struct user_auth_token token;
	struct user_request r = { .number = number, .token = &token };
	const char *why = NULL;

	if (take_token(json, &token))
		wipe(text);
	evbuffer_drain(text, evbuffer_get_length(text));
	if (json == NULL)
		return "not a JSON object";
	r.request_id = json_string(json, "request_id", NULL);
	if (r.request_id == NULL || strlen(r.request_id) > LINK_REQUEST_ID_MAX)
		why = "no valid request_id";
	else
		begin(p, &r, json);
	user_auth_token_clear(&token);
	json_object_put(json);
	return why;
}
