#include "proxyd/activity.h"
#include "proxyd/chats.h"
#include "proxyd/proxyd.h"
#include "proxyd/runs.h"
#include "proxyd/tunnels.h"

static void
tell(struct proxyd *p)
{
	struct msg_out m;

	msg_start(&m, MSG_ACTIVITY, 0);
	activity_add(&m, p->activity);
	(void)child_send(&p->child, PROGRAM_CONNECTOR, &m);
}

void
activity_tell(struct proxyd *p)
{
	/* What ran when a forerunner of ours died may go on. */
	if (p->activity != ACTIVITY_IDLE || runs_are_known(p->runs))
		tell(p);
}

void
activity_update(struct proxyd *p)
{
	enum activity_status now = ACTIVITY_IDLE;

	if (runs_any(p->runs))
		now = ACTIVITY_BUSY;
	else if (tunnels_in_use(p->tunnels) + chats_in_use(p->chats) > 0)
		now = ACTIVITY_ACTIVE;
	if (now == p->activity)
		return;
	p->activity = now;
	tell(p);
}
