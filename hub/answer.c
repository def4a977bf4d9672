#include <event2/buffer.h>
#include <event2/http.h>

#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/log.h"
#include "hub/answer.h"
#include "hub/http.h"
#include "hub/instance.h"
#include "hub/json.h"
#include "hub/request.h"

/* A body while it is being written; it is not copied. */
struct body {
	struct hub *hub;
	struct json_object *text; /* owns it, or */
	uint8_t *bytes;		  /* this does */
	size_t len;
};

static void
body_written(const void *data, size_t len, void *arg)
{
	struct body *body = arg;

	(void)data;
	(void)len;
	body->hub->answers -= body->len;
	json_object_put(body->text);
	free(body->bytes);
	free(body);
}

/* Put the string, decoded or as it is, into out without copying. */
static const char *
answer_body(struct hub *hub, struct json_object *text, bool base64,
    struct evbuffer *out)
{
	const char *string = json_object_get_string(text);
	size_t len = (size_t)json_object_get_string_len(text);
	struct body *body;
	ssize_t decoded;

	if (len == 0)
		return NULL;
	if ((body = calloc(1, sizeof(*body))) == NULL)
		return "out of memory";
	body->hub = hub;
	if (base64) {
		body->bytes = malloc(len / 4 * 3 + 1);
		if (body->bytes == NULL ||
		    (decoded = base64_decode(string, len, body->bytes)) == -1) {
			free(body->bytes);
			free(body);
			return "body is not base64";
		}
		body->len = (size_t)decoded;
	} else {
		body->text = json_object_get(text);
		body->len = len;
	}
	hub->answers += body->len;
	if (evbuffer_add_reference(out,
		base64 ? (const void *)body->bytes : string, body->len,
		body_written, body) == -1) {
		body_written(NULL, 0, body);
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
answer_send(
    struct hub *hub, struct evhttp_request *http, struct json_object *message)
{
	struct json_object *status = json_get(message, "status", json_type_int);
	struct json_object *headers =
	    json_get(message, "headers", json_type_array);
	struct json_object *text = json_get(message, "body", json_type_string);
	struct evkeyvalq *out = evhttp_request_get_output_headers(http);
	bool head = evhttp_request_get_command(http) == EVHTTP_REQ_HEAD;
	bool base64 = false;
	struct evbuffer *body;
	const char *why = NULL;
	int code;
	size_t i;

	if (status == NULL || headers == NULL || text == NULL)
		return "status, headers or body is missing";
	code = json_object_get_int(status);
	if (code < 200 || code > 599)
		return "status is not one of an answer";
	if (hub->options->duratii && code < 400)
		code = 200;
	if ((body = evbuffer_new()) == NULL)
		return "out of memory";
	for (i = 0; i < json_object_array_length(headers); i++)
		answer_header(out, json_object_array_get_idx(headers, i),
		    hub->options->duratii, head, &base64);
	if (!head && code != 204 && code != 304)
		why = answer_body(hub, text, base64, body);
	if (why == NULL)
		evhttp_send_reply(http, code, NULL, body);
	else
		evhttp_clear_headers(out);
	evbuffer_free(body);
	return why;
}

const char *
answer_receive(struct instance *instance, struct json_object *message)
{
	const char *id = json_get_string(message, "request_id");
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
	if ((why = answer_send(hub, http, message)) != NULL)
		http_error(http, 502, "malformed answer from the instance");
	return why;
}
