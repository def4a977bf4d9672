#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "tetherd/children_internal.h"
#include "tetherd/process.h"
#include "tetherd/relay.h"

/* When all are to stop, what is left then is killed: promised are 5 s. */
#define STOP_ALL_MS 4500

const enum program children_lasting[CHILDREN_LASTING] = { PROGRAM_AUTHD,
	PROGRAM_PROXYD, PROGRAM_CONNECTOR };

static void children_on_stop_timer(int, short, void *);

struct children *
children_new(struct event_base *base, const struct conf *conf,
    const struct children_ops *ops, void *arg)
{
	struct children *c = calloc(1, sizeof(*c));
	size_t i;

	if (c == NULL)
		fatal("children");
	c->base = base;
	c->conf = conf;
	c->ops = ops;
	c->arg = arg;
	c->stop_timer = evtimer_new(base, children_on_stop_timer, c);
	if (c->stop_timer == NULL)
		fatalx("children: no timer");
	for (i = 0; i < CHILDREN_LASTING; i++)
		process_init(
		    &c->process[children_lasting[i]], c, children_lasting[i]);
	return c;
}

void
children_free(struct children *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < CHILDREN_LASTING; i++)
		process_free(&c->process[children_lasting[i]]);
	event_free(c->stop_timer);
	free(c);
}

void
children_start(struct children *c)
{
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++)
		process_start(&c->process[children_lasting[i]]);
}

bool
children_reap(struct children *c, pid_t pid, int status)
{
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++) {
		if (c->process[children_lasting[i]].pid == pid) {
			process_on_death(
			    &c->process[children_lasting[i]], status);
			return true;
		}
	}
	return false;
}

bool
children_all_run(const struct children *c)
{
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++)
		if (!process_listens(&c->process[children_lasting[i]]))
			return false;
	return !c->stopping;
}

/* All but the connector once that is gone. */
void
children_continue_stop(struct children *c)
{
	size_t i;

	if (c->process[PROGRAM_CONNECTOR].state != CHILD_STOPPED)
		return;
	for (i = 0; i < CHILDREN_LASTING; i++)
		process_stop(&c->process[children_lasting[i]]);
	for (i = 0; i < CHILDREN_LASTING; i++)
		if (c->process[children_lasting[i]].state != CHILD_STOPPED)
			return;
	c->ops->all_stopped(c->arg, c->failed);
}

static void
children_on_stop_timer(int fd, short what, void *arg)
{
	struct children *c = arg;
	struct process *p;
	size_t i;

	(void)fd;
	(void)what;
	for (i = 0; i < CHILDREN_LASTING; i++) {
		p = &c->process[children_lasting[i]];
		if (p->pid == 0)
			continue;
		log_warnx("%s[%d]: not stopped in time; killed",
		    program_name(p->program), (int)p->pid);
		process_kill(p->pidfd);
	}
}

void
children_stop(struct children *c)
{
	if (c->stopping)
		return;
	c->stopping = true;
	timer_set(c->stop_timer, STOP_ALL_MS);
	process_stop(&c->process[PROGRAM_CONNECTOR]);
	children_continue_stop(c);
}

void
children_give_up_all(struct children *c)
{
	children_fail(c);
}

void
children_fail(struct children *c)
{
	if (c->stopping)
		return;
	c->failed = true;
	children_stop(c);
}

void
children_send(struct children *c, enum program program, enum msg_type type)
{
	struct process *p = &c->process[program];

	if (!process_listens(p))
		return;
	if (type == MSG_DISCONNECT || type == MSG_RECONNECT)
		c->stays_away = type == MSG_DISCONNECT;
	channel_send_empty(p->channel, type, 0);
}

void
children_send_all(struct children *c, enum msg_type type)
{
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++)
		children_send(c, children_lasting[i], type);
}

void
children_dialed(struct children *c, enum program program, uint64_t id, int fd,
    const char *text)
{
	struct process *p = &c->process[program];
	enum msg_type good = MSG_DIALED, bad = MSG_DIAL_FAILED;
	struct msg_out m;

	if (!process_listens(p)) {
		if (fd != -1)
			close(fd);
		return;
	}
	if (program == PROGRAM_AUTHD) {
		good = MSG_GITHUB_DIALED;
		bad = MSG_GITHUB_DIAL_FAILED;
	}
	msg_start(&m, fd == -1 ? bad : good, id);
	msg_add_str(&m, text);
	channel_send(p->channel, &m, fd);
}

static void
process_set_log_level(struct process *p, enum log_level level)
{
	struct msg_out m;

	p->log_level = level;
	if (p->relay != NULL)
		relay_set_level(p->relay, level);
	if (!process_listens(p))
		return;
	msg_start(&m, MSG_LOG_LEVEL, 0);
	msg_add_u32(&m, level);
	channel_send(p->channel, &m, -1);
}

void
children_set_log_level(
    struct children *c, enum program program, enum log_level level)
{
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++)
		if (program == PROGRAM_COUNT || program == children_lasting[i])
			process_set_log_level(
			    &c->process[children_lasting[i]], level);
}

bool
children_info(
    const struct children *c, enum program program, struct child_info *info)
{
	const struct process *p;
	struct timespec now;
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++)
		if (program == children_lasting[i])
			break;
	if (i == CHILDREN_LASTING)
		return false;
	p = &c->process[program];
	clock_gettime(CLOCK_MONOTONIC, &now);
	info->pid = p->pid;
	info->state = process_state(p);
	info->uptime = p->pid == 0 ? 0 : (uint64_t)(now.tv_sec - p->started);
	info->lost = p->ndeaths;
	info->log_level = p->log_level;
	return true;
}

void
children_log_status(const struct children *c)
{
	const struct process *p;
	size_t i;

	for (i = 0; i < CHILDREN_LASTING; i++) {
		p = &c->process[children_lasting[i]];
		log_infox("status: %s: %s, pid %d, lost %u times",
		    program_name(p->program), process_state(p), (int)p->pid,
		    p->ndeaths);
	}
}
