#ifndef TESTS_UNIT_PROXYD_CHAT_FIXTURE_H
#define TESTS_UNIT_PROXYD_CHAT_FIXTURE_H

#include "tests/unit/proxyd/tunnel_fixture.h"

#include <stdio.h>

#include "common/monotonic.h"
#include "common/timer.h"
#include "proxyd/audit.h"
#include "proxyd/chat.h"
#include "proxyd/chat_tap.h"
#include "proxyd/chats.h"
#include "proxyd/deny.h"
#include "proxyd/rates.h"
#include "proxyd/reply.h"
#include "proxyd/role.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnels.h"
#include "proxyd/upstream_socket.h"
#include "proxyd/user_auth.h"
#include "proxyd/user_requests.h"

#define CHATS_MAX 4
#define IDLE_MS	  60000

/* The clock, and the timers that are set. */
static int64_t now_ms;
static struct {
	struct event *event;
	int64_t due_ms;
} timers[8];

int64_t
monotonic_ms(void)
{
	return now_ms;
}

void
timer_set(struct event *event, uint32_t ms)
{
	size_t i;

	for (i = 0; i < COUNT(timers); i++)
		if (timers[i].event == event || timers[i].event == NULL)
			break;
	assert_in_range(i, 0, COUNT(timers) - 1);
	timers[i].event = event;
	timers[i].due_ms = now_ms + ms;
}

/* authd: what it was asked by token, and the wait for anything else. */
#define TOKENS_MAX 400
static struct {
	uint64_t id;
	char token[SESSION_TOKEN_MAX + 1];
} tokens[TOKENS_MAX];
static size_t ntokens;
static bool authd_is_there;
static struct session known; /* of sessions_get() and its like */
static bool is_known;
static struct session_wait *waiting[16];
static size_t nwaiting;
static unsigned asked_service, asked_person, forgotten, forgotten_service;

bool
child_send(struct child *child, enum program peer, struct msg_out *m)
{
	struct msg in = { .fd = -1, .data = m->data, .len = m->len };

	assert_non_null(child);
	assert_int_equal(peer, PROGRAM_AUTHD);
	assert_int_equal(m->type, MSG_SESSION_GET_BY_TOKEN);
	if (authd_is_there) {
		assert_in_range(ntokens, 0, TOKENS_MAX - 1);
		tokens[ntokens].id = m->id;
		assert_int_equal(
		    session_token_read(&in, tokens[ntokens].token), 0);
		ntokens++;
	}
	msg_discard(m);
	return authd_is_there;
}

static const struct session *
get_session(struct session_wait *wait)
{
	assert_null(wait->in);
	if (is_known)
		return &known;
	assert_in_range(nwaiting, 0, COUNT(waiting) - 1);
	waiting[nwaiting++] = wait;
	wait->in = (struct session_entry *)&known;
	return NULL;
}

const struct session *
sessions_get(struct sessions *s, uint64_t github_id, const char *login,
    struct session_wait *wait)
{
	(void)s;
	assert_int_equal(github_id, 5);
	assert_string_equal(login, "mona");
	asked_person++;
	return get_session(wait);
}

const struct session *
sessions_get_service(
    struct sessions *s, enum session_service service, struct session_wait *wait)
{
	(void)s;
	assert_int_equal(service, SESSION_SERVICE_ACT);
	asked_service++;
	return get_session(wait);
}

void
sessions_cancel(struct session_wait *wait)
{
	size_t i;

	if (wait->in == NULL)
		return;
	wait->in = NULL;
	for (i = 0; i < nwaiting && waiting[i] != wait; i++)
		continue;
	assert_in_range(i, 0, nwaiting - 1);
	waiting[i] = waiting[--nwaiting];
}

void
sessions_forget(struct sessions *s, uint64_t github_id, const char *login)
{
	(void)s;
	assert_int_equal(github_id, 5);
	assert_string_equal(login, "mona");
	forgotten++;
}

void
sessions_forget_service(struct sessions *s)
{
	(void)s;
	forgotten_service++;
}

void
sessions_on_flush(struct sessions *s, void (*flushed)(void *arg), void *arg)
{
	(void)s;
	(void)flushed;
	(void)arg;
}

static struct audit_record audited;
static unsigned naudited;

void
child_audit(struct child *child, const struct audit_record *record)
{
	assert_non_null(child);
	audited = *record;
	naudited++;
}

