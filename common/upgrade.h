#ifndef COMMON_UPGRADE_H
#define COMMON_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;

/*
 * The client's side of the opening handshake (RFC 6455 section 4.1).  Only
 * programs that open WebSockets link this file.
 */

/* The longest head of a response that is looked at, in bytes. */
#define UPGRADE_HEAD_MAX 16384

#define UPGRADE_KEY_SIZE 25 /* base64 of 16 bytes, and a NUL */

/* What to ask for; nothing in here is kept or changed. */
struct upgrade {
	const char *host; /* a name or an address, IPv6 without brackets */
	uint32_t port;
	bool default_port;	    /* of the scheme: Host goes without it */
	const char *target;	    /* path and query, percent-encoded */
	const char *version;	    /* of ours, for User-Agent */
	const char *const *headers; /* more of them, each "Name: value" */
	size_t nheaders;
	const char *const *protocols; /* subprotocols that are offered */
	size_t nprotocols;
};

/*
 * Write the request to out, and the key that it uses to key.  The memory
 * that holds it is wiped once out is drained: target and headers may be
 * secrets.  -1, with nothing written, when out of memory, or when something
 * holds what cannot stand at its place: a control character anywhere, a
 * blank in the target, no token where one must be.
 */
int upgrade_request(
    const struct upgrade *, char key[UPGRADE_KEY_SIZE], struct evbuffer *out);

/*
 * Whether s may be a subprotocol (RFC 6455 section 4.1, 10.): a token.
 * Offering one twice is an error, too, which upgrade_request() does not
 * look for.
 */
bool upgrade_is_protocol(const char *s);

enum upgrade_result {
	UPGRADE_MORE,	 /* the head is not complete */
	UPGRADE_DONE,	 /* the head is drained: frames follow */
	UPGRADE_REFUSED, /* another status than 101 */
	UPGRADE_BROKEN	 /* not what a WebSocket server says; see why */
};

struct upgrade_answer {
	int status;	      /* unless UPGRADE_MORE; -1 if there is none */
	const char *protocol; /* the one of those offered, or NULL */
	const char *why;
};

/*
 * Look at what the server answered so far to a request with that key.  A
 * subprotocol is good only if it was offered, an extension never.
 */
enum upgrade_result upgrade_response(struct evbuffer *in,
    const struct upgrade *, const char *key, struct upgrade_answer *);

#endif
