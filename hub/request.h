#ifndef HUB_REQUEST_H
#define HUB_REQUEST_H

#include <event2/event_struct.h>

#include "hub/hub.h"

struct evhttp_request;

/* A proxied HTTP request that an instance has not answered yet. */
struct request {
	RB_ENTRY(request) entry;
	struct hub *hub;
	struct evhttp_request *http;
	struct event deadline;
	char id[33];
	char client_id[HUB_ID_MAX];
};

/* Remember a request; NULL if there are too many.  It has 30 s. */
struct request *request_new(
    struct hub *, struct evhttp_request *, const char *client_id);

/* The one with this id that the client was asked, or NULL. */
struct request *request_find(
    struct hub *, const char *client_id, const char *id);

/* Forget it: it is answered, or is about to be. */
void request_free(struct request *);

/* Answer all that a client was asked with 503. */
void requests_fail(struct hub *, const char *client_id);

/* Forget all, unanswered. */
void requests_clear(struct hub *);

#endif
