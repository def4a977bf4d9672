#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/audit.h"
#include "common/child.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/status.h"

extern char **environ;

/* A process is one child: what its channels call back to. */
static struct child *child;
static struct channel_ops parent_ops;
static struct channel_ops peer_ops[PROGRAM_COUNT];

static bool
child_was_started_by_parent(void)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(CHILD_FD_PARENT, SOL_SOCKET, SO_TYPE, &type, &len) ==
		   0 &&
	       type == SOCK_SEQPACKET;
}

/* Descriptors 0 to 2 must be something before anything else is opened. */
static void
child_clean_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd < CHILD_FD_PARENT);
	if (fd != -1)
		close(fd);
	closefrom(CHILD_FD_ROOT + 1);
}

void
child_ignore_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE,
		SIGUSR1, SIGUSR2 };
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
}

static void
child_hello(void)
{
	uint8_t *buffer = malloc(MSG_SIZE_MAX);
	struct msg_out out;
	struct msg m;
	const char *why;

	if (buffer == NULL)
		fatal("hello");
	why = msg_recv_now(CHILD_FD_PARENT, &m, buffer, CHILD_SETUP_TIMEOUT,
	    PROGRAM_PARENT, child->self, MSG_START);
	if (why != NULL)
		fatalx("hello: %s", why);
	if (msg_get_u32(&m) != MSG_PROTOCOL_VERSION || !msg_end(&m))
		fatalx("hello: this is not the %s of this tetherd",
		    program_name(child->self));
	free(buffer);

	msg_start(&out, MSG_HELLO_BACK, 0);
	msg_add_u32(&out, MSG_PROTOCOL_VERSION);
	if (msg_send_now(CHILD_FD_PARENT, &out, -1) == -1)
		fatal("hello");
}

void
child_start(struct child *c, enum program self, int argc, char **argv)
{
	child = c;
	memset(c, 0, sizeof(*c));
	c->self = self;
	if (!child_was_started_by_parent()) {
		fprintf(stderr,
		    "%s: part of tetherd, which starts it; "
		    "not to be run by hand\n",
		    program_name(self));
		exit(1);
	}
	setproctitle_init(argc, argv, environ);
	child_clean_descriptors();
	log_to_socket(CHILD_FD_LOG);
	child_ignore_signals();
	if (clearenv() != 0)
		fatal("clearenv");
	setproctitle("-tetherd: %s", program_name(self));
	c->base = event_base_new();
	if (c->base == NULL)
		fatalx("event_base_new failed");
	child_hello();
}

/* One file of a slice: 0, or -1 if malformed; *why if it is of no use. */
static int
child_read_file(void *conf, struct msg *m, const char **why)
{
	uint32_t which = msg_get_u32(m);
	char *path = msg_get_strdup(m);
	int rc = msg_end(m) && which < CONF_FILE_COUNT ? 0 : -1;

	if (rc == 0)
		*why = child->slice->get_file(
		    conf, (enum conf_file)which, path, msg_take_fd(m));
	free(path);
	return rc;
}

void
child_configure(struct child *c, const struct slice_type *slice, void *conf)
{
	uint8_t *buffer = malloc(MSG_SIZE_MAX);
	bool configured = false;
	const char *why;
	char refused[CHILD_WHY_SIZE] = "";
	struct msg m;

	if (buffer == NULL)
		fatal("configuration");
	c->slice = slice;
	for (;;) {
		why = msg_recv_now(CHILD_FD_PARENT, &m, buffer,
		    CHILD_SETUP_TIMEOUT, PROGRAM_PARENT, c->self, MSG_SETUP);
		if (why != NULL)
			fatalx("configuration: %s", why);
		if (m.type == MSG_CONF_DONE) {
			c->conf_id = m.id;
			break;
		}
		if (m.type == MSG_CONF_FILE && configured) {
			if (child_read_file(conf, &m, &why) == -1)
				fatalx("configuration: malformed file");
			if (why != NULL && refused[0] == '\0')
				(void)strlcpy(refused, why, sizeof(refused));
		} else if (m.type == slice->type && !configured &&
			   slice->get(conf, &m) == 0)
			configured = true;
		else
			fatalx("configuration: malformed %s", msg_name(m.type));
	}
	if (!configured)
		fatalx("configuration: there is none");
	freezero(buffer, MSG_SIZE_MAX);
	if (refused[0] != '\0')
		child_refuse(c, refused);
}

void
child_refuse(struct child *c, const char *why)
{
	char text[CHILD_WHY_SIZE];
	struct msg_out m;

	(void)c;
	(void)strlcpy(text, why, sizeof(text));
	msg_start(&m, MSG_CONF_REFUSED, 0);
	msg_add_str(&m, text);
	(void)msg_send_now(CHILD_FD_PARENT, &m, -1);
	exit(1);
}

