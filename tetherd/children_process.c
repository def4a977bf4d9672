#include <sys/socket.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/child.h"
#include "common/log.h"
#include "common/timer.h"
#include "tetherd/children_internal.h"
#include "tetherd/conf.h"
#include "tetherd/process.h"
#include "tetherd/relay.h"

/* One that does not stop by itself in this time is killed. */
#define STOP_MS 4000

/* One that is followed by another has time to answer what it has. */
#define RESTART_MS 8000

/* So does one that closed its channel, and nothing else, in this time. */
#define END_MS 1000

/*
 * Who broke the rules only the other side can tell, true or not.  So many
 * times in its life one is believed; with the last one it has to go itself, so
 * that it can not kill others until tetherd gives up.
 */
#define ACCUSATIONS_MAX 3

/* A fork that failed is tried again after this time. */
#define SPAWN_AGAIN_MS 1000

/* Who talks to whom, besides the parent with everybody. */
static const struct link {
	enum program a;
	enum program b;
} links[] = {
	{ PROGRAM_CONNECTOR, PROGRAM_PROXYD },
	{ PROGRAM_CONNECTOR, PROGRAM_AUTHD },
	{ PROGRAM_PROXYD, PROGRAM_AUTHD },
};
#define NLINKS (sizeof(links) / sizeof(links[0]))

static int process_on_hello(void *, struct msg *);
static int process_on_ready(void *, struct msg *);
static int process_on_peer_broken(void *, struct msg *);
static int process_on_dial(void *, struct msg *);
static void process_on_channel_broken(void *, struct channel *, const char *);
static void process_on_timer(int, short, void *);

static const struct channel_ops process_ops = {
	.handlers = {
		[MSG_HELLO_BACK] = process_on_hello,
		[MSG_READY] = process_on_ready,
		[MSG_PEER_BROKEN] = process_on_peer_broken,
		[MSG_RESTART] = process_on_restart,
		[MSG_DIAL] = process_on_dial,
		[MSG_DIAL_GITHUB] = process_on_dial,
		[MSG_CONF_ACCEPTED] = process_on_conf_accepted,
		[MSG_CONF_REFUSED] = process_on_conf_refused,
		[MSG_CONF_SWITCHED] = process_on_conf_switched,
		[MSG_STATUS] = process_on_status,
		[MSG_AUDIT] = process_on_audit,
		[MSG_ADMIN_USER] = process_on_admin_user,
		[MSG_ADMIN_TOKEN] = process_on_admin_token,
		[MSG_ADMIN_DONE] = process_on_admin_done,
	},
	.broken = process_on_channel_broken,
};

static time_t
now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void
process_init(struct process *p, struct children *c, enum program program)
{
	p->program = program;
	p->children = c;
	p->log_level = log_get_level();
	p->pidfd = -1;
	p->timer = evtimer_new(c->base, process_on_timer, p);
	if (p->timer == NULL)
		fatalx("children: no timer");
}

static void
process_clear(struct process *p)
{
	channel_free(p->channel);
	p->channel = NULL;
	relay_free(p->relay);
	p->relay = NULL;
	event_del(p->timer);
	p->pid = 0;
	if (p->pidfd != -1)
		close(p->pidfd);
	p->pidfd = -1;
	p->state = CHILD_STOPPED;
	p->dead = p->refused = p->configured = p->condemned = false;
	p->accusations = 0;
	p->staged = 0;
	memset(&p->confs, 0, sizeof(p->confs));
	memset(&p->statuses, 0, sizeof(p->statuses));
}

void
process_free(struct process *p)
{
	if (p->pid != 0)
		process_kill(p->pidfd);
	process_clear(p);
	event_free(p->timer);
}

bool
process_died_too_often(struct process *p)
{
	time_t now = now_seconds();
	time_t oldest;

	memmove(&p->deaths[1], &p->deaths[0],
	    sizeof(p->deaths) - sizeof(p->deaths[0]));
	p->deaths[0] = now;
	p->ndeaths++;
	oldest = p->deaths[DEATHS_MAX - 1];
	return p->ndeaths >= DEATHS_MAX && now - oldest < DEATHS_PERIOD;
}

