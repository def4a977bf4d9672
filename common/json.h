#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stddef.h>

struct evbuffer;
struct json_object;

/*
 * Protocol messages with json-c.  Only programs that need JSON link this
 * file.
 */

/* Nesting beyond this is refused. */
#define JSON_DEPTH_MAX 64

/*
 * So is a text with more values than that: each, however short, costs up to
 * 750 bytes and a microsecond.  No message of the protocol has a hundredth.
 */
#define JSON_VALUES_MAX 65536

/*
 * Parse a text that is one JSON object and nothing else, without draining
 * or copying the buffer.  Returns an object for json_object_put(), or NULL.
 */
struct json_object *json_parse(struct evbuffer *text);

/* The same for an object or an array. */
struct json_object *json_parse_value(struct evbuffer *text);

/*
 * The string member of that name, with its length in *len; NULL if there is
 * none or it is no string.  Where len is NULL, a NUL inside makes it none,
 * too: that would make two strings of one.  Owned by the object.
 */
const char *json_string(
    const struct json_object *, const char *name, size_t *len);

/* A new object with a member "type".  Fatal when out of memory, as below. */
struct json_object *json_message(const char *type);

/* Add a member; the value belongs to the object from now on. */
void json_add(struct json_object *, const char *name, struct json_object *);
void json_add_string(struct json_object *, const char *name, const char *value);

/* The text for the wire, NUL-terminated.  Owned by the object. */
const char *json_text(struct json_object *, size_t *len);

#endif
