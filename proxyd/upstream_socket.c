#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/log.h"
#include "common/slice.h"
#include "common/timer.h"
#include "common/upgrade.h"
#include "proxyd/upstream_address.h"
#include "proxyd/upstream_socket.h"

struct upstream_socket {
	const struct upstream_socket_ops *ops;
	void *arg;
	struct bufferevent *bev; /* until the handshake is done */
	struct upgrade upgrade;
	char key[UPGRADE_KEY_SIZE];
	struct timeval open_limit; /* of the handshake */
	struct event hopeless;	   /* it failed before it began */
	struct ws *ws;		   /* from then on */
};

const char *
upstream_socket_reason(enum upstream_socket_failure failure)
{
	static const char *const reasons[] = {
		[UPSTREAM_SOCKET_UNREACHABLE] =
		    "502 the web app cannot be reached",
		[UPSTREAM_SOCKET_TIMEOUT] =
		    "504 the web app did not answer in time",
		[UPSTREAM_SOCKET_MALFORMED] =
		    "502 the web app's answer is malformed",
		[UPSTREAM_SOCKET_UNAUTHORIZED] =
		    "403 the web app refuses this person",
		[UPSTREAM_SOCKET_REFUSED] =
		    "502 the web app refuses this WebSocket",
	};

	return reasons[failure];
}

static void
fail(struct upstream_socket *s, enum upstream_socket_failure failure)
{
	s->ops->failed(s->arg, failure);
}

static void
on_hopeless(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fail(arg, UPSTREAM_SOCKET_UNREACHABLE);
}

void
upstream_socket_free(struct upstream_socket *s)
{
	if (s == NULL)
		return;
	evtimer_del(&s->hopeless);
	ws_free(s->ws);
	if (s->bev != NULL)
		bufferevent_free(s->bev);
	free(s);
}

bool
upstream_socket_close(
    struct upstream_socket *s, uint16_t code, const char *reason)
{
	if (s->ws == NULL)
		return false;
	ws_close(s->ws, code, reason);
	return true;
}

void
upstream_socket_send(struct upstream_socket *s, enum ws_type type, bool fin,
    const void *data, size_t len)
{
	(void)ws_send_fragment(s->ws, type, fin, data, len);
}

bool
upstream_socket_is_writable(const struct upstream_socket *s)
{
	return ws_is_writable(s->ws);
}

void
upstream_socket_pause(struct upstream_socket *s)
{
	ws_pause(s->ws);
}

void
upstream_socket_resume(struct upstream_socket *s)
{
	ws_resume(s->ws);
}

static void
on_part(void *arg, struct ws *ws, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	struct upstream_socket *s = arg;

	(void)ws;
	s->ops->part(s->arg, type, data, len, fin);
}

static void
on_writable(void *arg, struct ws *ws)
{
	struct upstream_socket *s = arg;

	(void)ws;
	if (s->ops->writable != NULL)
		s->ops->writable(s->arg);
}

static void
on_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	struct upstream_socket *s = arg;

	/* What happened to our connection is not for the page. */
	s->ops->closed(s->arg, clean ? code : WS_CLOSE_ABNORMAL,
	    clean ? reason : "", clean && !ws_has_failed(ws));
}

static const struct ws_ops ws_ops = {
	.part = on_part,
	.writable = on_writable,
	.closed = on_closed,
};

static void
on_answer(struct bufferevent *bev, void *arg)
{
	struct upstream_socket *s = arg;
	struct upgrade_answer answer = { 0 };

	switch (upgrade_response(
	    bufferevent_get_input(bev), &s->upgrade, s->key, &answer)) {
	case UPGRADE_MORE:
		return;
	case UPGRADE_REFUSED:
		log_debugx("upstream refuses a WebSocket: %d", answer.status);
		fail(s, answer.status == 401 ? UPSTREAM_SOCKET_UNAUTHORIZED
					     : UPSTREAM_SOCKET_REFUSED);
		return;
	case UPGRADE_BROKEN:
		log_debugx("upstream: %s", answer.why);
		fail(s, UPSTREAM_SOCKET_MALFORMED);
		return;
	case UPGRADE_DONE:
		break;
	}
	(void)bufferevent_set_timeouts(bev, NULL, NULL);
	s->ws = ws_new(bev, WS_CLIENT, SIZE_MAX, &ws_ops, s);
	if (s->ws == NULL)
		fatal("upstream");
	s->bev = NULL;
	s->ops->opened(s->arg, answer.protocol);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct upstream_socket *s = arg;
	int fd = bufferevent_getfd(bev), on = 1;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		(void)bufferevent_set_timeouts(bev, &s->open_limit, NULL);
		/* Keys that are typed must not wait for more of them. */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	} else if ((what & BEV_EVENT_TIMEOUT) != 0)
		fail(s, UPSTREAM_SOCKET_TIMEOUT);
	else
		fail(s, UPSTREAM_SOCKET_UNREACHABLE);
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
		fatal("upstream");
	return with;
}

static int
write_request(struct upstream_socket *s, const struct upstream_address *a,
    const char *target, const char *jwt)
{
	struct upgrade u = s->upgrade;
	char *with = format_target(target, jwt), *authorization;
	const char *headers[1];
	int rc;

	if (asprintf(&authorization, "Authorization: Bearer %s", jwt) == -1)
		fatal("upstream");
	headers[0] = authorization;
	u.host = a->host;
	u.port = a->port;
	u.default_port = a->port == 80;
	u.target = with;
	u.version = TETHERD_VERSION;
	u.headers = headers;
	u.nheaders = 1;
	rc = upgrade_request(&u, s->key, bufferevent_get_output(s->bev));
	freezero(with, strlen(with));
	freezero(authorization, strlen(authorization));
	return rc;
}

static struct timeval
interval(uint32_t ms)
{
	return (
	    struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

static int
start(struct upstream_socket *s, const struct proxyd_conf *conf,
    const char *target, const char *jwt)
{
	struct timeval connect_limit = interval(conf->connect_ms);
	struct upstream_address a;

	if (upstream_address_parse(&a, conf) != NULL ||
	    write_request(s, &a, target, jwt) == -1)
		return -1;
	(void)bufferevent_set_timeouts(s->bev, NULL, &connect_limit);
	return bufferevent_socket_connect(
	    s->bev, (struct sockaddr *)&a.socket, (int)a.len);
}

struct upstream_socket *
upstream_socket_open(struct event_base *base, const struct proxyd_conf *conf,
    const char *target, const char *jwt, const char *const *protocols,
    size_t nprotocols, const struct upstream_socket_ops *ops, void *arg)
{
	struct upstream_socket *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->bev = bufferevent_socket_new(
			      base, -1, BEV_OPT_CLOSE_ON_FREE)) == NULL)
		fatal("upstream");
	s->ops = ops;
	s->arg = arg;
	s->open_limit = interval(conf->total_ms);
	s->upgrade.protocols = protocols;
	s->upgrade.nprotocols = nprotocols;
	(void)evtimer_assign(&s->hopeless, base, on_hopeless, s);
	bufferevent_setcb(s->bev, on_answer, NULL, on_event, s);
	(void)bufferevent_enable(s->bev, EV_READ | EV_WRITE);
	if (start(s, conf, target, jwt) == -1)
		timer_set(&s->hopeless, 0);
	return s;
}
