#include "common/log.h"
#include "common/status.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/exchange.h"
#include "connector/incoming.h"
#include "connector/presence.h"
#include "connector/turnover.h"
#include "connector/uploads.h"
#include "connector/user_requests.h"
#include "sandbox/sandbox.h"

static const char stopping[] = "the instance is stopping";
static const char leaving[] = "the instance is disconnecting; try again";

static void
on_up(void *arg)
{
	struct connector *c = arg;

	exchange_link_up(c->exchange, c->capabilities);
	presence_on_up(c->presence);
}

static void
on_leaving(void *arg)
{
	struct connector *c = arg;

	exchange_stop(c->exchange, leaving);
	user_requests_stop(c->user_requests, leaving);
}

static void
on_down(void *arg)
{
	struct connector *c = arg;

	turnover_on_down(c->turnover);
	presence_on_down(c->presence);
	user_requests_on_link_down(c->user_requests);
	exchange_link_down(c->exchange);
}

static void
on_message(void *arg, struct evbuffer *text)
{
	incoming_message(arg, text);
}

static void
on_writable(void *arg)
{
	struct connector *c = arg;

	exchange_on_link_writable(c->exchange);
}

static bool
on_ended(void *arg)
{
	struct connector *c = arg;

	return turnover_on_ended(c->turnover);
}

static void
on_finished(void *arg)
{
	struct connector *c = arg;

	child_exit(&c->child);
}

static const struct connection_ops connection_ops = {
	.up = on_up,
	.leaving = on_leaving,
	.down = on_down,
	.message = on_message,
	.writable = on_writable,
	.ended = on_ended,
	.finished = on_finished,
};

static void
on_peer_attached(void *arg, enum program peer)
{
	struct connector *c = arg;

	if (peer == PROGRAM_PROXYD)
		exchange_on_proxyd(c->exchange);
	connection_on_peer(c->connection);
}

static void
on_peer_lost(void *arg, enum program peer)
{
	struct connector *c = arg;

	if (peer != PROGRAM_PROXYD)
		return;
	exchange_on_proxyd_lost(c->exchange);
	user_requests_on_proxyd_lost(c->user_requests);
}

static void
on_drained(void *arg)
{
	struct connector *c = arg;

	user_requests_stop(c->user_requests, stopping);
	connection_finish(c->connection);
}

static void
on_shutdown(void *arg)
{
	struct connector *c = arg;

	turnover_stop(c->turnover);
	user_requests_refuse(c->user_requests, stopping);
	exchange_drain(c->exchange, stopping, on_drained, c);
}

static void
on_log_status(void *arg)
{
	struct connector *c = arg;

	connection_log_status(c->connection);
	log_infox("status: %s, %zu requests and %zu user requests under way",
	    presence_name(c->presence), exchange_count(c->exchange),
	    user_requests_count(c->user_requests));
}

static void
on_status(void *arg, struct status *s)
{
	struct connector *c = arg;
	const struct counters *n = &c->counters;
	const struct {
		enum status_id id;
		uint64_t number;
	} numbers[] = {
		{ STATUS_CONNECTOR_REQUESTS, exchange_count(c->exchange) },
		{ STATUS_CONNECTOR_USER_REQUESTS,
		    user_requests_count(c->user_requests) },
		{ STATUS_CONNECTOR_ATTEMPTS, n->attempts },
		{ STATUS_CONNECTOR_CONNECTIONS, n->connections },
		{ STATUS_CONNECTOR_MESSAGES_IN, n->messages_in },
		{ STATUS_CONNECTOR_BYTES_IN, n->bytes_in },
		{ STATUS_CONNECTOR_MESSAGES_IGNORED, n->messages_ignored },
		{ STATUS_CONNECTOR_ANSWERS, n->answers },
		{ STATUS_CONNECTOR_ANSWER_BYTES, n->answer_bytes },
		{ STATUS_CONNECTOR_ANSWERS_OWN, n->answers_own },
		{ STATUS_CONNECTOR_STATUS_UPDATES, n->status_updates },
		{ STATUS_CONNECTOR_REPLIES, n->replies },
		{ STATUS_CONNECTOR_REPLY_BYTES, n->reply_bytes },
	};
	size_t i;

	connection_status(c->connection, s);
	status_set_text(
	    s, STATUS_CONNECTOR_ACTIVITY, presence_name(c->presence));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		status_set_number(s, numbers[i].id, numbers[i].number);
}

static const char *
on_conf_check(void *arg, const void *next, uint32_t *flags)
{
	struct connector *c = arg;

	return turnover_check(c->turnover, next, flags);
}

