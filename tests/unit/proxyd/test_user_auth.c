#include "tests/unit/proxyd/tunnel_fixture.h"

#include <stdio.h>

#include "common/monotonic.h"
#include "common/timer.h"
#include "proxyd/audit.h"
#include "proxyd/rates.h"
#include "proxyd/role.h"
#include "proxyd/user_auth.h"
#include "proxyd/user_requests.h"

#define QUESTIONS_MAX 400

/* The channel to authd, and that to the parent. */
static bool authd_is_there;
static struct question {
	uint64_t id;
	char token[SESSION_TOKEN_MAX + 1];
} questions[QUESTIONS_MAX];
static size_t nquestions;
static struct audit_record audited;
static unsigned naudited;

/* The clock, and the one timer. */
static int64_t now_ms;
static struct event *timer;
static uint32_t timer_ms;

int64_t
monotonic_ms(void)
{
	return now_ms;
}

void
timer_set(struct event *event, uint32_t ms)
{
	timer = event;
	timer_ms = ms;
}

bool
child_send(struct child *child, enum program peer, struct msg_out *m)
{
	struct msg in = { .fd = -1, .data = m->data, .len = m->len };
	struct question *q = &questions[nquestions];

	assert_non_null(child);
	assert_int_equal(peer, PROGRAM_AUTHD);
	assert_int_equal(m->type, MSG_SESSION_GET_BY_TOKEN);
	if (authd_is_there) {
		assert_in_range(nquestions, 0, QUESTIONS_MAX - 1);
		q->id = m->id;
		assert_true(user_auth_owns(m->id));
		assert_int_equal(session_token_read(&in, q->token), 0);
		nquestions++;
	}
	msg_discard(m);
	return authd_is_there;
}

void
child_audit(struct child *child, const struct audit_record *record)
{
	assert_non_null(child);
	audited = *record;
	naudited++;
}

static void
expect_audit(enum audit_verdict verdict, uint64_t github_id, const char *login,
    const char *role, const char *action, const char *why)
{
	assert_int_equal(naudited, 1);
	naudited = 0;
	assert_int_equal(audited.event, AUDIT_ACTION);
	assert_int_equal(audited.verdict, verdict);
	assert_int_equal(audited.github_id, github_id);
	assert_string_equal(audited.login, login);
	assert_string_equal(audited.role, role);
	assert_string_equal(audited.method, action);
	assert_string_equal(audited.path, "");
	assert_string_equal(audited.why, why);
}

struct fixture {
	struct proxyd proxyd;
	uint64_t number;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->proxyd.child.base = event_base_new();
	f->proxyd.conf.json_depth = 64;
	f->proxyd.conf.rules = true;
	f->proxyd.rates = rates_new(&f->proxyd.conf);
	f->proxyd.user_auth = user_auth_new(&f->proxyd);
	authd_is_there = true;
	now_ms = 1;
	timer_ms = 0;
	nquestions = 0;
	naudited = 0;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	user_auth_free(f->proxyd.user_auth);
	rates_free(f->proxyd.rates);
	event_base_free(f->proxyd.child.base);
	clear_replies();
	free(f);
	return 0;
}

static uint64_t
ask(struct fixture *f, const char *action, const char *payload)
{
	struct evbuffer *text = evbuffer_new();

	evbuffer_add_printf(text,
	    "{\"type\":\"user_request\",\"request_id\":\"R%llu\","
	    "\"action\":\"%s\",\"payload\":%s}",
	    (unsigned long long)++f->number, action, payload);
	assert_null(user_requests_begin(&f->proxyd, f->number, text));
	evbuffer_free(text);
	return f->number;
}

/* What authd answers to the question of that place. */
static int
answer(struct fixture *f, size_t i, enum session_status status,
    enum session_role role)
{
	struct session session = { .status = status,
		.role = role,
		.github_id = 5,
		.login = "mona",
		.jwt = "the.jwt.itself",
		.reason = "users",
		.advice = "" };
	struct msg_out out;
	struct msg m;
	int rc;

	if (status != SESSION_OK) {
		session.jwt[0] = '\0';
		(void)strlcpy(
		    session.reason, "not you", sizeof(session.reason));
		(void)strlcpy(
		    session.advice, "go home", sizeof(session.advice));
	}
	msg_start(&out, MSG_SESSION, questions[i].id);
	session_add(&out, &session);
	m = (struct msg){ .type = MSG_SESSION,
		.id = out.id,
		.fd = -1,
		.data = out.data,
		.len = out.len };
	rc = user_auth_on_session(f->proxyd.user_auth, &m);
	msg_discard(&out);
	return rc;
}

