#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/upgrade.h"
#include "common/ws.h"
#include "proxyd/proxyd.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnel.h"
#include "proxyd/tunnel_opening.h"
#include "proxyd/tunnel_socket.h"

struct tunnel_socket {
	struct tunnel *tunnel;
	struct tunnel_ask ask;
	struct bufferevent *bev; /* until the handshake is done */
	struct upgrade upgrade;
	char key[UPGRADE_KEY_SIZE];
	struct ws *ws; /* from then on */
};

static void
socket_free(void *arg)
{
	struct tunnel_socket *s = arg;

	ws_free(s->ws);
	if (s->bev != NULL)
		bufferevent_free(s->bev);
	tunnel_ask_clear(&s->ask);
	free(s);
}

static void
socket_send(void *arg, const struct piece *p)
{
	struct tunnel_socket *s = arg;

	/* What fails is closed, and says so. */
	(void)ws_send_fragment(s->ws, p->type, !p->more, p->data, p->len);
}

static bool
socket_is_writable(const void *arg)
{
	const struct tunnel_socket *s = arg;

	return ws_is_writable(s->ws);
}

static void
socket_pause(void *arg)
{
	struct tunnel_socket *s = arg;

	ws_pause(s->ws);
}

static void
socket_resume(void *arg)
{
	struct tunnel_socket *s = arg;

	ws_resume(s->ws);
}

static bool
socket_close(void *arg, uint16_t code, const char *reason)
{
	struct tunnel_socket *s = arg;

	if (s->ws == NULL) {
		socket_free(s);
		return true;
	}
	ws_close(s->ws, code, reason);
	return false;
}

static const struct tunnel_far_ops far_ops = {
	.send = socket_send,
	.is_writable = socket_is_writable,
	.pause = socket_pause,
	.resume = socket_resume,
	.close = socket_close,
	.free = socket_free,
};

static void
on_part(void *arg, struct ws *ws, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	struct tunnel_socket *s = arg;

	(void)ws;
	tunnel_part(s->tunnel, type, data, len, fin);
}

static void
on_writable(void *arg, struct ws *ws)
{
	struct tunnel_socket *s = arg;

	(void)ws;
	tunnel_writable(s->tunnel);
}

static void
on_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	struct tunnel_socket *s = arg;

	/* What happened to our connection is not for the page. */
	tunnel_far_gone(s->tunnel, clean ? code : WS_CLOSE_ABNORMAL,
	    clean ? reason : "", clean && !ws_has_failed(ws));
	socket_free(s);
}

static const struct ws_ops ws_ops = {
	.part = on_part,
	.writable = on_writable,
	.closed = on_closed,
};

/* Frees the socket. */
static void
fail(struct tunnel_socket *s, const char *why)
{
	s->tunnel->proxyd->counts.upstream_failed++;
	tunnel_refuse(s->tunnel, why);
}

/* The upstream answered with another status than 101. */
static void
on_refused(struct tunnel_socket *s, int status)
{
	struct tunnel *t = s->tunnel;

	log_debugx("upstream refuses a WebSocket: %d", status);
	if (status == 401) {
		sessions_forget(t->proxyd->sessions, t->github_id, t->login);
		tunnel_refuse(t, "403 the web app refuses this person");
	} else
		tunnel_refuse(t, "502 the web app refuses this WebSocket");
}

