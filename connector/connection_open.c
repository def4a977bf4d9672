#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "common/ws.h"
#include "connector/connection_internal.h"
#include "connector/connector.h"
#include "connector/handshake.h"
#include "connector/incoming.h"
#include "connector/outgoing.h"
#include "connector/presence.h"
#include "connector/target.h"
#include "connector/tls.h"

#define TOKEN_MAX 4096

/* How an orchestrator closes what nobody claimed in time. */
#define CLOSE_NOT_CLAIMED 4000

static void on_open(void *, struct bufferevent *);
static void on_refused(void *, int);
static void on_failed(void *, const char *);
static void on_ws_message(void *, struct ws *, enum ws_type, struct evbuffer *);
static void on_ws_writable(void *, struct ws *);
static void on_ws_closed(void *, struct ws *, uint16_t, const char *, bool);

static const struct handshake_ops handshake_ops = {
	.token_wanted = connection_ask_token,
	.done = on_open,
	.refused = on_refused,
	.failed = on_failed,
};

static const struct ws_ops ws_ops = {
	.message = on_ws_message,
	.writable = on_ws_writable,
	.closed = on_ws_closed,
};

void
connection_ask_token(void *arg)
{
	struct connection *c = arg;
	struct msg_out m;

	c->wants_token = true;
	msg_start(&m, MSG_TOKEN_GET, c->attempt);
	msg_add_u64(&m, c->connector->child.conf_id);
	if (!child_send(&c->connector->child, PROGRAM_AUTHD, &m))
		log_debugx("no authd to ask for the token: it will be back");
}

int
connection_on_dialed(struct connection *c, struct msg *m)
{
	struct connector *connector = c->connector;
	char peer[256];

	msg_get_str(m, peer, sizeof(peer));
	if (!msg_end(m))
		return -1;
	if (c->state != STATE_DIALING || m->id != c->attempt)
		return 0; /* of an attempt that was given up */
	log_debugx("connected to %s", peer);
	c->fd = msg_take_fd(m);
	connection_limit_silence(c);
	c->handshake = handshake_new(connector->child.base,
	    connector->trust.ctx, &connector->conf, c->fd, &handshake_ops, c);
	if (c->handshake == NULL) {
		c->fd = -1;
		connection_lose(c, THEN_RETRY, "out of memory");
		return 0;
	}
	connection_set_state(c, STATE_HANDSHAKE);
	handshake_start(c->handshake);
	return 0;
}

int
connection_on_dial_failed(struct connection *c, struct msg *m)
{
	char why[512];

	msg_get_str(m, why, sizeof(why));
	if (!msg_end(m))
		return -1;
	if (c->state == STATE_DIALING && m->id == c->attempt)
		connection_lose(c, THEN_RETRY, why);
	return 0;
}

void
connection_send_upgrade(struct connection *c, char *target)
{
	if (target == NULL) {
		connection_lose(c, THEN_RETRY, "out of memory");
		return;
	}
	handshake_send_upgrade(c->handshake, target);
	freezero(target, strlen(target));
}

/* What we are called comes with the token; it is news only once. */
static void
adopt_client_id(struct connector *connector, const char *client_id)
{
	if (strcmp(connector->granted_id, client_id) == 0)
		return;
	(void)strlcpy(
	    connector->granted_id, client_id, sizeof(connector->granted_id));
	if (client_id[0] != '\0' &&
	    strcmp(client_id, connector->conf.client_id) != 0)
		log_infox("client id %s, for which the token was granted, "
			  "instead of %s",
		    client_id, connector->conf.client_id);
}

static void
use_token(struct connection *c, const char *token, const char *client_id)
{
	struct connector *connector = c->connector;

	connection_forget_grant(c);
	if (c->state == STATE_HANDSHAKE) {
		adopt_client_id(connector, client_id);
		connection_send_upgrade(
		    c, target_new(&connector->conf,
			   connector_client_id(connector), token));
	} else if (strcmp(connector->granted_id, client_id) != 0)
		connection_lose(c, THEN_RETRY, "another token");
	else
		outgoing_register(
		    connector, token, presence_register(connector->presence));
}

int
connection_on_token(struct connection *c, struct msg *m)
{
	char token[TOKEN_MAX + 1], client_id[CLIENT_ID_MAX + 1];
	int rc = -1;

	msg_get_str(m, token, sizeof(token));
	msg_get_str(m, client_id, sizeof(client_id));
	/* Both go to the orchestrator, one of them into paths, too. */
	if (msg_end(m) && slice_is_token(token) &&
	    (client_id[0] == '\0' || client_id_check(client_id) == NULL)) {
		rc = 0;
		/* Else it is for an attempt that was given up. */
		if (m->id == c->attempt && c->wants_token) {
			c->wants_token = false;
			if (token[0] == '\0')
				connection_on_no_token(c);
			else
				use_token(c, token, client_id);
		}
	}
	explicit_bzero(token, sizeof(token));
	return rc;
}

