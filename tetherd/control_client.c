#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/admin.h"
#include "common/channel.h"
#include "common/log.h"
#include "common/timer.h"
#include "tetherd/children.h"
#include "tetherd/conf.h"
#include "tetherd/control_admin.h"
#include "tetherd/control_client.h"
#include "tetherd/control_limits.h"
#include "tetherd/control_protocol.h"
#include "tetherd/control_show.h"
#include "tetherd/inquiry.h"
#include "tetherd/reload.h"
#include "tetherd/settings.h"

/* How often a client is looked at: it may be gone, or too slow. */
#define TICK_MS 1000

/* Seconds until CTL_HELLO, and without a command or taking the answer. */
#define HELLO_TIME 5
#define IDLE_TIME  30

enum client_state {
	CLIENT_GREETING, /* until CTL_HELLO */
	CLIENT_IDLE,
	CLIENT_WORKING, /* on a command; not read from */
	CLIENT_SENDING, /* an answer that it does not take; not read from */
	CLIENT_ENDING,	/* with the next tick */
};

struct control_client {
	struct control_shared *shared;
	struct channel *channel;
	int fd; /* the channel's */
	struct control_peer peer;
	enum client_state state;
	unsigned seconds; /* in this state */
	enum control_view view;
	struct event *tick;
	void (*gone)(void *arg, struct control_client *);
	void *arg;
};

static int client_on_hello(void *, struct msg *);
static int client_on_show(void *, struct msg *);
static int client_on_reload(void *, struct msg *);
static int client_on_connection(void *, struct msg *);
static int client_on_log(void *, struct msg *);
static int client_on_admin(void *, struct msg *);
static void client_on_broken(void *, struct channel *, const char *);
static void client_on_writable(void *, struct channel *);
static void client_on_tick(int, short, void *);

static const struct channel_ops client_ops = {
	.handlers = {
		[MSG_CTL_HELLO] = client_on_hello,
		[MSG_CTL_SHOW] = client_on_show,
		[MSG_CTL_RELOAD] = client_on_reload,
		[MSG_CTL_RECONNECT] = client_on_connection,
		[MSG_CTL_DISCONNECT] = client_on_connection,
		[MSG_CTL_LOG] = client_on_log,
		[MSG_CTL_ADMIN] = client_on_admin,
	},
	.broken = client_on_broken,
	.writable = client_on_writable,
};

struct control_client *
control_client_new(struct control_shared *shared, int fd,
    const struct control_peer *peer,
    void (*gone)(void *arg, struct control_client *), void *arg)
{
	struct control_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("control client");
	c->shared = shared;
	c->fd = fd;
	c->peer = *peer;
	c->gone = gone;
	c->arg = arg;
	c->channel = channel_new(shared->base, fd, PROGRAM_PARENT,
	    PROGRAM_TETHERCTL, &client_ops, c);
	channel_set_state(c->channel, MSG_START);
	c->tick = evtimer_new(shared->base, client_on_tick, c);
	if (c->tick == NULL)
		fatalx("control client: no timer");
	timer_set(c->tick, TICK_MS);
	shared->clients++;
	return c;
}

void
control_client_free(struct control_client *c)
{
	if (c == NULL)
		return;
	inquiries_forget(c->shared->inquiries, c);
	control_admin_forget(c->shared->admin, c);
	reload_forget(c->shared->reload, c);
	c->shared->clients--;
	event_free(c->tick);
	channel_free(c->channel);
	free(c);
}

static void
client_end(struct control_client *c, const char *why)
{
	if (why != NULL)
		control_peer_log_fault(&c->peer, why);
	c->gone(c->arg, c);
	control_client_free(c);
}

static void
client_on_broken(void *arg, struct channel *ch, const char *why)
{
	(void)ch;
	client_end(arg, why);
}

static void
client_enter(struct control_client *c, enum client_state state)
{
	c->state = state;
	c->seconds = 0;
}

/* True if nobody is there any more: what is paused does not notice. */
static bool
client_hung_up(const struct control_client *c)
{
	struct pollfd pfd = { .fd = c->fd };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP) != 0;
}

