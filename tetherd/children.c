#include <sys/socket.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/channel.h"
#include "common/child.h"
#include "common/log.h"
#include "common/timer.h"
#include "tetherd/children.h"
#include "tetherd/conf.h"
#include "tetherd/process.h"
#include "tetherd/relay.h"

/* This many deaths of one child in this many seconds are too many. */
#define DEATHS_MAX    5
#define DEATHS_PERIOD 60

/* One that does not stop by itself in this time is killed ... */
#define STOP_MS 4000

/* ... and so are all that are left when all were to stop: promised are 5 s. */
#define STOP_ALL_MS 4500

/* A fork that failed is tried again after this time. */
#define SPAWN_AGAIN_MS 1000

enum child_state {
	CHILD_STOPPED,
	CHILD_STARTING, /* until READY */
	CHILD_RUNNING,
	CHILD_STOPPING, /* told to; its end is no accident */
};

struct process {
	enum program program;
	enum child_state state;
	pid_t pid;
	struct channel *channel;
	struct relay *relay;
	struct event *timer; /* must be ready, or gone, by then */
	bool start_again;    /* after CHILD_STOPPING */
	time_t deaths[DEATHS_MAX];
	unsigned ndeaths;
	struct children *children;
};

struct children {
	struct event_base *base;
	const struct conf *conf;
	const struct children_ops *ops;
	void *arg;
	struct process process[PROGRAM_COUNT]; /* the lasting ones are used */
	struct event *stop_timer;
	bool was_ready;
	bool stopping;
	bool failed;
};

static const enum program lasting[] = { PROGRAM_AUTHD, PROGRAM_PROXYD,
	PROGRAM_CONNECTOR };
#define NLASTING (sizeof(lasting) / sizeof(lasting[0]))

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
static void process_start(struct process *);
static void process_stop(struct process *);
static void children_on_stop_timer(int, short, void *);
static void children_continue_stop(struct children *);

static const struct channel_ops process_ops = {
	.handlers = {
		[MSG_HELLO_BACK] = process_on_hello,
		[MSG_READY] = process_on_ready,
		[MSG_PEER_BROKEN] = process_on_peer_broken,
		[MSG_DIAL] = process_on_dial,
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

struct children *
children_new(struct event_base *base, const struct conf *conf,
    const struct children_ops *ops, void *arg)
{
	struct children *c = calloc(1, sizeof(*c));
	struct process *p;
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
	for (i = 0; i < NLASTING; i++) {
		p = &c->process[lasting[i]];
		p->program = lasting[i];
		p->children = c;
		p->timer = evtimer_new(base, process_on_timer, p);
		if (p->timer == NULL)
			fatalx("children: no timer");
	}
	return c;
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
	p->state = CHILD_STOPPED;
}

void
children_free(struct children *c)
{
	struct process *p;
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < NLASTING; i++) {
		p = &c->process[lasting[i]];
		if (p->pid != 0)
			kill(p->pid, SIGKILL);
		process_clear(p);
		event_free(p->timer);
	}
	event_free(c->stop_timer);
	free(c);
}

void
children_start(struct children *c)
{
	size_t i;

	for (i = 0; i < NLASTING; i++)
		process_start(&c->process[lasting[i]]);
}

/* One more death: true if there were too many in too little time. */
static bool
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

static void
process_start(struct process *p)
{
	struct children *c = p->children;
	struct process_sockets sockets;
	struct msg_out m;

	p->pid = process_spawn(p->program, &sockets);
	if (p->pid == -1) {
		p->pid = 0;
		if (process_died_too_often(p)) {
			c->failed = true;
			children_stop(c);
			return;
		}
		p->state = CHILD_STARTING;
		timer_set(p->timer, SPAWN_AGAIN_MS);
		return;
	}
	p->state = CHILD_STARTING;
	p->relay = relay_new(c->base, sockets.log, p->program, p->pid);
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
	struct msg_out out;

	if (msg_get_u32(m) != MSG_PROTOCOL_VERSION || !msg_end(m))
		return -1;
	channel_set_state(p->channel, MSG_RUN);
	conf_slice(p->children->conf, p->program, &out);
	channel_send(p->channel, &out, -1);
	channel_send_empty(p->channel, MSG_CONF_DONE, 0);
	return 0;
}

/* Its channel can be gone a little before its death is known. */
static bool
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
	if (p->state != CHILD_STARTING)
		return p->state == CHILD_STOPPING ? 0 : -1;
	p->state = CHILD_RUNNING;
	event_del(p->timer);
	msg_start(&level, MSG_LOG_LEVEL, 0);
	msg_add_u32(&level, log_get_level());
	channel_send(p->channel, &level, -1);

	for (i = 0; i < NLINKS; i++)
		if (links[i].a == p->program || links[i].b == p->program)
			link_connect(
			    &c->process[links[i].a], &c->process[links[i].b]);

	for (i = 0; i < NLASTING; i++)
		if (c->process[lasting[i]].state != CHILD_RUNNING)
			return 0;
	if (!c->was_ready) {
		c->was_ready = true;
		c->ops->all_ready(c->arg);
	}
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
	for (i = 0; i < NLINKS; i++) {
		if (links[i].a == p->program && links[i].b == program)
			break;
		if (links[i].b == p->program && links[i].a == program)
			break;
	}
	if (i == NLINKS)
		return -1;
	peer = &p->children->process[program];
	log_warnx("%s is broken, says %s; restarting it", program_name(program),
	    program_name(p->program));
	if (peer->pid != 0)
		kill(peer->pid, SIGKILL);
	return 0;
}

