/* Channels whose peer dies, lies, or says what it must not. */

#include "tests/unit/common/channel_fixture.h"

static void
test_end(void **state)
{
	struct fixture f;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_free(f.a.ch);
	f.a.ch = NULL;
	/* Sends to nobody say nothing by themselves. */
	send_empty(&f.b, MSG_ANSWER, 1);
	send_text(&f.b, MSG_ADOPT, 2, "", -1);
	assert_int_equal(f.b.broken, 0);
	spin(&f);
	assert_broken(&f.b, NULL);
	stop(&f);
}

/* What a peer sent before it closed is still read, all of it. */
static void
check_last_words(bool unread, bool sending, bool drained)
{
	struct fixture f;
	uint64_t i;

	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	for (i = 0; i < 100; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	/* Died before it read that: ECONNRESET. */
	if (unread)
		send_text(&f.b, MSG_ADOPT, 1, "", -1);
	channel_free(f.a.ch);
	f.a.ch = NULL;
	if (sending)
		send_text(&f.b, MSG_ADOPT, 2, "", -1);
	assert_int_equal(f.b.n, 0);
	if (drained) {
		channel_drain(f.b.ch);
		assert_int_equal(f.b.broken, 0);
		assert_ids(&f.b, 100);
	}
	spin(&f);
	assert_ids(&f.b, 100);
	assert_broken(&f.b, NULL);
	stop(&f);
}

static void
test_last_words(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		check_last_words((i & 1) != 0, (i & 2) != 0, (i & 4) != 0);
}

/*
 * The peer is gone, but since we are paused that is not known yet: no queue
 * grows, no blame is laid, and the loop does not run hot.
 */
static void
test_end_while_paused(void **state)
{
	struct evbuffer *source = filled(100);
	struct fixture f;
	int i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	send_text(&f.b, MSG_ADOPT, 0, "", -1);
	channel_pause(f.a.ch);
	channel_free(f.b.ch);
	f.b.ch = NULL;
	for (i = 0; i < 10; i++)
		assert_false(send_slice(&f.a, 1, source, 0, 100));
	spin(&f);
	assert_in_range(f.a.writable, 0, 1);
	assert_int_equal(f.a.broken, 0);
	channel_resume(f.a.ch);
	spin(&f);
	assert_ids(&f.a, 1);
	assert_broken(&f.a, NULL);
	stop(&f);

	/* The same with messages that wait in the queue. */
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_pause(f.b.ch);
	channel_pause(f.a.ch);
	while (channel_is_writable(f.a.ch))
		send_empty(&f.a, MSG_ANSWER_SENT, 0);
	channel_free(f.b.ch);
	f.b.ch = NULL;
	for (i = 0; i < 2 * CHANNEL_QUEUE_MAX / MSG_HEADER_SIZE; i++) {
		send_empty(&f.a, MSG_ANSWER_SENT, 0);
		if (i % 1000 == 0)
			event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	spin(&f);
	assert_int_equal(f.a.broken, 0);
	channel_resume(f.a.ch);
	spin(&f);
	assert_broken(&f.a, NULL);
	evbuffer_free(source);
	stop(&f);
}

/* Datagrams that no peer of good will sends. */
static void
test_malformed(void **state)
{
	static const struct {
		unsigned type, flags;
		size_t len, sent; /* as the header says, and in truth */
		unsigned descriptors;
		const char *why;
	} table[] = {
		{ MSG_LINK_DOWN, 0, 0, 8, 0, "datagram of the wrong size" },
		{ MSG_LINK_DOWN, 0, 1, 16, 0, "length does not match" },
		{ MSG_LINK_DOWN, 0, 0, 17, 0, "length does not match" },
		{ MSG_LINK_DOWN, 0, 1, 17, 0,
		    "length not allowed for this message" },
		{ MSG_LINK_DOWN, 8, 0, 16, 0, "unknown flags" },
		{ MSG_LINK_DOWN, 0, 0, 16, 1,
		    "descriptor missing or not allowed" },
		{ MSG_NONE, 0, 0, 16, 0, "unknown message type" },
		{ MSG_TYPE_COUNT, 0, 0, 16, 0, "unknown message type" },
		{ MSG_TYPE_COUNT, 0, 0, 16, 1, "unknown message type" },
		{ MSG_ANSWER, 0, 0, 16, 0,
		    "message not allowed on this channel" },
		{ MSG_TOKEN_GET, 0, 8, 24, 0,
		    "message not allowed on this channel" },
		{ MSG_CONF_DONE, 0, 0, 16, 0,
		    "message not allowed on this channel" },
		{ MSG_LINK_DOWN, 0, 0, 16, 2, "malformed datagram" },
		{ MSG_REQUEST, 0, 65520, MSG_SIZE_MAX + 1, 0,
		    "malformed datagram" },
		{ MSG_LINK_DOWN, 0, 0, 0, 1, "malformed datagram" },
	};
	static uint8_t datagram[MSG_SIZE_MAX + 1];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		size_t room = table[i].descriptors * sizeof(int);
		struct iovec iov = { datagram, table[i].sent };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
		struct cmsghdr *cmsg;

		start_raw(&f);
		msg_put_header(datagram, (enum msg_type)table[i].type,
		    (uint16_t)table[i].flags, 1, table[i].len);
		memset(&control, 0, sizeof(control)); /* stdin */
		if (room > 0) {
			mh.msg_control = control.space;
			mh.msg_controllen = CMSG_SPACE(room);
			cmsg = CMSG_FIRSTHDR(&mh);
			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(room);
		}
		assert_int_equal(sendmsg(f.raw, &mh, 0), table[i].sent);
		/* What comes behind it is not looked at. */
		msg_put_header(datagram, MSG_LINK_DOWN, 0, 1, 0);
		assert_int_equal(send(f.raw, datagram, 16, 0), 16);
		spin(&f);
		assert_int_equal(f.b.n, 0);
		assert_broken(&f.b, table[i].why);
		stop(&f);
	}
}

static void
test_refused(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	/* The handler says no. */
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	f.b.rc = -1;
	for (i = 0; i < 3; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	spin(&f);
	assert_ids(&f.b, 1);
	assert_broken(&f.b, "malformed message");
	assert_broken(&f.a, NULL);
	stop(&f);
	/* There is no handler. */
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	f.b.ops.handlers[MSG_ANSWER_SENT] = NULL;
	send_empty(&f.a, MSG_ANSWER_SENT, 0);
	send_empty(&f.a, MSG_LINK_DOWN, 0);
	channel_drain(f.b.ch);
	assert_int_equal(f.b.broken, 0); /* not before the loop runs */
	spin(&f);
	assert_int_equal(f.b.n, 0);
	assert_broken(&f.b, "message that nobody handles");
	stop(&f);
	/* Freed before it could say so: never again. */
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	f.b.rc = -1;
	send_empty(&f.a, MSG_ANSWER_SENT, 0);
	channel_drain(f.b.ch);
	channel_free(f.b.ch);
	f.b.ch = NULL;
	spin(&f);
	assert_int_equal(f.b.broken, 0);
	stop(&f);
}

/* The states of a child's start, in order and out of it. */
static void
test_states(void **state)
{
	static const enum msg_type sent[] = { MSG_HELLO_BACK, MSG_READY };
	struct fixture f;
	struct msg_out m;
	int channel_state;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sent); i++)
		for (channel_state = MSG_START; channel_state <= MSG_RUN;
		     channel_state++) {
			bool right =
			    channel_state == (i == 0 ? MSG_START : MSG_RUN);

			start_pair(&f, PROGRAM_AUTHD, PROGRAM_PARENT);
			channel_set_state(
			    f.b.ch, (enum msg_state)channel_state);
			msg_start(&m, sent[i], 0);
			if (i == 0)
				msg_add_u32(&m, MSG_PROTOCOL_VERSION);
			channel_send(f.a.ch, &m, -1);
			spin(&f);
			assert_int_equal(f.b.n, right);
			assert_int_equal(f.b.broken, !right);
			if (!right)
				assert_broken(&f.b, "message not allowed now");
			stop(&f);
		}
}

