#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "common/link.h"
#include "common/log.h"
#include "proxyd/reply.h"
#include "proxyd/tunnel_actions.h"
#include "proxyd/user_requests.h"

/* Its last reply is in the outbox when the handler returns, or later. */
typedef void (*handler)(struct proxyd *, const struct user_request *);

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
	{ NULL, NULL },
};

static void
on_unknown(struct proxyd *p, const struct user_request *r, const char *action)
{
	struct json_object *data = json_object_new_object();
	struct json_object *code = json_object_new_int(4000);
	char safe[64], text[96];

	if (data == NULL || code == NULL)
		fatalx("json: out of memory");
	(void)snprintf(text, sizeof(text), "Unknown action: %s",
	    log_safe(safe, sizeof(safe), action));
	reply_error_message(p, r->number, r->request_id, text);
	json_add(data, "code", code);
	json_add_string(data, "reason", "Unknown action");
	reply_complete(p, r->number, r->request_id, data);
}

static void
dispatch(struct proxyd *p, const struct user_request *r, const char *action)
{
	size_t i;

	for (i = 0; actions[i].action != NULL; i++) {
		if (strcmp(actions[i].action, action) == 0) {
			actions[i].handle(p, r);
			return;
		}
	}
	on_unknown(p, r, action);
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
	struct json_object *json = json_parse(text);
	struct user_request r = { .number = number };
	const char *why = NULL;

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
