#include <sys/socket.h>

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "tetherd/dialer.h"

#define HEAD_MAX 8192

static int
wait_for(int fd, short events, deadline end)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&pfd, 1, deadline_left(end));
	while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n == 1 ? 0 : -1;
}

static int
send_all(int fd, const char *s, size_t len, deadline end)
{
	ssize_t n;

	while (len > 0) {
		if (wait_for(fd, POLLOUT, end) == -1)
			return -1;
		n = send(fd, s, len, MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n > 0) {
			s += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/*
 * Read the proxy's answer, and not a byte of what comes behind it: that
 * belongs to the connector.  One byte at a time does for one head.
 */
static int
receive_head(int fd, char head[HEAD_MAX], deadline end)
{
	size_t len = 0;
	ssize_t n;

	while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0) {
		if (len == HEAD_MAX - 1) {
			errno = EMSGSIZE;
			return -1;
		}
		if (wait_for(fd, POLLIN, end) == -1)
			return -1;
		n = recv(fd, head + len, 1, 0);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n == 0) {
			errno = ECONNRESET;
			return -1;
		}
		if (n == 1)
			len++;
	}
	head[len] = '\0';
	return 0;
}

/* The request, malloc'd; NULL when out of memory. */
static char *
make_request(const char *host, uint32_t port, const char *auth)
{
	bool v6 = strchr(host, ':') != NULL;
	struct base64 encoder = { 0 };
	char target[300], *credentials = NULL, *request;
	size_t len = strlen(auth), n;
	int rc;

	(void)snprintf(target, sizeof(target), "%s%s%s:%u", v6 ? "[" : "", host,
	    v6 ? "]" : "", port);
	if (len > 0) {
		credentials = calloc(1, BASE64_SIZE(len) + 1);
		if (credentials == NULL)
			return NULL;
		n = base64_feed(
		    &encoder, (const uint8_t *)auth, len, credentials);
		(void)base64_finish(&encoder, credentials + n);
	}
	rc = asprintf(&request, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n",
	    target, target, len > 0 ? "Proxy-Authorization: Basic " : "",
	    len > 0 ? credentials : "", len > 0 ? "\r\n" : "");
	if (credentials != NULL)
		freezero(credentials, strlen(credentials));
	return rc == -1 ? NULL : request;
}

int
dialer_tunnel(int fd, const char *host, uint32_t port, const char *auth,
    deadline end, char text[DIALER_TEXT_MAX])
{
	char head[HEAD_MAX], *request = make_request(host, port, auth);
	int rc;

	rc = request == NULL ? -1 : send_all(fd, request, strlen(request), end);
	if (request != NULL)
		freezero(request, strlen(request));
	if (rc == -1 || receive_head(fd, head, end) == -1) {
		(void)snprintf(
		    text, DIALER_TEXT_MAX, "proxy: %s", strerror(errno));
		return -1;
	}
	/* "HTTP/1.1 200 …": any 2xx opens the tunnel. */
	if (strncmp(head, "HTTP/1.", 7) == 0 &&
	    isdigit((unsigned char)head[7]) && head[8] == ' ' && head[9] == '2')
		return 0;
	head[strcspn(head, "\r")] = '\0';
	(void)snprintf(text, DIALER_TEXT_MAX, "proxy refused: %.100s", head);
	return -1;
}