/* Each row of the table over a real channel between each two programs. */
static const struct row {
	enum msg_type type;
	size_t min;
	bool fd;
} rows[] = {
#define NO_FD					     false
#define WITH_FD					     true
#define MESSAGE(name, from, to, min, max, fd, state) { MSG_##name, min, fd },
#include "common/messages.def"
#undef MESSAGE
};

static void
check_pair(const struct row *row, enum program from, enum program to,
    enum msg_state channel_state, unsigned *arrived)
{
	static uint8_t payload[64];
	struct msg parsed;
	struct fixture f;
	struct msg_out m;
	uint8_t header[MSG_HEADER_SIZE + sizeof(payload)] = { 0 };
	const char *why;
	size_t i;

	start_pair(&f, from, to);
	channel_set_state(f.b.ch, channel_state);
	msg_start(&m, row->type, 1);
	for (i = 0; i < row->min; i++)
		msg_add_u8(&m, 0);
	channel_send(f.a.ch, &m, row->fd ? dup(STDIN_FILENO) : -1);
	for (i = 0; i < 4; i++)
		event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	/* As msg_parse() says, whose test has the whole table. */
	msg_put_header(header, row->type, 0, 1, row->min);
	why = msg_parse(&parsed, header, MSG_HEADER_SIZE + row->min,
	    row->fd ? STDIN_FILENO : -1, from, to, channel_state);
	assert_int_equal(f.b.n, why == NULL);
	if (why != NULL)
		assert_broken(&f.b, why);
	*arrived += (unsigned)f.b.n;
	stop(&f);
}

static void
test_every_pair(void **state)
{
	unsigned from, to, arrived = 0, tried = 0;
	int channel_state;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		for (from = 0; from < PROGRAM_COUNT; from++)
			for (to = 0; to < PROGRAM_COUNT; to++)
				for (channel_state = MSG_START;
				     channel_state <= MSG_RUN;
				     channel_state++, tried++)
					check_pair(&rows[i], (enum program)from,
					    (enum program)to,
					    (enum msg_state)channel_state,
					    &arrived);
	print_message(
	    "%u messages between all pairs: %u arrived\n", tried, arrived);
	assert_true(arrived > COUNT(rows));
}

static void
test_drain(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_drain(f.b.ch);
	for (i = 0; i < 150; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	channel_drain(f.b.ch);
	assert_ids(&f.b, 150);
	assert_int_equal(f.b.broken, 0);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_end_while_paused),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_drain),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
