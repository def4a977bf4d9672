#include <event2/event.h>
#include <event2/http.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "hub/browser.h"
#include "hub/forward.h"
#include "hub/http.h"
#include "hub/instance.h"
#include "hub/instance_message.h"
#include "hub/json.h"
#include "hub/request.h"
#include "hub/stamp.h"

/* Three heartbeats of an instance. */
static const struct timeval silence_max = { 90, 0 };

static void instance_text(void *, struct ws *, enum ws_type, struct evbuffer *);
static void instance_closed(void *, struct ws *, uint16_t, const char *, bool);
static void instance_silent(evutil_socket_t, short, void *);
static void instance_free(struct instance *);

static const struct ws_ops instance_ops = {
	.message = instance_text,
	.closed = instance_closed,
};

void
instance_accept(struct hub *hub, struct evhttp_request *req)
{
	struct instance *instance;
	char token[TOKEN_MAX], id[HUB_ID_MAX] = "";

	if (!socket_query(req, "token", token, sizeof(token)) ||
	    !tokens_have(&hub->tokens, token)) {
		http_error(req, 401, "unknown token");
		return;
	}
	explicit_bzero(token, sizeof(token));
	if (socket_query(req, "client_id", id, sizeof(id)) && !http_is_id(id)) {
		http_error(req, 400, "client_id is not fit for a URL");
		return;
	}
	if (!socket_wanted(req))
		return;
	if (hub->ninstances >= HUB_INSTANCES_MAX ||
	    (instance = calloc(1, sizeof(*instance))) == NULL) {
		http_error(req, 503, "too many instances");
		return;
	}
	if (socket_open(&instance->socket, req, hub->options->message_max,
		&instance_ops, instance) == -1) {
		free(instance);
		return;
	}
	instance->hub = hub;
	(void)strlcpy(instance->id, id, sizeof(instance->id));
	(void)strlcpy(instance->status, "idle", sizeof(instance->status));
	instance->connected = instance->seen = time(NULL);
	(void)evtimer_assign(
	    &instance->silence, hub->base, instance_silent, instance);
	(void)evtimer_add(&instance->silence, &silence_max);
	TAILQ_INSERT_TAIL(&hub->instances, instance, entry);
	hub->ninstances++;
	log_debugx("instance %s connected", id);
}

struct instance *
instance_find(struct hub *hub, const char *id)
{
	struct instance *instance;

	TAILQ_FOREACH (instance, &hub->instances, entry)
		if (instance->registered && strcmp(instance->id, id) == 0)
			return instance;
	return NULL;
}

struct json_object *
instance_json(const struct instance *instance)
{
	static const char *const names[] = { "hostname", "project", "platform",
		"version" };
	struct json_object *object = json_object_new_object();
	struct json_object *metadata = NULL;
	char stamp[STAMP_SIZE];
	size_t i;

	json_add_string(object, "id", instance->id);
	json_add_string(object, "client_id", instance->id);
	json_add_string(object, "user_id", instance->hub->options->user_id);
	json_add_string(object, "status", instance->status);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_add(object, names[i],
		    json_object_get(json_get(
			instance->metadata, names[i], json_type_string)));
	json_add_string(
	    object, "connected_at", stamp_format(stamp, instance->connected));
	json_add_string(
	    object, "last_seen", stamp_format(stamp, instance->seen));
	if (json_object_deep_copy(instance->metadata, &metadata, NULL) == -1)
		fatalx("out of memory");
	json_add_string(metadata, "status", instance->status);
	if (instance->active != 0)
		json_add_string(metadata, "last_activity",
		    stamp_format(stamp, instance->active));
	json_add(object, "metadata", metadata);
	return object;
}

struct json_object *
instances_json(struct hub *hub)
{
	struct json_object *array = json_object_new_array();
	struct instance *instance;

	TAILQ_FOREACH (instance, &hub->instances, entry)
		if (instance->registered)
			(void)json_object_array_add(
			    array, instance_json(instance));
	return array;
}

int
instance_send(struct instance *instance, struct json_object *message)
{
	return json_send(instance->socket.ws, message, HUB_OUTPUT_MAX);
}

/*
 * Its id belongs to nobody, or to a newer connection.  Requests without an
 * answer wait for that one, unless the instance left for good.
 */
void
instance_retire(struct instance *instance, bool for_good, bool replaced)
{
	struct json_object *message;

	if (!instance->registered)
		return;
	instance->registered = false;
	if (for_good)
		requests_fail(instance->hub, instance->id);
	forwards_fail(instance->hub, instance->id);
	if (replaced)
		return;
	message = json_message("client_disconnected");
	json_add_string(message, "client_id", instance->id);
	browsers_send(instance->hub, message);
	log_infox("instance %s left", instance->id);
}

void
instance_disconnect(struct instance *instance)
{
	struct json_object *message = json_message("error");

	json_add_string(message, "message", "Disconnected by user");
	(void)instance_send(instance, message);
	instance_retire(instance, true, false);
	ws_close(instance->socket.ws, WS_CLOSE_NORMAL, "");
}

static void
instance_text(
    void *arg, struct ws *ws, enum ws_type type, struct evbuffer *message)
{
	struct instance *instance = arg;

	instance->seen = time(NULL);
	(void)evtimer_add(&instance->silence, &silence_max);
	if (type == WS_TEXT)
		instance_message(instance, message);
	else
		instance_message_error(ws, "Binary messages not supported");
}

static void
instance_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	struct instance *instance = arg;
	char safe[128];

	(void)ws;
	log_debugx("instance %s closed: %u %s", instance->id, code,
	    log_safe(safe, sizeof(safe), reason));
	instance_retire(instance, clean && code == WS_CLOSE_NORMAL, false);
	instance_free(instance);
}

static void
instance_silent(evutil_socket_t fd, short what, void *arg)
{
	struct instance *instance = arg;

	(void)fd;
	(void)what;
	log_infox("instance %s is silent: dropped", instance->id);
	instance_retire(instance, false, false);
	instance_free(instance);
}

static void
instance_free(struct instance *instance)
{
	TAILQ_REMOVE(&instance->hub->instances, instance, entry);
	instance->hub->ninstances--;
	(void)event_del(&instance->silence);
	socket_close(&instance->socket);
	json_object_put(instance->metadata);
	free(instance);
}

void
instances_close(struct hub *hub)
{
	struct instance *instance;

	TAILQ_FOREACH (instance, &hub->instances, entry)
		ws_close(instance->socket.ws, WS_CLOSE_GOING_AWAY, "hub stops");
}

void
instances_clear(struct hub *hub)
{
	struct instance *instance;

	while ((instance = TAILQ_FIRST(&hub->instances)) != NULL)
		instance_free(instance);
}
