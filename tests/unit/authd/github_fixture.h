#ifndef TESTS_UNIT_AUTHD_GITHUB_FIXTURE_H
#define TESTS_UNIT_AUTHD_GITHUB_FIXTURE_H

/*
 * authd's side of the GitHub API, between a parent and servers that the test
 * plays: each connection has a thread at its other end, which answers what
 * the path asks for.
 */

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "authd/github.h"
#include "common/channel.h"
#include "common/child.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/slice.h"
#include "common/timer.h"
#include "tests/unit/common/descriptors.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define LINKS_MAX   512
#define PATIENCE_MS 10000

/* What a server does when it is asked for a path. */
struct reply {
	const char *path;
	const char *text; /* of the whole answer, or its beginning */
	size_t fill;	  /* so many x after it */
	const char *tail; /* and this */
	enum { STAY, HANG, CLOSE } then;
	int times; /* so often, then the answer of "/user"; 0 for always */
	bool slowly;
};

#define OK(body)                                                        \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-" \
	"Length: " body

static const char good[] = OK("20\r\n\r\n{\"login\":\"octocat\"}\n");

/* A connection to a server. */
struct link {
	pthread_t thread;
	int fd;	      /* -1 when it is over */
	SSL_CTX *tls; /* of the server, or NULL */
};

static struct fixture {
	struct event_base *base;
	struct child child; /* authd */
	struct channel *parent;
	struct authd_conf conf;
	struct github *github;
	SSL_CTX *tls;
	/* What the parent does with questions. */
	enum { DIAL, DIAL_FAILS, DIAL_LATER } dialing;
	unsigned dials;
	uint64_t dial_id;
	struct link links[LINKS_MAX];
	size_t nlinks;
	struct reply replies[8];
	size_t nreplies;
	pthread_mutex_t lock;
	char seen[65536]; /* heads of all requests */
	unsigned requests;
	int descriptors;
	int64_t later_ms; /* of the clock */
} f = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* A request of the test's. */
struct call {
	struct github_request *request;
	unsigned done;
	struct github_answer answer;
	char why[512];
	char json[256];
	void (*then)(struct call *);
};

int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + f.later_ms;
}

static ssize_t
link_read(struct link *l, SSL *ssl, void *p, size_t size)
{
	return ssl != NULL ? SSL_read(ssl, p, (int)size) : read(l->fd, p, size);
}

static bool
link_write(struct link *l, SSL *ssl, const char *p, size_t len, bool slowly)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n) {
		size_t piece = slowly ? 1 : len > 16384 ? 16384 : len;

		n = ssl != NULL ? SSL_write(ssl, p, (int)piece)
				: send(l->fd, p, piece, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		if (slowly)
			usleep(200);
	}
	return true;
}

static struct reply
find_reply(const char *head)
{
	struct reply usual = { .text = good }, found = usual;
	size_t i, len;

	pthread_mutex_lock(&f.lock);
	f.requests++;
	(void)strlcat(f.seen, head, sizeof(f.seen));
	for (i = 0; i < f.nreplies; i++) {
		len = strlen(f.replies[i].path);
		if (strncmp(head + 4, f.replies[i].path, len) != 0 ||
		    head[4 + len] != ' ')
			continue;
		found = f.replies[i];
		if (found.times > 0 && --f.replies[i].times == 0)
			f.replies[i].path = "none";
	}
	pthread_mutex_unlock(&f.lock);
	return found;
}

