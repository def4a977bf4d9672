#include <event2/buffer.h>
#include <event2/http.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "hub/answer.h"
#include "hub/body.h"
#include "hub/http.h"
#include "hub/instance.h"
#include "hub/json.h"
#include "hub/request.h"

/* A body on its way to the browser. */
struct writing {
	struct hub *hub;
	struct body body;
};

static void
answer_written(const void *data, size_t len, void *arg)
{
	struct writing *writing = arg;

	(void)data;
	(void)len;
	writing->hub->answers -= writing->body.len;
	body_clear(&writing->body);
	free(writing);
}

/* Put the body, which is taken over, into out. */
static const char *
answer_body(
    struct hub *hub, struct body *body, bool base64, struct evbuffer *out)
{
	struct writing *writing;

	if (base64 && body_decode(body) == -1)
		return "body is not base64";
	if (body->len == 0)
		return NULL;
	if ((writing = calloc(1, sizeof(*writing))) == NULL)
		return "out of memory";
	writing->hub = hub;
	writing->body = *body;
	memset(body, 0, sizeof(*body));
	hub->answers += writing->body.len;
	if (evbuffer_add_reference(out, writing->body.data, writing->body.len,
		answer_written, writing) == -1) {
		answer_written(NULL, 0, writing);
		return "out of memory";
	}
	return NULL;
}

/* One [name, value]; those that are not fit for HTTP are left out. */
static void
answer_header(struct evkeyvalq *out, struct json_object *pair, bool duratii,
    bool head, bool *base64)
{
	struct json_object *first, *second;
	const char *name, *value;

	if (!json_object_is_type(pair, json_type_array) ||
	    json_object_array_length(pair) != 2)
		return;
	first = json_object_array_get_idx(pair, 0);
	second = json_object_array_get_idx(pair, 1);
	if (!json_object_is_type(first, json_type_string) ||
	    !json_object_is_type(second, json_type_string))
		return;
	name = json_object_get_string(first);
	value = json_object_get_string(second);
	if (!http_is_token(name) || !http_is_value(value) ||
	    http_is_hop_by_hop(name))
		return;
	if (!duratii && strcasecmp(name, "x-orch-encoding") == 0) {
		*base64 = strcasecmp(value, "base64") == 0;
		return;
	}
	/* Ours is true also when theirs is not; HEAD has only theirs. */
	if (strcasecmp(name, "content-length") == 0 &&
	    (!head || strspn(value, "0123456789") != strlen(value)))
		return;
	if (duratii)
		while (evhttp_remove_header(out, name) == 0)
			;
	(void)evhttp_add_header(out, name, value);
}

/* Send the answer, or say what is wrong with it. */
static const char *
answer_send(struct hub *hub, struct evhttp_request *http,
    struct json_object *message, struct body *body)
{
	struct json_object *status = json_get(message, "status", json_type_int);
	struct json_object *headers =
	    json_get(message, "headers", json_type_array);
	struct evkeyvalq *out = evhttp_request_get_output_headers(http);
	bool head = evhttp_request_get_command(http) == EVHTTP_REQ_HEAD;
	bool base64 = false;
	struct evbuffer *out_body;
	const char *why = NULL;
	int code;
	size_t i;

	if (status == NULL || headers == NULL || body->owner == NULL)
		return "status, headers or body is missing";
	code = json_object_get_int(status);
	if (code < 200 || code > 599)
		return "status is not one of an answer";
	if (hub->options->duratii && code < 400)
		code = 200;
	if ((out_body = evbuffer_new()) == NULL)
		return "out of memory";
	for (i = 0; i < json_object_array_length(headers); i++)
		answer_header(out, json_object_array_get_idx(headers, i),
		    hub->options->duratii, head, &base64);
	if (!head && code != 204 && code != 304)
		why = answer_body(hub, body, base64, out_body);
	if (why == NULL)
		evhttp_send_reply(http, code, NULL, out_body);
	else
		evhttp_clear_headers(out);
	evbuffer_free(out_body);
	return why;
}

const char *
answer_receive(
    struct instance *instance, struct json_object *message, struct body *body)
{
	const char *id = json_string(message, "request_id", NULL);
	struct hub *hub = instance->hub;
	struct evhttp_request *http;
	struct request *request;
	const char *why;

	if (id == NULL)
		return "request_id is missing";
	if ((request = request_find(hub, instance->id, id)) == NULL) {
		log_debugx(
		    "instance %s: answer to no request of ours", instance->id);
		return NULL;
	}
	http = request->http;
	request_free(request);
	/* Readers that are slow together must not fill the memory. */
	if (hub->answers > HUB_ANSWERS_MAX) {
		http_error(http, 503, "too many answers at once");
		return NULL;
	}
	if ((why = answer_send(hub, http, message, body)) != NULL)
		http_error(http, 502, "malformed answer from the instance");
	return why;
}
