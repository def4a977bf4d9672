#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/dialer.h"

/* RFC 8305 section 5: the recommended "Connection Attempt Delay". */
#define ATTEMPT_DELAY_MS 250

/* A name with more addresses than this is not worth trying to the end. */
#define ATTEMPTS_MAX 16

struct attempts {
	const struct addrinfo *order[ATTEMPTS_MAX];
	size_t n;
	size_t next;
	struct pollfd open[ATTEMPTS_MAX];
	size_t nopen;
	int last_error;
};

/* RFC 8305 section 4: families in turn, beginning with the resolver's. */
static void
interleave(struct attempts *a, const struct addrinfo *list)
{
	const struct addrinfo *first = list, *second = list;
	int family = list->ai_family;
	bool turn = true;

	while (a->n < ATTEMPTS_MAX && (first != NULL || second != NULL)) {
		while (first != NULL && first->ai_family != family)
			first = first->ai_next;
		while (second != NULL && second->ai_family == family)
			second = second->ai_next;
		if (first != NULL && (turn || second == NULL)) {
			a->order[a->n++] = first;
			first = first->ai_next;
		} else if (second != NULL) {
			a->order[a->n++] = second;
			second = second->ai_next;
		}
		turn = !turn;
	}
}

/* Start the next attempt; its outcome shows when its socket is writable. */
static void
attempt_next(struct attempts *a)
{
	const struct addrinfo *ai = a->order[a->next++];
	int fd = socket(ai->ai_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd == -1) {
		a->last_error = errno;
		return;
	}
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == -1 &&
	    errno != EINPROGRESS) {
		a->last_error = errno;
		close(fd);
		return;
	}
	a->open[a->nopen++] = (struct pollfd){ .fd = fd, .events = POLLOUT };
}

/* The first socket that is connected, or -1; failed ones are closed. */
static int
attempts_check(struct attempts *a)
{
	socklen_t len = sizeof(int);
	size_t i = 0;
	int error, fd;

	while (i < a->nopen) {
		fd = a->open[i].fd;
		if (a->open[i].revents == 0) {
			i++;
			continue;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
			error = errno;
		a->open[i] = a->open[--a->nopen];
		if (error == 0)
			return fd;
		a->last_error = error;
		close(fd);
	}
	return -1;
}

static int
attempts_run(struct attempts *a, deadline end)
{
	int fd = -1, wait, n;

	while (fd == -1 && (a->next < a->n || a->nopen > 0)) {
		wait = deadline_left(end);
		if (wait == 0) {
			a->last_error = ETIMEDOUT;
			break;
		}
		if (a->next < a->n) {
			attempt_next(a);
			if (wait > ATTEMPT_DELAY_MS)
				wait = ATTEMPT_DELAY_MS;
		}
		if (a->nopen == 0)
			continue;
		n = poll(a->open, a->nopen, wait);
		if (n > 0)
			fd = attempts_check(a);
	}
	while (a->nopen > 0)
		close(a->open[--a->nopen].fd);
	return fd;
}

static void
describe_peer(int fd, char text[DIALER_TEXT_MAX])
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	text[0] = '\0';
	if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
	    getnameinfo((struct sockaddr *)&peer, len, host, sizeof(host), port,
		sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		(void)snprintf(text, DIALER_TEXT_MAX,
		    strchr(host, ':') == NULL ? "%s:%s" : "[%s]:%s", host,
		    port);
}

int
dialer_connect(
    const char *host, uint32_t port, deadline end, char text[DIALER_TEXT_MAX])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG },
			*list;
	struct attempts a = { 0 };
	char service[8];
	int error, fd, one = 1;

	(void)snprintf(service, sizeof(service), "%u", port);
	error = getaddrinfo(host, service, &hints, &list);
	if (error == EAI_NONAME || error == EAI_ADDRFAMILY) {
		/* AI_ADDRCONFIG hides ::1 where only loopback has IPv6. */
		hints.ai_flags = 0;
		error = getaddrinfo(host, service, &hints, &list);
	}
	if (error != 0) {
		(void)snprintf(text, DIALER_TEXT_MAX, "can't resolve %s: %s",
		    host, gai_strerror(error));
		return -1;
	}
	interleave(&a, list);
	fd = attempts_run(&a, end);
	freeaddrinfo(list);
	if (fd == -1) {
		(void)snprintf(text, DIALER_TEXT_MAX,
		    "can't connect to %s port %u: %s", host, port,
		    strerror(a.last_error));
		return -1;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	describe_peer(fd, text);
	return fd;
}
