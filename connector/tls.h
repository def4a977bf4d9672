#ifndef CONNECTOR_TLS_H
#define CONNECTOR_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

struct bufferevent;
struct event_base;

/*
 * A bufferevent that owns fd and speaks TLS 1.2 or later on it; the server's
 * certificate must chain to a trusted one and be for host, a name or an
 * address.  BEV_EVENT_CONNECTED comes when the handshake is done.  NULL, fd
 * still the caller's, when out of memory.
 */
struct bufferevent *tls_connect(
    SSL_CTX *, struct event_base *, int fd, const char *host);

/*
 * Whether OpenSSL has to do with what went wrong with the handshake or the
 * connection; if so, why is that, for the operator.  Each reason is told once.
 */
bool tls_error(struct bufferevent *, char *why, size_t size);

#endif