void
process_start(struct process *p)
{
	struct children *c = p->children;
	struct process_sockets sockets;
	struct msg_out m;

	p->pid = process_spawn(p->program, &sockets);
	if (p->pid == -1) {
		p->pid = 0;
		if (process_died_too_often(p)) {
			children_fail(c);
			return;
		}
		p->state = CHILD_STARTING;
		timer_set(p->timer, SPAWN_AGAIN_MS);
		return;
	}
	p->pidfd = sockets.pidfd;
	p->state = CHILD_STARTING;
	p->start_again = false;
	p->started = now_seconds();
	p->relay =
	    relay_new(c->base, sockets.log, p->program, p->pid, p->log_level);
	p->channel = channel_new(c->base, sockets.channel, PROGRAM_PARENT,
	    p->program, &process_ops, p);
	channel_set_state(p->channel, MSG_START);
	timer_set(p->timer, CHILD_SETUP_TIMEOUT);
	log_infox("%s: started, pid %d", program_name(p->program), (int)p->pid);

	msg_start(&m, MSG_HELLO, 0);
	msg_add_u32(&m, MSG_PROTOCOL_VERSION);
	channel_send(p->channel, &m, -1);
}

static int
process_on_hello(void *arg, struct msg *m)
{
	struct process *p = arg;

	if (msg_get_u32(m) != MSG_PROTOCOL_VERSION || !msg_end(m))
		return -1;
	channel_set_state(p->channel, MSG_RUN);
	conf_send(
	    p->children->conf, p->program, p->channel, p->children->conf_id);
	p->configured = true;
	p->conf_id = p->children->conf_id;
	return 0;
}

bool
process_listens(const struct process *p)
{
	return p->state == CHILD_RUNNING && p->channel != NULL;
}

static void
send_peer(struct process *to, const struct process *peer, int fd)
{
	struct msg_out m;

	msg_start(&m, MSG_PEER, 0);
	msg_add_u32(&m, peer->program);
	channel_send(to->channel, &m, fd);
}

static void
link_connect(struct process *a, struct process *b)
{
	int fds[2];

	if (!process_listens(a) || !process_listens(b))
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		fatal("socketpair");
	send_peer(a, b, fds[0]);
	send_peer(b, a, fds[1]);
}

static int
process_on_ready(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;
	struct msg_out level;
	size_t i;

	(void)m;
	if (p->dead || p->state == CHILD_STOPPING)
		return 0;
	if (p->state != CHILD_STARTING || p->refused)
		return -1;
	p->state = CHILD_RUNNING;
	event_del(p->timer);
	msg_start(&level, MSG_LOG_LEVEL, 0);
	msg_add_u32(&level, p->log_level);
	channel_send(p->channel, &level, -1);
	/* What its predecessor was told still holds. */
	if (p->program == PROGRAM_CONNECTOR && c->stays_away)
		channel_send_empty(p->channel, MSG_DISCONNECT, 0);

	for (i = 0; i < NLINKS; i++)
		if (links[i].a == p->program || links[i].b == p->program)
			link_connect(
			    &c->process[links[i].a], &c->process[links[i].b]);

	process_conf_on_ready(p);
	if (!children_all_run(c))
		return 0;
	if (!c->was_ready) {
		c->was_ready = true;
		c->ops->all_ready(c->arg);
	}
	c->ops->all_running(c->arg);
	return 0;
}

/* A child says that another one broke the rules: that one has to go. */
static int
process_on_peer_broken(void *arg, struct msg *m)
{
	struct process *p = arg, *peer;
	uint32_t program = msg_get_u32(m);
	char why[MSG_HEADER_SIZE * 16];
	size_t i;

	msg_get_str(m, why, sizeof(why));
	if (!msg_end(m))
		return -1;
	if (p->dead)
		return 0;
	for (i = 0; i < NLINKS; i++) {
		if (links[i].a == p->program && links[i].b == program)
			break;
		if (links[i].b == p->program && links[i].a == program)
			break;
	}
	if (i == NLINKS)
		return -1;
	peer = &p->children->process[program];
	if (peer->pid == 0 || peer->condemned)
		return 0;
	peer->condemned = true;
	log_warnx("%s is broken, says %s; restarting it", program_name(program),
	    program_name(p->program));
	process_kill(peer->pidfd);
	if (++p->accusations == ACCUSATIONS_MAX && p->pid != 0) {
		log_warnx("%s says so again and again; restarting it, too",
		    program_name(p->program));
		process_kill(p->pidfd);
	}
	return 0;
}

