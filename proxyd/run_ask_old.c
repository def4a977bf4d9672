#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/log.h"
#include "proxyd/chat_peek.h"
#include "proxyd/chats.h"
#include "proxyd/proxyd.h"
#include "proxyd/run_ask_old.h"
#include "proxyd/run_list.h"
#include "proxyd/upstream_socket.h"

struct run_ask_old {
	const struct run_ask_old_ops *ops;
	void *arg;
	struct upstream_socket *socket;
	bool is_open, is_asked;
	bool in_message;
	bool skips;	       /* what is left of the message */
	struct chat_peek peek; /* at it, */
	struct evbuffer *text; /* and what came of it */
	struct run_list list;
};

static void
ask(struct run_ask_old *old)
{
	static const char question[] = "{\"type\":\"get-active-sessions\"}";

	old->is_asked = false;
	upstream_socket_send(
	    old->socket, WS_TEXT, true, question, strlen(question));
}

static void
on_opened(void *arg, const char *protocol)
{
	struct run_ask_old *old = arg;

	(void)protocol;
	old->is_open = true;
	if (old->is_asked)
		ask(old);
}

static void
on_failed(void *arg, enum upstream_socket_failure failure)
{
	static const char *const reasons[] = {
		[UPSTREAM_SOCKET_UNREACHABLE] = "the web app went away",
		[UPSTREAM_SOCKET_TIMEOUT] = "no answer in time",
		[UPSTREAM_SOCKET_MALFORMED] = "no web app that is known",
		[UPSTREAM_SOCKET_REFUSED] = "no web app that is known",
	};
	struct run_ask_old *old = arg;

	if (failure == UPSTREAM_SOCKET_UNAUTHORIZED)
		old->ops->refused(old->arg);
	else
		old->ops->closed(old->arg, reasons[failure]);
	run_ask_old_free(old);
}

/*
 * Keep a part of what may be the answer: other messages, which may be many
 * and long, are known by their type, or get too long.
 */
static void
keep(struct run_ask_old *old, const void *data, size_t len)
{
	chat_peek_feed(&old->peek, data, len);
	if (evbuffer_get_length(old->text) + len > RUN_LIST_TEXT_MAX ||
	    (old->peek.type[0] != '\0' &&
		strcmp(old->peek.type, "active-sessions") != 0)) {
		old->skips = true;
		(void)evbuffer_drain(old->text, evbuffer_get_length(old->text));
	} else if (len > 0 && evbuffer_add(old->text, data, len) == -1)
		fatal("runs");
}

static void
on_part(void *arg, enum ws_type type, const void *data, size_t len, bool fin)
{
	struct run_ask_old *old = arg;

	(void)type;
	if (!old->in_message) {
		chat_peek_start(&old->peek);
		old->skips = false;
	}
	old->in_message = !fin;
	if (!old->skips)
		keep(old, data, len);
	if (!fin || old->skips)
		return;
	if (run_list_read_old(&old->list, old->text) == 0)
		old->ops->answered(old->arg, &old->list);
	(void)evbuffer_drain(old->text, evbuffer_get_length(old->text));
}

static void
on_closed(void *arg, uint16_t code, const char *reason, bool clean)
{
	struct run_ask_old *old = arg;

	(void)code;
	(void)reason;
	(void)clean;
	old->ops->closed(old->arg, "the web app closed our socket");
	run_ask_old_free(old);
}

static const struct upstream_socket_ops socket_ops = {
	.opened = on_opened,
	.failed = on_failed,
	.part = on_part,
	.closed = on_closed,
};

struct run_ask_old *
run_ask_old_open(struct proxyd *p, const char *jwt,
    const struct run_ask_old_ops *ops, void *arg)
{
	struct run_ask_old *old = calloc(1, sizeof(*old));

	if (old == NULL || (old->text = evbuffer_new()) == NULL)
		fatal("runs");
	old->ops = ops;
	old->arg = arg;
	old->socket = upstream_socket_open(p->child.base, &p->conf,
	    CHATS_TARGET, jwt, NULL, 0, &socket_ops, old);
	return old;
}

void
run_ask_old_free(struct run_ask_old *old)
{
	if (old == NULL)
		return;
	upstream_socket_free(old->socket);
	evbuffer_free(old->text);
	free(old);
}

void
run_ask_old_ask(struct run_ask_old *old)
{
	old->is_asked = true;
	if (old->is_open)
		ask(old);
}
