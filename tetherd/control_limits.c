#include "common/channel.h"
#include "common/status.h"
#include "tetherd/audit.h"
#include "tetherd/conf.h"
#include "tetherd/control_limits.h"
#include "tetherd/control_row.h"
#include "tetherd/reload.h"

/* Nobody counts how much of it is in use. */
#define NO_GAUGE STATUS_ID_COUNT

struct limit {
	const char *name;
	enum control_kind kind;
	uint64_t value;
	enum status_id gauge;
	bool adjustable; /* by tetherd.conf */
};

static void
send_limit(struct channel *ch, const struct limit *l, const uint64_t *in_use)
{
	struct msg_out m;

	control_row_start(&m);
	control_row_text(&m, "limit", l->name);
	control_row_number(&m, "value", l->kind, l->value);
	if (in_use == NULL)
		control_row_none(&m, "in use");
	else
		control_row_number(&m, "in use", l->kind, *in_use);
	control_row_number(&m, "adjustable", CONTROL_KIND_FLAG, l->adjustable);
	channel_send(ch, &m, -1);
}

static void
send_gauged(struct channel *ch, const struct limit *l,
    const struct status *const *values)
{
	const struct status *s = NULL;
	uint64_t in_use;

	if (l->gauge != NO_GAUGE)
		s = values[status_rows[l->gauge].program];
	if (s != NULL)
		in_use = status_number(s, l->gauge);
	send_limit(ch, l, s == NULL ? NULL : &in_use);
}

void
control_limits_send(const struct conf *conf, const struct status *const *values,
    unsigned clients, struct channel *ch)
{
	const enum control_kind number = CONTROL_KIND_NUMBER,
				bytes = CONTROL_KIND_BYTES,
				ms = CONTROL_KIND_MS;
	const struct proxyd_conf *p = &conf->proxyd;
	const struct limit own = { "control clients", number,
		CONTROL_CLIENTS_MAX, NO_GAUGE, false };
	const struct limit limits[] = {
		{ "requests", number, p->requests_max,
		    STATUS_PROXYD_TRANSACTIONS, true },
		{ "request time", ms, p->total_ms, NO_GAUGE, true },
		{ "connect time", ms, p->connect_ms, NO_GAUGE, true },
		{ "body", bytes, p->body_max, NO_GAUGE, true },
		{ "memory", bytes, p->buffered_max, STATUS_PROXYD_BUFFERED,
		    true },
		{ "message", bytes, conf->connector.message_max, NO_GAUGE,
		    true },
		{ "tunnels", number, p->tunnels_max, STATUS_PROXYD_TUNNELS,
		    true },
		{ "tunnels per user", number, p->tunnels_user_max, NO_GAUGE,
		    true },
		{ "chat sessions", number, p->chats_max, STATUS_PROXYD_CHATS,
		    true },
		{ "chat idle time", ms, p->chat_idle_ms, NO_GAUGE, true },
		{ "headers", number, p->headers_max, NO_GAUGE, true },
		{ "header size", bytes, p->headers_size_max, NO_GAUGE, true },
		{ "json depth", number, p->json_depth, NO_GAUGE, true },
		{ "requests per second", number, p->requests_rate, NO_GAUGE,
		    true },
		{ "tunnels per minute", number, p->tunnels_rate, NO_GAUGE,
		    true },
		{ "failures per minute", number, p->failures_rate, NO_GAUGE,
		    true },
		{ "reload time", ms, RELOAD_TIMEOUT_MS, NO_GAUGE, false },
		{ "secret file", bytes, CONF_SECRET_MAX, NO_GAUGE, false },
		{ "other file", bytes, CONF_FILE_MAX, NO_GAUGE, false },
		{ "audit records per second", number, AUDIT_RATE, NO_GAUGE,
		    false },
	};
	uint64_t in_use = clients;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		send_gauged(ch, &limits[i], values);
	send_limit(ch, &own, &in_use);
}
