#ifndef TESTS_UNIT_CONNECTOR_INSTANCE_H
#define TESTS_UNIT_CONNECTOR_INSTANCE_H

/*
 * The program connector itself, started as tetherd does it.  Parent, proxyd,
 * authd and the orchestrator are played by the test, which notes what they
 * get, in order: "dial", "token:CONF" (where it stays unanswered),
 * "up:CLIENT-ID", "down", "request:ID", "user:ID" and "lost" (proxyd),
 * "register:N:CLIENT-ID" (and "as:STATUS" unless that is idle),
 * "status_update:N:STATUS", "broken:N" (no JSON), "answer:N:ID:STATUS", "reply:N:ID", "ping:N" and
 * "closed:N:CODE" (connection N of the orchestrator), "accepted:FLAGS" and
 * "refused:WHY".
 */

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "common/activity.h"
#include "common/channel.h"
#include "common/child.h"
#include "common/json.h"
#include "common/link.h"
#include "common/log.h"
#include "common/slice.h"
#include "common/status.h"
#include "common/ws.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define CONNECTIONS_MAX 8
#define IDS_MAX		64
#define WAIT_SECONDS	10

/* One connection, at the orchestrator's end. */
struct far {
	struct bufferevent *bev; /* until the upgrade */
	struct ws *ws;
	int near; /* the other end, if it is of TCP; else -1 */
	char url[256];
	char pending_id[64]; /* that it said */
};

static struct instance {
	struct event_base *base;
	pid_t pid;
	int log;
	struct channel *channel, *proxyd, *authd;
	struct connector_conf conf; /* what the parent has */
	uint64_t id;		    /* of the reload */
	struct far far[CONNECTIONS_MAX];
	size_t nfar;
	char notes[16384];
	/* proxyd's requests, by number */
	struct {
		char id[32];
		uint64_t number;
	} ids[IDS_MAX];
	size_t nids;
	struct status *status;
	/* how it is played */
	bool silent; /* no answer to "register" */
	bool no_dial;
	bool no_token;
	bool tcp;
	bool deaf;		/* no answer to "ping" */
	int questions_answered; /* and then it is another; 0: never */
	int dial_failures;
	/* what authd has */
	char token[64], client_id[64];
	char next_client_id[64]; /* of a token that follows, if not "" */
	int grants_lost;	 /* before it keeps one */
	bool hangs;		 /* once it lost them */
} * in;

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	size_t n = strlen(in->notes);
	va_list ap;

	va_start(ap, format);
	n +=
	    (size_t)vsnprintf(in->notes + n, sizeof(in->notes) - n, format, ap);
	va_end(ap);
	assert_true(n + 2 < sizeof(in->notes));
	(void)strlcat(in->notes, " ", sizeof(in->notes));
}

static size_t
number_of(const struct ws *ws)
{
	size_t i;

	for (i = 0; i < in->nfar && in->far[i].ws != ws; i++)
		continue;
	assert_true(i < in->nfar);
	return i;
}

static void __attribute__((format(printf, 2, 3)))
far_send(size_t i, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	assert_int_equal(
	    ws_send(in->far[i].ws, WS_TEXT, text, strlen(text)), 0);
}

static void
on_far_message(
    void *arg, struct ws *ws, enum ws_type type, struct evbuffer *message)
{
	struct json_object *json = json_parse(message, JSON_DEPTH_MAX), *status;
	const char *kind, *id;
	size_t i = number_of(ws);

	(void)arg;
	assert_int_equal(type, WS_TEXT);
	if (json == NULL) {
		note("broken:%zu", i);
		return;
	}
	kind = json_string(json, "type", NULL);
	id = json_string(json, "request_id", NULL);
	if (strcmp(kind, "register") == 0) {
		note(
		    "register:%zu:%s", i, json_string(json, "client_id", NULL));
		assert_true(
		    json_object_object_get_ex(json, "metadata", &status));
		id = json_string(status, "status", NULL);
		if (strcmp(id, "idle") != 0)
			note("as:%s", id);
		if (!in->silent)
			far_send(
			    i, "{\"type\":\"registered\",\"success\":true}");
	} else if (strcmp(kind, "http_proxy_response") == 0) {
		assert_true(json_object_object_get_ex(json, "status", &status));
		note("answer:%zu:%s:%d", i, id, json_object_get_int(status));
	} else if (strcmp(kind, "status_update") == 0) {
		note("status_update:%zu:%s", i,
		    json_string(json, "status", NULL));
	} else if (strcmp(kind, "pending_register") == 0) {
		(void)strlcpy(in->far[i].pending_id,
		    json_string(json, "pending_id", NULL),
		    sizeof(in->far[i].pending_id));
		note("pending:%zu:%s:%s:%s", i,
		    json_string(json, "hostname", NULL),
		    json_string(json, "project", NULL),
		    json_string(json, "platform", NULL));
	} else if (strcmp(kind, "ping") == 0) {
		id = json_string(json, "pending_id", NULL);
		note("ping:%zu", i);
		if (id != NULL) {
			assert_string_equal(id, in->far[i].pending_id);
			note("of:%s", json_string(json, "client_id", NULL));
		}
		if (!in->deaf)
			far_send(i, "{\"type\":\"pong\"}");
	} else
		note("%s:%zu:%s", kind, i, id == NULL ? "" : id);
	json_object_put(json);
}

