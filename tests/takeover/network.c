#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/takeover/drill.h"

#define FDS 64

static void
say_at(const char *what, const char *address, long long port, long result)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s %s %lld", what, address, port);
	drill_say(text, result);
}

static void
fill(struct sockaddr_in *in, const char *address, long long port)
{
	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	(void)inet_pton(AF_INET, address, &in->sin_addr);
}

/*
 * network KIND ADDRESS PORT: connect to there; a new socket for it must be
 * allowed.  KIND is tcp, or one of those that must not be.
 */
void
attack_network(struct drill *d, int argc, char **argv)
{
	static const struct {
		const char *name;
		int type;
		int protocol;
	} kinds[] = {
		{ "tcp", SOCK_STREAM, 0 },
		{ "udp", SOCK_DGRAM, 0 },
		{ "raw", SOCK_RAW, IPPROTO_ICMP },
		{ "ping", SOCK_DGRAM, IPPROTO_ICMP },
		{ "mptcp", SOCK_STREAM, IPPROTO_MPTCP },
		{ "sctp", SOCK_STREAM, IPPROTO_SCTP },
	};
	struct sockaddr_in in;
	size_t i;
	int fd;

	(void)d;
	if (argc != 3)
		fatalx("drill: network KIND ADDRESS PORT");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, argv[0]) != 0)
			continue;
		fd = socket(
		    AF_INET, kinds[i].type | SOCK_CLOEXEC, kinds[i].protocol);
		if (fd == -1) {
			say_at(argv[0], "socket", 0, -1);
			return;
		}
		fill(&in, argv[1], drill_number(argv[2]));
		say_at(argv[0], argv[1], drill_number(argv[2]),
		    connect(fd, (struct sockaddr *)&in, sizeof(in)));
		close(fd);
	}
}

/*
 * local PATH: send a datagram to a socket in the file system, or, behind an
 * '@', to an abstract one, through all sockets that there are.
 */
void
attack_local(struct drill *d, int argc, char **argv)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	unsigned sent = 0, tried = 0;
	socklen_t len;
	int fd;

	(void)d;
	if (argc != 1)
		fatalx("drill: local PATH");
	(void)strlcpy(un.sun_path, argv[0], sizeof(un.sun_path));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			  strlen(un.sun_path));
	if (un.sun_path[0] == '@')
		un.sun_path[0] = '\0';
	for (fd = 0; fd < FDS; fd++) {
		struct sockaddr_storage self;
		socklen_t size = sizeof(self);
		int type = 0;
		socklen_t type_len = sizeof(type);

		/* On all others the address is of no meaning. */
		if (getsockname(fd, (struct sockaddr *)&self, &size) == -1 ||
		    self.ss_family != AF_UNIX ||
		    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) ==
			-1 ||
		    type != SOCK_DGRAM)
			continue;
		tried++;
		if (sendto(fd, "drill", 5, MSG_DONTWAIT | MSG_NOSIGNAL,
			(struct sockaddr *)&un, len) == 5)
			sent++;
	}
	log_infox("drill: datagrams to %s: %u of %u", argv[0], sent, tried);
}

/* speak HEX: write it to each connected TCP socket that there is. */
void
attack_speak(struct drill *d, int argc, char **argv)
{
	struct sockaddr_storage peer;
	socklen_t len;
	int fd;

	(void)d;
	for (fd = 0; fd < FDS && argc == 1; fd++) {
		len = sizeof(peer);
		if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
		    (peer.ss_family == AF_INET || peer.ss_family == AF_INET6))
			drill_say("speak", send(fd, argv[0], strlen(argv[0]),
					       MSG_DONTWAIT | MSG_NOSIGNAL));
	}
}
