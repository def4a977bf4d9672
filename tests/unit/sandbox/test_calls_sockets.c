#include <sys/un.h>

#include <linux/audit.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>

#include "tests/unit/sandbox/calls_table.h"

/* System calls about sockets, by all that they can be told. */

#define FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)
/* Which the kernel would take for 0, or for AF_INET. */
#define WIDE (1L << 32)
/* linux/socket.h and linux/in.h: other ways to speak TCP, which Landlock has
 * not always known. */
#define FAMILY_SMC     43
#define PROTOCOL_MPTCP 262

static const struct row sockets[] = {
	{ CALL(socket, AF_INET, SOCK_STREAM, 0),
	    EACH(NO, OK, NO, NO, OK, OK, NO) },
	{ CALL(socket, AF_INET, SOCK_STREAM | FLAGS, IPPROTO_TCP),
	    EACH(NO, OK, NO, NO, OK, OK, NO) },
	{ CALL(socket, AF_INET, SOCK_STREAM | 0x100000, 0), NOBODY },
	{ CALL(socket, AF_INET, SOCK_STREAM | WIDE, 0), NOBODY },
	{ CALL(socket, AF_INET | WIDE, SOCK_STREAM, 0), NOBODY },
	{ CALL(socket, AF_INET, SOCK_STREAM, PROTOCOL_MPTCP), NOBODY },
	{ CALL(socket, AF_INET, SOCK_STREAM, IPPROTO_SCTP), NOBODY },
	{ CALL(socket, AF_INET, SOCK_DGRAM | FLAGS, 0),
	    EACH(NO, NO, NO, NO, OK, OK, NO) },
	{ CALL(socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP), NOBODY },
	{ CALL(socket, AF_INET, SOCK_RAW, IPPROTO_TCP), NOBODY },
	{ CALL(socket, AF_INET6, SOCK_STREAM, PROTOCOL_MPTCP), NOBODY },
	{ CALL(socket, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), NOBODY },
	{ CALL(socket, AF_UNIX, SOCK_STREAM | FLAGS, 0),
	    EACH(NO, NO, OK, NO, OK, OK, OK) },
	{ CALL(socket, AF_UNIX, SOCK_DGRAM | FLAGS, 0),
	    EACH(NO, NO, NO, NO, NO, NO, OK) },
	{ CALL(socket, AF_UNIX, SOCK_SEQPACKET, 0), NOBODY },
	{ CALL(socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
	    EACH(NO, NO, NO, NO, OK, OK, NO) },
	{ CALL(socket, AF_NETLINK, SOCK_RAW, NETLINK_AUDIT), NOBODY },
	{ CALL(socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), NOBODY },
	{ CALL(socket, AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE), NOBODY },
	{ CALL(socket, AF_PACKET, SOCK_RAW, 0), NOBODY },
	{ CALL(socket, AF_VSOCK, SOCK_STREAM, 0), NOBODY },
	{ CALL(socket, AF_ALG, SOCK_SEQPACKET, 0), NOBODY },
	{ CALL(socket, AF_KEY, SOCK_RAW, 2), NOBODY },
	{ CALL(socket, FAMILY_SMC, SOCK_STREAM, 0), NOBODY },
	{ CALL(socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0),
	    EACH(NO, NO, NO, NO, NO, "EFAULT", "EFAULT") },
	{ CALL(socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0),
	    EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, 0),
	    EACH(NO, NO, NO, NO, NO, "EFAULT", NO) },
	{ CALL(socketpair, AF_INET, SOCK_STREAM, 0, 0), NOBODY },
};

/* Where there is no IPv6 there are no such sockets. */
static const struct row sockets6[] = {
	{ CALL(socket, AF_INET6, SOCK_STREAM | FLAGS, 0),
	    EACH(NO, OK, NO, NO, OK, OK, NO) },
	{ CALL(socket, AF_INET6, SOCK_STREAM, IPPROTO_TCP),
	    EACH(NO, OK, NO, NO, OK, OK, NO) },
	{ CALL(socket, AF_INET6, SOCK_DGRAM, 0),
	    EACH(NO, NO, NO, NO, OK, OK, NO) },
};

static int anybody = -1;
static struct sockaddr_un anybody_at = { .sun_family = AF_UNIX };

/*
 * sendmsg(2) may have an address, which a filter does not see: those of our
 * sockets that are no streams do not mind it.
 */
static int
try_log_elsewhere(void)
{
	char text[] = "x", seen[8];
	struct iovec iov = { text, 1 };
	struct msghdr mh = { .msg_name = &anybody_at,
		.msg_namelen = sizeof(anybody_at),
		.msg_iov = &iov,
		.msg_iovlen = 1 };

	if (sendmsg(probe_world.log_end, &mh, MSG_DONTWAIT) != 1)
		return -1;
	if (recv(anybody, seen, sizeof(seen), MSG_DONTWAIT) != -1)
		errno = EBADMSG;
	else if (recv(probe_world.log, seen, sizeof(seen), MSG_DONTWAIT) == 1)
		return 0;
	return -1;
}

/* sendto(2) has an address in any call of these, and so would connect(2). */
#define ADDRESS 1

