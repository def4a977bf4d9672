#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/http_multi.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/timer.h"
#include "proxyd/upstream.h"

/*
 * Node's HTTP server closes a connection that was idle for 5 s: not using
 * one that is nearly that old avoids the race.
 */
#define IDLE_SECONDS 4L

/* Connections kept for the next request. */
#define KEPT_CONNECTIONS 16L

#define RECEIVE_BUFFER (64L * 1024)

/*
 * Bytes of all heads and trailers: how much one may have is for others to
 * say, but those of 1xx (RFC 9110 section 15.2) need never end.
 */
#define HEADS_MAX (4 * 1024 * 1024)

struct upstream {
	struct event_base *base;
	struct http_multi *multi;
	struct upstream_address address;
	long connect_ms;
	int connect_errno; /* of the last one that was in vain */
};

struct upstream_transfer {
	struct upstream *upstream;
	CURL *easy;
	struct curl_slist *headers;
	const struct upstream_ops *ops;
	void *arg;
	size_t heads;	     /* bytes, with those of 1xx and trailers */
	bool stopped;	     /* by body() */
	bool has_body;	     /* some of it came */
	struct event forgot; /* to end what curl does not */
	char error[CURL_ERROR_SIZE];
};

static void on_done(void *, CURL *, CURLcode);
static void on_forgot(int, short, void *);

const char *
upstream_check(const struct proxyd_conf *conf)
{
	struct upstream_address address;

	return upstream_address_parse(&address, conf);
}

bool
upstream_change(struct upstream *up, const struct proxyd_conf *conf)
{
	struct upstream_address next;
	const struct upstream_address *now = &up->address;
	bool other;

	if (upstream_address_parse(&next, conf) != NULL)
		fatalx("upstream: a checked address is none");
	other = now->len != next.len ||
		memcmp(&now->socket, &next.socket, next.len) != 0;
	up->connect_ms = (long)conf->connect_ms;
	up->address = next;
	return other;
}

struct upstream *
upstream_new(struct event_base *base, const struct proxyd_conf *conf)
{
	struct upstream *up = calloc(1, sizeof(*up));

	if (up == NULL)
		fatal("upstream");
	up->base = base;
	up->multi = http_multi_new(base, on_done, up);
	http_multi_keep(up->multi, KEPT_CONNECTIONS);
	http_multi_guard(up->multi);
	(void)upstream_change(up, conf);
	return up;
}

void
upstream_free(struct upstream *up)
{
	http_multi_free(up->multi);
	free(up);
}

const char *
upstream_base(const struct upstream *up)
{
	return up->address.base;
}

const char *
upstream_name(const struct upstream *up)
{
	return up->address.name;
}

const char *
upstream_path(const struct upstream *up)
{
	return upstream_address_path(&up->address);
}

const char *
upstream_connect_failure(const struct upstream *up)
{
	return up->connect_errno == 0
		   ? curl_easy_strerror(CURLE_COULDNT_CONNECT)
		   : strerrordesc_np(up->connect_errno);
}

/* One of them has the JWT. */
static void
wipe_headers(struct upstream_transfer *t)
{
	struct curl_slist *header;

	for (header = t->headers; header != NULL; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(t->headers);
}

static void
transfer_free(struct upstream_transfer *t)
{
	evtimer_del(&t->forgot);
	http_multi_remove(t->upstream->multi, t->easy);
	curl_easy_cleanup(t->easy);
	wipe_headers(t);
	free(t);
}

/*
 * libcurl 7.88 calls it lack of memory when a line of the head is longer than
 * 100 KiB, and a failure to receive when all of it are longer than 300.
 */
static bool
head_is_too_large(const struct upstream_transfer *t, CURLcode result)
{
	static const char said[] = "Too large response headers";

	if (t->has_body || result == CURLE_OK)
		return false;
	return t->heads > HEADS_MAX || result == CURLE_OUT_OF_MEMORY ||
	       strncmp(t->error, said, strlen(said)) == 0;
}

static void
on_done(void *arg, CURL *easy, CURLcode result)
{
	struct upstream *up = arg;
	struct upstream_transfer *t;
	long status = 0, error = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
	if (result == CURLE_COULDNT_CONNECT) {
		curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
		up->connect_errno = (int)error;
	}
	if (t->stopped)
		result = CURLE_WRITE_ERROR;
	else if (head_is_too_large(t, result))
		result = CURLE_FILESIZE_EXCEEDED;
	if (result == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	t->ops->done(t->arg, (int)status, result);
	transfer_free(t);
}

/*
 * Whether the upstream may say so.  101 is no answer to what we ask: curl
 * would wait for the end of whatever protocol follows.
 */
static bool
is_welcome(const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);

	if (len < 5 || memcmp(line, "HTTP/", 5) != 0)
		return true;
	return len > 7 && memcmp(line, "HTTP/1.", 7) == 0 && blank != NULL &&
	       (len - (size_t)(blank - line) < 4 ||
		   memcmp(blank, " 101", 4) != 0);
}

static size_t
on_header(char *line, size_t size, size_t n, void *arg)
{
	struct upstream_transfer *t = arg;
	size_t len = size * n;

	t->heads += len;
	return t->heads > HEADS_MAX || !is_welcome(line, len) ||
		       t->ops->header(t->arg, line, len) == -1
		   ? 0
		   : len;
}

static size_t
on_body(char *piece, size_t size, size_t n, void *arg)
{
	struct upstream_transfer *t = arg;

	t->has_body = true;
	switch (t->stopped ? -1 : t->ops->body(t->arg, piece, size * n)) {
	case 0:
		return size * n;
	case UPSTREAM_PAUSE:
		return CURL_WRITEFUNC_PAUSE;
	default:
		t->stopped = true;
		/* That would not stop curl when the piece is empty, which it
		 * never is. */
		return 0;
	}
}

static bool
has_header(const struct upstream_request *r, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < r->nheaders; i++)
		if (strncasecmp(r->headers[i], name, len) == 0 &&
		    (r->headers[i][len] == ':' || r->headers[i][len] == ';'))
			return true;
	return false;
}

