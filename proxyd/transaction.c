#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "proxyd/answer.h"
#include "proxyd/audit.h"
#include "proxyd/denied.h"
#include "proxyd/health.h"
#include "proxyd/local.h"
#include "proxyd/outbox.h"
#include "proxyd/page.h"
#include "proxyd/proxyd.h"
#include "proxyd/request.h"
#include "proxyd/request_headers.h"
#include "proxyd/transaction.h"
#include "proxyd/upstream.h"

#define MALFORMED "the web app's answer is malformed"

/* Bytes of a coded body at a time: about a thousand times as many plain. */
#define CODED_MAX 1024

static void on_deadline(int, short, void *);
static void on_admission(void *, const struct denied *);
static void on_handle(void *, const struct handle_answer *);
static int on_header(void *, const char *, size_t);
static int on_body(void *, const void *, size_t);
static void on_done(void *, int, int);
static void ask_handle(struct transaction *);
static void transfer(struct transaction *);

static const struct upstream_ops upstream_ops = {
	.header = on_header,
	.body = on_body,
	.done = on_done,
};

/* What it is rewritten for: said once for each change. */
static const struct prefix *
take_prefix(struct transaction *t)
{
	struct proxyd *p = t->proxyd;
	char text[128];
	bool good;

	if (t->request->error != NULL || t->request->proxy_base == NULL)
		return NULL;
	good = prefix_init(&t->prefix, t->request->proxy_base);
	if (!good && !p->base_is_refused)
		log_warnx("proxy_base is not a plain path, nothing is "
			  "rewritten: %s",
		    log_safe(text, sizeof(text), t->request->proxy_base));
	p->base_is_refused = !good;
	return good ? &t->prefix : NULL;
}

struct transaction *
transaction_new(struct proxyd *proxyd, uint64_t number, struct evbuffer *text,
    const char **why)
{
	struct transaction *t;
	struct request *request;

	request = request_parse(text, &proxyd->conf,
	    (proxyd->link.capabilities & LINK_STATUS) != 0, why);
	if (request == NULL)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		fatal("transaction");
	t->proxyd = proxyd;
	t->number = number;
	t->request = request;
	admission_init(&t->admission, proxyd, request, on_admission, t);
	t->handle_wait.done = on_handle;
	t->handle_wait.arg = t;
	asking_init(&t->asking, request);
	response_init(&t->response, proxyd, request, take_prefix(t));
	if (t->response.prefix != NULL)
		request_rewrite_conditions(request, page_version());
	evtimer_assign(&t->deadline, proxyd->child.base, on_deadline, t);
	return t;
}

static void
transaction_free(struct transaction *t)
{
	if (t->transfer != NULL)
		upstream_cancel(t->transfer);
	admission_clear(&t->admission);
	handles_cancel(&t->handle_wait);
	evtimer_del(&t->deadline);
	t->proxyd->buffered -= t->buffered;
	response_reset(&t->response);
	explicit_bzero(t->handle, sizeof(t->handle));
	asking_clear(&t->asking);
	request_free(t->request);
	free(t);
}

static void
audit(struct transaction *t, int status, const struct denied *denied)
{
	const struct audit_end end = { t->admission.role, status,
		denied != NULL, denied != NULL && denied->untold,
		denied != NULL ? denied->reason : t->admission.rule };

	audit_request(t->proxyd, t->request, &end);
}

