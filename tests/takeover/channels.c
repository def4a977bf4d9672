#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/takeover/drill.h"

/* A receiver that takes nothing for so long is let off. */
#define STUCK_MS 300

#define FDS_MAX 253 /* SCM_MAX_FD */

/* Of what is read, for a line of the log. */
#define SHOWN_MAX 400

static enum program
find_program(const char *name)
{
	int p;

	for (p = 0; p < PROGRAM_COUNT; p++)
		if (strcmp(program_name((enum program)p), name) == 0)
			return (enum program)p;
	fatalx("drill: no such program: %s", name);
}

static int
find_channel(const struct drill *d, const char *name)
{
	return strcmp(name, "tetherd") == 0 ? d->fds[PROGRAM_PARENT]
					    : d->fds[find_program(name)];
}

static enum msg_type
find_type(const char *name)
{
	unsigned type;

	for (type = MSG_NONE + 1; type < MSG_TYPE_COUNT; type++)
		if (strcmp(msg_name(type) + strlen("MSG_"), name) == 0)
			return (enum msg_type)type;
	return (enum msg_type)drill_number(name);
}

static bool
wait_for(int fd, short what, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = what };

	return poll(&pfd, 1, ms) == 1 && (pfd.revents & what) != 0;
}

/* One datagram, with our log socket so many times as a descriptor. */
static int
put(int to, uint8_t *data, size_t len, unsigned nfds)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { data, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[FDS_MAX];
	unsigned i;

	if (nfds > 0) {
		for (i = 0; i < nfds && i < FDS_MAX; i++)
			fds[i] = CHILD_FD_LOG;
		mh.msg_control = control.space;
		mh.msg_controllen = CMSG_SPACE(i * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(i * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, i * sizeof(int));
	}
	return (int)sendmsg(to, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
put_many(int to, const char *what, uint8_t *data, size_t len, long long count,
    unsigned nfds)
{
	long long sent = 0;

	errno = 0;
	while (sent < count) {
		if (put(to, data, len, nfds) != -1) {
			sent++;
			continue;
		}
		if ((errno != EAGAIN && errno != ENOBUFS &&
			errno != ETOOMANYREFS) ||
		    !wait_for(to, POLLOUT, STUCK_MS))
			break;
	}
	log_infox("drill: %s: %lld of %lld%s%s", what, sent, count,
	    sent == count ? "" : ", ",
	    sent == count ? "" : strerrorname_np(errno));
}

static size_t
from_hex(const char *hex, uint8_t *dst, size_t size)
{
	size_t n = 0;
	unsigned byte;

	for (; n < size && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		dst[n++] = (uint8_t)byte;
	return n;
}

/* send TO TYPE ID FLAGS COUNT FDS PAYLOAD: in hexadecimal, or "-". */
void
attack_send(struct drill *d, int argc, char **argv)
{
	uint8_t *data = malloc(MSG_SIZE_MAX);
	enum msg_type type;
	size_t len;

	if (argc != 7 || data == NULL)
		fatalx("drill: send TO TYPE ID FLAGS COUNT FDS PAYLOAD");
	type = find_type(argv[1]);
	len = from_hex(argv[6], data + MSG_HEADER_SIZE, MSG_PAYLOAD_MAX);
	msg_put_header(data, type, (uint16_t)drill_number(argv[3]),
	    (uint64_t)drill_number(argv[2]), len);
	put_many(find_channel(d, argv[0]), argv[1], data, MSG_HEADER_SIZE + len,
	    drill_number(argv[4]), (unsigned)drill_number(argv[5]));
	free(data);
}

/* raw TO SIZE COUNT FDS: what makes no sense at all. */
void
attack_raw(struct drill *d, int argc, char **argv)
{
	size_t len;
	uint8_t *data;

	if (argc != 4)
		fatalx("drill: raw TO SIZE COUNT FDS");
	len = (size_t)drill_number(argv[1]);
	data = malloc(len + 1);
	if (data == NULL)
		fatalx("drill: raw");
	memset(data, 0xa5, len);
	put_many(find_channel(d, argv[0]), "raw", data, len,
	    drill_number(argv[2]), (unsigned)drill_number(argv[3]));
	free(data);
}

/* log LEVEL COUNT FDS TEXT: in hexadecimal, straight to the log socket. */
void
attack_log(struct drill *d, int argc, char **argv)
{
	uint8_t data[LOG_LINE_MAX * 2];

	(void)d;
	if (argc != 4)
		fatalx("drill: log LEVEL COUNT FDS TEXT");
	data[0] = (uint8_t)drill_number(argv[0]);
	put_many(CHILD_FD_LOG, "log", data,
	    1 + from_hex(argv[3], data + 1, sizeof(data) - 1),
	    drill_number(argv[1]), (unsigned)drill_number(argv[2]));
}

/* close WHOM [HOW]: "log", or whose channel; HOW is that of shutdown(2). */
void
attack_close(struct drill *d, int argc, char **argv)
{
	int fd;

	if (argc < 1)
		fatalx("drill: close WHOM [HOW]");
	fd = strcmp(argv[0], "log") == 0 ? CHILD_FD_LOG
					 : find_channel(d, argv[0]);
	if (argc == 1)
		(void)close(fd);
	else
		drill_say("shutdown", shutdown(fd, (int)drill_number(argv[1])));
}

/* hang MS: do nothing at all. */
void
attack_hang(struct drill *d, int argc, char **argv)
{
	(void)d;
	if (argc == 1)
		(void)poll(NULL, 0, (int)drill_number(argv[0]));
}

static void
show(const uint8_t *data, size_t len)
{
	char hex[2 * SHOWN_MAX + 1] = "";
	uint16_t type;
	size_t i;

	if (len < MSG_HEADER_SIZE)
		return;
	memcpy(&type, data, sizeof(type));
	for (i = 0; i < SHOWN_MAX && MSG_HEADER_SIZE + i < len; i++)
		(void)snprintf(
		    hex + 2 * i, 3, "%02x", data[MSG_HEADER_SIZE + i]);
	log_infox("drill: got %s: %s", msg_name(type), hex);
}

/* read FROM COUNT: what the program itself does not get any more then. */
void
attack_read(struct drill *d, int argc, char **argv)
{
	uint8_t *data = malloc(MSG_SIZE_MAX);
	long long left;
	int from, fd, n;

	if (argc != 2 || data == NULL)
		fatalx("drill: read FROM COUNT");
	from = find_channel(d, argv[0]);
	for (left = drill_number(argv[1]); left > 0; left--) {
		if (!wait_for(from, POLLIN, STUCK_MS))
			break;
		n = msg_recv_datagram(from, data, &fd);
		if (n <= 0)
			break;
		show(data, (size_t)n);
		if (fd != -1)
			close(fd);
	}
	log_infox("drill: read: %lld missing", left);
	free(data);
}