/* A message "error", then the last reply. */
static void
expect_error_pair(
    uint64_t number, const char *message, const char *last, bool auth_error)
{
	struct reply *r = &replies[taken_replies++];
	struct json_object *auth = NULL;
	char id[16];

	assert_in_range(taken_replies, 1, nreplies);
	assert_int_equal(r->number, number);
	assert_false(r->last);
	assert_string_equal(json_string(r->json, "type", NULL), "error");
	(void)snprintf(id, sizeof(id), "R%llu", (unsigned long long)number);
	assert_string_equal(json_string(r->json, "request_id", NULL), id);
	assert_string_equal(json_string(r->json, "message", NULL), message);
	assert_int_equal(
	    json_object_object_get_ex(r->json, "auth_error", &auth),
	    auth_error);
	assert_int_equal(json_object_get_boolean(auth), auth_error);
	expect_reply(number, true, last);
	expect_no_reply();
}

static void
expect_refused(uint64_t number, const char *why, const char *advice)
{
	char last[1024];

	(void)snprintf(last, sizeof(last),
	    "{\"error\":true,\"auth_error\":true,\"message\":\"%s\"%s%s%s}",
	    why, advice[0] == '\0' ? "" : ",\"advice\":\"", advice,
	    advice[0] == '\0' ? "" : "\"");
	expect_error_pair(number, why, last, true);
}

static void
expect_put_off(uint64_t number, const char *why)
{
	char last[1024];

	(void)snprintf(
	    last, sizeof(last), "{\"error\":true,\"message\":\"%s\"}", why);
	expect_error_pair(number, why, last, false);
}

/* Both of them. */
static void
expect_put_off_pair(uint64_t first, uint64_t second, const char *why)
{
	size_t all = nreplies;

	nreplies = taken_replies + 2;
	expect_put_off(first, why);
	nreplies = all;
	expect_put_off(second, why);
}

/* Whoever is allowed gets to where there is nothing yet. */
static void
expect_allowed(uint64_t number, const char *action)
{
	char why[128];

	(void)snprintf(why, sizeof(why), "Unknown action: %s", action);
	expect_error_pair(number, why,
	    "{\"code\":4000,\"reason\":\"Unknown action\"}", false);
}

static const struct {
	const char *action;
	bool looks; /* for those who may only look, too */
} session_actions[] = {
	{ "claude-command", false },
	{ "cursor-command", false },
	{ "codex-command", false },
	{ "abort-session", false },
	{ "claude-permission-response", false },
	{ "cursor-abort", false },
	{ "check-session-status", true },
	{ "get-active-sessions", true },
	{ "chat.send", false },
	{ "chat.abort", false },
	{ "chat.subscribe", true },
	{ "chat.permission-response", false },
};

static void
test_actions(void **state)
{
	struct fixture *f = *state;
	const char *action;
	uint64_t number;
	size_t i;

	for (i = 0; i < COUNT(session_actions); i++) {
		action = session_actions[i].action;
		number = ask(f, action, "{\"auth_token\":\"gho_x\"}");
		expect_no_reply();
		assert_int_equal(nquestions, 2 * i + 1);
		assert_string_equal(questions[2 * i].token, "gho_x");
		assert_int_equal(
		    answer(f, 2 * i, SESSION_OK, SESSION_ROLE_FULL), 0);
		expect_allowed(number, action);
		expect_audit(AUDIT_ALLOWED, 5, "mona", "full", action, "users");

		number = ask(f, action, "{\"auth_token\":\"gho_x\"}");
		assert_int_equal(
		    answer(f, 2 * i + 1, SESSION_OK, SESSION_ROLE_READ_ONLY),
		    0);
		if (session_actions[i].looks) {
			expect_allowed(number, action);
			expect_audit(AUDIT_ALLOWED, 5, "mona", "read-only",
			    action, "users");
			continue;
		}
		expect_refused(
		    number, ROLE_READ_ONLY_REASON, ROLE_READ_ONLY_ADVICE);
		expect_audit(AUDIT_REFUSED, 5, "mona", "read-only", action,
		    ROLE_READ_ONLY_REASON);
	}
	/* Any other asks nobody. */
	number = ask(f, "dance", "{\"auth_token\":\"gho_x\"}");
	expect_allowed(number, "dance");
	assert_int_equal(nquestions, 2 * COUNT(session_actions));
	assert_int_equal(naudited, 0);
}

