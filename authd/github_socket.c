#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#include "authd/github_internal.h"
#include "common/monotonic.h"

/*
 * authd connects to nothing: its sockets come from the parent, connected.
 * So no library of this process gets any further with connect(2) than here,
 * and libcurl 7.88 calls it for a socket of which it was told that it is
 * connected already; later versions do not.
 *
 * Libraries are to find it, whatever the compiler's flags hide; its name in C
 * is another one, as C libraries do not agree on the type of connect().
 */
int socket_connect(int, const struct sockaddr *, socklen_t) __asm__("connect")
    __attribute__((used, visibility("default")));

int
socket_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);

	(void)address;
	(void)len;
	if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0)
		return 0;
	errno = EACCES;
	return -1;
}

/* The place of a socket among those that curl has, or NULL. */
static int *
find_socket(struct github *g, int fd)
{
	size_t i;

	for (i = 0; i < GITHUB_SOCKETS_MAX; i++)
		if (g->sockets[i] == fd)
			return &g->sockets[i];
	return NULL;
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct github_request *r = arg;
	struct github *g = r->github;
	int fd = g->fd, *place = find_socket(g, -1);

	(void)purpose;
	(void)address;
	g->fd = -1;
	if (fd != -1 && place != NULL &&
	    monotonic_ms() - g->fd_ms <= GITHUB_SOCKET_AGE_MS) {
		*place = fd;
		return fd;
	}
	if (fd != -1)
		close(fd);
	r->wants_socket = true;
	return CURL_SOCKET_BAD;
}

static int
on_opened(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int
on_close(void *arg, curl_socket_t fd)
{
	int *place = find_socket(arg, fd);

	if (place != NULL)
		*place = -1;
	return close(fd);
}

void
socket_shutdown_all(struct github *g)
{
	size_t i;

	for (i = 0; i < GITHUB_SOCKETS_MAX; i++)
		if (g->sockets[i] != -1)
			(void)shutdown(g->sockets[i], SHUT_RDWR);
}

int
socket_set_options(struct github_request *r)
{
	CURL *easy = r->easy;

	if (curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) !=
		CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, r) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_opened) !=
		CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) !=
		CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, r->github) !=
		CURLE_OK ||
	    /* The dialer went through the proxy. */
	    curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK)
		return -1;
	/*
	 * No name is looked up in this process: any address will do, as none
	 * is connected to.
	 */
	r->target = curl_slist_append(NULL, "::127.0.0.1:");
	if (r->target == NULL ||
	    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, r->target) != CURLE_OK)
		return -1;
	return 0;
}
