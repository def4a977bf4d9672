#ifndef PROXYD_ANSWER_H
#define PROXYD_ANSWER_H

#include <stddef.h>

struct body;
struct evbuffer;
struct headers;

/*
 * http_proxy_response messages, complete and ready to be sent.  Each is
 * returned in an evbuffer that the caller frees; NULL if out of memory.
 */

/*
 * The answer to the request of that id (valid UTF-8).  body was finished;
 * its content is moved, not copied, and leaves it empty.  flags are those
 * of headers_write(), but for HEADERS_BASE64, which the body knows.
 */
struct evbuffer *answer_compose(const char *id, size_t id_len, int status,
    const struct headers *headers, unsigned flags, struct body *body);

/*
 * An answer of our own: header lines ("Name: value"), of which the last is
 * NULL, and a text of that length.
 */
struct evbuffer *answer_compose_text(const char *id, size_t id_len, int status,
    const char *const *lines, const char *text, size_t len);

/*
 * An error of our own: {"error":"text"} as application/json.  The text is
 * for whoever sits at the browser: no internal details.
 */
struct evbuffer *answer_compose_error(
    const char *id, size_t id_len, int status, const char *text);

#endif
