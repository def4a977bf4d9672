#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/http.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "hub/claims.h"
#include "hub/http.h"
#include "hub/instance.h"
#include "hub/json.h"
#include "hub/pending.h"
#include "hub/random.h"
#include "hub/socket.h"
#include "hub/stamp.h"

/* They send small messages only. */
#define PENDING_MESSAGE_MAX (16 * 1024)
#define PENDING_TEXT_MAX    256

static const struct timeval claim_timeout = { 600, 0 };
/* How long one may stay that was told its fate. */
static const struct timeval leave_timeout = { 10, 0 };

struct pending {
	TAILQ_ENTRY(pending) entry;
	struct hub *hub;
	struct socket socket;
	struct event timer;
	char id[33];
	bool decided; /* claimed or denied: it should leave */
	char hostname[PENDING_TEXT_MAX];
	char project[PENDING_TEXT_MAX];
	char platform[PENDING_TEXT_MAX];
	struct claims claims;
	time_t connected;
};

static void pending_text(void *, struct ws *, enum ws_type, struct evbuffer *);
static void pending_closed(void *, struct ws *, uint16_t, const char *, bool);
static void pending_timeout(evutil_socket_t, short, void *);

static const struct ws_ops pending_ops = {
	.message = pending_text,
	.closed = pending_closed,
};

void
pending_accept(struct hub *hub, struct evhttp_request *req)
{
	struct pending *pending;
	struct claims claims;

	if (!claims_read(&claims, req)) {
		http_error(req, 400, "user, org or team is missing");
		return;
	}
	if (!socket_wanted(req))
		return;
	if (hub->npending >= HUB_PENDING_MAX ||
	    (pending = calloc(1, sizeof(*pending))) == NULL) {
		http_error(req, 503, "too many pending instances");
		return;
	}
	if (socket_open(&pending->socket, req, PENDING_MESSAGE_MAX,
		&pending_ops, pending) == -1) {
		free(pending);
		return;
	}
	pending->hub = hub;
	pending->claims = claims;
	pending->connected = time(NULL);
	random_hex(pending->id, sizeof(pending->id));
	(void)evtimer_assign(
	    &pending->timer, hub->base, pending_timeout, pending);
	(void)evtimer_add(&pending->timer, &claim_timeout);
	TAILQ_INSERT_TAIL(&hub->pending, pending, entry);
	hub->npending++;
	log_infox("pending instance %s connected", pending->id);
}

static void
pending_free(struct pending *pending)
{
	TAILQ_REMOVE(&pending->hub->pending, pending, entry);
	pending->hub->npending--;
	(void)event_del(&pending->timer);
	socket_close(&pending->socket);
	free(pending);
}

static void
pending_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	struct pending *pending = arg;

	(void)ws;
	(void)reason;
	log_debugx("pending instance %s closed: %u%s", pending->id, code,
	    clean ? "" : ", not clean");
	pending_free(pending);
}

static void
pending_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct pending *pending = arg;
	struct ws *ws = pending->socket.ws;
	struct json_object *message;

	(void)fd;
	(void)what;
	if (pending->decided) {
		ws_close(ws, WS_CLOSE_NORMAL, "");
		return;
	}
	pending->decided = true;
	message = json_message("authorization_timeout");
	json_add_string(message, "message",
	    "Nobody claimed this instance within 10 minutes");
	(void)json_send(ws, message, HUB_REPLIES_MAX);
	ws_close(ws, 4000, "authorization timeout");
}

/* Keep a text for people to read; too long or absent leaves it empty. */
static void
pending_keep(
    char *dst, size_t size, struct json_object *message, const char *name)
{
	const char *text = json_string(message, name, NULL);

	if (text != NULL && strlcpy(dst, text, size) >= size)
		*dst = '\0';
}

static const char *
on_pending_register(struct pending *pending, struct json_object *message)
{
	bool duratii = pending->hub->options->duratii;
	struct json_object *answer;

	if (json_string(message, "pending_id", NULL) == NULL)
		return "pending_id is missing";
	pending_keep(
	    pending->hostname, sizeof(pending->hostname), message, "hostname");
	pending_keep(
	    pending->project, sizeof(pending->project), message, "project");
	pending_keep(
	    pending->platform, sizeof(pending->platform), message, "platform");
	answer = json_message("pending_registered");
	/* Duratii looks for an id that it told nobody. */
	json_add(answer, "success", json_object_new_boolean(!duratii));
	json_add_string(answer, "message",
	    duratii ? "Pending session not found. Please reconnect." : "");
	(void)json_send(pending->socket.ws, answer, HUB_REPLIES_MAX);
	return NULL;
}

static const char *
on_ping(struct pending *pending, struct json_object *message)
{
	const char *id = json_string(message, "pending_id", NULL);
	struct json_object *pong;

	if (id == NULL)
		return "pending_id is missing";
	pong = json_message("pong");
	json_add_string(pong, "pending_id", id);
	(void)json_send(pending->socket.ws, pong, HUB_REPLIES_MAX);
	return NULL;
}

