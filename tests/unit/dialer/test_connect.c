#include <sys/socket.h>
#include <sys/syscall.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/common/descriptors.h"
#include "tetherd/dialer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIST_MAX 20

/*
 * The resolver's place: names are what the tests say they are.  Linked in
 * front of libc's.
 */
static struct addrinfo list[LIST_MAX];
static struct sockaddr_storage addresses[LIST_MAX];
static size_t nlist;
static int resolver_error; /* for each call with AI_ADDRCONFIG */
static int resolver_calls;

/* Families in the order of the attempts, where none shall succeed. */
static bool refuse_all;
static char attempts[LIST_MAX + 1];

int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **result)
{
	resolver_calls++;
	assert_string_equal(host, "host.example");
	assert_non_null(service);
	assert_int_equal(hints->ai_socktype, SOCK_STREAM);
	if (resolver_error != 0 && (hints->ai_flags & AI_ADDRCONFIG) != 0)
		return resolver_error;
	if (nlist == 0)
		return EAI_NONAME;
	*result = list;
	return 0;
}

void
freeaddrinfo(struct addrinfo *result)
{
	assert_ptr_equal(result, list);
}

int
connect(int fd, const struct sockaddr *address, socklen_t len)
{
	size_t n = strlen(attempts);

	if (!refuse_all)
		return (int)syscall(SYS_connect, fd, address, len);
	attempts[n] = address->sa_family == AF_INET6 ? '6' : '4';
	attempts[n + 1] = '\0';
	errno = ECONNREFUSED;
	return -1;
}

static int
setup(void **state)
{
	(void)state;
	nlist = 0;
	resolver_error = resolver_calls = 0;
	refuse_all = false;
	attempts[0] = '\0';
	return 0;
}

static void
resolves_to(int family, const char *address, uint16_t port)
{
	struct sockaddr_storage *at = &addresses[nlist];
	struct sockaddr_in *v4 = (struct sockaddr_in *)at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)at;
	struct addrinfo *ai = &list[nlist];

	assert_in_range(nlist, 0, LIST_MAX - 1);
	memset(at, 0, sizeof(*at));
	at->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		v4->sin_port = htons(port);
		assert_int_equal(inet_pton(family, address, &v4->sin_addr), 1);
	} else {
		v6->sin6_port = htons(port);
		assert_int_equal(inet_pton(family, address, &v6->sin6_addr), 1);
	}
	*ai = (struct addrinfo){ .ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)at,
		.ai_addrlen = family == AF_INET ? sizeof(*v4) : sizeof(*v6) };
	if (nlist > 0)
		list[nlist - 1].ai_next = ai;
	nlist++;
}

