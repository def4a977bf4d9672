#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tetherd/dialer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char text[DIALER_TEXT_MAX];

/*
 * What a proxy says, written before it is asked: the tunnel must read that
 * and no more.
 */
static int
tunnel(const char *answer, size_t len, int *fd, int *proxy)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(send(pair[1], answer, len, 0), len);
	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	*fd = pair[0];
	*proxy = pair[1];
	memset(text, 'x', sizeof(text));
	return dialer_tunnel(
	    pair[0], "host.example", 443, "", deadline_in(2000), text);
}

static void
close_both(int a, int b)
{
	close(a);
	close(b);
}

/* An answer, what is left unread of it, and what is said if it refuses. */
static const struct {
	const char *answer, *rest, *why;
} table[] = {
	{ "HTTP/1.1 200 Connection established\r\n\r\n", "", NULL },
	{ "HTTP/1.0 200 OK\r\nVia: x\r\nA: b\r\n\r\n", "", NULL },
	{ "HTTP/1.1 299 \r\n\r\n", "", NULL },
	{ "HTTP/1.1 200 OK\r\n\r\nserver speaks first", "server speaks first",
	    NULL },
	{ "HTTP/1.1 200 OK\r\n\r\n\r\n\r\n", "\r\n\r\n", NULL },
	{ "HTTP/1.1 407 Proxy Authentication Required\r\nA: b\r\n\r\nbody",
	    "body",
	    "proxy refused: HTTP/1.1 407 Proxy Authentication Required" },
	{ "HTTP/1.1 502 Bad Gateway\r\n\r\n", "",
	    "proxy refused: HTTP/1.1 502 Bad Gateway" },
	{ "HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n", "",
	    "proxy refused: HTTP/1.1 302 Found" },
	{ "HTTP/1.1 100 Continue\r\n\r\n", "",
	    "proxy refused: HTTP/1.1 100 Continue" },
	{ "HTTP/2 200\r\n\r\n", "", "proxy refused: HTTP/2 200" },
	{ "http/1.1 200 OK\r\n\r\n", "", "proxy refused: http/1.1 200 OK" },
	{ "HTTP/1.x 200 OK\r\n\r\n", "", "proxy refused: HTTP/1.x 200 OK" },
	{ "HTTP/1.1200\r\n\r\n", "", "proxy refused: HTTP/1.1200" },
	{ "HTTP/1.\r\n\r\n", "", "proxy refused: HTTP/1." },
	{ "HTTP/1.1\r\n\r\n", "", "proxy refused: HTTP/1.1" },
	{ "\r\n\r\n", "", "proxy refused: " },
	{ "SSH-2.0-OpenSSH\r\n\r\n", "", "proxy refused: SSH-2.0-OpenSSH" },
	/* cut */
	{ "", "", "proxy: Connection reset by peer" },
	{ "HTTP/1.1 200 OK\r\n", "", "proxy: Connection reset by peer" },
	{ "HTTP/1.1 200 OK\r\n\r", "", "proxy: Connection reset by peer" },
	{ "HTTP/1.1 200 OK\n\n", "", "proxy: Connection reset by peer" },
};

static void
test_answers(void **state)
{
	char rest[64] = "";
	int fd, proxy, rc;
	ssize_t n;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		rc = tunnel(
		    table[i].answer, strlen(table[i].answer), &fd, &proxy);
		if ((rc == 0) != (table[i].why == NULL))
			fail_msg("%s: %s", table[i].answer,
			    rc == 0 ? "accepted" : text);
		if (rc == -1)
			assert_string_equal(text, table[i].why);
		n = recv(fd, rest, sizeof(rest) - 1, 0);
		assert_int_equal(n, strlen(table[i].rest));
		assert_memory_equal(rest, table[i].rest, n);
		close_both(fd, proxy);
	}
}

