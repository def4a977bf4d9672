#include <event2/http.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "hub/browser.h"
#include "hub/http.h"
#include "hub/instance.h"
#include "hub/json.h"

/* Unsent bytes at which a page counts as gone. */
#define OUTPUT_MAX (32 * 1024 * 1024)

static void browser_text(void *, struct ws *, enum ws_type, struct evbuffer *);
static void browser_closed(void *, struct ws *, uint16_t, const char *, bool);

static const struct ws_ops browser_ops = {
	.message = browser_text,
	.closed = browser_closed,
};

void
browser_accept(struct hub *hub, struct evhttp_request *req)
{
	struct browser *browser;

	if (!socket_wanted(req))
		return;
	if (hub->nbrowsers >= HUB_BROWSERS_MAX ||
	    (browser = calloc(1, sizeof(*browser))) == NULL) {
		http_error(req, 503, "too many browsers");
		return;
	}
	if (socket_open(&browser->socket, req, hub->options->message_max,
		&browser_ops, browser) == -1) {
		free(browser);
		return;
	}
	browser->hub = hub;
	TAILQ_INIT(&browser->forwards);
	TAILQ_INSERT_TAIL(&hub->browsers, browser, entry);
	hub->nbrowsers++;
}

static void
browser_free(struct browser *browser)
{
	forwards_forget(browser);
	TAILQ_REMOVE(&browser->hub->browsers, browser, entry);
	browser->hub->nbrowsers--;
	socket_close(&browser->socket);
	free(browser);
}

static void
browser_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	(void)ws;
	(void)reason;
	log_debugx("browser closed: %u%s", code, clean ? "" : ", not clean");
	browser_free(arg);
}

static void
browser_write(struct browser *browser, const char *text, size_t len)
{
	struct ws *ws = browser->socket.ws;

	if (ws_output_length(ws) > OUTPUT_MAX)
		ws_close(ws, WS_CLOSE_POLICY, "reads too slowly");
	else
		(void)ws_send(ws, WS_TEXT, text, len);
}

void
browser_send(struct browser *browser, struct json_object *message)
{
	size_t len;
	const char *text = json_text(message, &len);

	browser_write(browser, text, len);
	json_object_put(message);
}

void
browsers_send(struct hub *hub, struct json_object *message)
{
	size_t len;
	const char *text = json_text(message, &len);
	struct browser *browser;

	TAILQ_FOREACH (browser, &hub->browsers, entry)
		browser_write(browser, text, len);
	json_object_put(message);
}

static const char *
on_get_clients(struct browser *browser, struct json_object *message)
{
	struct json_object *list = json_message("client_list");

	(void)message;
	json_add(list, "clients", instances_json(browser->hub));
	browser_send(browser, list);
	return NULL;
}

static const char *
on_connect_client(struct browser *browser, struct json_object *message)
{
	const char *id = json_string(message, "client_id", NULL);
	struct json_object *answer;
	bool found;

	if (id == NULL)
		return "client_id is missing";
	found = instance_find(browser->hub, id) != NULL;
	answer = json_message("connect_response");
	json_add(answer, "success", json_object_new_boolean(found));
	json_add_string(answer, "client_id", id);
	json_add_string(answer, "message",
	    found ? "Connected; use forward_to_client" : "Client not found");
	browser_send(browser, answer);
	return NULL;
}

static const char *
on_forward_to_client(struct browser *browser, struct json_object *message)
{
	const char *client_id = json_string(message, "client_id", NULL);
	const char *request_id = json_string(message, "request_id", NULL);
	const char *action = json_string(message, "action", NULL);
	struct json_object *payload = NULL;

	if (client_id == NULL || request_id == NULL || action == NULL)
		return "client_id, request_id or action is missing";
	(void)json_object_object_get_ex(message, "payload", &payload);
	forward_request(
	    browser, client_id, request_id, action, json_object_get(payload));
	return NULL;
}

static const char *
on_ping(struct browser *browser, struct json_object *message)
{
	const char *id = json_string(message, "client_id", NULL);
	struct json_object *pong;

	if (id == NULL)
		return "client_id is missing";
	pong = json_message("pong");
	json_add_string(pong, "client_id", id);
	browser_send(browser, pong);
	return NULL;
}

static const struct {
	const char *type;
	const char *(*handle)(struct browser *, struct json_object *);
} handlers[] = {
	{ "get_clients", on_get_clients },
	{ "connect_client", on_connect_client },
	{ "forward_to_client", on_forward_to_client },
	{ "ping", on_ping },
};

static const char *
browser_dispatch(struct browser *browser, struct json_object *message)
{
	const char *type = json_string(message, "type", NULL);
	size_t i;

	if (type == NULL)
		return "type is missing";
	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (strcmp(type, handlers[i].type) == 0)
			return handlers[i].handle(browser, message);
	return "unknown type";
}

static void
browser_text(void *arg, struct ws *ws, enum ws_type type, struct evbuffer *text)
{
	struct browser *browser = arg;
	struct json_object *message = NULL, *error;
	char why[128];
	const char *bad = "not a JSON object";

	(void)ws;
	if (type != WS_TEXT)
		bad = "binary";
	else if ((message = json_parse(text, JSON_DEPTH_MAX)) != NULL)
		bad = browser_dispatch(browser, message);
	json_object_put(message);
	if (bad == NULL)
		return;
	(void)snprintf(why, sizeof(why), "Invalid message format: %s", bad);
	error = json_message("error");
	json_add_string(error, "message", why);
	browser_send(browser, error);
}

void
browsers_close(struct hub *hub)
{
	struct browser *browser;

	TAILQ_FOREACH (browser, &hub->browsers, entry)
		ws_close(browser->socket.ws, WS_CLOSE_GOING_AWAY, "hub stops");
}

void
browsers_clear(struct hub *hub)
{
	struct browser *browser;

	while ((browser = TAILQ_FIRST(&hub->browsers)) != NULL)
		browser_free(browser);
}
