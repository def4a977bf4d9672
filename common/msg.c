#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/msg.h"

/* "CHILD" in the table, and the descriptor column. */
#define PROGRAM_CHILD PROGRAM_COUNT
#define NO_FD	      false
#define WITH_FD	      true

static const struct {
	const char *name;
	unsigned from;
	unsigned to;
	size_t min;
	size_t max;
	bool fd;
	enum msg_state state;
} table[MSG_TYPE_COUNT] = {
#define MESSAGE(name, from, to, min, max, fd, state)                           \
	[MSG_##name] = { "MSG_" #name, PROGRAM_##from, PROGRAM_##to, min, max, \
		fd, MSG_##state },
#include "common/messages.def"
#undef MESSAGE
};

const char *
msg_name(unsigned type)
{
	if (type == MSG_NONE || type >= MSG_TYPE_COUNT)
		return "?";
	return table[type].name;
}

static bool
program_matches(unsigned allowed, enum program program)
{
	if (allowed == PROGRAM_CHILD)
		return program != PROGRAM_PARENT && program < PROGRAM_TETHERCTL;
	return allowed == (unsigned)program;
}

static bool
state_matches(enum msg_state allowed, enum msg_state state)
{
	return allowed == state || allowed == MSG_ANY ||
	       (allowed == MSG_CONF && state != MSG_START);
}

const char *
msg_parse(struct msg *m, const uint8_t *datagram, size_t n, int fd,
    enum program from, enum program to, enum msg_state state)
{
	uint16_t type, flags;
	uint32_t len;
	uint64_t id;

	if (n < MSG_HEADER_SIZE || n > MSG_SIZE_MAX)
		return "datagram of the wrong size";
	memcpy(&type, datagram, sizeof(type));
	memcpy(&flags, datagram + 2, sizeof(flags));
	memcpy(&len, datagram + 4, sizeof(len));
	memcpy(&id, datagram + 8, sizeof(id));

	if (type == MSG_NONE || type >= MSG_TYPE_COUNT)
		return "unknown message type";
	if (len != n - MSG_HEADER_SIZE)
		return "length does not match";
	if (len < table[type].min || len > table[type].max)
		return "length not allowed for this message";
	if (!program_matches(table[type].from, from) ||
	    !program_matches(table[type].to, to))
		return "message not allowed on this channel";
	if (!state_matches(table[type].state, state))
		return "message not allowed now";
	if ((fd != -1) != table[type].fd)
		return "descriptor missing or not allowed";
	if ((flags & ~MSG_FLAGS_KNOWN) != 0)
		return "unknown flags";

	m->type = type;
	m->flags = flags;
	m->id = id;
	m->fd = fd;
	m->data = datagram + MSG_HEADER_SIZE;
	m->len = len;
	m->pos = 0;
	m->bad = false;
	return NULL;
}

/* The next n bytes of the payload, or NULL. */
static const uint8_t *
msg_get(struct msg *m, size_t n)
{
	const uint8_t *at = m->data + m->pos;

	if (m->bad || n > m->len - m->pos) {
		m->bad = true;
		return NULL;
	}
	m->pos += n;
	return at;
}

uint8_t
msg_get_u8(struct msg *m)
{
	const uint8_t *at = msg_get(m, 1);

	return at == NULL ? 0 : *at;
}

uint32_t
msg_get_u32(struct msg *m)
{
	const uint8_t *at = msg_get(m, sizeof(uint32_t));
	uint32_t value = 0;

	if (at != NULL)
		memcpy(&value, at, sizeof(value));
	return value;
}

uint64_t
msg_get_u64(struct msg *m)
{
	const uint8_t *at = msg_get(m, sizeof(uint64_t));
	uint64_t value = 0;

	if (at != NULL)
		memcpy(&value, at, sizeof(value));
	return value;
}

/* The bytes of a string field: its length in *len, no NUL inside. */
static const uint8_t *
msg_get_bytes(struct msg *m, size_t *len)
{
	const uint8_t *at;

	*len = msg_get_u32(m);
	at = msg_get(m, *len);
	if (at != NULL && memchr(at, '\0', *len) != NULL) {
		m->bad = true;
		at = NULL;
	}
	return at;
}

void
msg_get_str(struct msg *m, char *dst, size_t size)
{
	size_t len;
	const uint8_t *at = msg_get_bytes(m, &len);

	dst[0] = '\0';
	if (at == NULL)
		return;
	if (len >= size) {
		m->bad = true;
		return;
	}
	memcpy(dst, at, len);
	dst[len] = '\0';
}

char *
msg_get_strdup(struct msg *m)
{
	size_t len;
	const uint8_t *at = msg_get_bytes(m, &len);
	char *copy;

	if (at == NULL)
		return NULL;
	copy = strndup((const char *)at, len);
	if (copy == NULL)
		m->bad = true;
	return copy;
}

int
msg_take_fd(struct msg *m)
{
	int fd = m->fd;

	m->fd = -1;
	return fd;
}

bool
msg_end(const struct msg *m)
{
	return !m->bad && m->pos == m->len;
}

void
msg_start(struct msg_out *m, enum msg_type type, uint64_t id)
{
	*m = (struct msg_out){ .type = type, .id = id };
}

static void
msg_add(struct msg_out *m, const void *src, size_t n)
{
	uint8_t *grown;
	size_t size;

	if (m->failed || n > MSG_PAYLOAD_MAX - m->len) {
		m->failed = true;
		return;
	}
	if (m->len + n > m->size) {
		size = m->len + n < 256 ? 512 : 2 * (m->len + n);
		grown = malloc(size);
		if (grown == NULL) {
			m->failed = true;
			return;
		}
		if (m->len > 0)
			memcpy(grown, m->data, m->len);
		/* The old place may hold a secret: wiped, so no realloc. */
		freezero(m->data, m->size);
		m->data = grown;
		m->size = size;
	}
	if (n > 0)
		memcpy(m->data + m->len, src, n);
	m->len += n;
}

void
msg_add_u8(struct msg_out *m, uint8_t value)
{
	msg_add(m, &value, sizeof(value));
}

void
msg_add_u32(struct msg_out *m, uint32_t value)
{
	msg_add(m, &value, sizeof(value));
}

void
msg_add_u64(struct msg_out *m, uint64_t value)
{
	msg_add(m, &value, sizeof(value));
}

void
msg_add_str(struct msg_out *m, const char *s)
{
	size_t len = s == NULL ? 0 : strlen(s);

	if (len > MSG_PAYLOAD_MAX) {
		m->failed = true;
		return;
	}
	msg_add_u32(m, (uint32_t)len);
	msg_add(m, s, len);
}

void
msg_discard(struct msg_out *m)
{
	freezero(m->data, m->size);
	msg_start(m, MSG_NONE, 0);
}

void
msg_put_header(uint8_t *dst, enum msg_type type, uint16_t flags, uint64_t id,
    size_t payload)
{
	uint16_t type16 = (uint16_t)type;
	uint32_t len = (uint32_t)payload;

	memcpy(dst, &type16, sizeof(type16));
	memcpy(dst + 2, &flags, sizeof(flags));
	memcpy(dst + 4, &len, sizeof(len));
	memcpy(dst + 8, &id, sizeof(id));
}

int
msg_send_iov(int socket, struct iovec *iov, int niov, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = (size_t)niov };
	struct cmsghdr *cmsg;
	ssize_t n;

	if (fd != -1) {
		memset(&control, 0, sizeof(control));
		mh.msg_control = control.space;
		mh.msg_controllen = sizeof(control.space);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do
		n = sendmsg(socket, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return (int)n;
}

/* The one descriptor of a received datagram; more of them are closed. */
static int
datagram_fd(struct msghdr *mh, int *fd)
{
	struct cmsghdr *cmsg;
	int fds[2], n = 0;
	size_t i, count;

	*fd = -1;
	for (cmsg = CMSG_FIRSTHDR(mh); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(mh, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			memcpy(&fds[n != 0], CMSG_DATA(cmsg) + i * sizeof(int),
			    sizeof(int));
			if (n++ > 0)
				close(fds[1]);
		}
	}
	if (n == 0)
		return 0;
	if (n > 1) {
		close(fds[0]);
		return -1;
	}
	*fd = fds[0];
	return 0;
}

int
msg_recv_datagram(int socket, uint8_t *buffer, int *fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buffer, .iov_len = MSG_SIZE_MAX };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;

	*fd = -1;
	/* ECONNRESET says once that the peer closed before it had read all
	 * of ours; what it sent itself comes after that. */
	do
		n = recvmsg(socket, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n == -1 && (errno == EINTR || errno == ECONNRESET));
	if (n == -1)
		return -1;
	/* An empty datagram looks like the end of file, a descriptor along
	 * with it would be lost. */
	if (datagram_fd(&mh, fd) == -1 || (n == 0 && *fd != -1) ||
	    (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		if (*fd != -1)
			close(*fd);
		*fd = -1;
		errno = EBADMSG;
		return -1;
	}
	return (int)n;
}

int
msg_send_now(int socket, struct msg_out *m, int fd)
{
	uint8_t header[MSG_HEADER_SIZE];
	struct iovec iov[2] = {
		{ .iov_base = header, .iov_len = sizeof(header) },
		{ .iov_base = m->data, .iov_len = m->len },
	};
	int rc = -1, saved;

	msg_put_header(header, m->type, m->flags, m->id, m->len);
	if (m->failed)
		errno = EMSGSIZE;
	else
		rc = msg_send_iov(socket, iov, 2, fd);
	saved = errno;
	msg_discard(m);
	if (fd != -1)
		close(fd);
	errno = saved;
	return rc == -1 ? -1 : 0;
}

const char *
msg_recv_now(int socket, struct msg *m, uint8_t *buffer, int timeout,
    enum program from, enum program to, enum msg_state state)
{
	struct pollfd pfd = { .fd = socket, .events = POLLIN };
	const char *why;
	int fd, n;

	do
		n = poll(&pfd, 1, timeout);
	while (n == -1 && errno == EINTR);
	if (n == 0)
		return "timeout";
	n = n == -1 ? -1 : msg_recv_datagram(socket, buffer, &fd);
	if (n == -1)
		return strerror(errno);
	if (n == 0)
		return "closed";
	why = msg_parse(m, buffer, (size_t)n, fd, from, to, state);
	if (why != NULL && fd != -1)
		close(fd);
	return why;
}