static int
add_header(struct upstream_transfer *t, const char *header)
{
	struct curl_slist *list = curl_slist_append(t->headers, header);

	if (list == NULL)
		return -1;
	t->headers = list;
	return 0;
}

/* The headers to send, without those that curl would add by itself. */
static int
add_headers(struct upstream_transfer *t, const struct upstream_request *r)
{
	static const char *const unwanted[] = { "Accept", "Content-Type",
		"Expect" };
	char *authorization, removal[32];
	size_t i;
	int rc;

	for (i = 0; i < r->nheaders; i++)
		if (add_header(t, r->headers[i]) == -1)
			return -1;
	for (i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
		if (has_header(r, unwanted[i]))
			continue;
		(void)snprintf(removal, sizeof(removal), "%s:", unwanted[i]);
		if (add_header(t, removal) == -1)
			return -1;
	}
	if (r->authorization == NULL)
		return 0;
	if (asprintf(&authorization, "Authorization: Bearer %s",
		r->authorization) == -1)
		return -1;
	rc = add_header(t, authorization);
	freezero(authorization, strlen(authorization));
	return rc;
}

/* These methods promise a body, so that an empty one must be announced. */
static bool
announces_body(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
	       strcmp(method, "PATCH") == 0;
}

/*
 * RFC 9110 section 9.2.2.  On a connection that was kept, and that the
 * upstream gave up before a byte of the answer, curl sends a request up to
 * five times more.  It may have been read before: another POST must not come
 * of that, and so each gets a connection on which nothing is sent again.
 */
static bool
is_idempotent(const char *method)
{
	static const char *const methods[] = { "GET", "HEAD", "PUT", "DELETE",
		"OPTIONS", "TRACE" };
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(method, methods[i]) == 0)
			return true;
	return false;
}

#define SET(option, value)                                                \
	do {                                                              \
		if (curl_easy_setopt(t->easy, option, value) != CURLE_OK) \
			return -1;                                        \
	} while (0)

static int
set_method(struct upstream_transfer *t, const struct upstream_request *r)
{
	if (strcmp(r->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
		return 0;
	}
	if (r->has_body || announces_body(r->method)) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)(r->has_body ? r->body_len : 0));
		SET(CURLOPT_POSTFIELDS,
		    r->has_body ? (const char *)r->body : "");
	}
	SET(CURLOPT_CUSTOMREQUEST, r->method);
	return 0;
}

static int
set_options(struct upstream_transfer *t, const struct upstream_request *r)
{
	const struct upstream *up = t->upstream;
	const char *path = upstream_address_path(&up->address);

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_URL, up->address.base);
	if (path != NULL)
		SET(CURLOPT_UNIX_SOCKET_PATH, path);
	if (!is_idempotent(r->method))
		SET(CURLOPT_FRESH_CONNECT, 1L);
	/* Nothing of the request can change where it goes. */
	SET(CURLOPT_REQUEST_TARGET, r->target);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_CONNECTTIMEOUT_MS, up->connect_ms);
	SET(CURLOPT_MAXAGE_CONN, IDLE_SECONDS);
	SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_ERRORBUFFER, t->error);
	if (set_method(t, r) == -1 || add_headers(t, r) == -1)
		return -1;
	SET(CURLOPT_HTTPHEADER, t->headers);
	return 0;
}

struct upstream_transfer *
upstream_start(struct upstream *up, const struct upstream_request *r,
    const struct upstream_ops *ops, void *arg)
{
	struct upstream_transfer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->upstream = up;
	t->ops = ops;
	t->arg = arg;
	evtimer_assign(&t->forgot, up->base, on_forgot, t);
	t->easy = curl_easy_init();
	if (t->easy == NULL || set_options(t, r) == -1 ||
	    http_multi_add(up->multi, t->easy) == -1) {
		curl_easy_cleanup(t->easy);
		wipe_headers(t);
		free(t);
		return NULL;
	}
	return t;
}

int
upstream_status(const struct upstream_transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

static void
on_forgot(int fd, short what, void *arg)
{
	struct upstream_transfer *t = arg;

	(void)fd;
	(void)what;
	t->ops->done(t->arg, 0, CURLE_WRITE_ERROR);
	transfer_free(t);
}

void
upstream_resume(struct upstream_transfer *t)
{
	/*
	 * The piece that waits is handed over in here.  If body() does not
	 * take it, curl neither ends the transfer nor looks at its socket.
	 */
	if (curl_easy_pause(t->easy, CURLPAUSE_CONT) != CURLE_OK) {
		t->stopped = true;
		timer_set(&t->forgot, 0);
	}
}

void
upstream_cancel(struct upstream_transfer *t)
{
	transfer_free(t);
}
