#include <sys/socket.h>

#include <netinet/in.h>

#include "sandbox/calls.h"

/* dialer: the system's name service, and one connection. */
static const struct call list[] = {
	/* resolv.conf, hosts, and modules of the name service */
	ALLOW(open),
	ALLOW(openat),
	ALLOW(stat),
	ALLOW(lstat),
	ALLOW(access),
	ALLOW(readlink),
	ALLOW(pread64),
	ALLOW(statx),
	ALLOW(getdents64),
	ALLOW(mmap),
	ALLOW(mprotect),
	ALLOW(uname),

	ALLOW_IF(socket, IS(0, AF_INET)),
	ALLOW_IF(socket, IS(0, AF_INET6)),
	ALLOW_IF(socket, IS(0, AF_UNIX)),
	/* which addresses this host has, RFC 6724 */
	ALLOW_IF(socket, IS(0, AF_NETLINK)),
	ALLOW(bind),
	ALLOW(connect),
	ALLOW(setsockopt),
	ALLOW(sendmmsg),
	ALLOW(recvmmsg),
	ALLOW(ioctl),
	ALLOW(geteuid),
	ALLOW(getuid),
	ALLOW(clock_nanosleep),
};

const struct calls calls_dialer = CALLS(list);
