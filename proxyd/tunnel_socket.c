#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "proxyd/chat_tap.h"
#include "proxyd/chats.h"
#include "proxyd/proxyd.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnel.h"
#include "proxyd/tunnel_opening.h"
#include "proxyd/tunnel_socket.h"
#include "proxyd/upstream_socket.h"

struct tunnel_socket {
	struct tunnel *tunnel;
	struct tunnel_ask ask;
	struct upstream_socket *socket;
	struct chat_tap *tap; /* of a chat, or NULL */
};

static void
socket_free(void *arg)
{
	struct tunnel_socket *s = arg;

	upstream_socket_free(s->socket);
	chat_tap_free(s->tap);
	tunnel_ask_clear(&s->ask);
	free(s);
}

static void
socket_send(void *arg, const struct piece *p)
{
	struct tunnel_socket *s = arg;

	if (s->tap != NULL)
		chat_tap_up(s->tap, p->type, p->data, p->len, !p->more);
	upstream_socket_send(s->socket, p->type, !p->more, p->data, p->len);
}

static bool
socket_is_writable(const void *arg)
{
	const struct tunnel_socket *s = arg;

	return upstream_socket_is_writable(s->socket);
}

static void
socket_pause(void *arg)
{
	struct tunnel_socket *s = arg;

	upstream_socket_pause(s->socket);
}

static void
socket_resume(void *arg)
{
	struct tunnel_socket *s = arg;

	upstream_socket_resume(s->socket);
}

static bool
socket_close(void *arg, uint16_t code, const char *reason)
{
	struct tunnel_socket *s = arg;

	if (upstream_socket_close(s->socket, code, reason))
		return false;
	socket_free(s);
	return true;
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
on_opened(void *arg, const char *protocol)
{
	struct tunnel_socket *s = arg;

	tunnel_opened(s->tunnel, protocol);
}

static void
on_failed(void *arg, enum upstream_socket_failure failure)
{
	struct tunnel_socket *s = arg;
	struct tunnel *t = s->tunnel;
	struct proxyd *p = t->proxyd;

	if (failure == UPSTREAM_SOCKET_UNAUTHORIZED)
		sessions_forget(p->sessions, t->github_id, t->login);
	else if (failure != UPSTREAM_SOCKET_REFUSED)
		p->counts.upstream_failed++;
	/* Which frees the socket. */
	tunnel_refuse(t, upstream_socket_reason(failure));
}

static void
on_part(void *arg, enum ws_type type, const void *data, size_t len, bool fin)
{
	struct tunnel_socket *s = arg;

	if (s->tap != NULL)
		chat_tap_down(s->tap, type, data, len, fin);
	tunnel_part(s->tunnel, type, data, len, fin);
}

static void
on_writable(void *arg)
{
	struct tunnel_socket *s = arg;

	tunnel_writable(s->tunnel);
}

static void
on_closed(void *arg, uint16_t code, const char *reason, bool clean)
{
	struct tunnel_socket *s = arg;

	tunnel_far_gone(s->tunnel, code, reason, clean);
	socket_free(s);
}

static const struct upstream_socket_ops socket_ops = {
	.opened = on_opened,
	.failed = on_failed,
	.part = on_part,
	.writable = on_writable,
	.closed = on_closed,
};

void
tunnel_socket_start(struct tunnel *t, struct tunnel_ask *ask, const char *jwt)
{
	struct tunnel_socket *s = calloc(1, sizeof(*s));
	struct proxyd *p = t->proxyd;

	if (s == NULL)
		fatal("tunnel");
	s->tunnel = t;
	s->ask = *ask;
	memset(ask, 0, sizeof(*ask));
	t->ops = &far_ops;
	t->far = s;
	if (strcmp(t->path, CHATS_TARGET) == 0)
		s->tap = chat_tap_new(p->runs);
	s->socket = upstream_socket_open(p->child.base, &p->conf, s->ask.target,
	    jwt, (const char *const *)s->ask.protocols, s->ask.nprotocols,
	    &socket_ops, s);
}
