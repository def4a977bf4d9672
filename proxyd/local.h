#ifndef PROXYD_LOCAL_H
#define PROXYD_LOCAL_H

struct evbuffer;
struct request;

/*
 * What is answered here and not by the upstream: resources of our own, under
 * the prefix.
 */
enum local {
	LOCAL_NONE,    /* the upstream's */
	LOCAL_SCRIPT,  /* GET /__tether/page.js */
	LOCAL_HANDLE,  /* POST /__tether/handle: a new one, for this person */
	LOCAL_UNKNOWN, /* nothing: 404 */
	LOCAL_METHOD   /* one of them, but asked for in another way: 405 */
};

enum local local_find(const struct request *);

/* Complete answers, to be freed by the caller; NULL when out of memory. */
struct evbuffer *local_script(const struct request *);
struct evbuffer *local_handle(const struct request *, const char *handle);

#endif
