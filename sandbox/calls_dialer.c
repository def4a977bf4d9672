#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "sandbox/calls.h"

/* dialer: the system's name service, and one connection. */
static const struct call list[] = {
	/* Modules of the name service are executable, so that this is the only
	 * process that maps what is: never what it can write to, nor anything
	 * but a file. */
	ALLOW_IF(mmap, LACKS(2, PROT_WRITE), LACKS(3, MAP_ANONYMOUS)),
	ALLOW_IF(mmap, LACKS(2, PROT_EXEC), LACKS(3, MAP_ANONYMOUS)),
	ALLOW(uname),
	ALLOW(getuid), /* nscd, and modules that are somebody's own */
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),

	/* the connection, and name servers */
	ALLOW_IF(socket, IS(0, AF_INET), IS_TYPE(1, SOCK_STREAM), IS(2, 0)),
	ALLOW_IF(socket, IS(0, AF_INET), IS_TYPE(1, SOCK_STREAM),
	    IS(2, IPPROTO_TCP)),
	ALLOW_IF(socket, IS(0, AF_INET), IS_TYPE(1, SOCK_DGRAM), IS(2, 0)),
	ALLOW_IF(socket, IS(0, AF_INET6), IS_TYPE(1, SOCK_STREAM), IS(2, 0)),
	ALLOW_IF(socket, IS(0, AF_INET6), IS_TYPE(1, SOCK_STREAM),
	    IS(2, IPPROTO_TCP)),
	ALLOW_IF(socket, IS(0, AF_INET6), IS_TYPE(1, SOCK_DGRAM), IS(2, 0)),
	/* nscd, systemd-resolved, avahi */
	ALLOW_IF(socket, IS(0, AF_UNIX), IS_TYPE(1, SOCK_STREAM), IS(2, 0)),
	/* which addresses this host has, RFC 6724 */
	ALLOW_IF(socket, IS(0, AF_NETLINK), IS_TYPE(1, SOCK_RAW),
	    IS(2, NETLINK_ROUTE)),
	ALLOW_IF(bind, IS(2, sizeof(struct sockaddr_nl))),
	/* and another way to ask for them, by systemd's modules */
	REFUSE_IF(bind, EPERM, ISNT(2, sizeof(struct sockaddr_nl))),
	ALLOW(connect), /* TCP: where to is up to Landlock */
	ALLOW(shutdown),
	ALLOW_IF(sendto, LACKS(3, MSG_FASTOPEN)),
	ALLOW_IF(sendmmsg, LACKS(3, MSG_FASTOPEN)),
	ALLOW(recvmmsg),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW_IF(getsockopt, IS(1, SOL_SOCKET)),
	ALLOW_IF(setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)),
	/* is there a name server at all? */
	ALLOW_IF(setsockopt, IS(1, IPPROTO_IP), IS(2, IP_RECVERR)),
	ALLOW_IF(setsockopt, IS(1, IPPROTO_IPV6), IS(2, IPV6_RECVERR)),
	/* modules of systemd's, which count capabilities */
	ALLOW_IF(prctl, IS(0, PR_CAPBSET_READ)),
	ALLOW_IF(setsockopt, IS(1, SOL_SOCKET), IS(2, SO_RCVBUF)),
	ALLOW_IF(setsockopt, IS(1, SOL_SOCKET), IS(2, SO_PASSCRED)),
	ALLOW_IF(setsockopt, IS(1, SOL_NETLINK), IS(2, NETLINK_PKTINFO)),
	ALLOW_IF(setsockopt, IS(1, SOL_NETLINK), IS(2, NETLINK_EXT_ACK)),
	ALLOW_IF(setsockopt, IS(1, SOL_NETLINK), IS(2, NETLINK_GET_STRICT_CHK)),
	ALLOW_IF(fcntl, IS(1, F_GETFL)),
	ALLOW_IF(fcntl, IS(1, F_SETFL)),
	ALLOW_IF(fcntl, IS(1, F_GETFD)),
	ALLOW_IF(fcntl, IS(1, F_SETFD)),
	ALLOW_IF(fcntl, IS(1, F_DUPFD_CLOEXEC)),

	/* between two attempts, RFC 8305 and resolv.conf(5) */
	ALLOW(clock_nanosleep),
	ALLOW(nanosleep),
};

const struct calls calls_dialer = CALLS(list);