static const struct row traffic[] = {
	{ CALL(connect, -1, 0, 0),
	    EACH(NO, "EBADF", "EBADF", NO, "EBADF", "EBADF", "EBADF") },
	{ CALL(bind, -1, 0, sizeof(struct sockaddr_nl)),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(bind, -1, 0, sizeof(struct sockaddr_in)),
	    EACH(NO, NO, NO, NO, "EPERM", "EPERM", NO) },
	{ CALL(bind, -1, 0, sizeof(struct sockaddr_in6)),
	    EACH(NO, NO, NO, NO, "EPERM", "EPERM", NO) },
	{ CALL(bind, -1, 0, sizeof(struct sockaddr_un)),
	    EACH(NO, NO, NO, NO, "EPERM", "EPERM", NO) },
	{ CALL(listen, -1, 1), NOBODY },
	{ CALL(accept, -1, 0, 0), NOBODY },
	{ CALL(accept4, -1, 0, 0, 0), EACH(NO, NO, NO, NO, NO, NO, "EBADF") },
	{ CALL(shutdown, -1, 0),
	    EACH(NO, "EBADF", "EBADF", "EBADF", "EBADF", "EBADF", NO) },
	{ CALL(getsockname, -1, 0, 0),
	    EACH(NO, "EBADF", "EBADF", "EBADF", "EBADF", "EBADF", NO) },
	{ CALL(getpeername, -1, 0, 0),
	    EACH(NO, "EBADF", "EBADF", "EBADF", "EBADF", "EBADF", "EBADF") },
	{ CALL(sendto, -1, 0, 0, MSG_NOSIGNAL, 0, 0), ALL("EBADF") },
	{ CALL(sendto, -1, 0, 0, MSG_NOSIGNAL, ADDRESS, 16),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(sendto, -1, 0, 0, MSG_FASTOPEN, ADDRESS, 16), NOBODY },
	{ CALL(sendto, -1, 0, 0, MSG_FASTOPEN, 0, 0), NOBODY },
	{ CALL(sendmsg, -1, 0, MSG_DONTWAIT), ALL("EBADF") },
	{ CALL(sendmsg, -1, 0, MSG_FASTOPEN), NOBODY },
	{ TRY(try_log_elsewhere), ALL(OK) },
	{ CALL(sendmmsg, -1, 0, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(sendmmsg, -1, 0, 0, MSG_FASTOPEN), NOBODY },
	{ CALL(recvfrom, -1, 0, 0, 0, 0, 0), ALL("EBADF") },
	{ CALL(recvmsg, -1, 0, 0), ALL("EBADF") },
	{ CALL(recvmmsg, -1, 0, 0, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
};

static const struct row options[] = {
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_SNDBUF, 0, 0), ALL("EBADF") },
	{ CALL(setsockopt, -1, IPPROTO_TCP, TCP_NODELAY, 0, 0),
	    EACH(NO, "EBADF", "EBADF", "EBADF", "EBADF", "EBADF", NO) },
	{ CALL(setsockopt, -1, IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 0),
	    EACH("EBADF", NO, NO, NO, NO, "EBADF", NO) },
	/* An option of one level is another one on the next. */
	{ CALL(setsockopt, -1, IPPROTO_IP, SO_SNDBUF, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET, TCP_NODELAY, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET | WIDE, SO_SNDBUF, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_RCVBUF, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_PASSCRED, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(setsockopt, -1, IPPROTO_IP, IP_RECVERR, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(setsockopt, -1, IPPROTO_IPV6, IPV6_RECVERR, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(setsockopt, -1, SOL_NETLINK, NETLINK_EXT_ACK, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(setsockopt, -1, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 0, 0),
	    NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_ATTACH_FILTER, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_ATTACH_BPF, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_REUSEPORT, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_BINDTODEVICE, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_MARK, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_PEEK_OFF, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, SOL_SOCKET, SO_KEEPALIVE, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0, 0),
	    NOBODY },
	{ CALL(setsockopt, -1, IPPROTO_TCP, TCP_ULP, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, IPPROTO_TCP, TCP_REPAIR, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, IPPROTO_TCP, TCP_CONGESTION, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, IPPROTO_IP, IP_TRANSPARENT, 0, 0), NOBODY },
	{ CALL(setsockopt, -1, IPPROTO_IP, IP_OPTIONS, 0, 0), NOBODY },
	{ CALL(getsockopt, -1, SOL_SOCKET, SO_ERROR, 0, 0),
	    EACH(NO, "EBADF", "EBADF", "EBADF", "EBADF", "EBADF", NO) },
	{ CALL(getsockopt, -1, SOL_SOCKET, SO_TYPE, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", NO) },
	{ CALL(getsockopt, -1, SOL_SOCKET, SO_PEERCRED, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", "EBADF") },
	{ CALL(getsockopt, -1, SOL_SOCKET, SO_PEERGROUPS, 0, 0),
	    EACH(NO, NO, NO, NO, "EBADF", "EBADF", "EBADF") },
	{ CALL(getsockopt, -1, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, 0, 0),
	    NOBODY },
	{ CALL(getsockopt, -1, IPPROTO_IP, 64, 0, 0), NOBODY },
};

static void
test_sockets(void **state)
{
	(void)state;
	CHECK(sockets);
}

static void
test_sockets6(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	(void)state;
	if (fd == -1) {
		print_message("no IPv6 here\n");
		skip();
	}
	close(fd);
	CHECK(sockets6);
}

static void
test_traffic(void **state)
{
	(void)state;
	anybody = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)snprintf(anybody_at.sun_path, sizeof(anybody_at.sun_path),
	    "%s/anybody", probe_world.folder);
	assert_int_equal(
	    bind(anybody, (struct sockaddr *)&anybody_at, sizeof(anybody_at)),
	    0);
	CHECK(traffic);
	close(anybody);
	(void)unlink(anybody_at.sun_path);
}

static void
test_options(void **state)
{
	(void)state;
	CHECK(options);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_sockets6),
		cmocka_unit_test(test_traffic),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, probe_open, probe_close);
}
