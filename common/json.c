#include <stdbool.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "common/json_scan.h"
#include "common/log.h"

#define PIECES_MAX 256

/* Walk through the pieces of a text until take() says false. */
static bool
each_piece(struct evbuffer *text, bool (*take)(void *, const char *, size_t),
    void *arg)
{
	struct evbuffer_iovec pieces[PIECES_MAX];
	struct evbuffer_ptr at;
	int i, n;

	evbuffer_ptr_set(text, &at, 0, EVBUFFER_PTR_SET);
	while ((size_t)at.pos < evbuffer_get_length(text)) {
		n = evbuffer_peek(text, -1, &at, pieces, PIECES_MAX);
		for (i = 0; i < n && i < PIECES_MAX; i++) {
			if (!take(arg, pieces[i].iov_base, pieces[i].iov_len))
				return false;
			evbuffer_ptr_set(
			    text, &at, pieces[i].iov_len, EVBUFFER_PTR_ADD);
		}
	}
	return true;
}

static bool
scan_piece(void *arg, const char *piece, size_t len)
{
	struct json_scan *scan = arg;

	return json_scan_feed(scan, piece, len) &&
	       scan->values <= JSON_VALUES_MAX;
}

static bool
is_acceptable(struct evbuffer *text, unsigned depth_max)
{
	struct json_scan scan;

	json_scan_start(&scan, depth_max);
	return each_piece(text, scan_piece, &scan) && json_scan_complete(&scan);
}

struct parse {
	struct json_tokener *tokener;
	struct json_object *object;
};

static bool
parse_piece(void *arg, const char *piece, size_t len)
{
	struct parse *p = arg;

	/* Nothing but blanks can follow. */
	if (p->object != NULL)
		return true;
	p->object = json_tokener_parse_ex(p->tokener, piece, (int)len);
	return p->object != NULL ||
	       json_tokener_get_error(p->tokener) == json_tokener_continue;
}

struct json_object *
json_parse_value(struct evbuffer *text, unsigned depth_max)
{
	struct parse p = { .object = NULL };

	if (!is_acceptable(text, depth_max))
		return NULL;
	/* To json-c, what is in the innermost array is a level, too. */
	p.tokener = json_tokener_new_ex((int)depth_max + 1);
	if (p.tokener == NULL)
		return NULL;
	json_tokener_set_flags(p.tokener, JSON_TOKENER_STRICT);
	(void)each_piece(text, parse_piece, &p);
	/* Where json-c puts strings together; one of them may be a secret. */
	explicit_bzero(p.tokener->pb->buf, (size_t)p.tokener->pb->size);
	json_tokener_free(p.tokener);
	if (json_object_is_type(p.object, json_type_object) ||
	    json_object_is_type(p.object, json_type_array))
		return p.object;
	json_object_put(p.object);
	return NULL;
}

struct json_object *
json_parse(struct evbuffer *text, unsigned depth_max)
{
	struct json_object *object = json_parse_value(text, depth_max);

	if (object == NULL || json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

const char *
json_string(const struct json_object *object, const char *name, size_t *len)
{
	struct json_object *member;
	const char *string;
	size_t length;

	if (!json_object_object_get_ex(object, name, &member) ||
	    !json_object_is_type(member, json_type_string))
		return NULL;
	string = json_object_get_string(member);
	length = (size_t)json_object_get_string_len(member);
	if (len != NULL)
		*len = length;
	else if (strlen(string) != length)
		return NULL;
	return string;
}

struct json_object *
json_message(const char *type)
{
	struct json_object *object = json_object_new_object();

	if (object == NULL)
		fatalx("json: out of memory");
	json_add_string(object, "type", type);
	return object;
}

void
json_add(
    struct json_object *object, const char *name, struct json_object *value)
{
	if (json_object_object_add(object, name, value) != 0)
		fatalx("json: out of memory");
}

void
json_add_string(struct json_object *object, const char *name, const char *value)
{
	struct json_object *string = json_object_new_string(value);

	if (string == NULL)
		fatalx("json: out of memory");
	json_add(object, name, string);
}

const char *
json_text(struct json_object *object, size_t *len)
{
	const char *text = json_object_to_json_string_length(object,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);

	if (text == NULL)
		fatalx("json: out of memory");
	return text;
}
