#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "common/ws.h"
#include "connector/backoff.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/handshake.h"
#include "connector/heartbeat.h"
#include "connector/outgoing.h"
#include "connector/tls.h"

/* From the first SYN to the finished upgrade, and from there to registered. */
#define CONNECT_MS 30000

#define TOKEN_MAX 4096

/* Unsent bytes at which the orchestrator counts as gone: answers wait for
 * room, but not the errors that it can cause. */
#define OUTPUT_MAX (8 * 1024 * 1024)

enum state {
	STATE_HELD,	   /* until the operator asks, or the peers are there */
	STATE_WAITING,	   /* for the next attempt */
	STATE_DIALING,	   /* the parent sees to a socket */
	STATE_HANDSHAKE,   /* TLS and upgrade */
	STATE_REGISTERING, /* the WebSocket is open */
	STATE_UP,
	STATE_CLOSING,
};

enum then { THEN_RETRY, THEN_CONNECT, THEN_HOLD, THEN_FINISH };

struct connection {
	struct connector *connector;
	const struct connection_ops *ops;
	void *arg;
	SSL_CTX *tls;
	enum state state;
	enum then then; /* after STATE_CLOSING */
	bool started;
	bool refusal_logged;
	bool wants_token; /* authd was asked, and has not answered */
	struct event *timer;
	struct backoff backoff;
	struct heartbeat heartbeat;
	uint64_t attempt; /* the id of DIAL and TOKEN_GET, to match answers */
	struct handshake *handshake; /* until there is a ws */
	struct ws *ws;
};

static void connect_now(struct connection *);
static void connection_lose(struct connection *, enum then, const char *why);
static void on_timer(int, short, void *);
static void on_send_ping(void *);
static void on_heartbeat_dead(void *, const char *);
static void ask_token(void *);
static void on_open(void *, struct bufferevent *);
static void on_refused(void *, int);
static void on_failed(void *, const char *);
static void on_ws_message(void *, struct ws *, enum ws_type, struct evbuffer *);
static void on_ws_writable(void *, struct ws *);
static void on_ws_closed(void *, struct ws *, uint16_t, const char *, bool);

static const struct handshake_ops handshake_ops = {
	.token_wanted = ask_token,
	.done = on_open,
	.refused = on_refused,
	.failed = on_failed,
};

static const struct ws_ops ws_ops = {
	.message = on_ws_message,
	.writable = on_ws_writable,
	.closed = on_ws_closed,
};

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
	if (conf->enabled && conf->tls)
		c->tls = tls_init(conf->ca_file);
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
}

void
connection_free(struct connection *c)
{
	drop_transport(c);
	heartbeat_clear(&c->heartbeat);
	event_free(c->timer);
	SSL_CTX_free(c->tls);
	free(c);
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
		connection_lose(c, THEN_RETRY, "timeout");
}

/* Ask for a token that is about to be sent. */
static void
ask_token(void *arg)
{
	struct connection *c = arg;
	struct msg_out m;

	c->wants_token = true;
	msg_start(&m, MSG_TOKEN_GET, c->attempt);
	if (!child_send(&c->connector->child, PROGRAM_AUTHD, &m))
		log_debugx("no authd to ask for the token: it will be back");
}

static void
connect_now(struct connection *c)
{
	struct msg_out m;

	c->state = STATE_DIALING;
	c->attempt++;
	timer_set(c->timer, CONNECT_MS);
	msg_start(&m, MSG_DIAL, c->attempt);
	(void)child_send(&c->connector->child, PROGRAM_PARENT, &m);
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
		if (connector->conf.enabled)
			connect_now(c);
		else
			log_infox("standalone: not connecting to an "
				  "orchestrator");
	} else if (c->wants_token)
		ask_token(c); /* authd died with the question */
}

