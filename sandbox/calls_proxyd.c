#include <sys/socket.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sandbox/calls.h"

/* proxyd: connections to the upstream, by libcurl and for WebSockets. */
static const struct call list[] = {
	ALLOW(connect), /* where to is up to Landlock, and to the root */
	ALLOW(shutdown),
	ALLOW_IF(getsockopt, IS(1, SOL_SOCKET), IS(2, SO_ERROR)),
	ALLOW(getsockname), /* libcurl notes where a connection is from */
	ALLOW(getpeername),
	ALLOW_IF(fcntl, IS(1, F_GETFL)),
	ALLOW_IF(fcntl, IS(1, F_SETFL)),
};

/*
 * What kinds of sockets there are to be depends on the upstream's address.
 * TCP and nothing else: Landlock knows the ports of no other protocol.
 */
static const struct call tcp[] = {
	ALLOW_IF(socket, IS(0, AF_INET), IS_TYPE(1, SOCK_STREAM), IS(2, 0)),
	ALLOW_IF(socket, IS(0, AF_INET), IS_TYPE(1, SOCK_STREAM),
	    IS(2, IPPROTO_TCP)), /* libcurl */
	ALLOW_IF(socket, IS(0, AF_INET6), IS_TYPE(1, SOCK_STREAM), IS(2, 0)),
	ALLOW_IF(socket, IS(0, AF_INET6), IS_TYPE(1, SOCK_STREAM),
	    IS(2, IPPROTO_TCP)),
	ALLOW_IF(setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)),
};

static const struct call local[] = {
	ALLOW_IF(socket, IS(0, AF_UNIX), IS_TYPE(1, SOCK_STREAM), IS(2, 0)),
	/* which does not work, but is tried */
	ALLOW_IF(setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)),
};

const struct calls calls_proxyd = CALLS(list);
const struct calls calls_proxyd_tcp = CALLS(tcp);
const struct calls calls_proxyd_unix = CALLS(local);
