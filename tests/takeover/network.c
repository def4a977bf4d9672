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
 * local PATH: send to a socket in the file system by way of our log socket,
 * which is for our lines; first as a message that has an address, where no
 * filter sees it, then with an address in the call itself.
 */
void
attack_local(struct drill *d, int argc, char **argv)
{
	static char text[] = "drill: not for the log";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr mh = {
		.msg_name = &un,
		.msg_namelen = sizeof(un),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	(void)d;
	if (argc != 1)
		fatalx("drill: local PATH");
	(void)strlcpy(un.sun_path, argv[0], sizeof(un.sun_path));
	drill_say(
	    "sendmsg", sendmsg(CHILD_FD_LOG, &mh, MSG_DONTWAIT | MSG_NOSIGNAL));
	drill_say(
	    "sendto", sendto(CHILD_FD_LOG, text, sizeof(text) - 1, MSG_DONTWAIT,
			  (struct sockaddr *)&un, sizeof(un)));
}

/* speak TEXT: to whatever there are sockets to besides our own processes. */
void
attack_speak(struct drill *d, int argc, char **argv)
{
	int fd, p;

	for (fd = CHILD_FD_ROOT; fd < FDS && argc == 1; fd++) {
		for (p = 0; p < PROGRAM_COUNT && d->fds[p] != fd; p++)
			continue;
		if (p == PROGRAM_COUNT &&
		    send(fd, argv[0], strlen(argv[0]),
			MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
			log_infox("drill: spoken");
	}
}