static const struct {
	const char *payload;
	const char *why;
} bad_tokens[] = {
	{ "null", "no auth_token" },
	{ "{}", "no auth_token" },
	{ "{\"Auth_token\":\"x\"}", "no auth_token" },
	{ "{\"a\":{\"auth_token\":\"x\"}}", "no auth_token" },
	{ "{\"auth_token\":null}", "auth_token is malformed" },
	{ "{\"auth_token\":7}", "auth_token is malformed" },
	{ "{\"auth_token\":{}}", "auth_token is malformed" },
	{ "{\"auth_token\":\"\"}", "auth_token is malformed" },
	{ "{\"auth_token\":\"a b\"}", "auth_token is malformed" },
	{ "{\"auth_token\":\"a\\r\\nb\"}", "auth_token is malformed" },
	{ "{\"auth_token\":\"a\\u0000\"}", "auth_token is malformed" },
	{ "{\"auth_token\":\"\\u007f\"}", "auth_token is malformed" },
	{ "{\"auth_token\":\"\\u00e4\"}", "auth_token is malformed" },
};

static void
test_bad_tokens(void **state)
{
	struct fixture *f = *state;
	char payload[SESSION_TOKEN_MAX + 64];
	uint64_t number;
	size_t i, len;

	for (i = 0; i < COUNT(bad_tokens); i++) {
		now_ms += 1000;
		number = ask(f, "chat.send", bad_tokens[i].payload);
		expect_refused(number, bad_tokens[i].why, "");
		expect_audit(
		    AUDIT_REFUSED, 0, "", "", "chat.send", bad_tokens[i].why);
	}
	assert_int_equal(nquestions, 0);
	assert_int_equal(f->proxyd.counts.denied, COUNT(bad_tokens));
	for (len = SESSION_TOKEN_MAX; len <= SESSION_TOKEN_MAX + 1; len++) {
		(void)strlcpy(payload, "{\"auth_token\":\"", sizeof(payload));
		memset(payload + 15, 'x', len);
		(void)strlcpy(payload + 15 + len, "\"}", 3);
		number = ask(f, "chat.send", payload);
		if (len > SESSION_TOKEN_MAX)
			expect_refused(number, "auth_token is malformed", "");
		assert_int_equal(nquestions, 1);
	}
	assert_int_equal(strlen(questions[0].token), SESSION_TOKEN_MAX);
}

static void
test_no_rules(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	f->proxyd.conf.rules = false;
	number = ask(f, "claude-command", "null");
	expect_allowed(number, "claude-command");
	number = ask(f, "claude-command", "{\"auth_token\":\"\\n\"}");
	expect_allowed(number, "claude-command");
	assert_int_equal(nquestions, 0);
	assert_int_equal(naudited, 0);
}

static void
test_verdicts(void **state)
{
	static const char payload[] = "{\"auth_token\":\"gho_x\"}";
	struct fixture *f = *state;
	uint64_t number;

	number = ask(f, "chat.subscribe", payload);
	answer(f, 0, SESSION_DENIED, SESSION_ROLE_FULL);
	expect_refused(number, "not you", "go home");
	expect_audit(AUDIT_REFUSED, 5, "mona", "", "chat.subscribe", "not you");
	assert_int_equal(f->proxyd.counts.denied, 1);
	number = ask(f, "chat.subscribe", payload);
	answer(f, 1, SESSION_UNAVAILABLE, SESSION_ROLE_FULL);
	expect_put_off(number, "not you");
	expect_audit(AUDIT_REFUSED, 0, "", "", "chat.subscribe", "not you");
	number = ask(f, "chat.subscribe", payload);
	answer(f, 2, SESSION_BUSY, SESSION_ROLE_FULL);
	expect_put_off(number, "not you");
	/* One line in a second, as long as nobody wants all. */
	assert_int_equal(naudited, 0);
	f->proxyd.conf.audit = true;
	number = ask(f, "chat.subscribe", payload);
	answer(f, 3, SESSION_BUSY, SESSION_ROLE_FULL);
	expect_put_off(number, "not you");
	expect_audit(AUDIT_REFUSED, 0, "", "", "chat.subscribe", "not you");
	/* One that was answered is so once. */
	assert_int_equal(answer(f, 2, SESSION_OK, SESSION_ROLE_FULL), 0);
	expect_no_reply();
	assert_int_equal(naudited, 0);
}

