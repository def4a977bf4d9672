#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/link.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/timer.h"
#include "common/ws.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/exchange.h"
#include "connector/outgoing.h"
#include "connector/relay.h"
#include "connector/requests.h"
#include "connector/uploads.h"
#include "connector/user_requests.h"

/* How long answers may still come once we are told to stop. */
#define DRAIN_MS 3000

/*
 * proxyd answers each request in time.  So much later it seems to hang, or to
 * be away; how often that is looked at while there are any.
 */
#define LATE_MS 500
#define LOOK_MS 250

struct exchange {
	struct connector *connector;
	struct requests *requests;
	struct link_up link;
	struct event *drain_timer;
	struct event *look_timer;
	const char *refusal;	    /* of new requests, or NULL */
	void (*drained)(void *arg); /* NULL unless told to stop */
	void *drained_arg;
	bool is_drained;
};

static void on_drain_timer(int, short, void *);
static void on_look_timer(int, short, void *);
static void check_drained(struct exchange *);

struct exchange *
exchange_new(struct connector *connector)
{
	struct exchange *ex = calloc(1, sizeof(*ex));

	if (ex == NULL)
		fatal("exchange");
	ex->connector = connector;
	ex->requests = requests_new();
	ex->drain_timer =
	    evtimer_new(connector->child.base, on_drain_timer, ex);
	ex->look_timer = evtimer_new(connector->child.base, on_look_timer, ex);
	if (ex->drain_timer == NULL || ex->look_timer == NULL)
		fatalx("no timer");
	return ex;
}

void
exchange_free(struct exchange *ex)
{
	requests_free(ex->requests);
	event_free(ex->drain_timer);
	event_free(ex->look_timer);
	free(ex);
}

static struct channel *
proxyd(const struct exchange *ex)
{
	return ex->connector->child.peers[PROGRAM_PROXYD];
}

static struct ws *
link_ws(const struct exchange *ex)
{
	return connection_ws(ex->connector->connection);
}

/* When a request that comes now is to be answered. */
static int64_t
due(const struct exchange *ex)
{
	return monotonic_ms() + (int64_t)ex->connector->conf.total_ms + LATE_MS;
}

static void
look_soon(struct exchange *ex)
{
	if (!evtimer_pending(ex->look_timer, NULL))
		timer_set(ex->look_timer, LOOK_MS);
}

/*
 * What a former connector left behind under the same request_id: the
 * orchestrator waits for one answer, that to the new one.
 */
static void
drop_adopted(struct exchange *ex, const char *request_id, size_t len)
{
	uint64_t number;

	while ((number = requests_find_adopted(
		    ex->requests, request_id, len)) != 0) {
		if (relay_has(ex->connector, MSG_ANSWER, number))
			relay_cut(ex->connector, MSG_ANSWER);
		requests_remove(ex->requests, number);
	}
}

void
exchange_request(struct exchange *ex, const char *request_id, size_t len,
    struct evbuffer *text)
{
	const char *refusal = ex->refusal;

	drop_adopted(ex, request_id, len);
	if (refusal == NULL && exchange_count(ex) >= REQUESTS_MAX)
		refusal = "too many requests at once";
	if (refusal != NULL)
		outgoing_error(ex->connector, request_id, len, 503, refusal);
	else {
		uploads_add(ex->connector->uploads, MSG_REQUEST, ex->requests,
		    request_id, len, text, due(ex));
		look_soon(ex);
	}
}

static void
announce_link(struct exchange *ex)
{
	struct msg_out m;

	msg_start(&m, MSG_LINK_UP, 0);
	link_up_add(&m, &ex->link);
	(void)child_send(&ex->connector->child, PROGRAM_PROXYD, &m);
}

void
exchange_link_up(struct exchange *ex, uint32_t capabilities)
{
	const struct connector *connector = ex->connector;

	ex->link.capabilities = capabilities;
	ex->link.message_max = connector->conf.message_max;
	(void)strlcpy(ex->link.client_id, connector_client_id(connector),
	    sizeof(ex->link.client_id));
	announce_link(ex);
}