static void
on_far_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	size_t i = number_of(ws);

	(void)arg;
	(void)reason;
	(void)clean;
	note("closed:%zu:%u", i, code);
	in->far[i].ws = NULL;
	ws_free(ws);
}

static const struct ws_ops far_ops = {
	.message = on_far_message,
	.closed = on_far_closed,
};

/* The upgrade, which is looked at no closer than needed. */
static void
on_far_readable(struct bufferevent *bev, void *arg)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	struct evbuffer *input = bufferevent_get_input(bev);
	struct far *far = arg;
	char head[65536] = "", accept[WS_ACCEPT_SIZE], *at;

	(void)evbuffer_copyout(input, head, sizeof(head) - 1);
	if (strstr(head, "\r\n\r\n") == NULL)
		return;
	(void)sscanf(head, "GET %255s", far->url);
	at = strcasestr(head, name);
	assert_non_null(at);
	at += strlen(name);
	at[strcspn(at, "\r")] = '\0';
	ws_accept(accept, at);
	evbuffer_drain(input, evbuffer_get_length(input));
	evbuffer_add_printf(bufferevent_get_output(bev),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
	far->bev = NULL;
	far->ws = ws_new(bev, WS_SERVER, 1 << 20, &far_ops, NULL);
	assert_non_null(far->ws);
}

static void
tcp_pair(int pair[2])
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(pair[1], (struct sockaddr *)&sin, sizeof(sin)), 0);
	pair[0] = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_int_not_equal(pair[0], -1);
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	close(fd);
}

