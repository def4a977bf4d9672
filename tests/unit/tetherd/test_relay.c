/* What children log, and what they write to standard error. */

#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/log.h"
#include "tetherd/relay.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define PID 4711

static struct event_base *base;
static struct relay *relay;
static int child;  /* its end */
static int logged; /* the other end of our own log */

static int
begin(void **state)
{
	int fds[2], log[2];

	(void)state;
	base = event_base_new();
	assert_non_null(base);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, log), 0);
	child = fds[1];
	logged = log[0];
	log_to_socket(log[1]);
	relay = relay_new(base, fds[0], PROGRAM_PROXYD, PID, LOG_LEVEL_INFO);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	relay_free(relay);
	event_base_free(base);
	close(child);
	close(logged);
	log_to_stderr("test");
	return 0;
}

static void
say(const char *text, size_t n)
{
	assert_int_equal(send(child, text, n, 0), n);
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* All lines since, as "LEVEL text|LEVEL text|". */
static const char *
lines(void)
{
	static char all[16384];
	char line[2048];
	size_t len = 0;
	ssize_t n;

	all[0] = '\0';
	while ((n = recv(logged, line, sizeof(line) - 1, MSG_DONTWAIT)) > 0) {
		line[n] = '\0';
		len += (size_t)snprintf(
		    all + len, sizeof(all) - len, "%d %s|", line[0], line + 1);
		assert_true(len < sizeof(all));
	}
	return all;
}

#define NAME "proxyd[4711]: "

static const struct {
	const char *datagram;
	size_t n;
	const char *lines;
} table[] = {
	{ "\2hello", 6, "2 " NAME "hello|" },
	{ "\1careful", 8, "1 " NAME "careful|" },
	{ "\0page somebody", 14, "1 " NAME "page somebody|" },
	{ "\3detail", 7, "" },
	{ "\2", 1, "2 " NAME "|" },
	{ "\2two\nlines\033[2J", 14, "2 " NAME "two?lines?[2J|" },
	/* the first one that is no level */
	{ "\5text", 5, "1 " NAME "?text|" },
	{ "free(): invalid pointer\n", 24,
	    "1 " NAME "free(): invalid pointer|" },
	{ "x", 1, "1 " NAME "x|" },
	{ "\n", 1, "" },
	{ "\n\n\n", 3, "" },
	{ "\none\n\n\ntwo\nthree", 16,
	    "1 " NAME "one|1 " NAME "two|1 " NAME "three|" },
	{ "\ttab\r\n\xc3\xa9\x9b\033]0;x\a\n", 16,
	    "1 " NAME "?tab?|1 " NAME "????]0;x?|" },
	{ "tetherd: forged\0hidden\n", 23, "1 " NAME "tetherd: forged|" },
};

static void
test_lines(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		say(table[i].datagram, table[i].n);
		assert_string_equal(lines(), table[i].lines);
	}
}

/* What is too long is cut, and what is empty is nothing. */
static void
test_sizes(void **state)
{
	char text[65536], cut[LOG_LINE_MAX + 64];
	const char *line;

	(void)state;
	memset(text, 'a', sizeof(text));
	say(text, sizeof(text));
	line = lines();
	assert_memory_equal(line, "1 " NAME "aaa", 19);
	assert_in_range(strlen(line), LOG_LINE_MAX - 64, LOG_LINE_MAX + 3);
	/* A line of the largest size comes whole but for the prefix's room. */
	memset(text, 'b', LOG_LINE_MAX);
	text[0] = LOG_LEVEL_INFO;
	say(text, LOG_LINE_MAX);
	(void)snprintf(cut, sizeof(cut), "2 " NAME "%.*s", 1000, text + 1);
	assert_memory_equal(lines(), cut, strlen(cut));
}

/* Its end, or what looks like it: no loop that never sleeps. */
static void
test_closed(void **state)
{
	(void)state;
	assert_int_equal(send(child, "\2last", 5, 0), 5);
	assert_int_equal(send(child, "", 0, 0), 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_string_equal(lines(), "2 " NAME "last|");
	assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 1);
}

static void
test_level(void **state)
{
	(void)state;
	relay_set_level(relay, LOG_LEVEL_WARN);
	say("\2hello", 6);
	assert_string_equal(lines(), "");
	say("text", 4);
	assert_string_equal(lines(), "1 " NAME "text|");
	relay_set_level(relay, LOG_LEVEL_TRACE);
	say("\4hello", 6);
	assert_string_equal(lines(), "4 " NAME "hello|");
}

/* Each line counts, however many come at once. */
static void
test_rate(void **state)
{
	char text[1000];
	unsigned n = 0, i;

	(void)state;
	for (i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "x\n", 2);
	for (i = 0; i < 20; i++) {
		say(text, sizeof(text));
		while (recv(logged, text, 1, MSG_DONTWAIT) > 0)
			n++;
		for (unsigned k = 0; k < sizeof(text); k += 2)
			memcpy(text + k, "x\n", 2);
	}
	/* 10000 lines; a second may have passed in between. */
	assert_in_range(n, 1, 1001);
}

/* Last words that were not read yet are logged with its end. */
static void
test_end(void **state)
{
	(void)state;
	assert_int_equal(send(child, "\2last", 5, 0), 5);
	assert_int_equal(send(child, "words\n", 6, 0), 6);
	relay_free(relay);
	relay = NULL;
	assert_string_equal(lines(), "2 " NAME "last|1 " NAME "words|");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_sizes),
		TEST(test_level),
		TEST(test_rate),
		TEST(test_end),
		TEST(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
