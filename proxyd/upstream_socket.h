#ifndef PROXYD_UPSTREAM_SOCKET_H
#define PROXYD_UPSTREAM_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ws.h"

/*
 * A WebSocket of the upstream, as one of its users: connecting, the opening
 * handshake, and then messages of any size in both directions.
 */

struct event_base;
struct proxyd_conf;
struct upstream_socket;

enum upstream_socket_failure {
	UPSTREAM_SOCKET_UNREACHABLE, /* or gone before it was open */
	UPSTREAM_SOCKET_TIMEOUT,
	UPSTREAM_SOCKET_MALFORMED,    /* no answer of a WebSocket server */
	UPSTREAM_SOCKET_UNAUTHORIZED, /* it does not like the JWT */
	UPSTREAM_SOCKET_REFUSED	      /* another status than 101 */
};

/*
 * What a person is told of it: a status of HTTP, which is three digits, a
 * space and the text.
 */
#define UPSTREAM_SOCKET_STATUS_SIZE 4
const char *upstream_socket_reason(enum upstream_socket_failure);

struct upstream_socket_ops {
	/* The subprotocol, or NULL; messages may go both ways from now on. */
	void (*opened)(void *arg, const char *protocol);
	/* It never opens.  The last callback; the callee frees the socket. */
	void (*failed)(void *arg, enum upstream_socket_failure);
	/* As struct ws_ops has them; closed() is the last callback, too. */
	void (*part)(
	    void *arg, enum ws_type, const void *data, size_t len, bool fin);
	void (*writable)(void *arg); /* may be NULL */
	void (*closed)(
	    void *arg, uint16_t code, const char *reason, bool clean);
};

/*
 * Connect, and ask for the target (path and query) as the user of the JWT,
 * which is not kept; the protocols must live until it is open.  All callbacks
 * come from the event loop; the socket may be freed in each.
 */
struct upstream_socket *upstream_socket_open(struct event_base *,
    const struct proxyd_conf *, const char *target, const char *jwt,
    const char *const *protocols, size_t nprotocols,
    const struct upstream_socket_ops *, void *arg);

/* Drop it without ceremony.  NULL is allowed. */
void upstream_socket_free(struct upstream_socket *);

/*
 * Begin the closing handshake; false if there is none to be had, so that the
 * caller frees the socket: closed() does not follow.
 */
bool upstream_socket_close(
    struct upstream_socket *, uint16_t code, const char *reason);

/* Once it is open.  What cannot be sent is closed, and says so. */
void upstream_socket_send(
    struct upstream_socket *, enum ws_type, bool fin, const void *, size_t);
bool upstream_socket_is_writable(const struct upstream_socket *);
void upstream_socket_pause(struct upstream_socket *);
void upstream_socket_resume(struct upstream_socket *);

#endif
