#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/slice.h"
#include "proxyd/escape.h"
#include "proxyd/field.h"
#include "proxyd/request.h"

/*
 * Any bytes as an http_proxy_request, or as the strings of one: what comes
 * back without an error must be fit for the upstream.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct request *r)
{
	const char *p;
	size_t i;

	if (!field_is_token(r->method, strlen(r->method)) ||
	    r->target[0] != '/' || strlen(r->target) > REQUEST_TARGET_MAX)
		abort();
	for (p = r->target; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			abort();
	for (i = 0; i < r->nheaders; i++) {
		size_t name = strcspn(r->headers[i], ":;");

		if (!field_is_token(r->headers[i], name) ||
		    !field_is_value(r->headers[i], strlen(r->headers[i])) ||
		    (name == 13 &&
			strncasecmp(r->headers[i], "authorization", 13) == 0) ||
		    strncasecmp(r->headers[i], "x-orchestrator-", 15) == 0)
			abort();
	}
	if (r->identified && (r->github_id == 0 || r->login[0] == '\0'))
		abort();
	if (r->has_body && r->body == NULL)
		abort();
}

/* Add what comes before the next 0xff as a JSON string; move past it. */
static void
add_string(struct evbuffer *text, const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, 0xff, *size);
	size_t len = end != NULL ? (size_t)(end - *data) : *size;

	evbuffer_add(text, "\"", 1);
	escape_add_text(text, (const char *)*data, len);
	evbuffer_add(text, "\"", 1);
	len += end != NULL;
	*data += len;
	*size -= len;
}

/* A message of the strings in data: six members, then headers. */
static void
add_message(struct evbuffer *text, const uint8_t *data, size_t size)
{
	static const char *const members[] = { "method", "path", "query",
		"proxy_base", "body", "body_encoding" };
	size_t i;

	evbuffer_add_printf(text, "{\"request_id\":\"1\"");
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		evbuffer_add_printf(text, ",\"%s\":", members[i]);
		if (size > 0 && *data != 0xff) {
			add_string(text, &data, &size);
			continue;
		}
		evbuffer_add_printf(text, "null");
		if (size > 0) {
			data++;
			size--;
		}
	}
	evbuffer_add_printf(text, ",\"headers\":[");
	for (i = 0; size > 0; i++) {
		evbuffer_add_printf(text, i > 0 ? ",[" : "[");
		add_string(text, &data, &size);
		evbuffer_add_printf(text, ",");
		add_string(text, &data, &size);
		evbuffer_add_printf(text, "]");
	}
	evbuffer_add_printf(text, "]}");
}

/* The first byte says which of the two the rest is. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct proxyd_conf conf = {
		.json_depth = 8,
		.headers_max = 16,
		.headers_size_max = 4096,
	};
	struct evbuffer *text = evbuffer_new();
	struct request *r;
	const char *why;

	if (size > 0 && data[0] % 4 == 0)
		evbuffer_add(text, data + 1, size - 1);
	else if (size > 0)
		add_message(text, data + 1, size - 1);
	r = request_parse(text, &conf, size > 0 && data[0] % 2 == 0, &why);
	if (r != NULL && r->error == NULL)
		check(r);
	request_free(r);
	evbuffer_free(text);
	return 0;
}
