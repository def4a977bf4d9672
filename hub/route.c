#include <event2/http.h>

#include <string.h>

#include "hub/auth.h"
#include "hub/browser.h"
#include "hub/http.h"
#include "hub/hub.h"
#include "hub/instance.h"
#include "hub/json.h"
#include "hub/page.h"
#include "hub/pending.h"
#include "hub/proxy.h"
#include "hub/route.h"

/* What a handler gets to know. */
struct route_call {
	struct hub *hub;
	struct evhttp_request *req;
	const char *id;
	const char *rest;
};

static void
get_page(const struct route_call *call)
{
	page_send(call->req, PAGE_HTML);
}

static void
get_script(const struct route_call *call)
{
	page_send(call->req, PAGE_SCRIPT);
}

static void
get_style(const struct route_call *call)
{
	page_send(call->req, PAGE_STYLE);
}

static void
get_health(const struct route_call *call)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "status", "ok");
	json_add_string(object, "version", TETHERD_VERSION);
	http_json(call->req, 200, object);
}

static void
get_clients(const struct route_call *call)
{
	http_json(call->req, 200, instances_json(call->hub));
}

static void
get_ws_info(const struct route_call *call)
{
	struct instance *instance = instance_find(call->hub, call->id);
	struct json_object *object;

	if (instance == NULL) {
		http_error(call->req, 404, "no such instance");
		return;
	}
	object = instance_json(instance);
	json_add(object, "connected", json_object_new_boolean(true));
	json_add_string(object, "ws_path", "/ws/connect?type=browser");
	http_json(call->req, 200, object);
}

static void
post_disconnect(const struct route_call *call)
{
	struct instance *instance = instance_find(call->hub, call->id);
	struct json_object *object;

	if (instance == NULL) {
		http_error(call->req, 404, "no such instance");
		return;
	}
	instance_disconnect(instance);
	object = json_object_new_object();
	json_add(object, "success", json_object_new_boolean(true));
	http_json(call->req, 200, object);
}

static void
any_proxy(const struct route_call *call)
{
	if (!http_is_id(call->id))
		http_error(call->req, 404, "no such instance");
	else
		proxy_request(call->hub, call->req, call->id, call->rest);
}

static void
get_connect(const struct route_call *call)
{
	char type[16];

	if (!socket_query(call->req, "type", type, sizeof(type)) ||
	    strcmp(type, "browser") != 0)
		instance_accept(call->hub, call->req);
	else if (auth_person(call->hub, call->req, true))
		browser_accept(call->hub, call->req);
}

static void
get_ws_pending(const struct route_call *call)
{
	pending_accept(call->hub, call->req);
}

static void
get_pending(const struct route_call *call)
{
	http_json(call->req, 200, pending_json(call->hub));
}

static void
post_claim(const struct route_call *call)
{
	pending_claim(call->hub, call->req, call->id);
}

static void
post_deny(const struct route_call *call)
{
	pending_deny(call->hub, call->req, call->id);
}

#define READ (EVHTTP_REQ_GET | EVHTTP_REQ_HEAD)
#define ANY                                                            \
	(READ | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
	    EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH)

static const struct {
	const char *pattern;
	int methods;
	enum { PERSON, ANYBODY } who;
	void (*handle)(const struct route_call *);
} routes[] = {
	{ "/clients/*/proxy>", ANY, PERSON, any_proxy },
	{ "/clients/*/disconnect", EVHTTP_REQ_POST, PERSON, post_disconnect },
	{ "/clients", READ, PERSON, get_clients },
	{ "/api/clients", READ, PERSON, get_clients },
	{ "/api/clients/*/ws-info", READ, PERSON, get_ws_info },
	{ "/api/pending", READ, PERSON, get_pending },
	{ "/api/pending/*/claim", EVHTTP_REQ_POST, PERSON, post_claim },
	{ "/api/pending/*/deny", EVHTTP_REQ_POST, PERSON, post_deny },
	/* These decide for themselves who may. */
	{ "/ws/connect", EVHTTP_REQ_GET, ANYBODY, get_connect },
	{ "/ws/pending", EVHTTP_REQ_GET, ANYBODY, get_ws_pending },
	{ "/health", READ, ANYBODY, get_health },
	{ "/", READ, PERSON, get_page },
	{ "/page.js", READ, PERSON, get_script },
	{ "/page.css", READ, PERSON, get_style },
};

bool
route_match(const char *pattern, const char *uri, char *id, size_t id_size,
    const char **rest)
{
	size_t len;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '>') {
			*rest = uri;
			return *uri == '\0' || *uri == '/' || *uri == '?';
		}
		if (*pattern != '*') {
			if (*uri++ != *pattern)
				return false;
			continue;
		}
		len = strcspn(uri, "/?");
		if (len == 0 || len >= id_size)
			return false;
		memcpy(id, uri, len);
		id[len] = '\0';
		uri += len;
	}
	return *uri == '\0' || *uri == '?';
}

void
route_request(struct evhttp_request *req, void *arg)
{
	struct hub *hub = arg;
	const char *uri = evhttp_request_get_uri(req);
	int method = evhttp_request_get_command(req);
	char id[HUB_ID_MAX] = "";
	struct route_call call = { hub, req, id, "" };
	size_t i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!route_match(
			routes[i].pattern, uri, id, sizeof(id), &call.rest))
			continue;
		if ((routes[i].methods & method) == 0) {
			http_error(req, 405, "method not allowed");
			return;
		}
		/* Whatever changes something must not come from elsewhere. */
		if (routes[i].who == ANYBODY ||
		    auth_person(hub, req, (READ & method) == 0))
			routes[i].handle(&call);
		return;
	}
	http_error(req, 404, "not found");
}