/* The upstream's sockets. */
#define SOCKETS_MAX 2000
struct upstream_socket {
	const struct upstream_socket_ops *ops;
	void *arg;
	bool is_open, closes, paused;
	bool fills, stuck; /* with the next message; it is full */
	uint16_t code;
	struct evbuffer *got; /* each message with a newline */
};

static struct upstream_socket *sockets[SOCKETS_MAX]; /* NULL once freed */
static size_t nsockets, nfreed;
static char last_jwt[64];

struct upstream_socket *
upstream_socket_open(struct event_base *base, const struct proxyd_conf *conf,
    const char *target, const char *jwt, const char *const *protocols,
    size_t nprotocols, const struct upstream_socket_ops *ops, void *arg)
{
	struct upstream_socket *s = calloc(1, sizeof(*s));

	assert_non_null(base);
	assert_non_null(conf);
	assert_string_equal(target, "/ws");
	assert_null(protocols);
	assert_int_equal(nprotocols, 0);
	(void)strlcpy(last_jwt, jwt, sizeof(last_jwt));
	s->ops = ops;
	s->arg = arg;
	s->got = evbuffer_new();
	assert_in_range(nsockets, 0, SOCKETS_MAX - 1);
	sockets[nsockets++] = s;
	return s;
}

void
upstream_socket_free(struct upstream_socket *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < nsockets && sockets[i] != s; i++)
		continue;
	assert_in_range(i, 0, nsockets - 1);
	sockets[i] = NULL;
	nfreed++;
	evbuffer_free(s->got);
	free(s);
}

bool
upstream_socket_close(
    struct upstream_socket *s, uint16_t code, const char *reason)
{
	assert_string_equal(reason, "");
	s->closes = s->is_open;
	s->code = code;
	return s->is_open;
}

void
upstream_socket_send(struct upstream_socket *s, enum ws_type type, bool fin,
    const void *data, size_t len)
{
	assert_int_equal(type, WS_TEXT);
	assert_true(fin);
	assert_true(s->is_open);
	assert_false(s->closes);
	assert_false(s->stuck);
	evbuffer_add(s->got, data, len);
	evbuffer_add(s->got, "\n", 1);
	s->stuck = s->fills;
}

bool
upstream_socket_is_writable(const struct upstream_socket *s)
{
	return !s->stuck;
}

void
upstream_socket_pause(struct upstream_socket *s)
{
	assert_false(s->paused);
	s->paused = true;
}

void
upstream_socket_resume(struct upstream_socket *s)
{
	assert_true(s->paused);
	s->paused = false;
}

const char *
upstream_socket_reason(enum upstream_socket_failure failure)
{
	static const char *const reasons[] = { "502 unreachable", "504 timeout",
		"502 malformed", "403 unauthorized", "502 refused" };

	return reasons[failure];
}

/* What listens to a chat. */
static bool runs;
static unsigned ntaps;
static struct evbuffer *tapped;

struct chat_tap *
chat_tap_new(struct runs *r)
{
	(void)r;
	ntaps++;
	return (struct chat_tap *)&ntaps;
}

void
chat_tap_free(struct chat_tap *tap)
{
	if (tap != NULL)
		ntaps--;
}

static void
tap(const char *way, const void *data, size_t len, bool fin)
{
	evbuffer_add(tapped, way, strlen(way));
	evbuffer_add(tapped, data, len);
	evbuffer_add(tapped, fin ? "." : "-", 1);
}

void
chat_tap_up(struct chat_tap *t, enum ws_type type, const void *data, size_t len,
    bool fin)
{
	assert_non_null(t);
	assert_int_equal(type, WS_TEXT);
	tap(">", data, len, fin);
}

void
chat_tap_down(struct chat_tap *t, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	assert_non_null(t);
	(void)type;
	tap("<", data, len, fin);
}

bool
chat_tap_is_running(const struct chat_tap *t)
{
	assert_non_null(t);
	return runs;
}

struct fixture {
	struct proxyd proxyd;
	uint64_t number;
	unsigned used, none;
};

static void
on_use(void *arg)
{
	struct fixture *f = arg;

	f->used++;
}