static void
on_answer(struct bufferevent *bev, void *arg)
{
	struct tunnel_socket *s = arg;
	struct upgrade_answer answer = { 0 };

	switch (upgrade_response(
	    bufferevent_get_input(bev), &s->upgrade, s->key, &answer)) {
	case UPGRADE_MORE:
		return;
	case UPGRADE_REFUSED:
		on_refused(s, answer.status);
		return;
	case UPGRADE_BROKEN:
		log_debugx("upstream: %s", answer.why);
		fail(s, "502 the web app's answer is malformed");
		return;
	case UPGRADE_DONE:
		break;
	}
	s->ws = ws_new(bev, WS_CLIENT, SIZE_MAX, &ws_ops, s);
	if (s->ws == NULL)
		fatal("tunnel");
	s->bev = NULL;
	tunnel_opened(s->tunnel, answer.protocol);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct tunnel_socket *s = arg;
	int fd = bufferevent_getfd(bev), on = 1;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		(void)bufferevent_set_timeouts(bev, NULL, NULL);
		/* Keys that are typed must not wait for more of them. */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	} else if ((what & BEV_EVENT_TIMEOUT) != 0)
		fail(s, "504 the web app did not answer in time");
	else
		fail(s, "502 the web app cannot be reached");
}

/*
 * The target with the JWT in its query, which is the only place where some
 * versions of the web app look.
 */
static char *
format_target(const char *target, const char *jwt)
{
	char *with;

	if (asprintf(&with, "%s%ctoken=%s", target,
		strchr(target, '?') == NULL ? '?' : '&', jwt) == -1)
		fatal("tunnel");
	return with;
}

static int
write_request(struct tunnel_socket *s, const char *jwt)
{
	const struct proxyd_conf *conf = &s->tunnel->proxyd->conf;
	struct upgrade *u = &s->upgrade;
	char *target = format_target(s->ask.target, jwt), *authorization;
	const char *headers[1];
	int rc;

	if (asprintf(&authorization, "Authorization: Bearer %s", jwt) == -1)
		fatal("tunnel");
	headers[0] = authorization;
	u->host = conf->upstream_host;
	u->port = conf->upstream_port;
	u->default_port = conf->upstream_port == 80;
	u->version = TETHERD_VERSION;
	u->protocols = (const char *const *)s->ask.protocols;
	u->nprotocols = s->ask.nprotocols;
	u->target = target;
	u->headers = headers;
	u->nheaders = 1;
	rc = upgrade_request(u, s->key, bufferevent_get_output(s->bev));
	u->host = NULL;
	u->target = NULL;
	u->headers = NULL;
	u->nheaders = 0;
	freezero(target, strlen(target));
	freezero(authorization, strlen(authorization));
	return rc;
}

static int
start_connect(struct tunnel_socket *s)
{
	const struct proxyd_conf *conf = &s->tunnel->proxyd->conf;
	bool v6 = strchr(conf->upstream_host, ':') != NULL;
	struct sockaddr_storage address;
	int len = sizeof(address);
	struct timeval limit = { .tv_sec = conf->connect_ms / 1000,
		.tv_usec = conf->connect_ms % 1000 * 1000 };
	char text[300];

	(void)snprintf(text, sizeof(text), "%s%s%s:%u", v6 ? "[" : "",
	    conf->upstream_host, v6 ? "]" : "", conf->upstream_port);
	if (evutil_parse_sockaddr_port(
		text, (struct sockaddr *)&address, &len) == -1)
		return -1;
	(void)bufferevent_set_timeouts(s->bev, NULL, &limit);
	return bufferevent_socket_connect(
	    s->bev, (struct sockaddr *)&address, len);
}

void
tunnel_socket_start(struct tunnel *t, struct tunnel_ask *ask, const char *jwt)
{
	struct tunnel_socket *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->bev = bufferevent_socket_new(t->proxyd->child.base,
			      -1, BEV_OPT_CLOSE_ON_FREE)) == NULL)
		fatal("tunnel");
	s->tunnel = t;
	s->ask = *ask;
	memset(ask, 0, sizeof(*ask));
	t->ops = &far_ops;
	t->far = s;
	bufferevent_setcb(s->bev, on_answer, NULL, on_event, s);
	(void)bufferevent_enable(s->bev, EV_READ | EV_WRITE);
	if (write_request(s, jwt) == -1 || start_connect(s) == -1)
		fail(s, "502 the web app cannot be reached");
}
