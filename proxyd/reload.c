#include <string.h>

#include "common/log.h"
#include "proxyd/bounds.h"
#include "proxyd/chats.h"
#include "proxyd/deny.h"
#include "proxyd/health.h"
#include "proxyd/proxyd.h"
#include "proxyd/reload.h"
#include "proxyd/runs.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnels.h"
#include "proxyd/upstream.h"

const char *
reload_check(void *proxyd, const void *next, uint32_t *flags)
{
	const struct proxyd *p = proxyd;
	const char *why = upstream_check(next);

	if (why == NULL && flags != NULL && bounds_exclude(&p->conf, next))
		*flags |= CONF_RESTART;
	return why;
}

void
reload_switch(void *proxyd, void *next, uint32_t flags)
{
	struct proxyd *p = proxyd;

	(void)flags;
	/* All but these two is looked up whenever it matters. */
	slice_free_proxyd(&p->conf);
	memcpy(&p->conf, next, sizeof(p->conf));
	deny_free(p->deny);
	p->deny = deny_new(&p->conf);
	tunnels_close_denied(p->tunnels);
	chats_on_settings(p->chats);
	/* authd says so, too, but not before the next request may come. */
	sessions_flush(p->sessions);
	chats_on_flush(p->chats);
	if (!upstream_change(p->upstream, &p->conf)) {
		runs_on_settings(p->runs);
		return;
	}
	log_infox("upstream is %s now", upstream_name(p->upstream));
	health_forget(p);
	tunnels_move(p->tunnels);
	chats_move(p->chats);
	runs_on_upstream(p->runs);
}