/* An action is a request as any other, and a refusal, too. */
static void
test_rates(void **state)
{
	static const char payload[] = "{\"auth_token\":\"gho_x\"}";
	static const char why[] = "too much was refused; try again in a moment";
	struct fixture *f = *state;
	uint64_t number;
	size_t i;

	f->proxyd.conf.failures_rate = 3;
	for (i = 0; i < 3; i++) {
		number = ask(f, "chat.send", payload);
		answer(f, i, i == 0 ? SESSION_DENIED : SESSION_OK,
		    SESSION_ROLE_READ_ONLY);
		clear_replies();
		assert_int_equal(audited.github_id, 5);
	}
	assert_int_equal(naudited, 3);
	assert_int_equal(f->proxyd.counts.denied, 3);
	naudited = 0;
	number = ask(f, "chat.subscribe", payload);
	answer(f, i++, SESSION_OK, SESSION_ROLE_READ_ONLY);
	expect_put_off(number, why);
	expect_audit(AUDIT_REFUSED, 0, "", "", "chat.subscribe", why);
	number = ask(f, "chat.subscribe", payload);
	answer(f, i++, SESSION_OK, SESSION_ROLE_READ_ONLY);
	expect_put_off(number, why);
	assert_int_equal(naudited, 0);
	assert_int_equal(f->proxyd.counts.rate, 2);
	now_ms += 20000;
	number = ask(f, "chat.subscribe", payload);
	answer(f, i, SESSION_OK, SESSION_ROLE_READ_ONLY);
	expect_allowed(number, "chat.subscribe");
}

/* In any order; a few at once; authd goes and comes back. */
static void
test_waiting(void **state)
{
	static const char payload[] = "{\"auth_token\":\"gho_x\"}";
	struct fixture *f = *state;
	uint64_t number;
	size_t i;

	ask(f, "chat.send", "{\"auth_token\":\"gho_a\"}");
	authd_is_there = false;
	ask(f, "chat.send", "{\"auth_token\":\"gho_b\"}");
	assert_int_equal(nquestions, 1);
	expect_no_reply();
	authd_is_there = true;
	user_auth_on_authd(f->proxyd.user_auth);
	assert_int_equal(nquestions, 3);
	assert_int_equal(questions[1].id, questions[0].id);
	assert_string_equal(questions[1].token, "gho_a");
	assert_string_equal(questions[2].token, "gho_b");
	answer(f, 2, SESSION_OK, SESSION_ROLE_FULL);
	expect_allowed(2, "chat.send");
	answer(f, 1, SESSION_OK, SESSION_ROLE_FULL);
	expect_allowed(1, "chat.send");

	for (i = 0; i < USER_AUTH_MAX; i++)
		ask(f, "chat.send", payload);
	naudited = 0;
	expect_no_reply();
	number = ask(f, "chat.send", payload);
	expect_put_off(number, "too many at once; try again in a moment");
	naudited = 0;
	assert_int_equal(nquestions, 3 + USER_AUTH_MAX);
	answer(f, 3, SESSION_OK, SESSION_ROLE_FULL);
	expect_allowed(3, "chat.send");
	ask(f, "chat.send", payload);
	expect_no_reply();

	naudited = 0;
	user_auth_clear(f->proxyd.user_auth);
	assert_int_equal(naudited, USER_AUTH_MAX);
	assert_int_equal(audited.verdict, AUDIT_GIVEN_UP);
	assert_int_equal(answer(f, 4, SESSION_OK, SESSION_ROLE_FULL), 0);
	expect_no_reply();
	user_auth_on_authd(f->proxyd.user_auth);
	assert_int_equal(nquestions, 4 + USER_AUTH_MAX);
	/* The question that waits when all ends is freed with it. */
	ask(f, "chat.send", payload);
}