static int
process_on_dial(void *arg, struct msg *m)
{
	struct process *p = arg;
	struct children *c = p->children;

	if (p->dead)
		return 0;
	/* It means a target of before: with that it would go to another one. */
	if (process_is_behind(p))
		children_dialed(
		    c, p->program, m->id, -1, "the settings are changing");
	else
		c->ops->dial(c->arg, p->program, m->id);
	return 0;
}

/* Its end as a process follows: by itself, or because we see to it. */
static void
process_on_channel_broken(void *arg, struct channel *ch, const char *why)
{
	struct process *p = arg;

	channel_free(ch);
	p->channel = NULL;
	if (why != NULL) {
		log_warnx("channel to %s: %s", program_name(p->program), why);
		if (p->pid != 0)
			process_kill(p->pidfd);
	} else if (p->pid != 0 && p->state != CHILD_STOPPING)
		timer_set(p->timer, END_MS);
}

static void
process_on_timer(int fd, short what, void *arg)
{
	struct process *p = arg;

	(void)fd;
	(void)what;
	if (p->pid == 0) {
		process_start(p);
		return;
	}
	log_warnx("%s[%d]: %s in time; killed", program_name(p->program),
	    (int)p->pid,
	    p->state == CHILD_STARTING ? "not ready" : "not stopped");
	process_kill(p->pidfd);
}

/* It died without being told to. */
static void
process_on_loss(struct process *p, bool refused, const char *death)
{
	struct children *c = p->children;
	const char *name = program_name(p->program);

	/* It would do so again: the operator has to see to it first. */
	if (refused && !c->was_ready) {
		children_fail(c);
		return;
	}
	log_warnx("lost child: %s terminated; %s", name, death);
	c->ops->lost(c->arg, p->program);
	if (c->stopping)
		return;
	if (!process_died_too_often(p)) {
		process_start(p);
		return;
	}
	log_warnx("%s died %d times within %d seconds, the last time by %s: "
		  "giving up",
	    name, DEATHS_MAX, DEATHS_PERIOD, death);
	children_fail(c);
}

void
process_on_death(struct process *p, int status)
{
	struct children *c = p->children;
	bool asked = p->state == CHILD_STOPPING, refused;
	bool was_stopping = c->stopping;
	char death[PROCESS_DEATH_SIZE];
	pid_t pid = p->pid;

	/* Why it refused to start may still be under way. */
	p->dead = true;
	if (p->channel != NULL)
		channel_drain(p->channel);
	refused = p->refused;
	process_clear(p);
	c->ops->gone(c->arg, p->program);
	process_describe_death(p->program, pid, status, death, sizeof(death));
	if (!asked)
		process_on_loss(p, refused, death);
	else {
		log_debugx("%s: stopped; %s", program_name(p->program), death);
		if (p->start_again && !c->stopping)
			process_start(p);
	}
	if (was_stopping)
		children_continue_stop(c);
}

void
process_stop(struct process *p)
{
	switch (p->state) {
	case CHILD_STOPPED:
	case CHILD_STOPPING:
		return;
	case CHILD_STARTING:
		/* It has nothing to finish, and might not listen yet. */
		if (p->pid == 0) {
			process_clear(p);
			return;
		}
		process_kill(p->pidfd);
		break;
	case CHILD_RUNNING:
		if (p->channel != NULL)
			channel_send_empty(p->channel, MSG_SHUTDOWN, 0);
		break;
	}
	p->state = CHILD_STOPPING;
	timer_set(p->timer, p->start_again ? RESTART_MS : STOP_MS);
}

const char *
process_state(const struct process *p)
{
	static const char *const states[] = {
		[CHILD_STOPPED] = "stopped",
		[CHILD_STARTING] = "starting",
		[CHILD_RUNNING] = "running",
		[CHILD_STOPPING] = "stopping",
	};

	return states[p->state];
}
