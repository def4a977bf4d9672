/* Channels between peers of good will: order, descriptors, pressure. */

#include "tests/unit/common/channel_fixture.h"

static void
test_order(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	assert_int_equal(channel_peer(f.a.ch), PROGRAM_PROXYD);
	for (i = 0; i < 1500; i++) {
		send_empty(&f.a, MSG_ANSWER_SENT, i);
		send_text(&f.b, MSG_ADOPT, i, "an id", -1);
	}
	spin(&f);
	assert_ids(&f.a, 1500);
	assert_ids(&f.b, 1500);
	assert_int_equal(f.a.bytes, 1500 * 9);
	assert_int_equal(f.a.broken + f.b.broken, 0);
	stop(&f);
}

/* Other events get their turn in between. */
static void
test_batch(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	for (i = 0; i < 100; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_in_range(f.b.n, 1, 99);
	spin(&f);
	assert_ids(&f.b, 100);
	stop(&f);
}

/* Is it still open here? */
static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void
test_descriptors(void **state)
{
	struct fixture f;
	int fd, open_fds;

	(void)state;
	start_pair(&f, PROGRAM_PARENT, PROGRAM_CONNECTOR);
	open_fds = count_descriptors();
	/* Not taken. */
	fd = dup(STDIN_FILENO);
	send_text(&f.a, MSG_DIALED, 1, "peer", fd);
	assert_false(is_open(fd));
	spin(&f);
	assert_int_equal(f.b.n, 1);
	assert_int_equal(count_descriptors(), open_fds);
	/* Taken. */
	f.b.take = true;
	send_text(&f.a, MSG_DIALED, 2, "peer", dup(STDIN_FILENO));
	spin(&f);
	assert_true(f.b.fd != -1 && is_open(f.b.fd));
	close(f.b.fd);
	/* Not taken, and malformed. */
	f.b.take = false;
	f.b.rc = -1;
	send_text(&f.a, MSG_DIALED, 3, "peer", dup(STDIN_FILENO));
	/* Behind the end: nobody will ever take it. */
	send_text(&f.a, MSG_DIALED, 4, "peer", dup(STDIN_FILENO));
	spin(&f);
	assert_int_equal(f.b.n, 3);
	assert_broken(&f.b, "malformed message");
	assert_broken(&f.a, NULL);
	stop(&f);
}

/* Descriptors that had to wait in the queue arrive with their messages. */
static void
test_queued_descriptors(void **state)
{
	struct fixture f;
	struct stat expected, got;
	int pipes[100][2], i;

	(void)state;
	start_pair(&f, PROGRAM_PARENT, PROGRAM_CONNECTOR);
	channel_pause(f.b.ch);
	/* More than the socket keeps: those are freed with the queue. */
	for (i = 0; i < 3000; i++)
		send_empty(&f.a, MSG_LOG_STATUS, 0);
	assert_false(channel_is_writable(f.a.ch));
	for (i = 0; i < (int)COUNT(pipes); i++)
		send_text(&f.a, MSG_DIALED, 1, "", dup(STDIN_FILENO));
	stop(&f);

	start_pair(&f, PROGRAM_PARENT, PROGRAM_CONNECTOR);
	f.b.take = f.b.pause = true;
	channel_pause(f.b.ch);
	for (i = 0; i < (int)COUNT(pipes); i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		send_text(&f.a, MSG_DIALED, (uint64_t)i, "", dup(pipes[i][0]));
	}
	for (i = 0; i < (int)COUNT(pipes); i++) {
		channel_resume(f.b.ch);
		spin(&f);
		assert_int_equal(f.b.n, i + 1);
		assert_int_equal(f.b.ids[i], i);
		assert_int_equal(fstat(pipes[i][0], &expected), 0);
		assert_int_equal(fstat(f.b.fd, &got), 0);
		assert_int_equal(got.st_ino, expected.st_ino);
		close(f.b.fd);
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	stop(&f);
}

/* A peer that does not read: a bounded queue, then the end. */
static void
test_queue_bound(void **state)
{
	char text[4001];
	struct fixture f;
	size_t sent = 0, taken = 0, queued;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	start_pair(&f, PROGRAM_AUTHD, PROGRAM_CONNECTOR);
	channel_pause(f.b.ch);
	while (channel_is_writable(f.a.ch)) {
		send_text(&f.a, MSG_TOKEN, sent++, text, -1);
		taken = sent;
	}
	taken--; /* the last one was the first to be queued */
	spin(&f);
	assert_int_equal(f.a.writable, 0);
	queued = CHANNEL_QUEUE_MAX / (MSG_HEADER_SIZE + sizeof(text) + 3);
	while (sent < taken + queued)
		send_text(&f.a, MSG_TOKEN, sent++, text, -1);
	spin(&f);
	assert_int_equal(f.a.broken, 0);
	/* The one too many; more of them are dropped. */
	send_text(&f.a, MSG_TOKEN, sent++, text, -1);
	send_text(&f.a, MSG_TOKEN, sent++, text, dup(STDIN_FILENO));
	assert_false(channel_is_writable(f.a.ch));
	assert_int_equal(f.a.broken, 0);
	spin(&f);
	assert_broken(&f.a, "peer does not read");
	/* What the socket had is not lost. */
	channel_resume(f.b.ch);
	spin(&f);
	assert_ids(&f.b, taken);
	assert_broken(&f.b, NULL);
	stop(&f);
}

/* What was queued goes out, in order, once the peer reads: each time. */
static void
test_queue_flows(void **state)
{
	char text[4001];
	struct fixture f;
	uint64_t sent = 0;
	unsigned round;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	start_pair(&f, PROGRAM_AUTHD, PROGRAM_CONNECTOR);
	for (round = 1; round <= 3; round++) {
		channel_pause(f.b.ch);
		while (sent < round * 900)
			send_text(&f.a, MSG_TOKEN, sent++, text, -1);
		assert_false(channel_is_writable(f.a.ch));
		channel_resume(f.b.ch);
		spin(&f);
		assert_ids(&f.b, sent);
		assert_int_equal(f.a.writable, round);
		assert_true(channel_is_writable(f.a.ch));
	}
	/* More than the bound in all, less at any time. */
	assert_true(f.b.bytes > 2 * (size_t)CHANNEL_QUEUE_MAX);
	assert_int_equal(f.a.broken + f.b.broken, 0);
	stop(&f);
}

/* Room in the socket is for what waits in the queue first. */
static void
test_queue_first(void **state)
{
	struct evbuffer *source = filled(10);
	struct fixture f;
	uint64_t sent = 0;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_pause(f.b.ch);
	while (channel_is_writable(f.a.ch))
		send_empty(&f.a, MSG_ANSWER_SENT, sent++);
	channel_resume(f.b.ch);
	channel_drain(f.b.ch); /* before a's loop could notice */
	assert_ids(&f.b, sent - 1);
	assert_false(send_slice(&f.a, 99, source, 0, 10));
	send_empty(&f.a, MSG_ANSWER_SENT, sent++);
	spin(&f);
	assert_ids(&f.b, sent);
	evbuffer_free(source);
	stop(&f);
}

static void
test_slice_pressure(void **state)
{
	struct evbuffer *source = filled(MSG_PAYLOAD_MAX);
	struct fixture f;
	uint64_t sent = 0, round;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	for (round = 1; round <= 3; round++) {
		channel_pause(f.b.ch);
		while (send_slice(&f.a, sent, source, 0, MSG_PAYLOAD_MAX))
			sent++;
		assert_in_range(sent, 1, 1000);
		assert_false(channel_is_writable(f.a.ch));
		assert_false(send_slice(&f.a, 99, source, 0, 1));
		spin(&f);
		assert_int_equal(f.a.writable, round - 1);
		channel_resume(f.b.ch);
		spin(&f);
		assert_ids(&f.b, sent);
		assert_int_equal(f.a.writable, round);
		assert_true(channel_is_writable(f.a.ch));
	}
	/* A slice does not overtake what is queued. */
	channel_pause(f.b.ch);
	while (channel_is_writable(f.a.ch))
		send_empty(&f.a, MSG_ANSWER_SENT, sent++);
	assert_false(send_slice(&f.a, 99, source, 0, 0));
	channel_resume(f.b.ch);
	spin(&f);
	assert_ids(&f.b, sent);
	assert_int_equal(f.a.writable, 4);
	assert_true(send_slice(&f.a, sent++, source, 0, 0));
	spin(&f);
	assert_ids(&f.b, sent);
	evbuffer_free(source);
	stop(&f);
}

/* n pieces of the given size, none of which libevent may merge. */
static struct evbuffer *
in_pieces(size_t n, size_t size)
{
	static uint8_t data[4096];
	struct evbuffer *buffer = evbuffer_new();
	size_t i;

	assert_non_null(buffer);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i % 251);
	for (i = 0; i < n; i++)
		assert_int_equal(evbuffer_add_reference(buffer,
				     data + i * size % (sizeof(data) - size),
				     size, NULL, NULL),
		    0);
	return buffer;
}

/* Slices of a buffer of many pieces, around the most that are gathered. */
static void
test_slice_pieces(void **state)
{
	static const struct {
		size_t pieces, size, from, len;
	} table[] = {
		{ 1, 10, 0, 10 },
		{ 1, 10, 3, 4 },
		{ 1, 10, 10, 0 },
		{ 2, 10, 9, 2 },
		{ 64, 10, 0, 640 },
		{ 64, 10, 5, 634 },
		{ 65, 10, 0, 641 },
		{ 65, 10, 0, 640 },
		{ 65, 10, 9, 641 },
		{ 66, 10, 9, 641 },
		{ 400, 10, 0, 4000 },
		{ 400, 10, 1234, 2345 },
		{ 400, 1, 7, 393 },
		{ 300, 300, 0, MSG_PAYLOAD_MAX },
		{ 300, 300, 24000, MSG_PAYLOAD_MAX },
		{ 30, 3000, 17, MSG_PAYLOAD_MAX },
	};
	struct fixture f;
	size_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	for (i = 0; i < COUNT(table); i++) {
		struct evbuffer *source =
		    in_pieces(table[i].pieces, table[i].size);
		uint8_t *copy = malloc(evbuffer_get_length(source));

		assert_non_null(copy);
		evbuffer_copyout(source, copy, evbuffer_get_length(source));
		f.b.expected = evbuffer_new();
		evbuffer_add(f.b.expected, copy + table[i].from, table[i].len);
		f.b.n = 0;
		assert_true(
		    send_slice(&f.a, i, source, table[i].from, table[i].len));
		spin(&f);
		assert_int_equal(f.b.n, 1);
		assert_int_equal(f.b.ids[0], i);
		assert_int_equal(evbuffer_get_length(f.b.expected), 0);
		evbuffer_free(f.b.expected);
		evbuffer_free(source);
		free(copy);
	}
	stop(&f);
}

/* A slice that is sent while a message is handled leaves that one alone. */
static void
test_slice_in_handler(void **state)
{
	struct evbuffer *source = filled(100);
	struct fixture f;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	f.b.reply = in_pieces(200, 1);
	f.b.expected = filled(100);
	evbuffer_drain(f.b.reply, 100);
	assert_true(send_slice(&f.a, 0, source, 0, 100));
	spin(&f);
	assert_int_equal(f.b.n, 1);
	assert_int_equal(f.a.n, 1);
	evbuffer_free(f.b.reply);
	evbuffer_free(f.b.expected);
	evbuffer_free(source);
	stop(&f);
}

static void
test_pause(void **state)
{
	struct fixture f;
	uint64_t i;

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	channel_resume(f.b.ch); /* nothing to resume */
	channel_pause(f.b.ch);
	channel_pause(f.b.ch);
	for (i = 0; i < 10; i++)
		send_empty(&f.a, MSG_ANSWER_SENT, i);
	spin(&f);
	channel_drain(f.b.ch);
	assert_int_equal(f.b.n, 0);
	/* From inside a handler it counts at once. */
	f.b.pause = true;
	for (i = 1; i < 10; i++) {
		channel_resume(f.b.ch);
		spin(&f);
		assert_ids(&f.b, i);
	}
	f.b.pause = false;
	channel_resume(f.b.ch);
	spin(&f);
	assert_ids(&f.b, 10);
	/* While it is paused, it sends. */
	channel_pause(f.b.ch);
	send_text(&f.b, MSG_ADOPT, 0, "", -1);
	spin(&f);
	assert_ids(&f.a, 1);
	stop(&f);
}

/* Read one line of the log, or "" if there is none. */
static const char *
logged(int fd)
{
	static char line[1 + LOG_LINE_MAX];
	ssize_t n = recv(fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	line[n < 0 ? 0 : n] = '\0';
	return n < 1 ? "" : line + 1;
}

/* Each message is told of once at each end, but only at that level. */
static void
test_trace(void **state)
{
	struct fixture f;
	struct evbuffer *text = filled(10);
	int log[2];

	(void)state;
	start_pair(&f, PROGRAM_CONNECTOR, PROGRAM_PROXYD);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, log), 0);
	log_to_socket(log[1]);
	log_set_level(LOG_LEVEL_DEBUG);
	send_empty(&f.a, MSG_ANSWER_SENT, 1);
	spin(&f);
	assert_string_equal(logged(log[0]), "");

	log_set_level(LOG_LEVEL_TRACE);
	send_empty(&f.a, MSG_ANSWER_SENT, 2);
	assert_string_equal(
	    logged(log[0]), "> MSG_ANSWER_SENT to proxyd, id 2, 0 bytes");
	spin(&f);
	assert_string_equal(
	    logged(log[0]), "< MSG_ANSWER_SENT from connector, id 2, 0 bytes");
	send_text(&f.b, MSG_ADOPT, 18446744073709551615U, "text", -1);
	assert_string_equal(logged(log[0]),
	    "> MSG_ADOPT to connector, id 18446744073709551615, 8 bytes");
	spin(&f);
	assert_string_equal(logged(log[0]),
	    "< MSG_ADOPT from proxyd, id 18446744073709551615, 8 bytes");
	assert_true(send_slice(&f.a, 3, text, 0, 3));
	assert_string_equal(
	    logged(log[0]), "> MSG_REQUEST to proxyd, id 3, 3 bytes");
	spin(&f);
	assert_string_equal(
	    logged(log[0]), "< MSG_REQUEST from connector, id 3, 3 bytes");
	assert_string_equal(logged(log[0]), "");
	evbuffer_free(text);
	log_set_level(LOG_LEVEL_CRIT);
	log_to_stderr("test");
	close(log[0]);
	close(log[1]);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_queued_descriptors),
		cmocka_unit_test(test_queue_bound),
		cmocka_unit_test(test_queue_flows),
		cmocka_unit_test(test_queue_first),
		cmocka_unit_test(test_slice_pressure),
		cmocka_unit_test(test_slice_pieces),
		cmocka_unit_test(test_slice_in_handler),
		cmocka_unit_test(test_pause),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
