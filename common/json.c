#include <stdbool.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "common/log.h"

#define PIECES_MAX 256

/* Bytes that are white space to JSON (RFC 8259 section 2) at the start. */
static size_t
count_blanks(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r' && s[i] != '\n')
			break;
	return i;
}

/* Where a text is, as far as counting its values needs to know. */
struct count {
	char quote; /* of the string that it is in; or NUL */
	bool escaped;
	size_t values;
};

/* How many bytes of a string come before its end, or an escape. */
static size_t
count_plain(const char *s, size_t len, char quote)
{
	size_t i;

	for (i = 0; i < len && s[i] != quote && s[i] != '\\'; i++)
		continue;
	return i;
}

/* json-c takes both kinds of quotes for names. */
static void
count_values(struct count *c, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (c->escaped) {
			c->escaped = false;
		} else if (c->quote != '\0') {
			i += count_plain(s + i, len - i, c->quote);
			c->escaped = i < len && s[i] == '\\';
			if (i < len && s[i] == c->quote)
				c->quote = '\0';
		} else if (s[i] == '"' || s[i] == '\'') {
			c->quote = s[i];
		} else if (s[i] == ',' || s[i] == '{' || s[i] == '[') {
			c->values++;
		}
	}
}

/* Feed one piece; false when the text turns out to be no JSON. */
static bool
parse_piece(struct json_tokener *tokener, struct json_object **object,
    const char *piece, size_t len)
{
	enum json_tokener_error error;

	if (*object != NULL)
		return count_blanks(piece, len) == len;
	*object = json_tokener_parse_ex(tokener, piece, (int)len);
	error = json_tokener_get_error(tokener);
	/* A NUL ends the piece for json-c, however long it is. */
	return (error == json_tokener_continue ||
		   error == json_tokener_success) &&
	       json_tokener_get_parse_end(tokener) == len;
}

struct json_object *
json_parse_value(struct evbuffer *text)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct evbuffer_iovec pieces[PIECES_MAX];
	struct json_object *object = NULL;
	struct count count = { 0 };
	struct evbuffer_ptr at;
	bool good = true;
	int i, n;

	if (tokener == NULL)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	evbuffer_ptr_set(text, &at, 0, EVBUFFER_PTR_SET);
	while (good && (size_t)at.pos < evbuffer_get_length(text)) {
		n = evbuffer_peek(text, -1, &at, pieces, PIECES_MAX);
		for (i = 0; i < n && i < PIECES_MAX && good; i++) {
			count_values(
			    &count, pieces[i].iov_base, pieces[i].iov_len);
			good = count.values <= JSON_VALUES_MAX &&
			       parse_piece(tokener, &object, pieces[i].iov_base,
				   pieces[i].iov_len);
			evbuffer_ptr_set(
			    text, &at, pieces[i].iov_len, EVBUFFER_PTR_ADD);
		}
	}
	json_tokener_free(tokener);
	if (!good || (!json_object_is_type(object, json_type_object) &&
			 !json_object_is_type(object, json_type_array))) {
		json_object_put(object);
		return NULL;
	}
	return object;
}

struct json_object *
json_parse(struct evbuffer *text)
{
	struct json_object *object = json_parse_value(text);

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
