#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "proxyd/answer.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/request.h"
#include "proxyd/text.h"
#include "proxyd/transaction.h"
#include "proxyd/upstream.h"

static void on_deadline(int, short, void *);
static void on_session(void *, const struct session *);
static int on_header(void *, const char *, size_t);
static int on_body(void *, const void *, size_t);
static void on_done(void *, int, int);
static void transfer(struct transaction *);

static const struct upstream_ops upstream_ops = {
	.header = on_header,
	.body = on_body,
	.done = on_done,
};

struct transaction *
transaction_new(struct proxyd *proxyd, uint64_t number, struct evbuffer *text,
    const char **why)
{
	struct transaction *t;
	struct request *request;

	request = request_parse(
	    text, (proxyd->link.capabilities & LINK_STATUS) != 0, why);
	if (request == NULL)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		fatal("transaction");
	t->proxyd = proxyd;
	t->number = number;
	t->request = request;
	t->wait.done = on_session;
	t->wait.arg = t;
	evtimer_assign(&t->deadline, proxyd->child.base, on_deadline, t);
	return t;
}

void
transaction_free(struct transaction *t)
{
	if (t->transfer != NULL)
		upstream_cancel(t->transfer);
	sessions_cancel(&t->wait);
	evtimer_del(&t->deadline);
	t->proxyd->buffered -= t->buffered;
	headers_clear(&t->headers);
	body_clear(&t->body);
	if (t->jwt != NULL)
		freezero(t->jwt, strlen(t->jwt));
	free(t->redirect.target);
	free(t->kept_headers);
	request_free(t->request);
	free(t);
}

uint64_t
transaction_number(const struct transaction *t)
{
	return t->number;
}

const char *
transaction_request_id(const struct transaction *t)
{
	return t->request->id;
}

/* Count what this one holds in memory. */
static void
set_buffered(struct transaction *t, size_t bytes)
{
	t->proxyd->buffered += bytes - t->buffered;
	t->buffered = bytes;
}

