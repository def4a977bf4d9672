#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "hub/browser.h"
#include "hub/forward.h"
#include "hub/instance.h"
#include "hub/json.h"

static int
forward_compare(const struct forward *a, const struct forward *b)
{
	return strcmp(a->request_id, b->request_id);
}

RB_PROTOTYPE(forward_tree, forward, entry, forward_compare)
RB_GENERATE(forward_tree, forward, entry, forward_compare)

static struct forward *
forward_find(struct hub *hub, const char *request_id)
{
	struct forward key;

	if (strlcpy(key.request_id, request_id, sizeof(key.request_id)) >=
	    sizeof(key.request_id))
		return NULL;
	return RB_FIND(forward_tree, &hub->forwards, &key);
}

static struct forward *
forward_new(
    struct browser *browser, const char *client_id, const char *request_id)
{
	struct forward *forward;

	if (browser->nforwards >= HUB_FORWARDS_MAX ||
	    (forward = calloc(1, sizeof(*forward))) == NULL)
		return NULL;
	forward->browser = browser;
	(void)strlcpy(
	    forward->client_id, client_id, sizeof(forward->client_id));
	(void)strlcpy(
	    forward->request_id, request_id, sizeof(forward->request_id));
	(void)RB_INSERT(forward_tree, &browser->hub->forwards, forward);
	TAILQ_INSERT_TAIL(&browser->forwards, forward, of_browser);
	browser->nforwards++;
	return forward;
}

static void
forward_free(struct forward *forward)
{
	struct browser *browser = forward->browser;

	(void)RB_REMOVE(forward_tree, &browser->hub->forwards, forward);
	TAILQ_REMOVE(&browser->forwards, forward, of_browser);
	browser->nforwards--;
	free(forward);
}

static void
forward_reply(struct browser *browser, const char *client_id,
    const char *request_id, struct json_object *data, bool complete)
{
	struct json_object *message = json_message("forwarded_response");

	json_add_string(message, "client_id", client_id);
	json_add_string(message, "request_id", request_id);
	json_add(message, "data", data);
	json_add(message, "complete", json_object_new_boolean(complete));
	browser_send(browser, message);
}

static void
forward_error(struct browser *browser, const char *client_id,
    const char *request_id, const char *why)
{
	struct json_object *data = json_object_new_object();

	json_add(data, "error", json_object_new_boolean(true));
	json_add_string(data, "message", why);
	forward_reply(browser, client_id, request_id, data, true);
}

/* Whether the browser may use this id, which is then known to be its. */
static const char *
forward_claim(
    struct browser *browser, const char *client_id, const char *request_id)
{
	struct forward *forward = forward_find(browser->hub, request_id);

	if (strlen(request_id) >= HUB_ID_MAX)
		return "request_id is too long";
	if (forward == NULL) {
		if (forward_new(browser, client_id, request_id) == NULL)
			return "Too many requests at once";
		return NULL;
	}
	/* Else one page could take over, or listen to, what another does. */
	if (forward->browser != browser ||
	    strcmp(forward->client_id, client_id) != 0)
		return "request_id is in use";
	return NULL;
}

void
forward_request(struct browser *browser, const char *client_id,
    const char *request_id, const char *action, struct json_object *payload)
{
	struct instance *instance = instance_find(browser->hub, client_id);
	struct json_object *message;
	const char *why = "Client not found";

	if (instance == NULL ||
	    (why = forward_claim(browser, client_id, request_id)) != NULL) {
		json_object_put(payload);
		forward_error(browser, client_id, request_id, why);
		return;
	}
	message = json_message("user_request");
	json_add_string(message, "request_id", request_id);
	json_add_string(message, "action", action);
	json_add(message, "payload", payload);
	if (instance_send(instance, message) == -1) {
		forward_free(forward_find(browser->hub, request_id));
		forward_error(
		    browser, client_id, request_id, "Client does not keep up");
	}
}

void
forward_answered(struct hub *hub, const char *client_id, const char *request_id,
    struct json_object *data, bool complete)
{
	struct forward *forward = forward_find(hub, request_id);
	struct browser *browser;

	if (forward == NULL || strcmp(forward->client_id, client_id) != 0) {
		log_debugx("instance %s: answer to no browser", client_id);
		json_object_put(data);
		return;
	}
	browser = forward->browser;
	if (complete)
		forward_free(forward);
	if (complete && data == NULL) {
		data = json_object_new_object();
		json_add(data, "complete", json_object_new_boolean(true));
	}
	forward_reply(browser, client_id, request_id, data, complete);
}

void
forwards_fail(struct hub *hub, const char *client_id)
{
	struct forward *forward, *next;
	struct browser *browser;
	char request_id[HUB_ID_MAX];

	RB_FOREACH_SAFE (forward, forward_tree, &hub->forwards, next) {
		if (strcmp(forward->client_id, client_id) != 0)
			continue;
		browser = forward->browser;
		(void)strlcpy(
		    request_id, forward->request_id, sizeof(request_id));
		forward_free(forward);
		/* Duratii leaves the browser waiting. */
		if (!hub->options->duratii)
			forward_error(browser, client_id, request_id,
			    "Client disconnected");
	}
}

void
forwards_forget(struct browser *browser)
{
	struct forward *forward;

	while ((forward = TAILQ_FIRST(&browser->forwards)) != NULL)
		forward_free(forward);
}
