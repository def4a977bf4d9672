#ifndef PROXYD_UPSTREAM_H
#define PROXYD_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/upstream_address.h"

/*
 * HTTP to the upstream, one address and port: libcurl's multi interface on
 * our event loop, with kept-alive connections.
 */

struct event_base;
struct proxyd_conf;
struct upstream;
struct upstream_transfer;

/*
 * What to ask for; the pointers must live until the transfer is over, that
 * of the JWT only until it is started.
 */
struct upstream_request {
	const char *method;
	const char *target;   /* goes into the request line as it is */
	char *const *headers; /* "Name: value" */
	size_t nheaders;
	const char *authorization; /* a JWT, or NULL */
	bool has_body;
	const uint8_t *body;
	size_t body_len;
};

#define UPSTREAM_PAUSE 1

struct upstream_ops {
	/* A line of the head, as headers_line() takes it; -1 stops it. */
	int (*header)(void *arg, const char *line, size_t len);
	/*
	 * A piece of the body; -1 stops the transfer, UPSTREAM_PAUSE makes
	 * it wait: the same piece comes again after upstream_resume().
	 */
	int (*body)(void *arg, const void *piece, size_t len);
	/*
	 * The whole response is there: its status.  Or 0, and what happened
	 * as CURLcode: CURLE_FILESIZE_EXCEEDED where a head
	 * is larger than curl takes.  The transfer is freed after this.
	 */
	void (*done)(void *arg, int status, int error);
};

/* Fatal when out of memory. */
struct upstream *upstream_new(struct event_base *, const struct proxyd_conf *);
void upstream_free(struct upstream *);

/* Whether it could be asked: NULL, or why not, for the operator. */
const char *upstream_check(const struct proxyd_conf *);

/*
 * Go on with these settings: transfers under way end where they are, others
 * start at the new address.  Returns whether that is another one.
 */
bool upstream_change(struct upstream *, const struct proxyd_conf *);

/* "http://host:port", without a path: where its own URLs begin. */
const char *upstream_base(const struct upstream *);

/* The same, or "unix:/path": for the operator. */
const char *upstream_name(const struct upstream *);

/* The path of its socket, until upstream_change(); NULL if it has a port. */
const char *upstream_path(const struct upstream *);

/*
 * Why the last transfer that ended with CURLE_COULDNT_CONNECT did so: a text
 * that lasts, for the operator.
 */
const char *upstream_connect_failure(const struct upstream *);

/* NULL when out of memory. */
struct upstream_transfer *upstream_start(struct upstream *,
    const struct upstream_request *, const struct upstream_ops *, void *arg);

/* The status of the response, from its first piece of the body on. */
int upstream_status(const struct upstream_transfer *);

/* Let a transfer that waits go on.  Not from header() or body(). */
void upstream_resume(struct upstream_transfer *);

/* Stop and free a transfer; done() is not called.  Not from header() or
 * body(). */
void upstream_cancel(struct upstream_transfer *);

#endif