static const char *
pending_dispatch(struct pending *pending, struct json_object *message)
{
	const char *type = json_string(message, "type", NULL);

	if (type == NULL)
		return "type is missing";
	if (strcmp(type, "pending_register") == 0)
		return on_pending_register(pending, message);
	if (strcmp(type, "ping") == 0)
		return on_ping(pending, message);
	return "unknown type";
}

static void
pending_text(void *arg, struct ws *ws, enum ws_type type, struct evbuffer *text)
{
	struct pending *pending = arg;
	struct json_object *message = NULL, *error;
	char why[128];
	const char *bad = "not a JSON object";

	if (type != WS_TEXT)
		bad = "binary";
	else if ((message = json_parse(text, JSON_DEPTH_MAX)) != NULL)
		bad = pending_dispatch(pending, message);
	json_object_put(message);
	if (bad == NULL)
		return;
	(void)snprintf(why, sizeof(why), "Invalid message format: %s", bad);
	error = json_message("error");
	json_add_string(error, "message", why);
	(void)json_send(ws, error, HUB_REPLIES_MAX);
}

/* Whether it waits, and for somebody like our user. */
static bool
pending_is_claimable(const struct pending *pending)
{
	return !pending->decided && claims_allow(&pending->claims,
					pending->hub->options->user_login);
}

struct json_object *
pending_json(struct hub *hub)
{
	struct json_object *array = json_object_new_array(), *object;
	struct pending *pending;
	char stamp[STAMP_SIZE];

	TAILQ_FOREACH (pending, &hub->pending, entry) {
		if (!pending_is_claimable(pending))
			continue;
		object = json_object_new_object();
		json_add_string(object, "pending_id", pending->id);
		json_add_string(object, "hostname", pending->hostname);
		json_add_string(object, "project", pending->project);
		json_add_string(object, "platform", pending->platform);
		json_add_string(object, "connected_at",
		    stamp_format(stamp, pending->connected));
		claims_json(&pending->claims, object);
		(void)json_object_array_add(array, object);
	}
	return array;
}

/* The one with this id that can be claimed, or the request is answered. */
static struct pending *
pending_find(struct hub *hub, struct evhttp_request *req, const char *id)
{
	struct pending *pending;

	TAILQ_FOREACH (pending, &hub->pending, entry)
		if (pending_is_claimable(pending) &&
		    strcmp(pending->id, id) == 0)
			return pending;
	http_error(req, 404, "no such pending instance");
	return NULL;
}

/* A client id: the person's choice, else the host's name, else anything. */
static void
pending_client_id(
    struct pending *pending, struct json_object *body, char id[HUB_ID_MAX])
{
	const char *wish = NULL;

	if (!pending->hub->options->duratii) {
		wish = json_string(body, "client_id", NULL);
		if (wish == NULL)
			wish = pending->hostname;
	}
	if (wish != NULL && http_is_id(wish) &&
	    instance_find(pending->hub, wish) == NULL)
		(void)strlcpy(id, wish, HUB_ID_MAX);
	else
		(void)snprintf(id, HUB_ID_MAX, "client_%.8s", pending->id);
}

static void
pending_decide(struct pending *pending, struct json_object *message)
{
	(void)json_send(pending->socket.ws, message, HUB_REPLIES_MAX);
	pending->decided = true;
	(void)evtimer_add(&pending->timer, &leave_timeout);
}

void
pending_claim(struct hub *hub, struct evhttp_request *req, const char *id)
{
	struct pending *pending = pending_find(hub, req, id);
	struct json_object *body, *message, *answer;
	char client_id[HUB_ID_MAX];
	const char *token;

	if (pending == NULL)
		return;
	if ((token = tokens_grant(&hub->tokens)) == NULL) {
		http_error(req, 500, "can't make a token");
		return;
	}
	body = json_parse(evhttp_request_get_input_buffer(req), JSON_DEPTH_MAX);
	pending_client_id(pending, body, client_id);
	json_object_put(body);
	message = json_message("token_granted");
	json_add_string(message, "token", token);
	json_add_string(message, "client_id", client_id);
	pending_decide(pending, message);
	log_infox("pending instance %s becomes %s", id, client_id);
	answer = json_object_new_object();
	json_add(answer, "success", json_object_new_boolean(true));
	json_add_string(answer, "client_id", client_id);
	http_json(req, 200, answer);
}

void
pending_deny(struct hub *hub, struct evhttp_request *req, const char *id)
{
	struct pending *pending = pending_find(hub, req, id);
	struct json_object *message, *answer;

	if (pending == NULL)
		return;
	message = json_message("authorization_denied");
	json_add_string(message, "reason", "Denied by user");
	pending_decide(pending, message);
	log_infox("pending instance %s denied", id);
	answer = json_object_new_object();
	json_add(answer, "success", json_object_new_boolean(true));
	http_json(req, 200, answer);
}

void
pending_close(struct hub *hub)
{
	struct pending *pending;

	TAILQ_FOREACH (pending, &hub->pending, entry)
		ws_close(pending->socket.ws, WS_CLOSE_GOING_AWAY, "hub stops");
}

void
pending_clear(struct hub *hub)
{
	struct pending *pending;

	while ((pending = TAILQ_FIRST(&hub->pending)) != NULL)
		pending_free(pending);
}
