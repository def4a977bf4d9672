#include <sys/resource.h>
#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include <errno.h>

#include "common/log.h"
#include "hub/hub.h"
#include "hub/route.h"
#include "hub/server.h"

#define BACKLOG	    128
#define TIMEOUT	    60		 /* seconds without progress */
#define WRITE_MAX   (256 * 1024) /* at once; libevent's own is 16 KiB */
#define SOCKETS_MAX 4096

/* How long nobody is let in when there is no descriptor left. */
static const struct timeval pause_time = { 0, 200000 };

static void
server_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)evconnlistener_enable(arg);
}

/* Out of descriptors, say: polling again at once would only spin. */
static void
server_accept_failed(struct evconnlistener *listener, void *arg)
{
	(void)arg; /* not ours: evhttp_bind_listener() sets it */
	log_warn("accept");
	(void)evconnlistener_disable(listener);
	(void)event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT,
	    server_resume, listener, &pause_time);
}

static struct bufferevent *
server_bufferevent(struct event_base *base, void *arg)
{
	struct bufferevent *bev =
	    bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	(void)arg;
	if (bev != NULL)
		(void)bufferevent_set_max_single_write(bev, WRITE_MAX);
	return bev;
}

/* The number of descriptors is the bound on connections. */
static void
server_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		fatal("getrlimit");
	limit.rlim_cur =
	    limit.rlim_max < SOCKETS_MAX ? limit.rlim_max : SOCKETS_MAX;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_warn("setrlimit");
}

static int
server_port(struct evconnlistener *listener)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	if (getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&ss,
		&len) == -1)
		fatal("getsockname");
	/* The port stands at the same place in both families. */
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

int
server_start(struct hub *hub)
{
	const struct options *o = hub->options;
	struct evconnlistener *listener;

	server_limit();
	if ((hub->http = evhttp_new(hub->base)) == NULL)
		fatalx("evhttp_new");
	evhttp_set_allowed_methods(
	    hub->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
			   EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
			   EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_timeout(hub->http, TIMEOUT);
	evhttp_set_max_headers_size(hub->http, HUB_HEADERS_MAX);
	evhttp_set_max_body_size(hub->http, (ev_ssize_t)o->message_max);
	evhttp_set_default_content_type(hub->http, NULL);
	evhttp_set_bevcb(hub->http, server_bufferevent, NULL);
	evhttp_set_gencb(hub->http, route_request, hub);
	listener = evconnlistener_new_bind(hub->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
	    BACKLOG, (const struct sockaddr *)&o->listen, (int)o->listen_len);
	if (listener == NULL)
		fatal("--listen");
	if (evhttp_bind_listener(hub->http, listener) == NULL)
		fatalx("evhttp_bind_listener");
	evconnlistener_set_error_cb(listener, server_accept_failed);
	return server_port(listener);
}

void
server_stop(struct hub *hub)
{
	evhttp_free(hub->http);
}
