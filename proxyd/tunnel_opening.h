#ifndef PROXYD_TUNNEL_OPENING_H
#define PROXYD_TUNNEL_OPENING_H

#include <stddef.h>

/*
 * What a page asks for when it opens a tunnel, until it is known whether it
 * may: whose handle is it, may that person, as whom at the upstream?
 */

struct json_object;
struct tunnel;
struct tunnel_opening;

#define TUNNEL_PROTOCOLS_MAX  64   /* subprotocols that are offered */
#define TUNNEL_PROTOCOLS_SIZE 2048 /* bytes of all */

/* What the upstream is asked for. */
struct tunnel_ask {
	char *target;	  /* for the request line, without a token */
	char **protocols; /* of a WebSocket */
	size_t nprotocols;
	char **headers; /* of a stream, as struct request has them */
	size_t nheaders;
};

void tunnel_ask_clear(struct tunnel_ask *);

/*
 * Read and check the payload.  Returns NULL with *why set, fit to be shown,
 * if it is malformed.
 */
struct tunnel_opening *tunnel_opening_new(
    struct tunnel *, struct json_object *payload, const char **why);
void tunnel_opening_free(struct tunnel_opening *); /* NULL is fine */

/*
 * Ask.  In the end the tunnel has a far end, or is refused; tunnel.opening,
 * which this one is by now, is freed then.
 */
void tunnel_opening_start(struct tunnel_opening *);

#endif
