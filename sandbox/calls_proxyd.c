#include <sys/ioctl.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sandbox/calls.h"

/* proxyd: connections to the upstream, by libcurl and for WebSockets. */
static const struct call list[] = {
	ALLOW(connect),
	ALLOW_IF(setsockopt, IS(1, SOL_SOCKET)),
	ALLOW_IF(setsockopt, IS(1, IPPROTO_TCP)),
	/* libcurl wakes itself up */
	ALLOW_IF(socketpair, IS(0, AF_UNIX), IS_TYPE(1, SOCK_STREAM)),
};

/* What kinds of sockets there are to be depends on the upstream's address. */
/* TCP and nothing else: Landlock knows the ports of no other protocol. */
static const struct call tcp[] = {
	ALLOW_IF(socket, IS(0, AF_INET), IS_TYPE(1, SOCK_STREAM), IS(2, 0)),
	ALLOW_IF(socket, IS(0, AF_INET), IS_TYPE(1, SOCK_STREAM),
	    IS(2, IPPROTO_TCP)),
	ALLOW_IF(socket, IS(0, AF_INET6), IS_TYPE(1, SOCK_STREAM), IS(2, 0)),
	ALLOW_IF(socket, IS(0, AF_INET6), IS_TYPE(1, SOCK_STREAM),
	    IS(2, IPPROTO_TCP)),
};

static const struct call local[] = {
	ALLOW_IF(socket, IS(0, AF_UNIX), IS_TYPE(1, SOCK_STREAM)),
};

const struct calls calls_proxyd = CALLS(list);
const struct calls calls_proxyd_tcp = CALLS(tcp);
const struct calls calls_proxyd_unix = CALLS(local);