/* In place of a real socket to the orchestrator. */
static int
on_dial(void *arg, struct msg *m)
{
	struct msg_out out;
	struct far *far;
	int pair[2];

	(void)arg;
	note("dial");
	if (in->no_dial)
		return 0;
	if (in->dial_failures > 0) {
		in->dial_failures--;
		msg_start(&out, MSG_DIAL_FAILED, m->id);
		msg_add_str(&out, "refused");
		channel_send(in->channel, &out, -1);
		return 0;
	}
	assert_true(in->nfar < CONNECTIONS_MAX);
	if (in->tcp)
		tcp_pair(pair);
	else
		assert_int_equal(
		    socketpair(AF_UNIX,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
		    0);
	far = &in->far[in->nfar++];
	far->near = in->tcp ? dup(pair[1]) : -1;
	far->bev =
	    bufferevent_socket_new(in->base, pair[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(far->bev, on_far_readable, NULL, NULL, far);
	bufferevent_enable(far->bev, EV_READ | EV_WRITE);
	msg_start(&out, MSG_DIALED, m->id);
	msg_add_str(&out, "the test");
	channel_send(in->channel, &out, pair[1]);
	return 0;
}

static int
on_token_get(void *arg, struct msg *m)
{
	uint64_t conf_id = msg_get_u64(m);
	struct msg_out out;

	(void)arg;
	if (in->no_token) {
		note("token:%llu", (unsigned long long)conf_id);
		return 0;
	}
	msg_start(&out, MSG_TOKEN, m->id);
	msg_add_str(&out, in->token);
	msg_add_str(&out, in->client_id);
	channel_send(in->authd, &out, -1);
	if (in->questions_answered > 0 && --in->questions_answered == 0) {
		in->token[0] = '\0';
		(void)strlcpy(
		    in->client_id, in->next_client_id, sizeof(in->client_id));
		if (in->next_client_id[0] != '\0')
			(void)strlcpy(in->token, "ao_next", sizeof(in->token));
	}
	return 0;
}

/* Kept as authd would, unless it has another configuration. */
static int
on_token_granted(void *arg, struct msg *m)
{
	uint64_t conf_id = msg_get_u64(m);
	char token[64], client_id[64];

	(void)arg;
	msg_get_str(m, token, sizeof(token));
	msg_get_str(m, client_id, sizeof(client_id));
	assert_true(msg_end(m));
	note("granted:%llu:%s:%s", (unsigned long long)conf_id, token,
	    client_id);
	if (in->grants_lost > 0) {
		in->no_token = --in->grants_lost == 0 && in->hangs;
		return 0;
	}
	(void)strlcpy(in->token, token, sizeof(in->token));
	(void)strlcpy(in->client_id, client_id, sizeof(in->client_id));
	return 0;
}

static int
on_request(void *arg, struct msg *m)
{
	struct evbuffer *text = evbuffer_new();
	struct json_object *json;
	const char *id;

	(void)arg;
	assert_int_equal(m->flags, 0);
	evbuffer_add(text, m->data, m->len);
	json = json_parse(text, JSON_DEPTH_MAX);
	id = json_string(json, "request_id", NULL);
	note("%s:%s", m->type == MSG_REQUEST ? "request" : "user", id);
	assert_true(in->nids < IDS_MAX);
	(void)strlcpy(in->ids[in->nids].id, id, sizeof(in->ids[0].id));
	in->ids[in->nids++].number = m->id;
	json_object_put(json);
	evbuffer_free(text);
	return 0;
}

static int
on_link_up(void *arg, struct msg *m)
{
	struct link_up up;

	(void)arg;
	assert_int_equal(link_up_read(m, &up), 0);
	note("up:%s:%llu", up.client_id, (unsigned long long)up.message_max);
	return 0;
}

static int
on_link_down(void *arg, struct msg *m)
{
	(void)arg;
	(void)m;
	note("down");
	return 0;
}

static int
on_nothing(void *arg, struct msg *m)
{
	(void)arg;
	(void)m;
	return 0;
}

static const struct channel_ops proxyd_ops;
static const struct channel_ops authd_ops;

static void
attach(enum program peer)
{
	struct msg_out m;
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	if (peer == PROGRAM_PROXYD)
		in->proxyd = channel_new(in->base, pair[0], PROGRAM_PROXYD,
		    PROGRAM_CONNECTOR, &proxyd_ops, NULL);
	else
		in->authd = channel_new(in->base, pair[0], PROGRAM_AUTHD,
		    PROGRAM_CONNECTOR, &authd_ops, NULL);
	msg_start(&m, MSG_PEER, 0);
	msg_add_u32(&m, peer);
	channel_send(in->channel, &m, pair[1]);
}

/* Its end of the channel closes. */
static void
detach(enum program peer)
{
	struct channel **ch = peer == PROGRAM_PROXYD ? &in->proxyd : &in->authd;

	channel_free(*ch);
	*ch = NULL;
}

static void
send_conf(const struct connector_conf *conf, int ca_fd)
{
	struct msg_out m;

	msg_start(&m, MSG_CONF_CONNECTOR, in->id);
	slice_add_connector(&m, conf);
	channel_send(in->channel, &m, -1);
	if (ca_fd != -1) {
		msg_start(&m, MSG_CONF_FILE, in->id);
		msg_add_u32(&m, CONF_FILE_CA);
		msg_add_str(&m, conf->ca_file);
		channel_send(in->channel, &m, ca_fd);
	}
	channel_send_empty(in->channel, MSG_CONF_DONE, in->id);
}

static int
on_hello(void *arg, struct msg *m)
{
	(void)arg;
	assert_int_equal(msg_get_u32(m), MSG_PROTOCOL_VERSION);
	channel_set_state(in->channel, MSG_RUN);
	send_conf(&in->conf, in->conf.ca_fd);
	in->conf.ca_fd = -1;
	return 0;
}

static int
on_ready(void *arg, struct msg *m)
{
	(void)arg;
	(void)m;
	note("ready");
	return 0;
}

static int
on_accepted(void *arg, struct msg *m)
{
	(void)arg;
	assert_int_equal(m->id, in->id);
	note("accepted:%u", msg_get_u32(m));
	return 0;
}

static int
on_refused(void *arg, struct msg *m)
{
	char why[1024];

	(void)arg;
	assert_int_equal(m->id, in->id);
	msg_get_str(m, why, sizeof(why));
	note("refused:%s", why);
	return 0;
}

static int
on_status(void *arg, struct msg *m)
{
	(void)arg;
	status_free(in->status);
	in->status = status_new(PROGRAM_CONNECTOR);
	assert_int_equal(status_read(m, in->status), 0);
	return 0;
}

static void
on_broken(void *arg, struct channel *ch, const char *why)
{
	(void)arg;
	if (why != NULL)
		fail_msg("channel: %s", why);
	channel_free(ch);
	if (ch == in->channel) {
		note("gone");
		in->channel = NULL;
	} else if (ch == in->proxyd)
		in->proxyd = NULL;
	else
		in->authd = NULL;
}

static const struct channel_ops parent_ops = {
	.handlers = {
		[MSG_HELLO_BACK] = on_hello,
		[MSG_READY] = on_ready,
		[MSG_DIAL] = on_dial,
		[MSG_CONF_ACCEPTED] = on_accepted,
		[MSG_CONF_REFUSED] = on_refused,
		[MSG_CONF_SWITCHED] = on_nothing,
		[MSG_STATUS] = on_status,
	},
	.broken = on_broken,
};

static const struct channel_ops proxyd_ops = {
	.handlers = {
		[MSG_LINK_UP] = on_link_up,
		[MSG_LINK_DOWN] = on_link_down,
		[MSG_REQUEST] = on_request,
		[MSG_USER_REQUEST] = on_request,
		[MSG_ANSWER_SENT] = on_nothing,
	},
	.broken = on_broken,
};

static const struct channel_ops authd_ops = {
	.handlers = {
		[MSG_TOKEN_GET] = on_token_get,
		[MSG_TOKEN_GRANTED] = on_token_granted,
	},
	.broken = on_broken,
};

/* Let things happen for so many milliseconds. */
static inline void
spin(int ms)
{
	struct timeval after = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(in->base, &after);
	event_base_dispatch(in->base);
}

/* Until the notes hold the text. */
static void
await(const char *text)
{
	int i;

	for (i = 0; i < WAIT_SECONDS * 200; i++) {
		if (strstr(in->notes, text) != NULL)
			return;
		spin(5);
	}
	fail_msg("no \"%s\" in: %s", text, in->notes);
}

static inline void
forget(void)
{
	in->notes[0] = '\0';
}

static inline bool
was_noted(const char *text)
{
	return strstr(in->notes, text) != NULL;
}

static char *
copy(const char *s)
{
	char *c = strdup(s);

	assert_non_null(c);
	return c;
}

static void
replace(char **s, const char *with)
{
	free(*s);
	*s = copy(with);
}

static int
instance_setup(void **state)
{
	(void)state;
	in = calloc(1, sizeof(*in));
	if (in == NULL || (in->base = event_base_new()) == NULL)
		return -1;
	in->log = -1;
	(void)strlcpy(in->token, "ao_token", sizeof(in->token));
	in->conf = (struct connector_conf){
		.enabled = true,
		.host = copy("host.example"),
		.port = 80,
		.target = copy("/ws"),
		.client_id = copy("box"),
		.reconnect_ms = 50,
		.heartbeat_ms = 30000,
		.ca_file = copy(""),
		.ca_fd = -1,
		.message_max = 1 << 20,
		.json_depth = 64,
		.total_ms = 60000,
		.hostname = copy("hostname"),
		.project = copy("/project"),
		.version = copy("1"),
		.callback_url = copy(""),
		.claim_users = copy(""),
		.claim_orgs = copy(""),
		.claim_teams = copy(""),
		.confinement = { .sandbox = true },
	};
	return 0;
}

/* Beside the tests, where make puts it. */
static const char *
connector_path(void)
{
	static char path[4096];
	char *name = copy(program_invocation_name);

	(void)snprintf(path, sizeof(path),
	    "%s/../../../libexec/tetherd/connector", dirname(name));
	free(name);
	return path;
}

/* Start it, up to its READY, or its end. */
static void
instance_run(void)
{
	int channel[2], logs[2];
	struct msg_out m;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	assert_int_equal(
	    socketpair(
		AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, logs),
	    0);
	in->pid = fork();
	assert_int_not_equal(in->pid, -1);
	if (in->pid == 0) {
		/* Out of the way of the places where they belong. */
		int a = fcntl(channel[1], F_DUPFD_CLOEXEC, 64);
		int b = fcntl(logs[1], F_DUPFD_CLOEXEC, 64);

		if (dup2(a, CHILD_FD_PARENT) == -1 ||
		    dup2(b, CHILD_FD_LOG) == -1)
			_exit(99);
		execl(connector_path(), "connector", (char *)NULL);
		_exit(98);
	}
	close(channel[1]);
	close(logs[1]);
	in->log = logs[0];
	in->channel = channel_new(in->base, channel[0], PROGRAM_PARENT,
	    PROGRAM_CONNECTOR, &parent_ops, NULL);
	channel_set_state(in->channel, MSG_START);
	msg_start(&m, MSG_HELLO, 0);
	msg_add_u32(&m, MSG_PROTOCOL_VERSION);
	channel_send(in->channel, &m, -1);
}

/* ... with those that it talks to. */
static void
instance_run_attached(void)
{
	instance_run();
	await("ready");
	attach(PROGRAM_AUTHD);
	attach(PROGRAM_PROXYD);
}

/* ... and registered. */
static inline void
instance_start(void)
{
	instance_run_attached();
	if (in->conf.enabled && !in->no_dial)
		await(in->silent ? "register:0" : "up:");
}

/* The exit status of the program. */
static int
instance_end(void)
{
	int i, status;

	for (i = 0; i < WAIT_SECONDS * 200; i++) {
		if (waitpid(in->pid, &status, WNOHANG) == in->pid) {
			in->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		spin(5);
	}
	return -2;
}

static int
instance_teardown(void **state)
{
	int status = 0;
	size_t i;

	(void)state;
	/* What it still has is over then, and it need not wait. */
	detach(PROGRAM_PROXYD);
	if (in->pid != 0) {
		if (in->channel != NULL)
			channel_send_empty(in->channel, MSG_SHUTDOWN, 0);
		status = instance_end();
		if (in->pid != 0)
			kill(in->pid, SIGKILL);
	}
	if (status != 0)
		print_error("connector ended with %d\n", status);
	channel_free(in->channel);
	channel_free(in->authd);
	for (i = 0; i < in->nfar; i++) {
		ws_free(in->far[i].ws);
		if (in->far[i].bev != NULL)
			bufferevent_free(in->far[i].bev);
		if (in->far[i].near != -1)
			close(in->far[i].near);
	}
	close(in->log);
	status_free(in->status);
	slice_free_connector(&in->conf);
	event_base_free(in->base);
	free(in);
	return status;
}

/* Stage what in->conf says, and see whether it is accepted. */
static inline void
stage(int ca_fd)
{
	in->id++;
	send_conf(&in->conf, ca_fd);
	await("ed:");
}

static inline void
switch_conf(uint32_t flags)
{
	struct msg_out m;

	msg_start(&m, MSG_CONF_SWITCH, in->id);
	msg_add_u32(&m, flags);
	channel_send(in->channel, &m, -1);
}

/* A whole reload, as far as the parent is concerned. */
static inline void
reload(uint32_t flags)
{
	forget();
	stage(-1);
	assert_true(was_noted("accepted:0"));
	forget();
	switch_conf(flags);
}

/* What proxyd says the instance is doing. */
static inline void
say_activity(enum activity_status status)
{
	struct msg_out m;

	msg_start(&m, MSG_ACTIVITY, 0);
	activity_add(&m, status);
	channel_send(in->proxyd, &m, -1);
}

/* What it says of itself is in in->status then. */
static inline void
ask_status(void)
{
	int i;

	status_free(in->status);
	in->status = NULL;
	channel_send_empty(in->channel, MSG_STATUS_GET, 7);
	for (i = 0; i < 1000 && in->status == NULL; i++)
		spin(5);
	assert_non_null(in->status);
}

/* The orchestrator's end of connection i is gone, without a word. */
static inline void
far_lose(size_t i)
{
	ws_free(in->far[i].ws);
	in->far[i].ws = NULL;
}

static inline void
request(size_t i, const char *id)
{
	far_send(
	    i, "{\"type\":\"http_proxy_request\",\"request_id\":\"%s\"}", id);
}

static inline void
user_request(size_t i, const char *id)
{
	far_send(i,
	    "{\"type\":\"user_request\",\"action\":\"x\","
	    "\"request_id\":\"%s\"}",
	    id);
}

/* proxyd says something to one of its requests, or a part of that. */
static void
say_part(enum msg_type type, const char *id, const char *part, bool more)
{
	struct evbuffer *text = evbuffer_new();
	struct evbuffer_ptr start;
	size_t i;

	for (i = 0; i < in->nids && strcmp(in->ids[i].id, id) != 0; i++)
		continue;
	assert_true(i < in->nids);
	evbuffer_add(text, part, strlen(part));
	evbuffer_ptr_set(text, &start, 0, EVBUFFER_PTR_SET);
	assert_true(
	    channel_send_slice(in->proxyd, type, more ? MSG_FLAG_MORE : 0,
		in->ids[i].number, text, &start, evbuffer_get_length(text)));
	evbuffer_free(text);
}

static inline void
say(enum msg_type type, const char *id)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "{\"type\":\"%s\",\"request_id\":\"%s\",\"status\":200}",
	    type == MSG_ANSWER	? "http_proxy_response"
	    : type == MSG_REPLY ? "response_chunk"
				: "response_complete",
	    id);
	say_part(type, id, text, false);
}

#endif