void
transaction_abandon(struct transaction *t)
{
	audit(t, 0, NULL);
	transaction_free(t);
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

/* The end: hand the answer over and go.  denied is NULL for an answer. */
static void
finish(struct transaction *t, int status, struct evbuffer *message,
    const struct denied *denied)
{
	struct proxyd *proxyd = t->proxyd;

	if (message == NULL)
		fatal("answer");
	log_transaction(t, status);
	audit(t, status, denied);
	if (status < 100 * COUNT_CLASSES)
		proxyd->counts.answers[status / 100]++;
	set_buffered(t, 0);
	outbox_add(proxyd->outbox, t->number, t->request->id, message);
	t->ended(t->ended_arg, t);
	transaction_free(t);
}

static void
answer(struct transaction *t, int status, struct evbuffer *message)
{
	finish(t, status, message, NULL);
}

static void
fail(struct transaction *t, int status, const char *text)
{
	answer(t, status,
	    answer_compose_error(
		t->request->id, t->request->id_len, status, text));
}

static void
refuse(struct transaction *t, const struct denied *denied)
{
	finish(t, denied->status, denied_compose(t->request, denied), denied);
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

	t->ended = ended;
	t->ended_arg = arg;
	clock_gettime(CLOCK_MONOTONIC, &t->began);
	if (r->error != NULL) {
		fail(t, 400, r->error);
		return;
	}
	timer_set(&t->deadline, t->proxyd->conf.total_ms);
	set_buffered(t, r->body_len);
	if (t->response.prefix != NULL)
		t->local = local_find(r);
	if (t->local == LOCAL_SCRIPT)
		answer(t, 200, local_script(r));
	else if (t->local == LOCAL_METHOD)
		fail(t, 405, "not by this method");
	else if (t->local == LOCAL_UNKNOWN)
		fail(t, 404, "not found");
	else
		admission_start(&t->admission);
}

/* Who asks is known, as far as anybody said so. */
static void
on_admission(void *arg, const struct denied *denied)
{
	struct transaction *t = arg;
	struct denied nobody;

	if (denied != NULL)
		refuse(t, denied);
	else if (t->local != LOCAL_HANDLE)
		transfer(t);
	else if (admission_is_somebody(&t->admission, &nobody))
		ask_handle(t);
	else
		refuse(t, &nobody);
}

/*
 * Have a handle made for the page that this becomes; while authd is asked the
 * page waits.
 */
static void
ask_handle(struct transaction *t)
{
	const struct request *r = t->request;

	t->has_handle = true;
	handles_make(
	    t->proxyd->handles, r->github_id, r->login, &t->handle_wait);
}

static void
on_handle(void *arg, const struct handle_answer *made)
{
	struct transaction *t = arg;

	(void)strlcpy(t->handle, made->handle, sizeof(t->handle));
	if (t->transfer != NULL)
		upstream_resume(t->transfer);
	else if (t->handle[0] != '\0')
		answer(t, 200, local_handle(t->request, t->handle));
	else
		fail(t, 503, "this instance cannot sign pages in now");
}

/* Ask the upstream, for the request or for where it was redirected to. */
static void
transfer(struct transaction *t)
{
	struct proxyd *p = t->proxyd;
	struct upstream_request ask;
	struct denied denied;

	asking_fill(&t->asking, &ask);
	if (!admission_allows(&t->admission, ask.method, ask.target, &denied)) {
		refuse(t, &denied);
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
		fail(t, 502, "the web app cannot be asked");
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
	set_buffered(t, t->request->body_len);
	return -1;
}

static int
on_header(void *arg, const char *line, size_t len)
{
	struct transaction *t = arg;

	if (headers_line(&t->response.headers, line, len) == -1)
		return give_up(
		    t, 502, "the web app's answer has too many headers");
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
	set_buffered(t, t->request->body_len + body_length(&response->body));
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
		ask_handle(t);
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
	set_buffered(t, t->request->body_len);
	transfer(t);
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
		answer(t, status, message);
		return;
	}
	if (message != NULL)
		evbuffer_free(message);
	fail(t, 502, "the web app's answer is too large");
}

static void
on_done(void *arg, int status, int error)
{
	struct transaction *t = arg;
	const struct request *r = t->request;

	t->transfer = NULL; /* freed when we return */
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
		fail(t, t->failure_status, t->failure);
		return;
	}
	if (error == CURLE_OPERATION_TIMEDOUT)
		fail(t, 504, "the web app did not answer in time");
	else
		fail(t, 502,
		    error == CURLE_COULDNT_CONNECT
			? "the web app cannot be reached"
			: "the web app's answer is broken");
}
