#ifndef TETHERD_URL_H
#define TETHERD_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A URL, taken apart. */
struct url {
	bool tls;   /* wss, https */
	char *host; /* without the brackets of an IPv6 address */
	uint32_t port;
	char *target; /* path and query, less the members token, client_id */
};

/*
 * Parse a ws:// or wss:// URL (RFC 6455 section 3).  Returns NULL and what
 * url_free() takes, or says what is wrong.  The text never repeats the URL,
 * which may hold a token.
 */
const char *url_parse(const char *, struct url *);

/* The same for an http:// or https:// URL (RFC 9110 section 4.2). */
const char *url_parse_http(const char *, struct url *);

/* True for localhost and the numeric addresses of this host itself. */
bool url_is_local(const struct url *);

void url_free(struct url *);

/*
 * "host", "host:port" or "[v6]:port", of n bytes: the host malloc'd, *port
 * left alone when there is none.  Returns NULL or what is wrong.
 */
const char *url_parse_authority(
    const char *, size_t n, char **host, uint32_t *port);

#endif
