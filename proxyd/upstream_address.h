#ifndef PROXYD_UPSTREAM_ADDRESS_H
#define PROXYD_UPSTREAM_ADDRESS_H

#include <sys/socket.h>

#include <netinet/in.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Where the upstream is: an IP address and a port, or a socket in the file
 * system ("unix:/path").
 */

struct proxyd_conf;

/* Room for "http://host:port" of any numeric host, with its NUL. */
#define UPSTREAM_BASE_SIZE 128

/* And for "unix:" with any path that a socket can have. */
#define UPSTREAM_NAME_SIZE 128

struct upstream_address {
	struct sockaddr_storage socket;
	socklen_t len;
	/* For the operator; no two addresses have the same. */
	char name[UPSTREAM_NAME_SIZE];
	/* "http://host:port", or "http://localhost" for any socket. */
	char base[UPSTREAM_BASE_SIZE];
	char host[INET6_ADDRSTRLEN]; /* for the field Host, no brackets */
	uint32_t port;		     /* 80 where there is none */
};

/*
 * Fill it in: nothing of the settings is kept.  Returns NULL, or what is
 * wrong with them, for the operator.
 */
const char *upstream_address_parse(
    struct upstream_address *, const struct proxyd_conf *);

/*
 * The root directory is another one, and that is the path of the socket there,
 * whatever path the settings name from here on; "" for the one they name.
 * False if a socket can not have it.
 */
bool upstream_address_set_path(const char *path);

/* The path of a socket, as long as the address lives, or NULL. */
const char *upstream_address_path(const struct upstream_address *);

#endif
