#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "common/timer.h"
#include "common/ws.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/exchange.h"
#include "connector/turnover.h"
#include "connector/user_requests.h"

enum phase {
	PHASE_NONE,
	PHASE_SERVING,	/* as ever */
	PHASE_WAITING,	/* as ever, for those from before */
	PHASE_DRAINING, /* no new requests */
	PHASE_ENDING,	/* no user requests either */
};

struct turnover {
	struct connector *connector;
	struct trust system;  /* once it was needed */
	struct trust checked; /* from check to switch or drop */
	/* What is to be in force once the connection is closed. */
	bool pending;
	struct connector_conf next;
	struct trust next_trust;
	enum phase phase;
	struct event *limit; /* of the phase */
	struct event *tick;
	uint64_t received; /* by the last tick */
	uint64_t mark;	   /* what was there before */
	int64_t waits;	   /* since when, in milliseconds */
};

static const char reconnecting[] = "the instance is reconnecting; try again";

static void on_limit(int, short, void *);
static void on_tick(int, short, void *);

struct turnover *
turnover_new(struct connector *connector)
{
	struct turnover *t = calloc(1, sizeof(*t));

	if (t == NULL)
		fatal("turnover");
	t->connector = connector;
	t->limit = evtimer_new(connector->child.base, on_limit, t);
	t->tick = evtimer_new(connector->child.base, on_tick, t);
	if (t->limit == NULL || t->tick == NULL)
		fatalx("no timer");
	return t;
}

static void
forget_next(struct turnover *t)
{
	if (!t->pending)
		return;
	slice_free_connector(&t->next);
	trust_clear(&t->next_trust);
	t->pending = false;
}

void
turnover_free(struct turnover *t)
{
	forget_next(t);
	trust_clear(&t->checked);
	trust_clear(&t->system);
	event_free(t->limit);
	event_free(t->tick);
	free(t);
}

/* A file is read once; nobody else has a use for it. */
static void
close_file(struct connector_conf *conf)
{
	if (conf->ca_fd > 0)
		close(conf->ca_fd);
	conf->ca_fd = -1;
}

static bool
needs_system(const struct connector_conf *conf)
{
	return conf->enabled && conf->tls && conf->ca_file[0] == '\0';
}

/* Whom to believe with that configuration: NULL, or what is wrong with it. */
static const char *
find_trust(
    struct turnover *t, const struct connector_conf *conf, struct trust *trust)
{
	if (needs_system(conf)) {
		trust_copy(trust, &t->system);
		return NULL;
	}
	if (!conf->enabled || !conf->tls)
		return NULL;
	return trust_read_file(trust, conf->ca_file, conf->ca_fd);
}

const char *
turnover_start(struct turnover *t)
{
	struct connector *connector = t->connector;
	const char *why;

	if (needs_system(&connector->conf))
		trust_read_system(&t->system);
	why = find_trust(t, &connector->conf, &connector->trust);
	close_file(&connector->conf);
	return why;
}

const char *
turnover_check(
    struct turnover *t, const struct connector_conf *next, uint32_t *flags)
{
	trust_clear(&t->checked);
	/* Those files are beyond reach now. */
	if (needs_system(next) && t->system.ctx == NULL)
		*flags |= CONF_RESTART;
	return find_trust(t, next, &t->checked);
}

void
turnover_drop(struct turnover *t)
{
	trust_clear(&t->checked);
}

static bool
is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Whether a connection that one stands for does for the other, too. */
static bool
conf_is_same(const struct connector_conf *a, const struct connector_conf *b)
{
	if (!a->enabled && !b->enabled)
		return true;
	return a->enabled == b->enabled && a->tls == b->tls &&
	       a->port == b->port && a->message_max == b->message_max &&
	       is_same(a->host, b->host) && is_same(a->target, b->target) &&
	       is_same(a->client_id, b->client_id) &&
	       is_same(a->hostname, b->hostname) &&
	       is_same(a->project, b->project) &&
	       is_same(a->version, b->version) &&
	       is_same(a->callback_url, b->callback_url);
}

static bool
claims_are_same(const struct connector_conf *a, const struct connector_conf *b)
{
	return is_same(a->claim_users, b->claim_users) &&
	       is_same(a->claim_orgs, b->claim_orgs) &&
	       is_same(a->claim_teams, b->claim_teams);
}

/* The next configuration is the one in force. */
static void
apply(struct turnover *t)
{
	struct connector *connector = t->connector;

	slice_free_connector(&connector->conf);
	trust_clear(&connector->trust);
	connector->conf = t->next;
	connector->trust = t->next_trust;
	memset(&t->next, 0, sizeof(t->next));
	memset(&t->next_trust, 0, sizeof(t->next_trust));
	t->pending = false;
	connection_configure(connector->connection);
}

