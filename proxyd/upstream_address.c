#include <sys/un.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/slice.h"
#include "proxyd/upstream_address.h"

static const char unix_prefix[] = "unix:";

/* What is connected to whatever the settings say, unless it is "". */
static char only_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

bool
upstream_address_set_path(const char *path)
{
	return strlcpy(only_path, path, sizeof(only_path)) < sizeof(only_path);
}

static const char *
parse_path(struct upstream_address *a, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->socket;
	size_t size = sizeof(un->sun_path);

	if (path[0] != '/')
		return "the path of the upstream's socket is not absolute";
	if (strlcpy(un->sun_path, path, size) >= size)
		return "the path of the upstream's socket is too long";
	if (only_path[0] != '\0')
		(void)strlcpy(un->sun_path, only_path, size);
	un->sun_family = AF_UNIX;
	a->len = sizeof(*un);
	a->port = 80;
	(void)strlcpy(a->host, "localhost", sizeof(a->host));
	(void)strlcpy(a->base, "http://localhost", sizeof(a->base));
	(void)snprintf(a->name, sizeof(a->name), "%s%s", unix_prefix, path);
	return NULL;
}

static const char *
parse_ip(struct upstream_address *a, const char *host, uint32_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&a->socket;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->socket;

	if (port == 0 || port > UINT16_MAX)
		return "the upstream's port is not a port";
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		a->len = sizeof(*in);
	} else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		a->len = sizeof(*in6);
	} else
		return "the upstream's address is not an IP address";
	/* One spelling for each: URLs are compared with it. */
	(void)inet_ntop(a->socket.ss_family,
	    a->len == sizeof(*in) ? (void *)&in->sin_addr
				  : (void *)&in6->sin6_addr,
	    a->host, sizeof(a->host));
	a->port = port;
	(void)snprintf(a->base, sizeof(a->base),
	    a->socket.ss_family == AF_INET ? "http://%s:%u" : "http://[%s]:%u",
	    a->host, port);
	(void)strlcpy(a->name, a->base, sizeof(a->name));
	return NULL;
}

const char *
upstream_address_parse(
    struct upstream_address *a, const struct proxyd_conf *conf)
{
	const char *host = conf->upstream_host;
	size_t len = strlen(unix_prefix);

	memset(a, 0, sizeof(*a));
	return strncmp(host, unix_prefix, len) == 0
		   ? parse_path(a, host + len)
		   : parse_ip(a, host, conf->upstream_port);
}

const char *
upstream_address_path(const struct upstream_address *a)
{
	return a->socket.ss_family == AF_UNIX
		   ? ((const struct sockaddr_un *)&a->socket)->sun_path
		   : NULL;
}
