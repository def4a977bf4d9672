#ifndef HUB_BODY_H
#define HUB_BODY_H

#include <stddef.h>

struct evbuffer;

/*
 * The body of an http_proxy_response can be nearly all of a message of
 * many megabytes.  It is taken out before the rest goes to the JSON parser
 * and is decoded where it lies: one pass, no copy.
 */
struct body {
	struct evbuffer *owner; /* of the bytes, or NULL: no body */
	char *data;
	size_t len;
};

/*
 * Cut the string member "body" of the object that message holds out of it,
 * leaving "" in its place.  Returns -1 if the string is malformed or memory
 * is short.  The rest is not checked.
 */
int body_cut(struct body *, struct evbuffer *message);

/* Undo base64 in place; -1 if it is none. */
int body_decode(struct body *);

/* Free the bytes. */
void body_clear(struct body *);

#endif