static void
on_failed(void *arg, const char *why)
{
	connection_lose(arg, THEN_RETRY, why);
}

static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *c = arg;

	(void)input;
	c->received += info->n_added;
}

static void
on_output(
    struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *c = arg;

	(void)output;
	c->sent += info->n_deleted;
}

static void
on_open(void *arg, struct bufferevent *bev)
{
	struct connection *c = arg;
	bool pending = connection_shows_claims(c);

	handshake_free(c->handshake);
	c->handshake = NULL;
	c->ws = ws_new(bev, WS_CLIENT,
	    pending ? PENDING_MESSAGE_MAX : c->connector->conf.message_max,
	    &ws_ops, c);
	if (c->ws == NULL ||
	    evbuffer_add_cb(bufferevent_get_input(bev), on_input, c) == NULL ||
	    evbuffer_add_cb(bufferevent_get_output(bev), on_output, c) ==
		NULL) {
		if (c->ws == NULL)
			bufferevent_free(bev);
		connection_lose(c, THEN_RETRY, "out of memory");
		return;
	}
	if (pending) {
		connection_start_pending(c);
		return;
	}
	connection_set_state(c, STATE_REGISTERING);
	timer_set(c->timer, CONNECT_MS);
	connection_ask_token(c);
}

/* Not transient: a new token will have to come from somewhere. */
static void
on_token_refused(struct connection *c)
{
	char host[CONNECTION_HOST_SIZE];
	bool granted = c->connector->granted_id[0] != '\0';

	connection_host(c, host);
	if (!c->refusal_logged)
		log_warnx("disconnected: upgrade refused: HTTP 401, the token "
			  "is not valid; %s%s%snext attempt in %u ms, and then "
			  "once a minute",
		    granted ? "to have another one granted: tetherctl tokens "
			      "forget "
			    : "",
		    granted ? host : "", granted ? "; " : "",
		    BACKOFF_REFUSED_MS);
	c->refusal_logged = true;
	connection_set_reason(
	    c, "upgrade refused: HTTP 401, the token is not valid");
	connection_wait(c, BACKOFF_REFUSED_MS);
}

static void
on_refused(void *arg, int status)
{
	struct connection *c = arg;
	char why[64];

	if (status == 401 && !connection_shows_claims(c)) {
		on_token_refused(c);
		return;
	}
	(void)snprintf(why, sizeof(why), "upgrade%s refused: HTTP %d",
	    connection_shows_claims(c) ? " without a token" : "", status);
	connection_lose(c, THEN_RETRY, why);
}

void
connection_on_registered(struct connection *c)
{
	if (c->state != STATE_REGISTERING) {
		log_debugx("registered, again");
		return;
	}
	evtimer_del(c->timer);
	connection_set_state(c, STATE_UP);
	c->connector->counters.connections++;
	c->refusal_logged = false;
	backoff_reset(&c->backoff);
	heartbeat_start(&c->heartbeat);
	connection_log_registered(c);
	c->ops->up(c->arg);
}

void
connection_on_pong(struct connection *c)
{
	bool asked = heartbeat_on_pong(&c->heartbeat);

	c->pongs_delayed = 0;
	/* It is as good as registered: it has stood for a while. */
	if (asked && c->state == STATE_PENDING)
		backoff_reset(&c->backoff);
}

static void
on_ws_message(
    void *arg, struct ws *ws, enum ws_type type, struct evbuffer *message)
{
	struct connection *c = arg;
	struct counters *counters = &c->connector->counters;

	(void)ws;
	counters->messages_in++;
	counters->bytes_in += evbuffer_get_length(message);
	if (type != WS_TEXT)
		incoming_binary(c->connector);
	else if (c->state != STATE_CLOSING)
		c->ops->message(c->arg, message);
}

static void
on_ws_writable(void *arg, struct ws *ws)
{
	struct connection *c = arg;

	(void)ws;
	if (c->state == STATE_UP)
		c->ops->writable(c->arg);
}

static void
on_ws_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	struct connection *c = arg;
	char safe[128], why[sizeof(c->reason)];

	if (clean || !c->connector->conf.tls ||
	    !tls_error(ws_bufferevent(ws), safe, sizeof(safe)))
		log_safe(safe, sizeof(safe), reason);
	if (c->state == STATE_CLOSING) /* as we wanted */
		(void)strlcpy(why, c->reason, sizeof(why));
	else if (clean)
		(void)snprintf(why, sizeof(why), "closed with %u%s%s", code,
		    safe[0] == '\0' ? "" : " ", safe);
	else
		(void)snprintf(why, sizeof(why), "connection lost: %s", safe);
	ws_free(ws);
	c->ws = NULL;
	c->fd = -1;
	if (c->state == STATE_CLOSING)
		connection_lose(c, c->then, why);
	else if (c->state == STATE_PENDING && code == CLOSE_NOT_CLAIMED)
		connection_lose(c, THEN_LATER, why);
	else
		connection_lose(c, THEN_RETRY, why);
}
