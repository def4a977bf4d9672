#include "common/admin.h"
#include "common/audit.h"
#include "common/channel.h"
#include "tetherd/children_internal.h"

/* Whose decisions those are: nobody is to speak of the others'. */
static enum program
decider(enum audit_event event)
{
	switch (event) {
	case AUDIT_SIGN_IN:
	case AUDIT_OPERATOR:
	case AUDIT_TOKEN:
		return PROGRAM_AUTHD;
	case AUDIT_REQUEST:
	case AUDIT_TUNNEL:
	case AUDIT_MESSAGE:
	case AUDIT_ACTION:
		return PROGRAM_PROXYD;
	case AUDIT_EVENT_COUNT:
		break;
	}
	return PROGRAM_COUNT;
}

/* The last words of one that is dead count, too: it had decided. */
int
process_on_audit(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	struct audit_record record;

	if (audit_read(m, &record) == -1 || p->program != decider(record.event))
		return -1;
	c->ops->audit(c->arg, p->program, &record);
	return 0;
}

bool
children_ask_admin(
    struct children *c, uint64_t id, const struct admin_request *request)
{
	struct process *p = &c->process[PROGRAM_AUTHD];
	struct msg_out m;

	if (!process_listens(p))
		return false;
	msg_start(&m, MSG_ADMIN, id);
	admin_request_add(&m, request);
	channel_send(p->channel, &m, -1);
	return true;
}

int
process_on_admin_user(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	struct admin_user user;

	if (admin_user_read(m, &user) == -1)
		return -1;
	if (process_is_leaving(p))
		return 0;
	return c->ops->admin_user(c->arg, m->id, &user);
}

int
process_on_admin_token(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	struct admin_token token;

	if (admin_token_read(m, &token) == -1)
		return -1;
	if (process_is_leaving(p))
		return 0;
	return c->ops->admin_token(c->arg, m->id, &token);
}

int
process_on_admin_done(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	struct admin_done done;

	if (admin_done_read(m, &done) == -1)
		return -1;
	if (process_is_leaving(p))
		return 0;
	return c->ops->admin_done(c->arg, m->id, &done);
}
