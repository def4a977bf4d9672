#ifndef PROXYD_UPSTREAM_ADDRESS_H
#define PROXYD_UPSTREAM_ADDRESS_H

#include <sys/socket.h>

#include <stdint.h>

/*
 * Where the upstream is: an IP address and a port, or a socket in the file
 * system ("unix:/path").
 */

struct proxyd_conf;

/* Room for "http://host:port" of any numeric host, with its NUL. */
#define UPSTREAM_BASE_SIZE 128

struct upstream_address {
	struct sockaddr_storage socket;
	socklen_t len;
	/* "http://host:port", or "http://localhost" for a socket. */
	char base[UPSTREAM_BASE_SIZE];
	const char *host; /* for the field Host, IPv6 without brackets */
	uint32_t port;	  /* 80 where there is none */
	const char *path; /* of a socket, or NULL */
};

/*
 * Fill it in; the strings are those of the settings.  Returns NULL, or what
 * is wrong with the settings, for the operator.
 */
const char *upstream_address_parse(
    struct upstream_address *, const struct proxyd_conf *);

#endif