void
child_accept(struct child *c)
{
	struct msg_out m;

	(void)c;
	msg_start(&m, MSG_CONF_ACCEPTED, 0);
	msg_add_u32(&m, 0);
	if (msg_send_now(CHILD_FD_PARENT, &m, -1) == -1)
		fatal("can't answer");
	exit(0);
}

static void
child_report_broken(enum program peer, const char *why)
{
	struct msg_out m;

	log_warnx("channel to %s: %s", program_name(peer), why);
	msg_start(&m, MSG_PEER_BROKEN, 0);
	msg_add_u32(&m, peer);
	msg_add_str(&m, why);
	channel_send(child->parent, &m, -1);
}

static void
child_detach(enum program peer)
{
	struct channel *ch = child->peers[peer];

	if (ch == NULL)
		return;
	child->peers[peer] = NULL;
	channel_free(ch);
	if (child->ops->peer_lost != NULL)
		child->ops->peer_lost(child->arg, peer);
}

static void
child_on_peer_broken(void *arg, struct channel *ch, const char *why)
{
	enum program peer = channel_peer(ch);

	(void)arg;
	if (why != NULL)
		child_report_broken(peer, why);
	child_detach(peer);
}

static void
child_on_parent_broken(void *arg, struct channel *ch, const char *why)
{
	(void)arg;
	(void)ch;
	if (why != NULL)
		log_warnx("channel to tetherd: %s", why);
	/* Without a parent there is nothing to finish for. */
	exit(1);
}

static void
child_on_parent_writable(void *arg, struct channel *ch)
{
	(void)arg;
	(void)ch;
	if (child->audit_lost == 0)
		return;
	log_warnx("audit: %" PRIu64 " records lost: tetherd was too busy to "
		  "read them",
	    child->audit_lost);
	child->audit_lost = 0;
}

static int
child_on_peer(void *arg, struct msg *m)
{
	uint32_t peer = msg_get_u32(m);

	(void)arg;
	if (!msg_end(m) || peer >= PROGRAM_COUNT ||
	    child->ops->peers[peer] == NULL)
		return -1;
	/* A new channel means that the old peer is gone, noticed or not; what
	 * it said last may be what we are to keep for it. */
	if (child->peers[peer] != NULL)
		channel_drain(child->peers[peer]);
	child_detach(peer);
	child->peers[peer] = channel_new(child->base, msg_take_fd(m),
	    child->self, peer, &peer_ops[peer], child->arg);
	if (child->ops->peer_attached != NULL)
		child->ops->peer_attached(child->arg, peer);
	return 0;
}

static int
child_on_log_level(void *arg, struct msg *m)
{
	uint32_t level = msg_get_u32(m);

	(void)arg;
	if (!msg_end(m) || level >= LOG_LEVEL_COUNT)
		return -1;
	log_set_level(level);
	return 0;
}

static int
child_on_log_status(void *arg, struct msg *m)
{
	(void)arg;
	(void)m;
	if (child->ops->log_status != NULL)
		child->ops->log_status(child->arg);
	return 0;
}

static int
child_on_status_get(void *arg, struct msg *m)
{
	struct status *status = status_new(child->self);
	struct msg_out out;

	(void)arg;
	if (child->ops->status != NULL)
		child->ops->status(child->arg, status);
	msg_start(&out, MSG_STATUS, m->id);
	status_add(&out, status);
	channel_send(child->parent, &out, -1);
	status_free(status);
	return 0;
}

static void
child_unstage(void)
{
	struct staged *s = &child->staged;

	if (s->conf == NULL)
		return;
	if (s->checked && child->ops->conf_drop != NULL)
		child->ops->conf_drop(child->arg);
	child->slice->clear(s->conf);
	free(s->conf);
	memset(s, 0, sizeof(*s));
}

/* The first reason counts; it is copied, as others may follow. */
static void
child_blame(const char *why)
{
	struct staged *s = &child->staged;

	if (why == NULL || s->refused)
		return;
	s->refused = true;
	(void)strlcpy(s->why, why, sizeof(s->why));
}

/* The first message of a reload: whatever was staged before is no more. */
static int
child_on_conf(void *arg, struct msg *m)
{
	struct staged *s = &child->staged;

	(void)arg;
	child_unstage();
	s->conf = calloc(1, child->slice->size);
	if (s->conf == NULL)
		fatal("configuration");
	s->id = m->id;
	return child->slice->get(s->conf, m);
}

static int
child_on_conf_file(void *arg, struct msg *m)
{
	struct staged *s = &child->staged;
	const char *why = NULL;

	(void)arg;
	if (s->conf == NULL || s->checked || m->id != s->id ||
	    child_read_file(s->conf, m, &why) == -1)
		return -1;
	child_blame(why);
	return 0;
}

