#ifndef CONNECTOR_UPGRADE_H
#define CONNECTOR_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

struct connector_conf;
struct evbuffer;

/*
 * The client's side of the opening handshake (RFC 6455 section 4.1).
 */

/* The longest head of a response that is looked at, in bytes. */
#define UPGRADE_HEAD_MAX 16384

#define UPGRADE_KEY_SIZE 25 /* base64 of 16 bytes, and a NUL */

/*
 * Write the request for the configured target, with the token and the
 * client id in its query, to out, and the key that it uses to key.  The
 * memory that holds the token is wiped once out is drained.  -1 when out of
 * memory.
 */
int upgrade_request(const struct connector_conf *, const char *token,
    char key[UPGRADE_KEY_SIZE], struct evbuffer *out);

enum upgrade_result {
	UPGRADE_MORE,	 /* the head is not complete */
	UPGRADE_DONE,	 /* the head is drained: frames follow */
	UPGRADE_REFUSED, /* another status, in *status */
	UPGRADE_BROKEN	 /* not what a WebSocket server says; see *why */
};

/* Look at what the server answered so far. */
enum upgrade_result upgrade_response(
    struct evbuffer *in, const char *key, int *status, const char **why);

#endif
