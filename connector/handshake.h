#ifndef CONNECTOR_HANDSHAKE_H
#define CONNECTOR_HANDSHAKE_H

#include <openssl/ssl.h>

/*
 * From a connected socket to an open WebSocket: TLS where it is asked for,
 * the upgrade, its answer.
 */

struct bufferevent;
struct connector_conf;
struct event_base;
struct handshake;

/* Each may free the handshake; after the last three nothing else comes. */
struct handshake_ops {
	/* The request is due: see handshake_send_upgrade(). */
	void (*token_wanted)(void *arg);
	/* The WebSocket is open; bev is the callee's. */
	void (*done)(void *arg, struct bufferevent *bev);
	/* The server answered with another status than 101. */
	void (*refused)(void *arg, int status);
	void (*failed)(void *arg, const char *why);
};

/*
 * Make one for the socket fd, which is taken over; tls is for where the
 * configuration asks for TLS.  NULL, fd closed, when out of memory.
 */
struct handshake *handshake_new(struct event_base *, SSL_CTX *tls,
    const struct connector_conf *, int fd, const struct handshake_ops *,
    void *arg);

/* Begin; without TLS this calls token_wanted() at once. */
void handshake_start(struct handshake *);

/* Drop the connection, unless it is done.  NULL is allowed. */
void handshake_free(struct handshake *);

/* The answer to token_wanted(): path and query to ask for. */
void handshake_send_upgrade(struct handshake *, const char *target);

#endif
