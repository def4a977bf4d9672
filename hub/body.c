#include <event2/buffer.h>

#include <stdint.h>
#include <string.h>

#include "common/base64.h"
#include "hub/body.h"
#include "hub/unescape.h"

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* From behind the opening quote of a string to its closing one, or end. */
static const char *
string_end(const char *p, const char *end)
{
	const char *quote, *back;

	while ((quote = memchr(p, '"', (size_t)(end - p))) != NULL) {
		for (back = quote; back > p && back[-1] == '\\'; back--)
			;
		if ((quote - back) % 2 == 0)
			return quote;
		p = quote + 1;
	}
	return end;
}

/*
 * If the string from p to quote is the key "body" of a string, the place
 * behind the opening quote of the latter.
 */
static const char *
body_value(const char *p, const char *quote, const char *end)
{
	if (quote - p != 4 || memcmp(p, "body", 4) != 0)
		return NULL;
	p = skip_blanks(quote + 1, end);
	if (p == end || *p != ':')
		return NULL;
	p = skip_blanks(p + 1, end);
	return p < end && *p == '"' ? p + 1 : NULL;
}

/* The body in the text of an object: its start and end, or NULL. */
static const char *
body_find(const char *p, const char *end, const char **body_end)
{
	const char *quote, *value;
	unsigned depth = 0;

	for (; p < end; p++) {
		switch (*p) {
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			depth--;
			break;
		case '"':
			quote = string_end(p + 1, end);
			if (quote == end)
				return NULL;
			value = body_value(p + 1, quote, end);
			if (depth == 1 && value != NULL) {
				*body_end = string_end(value, end);
				return *body_end < end ? value : NULL;
			}
			p = quote;
			break;
		default:
			break;
		}
	}
	return NULL;
}

int
body_cut(struct body *body, struct evbuffer *message)
{
	size_t size = evbuffer_get_length(message), before, after;
	char *text = (char *)evbuffer_pullup(message, -1);
	const char *begin, *end;
	ssize_t len;

	memset(body, 0, sizeof(*body));
	if (text == NULL ||
	    (begin = body_find(text, text + size, &end)) == NULL)
		return 0;
	before = (size_t)(begin - text);
	after = (size_t)(end - text);
	if ((body->owner = evbuffer_new()) == NULL ||
	    evbuffer_add_buffer(body->owner, message) == -1 ||
	    evbuffer_add(message, text, before) == -1 ||
	    evbuffer_add(message, text + after, size - after) == -1 ||
	    (len = unescape(text + before, after - before)) == -1) {
		body_clear(body);
		return -1;
	}
	body->data = text + before;
	body->len = (size_t)len;
	return 0;
}

int
body_decode(struct body *body)
{
	ssize_t len =
	    base64_decode(body->data, body->len, (uint8_t *)body->data);

	if (len == -1)
		return -1;
	body->len = (size_t)len;
	return 0;
}

void
body_clear(struct body *body)
{
	if (body->owner != NULL)
		evbuffer_free(body->owner);
	memset(body, 0, sizeof(*body));
}