void
exchange_link_down(struct exchange *ex)
{
	/* Nobody waits for those any more. */
	uploads_clear(ex->connector->uploads);
	requests_clear(ex->requests, NULL, NULL);
	relay_forget(ex->connector);
	evtimer_del(ex->look_timer);
	if (ex->drained == NULL)
		ex->refusal = NULL;
	if (proxyd(ex) != NULL) {
		channel_send_empty(proxyd(ex), MSG_LINK_DOWN, 0);
		channel_resume(proxyd(ex));
	}
	check_drained(ex);
}

void
exchange_on_proxyd(struct exchange *ex)
{
	if (link_ws(ex) != NULL)
		announce_link(ex);
	uploads_release(ex->connector->uploads);
}

/* An error that answers several requests. */
struct failure {
	struct exchange *ex;
	int status;
	const char *text;
};

static void
answer_failure(void *arg, uint64_t number, const char *request_id, size_t len)
{
	const struct failure *failure = arg;

	(void)number;
	outgoing_error(failure->ex->connector, request_id, len, failure->status,
	    failure->text);
}

static bool
answer_waiting(void *arg, const char *request_id, size_t len)
{
	answer_failure(arg, 0, request_id, len);
	return true;
}

/* Answer all requests that proxyd has, wholly or in part. */
static void
fail_requests(struct exchange *ex, int status, const char *text)
{
	struct failure failure = { ex, status, text };

	relay_cut(ex->connector, MSG_ANSWER);
	requests_clear(ex->requests, answer_failure, &failure);
}

/* Nothing else gets out behind a message whose rest does not come. */
static void
cut_stalled(struct exchange *ex, const struct failure *failure)
{
	struct connector *connector = ex->connector;
	const struct relay relay = connector->relay;
	const char *request_id;
	size_t len;

	relay_cut(connector, relay.type);
	if (relay.type != MSG_ANSWER) {
		user_requests_give_up(
		    connector->user_requests, relay.number, failure->text);
		return;
	}
	request_id = requests_get(ex->requests, relay.number, &len);
	if (request_id == NULL)
		return;
	outgoing_error(
	    connector, request_id, len, failure->status, failure->text);
	requests_remove(ex->requests, relay.number);
}

/*
 * Answer those that proxyd should have answered by now.  While the
 * orchestrator does not take what there is, or something is half out and goes
 * on, an answer of ours gets out no sooner.
 */
static void
answer_late(struct exchange *ex)
{
	struct connector *connector = ex->connector;
	struct failure failure = { ex, 504,
		"the instance did not answer in time" };
	int64_t now_ms = monotonic_ms();
	size_t n = requests_count_due(ex->requests, now_ms) +
		   uploads_count_due(connector->uploads, MSG_REQUEST, now_ms);

	if (n == 0 || link_ws(ex) == NULL || !ws_is_writable(link_ws(ex)))
		return;
	if (relay_is_stalled(connector))
		cut_stalled(ex, &failure);
	if (connector->relay.is_open)
		return;
	log_warnx("proxyd does not answer: answering %zu requests with 504", n);
	requests_clear_due(ex->requests, now_ms, answer_failure, &failure);
	uploads_drop_waiting(
	    connector->uploads, MSG_REQUEST, now_ms, answer_waiting, &failure);
	uploads_cut_begun(connector->uploads);
	uploads_continue(connector->uploads);
	check_drained(ex);
}

static void
on_look_timer(int fd, short what, void *arg)
{
	struct exchange *ex = arg;

	(void)fd;
	(void)what;
	answer_late(ex);
	if (exchange_count(ex) > 0)
		look_soon(ex);
}

static void
check_drained(struct exchange *ex)
{
	if (ex->drained == NULL || ex->is_drained || exchange_count(ex) > 0)
		return;
	evtimer_del(ex->drain_timer);
	ex->is_drained = true;
	ex->drained(ex->drained_arg);
}

void
exchange_on_proxyd_lost(struct exchange *ex)
{
	if (requests_count(ex->requests) > 0)
		log_warnx("proxyd is gone: answering %zu requests with 502",
		    requests_count(ex->requests));
	uploads_drop_begun(ex->connector->uploads);
	fail_requests(ex, 502, "the instance lost the request; try again");
	check_drained(ex);
}