static void
on_conf_switch(void *arg, void *next, uint32_t flags)
{
	struct connector *c = arg;

	turnover_switch(c->turnover, next, flags);
}

static void
on_conf_drop(void *arg)
{
	struct connector *c = arg;

	turnover_drop(c->turnover);
}

static int
on_reconnect(void *arg, struct msg *m)
{
	struct connector *c = arg;

	(void)m;
	connection_reconnect(c->connection);
	return 0;
}

static int
on_disconnect(void *arg, struct msg *m)
{
	struct connector *c = arg;

	(void)m;
	connection_disconnect(c->connection);
	return 0;
}

static int
on_dialed(void *arg, struct msg *m)
{
	struct connector *c = arg;

	return connection_on_dialed(c->connection, m);
}

static int
on_dial_failed(void *arg, struct msg *m)
{
	struct connector *c = arg;

	return connection_on_dial_failed(c->connection, m);
}

static int
on_token(void *arg, struct msg *m)
{
	struct connector *c = arg;

	return connection_on_token(c->connection, m);
}

static int
on_adopt(void *arg, struct msg *m)
{
	struct connector *c = arg;

	return exchange_on_adopt(c->exchange, m);
}

static int
on_answer(void *arg, struct msg *m)
{
	struct connector *c = arg;

	return exchange_on_answer(c->exchange, m);
}

static int
on_refuse(void *arg, struct msg *m)
{
	struct connector *c = arg;

	return exchange_on_refuse(c->exchange, m);
}

static int
on_leave(void *arg, struct msg *m)
{
	struct connector *c = arg;

	(void)m;
	return uploads_hold(c->uploads);
}

static int
on_reply(void *arg, struct msg *m)
{
	struct connector *c = arg;

	return user_requests_on_reply(c->user_requests, m);
}

static int
on_user_refuse(void *arg, struct msg *m)
{
	struct connector *c = arg;

	return user_requests_on_refuse(c->user_requests, m);
}

static int
on_activity(void *arg, struct msg *m)
{
	struct connector *c = arg;

	return presence_on_activity(c->presence, m);
}

static void
on_proxyd_writable(void *arg, struct channel *ch)
{
	struct connector *c = arg;

	(void)ch;
	uploads_continue(c->uploads);
}

static const struct channel_ops proxyd_ops = {
	.handlers = {
		[MSG_ADOPT] = on_adopt,
		[MSG_ANSWER] = on_answer,
		[MSG_REFUSE] = on_refuse,
		[MSG_LEAVE] = on_leave,
		[MSG_REPLY] = on_reply,
		[MSG_REPLY_LAST] = on_reply,
		[MSG_USER_REFUSE] = on_user_refuse,
		[MSG_ACTIVITY] = on_activity,
	},
	.writable = on_proxyd_writable,
};

static const struct channel_ops authd_ops = {
	.handlers = { [MSG_TOKEN] = on_token },
};

static const struct child_ops child_ops = {
	.peers = {
		[PROGRAM_PROXYD] = &proxyd_ops,
		[PROGRAM_AUTHD] = &authd_ops,
	},
	.parent = {
		[MSG_RECONNECT] = on_reconnect,
		[MSG_DISCONNECT] = on_disconnect,
		[MSG_DIALED] = on_dialed,
		[MSG_DIAL_FAILED] = on_dial_failed,
	},
	.peer_attached = on_peer_attached,
	.peer_lost = on_peer_lost,
	.shutdown = on_shutdown,
	.log_status = on_log_status,
	.status = on_status,
	.conf_check = on_conf_check,
	.conf_switch = on_conf_switch,
	.conf_drop = on_conf_drop,
};

int
main(int argc, char **argv)
{
	struct connector c = { 0 };
	const char *why;

	child_start(&c.child, PROGRAM_CONNECTOR, argc, argv);
	child_configure(&c.child, &slice_connector, &c.conf);
	c.turnover = turnover_new(&c);
	why = turnover_start(c.turnover);
	if (why != NULL)
		child_refuse(&c.child, why);
	c.connection = connection_new(&c, &connection_ops, &c);
	c.presence = presence_new(&c);
	c.uploads = uploads_new(&c);
	c.exchange = exchange_new(&c);
	c.user_requests = user_requests_new(&c);
	sandbox_connector(&c.conf.confinement, CHILD_FD_ROOT);
	child_run(&c.child, &child_ops, &c);
	connection_free(c.connection);
	user_requests_free(c.user_requests);
	exchange_free(c.exchange);
	uploads_free(c.uploads);
	presence_free(c.presence);
	turnover_free(c.turnover);
	trust_clear(&c.trust);
	slice_free_connector(&c.conf);
	child_finish(&c.child);
	return 0;
}