static int
process_on_dial(void *arg, struct msg *m)
{
	struct process *p = arg;

	p->children->ops->dial(p->children->arg, m->id);
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
			kill(p->pid, SIGKILL);
	}
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
	kill(p->pid, SIGKILL);
}

static void
process_on_death(struct process *p, int status)
{
	struct children *c = p->children;
	bool asked = p->state == CHILD_STOPPING;
	char death[64];

	process_clear(p);
	process_describe_death(status, death, sizeof(death));
	if (asked) {
		log_debugx("%s: stopped; %s", program_name(p->program), death);
		if (p->start_again && !c->stopping) {
			p->start_again = false;
			process_start(p);
		}
	} else {
		log_warnx("lost child: %s terminated; %s",
		    program_name(p->program), death);
		if (process_died_too_often(p) && !c->stopping) {
			log_warnx("%s died %d times within %d seconds, the "
				  "last time by %s: giving up",
			    program_name(p->program), DEATHS_MAX, DEATHS_PERIOD,
			    death);
			c->failed = true;
			children_stop(c);
			return;
		}
		if (!c->stopping)
			process_start(p);
	}
	if (c->stopping)
		children_continue_stop(c);
}

bool
children_reap(struct children *c, pid_t pid, int status)
{
	size_t i;

	for (i = 0; i < NLASTING; i++) {
		if (c->process[lasting[i]].pid == pid) {
			process_on_death(&c->process[lasting[i]], status);
			return true;
		}
	}
	return false;
}

static void
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
		kill(p->pid, SIGKILL);
		break;
	case CHILD_RUNNING:
		if (p->channel != NULL)
			channel_send_empty(p->channel, MSG_SHUTDOWN, 0);
		break;
	}
	p->state = CHILD_STOPPING;
	timer_set(p->timer, STOP_MS);
}

/* The next step of stopping: all but the connector once that is gone. */
static void
children_continue_stop(struct children *c)
{
	size_t i;

	if (c->process[PROGRAM_CONNECTOR].state != CHILD_STOPPED)
		return;
	for (i = 0; i < NLASTING; i++)
		process_stop(&c->process[lasting[i]]);
	for (i = 0; i < NLASTING; i++)
		if (c->process[lasting[i]].state != CHILD_STOPPED)
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
	for (i = 0; i < NLASTING; i++) {
		p = &c->process[lasting[i]];
		if (p->pid == 0)
			continue;
		log_warnx("%s[%d]: not stopped in time; killed",
		    program_name(p->program), (int)p->pid);
		kill(p->pid, SIGKILL);
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
children_set_conf(struct children *c, const struct conf *conf)
{
	const struct conf *old = c->conf;
	struct process *p;
	size_t i;

	c->conf = conf;
	for (i = 0; i < NLASTING; i++) {
		p = &c->process[lasting[i]];
		/* One that is about to be started gets the new one. */
		if (p->pid == 0 || conf_same_slice(old, conf, p->program))
			continue;
		log_infox("%s: its settings changed; restarting it",
		    program_name(p->program));
		p->start_again = true;
		process_stop(p);
	}
}

void
children_send(struct children *c, enum program program, enum msg_type type)
{
	struct process *p = &c->process[program];

	if (process_listens(p))
		channel_send_empty(p->channel, type, 0);
}

void
children_send_all(struct children *c, enum msg_type type)
{
	size_t i;

	for (i = 0; i < NLASTING; i++)
		children_send(c, lasting[i], type);
}

void
children_dialed(struct children *c, uint64_t id, int fd, const char *text)
{
	struct process *p = &c->process[PROGRAM_CONNECTOR];
	struct msg_out m;

	if (!process_listens(p)) {
		if (fd != -1)
			close(fd);
		return;
	}
	msg_start(&m, fd == -1 ? MSG_DIAL_FAILED : MSG_DIALED, id);
	msg_add_str(&m, text);
	channel_send(p->channel, &m, fd);
}

void
children_log_status(const struct children *c)
{
	static const char *const states[] = {
		[CHILD_STOPPED] = "stopped",
		[CHILD_STARTING] = "starting",
		[CHILD_RUNNING] = "running",
		[CHILD_STOPPING] = "stopping",
	};
	const struct process *p;
	size_t i;

	for (i = 0; i < NLASTING; i++) {
		p = &c->process[lasting[i]];
		log_infox("status: %s: %s, pid %d, lost %u times",
		    program_name(p->program), states[p->state], (int)p->pid,
		    p->ndeaths);
	}
}
