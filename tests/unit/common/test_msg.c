#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/handle.h"
#include "common/link.h"
#include "common/msg.h"
#include "common/session.h"
#include "tests/unit/common/descriptors.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint8_t datagram[MSG_SIZE_MAX + 1];

/* A message whose payload is n bytes at data. */
static struct msg
reader(const void *data, size_t n)
{
	return (
	    struct msg){ .type = MSG_HELLO, .fd = -1, .data = data, .len = n };
}

static void
test_cursor_fields(void **state)
{
	struct msg_out out;
	struct msg m;
	char text[4], *copy;

	(void)state;
	msg_start(&out, MSG_HELLO, 7);
	msg_add_u8(&out, 0xfe);
	msg_add_u32(&out, 0xfffefdfc);
	msg_add_u64(&out, 0xfffefdfcfbfaf9f8);
	msg_add_str(&out, "abc");
	msg_add_str(&out, NULL);
	msg_add_str(&out, "longer than that");
	assert_false(out.failed);
	assert_int_equal(out.len, 1 + 4 + 8 + 4 + 3 + 4 + 4 + 16);

	m = reader(out.data, out.len);
	assert_false(msg_end(&m));
	assert_int_equal(msg_get_u8(&m), 0xfe);
	assert_int_equal(msg_get_u32(&m), 0xfffefdfc);
	assert_true(msg_get_u64(&m) == 0xfffefdfcfbfaf9f8);
	msg_get_str(&m, text, sizeof(text));
	assert_string_equal(text, "abc");
	msg_get_str(&m, text, sizeof(text));
	assert_string_equal(text, "");
	assert_false(msg_end(&m));
	copy = msg_get_strdup(&m);
	assert_string_equal(copy, "longer than that");
	assert_true(msg_end(&m));
	free(copy);
	msg_discard(&out);
	assert_null(out.data);
	assert_int_equal(out.len, 0);
}

/* Read one field of each kind; true if the cursor says it was there. */
static bool
get_u8(struct msg *m)
{
	assert_true(msg_get_u8(m) == 0 || !m->bad);
	return !m->bad;
}

static bool
get_u32(struct msg *m)
{
	assert_true(msg_get_u32(m) == 0 || !m->bad);
	return !m->bad;
}

static bool
get_u64(struct msg *m)
{
	assert_true(msg_get_u64(m) == 0 || !m->bad);
	return !m->bad;
}

static bool
get_str(struct msg *m)
{
	char text[16] = "poison";

	msg_get_str(m, text, sizeof(text));
	assert_true(text[0] == '\0' || !m->bad);
	return !m->bad;
}

static bool
get_strdup(struct msg *m)
{
	char *copy = msg_get_strdup(m);

	assert_int_equal(copy != NULL, !m->bad);
	free(copy);
	return !m->bad;
}

static const struct {
	bool (*get)(struct msg *);
	size_t size;
} getters[] = {
	{ get_u8, 1 },
	{ get_u32, 4 },
	{ get_u64, 8 },
	{ get_str, 4 + 3 },
	{ get_strdup, 4 + 3 },
};

/* Behind any number of bytes that were read, with any number left. */
static void
test_cursor_end(void **state)
{
	size_t i, before, left, k;

	(void)state;
	for (i = 0; i < COUNT(getters); i++)
		for (before = 0; before < 4; before++)
			for (left = 0; left < 12; left++) {
				/* Of its exact size, for the sanitizers. */
				size_t n = before + left;
				uint8_t *data = calloc(1, n + (n == 0));
				uint32_t three = 3;
				struct msg m = reader(data, n);
				bool fits = left >= getters[i].size;

				assert_non_null(data);
				memset(data, 'x', n);
				if (left >= sizeof(three))
					memcpy(data + before, &three,
					    sizeof(three));
				for (k = 0; k < before; k++)
					(void)msg_get_u8(&m);
				assert_int_equal(getters[i].get(&m), fits);
				assert_int_equal(
				    msg_end(&m), left == getters[i].size);
				if (!fits) {
					/* Bad stays bad. */
					assert_int_equal(msg_get_u8(&m), 0);
					assert_false(msg_end(&m));
				}
				free(data);
			}
}

