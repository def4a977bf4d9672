#include "common/admin.h"
#include "common/audit.h"
#include "common/channel.h"
#include "tetherd/children_internal.h"

/* The last words of one that is dead count, too: it had decided. */
int
process_on_audit(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	struct audit_record record;

	if (p->program != PROGRAM_PROXYD && p->program != PROGRAM_AUTHD)
		return -1;
	if (audit_read(m, &record) == -1)
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
