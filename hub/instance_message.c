#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "hub/answer.h"
#include "hub/body.h"
#include "hub/browser.h"
#include "hub/forward.h"
#include "hub/http.h"
#include "hub/instance.h"
#include "hub/instance_message.h"
#include "hub/json.h"

/* What a person reads of an instance is not longer than this. */
#define METADATA_MAX	 1024
#define CAPABILITIES_MAX 16

void
instance_message_error(struct ws *ws, const char *why)
{
	struct json_object *message = json_message("error");

	json_add_string(message, "message", why);
	(void)json_send(ws, message, HUB_REPLIES_MAX);
}

static void
instance_update(struct instance *instance)
{
	struct json_object *message = json_message("client_update");

	json_add(message, "client", instance_json(instance));
	browsers_send(instance->hub, message);
}

/* Keep what we know and show; an instance may say anything else besides. */
static void
register_metadata(struct instance *instance, struct json_object *from)
{
	static const char *const names[] = { "hostname", "project", "platform",
		"version", "callback_url" };
	struct json_object *kept = json_object_new_object(), *list, *word;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		text = json_string(from, names[i], NULL);
		if (text != NULL && strlen(text) <= METADATA_MAX)
			json_add_string(kept, names[i], text);
	}
	instance->base64 = false;
	list = json_get(from, "capabilities", json_type_array);
	for (i = 0; list != NULL && i < CAPABILITIES_MAX &&
		    i < json_object_array_length(list);
	     i++) {
		word = json_object_array_get_idx(list, i);
		if (json_object_is_type(word, json_type_string) &&
		    strcmp(json_object_get_string(word), "base64") == 0)
			instance->base64 = !instance->hub->options->duratii;
	}
	json_object_put(instance->metadata);
	instance->metadata = kept;
}

static bool
set_status(struct instance *instance, const char *status)
{
	static const char *const known[] = { "idle", "active", "busy" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(status, known[i]) == 0) {
			(void)strlcpy(
			    instance->status, status, sizeof(instance->status));
			return true;
		}
	}
	return false;
}

static void
send_registered(struct instance *instance)
{
	struct json_object *message = json_message("registered"), *list;

	json_add(message, "success", json_object_new_boolean(true));
	json_add_string(message, "message", "");
	if (!instance->hub->options->duratii) {
		list = json_object_new_array();
		(void)json_object_array_add(
		    list, json_object_new_string("status"));
		(void)json_object_array_add(
		    list, json_object_new_string("base64"));
		json_add(message, "capabilities", list);
	}
	(void)instance_send(instance, message);
}

static const char *
on_register(struct instance *instance, struct json_object *message)
{
	const char *id = json_string(message, "client_id", NULL);
	const char *status;
	struct json_object *metadata =
	    json_get(message, "metadata", json_type_object);
	struct instance *old;

	if (id == NULL || metadata == NULL)
		return "client_id or metadata is missing";
	if (!http_is_id(id))
		return "client_id is not fit for a URL";
	if (*instance->id == '\0')
		(void)strlcpy(instance->id, id, sizeof(instance->id));
	else if (strcmp(instance->id, id) != 0)
		return "client_id is not that of the URL";
	register_metadata(instance, metadata);
	if ((status = json_string(metadata, "status", NULL)) != NULL)
		(void)set_status(instance, status);
	old = instance_find(instance->hub, id);
	if (old != NULL && old != instance) {
		log_infox("instance %s has a newer connection", id);
		instance_retire(old, false, true);
		ws_close(old->socket.ws, 4001, "replaced");
	}
	instance->registered = true;
	send_registered(instance);
	instance_update(instance);
	log_infox("instance %s registered", id);
	return NULL;
}

static const char *
on_ping(struct instance *instance, struct json_object *message)
{
	const char *id = json_string(message, "client_id", NULL);
	struct json_object *pong;

	if (id == NULL)
		return "client_id is missing";
	pong = json_message("pong");
	json_add_string(pong, "client_id", id);
	(void)instance_send(instance, pong);
	return NULL;
}

static const char *
on_status_update(struct instance *instance, struct json_object *message)
{
	const char *status = json_string(message, "status", NULL);

	if (status == NULL || !set_status(instance, status))
		return "status is not idle, active or busy";
	if (instance->registered) {
		instance->active = instance->seen;
		instance_update(instance);
	}
	return NULL;
}

static const char *
forward_answer(
    struct instance *instance, struct json_object *message, bool complete)
{
	const char *id = json_string(message, "request_id", NULL);
	struct json_object *data = NULL;

	if (id == NULL)
		return "request_id is missing";
	(void)json_object_object_get_ex(message, "data", &data);
	forward_answered(
	    instance->hub, instance->id, id, json_object_get(data), complete);
	return NULL;
}

static const char *
on_response_chunk(struct instance *instance, struct json_object *message)
{
	return forward_answer(instance, message, false);
}

static const char *
on_response(struct instance *instance, struct json_object *message)
{
	return forward_answer(instance, message, true);
}

/* Duratii drops these; here the browser that waits gets to see them. */
static const char *
on_error(struct instance *instance, struct json_object *message)
{
	const char *id = json_string(message, "request_id", NULL);
	const char *text = json_string(message, "message", NULL);
	struct json_object *data, *auth = NULL;
	char safe[256];

	log_infox("instance %s says: %s", instance->id,
	    log_safe(safe, sizeof(safe), text == NULL ? "" : text));
	if (id == NULL || instance->hub->options->duratii)
		return NULL;
	data = json_object_new_object();
	json_add(data, "error", json_object_new_boolean(true));
	auth = json_get(message, "auth_error", json_type_boolean);
	if (auth != NULL)
		json_add(data, "auth_error", json_object_get(auth));
	json_add_string(data, "message", text == NULL ? "" : text);
	forward_answered(instance->hub, instance->id, id, data, false);
	return NULL;
}

static const struct {
	const char *type;
	bool registered; /* legal only when registered */
	const char *(*handle)(struct instance *, struct json_object *);
} handlers[] = {
	{ "register", false, on_register },
	{ "ping", false, on_ping },
	{ "status_update", false, on_status_update },
	{ "response_chunk", true, on_response_chunk },
	{ "response_complete", true, on_response },
	{ "response", true, on_response },
	{ "error", false, on_error },
};

static const char *
instance_dispatch(
    struct instance *instance, struct json_object *message, struct body *body)
{
	const char *type = json_string(message, "type", NULL);
	size_t i;

	if (type == NULL)
		return "type is missing";
	if (strcmp(type, "http_proxy_response") == 0)
		return instance->registered
			   ? answer_receive(instance, message, body)
			   : "not registered";
	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (strcmp(type, handlers[i].type) != 0)
			continue;
		if (handlers[i].registered && !instance->registered)
			return "not registered";
		return handlers[i].handle(instance, message);
	}
	return "unknown type";
}

void
instance_message(struct instance *instance, struct evbuffer *text)
{
	struct json_object *message = NULL;
	struct body body;
	char error[128];
	const char *why = "not a JSON object";

	if (body_cut(&body, text) == 0 &&
	    (message = json_parse(text, JSON_DEPTH_MAX)) != NULL)
		why = instance_dispatch(instance, message, &body);
	json_object_put(message);
	body_clear(&body);
	if (why == NULL)
		return;
	log_debugx("instance %s: bad message: %s", instance->id, why);
	(void)snprintf(error, sizeof(error), "Invalid message format: %s", why);
	instance_message_error(instance->socket.ws, error);
}
