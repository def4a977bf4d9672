#ifndef TESTS_UNIT_PROXYD_TUNNEL_ACTIONS_FIXTURE_H
#define TESTS_UNIT_PROXYD_TUNNEL_ACTIONS_FIXTURE_H

#include "tests/unit/proxyd/tunnel_fixture.h"

#include <stdio.h>

#include "proxyd/chats.h"
#include "proxyd/deny.h"
#include "proxyd/handles.h"
#include "proxyd/rates.h"
#include "proxyd/role.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnel_opening.h"
#include "proxyd/tunnel_socket.h"
#include "proxyd/tunnel_stream.h"
#include "proxyd/tunnels.h"
#include "proxyd/user_requests.h"

#define FARS_MAX 400

#define TUNNELS_MAX	   256
#define TUNNELS_PERSON_MAX 64

/*
 * What stands in front of the real ones: authd, which knows the handles
 * "tether_<github id>", and far ends.
 */

static struct handle_wait *asked;
static char asked_handle[HANDLE_SIZE];
static struct session_wait *session_asked;
static struct session session;
static bool session_is_cached;
static unsigned canceled;
static unsigned questions; /* about sessions */
static void (*on_flush)(void *arg);
static void *on_flush_arg;

void
handles_check(struct handles *hs, const char *handle, struct handle_wait *wait)
{
	(void)hs;
	asked = wait;
	(void)strlcpy(asked_handle, handle, sizeof(asked_handle));
}

void
handles_cancel(struct handle_wait *wait)
{
	if (asked == wait) {
		asked = NULL;
		canceled++;
	}
}

const struct session *
sessions_get(struct sessions *s, uint64_t github_id, const char *login,
    struct session_wait *wait)
{
	(void)s;
	assert_int_not_equal(github_id, 0);
	assert_string_equal(login, "octocat");
	questions++;
	if (session_is_cached)
		return &session;
	session_asked = wait;
	wait->in = (struct session_entry *)&session;
	return NULL;
}

void
sessions_on_flush(struct sessions *s, void (*flushed)(void *arg), void *arg)
{
	(void)s;
	on_flush = flushed;
	on_flush_arg = arg;
}

void
sessions_cancel(struct session_wait *wait)
{
	if (session_asked == wait) {
		session_asked = NULL;
		wait->in = NULL;
		canceled++;
	}
}

/* Nobody begins a chat here. */
const struct session *
sessions_get_service(
    struct sessions *s, enum session_service service, struct session_wait *wait)
{
	(void)s;
	(void)service;
	(void)wait;
	fail_msg("a chat");
	return NULL;
}

void
sessions_forget(struct sessions *s, uint64_t github_id, const char *login)
{
	(void)s;
	(void)github_id;
	(void)login;
	fail_msg("a chat");
}

void
sessions_forget_service(struct sessions *s)
{
	(void)s;
	fail_msg("a chat");
}

static struct fake_far fars[FARS_MAX];
static size_t nfars;
static char last_ask[65536];

static void
start_far(struct tunnel *t, struct tunnel_ask *ask, const char *jwt)
{
	struct fake_far *far = &fars[nfars++];
	size_t i, n;

	assert_string_equal(jwt, "the.jwt.itself");
	n = (size_t)snprintf(last_ask, sizeof(last_ask), "%s", ask->target);
	for (i = 0; i < ask->nprotocols; i++)
		n += (size_t)snprintf(last_ask + n, sizeof(last_ask) - n,
		    " [%s]", ask->protocols[i]);
	for (i = 0; i < ask->nheaders; i++)
		n += (size_t)snprintf(last_ask + n, sizeof(last_ask) - n,
		    " {%s}", ask->headers[i]);
	tunnel_ask_clear(ask);
	far->got = evbuffer_new();
	far->writable = true;
	t->ops = &fake_far_ops;
	t->far = far;
}

void
tunnel_socket_start(struct tunnel *t, struct tunnel_ask *ask, const char *jwt)
{
	start_far(t, ask, jwt);
	tunnel_opened(t, ask->nprotocols > 0 ? ask->protocols[0] : NULL);
}

void
tunnel_stream_start(struct tunnel *t, struct tunnel_ask *ask, const char *jwt)
{
	struct evbuffer *members = evbuffer_new();

	start_far(t, ask, jwt);
	evbuffer_add_printf(members, "\"status\":200,\"headers\":[]");
	tunnel_head(t, members);
	evbuffer_free(members);
}

struct fixture {
	struct proxyd proxyd;
	uint64_t number;
};

static inline void
clear_deny(struct fixture *f)
{
	struct proxyd_conf *conf = &f->proxyd.conf;

	deny_free(f->proxyd.deny);
	f->proxyd.deny = NULL;
	free(conf->deny_paths);
	free(conf->deny_paths_role[SESSION_ROLE_FULL]);
	free(conf->deny_paths_role[SESSION_ROLE_READ_ONLY]);
}

