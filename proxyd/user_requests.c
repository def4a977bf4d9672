#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "common/link.h"
#include "common/log.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/tunnel_actions.h"
#include "proxyd/user_auth.h"
#include "proxyd/user_requests.h"

/* Its last reply is in the outbox when the handler returns, or later. */
typedef void (*handler)(struct proxyd *, const struct user_request *);

static void session_action(struct proxyd *, const struct user_request *);

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
	{ "claude-command", session_action },
	{ "cursor-command", session_action },
	{ "codex-command", session_action },
	{ "abort-session", session_action },
	{ "claude-permission-response", session_action },
	{ "cursor-abort", session_action },
	{ "check-session-status", session_action },
	{ "get-active-sessions", session_action },
	{ "chat.send", session_action },
	{ "chat.abort", session_action },
	{ "chat.subscribe", session_action },
	{ "chat.permission-response", session_action },
	{ NULL, NULL },
};

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

/* Sessions are not carried: whoever may have one learns that, nobody else. */
static void
session_action(struct proxyd *p, const struct user_request *r)
{
	user_auth_begin(p->user_auth, r, on_unknown);
}

static void
dispatch(struct proxyd *p, struct user_request *r, const char *action)
{
	size_t i;

	r->action = action;
	for (i = 0; actions[i].action != NULL; i++) {
		if (strcmp(actions[i].action, action) == 0) {
			r->action = actions[i].action;
			actions[i].handle(p, r);
			return;
		}
	}
	on_unknown(p, r);
}

static bool
has_token(struct json_object *json)
{
	struct json_object *payload;

	return json_object_object_get_ex(json, "payload", &payload) &&
	       json_object_is_type(payload, json_type_object) &&
	       json_object_object_get_ex(payload, USER_AUTH_MEMBER, NULL);
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
	const char *action = json_string(json, "action", NULL);

	json_object_object_get_ex(json, "payload", &r->payload);
	if (type != NULL && strcmp(type, "user_request_follow_up") == 0)
		reply_error(p, r->number, r->request_id, "no such session");
	else if (action == NULL)
		reply_error(p, r->number, r->request_id, "no action");
	else if (r->payload != NULL &&
		 !json_object_is_type(r->payload, json_type_object))
		reply_error(
		    p, r->number, r->request_id, "payload is not an object");
	else
		dispatch(p, r, action);
}

const char *
user_requests_begin(struct proxyd *p, uint64_t number, struct evbuffer *text)
{
	struct json_object *json = json_parse(text, p->conf.json_depth);
	struct user_request r = { .number = number };
	const char *why = NULL;

	if (has_token(json))
		wipe(text);
	evbuffer_drain(text, evbuffer_get_length(text));
	if (json == NULL)
		return "not a JSON object";
	r.request_id = json_string(json, "request_id", NULL);
	if (r.request_id == NULL || strlen(r.request_id) > LINK_REQUEST_ID_MAX)
		why = "no valid request_id";
	else
		begin(p, &r, json);
	json_object_put(json);
	return why;
}
