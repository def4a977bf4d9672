#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/base64.h"
#include "common/json.h"
#include "common/slice.h"
#include "proxyd/field.h"
#include "proxyd/request.h"
#include "proxyd/request_headers.h"

static const char *take_id(struct request *);
static const char *take_method(struct request *);
static const char *take_target(struct request *);
static const char *take_base(struct request *);
static const char *take_body(struct request *);

struct request *
request_parse(struct evbuffer *text, const struct proxyd_conf *conf,
    bool keep_conditions, const char **why)
{
	struct request *r;

	if ((r = calloc(1, sizeof(*r))) == NULL) {
		*why = "out of memory";
		return NULL;
	}
	r->json = json_parse(text, conf->json_depth);
	evbuffer_drain(text, evbuffer_get_length(text));
	*why = r->json == NULL ? "not a JSON object" : take_id(r);
	if (*why != NULL) {
		request_free(r);
		return NULL;
	}
	if ((r->error = take_method(r)) != NULL ||
	    (r->error = take_target(r)) != NULL ||
	    (r->error = take_base(r)) != NULL ||
	    (r->error = request_take_headers(r, conf, keep_conditions)) != NULL)
		return r;
	r->error = take_body(r);
	return r;
}

void
request_free(struct request *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->nheaders; i++)
		free(r->headers[i]);
	free(r->headers);
	free(r->target);
	free(r->decoded);
	json_object_put(r->json);
	free(r);
}

/*
 * Look a string member up: false if it is of another type; absent or null
 * reads as *s NULL and *len 0.
 */
static bool
get_string(
    const struct request *r, const char *name, const char **s, size_t *len)
{
	struct json_object *member;

	*s = NULL;
	*len = 0;
	if (!json_object_object_get_ex(r->json, name, &member) ||
	    member == NULL)
		return true;
	if (!json_object_is_type(member, json_type_string))
		return false;
	*s = json_object_get_string(member);
	*len = (size_t)json_object_get_string_len(member);
	return true;
}

static const char *
take_id(struct request *r)
{
	if (!get_string(r, "request_id", &r->id, &r->id_len) || r->id == NULL)
		return "no request_id";
	if (r->id_len > REQUEST_ID_MAX)
		return "request_id too long";
	return NULL;
}

static const char *
take_method(struct request *r)
{
	/* Normalized as browsers do (Fetch standard, "normalize"). */
	static const char *const known[] = { "DELETE", "GET", "HEAD", "OPTIONS",
		"POST", "PUT" };
	/* Forbidden there too: not for a resource, or they echo secrets. */
	static const char *const forbidden[] = { "CONNECT", "TRACE", "TRACK" };
	const char *method;
	size_t len, i;

	if (!get_string(r, "method", &method, &len) || method == NULL)
		return "no method";
	if (len > REQUEST_METHOD_MAX || !field_is_token(method, len))
		return "bad method";
	memcpy(r->method, method, len);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(method, known[i]) == 0)
			memcpy(r->method, known[i], len);
	for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (strcasecmp(method, forbidden[i]) == 0)
			return "bad method";
	return NULL;
}

static const char *
take_target(struct request *r)
{
	const char *path, *query, *why = NULL;
	size_t path_len, query_len;

	if (!get_string(r, "path", &path, &path_len) || path == NULL)
		return "no path";
	if (!get_string(r, "query", &query, &query_len))
		return "bad query";
	r->target = request_target(path, path_len, query, query_len, &why);
	return r->target != NULL ? NULL : why;
}

/* Append in to the target at out, encoded; false for a control character. */
static bool
encode(char **out, const char *in, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		if (c >= 0x80 || strchr(" \"#<>\\", c) != NULL) {
			*(*out)++ = '%';
			*(*out)++ = hex[c >> 4];
			*(*out)++ = hex[c & 0xf];
		} else {
			*(*out)++ = (char)c;
		}
	}
	return true;
}

char *
request_target(const char *path, size_t path_len, const char *query,
    size_t query_len, const char **why)
{
	char *target, *end;
	bool clean;

	if (path_len == 0 || path[0] != '/') {
		*why = "path does not begin with /";
		return NULL;
	}
	*why = "path too long";
	if (path_len > REQUEST_TARGET_MAX || query_len > REQUEST_TARGET_MAX)
		return NULL;
	/* Each byte may become three. */
	end = target = malloc(3 * (path_len + query_len) + 2);
	if (target == NULL) {
		*why = "out of memory";
		return NULL;
	}
	clean = encode(&end, path, path_len);
	if (clean && query_len > 0) {
		*end++ = '?';
		clean = encode(&end, query, query_len);
	}
	*end = '\0';
	if (!clean)
		*why = "control character in path or query";
	if (!clean || end - target > REQUEST_TARGET_MAX) {
		free(target);
		return NULL;
	}
	return target;
}

static const char *
take_base(struct request *r)
{
	size_t len;

	if (!get_string(r, "proxy_base", &r->proxy_base, &len) ||
	    len > REQUEST_BASE_MAX || (len > 0 && strlen(r->proxy_base) != len))
		return "bad proxy_base";
	if (len == 0)
		r->proxy_base = NULL;
	return NULL;
}

static const char *
take_body(struct request *r)
{
	const char *body, *encoding;
	size_t len, encoding_len;
	ssize_t decoded;

	if (!get_string(r, "body", &body, &len))
		return "bad body";
	if (!get_string(r, "body_encoding", &encoding, &encoding_len))
		return "bad body_encoding";
	if (encoding != NULL && strcmp(encoding, "base64") != 0)
		return "unknown body_encoding";
	if (body == NULL || strcmp(r->method, "GET") == 0 ||
	    strcmp(r->method, "HEAD") == 0)
		return NULL;
	r->has_body = true;
	r->body = (const uint8_t *)body;
	r->body_len = len;
	if (encoding == NULL)
		return NULL;
	if ((r->decoded = malloc(len / 4 * 3 + 1)) == NULL)
		return "out of memory";
	if ((decoded = base64_decode(body, len, r->decoded)) == -1)
		return "body is not base64";
	r->body = r->decoded;
	r->body_len = (size_t)decoded;
	return NULL;
}