/* Every answer cut anywhere is refused, or is the whole head. */
static void
test_cut(void **state)
{
	static const char good[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
	int fd, proxy;
	size_t n;

	(void)state;
	for (n = 0; n <= strlen(good); n++) {
		assert_int_equal(
		    tunnel(good, n, &fd, &proxy), n == strlen(good) ? 0 : -1);
		close_both(fd, proxy);
	}
}

static void
test_large(void **state)
{
	static const char begin[] = "HTTP/1.1 200 OK\r\nA: ";
	static char answer[10240];
	int fd, proxy, with;
	size_t n;

	(void)state;
	memset(answer, 'x', sizeof(answer));
	memcpy(answer, begin, strlen(begin));
	/* 10 KiB of headers, with an end and without one. */
	for (with = 0; with < 2; with++) {
		assert_int_equal(
		    tunnel(answer, sizeof(answer), &fd, &proxy), -1);
		assert_string_equal(text, "proxy: Message too long");
		close_both(fd, proxy);
		memcpy(answer + sizeof(answer) - 4, "\r\n\r\n", 4);
	}
	/* The longest that is accepted, and one more. */
	for (n = 8191; n <= 8192; n++) {
		memset(answer + strlen(begin), 'x',
		    sizeof(answer) - strlen(begin));
		memcpy(answer + n - 4, "\r\n\r\n", 4);
		assert_int_equal(
		    tunnel(answer, n, &fd, &proxy), n == 8191 ? 0 : -1);
		close_both(fd, proxy);
	}
	/* A long status line is cut in the log. */
	memcpy(answer, "HTTP/1.1 400 ", 13);
	memset(answer + 13, 'y', 1000);
	memcpy(answer + 1013, "\r\n\r\n", 4);
	assert_int_equal(tunnel(answer, 1017, &fd, &proxy), -1);
	assert_int_equal(strlen(text), strlen("proxy refused: ") + 100);
	close_both(fd, proxy);
}

/* Bytes and NULs that are no text do no harm. */
static void
test_binary(void **state)
{
	static const char answer[] = "\0\xff\x16\x03\x01\0\r\n\r\n";
	int fd, proxy;

	(void)state;
	assert_int_equal(tunnel(answer, sizeof(answer) - 1, &fd, &proxy), -1);
	assert_string_equal(text, "proxy refused: ");
	close_both(fd, proxy);
}

static const struct {
	const char *host;
	uint32_t port;
	const char *auth, *request;
} requests[] = {
	{ "host.example", 443, "",
	    "CONNECT host.example:443 HTTP/1.1\r\n"
	    "Host: host.example:443\r\n\r\n" },
	{ "127.0.0.1", 1, "",
	    "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n" },
	{ "::1", 65535, "",
	    "CONNECT [::1]:65535 HTTP/1.1\r\nHost: [::1]:65535\r\n\r\n" },
	{ "h", 443, "Aladdin:open sesame",
	    "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n"
	    "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
	    "\r\n" },
	{ "h", 443, "abc",
	    "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n"
	    "Proxy-Authorization: Basic YWJj\r\n\r\n" },
	/* credentials cannot add lines */
	{ "h", 443, "a\r\nX: y",
	    "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n"
	    "Proxy-Authorization: Basic YQ0KWDogeQ==\r\n\r\n" },
};

static void
test_request(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
	char got[1024];
	int pair[2];
	ssize_t n;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(requests); i++) {
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
		    0);
		assert_int_equal(send(pair[1], answer, sizeof(answer) - 1, 0),
		    sizeof(answer) - 1);
		assert_int_equal(
		    dialer_tunnel(pair[0], requests[i].host, requests[i].port,
			requests[i].auth, deadline_in(2000), text),
		    0);
		n = recv(pair[1], got, sizeof(got) - 1, 0);
		assert_true(n > 0);
		got[n] = '\0';
		assert_string_equal(got, requests[i].request);
		close_both(pair[0], pair[1]);
	}
}

/* From a proxy that is slow: one byte at a time. */
static void
test_trickle(void **state)
{
	static const char answer[] =
	    "HTTP/1.1 200 OK\r\nServer: slow\r\n\r\nrest";
	char rest[8] = "", byte;
	int pair[2], status;
	size_t i;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(pair[0]);
		if (recv(pair[1], &byte, 1, 0) != 1)
			_exit(1);
		for (i = 0; i < sizeof(answer) - 1; i++) {
			if (send(pair[1], answer + i, 1, 0) != 1)
				_exit(1);
			usleep(1000);
		}
		_exit(0);
	}
	close(pair[1]);
	assert_int_equal(
	    dialer_tunnel(pair[0], "h", 1, "", deadline_in(5000), text), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(recv(pair[0], rest, sizeof(rest) - 1, 0), 4);
	assert_string_equal(rest, "rest");
	close(pair[0]);
}

/* A proxy that says nothing, or half of it, or does not even read. */
static void
test_timeout(void **state)
{
	static const char *const said[] = { "", "HTTP/1.1 200 OK\r\n" };
	char junk[4096] = { 0 };
	int pair[2];
	deadline start;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(said) + 1; i++) {
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
		    0);
		if (i < COUNT(said))
			assert_int_equal(
			    send(pair[1], said[i], strlen(said[i]), 0),
			    strlen(said[i]));
		else
			while (send(pair[0], junk, sizeof(junk), 0) > 0)
				continue;
		start = deadline_in(0);
		assert_int_equal(
		    dialer_tunnel(pair[0], "h", 1, "", deadline_in(100), text),
		    -1);
		assert_in_range(deadline_in(0) - start, 90, 4000);
		assert_string_equal(text, "proxy: Connection timed out");
		close_both(pair[0], pair[1]);
	}
}

/* A proxy that is gone already is no reason to die by SIGPIPE. */
static void
test_gone(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	assert_int_equal(
	    dialer_tunnel(pair[0], "h", 1, "", deadline_in(1000), text), -1);
	assert_string_equal(text, "proxy: Broken pipe");
	close(pair[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_trickle),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
