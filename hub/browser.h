#ifndef HUB_BROWSER_H
#define HUB_BROWSER_H

#include "hub/forward.h"
#include "hub/hub.h"
#include "hub/socket.h"

struct evhttp_request;
struct json_object;

/* A page, on /ws/connect?type=browser. */
struct browser {
	TAILQ_ENTRY(browser) entry;
	struct hub *hub;
	struct socket socket;
	TAILQ_HEAD(, forward) forwards;
	size_t nforwards;
};

/* A request for a browser's WebSocket, from a person. */
void browser_accept(struct hub *, struct evhttp_request *);

/* Send a message, freeing it.  A browser that does not read is dropped. */
void browser_send(struct browser *, struct json_object *);

/* Send one message to all, and free it. */
void browsers_send(struct hub *, struct json_object *);

/* Start the closing handshake with all; drop all. */
void browsers_close(struct hub *);
void browsers_clear(struct hub *);

#endif
