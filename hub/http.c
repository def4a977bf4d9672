#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <ctype.h>
#include <string.h>

#include "hub/http.h"
#include "hub/hub.h"
#include "hub/json.h"

void
http_json(struct evhttp_request *req, int status, struct json_object *object)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();
	size_t len;
	const char *text = json_text(object, &len);

	(void)evhttp_add_header(headers, "Content-Type", "application/json");
	(void)evhttp_add_header(headers, "Cache-Control", "no-store");
	(void)evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	if (body != NULL && evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
		(void)evbuffer_add(body, text, len);
	evhttp_send_reply(req, status, NULL, body);
	if (body != NULL)
		evbuffer_free(body);
	json_object_put(object);
}

void
http_error(struct evhttp_request *req, int status, const char *error)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "error", error);
	http_json(req, status, object);
}

bool
http_header_has(
    const struct evkeyvalq *headers, const char *name, const char *word)
{
	const struct evkeyval *header;
	const char *p;
	size_t len, wordlen = strlen(word);

	TAILQ_FOREACH (header, headers, next) {
		if (strcasecmp(header->key, name) != 0)
			continue;
		for (p = header->value; *p != '\0'; p += len) {
			p += strspn(p, ", \t");
			len = strcspn(p, ", \t");
			if (len == wordlen && strncasecmp(p, word, len) == 0)
				return true;
		}
	}
	return false;
}

bool
http_is_token(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) &&
		    strchr("!#$%&'*+-.^_`|~", *p) == NULL)
			return false;
	return p > name;
}

bool
http_is_value(const char *value)
{
	return value[strcspn(value, "\r\n")] == '\0';
}

bool
http_is_hop_by_hop(const char *name)
{
	static const char *const names[] = { "connection", "keep-alive",
		"proxy-authenticate", "proxy-authorization", "proxy-connection",
		"te", "trailer", "trailers", "transfer-encoding", "upgrade" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

bool
http_is_id(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("._~-", *p) == NULL)
			return false;
	/* "." and ".." are no path segments. */
	return p > text && p - text < HUB_ID_MAX && strcmp(text, ".") != 0 &&
	       strcmp(text, "..") != 0;
}
