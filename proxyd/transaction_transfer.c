#include <errno.h>
#include <string.h>

#include <curl/curl.h>
#include <event2/buffer.h>

#include "common/log.h"
#include "proxyd/health.h"
#include "proxyd/proxyd.h"
#include "proxyd/request.h"
#include "proxyd/sessions.h"
#include "proxyd/transaction.h"
#include "proxyd/transaction_transfer.h"
#include "proxyd/upstream.h"

#define TOO_MANY_HEADERS "the web app's answer has too many headers"
#define MALFORMED	 "the web app's answer is malformed"

/* Bytes of a coded body at a time: about a thousand times as many plain. */
#define CODED_MAX 1024

static int on_header(void *, const char *, size_t);
static int on_body(void *, const void *, size_t);
static void on_done(void *, int, int);

static const struct upstream_ops upstream_ops = {
	.header = on_header,
	.body = on_body,
	.done = on_done,
};

void
transaction_transfer(struct transaction *t)
{
	struct proxyd *p = t->proxyd;
	struct upstream_request ask;
	struct denied denied;

	asking_fill(&t->asking, &ask);
	if (!admission_allows(&t->admission, ask.method, ask.target, &denied)) {
		transaction_refuse(t, &denied);
		return;
	}
	ask.authorization = t->admission.jwt;
	t->response.target = ask.target;
	t->response.token = admission_page_token(&t->admission);
	(void)strlcpy(t->response.base, upstream_base(p->upstream),
	    sizeof(t->response.base));
	(void)strlcpy(
	    t->upstream, upstream_name(p->upstream), sizeof(t->upstream));
	t->transfer = upstream_start(p->upstream, &ask, &upstream_ops, t);
	if (t->transfer == NULL)
		transaction_fail(t, 502, "the web app cannot be asked");
}

/* Whether the body is a page whose handle is still to be made. */
static bool
wants_handle(const struct transaction *t, int status)
{
	return t->request->identified && !t->request->fetched &&
	       !t->has_handle &&
	       response_kind(&t->response, status) == REWRITE_HTML;
}

/*
 * Stop the transfer.  It may be a while until curl says that it did, and
 * others go on meanwhile: the memory is free now.
 */
static int
give_up(struct transaction *t, int status, const char *why)
{
	t->failure = why;
	t->failure_status = status;
	body_clear(&t->response.body);
	transaction_hold(t, t->request->body_len);
	return -1;
}

static int
on_header(void *arg, const char *line, size_t len)
{
	struct transaction *t = arg;

	if (headers_line(&t->response.headers, line, len) == -1)
		return give_up(t, 502, TOO_MANY_HEADERS);
	return 0;
}

/* Take some bytes of the body: 0, or -1 if it is to be stopped. */
static int
take_piece(struct transaction *t, const uint8_t *piece, size_t len)
{
	struct response *response = &t->response;
	struct proxyd *p = t->proxyd;

	if (response_feed(response, piece, len) == -1) {
		if (errno != EBADMSG)
			return give_up(
			    t, 502, "the web app's answer is too large");
		p->counts.upstream_failed++;
		return give_up(t, 502, MALFORMED);
	}
	p->counts.body_bytes += len;
	transaction_hold(
	    t, t->request->body_len + body_length(&response->body));
	if (p->buffered <= p->conf.buffered_max)
		return 0;
	p->counts.busy++;
	return give_up(t, 503, "the instance is busy; try again");
}

static int
on_body(void *arg, const void *piece, size_t len)
{
	struct transaction *t = arg;
	struct response *response = &t->response;
	const uint8_t *bytes = piece;
	size_t n;
	int status = response->begun ? 0 : upstream_status(t->transfer);

	if (!response->begun && wants_handle(t, status)) {
		transaction_ask_handle(t);
		return UPSTREAM_PAUSE;
	}
	if (!response->begun &&
	    response_begin(response, status, t->handle) == -1)
		return give_up(t, 502, "the web app's answer is too large");
	/* What grows is looked at more often. */
	for (; len > 0; bytes += n, len -= n) {
		n = response_is_coded(response) && len > CODED_MAX ? CODED_MAX
								   : len;
		if (take_piece(t, bytes, n) == -1)
			return -1;
	}
	return 0;
}

/*
 * An orchestrator that turns every status below 400 into 200 cannot pass a
 * redirection on: it is followed here.  True when that is under way.
 */
static bool
follow(struct transaction *t, int status)
{
	if ((t->proxyd->link.capabilities & LINK_STATUS) != 0 ||
	    !asking_follow(&t->asking, t->response.base, status,
		headers_get(&t->response.headers, "location")))
		return false;
	response_reset(&t->response);
	transaction_hold(t, t->request->body_len);
	transaction_transfer(t);
	return true;
}

static void
respond(struct transaction *t, int status)
{
	struct response *response = &t->response;
	struct evbuffer *message = NULL;

	if ((response->begun ||
		response_begin(response, status, t->handle) == 0) &&
	    response_finish(response) == 0)
		message = response_compose(response, status);
	if (message != NULL &&
	    evbuffer_get_length(message) <= t->proxyd->link.message_max) {
		transaction_answer(t, status, message);
		return;
	}
	if (message != NULL)
		evbuffer_free(message);
	transaction_fail(t, 502, "the web app's answer is too large");
}

/* What is about one answer is no trouble with the upstream: said once. */
static void
log_failure(const struct transaction *t)
{
	if (!t->proxyd->answer_is_refused)
		log_warnx("upstream %s: %s; only the first such one is logged",
		    t->upstream, t->failure);
	t->proxyd->answer_is_refused = true;
}

static void
on_done(void *arg, int status, int error)
{
	struct transaction *t = arg;
	const struct request *r = t->request;

	t->transfer = NULL; /* freed when we return */
	if (error == CURLE_FILESIZE_EXCEEDED && t->failure == NULL)
		(void)give_up(t, 502, TOO_MANY_HEADERS);
	if (t->failure_status == 502)
		log_failure(t);
	if (t->failure == NULL)
		health_note(t->proxyd, t->upstream, error);
	if (error == CURLE_OK && !response_is_sound(&t->response, status)) {
		t->proxyd->counts.upstream_failed++;
		t->failure = MALFORMED;
		t->failure_status = 502;
	} else if (error == CURLE_OK) {
		/* Our JWT is not what it was: ask authd before the next. */
		if (status == 401 && t->admission.jwt != NULL)
			sessions_forget(
			    t->proxyd->sessions, r->github_id, r->login);
		if (!follow(t, status))
			respond(t, status);
		return;
	}
	if (t->failure != NULL) {
		transaction_fail(t, t->failure_status, t->failure);
		return;
	}
	if (error == CURLE_OPERATION_TIMEDOUT)
		transaction_fail(t, 504, "the web app did not answer in time");
	else
		transaction_fail(t, 502,
		    error == CURLE_COULDNT_CONNECT
			? "the web app cannot be reached"
			: "the web app's answer is broken");
}
