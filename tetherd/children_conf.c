
#include "common/child.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/status.h"
#include "tetherd/children_internal.h"
#include "tetherd/conf.h"
#include "tetherd/process.h"

/* -1: nobody asked, or it was answered already. */
static int
asked_answer(struct asked *a, uint64_t id)
{
	if (id <= a->answered || id > a->last)
		return -1;
	a->answered = id;
	return 0;
}

bool
process_is_leaving(const struct process *p)
{
	return p->dead || p->state == CHILD_STOPPING;
}

bool
process_is_behind(const struct process *p)
{
	return p->staged != 0 && p->staged == p->children->conf_id;
}

void
children_stage(struct children *c, const struct conf *conf, uint64_t id)
{
	struct process *p;
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++) {
		p = &c->process[children_lasting[i]];
		if (!process_listens(p))
			continue;
		p->staged = p->confs.last = id;
		conf_send(conf, p->program, p->channel, id);
	}
}

void
children_drop(struct children *c, uint64_t id)
{
	struct process *p;
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++) {
		p = &c->process[children_lasting[i]];
		if (p->staged != id)
			continue;
		p->staged = 0;
		if (process_listens(p))
			channel_send_empty(p->channel, MSG_CONF_DROP, id);
	}
}

void
children_set_conf(struct children *c, const struct conf *conf, uint64_t id)
{
	c->conf = conf;
	c->conf_id = id;
}

static void
process_switched(struct process *p)
{
	struct children *c = p->children;
	uint64_t id = p->switching;

	p->switching = 0;
	p->conf_id = id;
	c->ops->conf_switched(c->arg, p->program, id);
}

void
children_switch(struct children *c, enum program program, uint64_t id,
    uint32_t flags, bool anew)
{
	struct process *p = &c->process[program];
	struct msg_out m;

	p->switching = id;
	if (program == PROGRAM_CONNECTOR)
		c->stays_away = false;
	/* It died meanwhile: it has the new one, or is about to get it. */
	if (!p->configured || p->conf_id == id) {
		if (p->state == CHILD_RUNNING)
			process_switched(p);
		return;
	}
	if (anew || p->staged != id || !process_listens(p)) {
		log_infox("%s: its settings changed; restarting it",
		    program_name(program));
		p->start_again = true;
		process_stop(p);
		return;
	}
	p->staged = 0;
	msg_start(&m, MSG_CONF_SWITCH, id);
	msg_add_u32(&m, flags);
	channel_send(p->channel, &m, -1);
}

void
children_give_up(struct children *c, enum program program)
{
	struct process *p = &c->process[program];

	p->switching = 0;
	if (p->pid != 0)
		process_kill(p->pidfd);
}

int
process_on_conf_switched(void *arg, struct msg *m)
{
	struct process *p = arg;

	if (process_is_leaving(p))
		return 0;
	if (p->switching == 0 || m->id != p->switching)
		return -1;
	process_switched(p);
	return 0;
}

/* It was started with the new one. */
void
process_conf_on_ready(struct process *p)
{
	if (p->switching != 0)
		process_switched(p);
}

/* An answer for a reload that is over is late, and no more than that. */
int
process_on_conf_accepted(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	uint32_t flags = msg_get_u32(m);

	if (!msg_end(m) || (flags & ~(uint32_t)CONF_FLAGS_KNOWN) != 0)
		return -1;
	if (process_is_leaving(p))
		return 0;
	if (asked_answer(&p->confs, m->id) == -1)
		return -1;
	if (m->id == p->staged)
		c->ops->conf_accepted(c->arg, p->program, m->id, flags);
	return 0;
}

/* Before READY: it cannot even start with what it was given. */
static int
process_on_start_refused(struct process *p, uint64_t id, const char *why)
{
	if (id != 0 || p->refused)
		return -1;
	log_warnx(
	    "%s refuses its configuration: %s", program_name(p->program), why);
	p->refused = true;
	if (!p->dead)
		process_kill(p->pidfd);
	return 0;
}

int
process_on_conf_refused(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	char why[CHILD_WHY_SIZE + 32];

	msg_get_str(m, why, sizeof(why));
	if (!msg_end(m))
		return -1;
	log_safe(why, sizeof(why), why);
	if (p->state == CHILD_STARTING)
		return process_on_start_refused(p, m->id, why);
	if (process_is_leaving(p))
		return 0;
	if (asked_answer(&p->confs, m->id) == -1)
		return -1;
	if (m->id == p->staged)
		c->ops->conf_refused(c->arg, p->program, m->id, why);
	return 0;
}

unsigned
children_ask_status(struct children *c, uint64_t id)
{
	struct process *p;
	unsigned n = 0;
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++) {
		p = &c->process[children_lasting[i]];
		if (!process_listens(p))
			continue;
		p->statuses.last = id;
		channel_send_empty(p->channel, MSG_STATUS_GET, id);
		n++;
	}
	return n;
}

int
process_on_status(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	struct status *status;
	int rc;

	if (process_is_leaving(p))
		return 0;
	if (asked_answer(&p->statuses, m->id) == -1)
		return -1;
	status = status_new(p->program);
	rc = status_read(m, status);
	if (rc == 0)
		c->ops->status(c->arg, p->program, m->id, status);
	status_free(status);
	return rc;
}

/*
 * What it needs is beyond its reach, but not beyond its successor's.  That
 * counts as a death, so that it does not go on for ever.
 */
int
process_on_restart(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	const char *name = program_name(p->program);
	char why[1024];
	bool owner = msg_get_u8(m) != 0;

	msg_get_str(m, why, sizeof(why));
	if (!msg_end(m))
		return -1;
	if (process_is_leaving(p) || c->stopping)
		return 0;
	if (p->state != CHILD_RUNNING)
		return -1;
	if (!c->ops->restart(c->arg, p->program, owner))
		return 0;
	log_warnx(
	    "%s: restarting it: %s", name, log_safe(why, sizeof(why), why));
	if (process_died_too_often(p)) {
		log_warnx(
		    "%s wants to be restarted too often: giving up", name);
		children_fail(c);
		return 0;
	}
	p->start_again = true;
	process_stop(p);
	return 0;
}
