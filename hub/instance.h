#ifndef HUB_INSTANCE_H
#define HUB_INSTANCE_H

#include <event2/event_struct.h>

#include <stdbool.h>
#include <time.h>

#include "hub/hub.h"
#include "hub/socket.h"

struct evhttp_request;
struct json_object;

/* An instance: a tetherd, or a web app of its own, on /ws/connect. */
struct instance {
	TAILQ_ENTRY(instance) entry;
	struct hub *hub;
	struct socket socket;
	struct event silence; /* drops one that says nothing */
	char id[HUB_ID_MAX];  /* "" until it is known */
	bool registered;      /* the one that has this id now */
	bool base64;	      /* takes request bodies in base64 */
	char status[8];
	struct json_object *metadata; /* what we keep of its register */
	time_t connected;
	time_t seen;
	time_t active; /* last change of status, or 0 */
};

/* A request for an instance's WebSocket. */
void instance_accept(struct hub *, struct evhttp_request *);

/* The registered instance with this id, or NULL. */
struct instance *instance_find(struct hub *, const char *id);

/* What people are told about it: a new object. */
struct json_object *instance_json(const struct instance *);

/* An array of all that are registered. */
struct json_object *instances_json(struct hub *);

/*
 * A person wants it gone: it is told so, and its requests fail.  It may
 * come back.
 */
void instance_disconnect(struct instance *);

/* Send a message, freeing it, or refuse when too much is unsent: -1. */
int instance_send(struct instance *, struct json_object *);

/* Start the closing handshake with all; drop all. */
void instances_close(struct hub *);
void instances_clear(struct hub *);

#endif
