#include <event2/buffer.h>

#include "common/utf8.h"
#include "common/ws.h"
#include "hub/json.h"

struct json_object *
json_get(struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member) ||
	    !json_object_is_type(member, type))
		return NULL;
	return member;
}

int
json_send(struct ws *ws, struct json_object *object, size_t unsent_max)
{
	const char *text;
	int result = -1;
	size_t len;

	if (ws_output_length(ws) <= unsent_max) {
		text = json_text(object, &len);
		result = ws_send(ws, WS_TEXT, text, len);
	}
	json_object_put(object);
	return result;
}

/* The length of the well-formed character at p; 0 if it is malformed. */
static size_t
json_character(const uint8_t *p, size_t len)
{
	size_t n;

	for (n = 1; n <= 4 && n <= len; n++)
		if (utf8_valid(p, n))
			return n;
	return 0;
}

static int
json_escape_byte(struct evbuffer *out, uint8_t c)
{
	switch (c) {
	case '"':
		return evbuffer_add(out, "\\\"", 2);
	case '\\':
		return evbuffer_add(out, "\\\\", 2);
	case '\n':
		return evbuffer_add(out, "\\n", 2);
	case '\r':
		return evbuffer_add(out, "\\r", 2);
	case '\t':
		return evbuffer_add(out, "\\t", 2);
	default:
		return evbuffer_add_printf(out, "\\u%04x", c) == -1 ? -1 : 0;
	}
}

int
json_escape(struct evbuffer *out, const void *text, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	const uint8_t *p = text;
	size_t i = 0, clean = 0, n;

	if (evbuffer_add(out, "\"", 1) == -1)
		return -1;
	/* What needs no escape is added in runs, from clean to i. */
	while (i < len) {
		n = 1;
		if (p[i] >= 0x20 && p[i] < 0x80 && p[i] != '"' &&
		    p[i] != '\\') {
			i++;
			continue;
		}
		if (p[i] >= 0x80 && (n = json_character(p + i, len - i)) > 0) {
			i += n;
			continue;
		}
		if (evbuffer_add(out, p + clean, i - clean) == -1)
			return -1;
		if (n == 0 ? evbuffer_add(out, replacement, 3) == -1
			   : json_escape_byte(out, p[i]) == -1)
			return -1;
		clean = ++i;
	}
	if (evbuffer_add(out, p + clean, i - clean) == -1)
		return -1;
	return evbuffer_add(out, "\"", 1);
}