static void
test_cursor_strings(void **state)
{
	/* A length, the bytes that follow, whether dst of 4 takes it, and
	 * whether strdup does. */
	static const struct {
		uint32_t len;
		const char *bytes;
		size_t n;
		bool str, dup;
	} table[] = {
		{ 0, "", 0, true, true },
		{ 3, "abc", 3, true, true },
		{ 4, "abcd", 4, false, true },
		{ 3, "ab", 2, false, false },
		{ 1, "", 0, false, false },
		{ 1, "\0", 1, false, false },
		{ 3, "a\0c", 3, false, false },
		{ 3, "ab\0", 3, false, false },
		{ 2, "ab\0", 3, true, true }, /* a rest, see below */
		{ UINT32_MAX, "abc", 3, false, false },
		{ 0x80000000, "abc", 3, false, false },
		{ UINT32_MAX - 3, "abc", 3, false, false },
	};
	uint8_t data[16];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		size_t n = sizeof(uint32_t) + table[i].n;
		bool rest = table[i].len < table[i].n;
		struct msg m = reader(data, n);
		char text[6] = "xxxxx", *copy;

		memcpy(data, &table[i].len, sizeof(uint32_t));
		memcpy(data + sizeof(uint32_t), table[i].bytes, table[i].n);
		msg_get_str(&m, text, 4);
		assert_int_equal(!m.bad, table[i].str);
		assert_int_equal(msg_end(&m), table[i].str && !rest);
		assert_int_equal(strlen(text), table[i].str ? table[i].len : 0);
		assert_memory_equal(text, table[i].bytes, strlen(text));
		assert_string_equal(text + 4, "x");

		m = reader(data, n);
		copy = msg_get_strdup(&m);
		assert_int_equal(copy != NULL, table[i].dup);
		assert_int_equal(msg_end(&m), table[i].dup && !rest);
		free(copy);
	}
}

static void
test_take_fd(void **state)
{
	struct msg m = reader("", 0);

	(void)state;
	assert_int_equal(msg_take_fd(&m), -1);
	m.fd = 5;
	assert_int_equal(msg_take_fd(&m), 5);
	assert_int_equal(msg_take_fd(&m), -1);
}

/* A string of n bytes. */
static char *
text_of(size_t n)
{
	char *s = malloc(n + 1);

	assert_non_null(s);
	memset(s, 'x', n);
	s[n] = '\0';
	return s;
}

static void
test_growth(void **state)
{
	struct msg_out out;
	struct msg m;
	uint32_t i;

	(void)state;
	msg_start(&out, MSG_HELLO, 0);
	for (i = 0; i < MSG_PAYLOAD_MAX / sizeof(i); i++) {
		msg_add_u32(&out, i);
		assert_int_equal(out.len, sizeof(i) * (i + 1));
		assert_true(out.size <= 2 * MSG_PAYLOAD_MAX);
	}
	assert_false(out.failed);
	assert_int_equal(out.len, MSG_PAYLOAD_MAX);
	m = reader(out.data, out.len);
	for (i = 0; i < MSG_PAYLOAD_MAX / sizeof(i); i++)
		assert_int_equal(msg_get_u32(&m), i);
	assert_true(msg_end(&m));
	/* Nothing is written beyond the bound, and failed stays failed. */
	msg_add_str(&out, "");
	assert_true(out.failed);
	assert_int_equal(out.len, MSG_PAYLOAD_MAX);
	msg_discard(&out);
	assert_false(out.failed);
}