static int
child_on_conf_done(void *arg, struct msg *m)
{
	struct staged *s = &child->staged;
	uint32_t flags = 0;
	struct msg_out out;

	(void)arg;
	if (s->conf == NULL || s->checked || m->id != s->id)
		return -1;
	if (!s->refused && child->ops->conf_check != NULL)
		child_blame(
		    child->ops->conf_check(child->arg, s->conf, &flags));
	if (s->refused) {
		msg_start(&out, MSG_CONF_REFUSED, s->id);
		msg_add_str(&out, s->why);
		child_unstage();
	} else {
		s->checked = true;
		msg_start(&out, MSG_CONF_ACCEPTED, s->id);
		msg_add_u32(&out, flags);
	}
	channel_send(child->parent, &out, -1);
	return 0;
}

static int
child_on_conf_switch(void *arg, struct msg *m)
{
	struct staged *s = &child->staged;
	uint32_t flags = msg_get_u32(m);

	(void)arg;
	if (!msg_end(m) || (flags & ~(uint32_t)CONF_FLAGS_KNOWN) != 0 ||
	    !s->checked || m->id != s->id)
		return -1;
	child->conf_id = s->id;
	child->ops->conf_switch(child->arg, s->conf, flags);
	free(s->conf);
	memset(s, 0, sizeof(*s));
	channel_send_empty(child->parent, MSG_CONF_SWITCHED, m->id);
	return 0;
}

/* Also comes to a child that refused, or was late: then there is nothing. */
static int
child_on_conf_drop(void *arg, struct msg *m)
{
	(void)arg;
	if (m->id == child->staged.id)
		child_unstage();
	return 0;
}

static int
child_on_shutdown(void *arg, struct msg *m)
{
	(void)arg;
	(void)m;
	if (child->stopping)
		return 0;
	child->stopping = true;
	if (child->ops->shutdown != NULL)
		child->ops->shutdown(child->arg);
	else
		child_exit(child);
	return 0;
}

static void
child_attach_parent(const struct child_ops *ops, void *arg)
{
	int type;

	child->ops = ops;
	child->arg = arg;
	memcpy(parent_ops.handlers, ops->parent, sizeof(ops->parent));
	parent_ops.handlers[MSG_PEER] = child_on_peer;
	parent_ops.handlers[MSG_LOG_LEVEL] = child_on_log_level;
	parent_ops.handlers[MSG_LOG_STATUS] = child_on_log_status;
	parent_ops.handlers[MSG_STATUS_GET] = child_on_status_get;
	parent_ops.handlers[child->slice->type] = child_on_conf;
	parent_ops.handlers[MSG_CONF_FILE] = child_on_conf_file;
	parent_ops.handlers[MSG_CONF_DONE] = child_on_conf_done;
	parent_ops.handlers[MSG_CONF_SWITCH] = child_on_conf_switch;
	parent_ops.handlers[MSG_CONF_DROP] = child_on_conf_drop;
	parent_ops.handlers[MSG_SHUTDOWN] = child_on_shutdown;
	parent_ops.broken = child_on_parent_broken;
	parent_ops.writable = child_on_parent_writable;
	for (type = 0; type < PROGRAM_COUNT; type++) {
		if (ops->peers[type] == NULL)
			continue;
		peer_ops[type] = *ops->peers[type];
		peer_ops[type].broken = child_on_peer_broken;
	}
	child->parent = channel_new(child->base, CHILD_FD_PARENT, child->self,
	    PROGRAM_PARENT, &parent_ops, arg);
}

void
child_run(struct child *c, const struct child_ops *ops, void *arg)
{
	int i;

	child_attach_parent(ops, arg);
	channel_send_empty(c->parent, MSG_READY, 0);
	if (event_base_dispatch(c->base) == -1)
		fatalx("event loop failed");
	for (i = 0; i < PROGRAM_COUNT; i++) {
		channel_free(c->peers[i]);
		c->peers[i] = NULL;
	}
	child_unstage();
	channel_free(c->parent);
	c->parent = NULL;
}

void
child_finish(struct child *c)
{
	event_base_free(c->base);
	c->base = NULL;
}

void
child_exit(struct child *c)
{
	c->stopping = true;
	event_base_loopbreak(c->base);
}

bool
child_send(struct child *c, enum program peer, struct msg_out *m)
{
	struct channel *ch =
	    peer == PROGRAM_PARENT ? c->parent : c->peers[peer];

	if (ch == NULL) {
		msg_discard(m);
		return false;
	}
	channel_send(ch, m, -1);
	return true;
}

void
child_audit(struct child *c, const struct audit_record *record)
{
	struct msg_out m;

	/* What the socket refuses is queued, but nothing after it. */
	if (c->parent == NULL || !channel_is_writable(c->parent)) {
		c->audit_lost++;
		return;
	}
	msg_start(&m, MSG_AUDIT, 0);
	audit_add(&m, record);
	channel_send(c->parent, &m, -1);
}
