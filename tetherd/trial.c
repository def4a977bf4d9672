#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/channel.h"
#include "common/child.h"
#include "common/log.h"
#include "common/timer.h"
#include "tetherd/conf.h"
#include "tetherd/process.h"
#include "tetherd/relay.h"
#include "tetherd/trial.h"

struct trial {
	struct event_base *base;
	trial_done done;
	void *arg;
	pid_t pid;		 /* 0 when nothing is under way */
	int pidfd;		 /* -1 then */
	const struct conf *conf; /* until it said HELLO */
	struct channel *channel;
	struct relay *relay;
	struct event *timer;
	bool answered;
	bool late;
	char why[CHILD_WHY_SIZE + 64]; /* "" if it accepts */
};

static int trial_on_hello(void *, struct msg *);
static int trial_on_accepted(void *, struct msg *);
static int trial_on_refused(void *, struct msg *);
static void trial_on_channel_broken(void *, struct channel *, const char *);
static void trial_on_timer(int, short, void *);

static const struct channel_ops trial_ops = {
	.handlers = {
		[MSG_HELLO_BACK] = trial_on_hello,
		[MSG_CONF_ACCEPTED] = trial_on_accepted,
		[MSG_CONF_REFUSED] = trial_on_refused,
	},
	.broken = trial_on_channel_broken,
};

struct trial *
trial_new(struct event_base *base, trial_done done, void *arg)
{
	struct trial *t = calloc(1, sizeof(*t));

	if (t == NULL)
		fatal("trial");
	t->base = base;
	t->pidfd = -1;
	t->done = done;
	t->arg = arg;
	t->timer = evtimer_new(base, trial_on_timer, t);
	if (t->timer == NULL)
		fatalx("trial: no timer");
	return t;
}

static void
trial_clear(struct trial *t)
{
	event_del(t->timer);
	channel_free(t->channel);
	t->channel = NULL;
	relay_free(t->relay);
	t->relay = NULL;
	t->conf = NULL;
	t->pid = 0;
	if (t->pidfd != -1)
		close(t->pidfd);
	t->pidfd = -1;
}

/* Its death is reaped by the caller of waitpid(), which then ignores it. */
void
trial_give_up(struct trial *t)
{
	if (t->pid != 0)
		process_kill(t->pidfd);
	trial_clear(t);
}

void
trial_free(struct trial *t)
{
	if (t == NULL)
		return;
	trial_give_up(t);
	event_free(t->timer);
	free(t);
}

int
trial_start(struct trial *t, const struct conf *conf)
{
	struct process_sockets sockets;
	struct msg_out m;

	trial_give_up(t);
	t->pid = process_spawn(PROGRAM_AUTHD, &sockets);
	if (t->pid == -1) {
		t->pid = 0;
		return -1;
	}
	t->pidfd = sockets.pidfd;
	t->conf = conf;
	t->answered = t->late = false;
	t->why[0] = '\0';
	t->relay = relay_new(
	    t->base, sockets.log, PROGRAM_AUTHD, t->pid, log_get_level());
	t->channel = channel_new(t->base, sockets.channel, PROGRAM_PARENT,
	    PROGRAM_AUTHD, &trial_ops, t);
	channel_set_state(t->channel, MSG_START);
	timer_set(t->timer, TRIAL_TIMEOUT_MS);
	log_debugx("authd: tried with other settings, pid %d", (int)t->pid);

	msg_start(&m, MSG_HELLO, 0);
	msg_add_u32(&m, MSG_PROTOCOL_VERSION);
	channel_send(t->channel, &m, -1);
	return 0;
}

static int
trial_on_hello(void *arg, struct msg *m)
{
	struct trial *t = arg;
	struct conf conf;

	if (msg_get_u32(m) != MSG_PROTOCOL_VERSION || !msg_end(m))
		return -1;
	channel_set_state(t->channel, MSG_RUN);
	/* The same in all else; what it points to stays the owner's. */
	conf = *t->conf;
	conf.authd.trial = true;
	conf_send(&conf, PROGRAM_AUTHD, t->channel, 0);
	t->conf = NULL;
	return 0;
}

/* It is believed once it is gone. */
static int
trial_on_accepted(void *arg, struct msg *m)
{
	struct trial *t = arg;

	(void)msg_get_u32(m);
	if (!msg_end(m) || t->answered || m->id != 0)
		return -1;
	t->answered = true;
	return 0;
}

static int
trial_on_refused(void *arg, struct msg *m)
{
	struct trial *t = arg;
	char why[CHILD_WHY_SIZE + 32];

	msg_get_str(m, why, sizeof(why));
	if (!msg_end(m) || t->answered || m->id != 0)
		return -1;
	t->answered = true;
	log_safe(why, sizeof(why), why);
	(void)snprintf(t->why, sizeof(t->why), "authd refuses: %s", why);
	return 0;
}

static void
trial_on_channel_broken(void *arg, struct channel *ch, const char *why)
{
	struct trial *t = arg;

	channel_free(ch);
	t->channel = NULL;
	if (why == NULL)
		return;
	log_warnx("channel to authd: %s", why);
	t->answered = false;
	process_kill(t->pidfd);
}

static void
trial_on_timer(int fd, short what, void *arg)
{
	struct trial *t = arg;

	(void)fd;
	(void)what;
	t->late = true;
	process_kill(t->pidfd);
}

bool
trial_reap(struct trial *t, pid_t pid, int status)
{
	char death[PROCESS_DEATH_SIZE];

	if (t->pid != pid)
		return false;
	/* Its answer may still be under way. */
	if (t->channel != NULL)
		channel_drain(t->channel);
	trial_clear(t);
	if (t->late)
		(void)snprintf(t->why, sizeof(t->why),
		    "authd, tried with the new settings, was not done within "
		    "%d s",
		    TRIAL_TIMEOUT_MS / 1000);
	else if (!t->answered)
		(void)snprintf(t->why, sizeof(t->why),
		    "authd, tried with the new settings, died: %s",
		    process_describe_death(
			PROGRAM_AUTHD, pid, status, death, sizeof(death)));
	t->done(t->arg, t->why[0] == '\0' ? NULL : t->why);
	return true;
}
