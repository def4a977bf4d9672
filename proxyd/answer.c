#include <stdint.h>
#include <string.h>

#include <event2/buffer.h>

#include "proxyd/answer.h"
#include "proxyd/body.h"
#include "proxyd/escape.h"
#include "proxyd/headers.h"

/* Everything before the value of "headers". */
static int
answer_begin(struct evbuffer *out, const char *id, size_t id_len, int status)
{
	static const char start[] =
	    "{\"type\":\"http_proxy_response\",\"request_id\":\"";

	if (evbuffer_add(out, start, strlen(start)) == -1 ||
	    escape_add_text(out, id, id_len) == -1)
		return -1;
	return evbuffer_add_printf(
		   out, "\",\"status\":%d,\"headers\":", status) == -1
		   ? -1
		   : 0;
}

/* The body's content, which is left empty, and the end of the message. */
static int
answer_end(struct evbuffer *out, struct evbuffer *content)
{
	static const char before[] = ",\"body\":\"";
	static const char after[] = "\"}";

	if (evbuffer_add(out, before, strlen(before)) == -1 ||
	    evbuffer_add_buffer(out, content) == -1)
		return -1;
	return evbuffer_add(out, after, strlen(after));
}

struct evbuffer *
answer_compose(const char *id, size_t id_len, int status,
    const struct headers *headers, unsigned flags, struct body *body)
{
	struct evbuffer *out = evbuffer_new();

	if (out == NULL)
		return NULL;
	if (body_is_base64(body))
		flags |= HEADERS_BASE64;
	if (answer_begin(out, id, id_len, status) == -1 ||
	    headers_write(headers, flags, out) == -1 ||
	    answer_end(out, body->content) == -1) {
		evbuffer_free(out);
		return NULL;
	}
	return out;
}

struct evbuffer *
answer_compose_text(const char *id, size_t id_len, int status,
    const char *const *lines, const char *text, size_t len)
{
	struct headers headers;
	struct body body = { 0 };
	struct evbuffer *answer = NULL;

	headers_init(&headers, SIZE_MAX, SIZE_MAX);
	for (; *lines != NULL; lines++)
		if (headers_line(&headers, *lines, strlen(*lines)) == -1)
			goto out;
	if (body_start(&body, true, SIZE_MAX) == 0 &&
	    body_feed(&body, text, len) == 0 && body_finish(&body) == 0)
		answer = answer_compose(id, id_len, status, &headers, 0, &body);
out:
	body_clear(&body);
	headers_clear(&headers);
	return answer;
}

/* {"error":"text"} as the content of the string that it becomes. */
static int
error_content(struct evbuffer *out, const char *text)
{
	struct escape escape = { 0 };
	struct evbuffer *object = evbuffer_new();
	const void *json;
	int status = -1;

	if (object != NULL &&
	    evbuffer_add_printf(object, "{\"error\":\"") > 0 &&
	    escape_add_text(object, text, strlen(text)) == 0 &&
	    evbuffer_add(object, "\"}", 2) == 0 &&
	    (json = evbuffer_pullup(object, -1)) != NULL &&
	    escape_add(&escape, out, json, evbuffer_get_length(object)) != -1)
		status = 0;
	if (object != NULL)
		evbuffer_free(object);
	return status;
}

struct evbuffer *
answer_compose_error(
    const char *id, size_t id_len, int status, const char *text)
{
	static const char headers[] =
	    "[[\"content-type\",\"application/json\"]]";
	struct evbuffer *out = evbuffer_new(), *content = evbuffer_new();

	if (out == NULL || content == NULL ||
	    answer_begin(out, id, id_len, status) == -1 ||
	    evbuffer_add(out, headers, strlen(headers)) == -1 ||
	    error_content(content, text) == -1 ||
	    answer_end(out, content) == -1) {
		if (out != NULL)
			evbuffer_free(out);
		out = NULL;
	}
	if (content != NULL)
		evbuffer_free(content);
	return out;
}
