#ifndef HUB_HTTP_H
#define HUB_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct evhttp_request;
struct evkeyvalq;
struct json_object;

/* Small things about HTTP that libevent leaves to its users. */

/* Answer with a JSON value, which is freed. */
void http_json(struct evhttp_request *, int status, struct json_object *);

/* Answer with {"error":"..."}. */
void http_error(struct evhttp_request *, int status, const char *error);

/* Whether the comma list that is the named header has this word. */
bool http_header_has(
    const struct evkeyvalq *, const char *name, const char *word);

/* Whether name is a token, as header names are (RFC 9110 section 5.6.2). */
bool http_is_token(const char *name);

/* Whether it may be the value of a header: no CR, LF, NUL. */
bool http_is_value(const char *value);

/*
 * Whether a header concerns one connection only and stays behind.  Those
 * that Connection names are another matter: see http_header_has().
 */
bool http_is_hop_by_hop(const char *name);

/* Whether text can be an id: it becomes part of URLs. */
bool http_is_id(const char *text);

#endif
