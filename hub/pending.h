#ifndef HUB_PENDING_H
#define HUB_PENDING_H

#include "hub/hub.h"

struct evhttp_request;
struct json_object;

/*
 * Pending instances: those that have no token and wait on /ws/pending for a
 * person to claim them.  Nobody vouches for what they say of themselves.
 */

/* A request for the WebSocket of one. */
void pending_accept(struct hub *, struct evhttp_request *);

/* An array of all that our user may claim. */
struct json_object *pending_json(struct hub *);

/*
 * Give it a token, or refuse it.  Answers the request, whose body may name
 * the client id that the instance shall have, or the reason.
 */
void pending_claim(struct hub *, struct evhttp_request *, const char *id);
void pending_deny(struct hub *, struct evhttp_request *, const char *id);

/* Start the closing handshake with all; drop all. */
void pending_close(struct hub *);
void pending_clear(struct hub *);

#endif