/* So much time goes by, and the timer fires if it is due. */
static void
pass(struct fixture *f, uint32_t ms)
{
	now_ms += ms;
	if (timer_ms == 0 || ms < timer_ms) {
		timer_ms -= timer_ms == 0 ? 0 : ms;
		return;
	}
	timer_ms = 0;
	event_active(timer, EV_TIMEOUT, 1);
	assert_int_not_equal(
	    event_base_loop(f->proxyd.child.base, EVLOOP_NONBLOCK), -1);
}

/* An authd that does not answer: nobody waits for ever. */
static void
test_late(void **state)
{
	static const char payload[] = "{\"auth_token\":\"gho_x\"}";
	static const char why[] = "users cannot be looked up now";
	struct fixture *f = *state;

	ask(f, "chat.send", payload);
	pass(f, 4000);
	ask(f, "chat.abort", payload);
	pass(f, USER_AUTH_MS - 4001);
	expect_no_reply();
	pass(f, 1);
	expect_put_off(1, why);
	expect_audit(AUDIT_REFUSED, 0, "", "", "chat.send", why);
	assert_int_equal(timer_ms, 4000);
	/* Its answer is too late, that of the other is not. */
	assert_int_equal(answer(f, 0, SESSION_OK, SESSION_ROLE_FULL), 0);
	expect_no_reply();
	assert_int_equal(answer(f, 1, SESSION_OK, SESSION_ROLE_FULL), 0);
	expect_allowed(2, "chat.abort");
	naudited = 0;
	pass(f, 3000);
	ask(f, "chat.send", payload);
	assert_int_equal(timer_ms, USER_AUTH_MS);
	pass(f, USER_AUTH_MS - 1);
	expect_no_reply();
	/* All that are due; and there is room for as many again. */
	ask(f, "chat.send", payload);
	pass(f, 2 * USER_AUTH_MS);
	expect_put_off_pair(3, 4, why);
	assert_int_equal(timer_ms, 0);
}

static void
test_malformed(void **state)
{
	struct fixture *f = *state;
	struct msg m = { .type = MSG_SESSION, .fd = -1 };

	ask(f, "chat.send", "{\"auth_token\":\"gho_x\"}");
	m.id = questions[0].id;
	m.data = (const uint8_t *)"x";
	m.len = 1;
	assert_int_equal(user_auth_on_session(f->proxyd.user_auth, &m), -1);
	expect_no_reply();
	assert_false(user_auth_owns(1));
	assert_false(user_auth_owns(UINT64_MAX / 2));
}

/* Nothing is left where it stood: in the payload, and in the text. */
static void
test_wiped(void **state)
{
	static const char secret[] = "gho_secretsecretsecretsecretsecretsecret";
	struct fixture *f = *state;
	struct json_object *payload = json_object_new_object(), *token;
	struct user_request r = { .number = 1,
		.request_id = "R1",
		.action = "chat.send",
		.payload = payload };
	struct evbuffer *text = evbuffer_new();
	const char *stands;
	char copy[256];

	json_add_string(payload, "auth_token", secret);
	json_add_string(payload, "content", "hi");
	json_object_object_get_ex(payload, "auth_token", &token);
	json_object_get(token);
	stands = json_object_get_string(token);
	user_auth_begin(f->proxyd.user_auth, &r, NULL);
	assert_string_equal(questions[0].token, secret);
	assert_ptr_equal(json_object_get_string(token), stands);
	assert_null(memmem(stands, sizeof(secret), "gho_", 4));
	assert_null(memmem(stands, sizeof(secret), "secret", 6));
	assert_string_equal(json_text(payload, NULL), "{\"content\":\"hi\"}");
	json_object_put(token);
	json_object_put(payload);

	(void)snprintf(copy, sizeof(copy),
	    "{\"request_id\":\"R2\",\"action\":\"chat.send\","
	    "\"payload\":{\"auth_token\":\"%s\"}}",
	    secret);
	evbuffer_add_reference(text, copy, strlen(copy), NULL, NULL);
	assert_null(user_requests_begin(&f->proxyd, 2, text));
	assert_null(memmem(copy, sizeof(copy), "gho_", 4));
	assert_int_equal(evbuffer_get_length(text), 0);
	evbuffer_free(text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_actions),
		TEST(test_bad_tokens),
		TEST(test_no_rules),
		TEST(test_verdicts),
		TEST(test_rates),
		TEST(test_waiting),
		TEST(test_late),
		TEST(test_malformed),
		TEST(test_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