/* What fits behind so many bytes, to the byte. */
static void
test_bound(void **state)
{
	static const size_t before[] = { 0, 1, 255, 256, 511, 512, 513,
		MSG_PAYLOAD_MAX / 2, MSG_PAYLOAD_MAX - 8, MSG_PAYLOAD_MAX - 4 };
	struct msg_out out;
	size_t i, k;
	long off;
	char *s;

	(void)state;
	for (i = 0; i < COUNT(before); i++)
		for (off = -1; off <= 1; off++) {
			long room = (long)(MSG_PAYLOAD_MAX - before[i]) - 4;

			if (room + off < 0)
				continue;
			msg_start(&out, MSG_HELLO, 0);
			for (k = 0; k < before[i]; k++)
				msg_add_u8(&out, 1);
			s = text_of((size_t)(room + off));
			msg_add_str(&out, s);
			assert_int_equal(out.failed, off > 0);
			assert_true(out.len <= MSG_PAYLOAD_MAX);
			free(s);
			msg_discard(&out);
		}
	msg_start(&out, MSG_HELLO, 0);
	s = text_of(2 * MSG_SIZE_MAX);
	msg_add_str(&out, s);
	assert_true(out.failed);
	assert_int_equal(out.len, 0);
	/* After a failure nothing is added that might make it look whole. */
	msg_add_u8(&out, 1);
	assert_int_equal(out.len, 0);
	free(s);
	msg_discard(&out);
}

static const char *
parse(struct msg *m, size_t n, int fd)
{
	return msg_parse(
	    m, datagram, n, fd, PROGRAM_PARENT, PROGRAM_AUTHD, MSG_SETUP);
}

static void
test_parse_header(void **state)
{
	struct msg m, untouched;
	uint16_t flags;
	size_t n;

	(void)state;
	memset(&m, 0x55, sizeof(m));
	untouched = m;
	msg_put_header(
	    datagram, MSG_CONF_AUTHD, MSG_FLAG_MORE, 0x1122334455667788, 16);
	assert_null(parse(&m, MSG_HEADER_SIZE + 16, -1));
	assert_int_equal(m.type, MSG_CONF_AUTHD);
	assert_int_equal(m.flags, MSG_FLAG_MORE);
	assert_true(m.id == 0x1122334455667788);
	assert_int_equal(m.fd, -1);
	assert_ptr_equal(m.data, datagram + MSG_HEADER_SIZE);
	assert_int_equal(m.len, 16);
	assert_int_equal(m.pos, 0);
	assert_false(m.bad);

	/* Every size but the one that the header says. */
	m = untouched;
	for (n = 0; n <= sizeof(datagram); n++)
		if (n != MSG_HEADER_SIZE + 16)
			assert_non_null(parse(&m, n, -1));
	/* Every flag but those that are known. */
	for (n = 0; n < 16; n++) {
		flags = (uint16_t)(1u << n);
		msg_put_header(datagram, MSG_CONF_AUTHD, flags, 0, 16);
		if (flags != MSG_FLAG_MORE)
			assert_non_null(parse(&m, MSG_HEADER_SIZE + 16, -1));
	}
	/* A length that only agrees when it wraps. */
	msg_put_header(datagram, MSG_CONF_AUTHD, 0, 0, (uint32_t)-16);
	assert_non_null(parse(&m, 0, -1));
	assert_non_null(parse(&m, MSG_HEADER_SIZE, -1));
	assert_memory_equal(&m, &untouched, sizeof(m));
}

/* Every type number that a header can hold. */
static void
test_parse_types(void **state)
{
	struct msg m;
	unsigned type;

	(void)state;
	for (type = 0; type <= UINT16_MAX; type++) {
		msg_put_header(datagram, (enum msg_type)type, 0, 0, 0);
		assert_int_equal(
		    msg_parse(&m, datagram, MSG_HEADER_SIZE, -1, PROGRAM_PARENT,
			PROGRAM_AUTHD, MSG_RUN) == NULL,
		    type == MSG_LOG_STATUS || type == MSG_STATUS_GET ||
			type == MSG_CONF_DONE || type == MSG_CONF_DROP ||
			type == MSG_SHUTDOWN);
		assert_int_equal(strcmp(msg_name(type), "?") == 0,
		    type == MSG_NONE || type >= MSG_TYPE_COUNT);
	}
	assert_string_equal(msg_name(MSG_HELLO), "MSG_HELLO");
	assert_string_equal(msg_name(MSG_ANSWER_SENT), "MSG_ANSWER_SENT");
	assert_string_equal(msg_name(UINT32_MAX), "?");
}

