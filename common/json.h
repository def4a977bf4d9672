#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stddef.h>

struct evbuffer;
struct json_object;

/*
 * Protocol messages with json-c.  Only programs that need JSON link this
 * file.
 */

/* How deep a text may be nested where no setting says so. */
#define JSON_DEPTH_MAX 64

/*
 * A text with more values than that is refused: each, however short, costs up
 * to 750 bytes and a microsecond.  No message of the protocol has a hundredth.
 */
#define JSON_VALUES_MAX 65536

/*
 * Parse a text that is one JSON object (RFC 8259) and nothing else, without
 * draining or copying the buffer.  Of objects and arrays at most depth_max
 * may be in each other.  All of the text is checked before json-c, which is
 * lax, sees it.  Of members with one name the last one counts.  Returns an
 * object for json_object_put(), or NULL.
 */
struct json_object *json_parse(struct evbuffer *text, unsigned depth_max);

/* The same for an object or an array. */
struct json_object *json_parse_value(struct evbuffer *text, unsigned depth_max);

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
