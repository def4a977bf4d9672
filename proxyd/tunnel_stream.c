#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <event2/buffer.h>

#include "common/log.h"
#include "proxyd/decode.h"
#include "proxyd/headers.h"
#include "proxyd/proxyd.h"
#include "proxyd/reply.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnel.h"
#include "proxyd/tunnel_opening.h"
#include "proxyd/tunnel_stream.h"
#include "proxyd/upstream.h"

/* What is decoded at a time. */
#define DECODED_SIZE 16384

struct tunnel_stream {
	struct tunnel *tunnel;
	struct tunnel_ask ask;
	struct upstream_transfer *transfer;
	int status; /* of the head that is being read */
	struct headers headers;
	struct decode *decode; /* NULL: the body is as it is sent */
	size_t received;
	size_t taken; /* bytes of what comes next that were decoded already */
	bool paused;
};

static void
stream_free(void *arg)
{
	struct tunnel_stream *s = arg;

	if (s->transfer != NULL)
		upstream_cancel(s->transfer);
	decode_free(s->decode);
	headers_clear(&s->headers);
	tunnel_ask_clear(&s->ask);
	free(s);
}

static void
stream_pause(void *arg)
{
	struct tunnel_stream *s = arg;

	s->paused = true;
}

static void
stream_resume(void *arg)
{
	struct tunnel_stream *s = arg;

	s->paused = false;
	if (s->transfer != NULL)
		upstream_resume(s->transfer);
}

static bool
stream_close(void *arg, uint16_t code, const char *reason)
{
	(void)code;
	(void)reason;
	stream_free(arg);
	return true;
}

static const struct tunnel_far_ops far_ops = {
	.pause = stream_pause,
	.resume = stream_resume,
	.close = stream_close,
	.free = stream_free,
};

/* The three digits of "HTTP/1.1 200 OK", or 0. */
static int
read_status(const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	int i, status = 0;

	if (blank == NULL || len - (size_t)(blank - line) < 4)
		return 0;
	for (i = 1; i <= 3; i++) {
		if (blank[i] < '0' || blank[i] > '9')
			return 0;
		status = 10 * status + blank[i] - '0';
	}
	return status;
}

/* The head is there: tell the page; -1 if it must not be told. */
static int
on_head(struct tunnel_stream *s)
{
	struct tunnel *t = s->tunnel;
	struct evbuffer *members = evbuffer_new();
	enum decode_coding coding = decode_coding(&s->headers, s->status);
	unsigned flags = 0;
	int rc = -1;

	if (decode_is_known(coding)) {
		flags = HEADERS_NO_LENGTH | HEADERS_NO_ENCODING;
		s->decode = decode_new(coding);
		if (s->decode == NULL || decode_fields(&s->headers) == -1)
			fatal("tunnel");
	}
	if (members == NULL ||
	    evbuffer_add_printf(
		members, "\"status\":%d,\"headers\":", s->status) == -1 ||
	    headers_write(&s->headers, flags, members) == -1)
		fatal("tunnel");
	if (evbuffer_get_length(members) <= REPLY_DATA_MAX - 32) {
		if (s->status == 401)
			sessions_forget(
			    t->proxyd->sessions, t->github_id, t->login);
		tunnel_head(t, members);
		rc = 0;
	}
	evbuffer_free(members);
	return rc;
}

static int
on_header(void *arg, const char *line, size_t len)
{
	static const char http[] = "HTTP/";
	struct tunnel_stream *s = arg;
	bool was_complete = s->headers.complete;

	if (len >= strlen(http) && memcmp(line, http, strlen(http)) == 0)
		s->status = read_status(line, len);
	if (headers_line(&s->headers, line, len) == -1)
		return -1;
	/* Those of 1xx are not the answer, and trailers no head. */
	if (was_complete || !s->headers.complete || s->status < 200)
		return 0;
	return on_head(s);
}

/*
 * What is coded may become a thousand times longer, and so may have to stop
 * in the middle of a piece, which then comes again from its beginning.
 */
static int
take_coded(struct tunnel_stream *s, const uint8_t *piece, size_t len)
{
	uint8_t plain[DECODED_SIZE];
	const uint8_t *in;
	size_t left;
	ssize_t n;

	if (s->taken > len) {
		s->taken -= len;
		return 0;
	}
	in = piece + s->taken;
	left = len - s->taken;
	do {
		if (s->paused) {
			s->taken = len - left;
			return UPSTREAM_PAUSE;
		}
		n = decode_feed(s->decode, &in, &left, plain, sizeof(plain));
		if (n > 0)
			tunnel_part(
			    s->tunnel, WS_TEXT, plain, (size_t)n, false);
	} while (n > 0);
	s->taken = 0;
	return (int)n;
}

static int
on_body(void *arg, const void *piece, size_t len)
{
	struct tunnel_stream *s = arg;
	int rc = 0;

	if (s->paused)
		return UPSTREAM_PAUSE;
	if (s->decode != NULL)
		rc = take_coded(s, piece, len);
	else
		tunnel_part(s->tunnel, WS_TEXT, piece, len, false);
	if (rc != 0)
		return rc;
	s->received += len;
	s->tunnel->proxyd->counts.body_bytes += len;
	return 0;
}

/* Why it is no good end, or "". */
static const char *
explain(const struct tunnel_stream *s, int status, int error)
{
	if (error == CURLE_OPERATION_TIMEDOUT)
		return "504 the web app did not answer in time";
	if (error == CURLE_WRITE_ERROR || (error == CURLE_OK && status < 200))
		return "502 the web app's answer is malformed";
	if (s->tunnel->state == TUNNEL_OPENING)
		return "502 the web app cannot be reached";
	if (error != CURLE_OK ||
	    (status != 204 && status != 304 &&
		(!headers_length_is(&s->headers, s->received) ||
		    (s->decode != NULL && !decode_is_whole(s->decode)))))
		return "502 the web app's answer broke off";
	return "";
}

static void
on_done(void *arg, int status, int error)
{
	struct tunnel_stream *s = arg;
	struct tunnel *t = s->tunnel;
	const char *why = explain(s, status, error);

	s->transfer = NULL; /* freed when we return */
	if (error != CURLE_OK)
		log_debugx("upstream: %s", curl_easy_strerror((CURLcode)error));
	if (t->state == TUNNEL_OPENING) {
		tunnel_refuse(t, why); /* frees s */
		return;
	}
	if (why[0] != '\0')
		t->proxyd->counts.upstream_failed++;
	tunnel_part(t, WS_TEXT, NULL, 0, true);
	tunnel_far_gone(t, WS_CLOSE_NORMAL, why, true);
	stream_free(s);
}

static const struct upstream_ops upstream_ops = {
	.header = on_header,
	.body = on_body,
	.done = on_done,
};

void
tunnel_stream_start(struct tunnel *t, struct tunnel_ask *ask, const char *jwt)
{
	struct tunnel_stream *s = calloc(1, sizeof(*s));
	struct upstream_request request = { .method = "GET" };

	if (s == NULL)
		fatal("tunnel");
	s->tunnel = t;
	headers_init(&s->headers, t->proxyd->conf.headers_max,
	    t->proxyd->conf.headers_size_max);
	s->ask = *ask;
	memset(ask, 0, sizeof(*ask));
	t->ops = &far_ops;
	t->far = s;
	request.target = s->ask.target;
	request.headers = s->ask.headers;
	request.nheaders = s->ask.nheaders;
	request.authorization = jwt;
	s->transfer =
	    upstream_start(t->proxyd->upstream, &request, &upstream_ops, s);
	if (s->transfer == NULL)
		fatal("tunnel");
}
