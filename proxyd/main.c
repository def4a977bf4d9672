#include <malloc.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "proxyd/activity.h"
#include "proxyd/bounds.h"
#include "proxyd/chats.h"
#include "proxyd/deny.h"
#include "proxyd/handles.h"
#include "proxyd/intake.h"
#include "proxyd/leave.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/rates.h"
#include "proxyd/reload.h"
#include "proxyd/runs.h"
#include "proxyd/sessions.h"
#include "proxyd/state.h"
#include "proxyd/transactions.h"
#include "proxyd/tunnels.h"
#include "proxyd/upstream.h"
#include "proxyd/user_auth.h"

/* How long answers wait for a connector that takes over from a dead one. */
#define HAND_OVER_MS 30000

/* Bytes of requests and answers that are worth a look at the heap later. */
#define TRIM_BYTES (4 * 1024 * 1024)

/*
 * Many bodies leave the heap full of holes, which malloc keeps: once all are
 * gone their pages go back to the system.
 */
static void
trim(struct proxyd *p, size_t was_buffered)
{
	if (was_buffered >= TRIM_BYTES)
		p->trim_is_due = true;
	if (!p->trim_is_due || p->buffered > 0)
		return;
	p->trim_is_due = false;
	(void)malloc_trim(0);
}

static void
clear_all(struct proxyd *p)
{
	size_t buffered = p->buffered;

	intake_clear(p->intake);
	transactions_clear(p->transactions);
	tunnels_clear(p->tunnels);
	chats_clear(p->chats);
	outbox_clear(p->outbox);
	trim(p, buffered);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct proxyd *p = arg;

	(void)fd;
	(void)what;
	clear_all(p);
	if (p->child.stopping)
		child_exit(&p->child);
}

static int
on_link_up(void *arg, struct msg *m)
{
	struct proxyd *p = arg;

	if (link_up_read(m, &p->link) == -1)
		return -1;
	p->link_is_up = true;
	if (!p->child.stopping)
		event_del(p->timer);
	/* What a connector left behind when it died, and nothing else. */
	transactions_adopt(p->transactions);
	outbox_adopt(p->outbox);
	outbox_continue(p->outbox);
	activity_tell(p);
	runs_on_link(p->runs);
	return 0;
}

static int
on_link_down(void *arg, struct msg *m)
{
	struct proxyd *p = arg;

	(void)m;
	p->link_is_up = false;
	clear_all(p);
	runs_on_link(p->runs);
	leave_check(p);
	return 0;
}

static int
on_chunk(void *arg, struct msg *m)
{
	struct proxyd *p = arg;

	return intake_on_chunk(p->intake, m);
}

static int
on_answer_sent(void *arg, struct msg *m)
{
	struct proxyd *p = arg;
	size_t buffered = p->buffered;

	outbox_on_sent(p->outbox, m->id);
	trim(p, buffered);
	leave_check(p);
	return 0;
}

static void
on_connector_writable(void *arg, struct channel *ch)
{
	struct proxyd *p = arg;

	(void)ch;
	outbox_continue(p->outbox);
	tunnels_continue(p->tunnels);
	chats_continue(p->chats);
}

static void
on_none(void *arg)
{
	leave_check(arg);
}

static void
on_use(void *arg)
{
	struct proxyd *p = arg;

	activity_update(p);
	runs_on_use(p->runs);
}

static int
on_session(void *arg, struct msg *m)
{
	struct proxyd *p = arg;

	return user_auth_owns(m->id) ? user_auth_on_session(p->user_auth, m)
				     : sessions_on_session(p->sessions, m);
}

static int
on_session_flush(void *arg, struct msg *m)
{
	struct proxyd *p = arg;

	(void)m;
	sessions_flush(p->sessions);
	chats_on_flush(p->chats);
	return 0;
}

static int
on_handle(void *arg, struct msg *m)
{
	struct proxyd *p = arg;

	return handles_on_handle(p->handles, m);
}

static int
on_handle_owner(void *arg, struct msg *m)
{
	struct proxyd *p = arg;

	return handles_on_owner(p->handles, m);
}

static void
on_peer_attached(void *arg, enum program peer)
{
	struct proxyd *p = arg;

	if (peer == PROGRAM_CONNECTOR)
		activity_tell(p);
	if (peer != PROGRAM_AUTHD)
		return;
	sessions_on_authd(p->sessions);
	handles_on_authd(p->handles);
	user_auth_on_authd(p->user_auth);
	chats_on_flush(p->chats);
	runs_on_settings(p->runs);
}

