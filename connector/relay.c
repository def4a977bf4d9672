#include "common/log.h"
#include "common/monotonic.h"
#include "common/ws.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/relay.h"

bool
relay_allows(const struct connector *c, const struct msg *m)
{
	return !c->relay.is_open || relay_has(c, m->type, m->id);
}

bool
relay_has(const struct connector *c, enum msg_type type, uint64_t number)
{
	return c->relay.is_open && c->relay.type == type &&
	       c->relay.number == number;
}

bool
relay_is_stalled(const struct connector *c)
{
	const struct ws *ws = connection_ws(c->connection);

	return c->relay.is_open && ws != NULL && ws_is_writable(ws) &&
	       monotonic_ms() - c->relay.heard_ms >= RELAY_STALL_MS;
}

void
relay_resume(struct connector *c)
{
	c->relay.heard_ms = monotonic_ms();
	channel_resume(c->child.peers[PROGRAM_PROXYD]);
}

void
relay_send(struct connector *c, const struct msg *m)
{
	struct ws *ws = connection_ws(c->connection);
	bool more = (m->flags & MSG_FLAG_MORE) != 0;

	if (ws_send_fragment(ws, WS_TEXT, !more, m->data, m->len) == -1)
		log_warnx("part of a message not sent");
	c->relay = (struct relay){ more, m->type, m->id, monotonic_ms() };
	if (!ws_is_writable(ws))
		channel_pause(c->child.peers[PROGRAM_PROXYD]);
}

void
relay_cut(struct connector *c, enum msg_type type)
{
	struct ws *ws = connection_ws(c->connection);

	if (!c->relay.is_open || c->relay.type != type)
		return;
	if (ws != NULL && ws_send_fragment(ws, WS_TEXT, true, "", 0) == -1)
		log_warnx("message not ended");
	relay_forget(c);
}

void
relay_forget(struct connector *c)
{
	c->relay.is_open = false;
}
