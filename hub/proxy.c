#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "common/log.h"
#include "common/utf8.h"
#include "hub/auth.h"
#include "hub/http.h"
#include "hub/instance.h"
#include "hub/json.h"
#include "hub/proxy.h"
#include "hub/request.h"

#define LITERAL(out, s) evbuffer_add(out, s, sizeof(s) - 1)

static const char *
proxy_method(struct evhttp_request *req)
{
	static const struct {
		enum evhttp_cmd_type type;
		const char *name;
	} methods[] = {
		{ EVHTTP_REQ_GET, "GET" },
		{ EVHTTP_REQ_POST, "POST" },
		{ EVHTTP_REQ_HEAD, "HEAD" },
		{ EVHTTP_REQ_PUT, "PUT" },
		{ EVHTTP_REQ_DELETE, "DELETE" },
		{ EVHTTP_REQ_OPTIONS, "OPTIONS" },
		{ EVHTTP_REQ_PATCH, "PATCH" },
	};
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].type == evhttp_request_get_command(req))
			return methods[i].name;
	return "GET";
}

static void
proxy_string(struct evbuffer *out, const char *text)
{
	(void)json_escape(out, text, strlen(text));
}

static void
proxy_header(struct evbuffer *out, const char *name, const char *value)
{
	char lower[256];
	size_t i;

	for (i = 0; name[i] != '\0' && i + 1 < sizeof(lower); i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	lower[i] = '\0';
	(void)LITERAL(out, "[");
	proxy_string(out, lower);
	(void)LITERAL(out, ",");
	proxy_string(out, value);
	(void)LITERAL(out, "],");
}

static void
proxy_headers(struct hub *hub, struct evhttp_request *req, struct evbuffer *out)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const struct evkeyval *header;
	const char *value;
	char buffer[HUB_HEADERS_MAX];

	TAILQ_FOREACH (header, in, next) {
		if (http_is_hop_by_hop(header->key) ||
		    strcasecmp(header->key, "host") == 0 ||
		    strcasecmp(header->key, "expect") == 0 ||
		    strncasecmp(header->key, "x-orchestrator-", 15) == 0 ||
		    http_header_has(in, "Connection", header->key))
			continue;
		value = auth_strip(hub, header, buffer, sizeof(buffer));
		if (value != NULL)
			proxy_header(out, header->key, value);
	}
	(void)LITERAL(out, "[\"X-Orchestrator-User-Id\",");
	proxy_string(out, hub->options->user_id);
	(void)LITERAL(out, "],[\"X-Orchestrator-Username\",");
	proxy_string(out, hub->options->user_login);
	(void)LITERAL(out, "]");
}

static void
proxy_body_base64(struct evbuffer *out, const uint8_t *data, size_t len)
{
	struct base64 b = { 0 };
	struct evbuffer_iovec space;
	size_t n;

	if (evbuffer_reserve_space(
		out, (ev_ssize_t)BASE64_SIZE(len), &space, 1) != 1)
		return;
	n = base64_feed(&b, data, len, space.iov_base);
	n += base64_finish(&b, (char *)space.iov_base + n);
	space.iov_len = n;
	(void)evbuffer_commit_space(out, &space, 1);
}

static void
proxy_body(
    struct instance *instance, struct evhttp_request *req, struct evbuffer *out)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t len = evbuffer_get_length(in);
	const uint8_t *data = evbuffer_pullup(in, -1);

	(void)LITERAL(out, ",\"body\":");
	if (len == 0 || data == NULL) {
		(void)LITERAL(out, "null");
	} else if (instance->base64 && !utf8_valid(data, len)) {
		(void)LITERAL(out, "\"");
		proxy_body_base64(out, data, len);
		(void)LITERAL(out, "\",\"body_encoding\":\"base64\"");
	} else
		(void)json_escape(out, data, len);
}

/* The http_proxy_request, written rather than built: bodies may be large. */
static void
proxy_write(struct instance *instance, struct request *request,
    const char *rest, struct evbuffer *out)
{
	size_t len = strcspn(rest, "?");

	(void)LITERAL(out, "{\"type\":\"http_proxy_request\",\"request_id\":");
	proxy_string(out, request->id);
	(void)LITERAL(out, ",\"method\":");
	proxy_string(out, proxy_method(request->http));
	(void)LITERAL(out, ",\"path\":");
	(void)json_escape(out, rest, len);
	(void)LITERAL(out, ",\"query\":");
	if (rest[len] == '?')
		proxy_string(out, rest + len + 1);
	else
		(void)LITERAL(out, "null");
	(void)LITERAL(out, ",\"headers\":[");
	proxy_headers(instance->hub, request->http, out);
	(void)LITERAL(out, "]");
	proxy_body(instance, request->http, out);
	(void)evbuffer_add_printf(
	    out, ",\"proxy_base\":\"/clients/%s/proxy\"}", instance->id);
}

static int
proxy_send(struct instance *instance, struct request *request, const char *rest)
{
	struct ws *ws = instance->socket.ws;
	struct evbuffer *out;
	const void *text;
	int result = -1;

	if (ws_output_length(ws) > HUB_OUTPUT_MAX ||
	    (out = evbuffer_new()) == NULL)
		return -1;
	proxy_write(instance, request, rest, out);
	if ((text = evbuffer_pullup(out, -1)) != NULL)
		result = ws_send(ws, WS_TEXT, text, evbuffer_get_length(out));
	evbuffer_free(out);
	return result;
}

/* A page without the slash would resolve its links one level too high. */
static void
proxy_redirect(struct evhttp_request *req, const char *id, const char *rest)
{
	struct evbuffer *location = evbuffer_new();

	if (location != NULL) {
		(void)evbuffer_add_printf(
		    location, "/clients/%s/proxy/%s%c", id, rest, '\0');
		(void)evhttp_add_header(evhttp_request_get_output_headers(req),
		    "Location", (char *)evbuffer_pullup(location, -1));
		evbuffer_free(location);
	}
	evhttp_send_reply(req, 308, "Permanent Redirect", NULL);
}

void
proxy_request(struct hub *hub, struct evhttp_request *req, const char *id,
    const char *rest)
{
	struct instance *instance;
	struct request *request;
	enum evhttp_cmd_type method = evhttp_request_get_command(req);

	if (hub->options->duratii &&
	    (method == EVHTTP_REQ_HEAD || method == EVHTTP_REQ_OPTIONS)) {
		http_error(req, 405, "method not allowed");
		return;
	}
	if (*rest != '/') {
		proxy_redirect(req, id, rest);
		return;
	}
	if ((instance = instance_find(hub, id)) == NULL) {
		http_error(req, 503, "the instance is not connected");
		return;
	}
	if ((request = request_new(hub, req, id)) == NULL) {
		http_error(req, 503, "too many requests at once");
		return;
	}
	log_debugx("request %s %s to %s", request->id, proxy_method(req), id);
	if (proxy_send(instance, request, rest) == -1) {
		request_free(request);
		http_error(req, 503, "the instance does not keep up");
	}
}
