/*
 * A client of the control socket that does what it is told, for tests:
 *
 *	seqpacket SOCKET ACTION ...
 *
 *	hello		send CTL_HELLO of the right version
 *	hello=N		... of version N
 *	send=HEX	send these bytes as one datagram
 *	type=N,LEN	send a message of that type with LEN bytes
 *	fds=N		send a CTL_RELOAD with N descriptors
 *	flood=N		send N times CTL_SHOW, reading nothing; stops when
 *			nobody takes any more for a second
 *	recv		wait for a message or the end
 *	all		... for all messages up to the end
 *	wait		until somebody ends it
 *
 * Each action that sends or receives prints what came of it, on a line.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/msg.h"

#define FDS_MAX	   64
#define PATIENCE   20000 /* of recv, in milliseconds */
#define FULL_AFTER 1000	 /* of flood */

static uint8_t datagram[2 * MSG_SIZE_MAX];
static int control = -1;

static int
open_socket(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (fd == -1 || strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
			    sizeof(sun.sun_path))
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		err(1, "%s", path);
	return fd;
}

/* Send the first n bytes of the datagram, with some descriptors. */
static int
send_datagram(size_t n, int nfds)
{
	static union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} space;
	struct iovec iov = { .iov_base = datagram, .iov_len = n };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	int i;

	if (nfds > 0) {
		mh.msg_control = space.space;
		mh.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		for (i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(cmsg) + (size_t)i * sizeof(int),
			    &control, sizeof(control));
	}
	return sendmsg(control, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) == -1 ? -1
									: 0;
}

static void
report(const char *action, int rc)
{
	printf("%s: %s\n", action, rc == 0 ? "sent" : strerror(errno));
}

static size_t
message(unsigned type, size_t len)
{
	if (len > sizeof(datagram) - MSG_HEADER_SIZE)
		errx(1, "too long");
	memset(datagram, 0, sizeof(datagram));
	msg_put_header(datagram, (enum msg_type)type, 0, 0, len);
	return MSG_HEADER_SIZE + len;
}

static size_t
hex(const char *text)
{
	char byte[3] = "";
	size_t n = 0;

	for (; text[0] != '\0' && text[1] != '\0'; text += 2) {
		memcpy(byte, text, 2);
		datagram[n++] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

static void
hello(uint32_t version)
{
	size_t n = message(MSG_CTL_HELLO, sizeof(version));

	memcpy(datagram + MSG_HEADER_SIZE, &version, sizeof(version));
	report("hello", send_datagram(n, 0));
}

static void
flood(unsigned n)
{
	struct pollfd pfd = { .events = POLLOUT };
	size_t len = message(MSG_CTL_SHOW, sizeof(uint32_t));
	unsigned sent = 0;

	pfd.fd = control;
	while (sent < n) {
		if (send_datagram(len, 0) == 0)
			sent++;
		else if (errno != EAGAIN || poll(&pfd, 1, FULL_AFTER) != 1)
			break;
	}
	printf("flood: %s\n", sent == n ? "all taken" : "stopped");
}

/* False at the end. */
static bool
receive(void)
{
	struct pollfd pfd = { .events = POLLIN };
	uint16_t type;
	ssize_t n;

	pfd.fd = control;
	if (poll(&pfd, 1, PATIENCE) != 1) {
		printf("recv: nothing\n");
		return false;
	}
	do
		n = recv(control, datagram, sizeof(datagram), 0);
	while (n == -1 && errno == ECONNRESET);
	if (n < MSG_HEADER_SIZE) {
		printf("recv: closed\n");
		return false;
	}
	memcpy(&type, datagram, sizeof(type));
	printf("recv: %s\n", msg_name(type));
	if (type == MSG_CTL_DONE && n > MSG_HEADER_SIZE + 8)
		printf("done: %.*s\n", (int)(n - MSG_HEADER_SIZE - 8),
		    (const char *)datagram + MSG_HEADER_SIZE + 8);
	return true;
}

static void
act(const char *action)
{
	const char *value = strchr(action, '=');
	size_t name = strcspn(action, "=");
	unsigned number =
	    value == NULL ? 0 : (unsigned)strtoul(++value, NULL, 10);

	if (strncmp(action, "hello", name) == 0)
		hello(value == NULL ? MSG_PROTOCOL_VERSION : number);
	else if (strncmp(action, "send", name) == 0)
		report("send", send_datagram(hex(value), 0));
	else if (strncmp(action, "type", name) == 0)
		report("type", send_datagram(message(number,
						 strtoul(strchr(value, ',') + 1,
						     NULL, 10)),
				   0));
	else if (strncmp(action, "fds", name) == 0)
		report("fds",
		    send_datagram(message(MSG_CTL_RELOAD, 0), (int)number));
	else if (strncmp(action, "flood", name) == 0)
		flood(number);
	else if (strncmp(action, "recv", name) == 0)
		(void)receive();
	else if (strncmp(action, "all", name) == 0)
		while (receive())
			continue;
	else if (strncmp(action, "wait", name) == 0)
		(void)pause();
	else
		errx(1, "%s: no such action", action);
}

int
main(int argc, char **argv)
{
	int i;

	if (argc < 2)
		errx(1, "no socket");
	setvbuf(stdout, NULL, _IOLBF, 0);
	control = open_socket(argv[1]);
	for (i = 2; i < argc; i++)
		act(argv[i]);
	return 0;
}