static void
client_on_tick(int fd, short what, void *arg)
{
	struct control_client *c = arg;

	(void)fd;
	(void)what;
	c->seconds++;
	if (c->state == CLIENT_ENDING)
		client_end(c, NULL);
	else if (c->state == CLIENT_GREETING && c->seconds >= HELLO_TIME)
		client_end(c, "no greeting");
	else if (c->state == CLIENT_IDLE && c->seconds >= IDLE_TIME)
		client_end(c, "idle");
	else if (c->state == CLIENT_SENDING && c->seconds >= IDLE_TIME)
		client_end(c, "does not read");
	else if ((c->state == CLIENT_WORKING || c->state == CLIENT_SENDING) &&
		 client_hung_up(c))
		client_end(c, "hung up");
	else
		timer_set(c->tick, TICK_MS);
}

/* The answer is complete; read on as soon as it is taken. */
static void
client_done(struct control_client *c, enum control_code code, const char *text)
{
	char safe[CONTROL_DONE_SIZE];
	struct msg_out m;

	msg_start(&m, MSG_CTL_DONE, 0);
	msg_add_u32(&m, code);
	msg_add_str(&m, log_safe(safe, sizeof(safe), text));
	channel_send(c->channel, &m, -1);
	client_enter(c, CLIENT_SENDING);
	if (channel_is_writable(c->channel))
		client_on_writable(c, c->channel);
}

static void
client_on_writable(void *arg, struct channel *ch)
{
	struct control_client *c = arg;

	/* Parts of an answer that is not complete are taken, too. */
	if (c->state != CLIENT_SENDING)
		return;
	client_enter(c, CLIENT_IDLE);
	channel_resume(ch);
}

/* True if he may; else he is told, and the log. */
static bool
client_may(struct control_client *c, enum control_right right)
{
	channel_pause(c->channel);
	client_enter(c, CLIENT_WORKING);
	if (c->peer.right >= right)
		return true;
	control_peer_log_refusal(&c->peer);
	client_done(c, CONTROL_DENIED, "permission denied");
	return false;
}

/* what, and whom it is for, are the words of tetherctl. */
static void
log_asked(const struct control_client *c, const char *what, const char *whom)
{
	log_infox("control: %s%s%s asked for by uid %d", what,
	    whom == NULL ? "" : " ", whom == NULL ? "" : whom,
	    (int)c->peer.uid);
}

static int
client_on_hello(void *arg, struct msg *m)
{
	struct control_client *c = arg;
	uint32_t version = msg_get_u32(m);
	struct msg_out out;

	if (!msg_end(m))
		return -1;
	if (version != MSG_PROTOCOL_VERSION) {
		channel_pause(c->channel);
		client_done(c, CONTROL_REFUSED,
		    "tetherd " TETHERD_VERSION " is of another version");
		channel_pause(c->channel);
		client_enter(c, CLIENT_ENDING);
		timer_set(c->tick, 0);
		return 0;
	}
	channel_set_state(c->channel, MSG_RUN);
	client_enter(c, CLIENT_IDLE);
	msg_start(&out, MSG_CTL_WELCOME, 0);
	msg_add_u32(&out, MSG_PROTOCOL_VERSION);
	msg_add_str(&out, TETHERD_VERSION);
	channel_send(c->channel, &out, -1);
	return 0;
}

static void
client_on_values(void *arg, const struct status *const values[PROGRAM_COUNT])
{
	struct control_client *c = arg;
	struct control_view_source from = {
		.children = c->shared->children,
		.reload = c->shared->reload,
		.started = c->shared->started,
		.landlock = c->shared->landlock,
		.clients = c->shared->clients,
		.values = values,
	};
	const char *why = control_show(c->view, &from, c->channel);

	if (why == NULL)
		client_done(c, CONTROL_OK, "");
	else
		client_done(c, CONTROL_FAILED, why);
}

static int
client_on_show(void *arg, struct msg *m)
{
	struct control_client *c = arg;
	uint32_t view = msg_get_u32(m);

	if (!msg_end(m) || view >= CONTROL_VIEW_COUNT)
		return -1;
	if (!client_may(c, CONTROL_LOOK))
		return 0;
	c->view = (enum control_view)view;
	if (control_show_asks(c->view))
		inquiries_start(c->shared->inquiries, client_on_values, c);
	else
		client_on_values(c, NULL);
	return 0;
}