static void
on_peer_lost(void *arg, enum program peer)
{
	struct proxyd *p = arg;

	if (peer != PROGRAM_CONNECTOR)
		return;
	p->link_is_up = false;
	intake_clear(p->intake);
	tunnels_clear(p->tunnels);
	chats_clear(p->chats);
	outbox_rewind(p->outbox);
	runs_on_link(p->runs);
	if (p->child.stopping)
		leave_check(p);
	else
		timer_set(p->timer, HAND_OVER_MS);
}

static void
on_shutdown(void *arg)
{
	leave_begin(arg);
}

static int
on_leave_noted(void *arg, struct msg *m)
{
	return leave_on_noted(arg, m);
}

static void
on_log_status(void *arg)
{
	struct proxyd *p = arg;

	log_infox("status: upstream %s, %zu requests under way, %zu tunnels, "
		  "%zu chat sessions, %s, runs: %s, %zu sessions, "
		  "%zu bytes buffered",
	    upstream_name(p->upstream), transactions_count(p->transactions),
	    tunnels_count(p->tunnels), chats_count(p->chats),
	    activity_name(p->activity), runs_text(p->runs),
	    sessions_count(p->sessions), p->buffered);
}

static const struct channel_ops connector_ops = {
	.handlers = {
		[MSG_LINK_UP] = on_link_up,
		[MSG_LINK_DOWN] = on_link_down,
		[MSG_REQUEST] = on_chunk,
		[MSG_USER_REQUEST] = on_chunk,
		[MSG_ANSWER_SENT] = on_answer_sent,
		[MSG_LEAVE_NOTED] = on_leave_noted,
	},
	.writable = on_connector_writable,
};

static const struct channel_ops authd_ops = {
	.handlers = {
		[MSG_SESSION] = on_session,
		[MSG_SESSION_FLUSH] = on_session_flush,
		[MSG_HANDLE] = on_handle,
		[MSG_HANDLE_OWNER] = on_handle_owner,
	},
};

static const struct child_ops child_ops = {
	.peers = {
		[PROGRAM_CONNECTOR] = &connector_ops,
		[PROGRAM_AUTHD] = &authd_ops,
	},
	.peer_attached = on_peer_attached,
	.peer_lost = on_peer_lost,
	.shutdown = on_shutdown,
	.log_status = on_log_status,
	.status = state_fill,
	.conf_check = reload_check,
	.conf_switch = reload_switch,
};

int
main(int argc, char **argv)
{
	struct proxyd p = { 0 };
	const char *why;

	/* Bodies go back to the system when they are done with, instead of
	 * raising malloc's idea of how large a heap is normal. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);

	child_start(&p.child, PROGRAM_PROXYD, argc, argv);
	child_configure(&p.child, &slice_proxyd, &p.conf);
	if ((why = reload_check(&p, &p.conf, NULL)) != NULL)
		child_refuse(&p.child, why);
	p.deny = deny_new(&p.conf);
	p.upstream = upstream_new(p.child.base, &p.conf);
	p.rates = rates_new(&p.conf);
	p.sessions = sessions_new(&p);
	p.handles = handles_new(&p);
	p.outbox = outbox_new(&p);
	p.transactions = transactions_new(&p);
	p.tunnels = tunnels_new(&p);
	tunnels_on_none(p.tunnels, on_none, &p);
	tunnels_on_use(p.tunnels, on_use, &p);
	p.runs = runs_new(&p);
	p.chats = chats_new(&p);
	chats_on_none(p.chats, on_none, &p);
	chats_on_use(p.chats, on_use, &p);
	p.user_auth = user_auth_new(&p);
	p.intake = intake_new(&p);
	p.timer = evtimer_new(p.child.base, on_timer, &p);
	if (p.timer == NULL)
		fatalx("no timer");
	if ((why = bounds_set(&p)) != NULL)
		child_refuse(&p.child, why);
	/* The one before was told so when it still ran. */
	if (p.child.conf_id != 0)
		log_infox("upstream is %s now", upstream_name(p.upstream));
	child_run(&p.child, &child_ops, &p);
	intake_free(p.intake);
	tunnels_on_use(p.tunnels, NULL, NULL);
	chats_free(p.chats);
	user_auth_free(p.user_auth);
	tunnels_free(p.tunnels);
	runs_free(p.runs);
	transactions_free(p.transactions);
	outbox_free(p.outbox);
	handles_free(p.handles);
	sessions_free(p.sessions);
	rates_free(p.rates);
	upstream_free(p.upstream);
	deny_free(p.deny);
	event_free(p.timer);
	slice_free_proxyd(&p.conf);
	child_finish(&p.child);
	return 0;
}