void
connection_reconnect(struct connection *c)
{
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
	if (c->state == STATE_HELD || c->state == STATE_WAITING)
		connection_reconnect(c);
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
	c->handshake = handshake_new(connector->child.base, c->tls,
	    &connector->conf, msg_take_fd(m), &handshake_ops, c);
	if (c->handshake == NULL) {
		connection_lose(c, THEN_RETRY, "out of memory");
		return 0;
	}
	c->state = STATE_HANDSHAKE;
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

int
connection_on_token(struct connection *c, struct msg *m)
{
	char token[TOKEN_MAX + 1];

	msg_get_str(m, token, sizeof(token));
	if (!msg_end(m))
		return -1;
	if (m->id != c->attempt || !c->wants_token)
		return 0; /* for an attempt that was given up */
	c->wants_token = false;
	if (token[0] == '\0')
		connection_lose(c, THEN_RETRY, "there is no token");
	else if (c->state == STATE_HANDSHAKE)
		handshake_send_upgrade(c->handshake, token);
	else
		outgoing_register(c->connector, token);
	explicit_bzero(token, sizeof(token));
	return 0;
}

static void
on_failed(void *arg, const char *why)
{
	connection_lose(arg, THEN_RETRY, why);
}

static void
on_open(void *arg, struct bufferevent *bev)
{
	struct connection *c = arg;

	handshake_free(c->handshake);
	c->handshake = NULL;
	c->ws = ws_new(bev, WS_CLIENT, MESSAGE_MAX, &ws_ops, c);
	if (c->ws == NULL) {
		bufferevent_free(bev);
		connection_lose(c, THEN_RETRY, "out of memory");
		return;
	}
	c->state = STATE_REGISTERING;
	timer_set(c->timer, CONNECT_MS);
	ask_token(c);
}

static void
on_refused(void *arg, int status)
{
	struct connection *c = arg;
	char why[64];

	if (status != 401) {
		(void)snprintf(
		    why, sizeof(why), "upgrade refused: HTTP %d", status);
		connection_lose(c, THEN_RETRY, why);
		return;
	}
	/* Not transient: a new token will have to come from somewhere. */
	if (!c->refusal_logged)
		log_warnx("disconnected: upgrade refused: HTTP 401, the token "
			  "is not valid; next attempt in %u ms, and then "
			  "once a minute",
		    BACKOFF_REFUSED_MS);
	c->refusal_logged = true;
	drop_transport(c);
	c->state = STATE_WAITING;
	timer_set(c->timer, BACKOFF_REFUSED_MS);
}

void
connection_on_registered(struct connection *c)
{
	const struct connector_conf *conf = &c->connector->conf;
	bool v6 = strchr(conf->host, ':') != NULL;

	if (c->state != STATE_REGISTERING) {
		log_debugx("registered, again");
		return;
	}
	evtimer_del(c->timer);
	c->state = STATE_UP;
	c->refusal_logged = false;
	backoff_reset(&c->backoff);
	heartbeat_start(&c->heartbeat);
	log_infox("registered with %s://%s%s%s:%u as %s",
	    conf->tls ? "wss" : "ws", v6 ? "[" : "", conf->host, v6 ? "]" : "",
	    conf->port, conf->client_id);
	c->ops->up(c->arg);
}

void
connection_on_pong(struct connection *c)
{
	heartbeat_on_pong(&c->heartbeat);
}

static void
on_send_ping(void *arg)
{
	struct connection *c = arg;

	outgoing_ping(c->connector);
}

static void
on_heartbeat_dead(void *arg, const char *why)
{
	connection_lose(arg, THEN_RETRY, why);
}

static void
on_ws_message(
    void *arg, struct ws *ws, enum ws_type type, struct evbuffer *message)
{
	struct connection *c = arg;

	(void)ws;
	if (type != WS_TEXT)
		log_warnx("binary message ignored");
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
	char safe[128], why[192];

	(void)ws;
	log_safe(safe, sizeof(safe), reason);
	if (clean)
		(void)snprintf(why, sizeof(why), "closed with %u%s%s", code,
		    safe[0] == '\0' ? "" : " ", safe);
	else
		(void)snprintf(why, sizeof(why), "connection lost: %s", safe);
	connection_lose(
	    c, c->state == STATE_CLOSING ? c->then : THEN_RETRY, why);
}

/* What comes after the end of a connection or of an attempt. */
static void
go_on(struct connection *c, enum then then, const char *why)
{
	uint32_t ms;

	switch (then) {
	case THEN_RETRY:
		ms = backoff_next(&c->backoff);
		log_warnx("disconnected: %s; next attempt in %u ms", why, ms);
		c->state = STATE_WAITING;
		timer_set(c->timer, ms);
		break;
	case THEN_CONNECT:
		log_infox("disconnected: %s", why);
		connect_now(c);
		break;
	case THEN_HOLD:
		log_infox("disconnected: %s; staying so until asked to "
			  "reconnect",
		    why);
		c->state = STATE_HELD;
		break;
	case THEN_FINISH:
		log_infox("disconnected: %s", why);
		c->state = STATE_HELD;
		c->ops->finished(c->arg);
		break;
	}
}

static void
connection_lose(struct connection *c, enum then then, const char *why)
{
	bool was_up = c->state == STATE_UP;

	/* An open WebSocket is closed as it should be, except when the
	 * other end does not seem to be there. */
	if ((c->state == STATE_UP || c->state == STATE_REGISTERING) &&
	    then != THEN_RETRY) {
		c->state = STATE_CLOSING;
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
	c->state = STATE_WAITING;
	if (was_up)
		c->ops->down(c->arg);
	/* Nothing else may be left to wait for: connection_finish(). */
	if (c->state == STATE_WAITING)
		go_on(c, then, why);
}

void
connection_refuse(struct connection *c, const char *why)
{
	if (c->state == STATE_UP || c->state == STATE_REGISTERING) {
		log_warnx("%s", why);
		connection_lose(c, THEN_HOLD, why);
	}
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

void
connection_log_status(const struct connection *c)
{
	static const char *const states[] = {
		[STATE_HELD] = "held until asked to reconnect",
		[STATE_WAITING] = "waiting for the next attempt",
		[STATE_DIALING] = "connecting",
		[STATE_HANDSHAKE] = "in the opening handshake",
		[STATE_REGISTERING] = "registering",
		[STATE_UP] = "registered",
		[STATE_CLOSING] = "closing",
	};

	log_infox("status: orchestrator %s, %s", c->connector->conf.host,
	    c->started ? states[c->state] : "not started");
}