static void
on_none(void *arg)
{
	struct fixture *f = arg;

	f->none++;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct proxyd *p = &f->proxyd;

	memset(timers, 0, sizeof(timers));
	now_ms = 1000000;
	p->child.base = event_base_new();
	p->conf.chats_max = CHATS_MAX;
	p->conf.chat_idle_ms = IDLE_MS;
	p->conf.json_depth = 8;
	p->link.message_max = 60000;
	p->conf.buffered_max = 64 * 1024 * 1024;
	p->rates = rates_new(&p->conf);
	p->tunnels = tunnels_new(p);
	p->chats = chats_new(p);
	chats_on_use(p->chats, on_use, f);
	chats_on_none(p->chats, on_none, f);
	p->user_auth = user_auth_new(p);
	authd_is_there = true;
	memset(&known, 0, sizeof(known));
	(void)strlcpy(known.login, "orchestrator", sizeof(known.login));
	(void)strlcpy(known.jwt, "service.jwt", sizeof(known.jwt));
	is_known = true;
	nwaiting = ntokens = nsockets = nfreed = 0;
	asked_service = asked_person = forgotten = forgotten_service = 0;
	naudited = 0;
	runs = false;
	outbox_is_full = false;
	tapped = evbuffer_new();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	struct proxyd *p = &f->proxyd;
	size_t i;

	chats_free(p->chats);
	user_auth_free(p->user_auth);
	tunnels_free(p->tunnels);
	rates_free(p->rates);
	deny_free(p->deny);
	assert_int_equal(p->buffered, 0);
	assert_int_equal(nwaiting, 0);
	assert_int_equal(ntaps, 0);
	for (i = 0; i < nsockets; i++)
		assert_null(sockets[i]);
	assert_int_equal(nfreed, nsockets);
	event_base_free(p->child.base);
	evbuffer_free(tapped);
	clear_replies();
	free(f);
	return 0;
}

static void
run(struct fixture *f)
{
	assert_int_not_equal(
	    event_base_loop(f->proxyd.child.base, EVLOOP_NONBLOCK), -1);
}

/* So much time goes by, in steps that timers can keep up with. */
static inline void
pass(struct fixture *f, uint32_t ms)
{
	int64_t end_ms = now_ms + ms;
	struct event *event;
	size_t i;

	while (now_ms < end_ms) {
		now_ms = end_ms - now_ms < 1000 ? end_ms : now_ms + 1000;
		for (i = 0; i < COUNT(timers); i++) {
			if ((event = timers[i].event) == NULL ||
			    timers[i].due_ms > now_ms)
				continue;
			timers[i].due_ms = INT64_MAX;
			event_active(event, EV_TIMEOUT, 1);
		}
		run(f);
	}
}

