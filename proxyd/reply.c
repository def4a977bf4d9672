#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "common/log.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"

static void
add(struct evbuffer *out, const void *data, size_t len)
{
	if (evbuffer_add(out, data, len) == -1)
		fatal("reply");
}

struct evbuffer *
reply_begin(const char *request_id, bool last)
{
	static const char id[] = "\",\"request_id\":\"";
	static const char data[] = "\",\"data\":";
	const char *type = last ? "{\"type\":\"response_complete"
				: "{\"type\":\"response_chunk";
	struct evbuffer *out = evbuffer_new();

	if (out == NULL)
		fatal("reply");
	add(out, type, strlen(type));
	add(out, id, strlen(id));
	if (escape_add_text(out, request_id, strlen(request_id)) == -1)
		fatal("reply");
	add(out, data, strlen(data));
	return out;
}

void
reply_add_text(struct evbuffer *out, const char *name, const char *value)
{
	if (evbuffer_add_printf(out, ",\"%s\":\"", name) == -1 ||
	    escape_add_text(out, value, strlen(value)) == -1)
		fatal("reply");
	add(out, "\"", 1);
}

/* While there is no link nothing is sent, but what is made must end. */
static size_t
message_max(const struct proxyd *p)
{
	return p->link.message_max < OUTBOX_REPLY_MAX ? OUTBOX_REPLY_MAX
						      : p->link.message_max;
}

void
reply_end(struct proxyd *p, uint64_t number, const char *request_id,
    struct evbuffer *out, bool last)
{
	add(out, "}", 1);
	if (evbuffer_get_length(out) <= message_max(p)) {
		outbox_reply(p->outbox, number, out, last);
		return;
	}
	log_warnx("reply of %zu bytes not sent", evbuffer_get_length(out));
	evbuffer_free(out);
	if (last)
		reply_error(p, number, request_id, "reply too large");
}

/* The object, which is freed. */
static void
add_json(struct evbuffer *out, struct json_object *object)
{
	size_t len;
	const char *text = json_text(object, &len);

	add(out, text, len);
	json_object_put(object);
}

static void
reply_json(struct proxyd *p, uint64_t number, const char *request_id,
    struct json_object *data, bool last)
{
	struct evbuffer *out = reply_begin(request_id, last);

	add_json(out, data);
	reply_end(p, number, request_id, out, last);
}

void
reply_chunk(struct proxyd *p, uint64_t number, const char *request_id,
    struct json_object *data)
{
	reply_json(p, number, request_id, data, false);
}

void
reply_text(struct proxyd *p, uint64_t number, const char *request_id,
    const void *json, size_t len)
{
	struct evbuffer *out = reply_begin(request_id, false);

	add(out, json, len);
	reply_end(p, number, request_id, out, false);
}

size_t
reply_data_max(const struct proxyd *p)
{
	return message_max(p) - REPLY_FRAME_MAX;
}

void
reply_done(struct proxyd *p, uint64_t number)
{
	struct evbuffer *nothing = evbuffer_new();

	if (nothing == NULL)
		fatal("reply");
	outbox_reply(p->outbox, number, nothing, true);
}

void
reply_complete(struct proxyd *p, uint64_t number, const char *request_id,
    struct json_object *data)
{
	reply_json(p, number, request_id, data, true);
}

static void
add_true(struct json_object *object, const char *name)
{
	struct json_object *boolean = json_object_new_boolean(true);

	if (boolean == NULL)
		fatalx("json: out of memory");
	json_add(object, name, boolean);
}

static struct json_object *
make_error(const char *message, bool refused)
{
	struct json_object *data = json_object_new_object();

	if (data == NULL)
		fatalx("json: out of memory");
	add_true(data, "error");
	if (refused)
		add_true(data, "auth_error");
	json_add_string(data, "message", message);
	return data;
}

void
reply_error(struct proxyd *p, uint64_t number, const char *request_id,
    const char *message)
{
	reply_complete(p, number, request_id, make_error(message, false));
}

static void
say_error(struct proxyd *p, uint64_t number, const char *request_id,
    const char *message, bool refused)
{
	struct json_object *error = json_message("error");
	struct evbuffer *out = evbuffer_new();

	if (out == NULL)
		fatal("reply");
	json_add_string(error, "request_id", request_id);
	json_add_string(error, "message", message);
	if (refused)
		add_true(error, "auth_error");
	add_json(out, error);
	outbox_reply(p->outbox, number, out, false);
}

void
reply_error_message(struct proxyd *p, uint64_t number, const char *request_id,
    const char *message)
{
	say_error(p, number, request_id, message, false);
}

void
reply_refusal(struct proxyd *p, uint64_t number, const char *request_id,
    const char *message, const char *advice)
{
	struct json_object *data = make_error(message, true);

	if (advice[0] != '\0')
		json_add_string(data, "advice", advice);
	say_error(p, number, request_id, message, true);
	reply_complete(p, number, request_id, data);
}