/*
 * The table once more, as sets: programs are bits, so that "any child" needs
 * no case of its own and shares nothing with what is tested.
 */
#define SET_PARENT    (1u << PROGRAM_PARENT)
#define SET_CONNECTOR (1u << PROGRAM_CONNECTOR)
#define SET_PROXYD    (1u << PROGRAM_PROXYD)
#define SET_AUTHD     (1u << PROGRAM_AUTHD)
#define SET_DIALER    (1u << PROGRAM_DIALER)
#define SET_LAUNCHER  (1u << PROGRAM_LAUNCHER)
#define SET_TETHERCTL (1u << PROGRAM_TETHERCTL)
#define SET_CHILD \
	(SET_CONNECTOR | SET_PROXYD | SET_AUTHD | SET_DIALER | SET_LAUNCHER)
#define STATES_START	   (1u << MSG_START)
#define STATES_SETUP	   (1u << MSG_SETUP)
#define STATES_RUN	   (1u << MSG_RUN)
#define STATES_CONF	   (STATES_SETUP | STATES_RUN)
#define STATES_ANY	   (STATES_START | STATES_CONF)
#define DESCRIPTOR_NO_FD   0
#define DESCRIPTOR_WITH_FD 1

static const struct row {
	unsigned type, from, to;
	size_t min, max;
	int descriptor;
	unsigned states;
} rows[] = {
#define MESSAGE(name, from, to, min, max, fd, state)                   \
	{ MSG_##name, SET_##from, SET_##to, min, max, DESCRIPTOR_##fd, \
		STATES_##state },
#include "common/messages.def"
#undef MESSAGE
};

static bool
is_allowed(unsigned type, unsigned from, unsigned to, size_t len,
    int descriptor, int channel_state)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (rows[i].type == type)
			return (rows[i].from >> from & 1) != 0 &&
			       (rows[i].to >> to & 1) != 0 &&
			       len >= rows[i].min && len <= rows[i].max &&
			       descriptor == rows[i].descriptor &&
			       (rows[i].states >> channel_state & 1) != 0;
	return false;
}

/* The table itself: what no entry may say. */
static void
test_table(void **state)
{
	size_t i, k;

	(void)state;
	assert_int_equal(COUNT(rows), MSG_TYPE_COUNT - 1);
	for (i = 0; i < COUNT(rows); i++) {
		assert_true(rows[i].min <= rows[i].max);
		assert_true(rows[i].max <= MSG_PAYLOAD_MAX);
		/* Nobody talks to itself, nor to who has no channel to it. */
		assert_int_equal(rows[i].from & rows[i].to, 0);
		if (((rows[i].from | rows[i].to) &
			(SET_DIALER | SET_TETHERCTL)) != 0)
			assert_true(rows[i].from == SET_PARENT ||
				    rows[i].to == SET_PARENT);
		/* Children among each other only ever know RUN. */
		if (((rows[i].from | rows[i].to) & SET_PARENT) == 0)
			assert_int_equal(rows[i].states, STATES_RUN);
		for (k = 0; k < i; k++)
			assert_int_not_equal(rows[i].type, rows[k].type);
	}
}

struct tally {
	unsigned long checked;
	unsigned long accepted;
};

static void
check_combination(struct tally *tally, unsigned type, unsigned from,
    unsigned to, size_t len, int descriptor, int channel_state)
{
	struct msg m;
	const char *why;
	bool expected =
	    is_allowed(type, from, to, len, descriptor, channel_state);

	msg_put_header(datagram, (enum msg_type)type, 0, 1, len);
	why = msg_parse(&m, datagram, MSG_HEADER_SIZE + len,
	    descriptor == 1 ? STDIN_FILENO : -1, (enum program)from,
	    (enum program)to, (enum msg_state)channel_state);
	if ((why == NULL) != expected)
		fail_msg("type %u from %u to %u, %zu bytes, descriptor %d, "
			 "state %d: %s",
		    type, from, to, len, descriptor, channel_state,
		    why == NULL ? "accepted" : why);
	tally->checked++;
	tally->accepted += why == NULL;
}

