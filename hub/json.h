#ifndef HUB_JSON_H
#define HUB_JSON_H

#include <json-c/json.h>

#include <stddef.h>

#include "common/json.h"

struct evbuffer;
struct ws;

/* What common/json.h leaves out, for both directions. */

/*
 * The object, or array, that is the named member of an object; NULL if it is
 * absent or of another type.  Belongs to the object.
 */
struct json_object *json_get(
    struct json_object *, const char *name, enum json_type);

/*
 * Send a message as text and free it.  Returns -1 if that failed, or if
 * more than unsent_max bytes wait already: the peer does not read.
 */
int json_send(struct ws *, struct json_object *, size_t unsent_max);

/*
 * Append text as a JSON string with its quotes.  Bytes that are not UTF-8
 * become U+FFFD.  Returns -1 when out of memory.
 */
int json_escape(struct evbuffer *, const void *text, size_t len);

#endif
