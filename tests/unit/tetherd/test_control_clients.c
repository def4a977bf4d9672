/*
 * Clients that are not welcome, are too many, say what makes no sense, do not
 * read, or are gone before their answer.
 */

#include "tests/unit/tetherd/control_fixture.h"

static void
test_greeting(void **state)
{
	int fd;

	(void)state;
	close(open_greeted());
	fd = open_client();
	assert_false(has_message(fd));
	say(fd, MSG_CTL_HELLO, 1, MSG_PROTOCOL_VERSION + 1, 0);
	hear_done(fd, MSG_START, CONTROL_REFUSED,
	    "tetherd " TETHERD_VERSION " is of another version");
	assert_true(is_closed(fd));
	close(fd);
	/* Nothing before it, and not twice. */
	fd = open_client();
	say(fd, MSG_CTL_RELOAD, 0, 0, 0);
	assert_true(is_closed(fd));
	close(fd);
	fd = open_greeted();
	say(fd, MSG_CTL_HELLO, 1, MSG_PROTOCOL_VERSION, 0);
	assert_true(is_closed(fd));
	close(fd);
	assert_int_equal(played.reloads, 0);
}

/* Who goes while a command is under way is noticed, and forgotten. */
static void
test_gone_while_working(void **state)
{
	const struct timeval time = { 1, 500000 };
	int fd = open_greeted();

	(void)state;
	say(fd, MSG_CTL_RELOAD, 0, 0, 0);
	close(fd);
	event_base_loopexit(base, &time);
	event_base_dispatch(base);
	assert_int_equal(played.forgotten, 1);
	fd = open_greeted();
	say(fd, MSG_CTL_SHOW, 1, CONTROL_STATUS, 0);
	close(fd);
	event_base_loopexit(base, &time);
	event_base_dispatch(base);
	answer_all(played.id);
}

/* Numbers that mean nothing. */
static void
test_wrong_values(void **state)
{
	static const struct {
		enum msg_type type;
		int n;
		uint32_t a, b;
	} wrong[] = {
		{ MSG_CTL_SHOW, 1, CONTROL_VIEW_COUNT, 0 },
		{ MSG_CTL_SHOW, 1, UINT32_MAX, 0 },
		{ MSG_CTL_LOG, 2, CONTROL_LEVEL_COUNT, CONTROL_ALL },
		{ MSG_CTL_LOG, 2, CONTROL_BRIEF, PROGRAM_DIALER },
		{ MSG_CTL_LOG, 2, CONTROL_BRIEF, PROGRAM_TETHERCTL },
		{ MSG_CTL_LOG, 2, CONTROL_BRIEF, CONTROL_ALL + 1 },
		{ MSG_CTL_LOG, 2, UINT32_MAX, UINT32_MAX },
		{ MSG_CTL_ADMIN, 2, ADMIN_USERS, 0 },
	};
	size_t i;
	int fd;

	(void)state;
	played.level_of = PROGRAM_DIALER;
	for (i = 0; i < COUNT(wrong); i++) {
		fd = open_greeted();
		say(fd, wrong[i].type, wrong[i].n, wrong[i].a, wrong[i].b);
		assert_true(is_closed(fd));
		close(fd);
	}
	assert_int_equal(played.level_of, PROGRAM_DIALER);
	assert_int_equal(played.asked, 0);
}

/* Every type, before and after the greeting, cut, and with a descriptor. */
static void
test_garbage(void **state)
{
	uint8_t datagram[MSG_HEADER_SIZE + 16];
	struct iovec iov = { .iov_base = datagram };
	unsigned type;
	size_t n;
	int fd, round;

	(void)state;
	for (type = 0; type <= MSG_TYPE_COUNT; type++)
		for (round = 0; round < 2; round++) {
			fd = round == 0 ? open_client() : open_greeted();
			memset(datagram, 0xff, sizeof(datagram));
			msg_put_header(datagram, (enum msg_type)type, 0, 0, 16);
			iov.iov_len = sizeof(datagram);
			assert_int_not_equal(msg_send_iov(fd, &iov, 1, -1), -1);
			spin();
			assert_true(is_closed(fd));
			close(fd);
		}
	msg_put_header(datagram, MSG_CTL_HELLO, 0, 0, 4);
	for (n = 1; n < MSG_HEADER_SIZE + 4; n++) {
		fd = open_client();
		iov.iov_len = n;
		assert_int_not_equal(msg_send_iov(fd, &iov, 1, -1), -1);
		spin();
		assert_true(is_closed(fd));
		close(fd);
	}
	fd = open_greeted();
	msg_put_header(datagram, MSG_CTL_RELOAD, 0, 0, 0);
	iov.iov_len = MSG_HEADER_SIZE;
	assert_int_not_equal(msg_send_iov(fd, &iov, 1, fd), -1);
	spin();
	assert_true(is_closed(fd));
	close(fd);
	assert_int_equal(played.reloads, 0);
}

static void
test_too_many(void **state)
{
	int fds[CONTROL_CLIENTS_MAX], fd;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(fds); i++)
		fds[i] = open_greeted();
	fd = open_client();
	hear_done(fd, MSG_START, CONTROL_REFUSED, "too many clients");
	assert_true(is_closed(fd));
	close(fd);
	close(fds[3]);
	spin();
	fds[3] = open_greeted();
	say(fds[0], MSG_CTL_SHOW, 1, CONTROL_LIMITS, 0);
	answer_all(played.id);
	assert_in(hear_rows(fds[0]), "limit=control clients value=8 in use=8 ");
	for (i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

/*
 * One that asks and never reads: at some point nobody answers any more, and
 * what it has not read yet comes later.
 */
static void
test_never_reads(void **state)
{
	int fd = open_greeted();
	struct msg_out m;
	unsigned shown = 0, asked = 0;
	struct msg in;
	bool sent;

	(void)state;
	played.text_len = 100000;
	do {
		msg_start(&m, MSG_CTL_SHOW, 0);
		msg_add_u32(&m, CONTROL_CONFIG);
		sent = msg_send_now(fd, &m, -1) == 0;
		asked += sent;
		spin();
	} while (sent && asked < 100000);
	/* Its own socket is full. */
	assert_int_equal(errno, EAGAIN);
	while (msg_recv_now(fd, &in, buffer, 0, PROGRAM_PARENT,
		   PROGRAM_TETHERCTL, MSG_RUN) == NULL) {
		shown += in.type == MSG_CTL_DONE;
		spin();
	}
	assert_int_equal(shown, asked);
	close(fd);
}

static void
test_stop(void **state)
{
	int waiting = open_greeted(), idle = open_greeted();

	(void)state;
	say(waiting, MSG_CTL_RELOAD, 0, 0, 0);
	control_stop(control);
	assert_int_equal(played.forgotten, 1);
	hear_done(waiting, MSG_RUN, CONTROL_FAILED, "tetherd is stopping");
	assert_true(is_closed(waiting));
	assert_true(is_closed(idle));
	assert_int_equal(access(path, F_OK), -1);
	answer_all(1);
	close(waiting);
	close(idle);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_greeting),
		TEST(test_gone_while_working),
		TEST(test_wrong_values),
		TEST(test_garbage),
		TEST(test_too_many),
		TEST(test_never_reads),
		TEST(test_stop),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