/* The generated one. */
static void
test_every_combination(void **state)
{
	struct tally tally = { 0 };
	unsigned type, from, to, i;
	int descriptor, channel_state;

	(void)state;
	for (type = 0; type <= MSG_TYPE_COUNT; type++) {
		const struct row *row =
		    type == MSG_NONE || type >= MSG_TYPE_COUNT
			? &rows[0]
			: &rows[type - 1];
		const size_t lengths[] = { 0, row->min - 1, row->min, row->max,
			row->max + 1, MSG_PAYLOAD_MAX };

		for (from = 0; from <= PROGRAM_COUNT; from++)
			for (to = 0; to <= PROGRAM_COUNT; to++)
				for (i = 0; i < COUNT(lengths); i++) {
					/* No datagram has that length. */
					if (lengths[i] > MSG_PAYLOAD_MAX)
						continue;
					for (descriptor = 0; descriptor < 2;
					     descriptor++)
						for (channel_state = MSG_START;
						     channel_state <= MSG_RUN;
						     channel_state++)
							check_combination(
							    &tally, type, from,
							    to, lengths[i],
							    descriptor,
							    channel_state);
				}
	}
	print_message("%lu combinations of type, sender, receiver, length, "
		      "descriptor and state: %lu accepted\n",
	    tally.checked, tally.accepted);
	assert_true(tally.checked > 30000);
	assert_true(tally.accepted > 0);
}

/* The longest and the shortest of what others send must fit the table. */
static void
test_lengths_fit(void **state)
{
	struct session session = { .status = SESSION_DENIED };
	struct link_up up = { 0 };
	struct msg_out out;
	char *login = text_of(SESSION_LOGIN_MAX - 1);
	char *handle = text_of(HANDLE_LEN);

	(void)state;
	memset(session.jwt, 'j', sizeof(session.jwt) - 1);
	memset(session.reason, 'r', sizeof(session.reason) - 1);
	msg_start(&out, MSG_SESSION, 1);
	session_add(&out, &session);
	assert_true(out.len <= rows[MSG_SESSION - 1].max);
	msg_discard(&out);
	msg_start(&out, MSG_SESSION_GET, 1);
	session_get_add(&out, UINT64_MAX, login);
	assert_true(out.len <= rows[MSG_SESSION_GET - 1].max);
	msg_discard(&out);
	msg_start(&out, MSG_HANDLE_NEW, 1);
	handle_owner_add(&out, UINT64_MAX, login);
	assert_true(out.len <= rows[MSG_HANDLE_NEW - 1].max);
	assert_true(out.len <= rows[MSG_HANDLE_OWNER - 1].max);
	msg_discard(&out);
	msg_start(&out, MSG_HANDLE, 1);
	handle_add(&out, handle);
	assert_true(out.len <= rows[MSG_HANDLE - 1].max);
	assert_true(out.len <= rows[MSG_HANDLE_CHECK - 1].max);
	msg_discard(&out);
	msg_start(&out, MSG_HANDLE_OWNER, 1);
	handle_owner_add(&out, 0, "");
	assert_true(out.len >= rows[MSG_HANDLE_OWNER - 1].min);
	assert_true(out.len >= rows[MSG_HANDLE_NEW - 1].min);
	msg_discard(&out);
	msg_start(&out, MSG_HANDLE, 1);
	handle_add(&out, "");
	assert_true(out.len >= rows[MSG_HANDLE - 1].min);
	assert_true(out.len >= rows[MSG_HANDLE_CHECK - 1].min);
	msg_discard(&out);
	msg_start(&out, MSG_LINK_UP, 1);
	link_up_add(&out, &up);
	assert_int_equal(out.len, rows[MSG_LINK_UP - 1].min);
	msg_discard(&out);
	memset(up.client_id, 'c', sizeof(up.client_id) - 1);
	msg_start(&out, MSG_LINK_UP, 1);
	link_up_add(&out, &up);
	assert_true(out.len <= rows[MSG_LINK_UP - 1].max);
	msg_discard(&out);
	free(login);
	free(handle);
	assert_int_equal(rows[MSG_ADOPT - 1].max, 4 + LINK_REQUEST_ID_MAX);
}