/* Paths that are closed for all, and for those who may only look. */
static inline void
set_deny(struct fixture *f, const char *all, const char *read_only)
{
	struct proxyd_conf *conf = &f->proxyd.conf;

	clear_deny(f);
	conf->deny_paths = strdup(all);
	conf->deny_paths_role[SESSION_ROLE_FULL] = strdup("");
	conf->deny_paths_role[SESSION_ROLE_READ_ONLY] = strdup(read_only);
	f->proxyd.deny = deny_new(conf);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->proxyd.child.base = event_base_new();
	f->proxyd.conf.json_depth = 64;
	f->proxyd.conf.headers_max = 256;
	f->proxyd.conf.headers_size_max = 131072;
	f->proxyd.conf.tunnels_max = TUNNELS_MAX;
	f->proxyd.conf.tunnels_user_max = TUNNELS_PERSON_MAX;
	f->proxyd.rates = rates_new(&f->proxyd.conf);
	f->proxyd.tunnels = tunnels_new(&f->proxyd);
	f->proxyd.chats = chats_new(&f->proxyd);
	memset(&session, 0, sizeof(session));
	session.status = SESSION_OK;
	(void)strlcpy(session.jwt, "the.jwt.itself", sizeof(session.jwt));
	session_is_cached = true;
	asked = NULL;
	session_asked = NULL;
	outbox_is_full = false;
	nfars = 0;
	canceled = 0;
	questions = 0;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	size_t i;

	chats_free(f->proxyd.chats);
	tunnels_free(f->proxyd.tunnels);
	assert_null(on_flush);
	rates_free(f->proxyd.rates);
	clear_deny(f);
	assert_int_equal(f->proxyd.buffered, 0);
	for (i = 0; i < nfars; i++)
		evbuffer_free(fars[i].got);
	memset(fars, 0, sizeof(fars));
	event_base_free(f->proxyd.child.base);
	clear_replies();
	free(f);
	return 0;
}

static void
run(struct fixture *f)
{
	event_base_loop(f->proxyd.child.base, EVLOOP_NONBLOCK);
}

/* A user_request; payload is JSON.  Returns its number. */
static uint64_t
ask(struct fixture *f, const char *id, const char *action, const char *payload)
{
	struct evbuffer *text = evbuffer_new();

	evbuffer_add_printf(text,
	    "{\"type\":\"user_request\",\"request_id\":\"%s\","
	    "\"action\":\"%s\",\"payload\":%s}",
	    id, action, payload);
	f->number++;
	assert_null(user_requests_begin(&f->proxyd, f->number, text));
	evbuffer_free(text);
	return f->number;
}

static void
answer_handle(uint64_t github_id)
{
	struct handle_wait *wait = asked;
	struct handle_answer answer = { .github_id = github_id };

	assert_non_null(wait);
	asked = NULL;
	(void)strlcpy(answer.login, "octocat", sizeof(answer.login));
	wait->done(wait->arg, &answer);
}

static void
answer_session(void)
{
	struct session_wait *wait = session_asked;

	assert_non_null(wait);
	session_asked = NULL;
	wait->in = NULL;
	wait->done(wait->arg, &session);
}

/* Opens a WebSocket; its reply is taken. */
static uint64_t
open_socket(struct fixture *f, const char *id, uint64_t github_id)
{
	uint64_t number = ask(f, id, "tunnel.open",
	    "{\"handle\":\"tether_x\",\"path\":\"/ws\",\"protocols\":[]}");

	answer_handle(github_id);
	expect_reply(number, false, "{\"t\":\"open\",\"protocol\":\"\"}");
	return number;
}

/* The next reply closes with a reason that begins so. */
static void
expect_refused(uint64_t number, const char *status)
{
	struct json_object *data = next_reply(number, true);
	const char *reason = json_string(data, "reason", NULL);
	struct json_object *code;

	if (strcmp(json_string(data, "t", NULL), "end") == 0) {
		reason = json_string(data, "error", NULL);
	} else {
		assert_true(json_object_object_get_ex(data, "code", &code));
		assert_int_equal(json_object_get_int(code), 1006);
	}
	if (strncmp(reason, status, strlen(status)) != 0 || reason[3] != ' ')
		fail_msg("%s: %s", status, reason);
	expect_no_reply();
}

static const struct {
	const char *payload;
	const char *ask; /* NULL: 400 */
} sockets[] = {
	{ "{\"handle\":\"h\",\"path\":\"/ws\",\"protocols\":[]}", "/ws" },
	{ "{\"handle\":\"h\",\"path\":\"/ws\"}", "/ws" },
	{ "{\"handle\":\"h\",\"path\":\"/ws\",\"protocols\":null}", "/ws" },
	{ "{\"handle\":\"h\",\"path\":\"/\",\"protocols\":[\"a\",\"b\"]}",
	    "/ [a] [b]" },
	{ "{\"handle\":\"h\",\"path\":\"/ws?a=1&token=x&b=2\"}",
	    "/ws?a=1&b=2" },
	{ "{\"handle\":\"h\",\"path\":\"/ws?%74oken=x\"}", "/ws" },
	{ "{\"handle\":\"h\",\"path\":\"/a b#c\\\\d\\u00e4\"}",
	    "/a%20b%23c%5Cd%C3%A4" },
	{ "{\"handle\":\"h\",\"path\":\"/ws\",\"headers\":[[1]]}", "/ws" },
	{ "{}", NULL },
	{ "null", NULL },
	{ "{\"handle\":\"h\"}", NULL },
	{ "{\"path\":\"/ws\"}", NULL },
	{ "{\"handle\":1,\"path\":\"/ws\"}", NULL },
	{ "{\"handle\":\"h\\u0000\",\"path\":\"/ws\"}", NULL },
	{ "{\"handle\":\"h\",\"path\":7}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"\"}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"ws\"}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"//ws\"}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"/\\\\ws\"}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"/w\\ns\"}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"/w\\u0000s\"}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"http://x/\"}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"/\",\"protocols\":\"a\"}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"/\",\"protocols\":[1]}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"/\",\"protocols\":[\"\"]}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"/\",\"protocols\":[\"a b\"]}", NULL },
	{ "{\"handle\":\"h\",\"path\":\"/\",\"protocols\":[\"a\\r\\nb\"]}",
	    NULL },
	{ "{\"handle\":\"h\",\"path\":\"/\",\"protocols\":[\"a\\u0000\"]}",
	    NULL },
	{ "{\"handle\":\"h\",\"path\":\"/\",\"protocols\":[\"a\",\"a\"]}",
	    NULL },
};

#endif
