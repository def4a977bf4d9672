#include "common/timer.h"
#include "proxyd/chats.h"
#include "proxyd/intake.h"
#include "proxyd/leave.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/transactions.h"
#include "proxyd/tunnels.h"

static struct channel *
connector(const struct proxyd *p)
{
	return p->child.peers[PROGRAM_CONNECTOR];
}

/* Nobody waits for an answer of ours, or could get one. */
static bool
all_is_answered(const struct proxyd *p)
{
	return connector(p) == NULL ||
	       (p->leave.noted && transactions_count(p->transactions) == 0 &&
		   outbox_is_empty(p->outbox));
}

/*
 * The close frames of tunnels and chats are not out before the event loop had
 * its turn, and an upstream may never answer them.
 */
void
leave_check(struct proxyd *p)
{
	if (!p->child.stopping || !all_is_answered(p))
		return;
	if (tunnels_count(p->tunnels) == 0 && chats_are_gone(p->chats))
		child_exit(&p->child);
	else if (!p->leave.goodbye) {
		p->leave.goodbye = true;
		timer_set(p->timer, LEAVE_GOODBYE_MS);
	}
}

void
leave_begin(struct proxyd *p)
{
	if (connector(p) != NULL) {
		timer_set(p->timer, LEAVE_MS);
		channel_send_empty(connector(p), MSG_LEAVE, 0);
		return;
	}
	tunnels_drain(p->tunnels);
	chats_drain(p->chats);
	leave_check(p);
}

int
leave_on_noted(struct proxyd *p, struct msg *m)
{
	(void)m;
	if (!p->child.stopping || p->leave.noted)
		return -1;
	p->leave.noted = true;
	intake_drain(p->intake);
	tunnels_leave(p->tunnels);
	chats_leave(p->chats);
	leave_check(p);
	return 0;
}
