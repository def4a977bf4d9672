#include <sys/socket.h>
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/channel.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/timer.h"
#include "tetherd/dial.h"
#include "tetherd/process.h"
#include "tetherd/relay.h"

/* What a dialer may take longer than it was told, before it is killed. */
#define GRACE_MS 5000

/* From one dialer to the next one at least: a child might ask for ever. */
#define PACE_MS 20

struct dial {
	struct event_base *base;
	dial_done done;
	void *arg;
	pid_t pid; /* 0 when nothing is under way */
	int pidfd; /* -1 then */
	uint64_t id;
	bool answered;
	struct msg_out conf; /* for the dialer, until it said HELLO */
	uint32_t timeout_ms;
	struct timespec started; /* the last dialer, CLOCK_MONOTONIC */
	struct event *pace;
	struct channel *channel;
	struct relay *relay;
	struct event *timer;
};

static int dial_on_hello(void *, struct msg *);
static int dial_on_socket(void *, struct msg *);
static int dial_on_failed(void *, struct msg *);
static void dial_on_channel_broken(void *, struct channel *, const char *);
static void dial_on_timer(int, short, void *);
static void dial_on_pace(int, short, void *);

static const struct channel_ops dial_ops = {
	.handlers = {
		[MSG_HELLO_BACK] = dial_on_hello,
		[MSG_DIALER_SOCKET] = dial_on_socket,
		[MSG_DIALER_FAILED] = dial_on_failed,
	},
	.broken = dial_on_channel_broken,
};

struct dial *
dial_new(struct event_base *base, dial_done done, void *arg)
{
	struct dial *d = calloc(1, sizeof(*d));

	if (d == NULL)
		fatal("dial");
	d->base = base;
	d->pidfd = -1;
	d->done = done;
	d->arg = arg;
	d->timer = evtimer_new(base, dial_on_timer, d);
	d->pace = evtimer_new(base, dial_on_pace, d);
	if (d->timer == NULL || d->pace == NULL)
		fatalx("dial: no timer");
	return d;
}

static void
dial_clear(struct dial *d)
{
	event_del(d->timer);
	event_del(d->pace);
	channel_free(d->channel);
	d->channel = NULL;
	relay_free(d->relay);
	d->relay = NULL;
	msg_discard(&d->conf);
	d->pid = 0;
	if (d->pidfd != -1)
		close(d->pidfd);
	d->pidfd = -1;
}

/* Its death is reaped by the caller of waitpid(), which then ignores it. */
void
dial_give_up(struct dial *d)
{
	if (d->pid != 0)
		process_kill(d->pidfd);
	dial_clear(d);
}

void
dial_free(struct dial *d)
{
	if (d == NULL)
		return;
	dial_give_up(d);
	event_free(d->timer);
	event_free(d->pace);
	free(d);
}

static void
dial_answer(struct dial *d, int fd, const char *text)
{
	if (d->answered) {
		if (fd != -1)
			close(fd);
		return;
	}
	d->answered = true;
	d->done(d->arg, d->id, fd, text);
}

static void
dial_spawn(struct dial *d)
{
	struct process_sockets sockets;
	struct msg_out m;

	clock_gettime(CLOCK_MONOTONIC, &d->started);
	d->pid = process_spawn(PROGRAM_DIALER, &sockets);
	if (d->pid == -1) {
		d->pid = 0;
		dial_clear(d);
		dial_answer(d, -1, "no dialer");
		return;
	}
	d->pidfd = sockets.pidfd;
	d->relay = relay_new(
	    d->base, sockets.log, PROGRAM_DIALER, d->pid, log_get_level());
	d->channel = channel_new(d->base, sockets.channel, PROGRAM_PARENT,
	    PROGRAM_DIALER, &dial_ops, d);
	channel_set_state(d->channel, MSG_START);
	/* The dialer keeps the time itself; this is for one that does not. */
	timer_set(d->timer, d->timeout_ms + GRACE_MS);

	msg_start(&m, MSG_HELLO, 0);
	msg_add_u32(&m, MSG_PROTOCOL_VERSION);
	channel_send(d->channel, &m, -1);
}

static void
dial_on_pace(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	dial_spawn(arg);
}

static bool
is_too_soon(const struct dial *d)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - d->started.tv_sec) * 1000 +
		   (now.tv_nsec - d->started.tv_nsec) / 1000000 <
	       PACE_MS;
}

void
dial_start(struct dial *d, const struct dialer_conf *conf, uint64_t id)
{
	dial_give_up(d);
	msg_start(&d->conf, MSG_CONF_DIALER, 0);
	slice_add_dialer(&d->conf, conf);
	d->timeout_ms = conf->timeout_ms;
	d->id = id;
	d->answered = false;
	if (is_too_soon(d))
		timer_set(d->pace, PACE_MS);
	else
		dial_spawn(d);
}

static int
dial_on_hello(void *arg, struct msg *m)
{
	struct dial *d = arg;

	if (msg_get_u32(m) != MSG_PROTOCOL_VERSION || !msg_end(m))
		return -1;
	channel_set_state(d->channel, MSG_RUN);
	channel_send(d->channel, &d->conf, -1);
	channel_send_empty(d->channel, MSG_CONF_DONE, 0);
	return 0;
}

/*
 * Not just any descriptor: what is sent to this one are secrets, and whoever
 * gets it has no other to anything.
 */
static bool
is_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
	       (peer.ss_family == AF_INET || peer.ss_family == AF_INET6);
}

static int
dial_on_socket(void *arg, struct msg *m)
{
	struct dial *d = arg;
	char text[256];

	msg_get_str(m, text, sizeof(text));
	if (!msg_end(m) || !is_connected(m->fd))
		return -1;
	dial_answer(d, msg_take_fd(m), text);
	return 0;
}

static int
dial_on_failed(void *arg, struct msg *m)
{
	struct dial *d = arg;
	char text[512];

	msg_get_str(m, text, sizeof(text));
	if (!msg_end(m))
		return -1;
	dial_answer(d, -1, text);
	return 0;
}

static void
dial_on_channel_broken(void *arg, struct channel *ch, const char *why)
{
	struct dial *d = arg;

	channel_free(ch);
	d->channel = NULL;
	if (why != NULL) {
		log_warnx("channel to dialer: %s", why);
		process_kill(d->pidfd);
	}
}

static void
dial_on_timer(int fd, short what, void *arg)
{
	struct dial *d = arg;

	(void)fd;
	(void)what;
	log_warnx("dialer[%d]: not done in time; killed", (int)d->pid);
	process_kill(d->pidfd);
}

bool
dial_reap(struct dial *d, pid_t pid, int status)
{
	char death[PROCESS_DEATH_SIZE], text[PROCESS_DEATH_SIZE + 16];

	if (d->pid != pid)
		return false;
	/* Its last words may still be under way. */
	if (d->channel != NULL)
		channel_drain(d->channel);
	dial_clear(d);
	process_describe_death(
	    PROGRAM_DIALER, pid, status, death, sizeof(death));
	if (!d->answered || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_warnx("lost child: dialer terminated; %s", death);
	(void)snprintf(text, sizeof(text), "dialer %s", death);
	dial_answer(d, -1, text);
	return true;
}