static void
log_transaction(const struct transaction *t, int status)
{
	const struct request *r = t->request;
	struct timespec now;

	if (log_get_level() < LOG_LEVEL_DEBUG || r->error != NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	log_debugx("%s %.*s %d, %lld ms", r->method,
	    (int)strcspn(r->target, "?"), r->target, status,
	    (long long)(now.tv_sec - t->began.tv_sec) * 1000 +
		(now.tv_nsec - t->began.tv_nsec) / 1000000);
}

/* The end: hand the answer over and go. */
static void
answer(struct transaction *t, int status, struct evbuffer *message)
{
	struct proxyd *proxyd = t->proxyd;

	if (message == NULL)
		fatal("answer");
	log_transaction(t, status);
	set_buffered(t, 0);
	outbox_add(proxyd->outbox, t->number, t->request->id, message);
	t->ended(t->ended_arg, t);
	transaction_free(t);
}

static void
fail(struct transaction *t, int status, const char *text)
{
	answer(t, status,
	    answer_compose_error(
		t->request->id, t->request->id_len, status, text));
}

static void
on_deadline(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fail(arg, 504, "the web app did not answer in time");
}

void
transaction_start(struct transaction *t, transaction_ended ended, void *arg)
{
	const struct request *r = t->request;
	const struct session *session;

	t->ended = ended;
	t->ended_arg = arg;
	clock_gettime(CLOCK_MONOTONIC, &t->began);
	if (r->error != NULL) {
		fail(t, 400, r->error);
		return;
	}
	timer_set(&t->deadline, t->proxyd->conf.total_ms);
	set_buffered(t, r->body_len);
	if (!r->identified) {
		transfer(t);
		return;
	}
	session =
	    sessions_get(t->proxyd->sessions, r->github_id, r->login, &t->wait);
	if (session != NULL)
		on_session(t, session);
}

static void
on_session(void *arg, const struct session *session)
{
	struct transaction *t = arg;

	switch (session->status) {
	case SESSION_OK:
		t->jwt = strdup(session->jwt);
		if (t->jwt == NULL)
			fatal("session");
		transfer(t);
		break;
	case SESSION_DENIED:
		fail(t, 403, session->reason);
		break;
	case SESSION_UNAVAILABLE:
	case SESSION_STATUS_COUNT:
		fail(t, 503, session->reason);
		break;
	}
}

/* Ask the upstream, for the request or for where it was redirected to. */
static void
transfer(struct transaction *t)
{
	const struct request *r = t->request;
	bool redirected = t->redirects > 0;
	struct upstream_request ask = {
		.method = redirected ? t->redirect.method : r->method,
		.target = redirected ? t->redirect.target : r->target,
		.headers = r->headers,
		.nheaders = r->nheaders,
		.authorization = t->jwt,
		.has_body = r->has_body,
		.body = r->body,
		.body_len = r->body_len,
	};

	if (redirected && !t->redirect.keep_body) {
		ask.has_body = false;
		ask.headers = t->kept_headers;
		for (ask.nheaders = 0; ask.headers[ask.nheaders] != NULL;)
			ask.nheaders++;
	}
	t->transfer =
	    upstream_start(t->proxyd->upstream, &ask, &upstream_ops, t);
	if (t->transfer == NULL)
		fail(t, 502, "the web app cannot be asked");
}

static int
on_header(void *arg, const char *line, size_t len)
{
	struct transaction *t = arg;

	if (headers_line(&t->headers, line, len) == 0)
		return 0;
	t->failure = "the web app's answer has too many headers";
	t->failure_status = 502;
	return -1;
}

/* As text where that is what it is, else as base64. */
static int
begin_body(struct transaction *t)
{
	const struct proxyd *p = t->proxyd;
	const char *encoding = headers_get(&t->headers, "content-encoding");
	bool text = text_type(headers_get(&t->headers, "content-type")) &&
		    encoding == NULL;
	size_t max = p->conf.body_max;

	if (max > p->link.message_max)
		max = p->link.message_max;
	t->body_started = true;
	return body_start(&t->body, text, max);
}

static int
on_body(void *arg, const void *piece, size_t len)
{
	struct transaction *t = arg;
	const struct proxyd *p = t->proxyd;

	t->failure = "the web app's answer is too large";
	t->failure_status = 502;
	if ((!t->body_started && begin_body(t) == -1) ||
	    body_feed(&t->body, piece, len) == -1)
		return -1;
	set_buffered(t, t->request->body_len + body_length(&t->body));
	if (p->buffered > p->conf.buffered_max) {
		t->failure = "the instance is busy; try again";
		t->failure_status = 503;
		return -1;
	}
	t->received += len;
	t->failure = NULL;
	return 0;
}

/* What curl lets pass, but is no whole answer to our question. */
static bool
response_is_sound(const struct transaction *t, int status)
{
	if (!t->headers.complete || status < 200)
		return false;
	return strcmp(t->request->method, "HEAD") == 0 || status == 204 ||
	       status == 304 || headers_length_is(&t->headers, t->received);
}

/* The headers that still make sense without the body. */
static void
keep_headers(struct transaction *t)
{
	const struct request *r = t->request;
	size_t i, n = 0;

	free(t->kept_headers);
	t->kept_headers = calloc(r->nheaders + 1, sizeof(char *));
	if (t->kept_headers == NULL)
		fatal("redirect");
	for (i = 0; i < r->nheaders; i++)
		if (!redirect_drops(r->headers[i]))
			t->kept_headers[n++] = r->headers[i];
}

/*
 * An orchestrator that turns every status below 400 into 200 cannot pass a
 * redirection on: it is followed here.  True when that is under way.
 */
static bool
follow(struct transaction *t, int status)
{
	struct redirect next;
	bool was_kept = t->redirects == 0 || t->redirect.keep_body;

	if ((t->proxyd->link.capabilities & LINK_STATUS) != 0 ||
	    t->redirects == REDIRECT_MAX ||
	    !redirect_next(upstream_base(t->proxyd->upstream),
		t->redirects == 0 ? t->request->method : t->redirect.method,
		t->redirects == 0 ? t->request->target : t->redirect.target,
		status, headers_get(&t->headers, "location"), &next))
		return false;
	free(t->redirect.target);
	t->redirect = next;
	t->redirect.keep_body = next.keep_body && was_kept;
	t->redirects++;
	if (!t->redirect.keep_body)
		keep_headers(t);
	headers_clear(&t->headers);
	body_clear(&t->body);
	t->body_started = false;
	t->received = 0;
	set_buffered(t, t->request->body_len);
	transfer(t);
	return true;
}

/*
 * An orchestrator that does not undo base64 sends it to the browser as it
 * is, longer than the body was.
 */
static bool
length_is_untrue(const struct transaction *t)
{
	return body_is_base64(&t->body) && body_length(&t->body) > 0 &&
	       (t->proxyd->link.capabilities & LINK_BASE64) == 0;
}

static void
respond(struct transaction *t, int status)
{
	const struct request *r = t->request;
	struct evbuffer *message;

	if ((!t->body_started && begin_body(t) == -1) ||
	    body_finish(&t->body) == -1) {
		fail(t, 502, "the web app's answer is too large");
		return;
	}
	message = answer_compose(r->id, r->id_len, status, &t->headers,
	    length_is_untrue(t) ? HEADERS_NO_LENGTH : 0, &t->body);
	if (message != NULL &&
	    evbuffer_get_length(message) > t->proxyd->link.message_max) {
		evbuffer_free(message);
		fail(t, 502, "the web app's answer is too large");
		return;
	}
	answer(t, status, message);
}

/* Said once each way: an upstream that is away fails every request. */
static void
log_upstream(struct proxyd *p, int error)
{
	const char *what = curl_easy_strerror((CURLcode)error);

	if (error == CURLE_OK && p->upstream_fails)
		log_infox(
		    "upstream %s answers again", upstream_base(p->upstream));
	else if (error != CURLE_OK && !p->upstream_fails)
		log_warnx("upstream %s: %s", upstream_base(p->upstream), what);
	else if (error != CURLE_OK)
		log_debugx("upstream: %s", what);
	p->upstream_fails = error != CURLE_OK;
}

static void
on_done(void *arg, int status, int error)
{
	struct transaction *t = arg;
	const struct request *r = t->request;

	t->transfer = NULL; /* freed when we return */
	if (t->failure == NULL)
		log_upstream(t->proxyd, error);
	if (error == CURLE_OK && !response_is_sound(t, status)) {
		t->failure = "the web app's answer is malformed";
		t->failure_status = 502;
	} else if (error == CURLE_OK) {
		/* Our JWT is not what it was: ask authd before the next. */
		if (status == 401 && t->jwt != NULL)
			sessions_forget(
			    t->proxyd->sessions, r->github_id, r->login);
		if (!follow(t, status))
			respond(t, status);
		return;
	}
	if (t->failure != NULL) {
		fail(t, t->failure_status, t->failure);
		return;
	}
	if (error == CURLE_OPERATION_TIMEDOUT)
		fail(t, 504, "the web app did not answer in time");
	else
		fail(t, 502, "the web app cannot be reached");
}