static void
make_pair(int pair[2])
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void
close_pair(int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

/* Send len bytes with n descriptors, in so many control messages. */
static void
send_descriptors(int socket, size_t len, size_t n)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(64 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = datagram, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	size_t i;
	int fd = STDIN_FILENO;

	memset(&control, 0, sizeof(control));
	if (n > 0) {
		mh.msg_control = control.space;
		mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (i = 0; i < n; i++)
			memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &fd,
			    sizeof(int));
	}
	assert_int_equal(sendmsg(socket, &mh, 0), len);
}

static void
test_receive_descriptors(void **state)
{
	static const struct {
		size_t len, n;
		int expected; /* -1 for EBADMSG */
	} table[] = {
		{ 1, 0, 1 },
		{ 1, 1, 1 },
		{ MSG_SIZE_MAX, 1, MSG_SIZE_MAX },
		{ 1, 2, -1 },
		{ 1, 3, -1 },
		{ 1, 4, -1 },
		{ 1, 64, -1 },
		/* cut: longer than any message */
		{ MSG_SIZE_MAX + 1, 0, -1 },
		{ MSG_SIZE_MAX + 1, 1, -1 },
		{ MSG_SIZE_MAX + 1, 2, -1 },
		/* must not be taken for an end that leaks the descriptor */
		{ 0, 1, -1 },
		{ 0, 2, -1 },
	};
	uint8_t *buffer = malloc(MSG_SIZE_MAX);
	int pair[2], fd, n, before;
	size_t i;

	(void)state;
	assert_non_null(buffer);
	make_pair(pair);
	before = count_descriptors();
	for (i = 0; i < COUNT(table); i++) {
		send_descriptors(pair[0], table[i].len, table[i].n);
		fd = 99;
		errno = 0;
		n = msg_recv_datagram(pair[1], buffer, &fd);
		assert_int_equal(n, table[i].expected);
		if (n == -1)
			assert_int_equal(errno, EBADMSG);
		if (n != -1 && table[i].n == 1) {
			assert_true(fd > STDERR_FILENO);
			assert_int_equal(
			    fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
			close(fd);
		} else
			assert_int_equal(fd, -1);
		assert_int_equal(count_descriptors(), before);
		/* One datagram, no more, no less. */
		assert_int_equal(msg_recv_datagram(pair[1], buffer, &fd), -1);
		assert_int_equal(errno, EAGAIN);
	}
	close(pair[0]);
	assert_int_equal(msg_recv_datagram(pair[1], buffer, &fd), 0);
	assert_int_equal(fd, -1);
	close(pair[1]);
	free(buffer);
}

static void
test_now(void **state)
{
	uint8_t *buffer = malloc(MSG_SIZE_MAX);
	int pair[2], before = count_descriptors();
	struct msg_out out;
	struct msg m;
	char *s;

	(void)state;
	assert_non_null(buffer);
	make_pair(pair);
	msg_start(&out, MSG_PEER, 3);
	msg_add_u32(&out, PROGRAM_AUTHD);
	assert_int_equal(msg_send_now(pair[0], &out, dup(STDIN_FILENO)), 0);
	assert_null(out.data);
	assert_null(msg_recv_now(pair[1], &m, buffer, 1000, PROGRAM_PARENT,
	    PROGRAM_PROXYD, MSG_RUN));
	assert_int_equal(m.type, MSG_PEER);
	assert_int_equal(m.id, 3);
	assert_int_equal(msg_get_u32(&m), PROGRAM_AUTHD);
	assert_true(msg_end(&m));
	close(msg_take_fd(&m));

	/* Refused: the descriptor goes. */
	msg_start(&out, MSG_PEER, 3);
	msg_add_u32(&out, PROGRAM_AUTHD);
	assert_int_equal(msg_send_now(pair[0], &out, dup(STDIN_FILENO)), 0);
	assert_string_equal(msg_recv_now(pair[1], &m, buffer, 1000,
				PROGRAM_PARENT, PROGRAM_PROXYD, MSG_SETUP),
	    "message not allowed now");
	send_descriptors(pair[0], 0, 1);
	assert_non_null(msg_recv_now(pair[1], &m, buffer, 1000, PROGRAM_PARENT,
	    PROGRAM_PROXYD, MSG_SETUP));
	assert_int_equal(count_descriptors(), before + 2);

	assert_string_equal(msg_recv_now(pair[1], &m, buffer, 1, PROGRAM_PARENT,
				PROGRAM_PROXYD, MSG_RUN),
	    "timeout");

	/* What does not fit is not sent. */
	s = text_of(MSG_PAYLOAD_MAX);
	msg_start(&out, MSG_PEER, 3);
	msg_add_str(&out, s);
	assert_int_equal(msg_send_now(pair[0], &out, dup(STDIN_FILENO)), -1);
	assert_int_equal(errno, EMSGSIZE);
	free(s);

	close(pair[0]);
	assert_string_equal(msg_recv_now(pair[1], &m, buffer, 1000,
				PROGRAM_PARENT, PROGRAM_PROXYD, MSG_RUN),
	    "closed");
	msg_start(&out, MSG_READY, 0);
	assert_int_equal(msg_send_now(pair[1], &out, dup(STDIN_FILENO)), -1);
	assert_int_equal(errno, EPIPE);
	close(pair[1]);
	assert_int_equal(count_descriptors(), before);
	free(buffer);
}

/* A header written and a payload gathered come out as they went in. */
static void
test_round_trip(void **state)
{
	static const size_t lengths[] = { 0, 1, 4095, 65519, MSG_PAYLOAD_MAX };
	uint8_t header[MSG_HEADER_SIZE], *payload = malloc(MSG_PAYLOAD_MAX);
	uint8_t *buffer = malloc(MSG_SIZE_MAX);
	int pair[2], fd, n;
	struct msg m;
	size_t i, k;

	(void)state;
	assert_non_null(payload);
	assert_non_null(buffer);
	for (i = 0; i < MSG_PAYLOAD_MAX; i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
	make_pair(pair);
	for (i = 0; i < COUNT(lengths); i++) {
		struct iovec iov[3] = {
			{ header, sizeof(header) },
			{ payload, lengths[i] / 2 },
			{ payload + lengths[i] / 2,
			    lengths[i] - lengths[i] / 2 },
		};

		k = MSG_HEADER_SIZE + lengths[i];
		msg_put_header(header, MSG_REQUEST, MSG_FLAG_MORE,
		    UINT64_MAX - i, lengths[i]);
		assert_int_equal(msg_send_iov(pair[0], iov, 3, -1), k);
		n = msg_recv_datagram(pair[1], buffer, &fd);
		assert_int_equal(n, k);
		assert_null(msg_parse(&m, buffer, (size_t)n, fd,
		    PROGRAM_CONNECTOR, PROGRAM_PROXYD, MSG_RUN));
		assert_int_equal(m.flags, MSG_FLAG_MORE);
		assert_true(m.id == UINT64_MAX - i);
		assert_int_equal(m.len, lengths[i]);
		assert_memory_equal(m.data, payload, m.len);
	}
	close_pair(pair);
	free(payload);
	free(buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_fields),
		cmocka_unit_test(test_cursor_end),
		cmocka_unit_test(test_cursor_strings),
		cmocka_unit_test(test_take_fd),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_parse_header),
		cmocka_unit_test(test_parse_types),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_lengths_fit),
		cmocka_unit_test(test_receive_descriptors),
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
