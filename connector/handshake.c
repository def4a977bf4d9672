#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/slice.h"
#include "common/upgrade.h"
#include "connector/handshake.h"
#include "connector/tls.h"

struct handshake {
	const struct connector_conf *conf;
	const struct handshake_ops *ops;
	void *arg;
	struct bufferevent *bev;
	bool tls;
	bool secure; /* that much is done */
	bool asked;  /* the request is out */
	char key[UPGRADE_KEY_SIZE];
};

/* TLS is done, or all is over. */
static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct handshake *h = arg;
	int error = EVUTIL_SOCKET_ERROR();
	bool eof = (what & BEV_EVENT_EOF) != 0 || error == 0;
	bool early = h->tls && !h->secure;
	char why[256];

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		h->secure = true;
		h->ops->token_wanted(h->arg);
		return;
	}
	if (!h->tls || !tls_error(bev, why, sizeof(why)))
		(void)snprintf(why, sizeof(why), "%s%s%s", early ? "TLS: " : "",
		    eof ? "connection closed" : strerror(error),
		    early ? " in the handshake" : "");
	h->ops->failed(h->arg, why);
}

/* The answer to the upgrade. */
static void
on_readable(struct bufferevent *bev, void *arg)
{
	struct handshake *h = arg;
	static const struct upgrade offer = { 0 };
	struct upgrade_answer answer = { .why = "data before the upgrade" };
	enum upgrade_result result = UPGRADE_BROKEN;

	if (h->asked)
		result = upgrade_response(
		    bufferevent_get_input(bev), &offer, h->key, &answer);
	switch (result) {
	case UPGRADE_MORE:
		break;
	case UPGRADE_DONE:
		h->bev = NULL;
		h->ops->done(h->arg, bev);
		break;
	case UPGRADE_REFUSED:
		h->ops->refused(h->arg, answer.status);
		break;
	case UPGRADE_BROKEN:
		h->ops->failed(h->arg, answer.why);
		break;
	}
}

struct handshake *
handshake_new(struct event_base *base, SSL_CTX *tls,
    const struct connector_conf *conf, int fd, const struct handshake_ops *ops,
    void *arg)
{
	struct handshake *h = calloc(1, sizeof(*h));

	if (h != NULL)
		h->bev = conf->tls ? tls_connect(tls, base, fd, conf->host)
				   : bufferevent_socket_new(
					 base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (h == NULL || h->bev == NULL) {
		close(fd);
		free(h);
		return NULL;
	}
	h->conf = conf;
	h->ops = ops;
	h->arg = arg;
	h->tls = conf->tls;
	bufferevent_setcb(h->bev, on_readable, NULL, on_event, h);
	bufferevent_enable(h->bev, EV_READ | EV_WRITE);
	return h;
}

void
handshake_start(struct handshake *h)
{
	if (!h->tls)
		h->ops->token_wanted(h->arg);
}

void
handshake_free(struct handshake *h)
{
	if (h == NULL)
		return;
	if (h->bev != NULL)
		bufferevent_free(h->bev);
	free(h);
}

void
handshake_send_upgrade(struct handshake *h, const char *target)
{
	struct upgrade upgrade = {
		.host = h->conf->host,
		.port = h->conf->port,
		.default_port = h->conf->port == (h->conf->tls ? 443 : 80),
		.target = target,
		.version = h->conf->version,
	};

	h->asked = true;
	if (upgrade_request(&upgrade, h->key, bufferevent_get_output(h->bev)) ==
	    -1)
		h->ops->failed(h->arg, "can't make the upgrade request");
}