/* Any message; returns its number. */
static uint64_t say(struct fixture *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static uint64_t
say(struct fixture *f, const char *format, ...)
{
	struct evbuffer *text = evbuffer_new();
	va_list args;

	va_start(args, format);
	evbuffer_add_vprintf(text, format, args);
	va_end(args);
	assert_null(user_requests_begin(&f->proxyd, ++f->number, text));
	assert_int_equal(evbuffer_get_length(text), 0);
	evbuffer_free(text);
	return f->number;
}

static uint64_t
ask(struct fixture *f, const char *id, const char *action, const char *payload)
{
	return say(f,
	    "{\"type\":\"user_request\",\"request_id\":\"%s\","
	    "\"action\":\"%s\",\"payload\":%s}",
	    id, action, payload);
}

static inline uint64_t
follow_up(struct fixture *f, const char *id, const char *payload)
{
	return say(f,
	    "{\"type\":\"user_request_follow_up\",\"request_id\":\"%s\","
	    "\"payload\":%s}",
	    id, payload);
}

/* What authd says to the question of that place. */
static inline void
answer(struct fixture *f, size_t i, enum session_status status,
    enum session_role role, uint64_t github_id)
{
	struct session session = { .status = status,
		.role = role,
		.github_id = github_id,
		.login = "mona" };
	struct msg_out out;
	struct msg m;

	(void)strlcpy(session.jwt, status == SESSION_OK ? "mona.jwt" : "",
	    sizeof(session.jwt));
	(void)strlcpy(session.reason,
	    status == SESSION_OK ? "users" : "not you", sizeof(session.reason));
	assert_in_range(i, 0, ntokens - 1);
	msg_start(&out, MSG_SESSION, tokens[i].id);
	session_add(&out, &session);
	m = (struct msg){ .type = MSG_SESSION,
		.id = out.id,
		.fd = -1,
		.data = out.data,
		.len = out.len };
	assert_int_equal(user_auth_on_session(f->proxyd.user_auth, &m), 0);
	msg_discard(&out);
}

/* And to the wait of that place. */
static inline void
answer_wait(size_t i)
{
	struct session_wait *wait = waiting[i];

	sessions_cancel(wait);
	wait->done(wait->arg, &known);
}

static inline void
open_socket(size_t i)
{
	sockets[i]->is_open = true;
	sockets[i]->ops->opened(sockets[i]->arg, NULL);
}

/* A chat of the instance itself; the message is taken. */
static inline uint64_t
open_chat(struct fixture *f, const char *id)
{
	uint64_t number = ask(f, id, "chat.send", "{}");

	open_socket(nsockets - 1);
	evbuffer_drain(sockets[nsockets - 1]->got, SIZE_MAX);
	return number;
}

/* The same of mona. */
static inline uint64_t
open_chat_of(struct fixture *f, const char *id, enum session_role role)
{
	uint64_t number;

	f->proxyd.conf.rules = true;
	number = ask(f, id, "chat.subscribe", "{\"auth_token\":\"gho_m\"}");
	answer(f, ntokens - 1, SESSION_OK, role, 5);
	open_socket(nsockets - 1);
	evbuffer_drain(sockets[nsockets - 1]->got, SIZE_MAX);
	naudited = 0;
	return number;
}

/* It takes more again. */
static inline void
unstick(size_t i)
{
	sockets[i]->stuck = false;
	sockets[i]->ops->writable(sockets[i]->arg);
}

/* All that the socket got since the last time. */
static inline void
expect_got(size_t i, const char *wanted)
{
	struct evbuffer *got = sockets[i]->got;

	evbuffer_add(got, "", 1);
	assert_string_equal((char *)evbuffer_pullup(got, -1), wanted);
	evbuffer_drain(got, SIZE_MAX);
}

/* A message of the upstream, in parts of that size. */
static inline void
upstream_says(
    size_t i, enum ws_type type, const void *data, size_t len, size_t step)
{
	struct upstream_socket *s = sockets[i];
	const uint8_t *at = data;
	size_t n;

	do {
		n = len < step ? len : step;
		s->ops->part(s->arg, type, at, n, n == len);
		at += n;
		len -= n;
	} while (len > 0);
}

static inline void
upstream_text(size_t i, const char *text)
{
	upstream_says(i, WS_TEXT, text, strlen(text), strlen(text) + 1);
}

static inline void
upstream_closes(size_t i, uint16_t code, const char *reason, bool clean)
{
	sockets[i]->ops->closed(sockets[i]->arg, code, reason, clean);
}

/* A silent end. */
static inline void
expect_done(uint64_t number)
{
	assert_null(next_reply(number, true));
	assert_null(replies[taken_replies - 1].json);
}

/* A message "error". */
static inline void
expect_error_message(uint64_t number, const char *text, bool auth_error)
{
	struct reply *r = &replies[taken_replies];
	struct json_object *auth = NULL;

	assert_null(next_reply(number, false));
	assert_string_equal(json_string(r->json, "type", NULL), "error");
	assert_string_equal(json_string(r->json, "message", NULL), text);
	json_object_object_get_ex(r->json, "auth_error", &auth);
	assert_int_equal(json_object_get_boolean(auth), auth_error);
}

/* The chat is over for a reason, and so are all replies. */
static inline void
expect_failed(uint64_t number, const char *text)
{
	char data[512];

	expect_error_message(number, text, false);
	(void)snprintf(
	    data, sizeof(data), "{\"error\":true,\"message\":\"%s\"}", text);
	expect_reply(number, true, data);
	expect_no_reply();
}

static inline void
expect_denied(uint64_t number, const char *text)
{
	struct json_object *data, *member;

	expect_error_message(number, text, true);
	data = next_reply(number, true);
	assert_string_equal(json_string(data, "message", NULL), text);
	assert_true(json_object_object_get_ex(data, "error", &member));
	assert_true(json_object_object_get_ex(data, "auth_error", &member));
	assert_true(json_object_get_boolean(member));
	expect_no_reply();
}

/* All are gone, with their sockets. */
static inline void
expect_gone(struct fixture *f)
{
	run(f);
	assert_int_equal(chats_count(f->proxyd.chats), 0);
	assert_true(chats_are_gone(f->proxyd.chats));
	assert_int_equal(nfreed, nsockets);
	assert_int_equal(f->proxyd.buffered, 0);
}

#endif
