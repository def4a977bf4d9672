#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "common/ws.h"
#include "connector/connection_internal.h"
#include "connector/connector.h"
#include "connector/handshake.h"
#include "connector/outgoing.h"

/* Unsent bytes at which the orchestrator counts as gone: answers wait for
 * room, but not the errors that it can cause. */
#define OUTPUT_MAX (8 * 1024 * 1024)

/* What has to come while we wait for a pong, and how often in a row. */
#define DELAYING_BYTES	  (64 * 1024)
#define PONGS_DELAYED_MAX 5

static void on_timer(int, short, void *);
static void on_send_ping(void *);
static void on_heartbeat_dead(void *, const char *);

void
connection_set_state(struct connection *c, enum state state)
{
	c->state = state;
	clock_gettime(CLOCK_BOOTTIME, &c->since);
}

void
connection_set_reason(struct connection *c, const char *why)
{
	(void)strlcpy(c->reason, why, sizeof(c->reason));
}

void
connection_limit_silence(const struct connection *c)
{
	unsigned ms = c->connector->conf.heartbeat_ms + HEARTBEAT_PONG_MS;

	/* Without it the end is found later. */
	if (c->fd != -1)
		(void)setsockopt(
		    c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

struct connection *
connection_new(
    struct connector *connector, const struct connection_ops *ops, void *arg)
{
	struct connection *c = calloc(1, sizeof(*c));
	const struct connector_conf *conf = &connector->conf;

	if (c == NULL)
		fatal("connection");
	c->connector = connector;
	c->ops = ops;
	c->arg = arg;
	c->fd = -1;
	connection_set_state(c, STATE_HELD);
	c->timer = evtimer_new(connector->child.base, on_timer, c);
	if (c->timer == NULL)
		fatalx("no timer");
	backoff_init(&c->backoff, conf->reconnect_ms);
	heartbeat_init(&c->heartbeat, connector->child.base, conf->heartbeat_ms,
	    on_send_ping, on_heartbeat_dead, c);
	return c;
}

static void
drop_transport(struct connection *c)
{
	heartbeat_stop(&c->heartbeat);
	evtimer_del(c->timer);
	c->wants_token = false;
	handshake_free(c->handshake);
	c->handshake = NULL;
	ws_free(c->ws);
	c->ws = NULL;
	c->fd = -1;
	c->pending_id[0] = '\0';
	c->pongs_delayed = 0;
}

void
connection_free(struct connection *c)
{
	drop_transport(c);
	connection_forget_grant(c);
	heartbeat_clear(&c->heartbeat);
	event_free(c->timer);
	free(c);
}

void
connection_configure(struct connection *c)
{
	const struct connector_conf *conf = &c->connector->conf;

	backoff_set_first(&c->backoff, conf->reconnect_ms);
	heartbeat_set_interval(&c->heartbeat, conf->heartbeat_ms);
	connection_limit_silence(c);
	/* authd may wait with the answer until we have its configuration. */
	if (c->wants_token)
		connection_ask_token(c);
}

/* Connect, if there is anything to connect to. */
static void
connect_now(struct connection *c)
{
	struct msg_out m;

	if (!c->connector->conf.enabled) {
		log_infox("standalone: not connecting to an orchestrator");
		connection_set_state(c, STATE_HELD);
		return;
	}
	connection_set_state(c, STATE_DIALING);
	c->attempt++;
	c->connector->counters.attempts++;
	timer_set(c->timer, CONNECT_MS);
	msg_start(&m, MSG_DIAL, c->attempt);
	(void)child_send(&c->connector->child, PROGRAM_PARENT, &m);
}

void
connection_wait(struct connection *c, uint32_t ms)
{
	drop_transport(c);
	connection_set_state(c, STATE_WAITING);
	timer_set(c->timer, ms);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	if (c->state == STATE_WAITING)
		connect_now(c);
	else
		connection_lose(c, THEN_RETRY,
		    c->wants_token ? "authd does not say which token"
				   : "timeout");
}

void
connection_on_peer(struct connection *c)
{
	const struct connector *connector = c->connector;

	if (connector->child.peers[PROGRAM_AUTHD] == NULL ||
	    connector->child.peers[PROGRAM_PROXYD] == NULL)
		return;
	if (!c->started) {
		c->started = true;
		if (!c->stays_down)
			connect_now(c);
	} else if (c->wants_token) {
		/* authd died with the question, and what it was to keep. */
		if (c->grant != NULL)
			c->grant->sent_again = false;
		connection_ask_token(c);
	}
}

void
connection_reconnect(struct connection *c)
{
	c->stays_down = false;
	if (!c->started || !c->connector->conf.enabled)
		return;
	backoff_reset(&c->backoff);
	if (c->state != STATE_CLOSING)
		connection_lose(c, THEN_CONNECT, "reconnect was asked for");
	else if (c->then != THEN_FINISH)
		c->then = THEN_CONNECT;
}

void
connection_refresh(struct connection *c)
{
	bool held = c->state == STATE_HELD || c->state == STATE_WAITING ||
		    (c->state == STATE_CLOSING &&
			(c->then == THEN_HOLD || c->then == THEN_STAY ||
			    c->then == THEN_LATER));

	if (held)
		connection_reconnect(c);
}

void
connection_disconnect(struct connection *c)
{
	static const char why[] = "disconnect was asked for";

	c->stays_down = true;
	if (c->state == STATE_CLOSING) {
		if (c->then != THEN_FINISH)
			c->then = THEN_STAY;
	} else if (c->state != STATE_HELD)
		connection_lose(c, THEN_STAY, why);
}

void
connection_renew(struct connection *c)
{
	static const char why[] = "the settings changed";

	c->stays_down = false;
	c->refusal_logged = false;
	backoff_reset(&c->backoff);
	if (c->state == STATE_CLOSING) {
		if (c->then != THEN_FINISH)
			c->then = THEN_CONNECT;
	} else if (c->state != STATE_HELD)
		connection_lose(c, THEN_CONNECT, why);
	else if (c->ops->ended(c->arg) && c->started)
		connect_now(c);
}

static void
on_send_ping(void *arg)
{
	struct connection *c = arg;

	c->sent_before_ping = c->sent;
	c->received_before_ping = c->received;
	outgoing_ping(
	    c->connector, c->state == STATE_PENDING ? c->pending_id : NULL);
}

/* The ping waits behind what the orchestrator is still being sent. */
static bool
is_ping_delayed(const struct connection *c)
{
	return c->sent != c->sent_before_ping &&
	       (c->connector->relay.is_open || ws_output_length(c->ws) > 0);
}

/*
 * The pong may wait behind a long message, which still comes, and is no
 * trickle to keep us here; but not behind one after the other.
 */
static bool
is_pong_delayed(struct connection *c)
{
	return c->ws != NULL && ws_is_receiving(c->ws) &&
	       c->received - c->received_before_ping >= DELAYING_BYTES &&
	       c->pongs_delayed++ < PONGS_DELAYED_MAX;
}

static void
on_heartbeat_dead(void *arg, const char *why)
{
	struct connection *c = arg;

	if (is_ping_delayed(c) || is_pong_delayed(c))
		heartbeat_start(&c->heartbeat);
	else
		connection_lose(c, THEN_RETRY, why);
}

/* What comes after the end of a connection or of an attempt. */
static void
go_on(struct connection *c, enum then then, const char *why)
{
	uint32_t ms;

	connection_set_reason(c, why);
	/* No trouble with the old orchestrator is one with the new. */
	if (c->ops->ended(c->arg) &&
	    (then == THEN_RETRY || then == THEN_LATER || then == THEN_HOLD))
		then = THEN_CONNECT;
	switch (then) {
	case THEN_RETRY:
	case THEN_LATER:
		ms = then == THEN_LATER ? BACKOFF_MAX_MS
					: backoff_next(&c->backoff);
		log_warnx("disconnected: %s; next attempt in %u ms", why, ms);
		connection_wait(c, ms);
		break;
	case THEN_CONNECT:
		log_infox("disconnected: %s", why);
		connect_now(c);
		break;
	case THEN_HOLD:
	case THEN_STAY:
		log_warnx("disconnected: %s; staying so until asked to "
			  "reconnect",
		    why);
		connection_set_state(c, STATE_HELD);
		break;
	case THEN_FINISH:
		log_infox("disconnected: %s", why);
		connection_set_state(c, STATE_HELD);
		c->ops->finished(c->arg);
		break;
	}
}

static bool
is_open(const struct connection *c)
{
	return c->ws != NULL &&
	       (c->state == STATE_UP || c->state == STATE_REGISTERING ||
		   c->state == STATE_PENDING);
}

void
connection_lose(struct connection *c, enum then then, const char *why)
{
	bool was_up = c->state == STATE_UP;

	/* An open WebSocket is closed as it should be, except when the
	 * other end does not seem to be there. */
	if (is_open(c) && then != THEN_RETRY) {
		if (was_up)
			c->ops->leaving(c->arg);
		connection_set_state(c, STATE_CLOSING);
		connection_set_reason(c, why);
		c->then = then;
		c->wants_token = false;
		heartbeat_stop(&c->heartbeat);
		evtimer_del(c->timer);
		if (was_up)
			c->ops->down(c->arg);
		ws_close(c->ws, WS_CLOSE_NORMAL, "");
		return;
	}
	drop_transport(c);
	connection_set_state(c, STATE_WAITING);
	if (was_up)
		c->ops->down(c->arg);
	/* Nothing else may be left to wait for: connection_finish(). */
	if (c->state == STATE_WAITING)
		go_on(c, then, why);
}

void
connection_refuse(struct connection *c, const char *why)
{
	if (is_open(c))
		connection_lose(c, THEN_HOLD, why);
}

void
connection_finish(struct connection *c)
{
	if (c->state == STATE_CLOSING)
		c->then = THEN_FINISH;
	else if (c->state == STATE_HELD)
		c->ops->finished(c->arg);
	else
		connection_lose(c, THEN_FINISH, "shutdown");
}

bool
connection_is_up(const struct connection *c)
{
	return c->state == STATE_UP;
}

void
connection_send(struct connection *c, const char *text, size_t len)
{
	if (c->ws == NULL)
		return;
	if (ws_output_length(c->ws) > OUTPUT_MAX)
		ws_close(c->ws, WS_CLOSE_POLICY, "reads too slowly");
	else if (ws_send(c->ws, WS_TEXT, text, len) == -1)
		log_warnx("message not sent");
}

struct ws *
connection_ws(const struct connection *c)
{
	return c->state == STATE_UP ? c->ws : NULL;
}

uint64_t
connection_received(const struct connection *c)
{
	return c->received;
}
