#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stddef.h>

struct evbuffer;
struct json_object;

/*
 * Reading protocol messages with json-c.  Only programs that parse JSON
 * link this file.
 */

/* Nesting beyond this is refused. */
#define JSON_DEPTH_MAX 64

/*
 * Parse a text that is one JSON object and nothing else, without draining
 * or copying the buffer.  Returns an object for json_object_put(), or NULL.
 */
struct json_object *json_parse(struct evbuffer *text);

/*
 * The string member of that name, with its length in *len unless that is
 * NULL; NULL if there is none or it is no string.  Owned by the object.
 */
const char *json_string(
    const struct json_object *, const char *name, size_t *len);

#endif
