#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/msg.h"
#include "common/timer.h"
#include "sandbox/sandbox.h"
#include "tetherd/conf.h"
#include "tetherd/control.h"
#include "tetherd/control_admin.h"
#include "tetherd/control_client.h"
#include "tetherd/control_limits.h"
#include "tetherd/control_peer.h"
#include "tetherd/control_protocol.h"
#include "tetherd/control_show.h"
#include "tetherd/control_socket.h"
#include "tetherd/inquiry.h"

/* After an error nobody is accepted for so long: it would come again. */
#define ACCEPT_AGAIN_MS 1000

struct control {
	struct control_socket socket;
	struct control_shared shared;
	struct control_client *clients[CONTROL_CLIENTS_MAX]; /* or NULL */
	struct event *acceptable;
	struct event *again;
};

static void control_on_acceptable(int, short, void *);
static void control_on_again(int, short, void *);

struct control *
control_new(struct event_base *base, const struct conf *conf)
{
	struct control *c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("control");
	c->shared.base = base;
	c->shared.started = control_show_now();
	if (conf->parent.sandbox)
		c->shared.landlock = sandbox_landlock_abi();
	control_socket_open(
	    &c->socket, conf->parent.socket, conf->parent.group);
	return c;
}

const char *
control_path(const struct control *c)
{
	return c->socket.fd == -1 ? "" : c->socket.path;
}

void
control_start(
    struct control *c, struct children *children, struct reload *reload)
{
	if (c->socket.fd == -1)
		return;
	c->shared.children = children;
	c->shared.reload = reload;
	c->shared.inquiries = inquiries_new(c->shared.base, children);
	c->shared.admin = control_admin_new(c->shared.base, children);
	c->again = evtimer_new(c->shared.base, control_on_again, c);
	c->acceptable = event_new(c->shared.base, c->socket.fd,
	    EV_READ | EV_PERSIST, control_on_acceptable, c);
	if (c->again == NULL || c->acceptable == NULL ||
	    event_add(c->acceptable, NULL) == -1)
		fatalx("control: no event");
}

static void
control_on_again(int fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	if (event_add(c->acceptable, NULL) == -1)
		fatalx("control: no event");
}

static void
control_on_gone(void *arg, struct control_client *client)
{
	struct control *c = arg;
	size_t i;

	for (i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->clients[i] == client)
			c->clients[i] = NULL;
}

static void
refuse(int fd, enum control_code code, const char *why)
{
	struct msg_out m;

	msg_start(&m, MSG_CTL_DONE, 0);
	msg_add_u32(&m, code);
	msg_add_str(&m, why);
	(void)msg_send_now(fd, &m, -1);
	close(fd);
}

static void
control_admit(struct control *c, int fd)
{
	struct control_peer peer;
	size_t i;

	control_peer_get(fd, c->socket.group, &peer);
	if (peer.right == CONTROL_NOTHING) {
		control_peer_log_refusal(&peer);
		refuse(fd, CONTROL_DENIED, "permission denied");
		return;
	}
	for (i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->clients[i] == NULL)
			break;
	if (i == CONTROL_CLIENTS_MAX) {
		control_peer_log_fault(&peer, "too many clients");
		refuse(fd, CONTROL_REFUSED, "too many clients");
		return;
	}
	c->clients[i] =
	    control_client_new(&c->shared, fd, &peer, control_on_gone, c);
}

static void
control_on_acceptable(int listener, short what, void *arg)
{
	struct control *c = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (fd != -1) {
		control_admit(c, fd);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	log_warn("control: accept");
	event_del(c->acceptable);
	timer_set(c->again, ACCEPT_AGAIN_MS);
}

void
control_stop(struct control *c)
{
	size_t i;

	if (c->acceptable != NULL) {
		event_free(c->acceptable);
		event_free(c->again);
		c->acceptable = c->again = NULL;
	}
	control_socket_close(&c->socket);
	for (i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (c->clients[i] == NULL)
			continue;
		control_client_dismiss(c->clients[i]);
		control_client_free(c->clients[i]);
		c->clients[i] = NULL;
	}
	inquiries_free(c->shared.inquiries);
	c->shared.inquiries = NULL;
	control_admin_free(c->shared.admin);
	c->shared.admin = NULL;
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	control_stop(c);
	free(c);
}

void
control_on_status(struct control *c, enum program program, uint64_t id,
    const struct status *s)
{
	if (c->shared.inquiries != NULL)
		inquiries_on_status(c->shared.inquiries, program, id, s);
}

/* Without a socket nobody asked; what comes after the end is for nobody. */
int
control_on_admin_user(
    struct control *c, uint64_t id, const struct admin_user *user)
{
	if (c->shared.admin == NULL)
		return 0;
	return control_admin_on_user(c->shared.admin, id, user);
}

int
control_on_admin_token(
    struct control *c, uint64_t id, const struct admin_token *token)
{
	if (c->shared.admin == NULL)
		return 0;
	return control_admin_on_token(c->shared.admin, id, token);
}

int
control_on_admin_done(
    struct control *c, uint64_t id, const struct admin_done *done)
{
	if (c->shared.admin == NULL)
		return 0;
	return control_admin_on_done(c->shared.admin, id, done);
}

void
control_on_authd_gone(struct control *c)
{
	if (c->shared.admin != NULL)
		control_admin_on_gone(c->shared.admin);
}
