#include <string.h>

#include <json-c/json.h>

#include "common/json.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/ws.h"
#include "proxyd/chat.h"
#include "proxyd/chat_parts.h"
#include "proxyd/chat_tap.h"
#include "proxyd/chats.h"
#include "proxyd/close_code.h"
#include "proxyd/proxyd.h"
#include "proxyd/sessions.h"
#include "proxyd/upstream_socket.h"

static void
on_opened(void *arg, const char *protocol)
{
	struct chat *c = arg;

	(void)protocol;
	if (c->state != CHAT_OPENING)
		return;
	c->state = CHAT_OPEN;
	c->used_ms = monotonic_ms();
	c->proxyd->counts.chats_opened++;
	chat_up_continue(c);
}

static void
socket_gone(struct chat *c)
{
	upstream_socket_free(c->socket);
	c->socket = NULL;
}

/* The JWT is no good at the upstream. */
static void
forget_session(const struct chat *c)
{
	struct sessions *sessions = c->proxyd->sessions;

	if (c->github_id == 0)
		sessions_forget_service(sessions);
	else
		sessions_forget(sessions, c->github_id, c->login);
}

static void
on_failed(void *arg, enum upstream_socket_failure failure)
{
	struct chat *c = arg;

	socket_gone(c);
	if (failure == UPSTREAM_SOCKET_UNAUTHORIZED)
		forget_session(c);
	else if (failure != UPSTREAM_SOCKET_REFUSED)
		c->proxyd->counts.upstream_failed++;
	chat_fail(
	    c, upstream_socket_reason(failure) + UPSTREAM_SOCKET_STATUS_SIZE);
}

static void
on_part(void *arg, enum ws_type type, const void *data, size_t len, bool fin)
{
	struct chat *c = arg;

	if (c->state == CHAT_OPEN)
		chat_down_part(c, type, data, len, fin);
}

static void
on_writable(void *arg)
{
	chat_up_continue(arg);
}

/* The upstream broke off: nobody said goodbye. */
static struct json_object *
make_lost(void)
{
	struct json_object *data = json_object_new_object();
	struct json_object *error = json_object_new_boolean(true);
	struct json_object *code = json_object_new_int(WS_CLOSE_ABNORMAL);

	if (data == NULL || error == NULL || code == NULL)
		fatalx("json: out of memory");
	json_add(data, "error", error);
	json_add(data, "code", code);
	json_add_string(data, "reason", "");
	json_add_string(data, "message", "the web app closed the connection");
	return data;
}

static void
on_closed(void *arg, uint16_t code, const char *reason, bool clean)
{
	struct chat *c = arg;
	char said[CLOSE_REASON_MAX + 1];

	(void)strlcpy(said, reason, sizeof(said));
	socket_gone(c);
	if (c->state == CHAT_OVER)
		c->changed(c->changed_arg, c);
	else if (!clean)
		chat_end(c, make_lost(), WS_CLOSE_NORMAL);
	else if (code == WS_CLOSE_NORMAL || code == WS_CLOSE_NO_STATUS)
		chat_close(c, WS_CLOSE_NORMAL, "Normal close", WS_CLOSE_NORMAL);
	else
		chat_close(c, code, said, WS_CLOSE_NORMAL);
}

static const struct upstream_socket_ops socket_ops = {
	.opened = on_opened,
	.failed = on_failed,
	.part = on_part,
	.writable = on_writable,
	.closed = on_closed,
};

void
chat_socket_open(struct chat *c, const char *jwt)
{
	struct proxyd *p = c->proxyd;

	c->state = CHAT_OPENING;
	c->open_until_ms = monotonic_ms() + CHAT_OPEN_MS;
	c->tap = chat_tap_new(p->runs);
	c->socket = upstream_socket_open(p->child.base, &p->conf, CHATS_TARGET,
	    jwt, NULL, 0, &socket_ops, c);
}

void
chat_socket_close(struct chat *c, uint16_t code)
{
	if (c->socket == NULL)
		return;
	/* Its goodbye is behind what is not read yet. */
	if (c->down.paused)
		upstream_socket_resume(c->socket);
	c->down.paused = false;
	if (!upstream_socket_close(c->socket, code, ""))
		socket_gone(c);
}