int
exchange_on_adopt(struct exchange *ex, struct msg *m)
{
	char request_id[LINK_REQUEST_ID_MAX + 1];

	msg_get_str(m, request_id, sizeof(request_id));
	if (!msg_end(m))
		return -1;
	if (link_ws(ex) == NULL)
		return 0;
	/* The orchestrator asked again meanwhile. */
	if (requests_has_own_id(ex->requests, request_id, strlen(request_id)) ||
	    uploads_has_waiting(ex->connector->uploads, MSG_REQUEST, request_id,
		strlen(request_id)))
		return 0;
	/* Those that wait to begin have their place already.  That there are
	 * too many, or two of one number, may be a former connector's doing:
	 * proxyd is not to blame, and is told that it need not keep them when
	 * the answers come. */
	if (exchange_count(ex) >= REQUESTS_MAX ||
	    requests_adopt(
		ex->requests, m->id, request_id, strlen(request_id)) == -1)
		return 0;
	requests_set_due(ex->requests, m->id, due(ex));
	look_soon(ex);
	return 0;
}

int
exchange_on_answer(struct exchange *ex, struct msg *m)
{
	struct connector *connector = ex->connector;

	if (!relay_allows(connector, m))
		return -1;
	if (link_ws(ex) == NULL)
		return 0; /* of a connection that is gone */
	if (requests_get(ex->requests, m->id, NULL) == NULL) {
		/* That, or too late: proxyd need not keep it. */
		if ((m->flags & MSG_FLAG_MORE) == 0)
			channel_send_empty(proxyd(ex), MSG_ANSWER_SENT, m->id);
		return 0;
	}
	relay_send(connector, m);
	connector->counters.answer_bytes += m->len;
	if ((m->flags & MSG_FLAG_MORE) != 0)
		return 0;
	connector->counters.answers++;
	requests_remove(ex->requests, m->id);
	channel_send_empty(proxyd(ex), MSG_ANSWER_SENT, m->id);
	check_drained(ex);
	return 0;
}

int
exchange_on_refuse(struct exchange *ex, struct msg *m)
{
	uint32_t status = msg_get_u32(m);
	const char *request_id;
	size_t len;

	if (!msg_end(m) || (status != 400 && status != 503) ||
	    relay_has(ex->connector, MSG_ANSWER, m->id))
		return -1;
	request_id = requests_get(ex->requests, m->id, &len);
	if (request_id == NULL)
		return 0;
	outgoing_error(ex->connector, request_id, len, (int)status,
	    status == 400 ? "malformed request"
			  : "too many requests at once; try again");
	requests_remove(ex->requests, m->id);
	check_drained(ex);
	return 0;
}

void
exchange_on_link_writable(struct exchange *ex)
{
	if (proxyd(ex) != NULL)
		relay_resume(ex->connector);
}

void
exchange_refuse(struct exchange *ex, const char *text)
{
	ex->refusal = text;
}

void
exchange_stop(struct exchange *ex, const char *text)
{
	struct failure failure = { ex, 503, text };

	exchange_refuse(ex, text);
	if (exchange_count(ex) == 0)
		return;
	log_warnx("%zu requests not answered in time: answering with 503",
	    exchange_count(ex));
	fail_requests(ex, 503, text);
	uploads_drop_waiting(ex->connector->uploads, MSG_REQUEST, INT64_MAX,
	    answer_waiting, &failure);
}

static void
on_drain_timer(int fd, short what, void *arg)
{
	struct exchange *ex = arg;

	(void)fd;
	(void)what;
	exchange_stop(ex, ex->refusal);
	check_drained(ex);
}

void
exchange_drain(
    struct exchange *ex, const char *text, void (*done)(void *arg), void *arg)
{
	exchange_refuse(ex, text);
	ex->drained = done;
	ex->drained_arg = arg;
	timer_set(ex->drain_timer, DRAIN_MS);
	check_drained(ex);
}

size_t
exchange_count(const struct exchange *ex)
{
	return requests_count(ex->requests) +
	       uploads_count(ex->connector->uploads, MSG_REQUEST);
}

uint64_t
exchange_mark(const struct exchange *ex)
{
	return requests_next(ex->requests);
}

bool
exchange_waits_since(const struct exchange *ex, uint64_t mark)
{
	return requests_has_before(ex->requests, mark);
}