/* A listener on 127.0.0.1 whose port goes to *port. */
static int
listener(uint16_t *port, int backlog)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* A listener that drops every further SYN: attempts neither fail nor end. */
static int
black_hole(uint16_t *port, int fill[4])
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int i, fd = listener(port, 0);

	sin.sin_port = htons(*port);
	for (i = 0; i < 4; i++) {
		fill[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		assert_int_not_equal(fill[i], -1);
		(void)connect(fill[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	return fd;
}

static int
dial(uint32_t ms, char text[DIALER_TEXT_MAX])
{
	memset(text, 'x', DIALER_TEXT_MAX);
	return dialer_connect("host.example", 443, deadline_in(ms), text);
}

/* Is fd the other end of what the listener accepts? */
static void
assert_connected(int fd, int listening, uint16_t port, const char *text)
{
	char expected[64], c = 0;
	int one = 0, peer;
	socklen_t len = sizeof(one);

	assert_int_not_equal(fd, -1);
	(void)snprintf(expected, sizeof(expected), "127.0.0.1:%u", port);
	assert_string_equal(text, expected);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(
	    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, &len), 0);
	assert_int_equal(one, 1);
	peer = accept(listening, NULL, NULL);
	assert_int_not_equal(peer, -1);
	assert_int_equal(send(fd, "a", 1, 0), 1);
	assert_int_equal(recv(peer, &c, 1, 0), 1);
	assert_int_equal(c, 'a');
	close(peer);
	close(fd);
	close(listening);
}

static void
test_plain(void **state)
{
	char text[DIALER_TEXT_MAX];
	int before = count_descriptors(), listening;
	uint16_t port;

	(void)state;
	listening = listener(&port, 5);
	resolves_to(AF_INET, "127.0.0.1", port);
	assert_connected(dial(5000, text), listening, port, text);
	assert_int_equal(resolver_calls, 1);
	assert_int_equal(count_descriptors(), before);
}

static void
test_refused(void **state)
{
	char text[DIALER_TEXT_MAX];
	int before = count_descriptors(), bound;
	uint16_t port;

	(void)state;
	bound = listener(&port, -1);
	resolves_to(AF_INET, "127.0.0.1", port);
	resolves_to(AF_INET, "127.0.0.1", port);
	assert_int_equal(dial(5000, text), -1);
	assert_string_equal(
	    text, "can't connect to host.example port 443: Connection refused");
	close(bound);
	assert_int_equal(count_descriptors(), before);
}

static void
test_unresolved(void **state)
{
	static const struct {
		int error, calls;
		const char *text;
	} table[] = {
		{ EAI_NONAME, 2, "Name or service not known" },
		{ EAI_AGAIN, 1, "Temporary failure in name resolution" },
		{ EAI_FAIL, 1, "Non-recoverable failure in name resolution" },
	};
	char text[DIALER_TEXT_MAX], expected[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		resolver_error = table[i].error;
		resolver_calls = 0;
		assert_int_equal(dial(5000, text), -1);
		(void)snprintf(expected, sizeof(expected),
		    "can't resolve host.example: %s", table[i].text);
		assert_string_equal(text, expected);
		assert_int_equal(resolver_calls, table[i].calls);
	}
}

/* Where only loopback has an address, AI_ADDRCONFIG hides that. */
static void
test_resolved_again(void **state)
{
	char text[DIALER_TEXT_MAX];
	uint16_t port;
	int listening = listener(&port, 5);

	(void)state;
	resolver_error = EAI_ADDRFAMILY;
	resolves_to(AF_INET, "127.0.0.1", port);
	assert_connected(dial(5000, text), listening, port, text);
}

/* Addresses that refuse are passed over at once. */
static void
test_second_address(void **state)
{
	char text[DIALER_TEXT_MAX];
	int before = count_descriptors(), bound, listening, i;
	deadline start = deadline_in(0);
	uint16_t dead, port;

	(void)state;
	bound = listener(&dead, -1);
	listening = listener(&port, 5);
	for (i = 0; i < 10; i++)
		resolves_to(AF_INET, "127.0.0.1", dead);
	resolves_to(AF_INET, "127.0.0.1", port);
	assert_connected(dial(5000, text), listening, port, text);
	assert_in_range(deadline_in(0) - start, 0, 1500);
	close(bound);
	assert_int_equal(count_descriptors(), before);
}

/* One that does not answer delays the next one by a quarter of a second. */
static void
test_silent_address(void **state)
{
	char text[DIALER_TEXT_MAX];
	int before = count_descriptors(), hole, listening, fill[4], i;
	deadline start;
	uint16_t silent, port;

	(void)state;
	hole = black_hole(&silent, fill);
	listening = listener(&port, 5);
	resolves_to(AF_INET, "127.0.0.1", silent);
	resolves_to(AF_INET, "127.0.0.1", port);
	start = deadline_in(0);
	assert_connected(dial(5000, text), listening, port, text);
	assert_in_range(deadline_in(0) - start, 240, 4000);
	for (i = 0; i < 4; i++)
		close(fill[i]);
	close(hole);
	assert_int_equal(count_descriptors(), before);
}

static void
test_timeout(void **state)
{
	char text[DIALER_TEXT_MAX];
	int before = count_descriptors(), hole, fill[4], i;
	deadline start;
	uint16_t silent;

	(void)state;
	hole = black_hole(&silent, fill);
	for (i = 0; i < 3; i++)
		resolves_to(AF_INET, "127.0.0.1", silent);
	start = deadline_in(0);
	assert_int_equal(dial(400, text), -1);
	assert_in_range(deadline_in(0) - start, 390, 4000);
	assert_string_equal(text,
	    "can't connect to host.example port 443: Connection timed out");
	/* No time left at all. */
	assert_int_equal(dial(0, text), -1);
	for (i = 0; i < 4; i++)
		close(fill[i]);
	close(hole);
	assert_int_equal(count_descriptors(), before);
}

/* The families take turns, beginning with the resolver's choice. */
static void
test_interleaved(void **state)
{
	static const struct {
		const char *resolved, *tried;
	} table[] = {
		{ "4", "4" },
		{ "6", "6" },
		{ "444", "444" },
		{ "46", "46" },
		{ "6644", "6464" },
		{ "4466", "4646" },
		{ "644444", "644444" },
		{ "666664", "646666" },
		{ "4666466", "4646666" },
		{ "66666666666666666664", "6466666666666666" },
		{ "44444444444444444444", "4444444444444444" },
	};
	char text[DIALER_TEXT_MAX];
	const char *c;
	size_t i;

	(void)state;
	refuse_all = true;
	for (i = 0; i < COUNT(table); i++) {
		nlist = 0;
		attempts[0] = '\0';
		for (c = table[i].resolved; *c != '\0'; c++)
			resolves_to(*c == '6' ? AF_INET6 : AF_INET,
			    *c == '6' ? "::1" : "127.0.0.1", 1);
		assert_int_equal(dial(5000, text), -1);
		assert_string_equal(attempts, table[i].tried);
	}
}

static void
test_v6_text(void **state)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(sin6);
	char text[DIALER_TEXT_MAX], expected[64];
	int fd, listening = socket(AF_INET6, SOCK_STREAM, 0);

	(void)state;
	if (listening == -1 ||
	    bind(listening, (struct sockaddr *)&sin6, len) == -1) {
		if (listening != -1)
			close(listening);
		print_message("no IPv6 here\n");
		skip();
	}
	assert_int_equal(listen(listening, 5), 0);
	assert_int_equal(
	    getsockname(listening, (struct sockaddr *)&sin6, &len), 0);
	resolves_to(AF_INET6, "::1", ntohs(sin6.sin6_port));
	fd = dial(5000, text);
	assert_int_not_equal(fd, -1);
	(void)snprintf(
	    expected, sizeof(expected), "[::1]:%u", ntohs(sin6.sin6_port));
	assert_string_equal(text, expected);
	close(fd);
	close(listening);
}

static void
test_deadline(void **state)
{
	deadline now = deadline_in(0);

	(void)state;
	assert_int_equal(deadline_left(now - 1000), 0);
	assert_int_equal(deadline_left(now - 1), 0);
	assert_in_range(deadline_left(deadline_in(5000)), 4000, 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_unresolved, setup),
		cmocka_unit_test_setup(test_resolved_again, setup),
		cmocka_unit_test_setup(test_second_address, setup),
		cmocka_unit_test_setup(test_silent_address, setup),
		cmocka_unit_test_setup(test_timeout, setup),
		cmocka_unit_test_setup(test_interleaved, setup),
		cmocka_unit_test_setup(test_v6_text, setup),
		cmocka_unit_test(test_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
