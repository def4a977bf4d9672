#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "proxyd/answer.h"
#include "proxyd/audit.h"
#include "proxyd/denied.h"
#include "proxyd/local.h"
#include "proxyd/outbox.h"
#include "proxyd/page.h"
#include "proxyd/proxyd.h"
#include "proxyd/request.h"
#include "proxyd/request_headers.h"
#include "proxyd/transaction.h"
#include "proxyd/transaction_transfer.h"
#include "proxyd/upstream.h"

static void on_deadline(int, short, void *);
static void on_admission(void *, const struct denied *);
static void on_handle(void *, const struct handle_answer *);

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

void
transaction_hold(struct transaction *t, size_t bytes)
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
	transaction_hold(t, 0);
	outbox_add(proxyd->outbox, t->number, t->request->id, message);
	t->ended(t->ended_arg, t);
	transaction_free(t);
}

void
transaction_answer(struct transaction *t, int status, struct evbuffer *message)
{
	finish(t, status, message, NULL);
}

void
transaction_fail(struct transaction *t, int status, const char *text)
{
	transaction_answer(t, status,
	    answer_compose_error(
		t->request->id, t->request->id_len, status, text));
}

void
transaction_refuse(struct transaction *t, const struct denied *denied)
{
	finish(t, denied->status, denied_compose(t->request, denied), denied);
}

static void
on_deadline(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	transaction_fail(arg, 504, "the web app did not answer in time");
}

void
transaction_start(struct transaction *t, transaction_ended ended, void *arg)
{
	const struct request *r = t->request;

	t->ended = ended;
	t->ended_arg = arg;
	clock_gettime(CLOCK_MONOTONIC, &t->began);
	if (r->error != NULL) {
		transaction_fail(t, 400, r->error);
		return;
	}
	timer_set(&t->deadline, t->proxyd->conf.total_ms);
	transaction_hold(t, r->body_len);
	if (t->response.prefix != NULL)
		t->local = local_find(r);
	if (t->local == LOCAL_SCRIPT)
		transaction_answer(t, 200, local_script(r));
	else if (t->local == LOCAL_METHOD)
		transaction_fail(t, 405, "not by this method");
	else if (t->local == LOCAL_UNKNOWN)
		transaction_fail(t, 404, "not found");
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
		transaction_refuse(t, denied);
	else if (t->local != LOCAL_HANDLE)
		transaction_transfer(t);
	else if (admission_is_somebody(&t->admission, &nobody))
		transaction_ask_handle(t);
	else
		transaction_refuse(t, &nobody);
}

void
transaction_ask_handle(struct transaction *t)
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
		transaction_answer(t, 200, local_handle(t->request, t->handle));
	else
		transaction_fail(
		    t, 503, "this instance cannot sign pages in now");
}
