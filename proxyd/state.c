#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "proxyd/chats.h"
#include "proxyd/health.h"
#include "proxyd/proxyd.h"
#include "proxyd/runs.h"
#include "proxyd/sessions.h"
#include "proxyd/state.h"
#include "proxyd/transactions.h"
#include "proxyd/tunnels.h"
#include "proxyd/upstream.h"

void
state_fill(void *proxyd, struct status *s)
{
	const struct proxyd *p = proxyd;
	const struct proxyd_counts *n = &p->counts;
	const struct {
		enum status_id id;
		uint64_t value;
	} numbers[] = {
		{ STATUS_PROXYD_TUNNELS, tunnels_count(p->tunnels) },
		{ STATUS_PROXYD_CHATS, chats_count(p->chats) },
		{ STATUS_PROXYD_SESSIONS, sessions_count(p->sessions) },
		{ STATUS_PROXYD_TRANSACTIONS,
		    transactions_count(p->transactions) },
		{ STATUS_PROXYD_BUFFERED, p->buffered },
		{ STATUS_PROXYD_HTTP_REQUESTS, n->requests },
		{ STATUS_PROXYD_HTTP_2XX, n->answers[2] },
		{ STATUS_PROXYD_HTTP_3XX, n->answers[3] },
		{ STATUS_PROXYD_HTTP_4XX, n->answers[4] },
		{ STATUS_PROXYD_HTTP_5XX, n->answers[5] },
		{ STATUS_PROXYD_HTTP_DENIED, n->denied },
		{ STATUS_PROXYD_HTTP_BUSY, n->busy },
		{ STATUS_PROXYD_HTTP_RATE, n->rate },
		{ STATUS_PROXYD_UPSTREAM_FAILED, n->upstream_failed },
		{ STATUS_PROXYD_BODY_BYTES, n->body_bytes },
		{ STATUS_PROXYD_TUNNELS_OPENED, n->tunnels_opened },
		{ STATUS_PROXYD_TUNNELS_REFUSED, n->tunnels_refused },
		{ STATUS_PROXYD_CHATS_OPENED, n->chats_opened },
		{ STATUS_PROXYD_CHATS_REFUSED, n->chats_refused },
		{ STATUS_PROXYD_MESSAGES_HELD, n->messages_held },
	};
	size_t i;

	status_set_text(s, STATUS_PROXYD_UPSTREAM, upstream_name(p->upstream));
	status_set_text(s, STATUS_PROXYD_UPSTREAM_STATE, health_text(p));
	status_set_text(s, STATUS_PROXYD_RUNS, runs_text(p->runs));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		status_set_number(s, numbers[i].id, numbers[i].value);
}