/* So many requests wait for their answer. */
static size_t
count_waiting(const struct turnover *t)
{
	const struct connector *connector = t->connector;

	return exchange_count(connector->exchange) +
	       user_requests_unanswered(connector->user_requests);
}

static void
begin(struct turnover *t)
{
	log_infox("the settings of the connection changed: closing it once "
		  "%zu requests are answered",
	    count_waiting(t));
	t->phase = PHASE_SERVING;
	t->mark = exchange_mark(t->connector->exchange);
	t->received = connection_received(t->connector->connection);
	timer_set(t->limit, TURNOVER_SERVE_MS);
	timer_set(t->tick, TURNOVER_QUIET_MS);
}

void
turnover_switch(struct turnover *t, struct connector_conf *next, uint32_t flags)
{
	struct connector *connector = t->connector;
	struct connection *connection = connector->connection;
	bool same = conf_is_same(&connector->conf, next) &&
		    trust_is_same(&connector->trust, &t->checked) &&
		    (flags & CONF_TOKEN) == 0 &&
		    (!connection_shows_claims(connection) ||
			claims_are_same(&connector->conf, next));

	if (next->enabled && next->tls && t->checked.ctx == NULL)
		fatalx("told to go on with what needs a restart");
	forget_next(t);
	close_file(next);
	t->next = *next;
	t->next_trust = t->checked;
	memset(&t->checked, 0, sizeof(t->checked));
	t->pending = true;
	/* One that is under way ends with this configuration instead. */
	if (t->phase != PHASE_NONE || connector->child.stopping)
		return;
	if (same) {
		apply(t);
		connection_refresh(connection);
	} else if (connection_is_up(connection))
		begin(t);
	else
		connection_renew(connection);
}

static void
set_phase(struct turnover *t, enum phase phase, uint32_t limit_ms)
{
	struct connector *connector = t->connector;

	t->phase = phase;
	timer_set(t->limit, limit_ms);
	exchange_refuse(connector->exchange, reconnecting);
	if (phase == PHASE_ENDING)
		user_requests_refuse(connector->user_requests, reconnecting);
}

/* All who still wait get an answer of some kind. */
static void
end(struct turnover *t)
{
	struct connector *connector = t->connector;

	exchange_stop(connector->exchange, reconnecting);
	user_requests_stop(connector->user_requests, reconnecting);
	connection_renew(connector->connection);
}

/* Refusing others is no use while one of those is what takes its time. */
static void
stop_waiting(struct turnover *t, bool in_any_case)
{
	int64_t waited = monotonic_ms() - t->waits;

	if (!in_any_case &&
	    exchange_waits_since(t->connector->exchange, t->mark))
		return;
	if (waited > TURNOVER_WAIT_MS)
		waited = TURNOVER_WAIT_MS;
	set_phase(t, PHASE_DRAINING, TURNOVER_DRAIN_MS - (uint32_t)waited);
}

static void
on_limit(int fd, short what, void *arg)
{
	struct turnover *t = arg;

	(void)fd;
	(void)what;
	switch (t->phase) {
	case PHASE_NONE:
		break;
	case PHASE_SERVING:
		t->phase = PHASE_WAITING;
		t->waits = monotonic_ms();
		timer_set(t->limit, TURNOVER_WAIT_MS);
		stop_waiting(t, false);
		break;
	case PHASE_WAITING:
		stop_waiting(t, true);
		break;
	case PHASE_DRAINING:
		exchange_stop(t->connector->exchange, reconnecting);
		set_phase(t, PHASE_ENDING, TURNOVER_END_MS);
		break;
	case PHASE_ENDING:
		end(t);
		break;
	}
}

/* Nothing came since the last tick, and nothing is left to be sent. */
static bool
is_quiet(struct turnover *t)
{
	const struct connection *connection = t->connector->connection;
	uint64_t received = connection_received(connection);
	bool quiet = received == t->received &&
		     ws_output_length(connection_ws(connection)) == 0;

	t->received = received;
	return quiet;
}

static void
on_tick(int fd, short what, void *arg)
{
	struct turnover *t = arg;
	bool quiet = is_quiet(t);

	(void)fd;
	(void)what;
	if (quiet && count_waiting(t) == 0) {
		end(t);
		return;
	}
	if (t->phase == PHASE_WAITING)
		stop_waiting(t, false);
	if (t->phase == PHASE_DRAINING &&
	    exchange_count(t->connector->exchange) == 0)
		set_phase(t, PHASE_ENDING, TURNOVER_END_MS);
	timer_set(t->tick, TURNOVER_QUIET_MS);
}

void
turnover_on_down(struct turnover *t)
{
	t->phase = PHASE_NONE;
	evtimer_del(t->limit);
	evtimer_del(t->tick);
}

bool
turnover_on_ended(struct turnover *t)
{
	if (!t->pending)
		return false;
	apply(t);
	return true;
}

void
turnover_stop(struct turnover *t)
{
	turnover_on_down(t);
}
