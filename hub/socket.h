#ifndef HUB_SOCKET_H
#define HUB_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ws.h"

struct evhttp_connection;
struct evhttp_request;

/* A WebSocket that began as a request to the HTTP server. */
struct socket {
	struct ws *ws;
	struct evhttp_connection *connection; /* owns the descriptor */
};

/* Whether the request asks for a WebSocket; otherwise it is answered. */
bool socket_wanted(struct evhttp_request *);

/*
 * Answer with 101 and take the connection over from the HTTP server.
 * Returns -1, the request being answered or dropped, on failure.
 */
int socket_open(struct socket *, struct evhttp_request *, size_t message_max,
    const struct ws_ops *, void *arg);

/* Drop the connection; allowed in the callbacks of the ws. */
void socket_close(struct socket *);

/*
 * The text of a member of the query, decoded, into buffer; false if there
 * is none or it does not fit.
 */
bool socket_query(
    struct evhttp_request *, const char *name, char *buffer, size_t size);

#endif
