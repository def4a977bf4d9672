#ifndef CONNECTOR_CONNECTION_H
#define CONNECTOR_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * The connection to the orchestrator and its life: a socket from the parent,
 * TLS, the WebSocket handshake, register, registered; and again, for ever,
 * when it is lost.
 */

struct connection;
struct connector;
struct evbuffer;
struct status;
struct ws;

struct connection_ops {
	/* Registered: requests may come from now on. */
	void (*up)(void *arg);
	/*
	 * It is up, and will be closed: the last words.  Whatever comes from
	 * the orchestrator later can't be answered any more (RFC 6455 section
	 * 5.5.1), which it knows by our close frame.
	 */
	void (*leaving)(void *arg);
	/* It was up and is no more. */
	void (*down)(void *arg);
	/* A text message came. */
	void (*message)(void *arg, struct evbuffer *);
	/* The output has room again. */
	void (*writable)(void *arg);
	/*
	 * It, or an attempt, is over: nothing uses the configuration.  True if
	 * it is another one now.
	 */
	bool (*ended)(void *arg);
	/* The end of connection_finish(). */
	void (*finished)(void *arg);
};

/* Connects once both peers are there.  Fatal when out of memory. */
struct connection *connection_new(
    struct connector *, const struct connection_ops *, void *arg);
void connection_free(struct connection *);

/* A peer of ours is there: start, or ask again what was not answered. */
void connection_on_peer(struct connection *);

/* The operator's wish: connect now, over a new socket. */
void connection_reconnect(struct connection *);
/* The operator had a look: connect again if it is held. */
void connection_refresh(struct connection *);
/* The operator's wish: close with 1000, and stay so until asked. */
void connection_disconnect(struct connection *);

/* The configuration is another one, in what an open connection can take. */
void connection_configure(struct connection *);
/* It is to be another one: close what there is, call ended(), and connect. */
void connection_renew(struct connection *);

/*
 * What the orchestrator said to us.  refuse() closes for good, that is, until
 * the operator asks.
 */
void connection_on_registered(struct connection *);
void connection_on_pong(struct connection *);
void connection_refuse(struct connection *, const char *why);

/*
 * The same, without a token: while connection_is_pending().  A token that was
 * granted is sound, and for that client id; authd is to keep it, and the
 * connection is made anew with it.
 */
void connection_on_granted(
    struct connection *, const char *token, const char *client_id);
void connection_on_claim_timeout(struct connection *, const char *why);

/* Close with 1000; finished() follows. */
void connection_finish(struct connection *);

bool connection_is_up(const struct connection *);

/* It waits for somebody to claim this instance. */
bool connection_is_pending(const struct connection *);

/* The orchestrator was told who may claim us, and knows no better. */
bool connection_shows_claims(const struct connection *);

/* Send a text message; dropped when there is no connection. */
void connection_send(struct connection *, const char *text, size_t len);

/* For the parts of an answer; NULL unless the connection is up. */
struct ws *connection_ws(const struct connection *);

/* Bytes that came, over all connections. */
uint64_t connection_received(const struct connection *);

/* Messages: DIALED and DIAL_FAILED of the parent, TOKEN of authd. */
int connection_on_dialed(struct connection *, struct msg *);
int connection_on_dial_failed(struct connection *, struct msg *);
int connection_on_token(struct connection *, struct msg *);

void connection_log_status(const struct connection *);
void connection_status(const struct connection *, struct status *);

#endif