/* All reasons, as long as they are; then the end. */
static void
client_on_reloaded(void *arg, const char *why)
{
	struct control_client *c = arg;

	if (why == NULL) {
		client_done(c, CONTROL_OK, "settings reloaded");
		return;
	}
	control_show_text(c->channel, why);
	client_done(
	    c, CONTROL_FAILED, "reload failed: the old settings stay in force");
}

static int
client_on_reload(void *arg, struct msg *m)
{
	struct control_client *c = arg;

	(void)m;
	if (!client_may(c, CONTROL_CHANGE))
		return 0;
	log_asked(c, "reload", NULL);
	reload_start(c->shared->reload, client_on_reloaded, c);
	return 0;
}

static const char *
why_no_connection(const struct control_shared *s)
{
	struct child_info info;

	if (!settings_conf(reload_settings(s->reload))->connector.enabled)
		return "mode standalone: there is no orchestrator";
	if (!children_info(s->children, PROGRAM_CONNECTOR, &info) ||
	    strcmp(info.state, "running") != 0)
		return "connector does not run";
	return NULL;
}

static int
client_on_connection(void *arg, struct msg *m)
{
	struct control_client *c = arg;
	bool again = m->type == MSG_CTL_RECONNECT;
	const char *why;

	if (!client_may(c, CONTROL_CHANGE))
		return 0;
	log_asked(c, again ? "reconnect" : "disconnect", NULL);
	why = why_no_connection(c->shared);
	if (why != NULL) {
		client_done(c, CONTROL_FAILED, why);
		return 0;
	}
	children_send(c->shared->children, PROGRAM_CONNECTOR,
	    again ? MSG_RECONNECT : MSG_DISCONNECT);
	client_done(c, CONTROL_OK, again ? "reconnecting" : "disconnecting");
	return 0;
}

static int
client_on_log(void *arg, struct msg *m)
{
	static const struct {
		enum log_level level;
		const char *what;
	} levels[CONTROL_LEVEL_COUNT] = {
		[CONTROL_BRIEF] = { LOG_LEVEL_INFO, "log brief" },
		[CONTROL_VERBOSE] = { LOG_LEVEL_DEBUG, "log verbose" },
		[CONTROL_TRACE] = { LOG_LEVEL_TRACE, "log trace" },
	};
	struct control_client *c = arg;
	uint32_t level = msg_get_u32(m), program = msg_get_u32(m);

	if (!msg_end(m) || level >= CONTROL_LEVEL_COUNT ||
	    (program > PROGRAM_AUTHD && program != CONTROL_ALL))
		return -1;
	if (!client_may(c, CONTROL_CHANGE))
		return 0;
	log_asked(c, levels[level].what,
	    program == CONTROL_ALL ? "all"
				   : program_name((enum program)program));
	if (program == PROGRAM_PARENT || program == CONTROL_ALL)
		log_set_level(levels[level].level);
	if (program != PROGRAM_PARENT)
		children_set_log_level(c->shared->children,
		    (enum program)program, levels[level].level);
	client_done(c, CONTROL_OK, "");
	return 0;
}

static void
client_on_admin_done(void *arg, bool good, const char *text)
{
	client_done(arg, good ? CONTROL_OK : CONTROL_FAILED, text);
}

static int
client_on_admin(void *arg, struct msg *m)
{
	struct control_client *c = arg;
	struct admin_request request;
	char what[CONTROL_VALUE_SIZE];
	bool changes;

	if (admin_request_read(m, &request) == -1)
		return -1;
	changes = admin_op_changes(request.op);
	if (!client_may(c, changes ? CONTROL_CHANGE : CONTROL_LOOK))
		return 0;
	if (changes)
		log_asked(c,
		    control_admin_describe(&request, what, sizeof(what)), NULL);
	control_admin_start(
	    c->shared->admin, &request, c->channel, client_on_admin_done, c);
	return 0;
}

void
control_client_dismiss(struct control_client *c)
{
	if (c->state == CLIENT_WORKING)
		client_done(c, CONTROL_FAILED, "tetherd is stopping");
}
