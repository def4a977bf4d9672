#ifndef COMMON_HTTP_MULTI_H
#define COMMON_HTTP_MULTI_H

#include <curl/curl.h>

/*
 * libcurl's multi interface on an event loop.  Only programs that speak HTTP
 * link this file.
 */

struct event_base;
struct http_multi;

/*
 * The transfer of that handle is over.  It is still among the others:
 * the callee, who may do so with any of them, has to remove it.
 */
typedef void (*http_multi_done)(void *arg, CURL *, CURLcode);

/* Fatal when out of memory. */
struct http_multi *http_multi_new(
    struct event_base *, http_multi_done, void *arg);

/* Closes the connections that were kept.  No transfer may be left. */
void http_multi_free(struct http_multi *);

/* How many connections are kept for the transfers to come. */
void http_multi_keep(struct http_multi *, long connections);

/*
 * Before the first transfer: connections that are kept for HTTP/1.1 in the
 * clear are looked at meanwhile.  What comes by one then is no answer to
 * anything, and would be taken for that to the next request, so that it is
 * not used again; nor is one that the other side closed.
 */
void http_multi_guard(struct http_multi *);

/*
 * Start a transfer, from the event loop on: 0, or -1 when out of memory.  The
 * handle stays the caller's.
 */
int http_multi_add(struct http_multi *, CURL *);

/* End one, or forget one that is over.  Not from a callback of the handle. */
void http_multi_remove(struct http_multi *, CURL *);

#endif