/* One request: false when the connection is of no further use. */
static bool
link_serve(struct link *l, SSL *ssl)
{
	char head[4096], *fill;
	size_t len = 0;
	struct reply r;
	ssize_t n;
	bool sent;

	head[0] = '\0';
	while (strstr(head, "\r\n\r\n") == NULL && len < sizeof(head) - 1) {
		n = link_read(l, ssl, head + len, sizeof(head) - 1 - len);
		if (n <= 0)
			return false;
		len += (size_t)n;
		head[len] = '\0';
	}
	r = find_reply(head);
	fill = calloc(1, r.fill + 1);
	memset(fill, 'x', r.fill);
	sent = (r.text == NULL ||
		   link_write(l, ssl, r.text, strlen(r.text), r.slowly)) &&
	       link_write(l, ssl, fill, r.fill, r.slowly) &&
	       (r.tail == NULL ||
		   link_write(l, ssl, r.tail, strlen(r.tail), r.slowly));
	free(fill);
	if (r.then == HANG)
		while (link_read(l, ssl, head, sizeof(head)) > 0)
			continue;
	return sent && r.then == STAY;
}

static void *
link_main(void *arg)
{
	struct link *l = arg;
	SSL *ssl = NULL;
	bool up = true;

	if (l->tls != NULL) {
		ssl = SSL_new(l->tls);
		SSL_set_fd(ssl, l->fd);
		up = SSL_accept(ssl) == 1;
	}
	while (up && link_serve(l, ssl))
		continue;
	if (ssl != NULL && up)
		(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	shutdown(l->fd, SHUT_RDWR);
	return NULL;
}

/* Wait for it to end. */
static inline void
link_end(struct link *l)
{
	if (l->fd == -1)
		return;
	pthread_join(l->thread, NULL);
	close(l->fd);
	l->fd = -1;
}

/*
 * Two ends of a connection: curl keeps one only if its other end has an
 * address.  connect(2) is what authd makes of it.
 */
static void
tcp_pair(int fds[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(syscall(SYS_connect, fds[0], &address, len), 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(fds[1], -1);
	close(listener);
}

/* A socket to a new server. */
static int
link_new(void)
{
	struct link *l = &f.links[f.nlinks];
	int fds[2];

	assert_in_range(f.nlinks, 0, LINKS_MAX - 1);
	tcp_pair(fds);
	evutil_make_socket_nonblocking(fds[0]);
	l->fd = fds[1];
	l->tls = f.tls;
	assert_int_equal(pthread_create(&l->thread, NULL, link_main, l), 0);
	f.nlinks++;
	return fds[0];
}

static void
answer_dial(uint64_t id, int fd, const char *text)
{
	struct msg_out m;

	msg_start(
	    &m, fd == -1 ? MSG_GITHUB_DIAL_FAILED : MSG_GITHUB_DIALED, id);
	msg_add_str(&m, text);
	channel_send(f.parent, &m, fd);
}

static int
on_dial(void *arg, struct msg *m)
{
	(void)arg;
	f.dials++;
	f.dial_id = m->id;
	if (f.dialing == DIAL)
		answer_dial(m->id, link_new(), "192.0.2.1:443");
	else if (f.dialing == DIAL_FAILS)
		answer_dial(m->id, -1, "can't resolve it:\x1b no");
	return 0;
}

static unsigned broken;

static void
on_broken(void *arg, struct channel *ch, const char *why)
{
	(void)arg;
	(void)ch;
	(void)why;
	broken++;
}

static const struct channel_ops parent_side = {
	.handlers[MSG_DIAL_GITHUB] = on_dial,
	.broken = on_broken,
};

static int
take_dialed(void *arg, struct msg *m)
{
	(void)arg;
	return github_on_dialed(f.github, m);
}

static int
take_dial_failed(void *arg, struct msg *m)
{
	(void)arg;
	return github_on_dial_failed(f.github, m);
}

static const struct channel_ops authd_side = {
	.handlers = {
		[MSG_GITHUB_DIALED] = take_dialed,
		[MSG_GITHUB_DIAL_FAILED] = take_dial_failed,
	},
	.broken = on_broken,
};

static void
on_answer(void *arg, const struct github_answer *answer)
{
	struct call *c = arg;

	c->done++;
	c->answer = *answer;
	c->why[0] = c->json[0] = '\0';
	if (answer->why != NULL)
		(void)strlcpy(c->why, answer->why, sizeof(c->why));
	if (answer->json != NULL)
		(void)strlcpy(c->json,
		    json_object_to_json_string_ext(
			answer->json, JSON_C_TO_STRING_PLAIN),
		    sizeof(c->json));
	if (c->then != NULL)
		c->then(c);
}

/* Let the loop do what it can, for a little while. */
static inline void
spin(int ms)
{
	int64_t end = monotonic_ms() + ms;

	while (monotonic_ms() < end) {
		event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		usleep(500);
	}
}

static inline void
wait_for(const unsigned *what, unsigned value)
{
	int64_t end = monotonic_ms() + PATIENCE_MS;

	while (*(const volatile unsigned *)what < value) {
		event_base_loop(f.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		usleep(100);
		if (monotonic_ms() > end)
			fail_msg("waited in vain");
	}
}

static inline void
ask_until(struct call *c, const char *path, int ms)
{
	unsigned before = c->done;

	c->request = github_get(
	    f.github, path, "ghp_secret", monotonic_ms() + ms, on_answer, c);
	assert_non_null(c->request);
	assert_int_equal(c->done, before);
}

static inline void
ask(struct call *c, const char *path)
{
	ask_until(c, path, PATIENCE_MS);
}

/* Ask, and wait for the answer. */
static inline struct call
get(const char *path)
{
	struct call c = { 0 };

	ask(&c, path);
	wait_for(&c.done, 1);
	return c;
}

static inline void
assert_good(const struct call *c)
{
	if (c->answer.result != GITHUB_ANSWERED)
		fail_msg("failed: %s", c->why);
	assert_int_equal(c->answer.status, 200);
	assert_string_equal(c->json, "{\"login\":\"octocat\"}");
	assert_int_equal(c->done, 1);
}

static inline void
assert_failed(const struct call *c, const char *why)
{
	assert_int_equal(c->done, 1);
	assert_int_equal(c->answer.result, GITHUB_FAILED);
	assert_int_equal(c->answer.status, 0);
	assert_null(c->answer.json);
	if (strstr(c->why, why) == NULL)
		fail_msg("\"%s\", expected \"%s\"", c->why, why);
}

static inline void
on_path(struct reply reply)
{
	pthread_mutex_lock(&f.lock);
	assert_in_range(f.nreplies, 0, COUNT(f.replies) - 1);
	f.replies[f.nreplies++] = reply;
	pthread_mutex_unlock(&f.lock);
}

/* As authd starts. */
static inline void
start(const char *url)
{
	static char file[] = "/ca.pem";

	f.conf.github_api = strdup(url);
	f.conf.github_ca_file = file;
	f.github = github_new(&f.child, &f.conf);
}

/* As a reload does. */
static inline void
set_url(const char *url)
{
	free(f.conf.github_api);
	f.conf.github_api = strdup(url);
	assert_null(github_check(f.github, &f.conf));
	github_reload(f.github);
}

static inline int
setup(void **state)
{
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	memset(&f, 0, sizeof(f));
	pthread_mutex_init(&f.lock, NULL);
	broken = 0;
	f.descriptors = count_descriptors();
	f.conf.github_ca_fd = -1;
	f.base = event_base_new();
	if (f.base == NULL ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return -1;
	f.child.base = f.base;
	f.child.parent = channel_new(
	    f.base, fds[0], PROGRAM_AUTHD, PROGRAM_PARENT, &authd_side, NULL);
	f.parent = channel_new(
	    f.base, fds[1], PROGRAM_PARENT, PROGRAM_AUTHD, &parent_side, NULL);
	return 0;
}

static inline int
teardown(void **state)
{
	size_t i;

	(void)state;
	if (f.github != NULL)
		github_free(f.github);
	channel_free(f.child.parent);
	channel_free(f.parent);
	for (i = 0; i < f.nlinks; i++)
		link_end(&f.links[i]);
	SSL_CTX_free(f.tls);
	if (f.conf.github_ca_fd != -1)
		close(f.conf.github_ca_fd);
	free(f.conf.github_api);
	event_base_free(f.base);
	assert_int_equal(count_descriptors(), f.descriptors);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
