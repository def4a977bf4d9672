#include "tests/unit/proxyd/chat_fixture.h"

/*
 * Who may begin a chat session, and who may go on with one.
 */

static const char payload_ok[] = "{\"auth_token\":\"gho_x\"}";

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

static int
setup_rules(void **state)
{
	struct fixture *f;

	(void)setup(state);
	f = *state;
	f->proxyd.conf.rules = true;
	f->proxyd.conf.chats_max = 400;
	return 0;
}

/* One that has an id of its own. */
static uint64_t
begin(struct fixture *f, const char *action, const char *payload)
{
	char id[32];

	(void)snprintf(
	    id, sizeof(id), "R%llu", (unsigned long long)f->number + 1);
	return ask(f, id, action, payload);
}

static void
judge(struct fixture *f, size_t i, enum session_status status,
    enum session_role role)
{
	answer(f, i, status, role, 5);
}

/* The last one that was allowed leads to the upstream, as its person. */
static size_t nallowed;

static void
expect_allowed(const char *jwt)
{
	expect_no_reply();
	assert_int_equal(nsockets, ++nallowed);
	assert_string_equal(last_jwt, jwt);
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

	nallowed = 0;
	for (i = 0; i < COUNT(session_actions); i++) {
		action = session_actions[i].action;
		begin(f, action, payload_ok);
		expect_no_reply();
		assert_int_equal(ntokens, 2 * i + 1);
		assert_string_equal(tokens[2 * i].token, "gho_x");
		judge(f, 2 * i, SESSION_OK, SESSION_ROLE_FULL);
		expect_allowed("mona.jwt");
		expect_audit(AUDIT_ALLOWED, 5, "mona", "full", action, "users");

		number = begin(f, action, payload_ok);
		judge(f, 2 * i + 1, SESSION_OK, SESSION_ROLE_READ_ONLY);
		if (session_actions[i].looks) {
			expect_allowed("mona.jwt");
			expect_audit(AUDIT_ALLOWED, 5, "mona", "read-only",
			    action, "users");
			continue;
		}
		expect_denied(number, ROLE_READ_ONLY_REASON);
		expect_audit(AUDIT_REFUSED, 5, "mona", "read-only", action,
		    ROLE_READ_ONLY_REASON);
	}
	/* Any other asks nobody. */
	number = begin(f, "dance", payload_ok);
	expect_error_message(number, "Unknown action: dance", false);
	expect_reply(
	    number, true, "{\"code\":4000,\"reason\":\"Unknown action\"}");
	assert_int_equal(ntokens, 2 * COUNT(session_actions));
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
		number = begin(f, "chat.send", bad_tokens[i].payload);
		expect_denied(number, bad_tokens[i].why);
		expect_audit(
		    AUDIT_REFUSED, 0, "", "", "chat.send", bad_tokens[i].why);
	}
	assert_int_equal(ntokens, 0);
	assert_int_equal(f->proxyd.counts.denied, COUNT(bad_tokens));
	assert_int_equal(f->proxyd.counts.chats_refused, COUNT(bad_tokens));
	for (len = SESSION_TOKEN_MAX; len <= SESSION_TOKEN_MAX + 1; len++) {
		(void)strlcpy(payload, "{\"auth_token\":\"", sizeof(payload));
		memset(payload + 15, 'x', len);
		(void)strlcpy(payload + 15 + len, "\"}", 3);
		number = begin(f, "chat.send", payload);
		if (len > SESSION_TOKEN_MAX)
			expect_denied(number, "auth_token is malformed");
		assert_int_equal(ntokens, 1);
	}
	assert_int_equal(strlen(tokens[0].token), SESSION_TOKEN_MAX);
}

/* Where there are no rules the instance itself acts. */
static void
test_no_rules(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	nallowed = 0;
	f->proxyd.conf.rules = false;
	begin(f, "claude-command", "null");
	expect_allowed("service.jwt");
	expect_audit(AUDIT_ALLOWED, 0, "", "full", "claude-command", "");
	begin(f, "claude-command", "{\"auth_token\":\"\\n\"}");
	expect_allowed("service.jwt");
	is_known = false;
	begin(f, "claude-command", "{\"auth_token\":\"gho_x\"}");
	expect_no_reply();
	answer_wait(0);
	expect_allowed("service.jwt");
	assert_int_equal(asked_service, 3);
	assert_int_equal(ntokens, 0);
	naudited = 0;

	number = begin(f, "chat.send", "{}");
	known.status = SESSION_UNAVAILABLE;
	(void)strlcpy(known.reason, "no database", sizeof(known.reason));
	answer_wait(0);
	expect_failed(number, "no database");
	expect_audit(AUDIT_REFUSED, 0, "", "", "chat.send", "no database");
	number = begin(f, "chat.send", "{}");
	known.status = SESSION_DENIED;
	answer_wait(0);
	expect_denied(number, "no database");
	/* Rules come while authd is asked, which does not know of them. */
	number = begin(f, "chat.send", "{}");
	known.status = SESSION_OK;
	f->proxyd.conf.rules = true;
	answer_wait(0);
	expect_denied(number, "no auth_token");
	/* Nobody waits for ever. */
	f->proxyd.conf.rules = false;
	number = begin(f, "chat.send", "{}");
	pass(f, USER_AUTH_MS - 1);
	expect_no_reply();
	pass(f, 1);
	expect_failed(number, "users cannot be looked up now");
	assert_int_equal(nwaiting, 0);
	assert_int_equal(nsockets, nallowed);
}

static void
test_verdicts(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	number = begin(f, "chat.subscribe", payload_ok);
	judge(f, 0, SESSION_DENIED, SESSION_ROLE_FULL);
	expect_denied(number, "not you");
	expect_audit(AUDIT_REFUSED, 5, "mona", "", "chat.subscribe", "not you");
	assert_int_equal(f->proxyd.counts.denied, 1);
	number = begin(f, "chat.subscribe", payload_ok);
	judge(f, 1, SESSION_UNAVAILABLE, SESSION_ROLE_FULL);
	expect_failed(number, "not you");
	expect_audit(AUDIT_REFUSED, 0, "", "", "chat.subscribe", "not you");
	number = begin(f, "chat.subscribe", payload_ok);
	judge(f, 2, SESSION_BUSY, SESSION_ROLE_FULL);
	expect_failed(number, "not you");
	/* One line in a second, as long as nobody wants all. */
	assert_int_equal(naudited, 0);
	f->proxyd.conf.audit = true;
	number = begin(f, "chat.subscribe", payload_ok);
	judge(f, 3, SESSION_BUSY, SESSION_ROLE_FULL);
	expect_failed(number, "not you");
	expect_audit(AUDIT_REFUSED, 0, "", "", "chat.subscribe", "not you");
	/* One that was answered is so once. */
	judge(f, 2, SESSION_OK, SESSION_ROLE_FULL);
	expect_no_reply();
	assert_int_equal(naudited, 0);
	assert_int_equal(nsockets, 0);
}

/* The chat's path may be closed, as it may be for tunnels. */
static void
test_closed_path(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	f->proxyd.deny = deny_new_paths("/ws\n");
	number = begin(f, "chat.subscribe", payload_ok);
	judge(f, 0, SESSION_OK, SESSION_ROLE_FULL);
	expect_denied(number, DENY_REASON);
	expect_audit(
	    AUDIT_REFUSED, 5, "mona", "full", "chat.subscribe", DENY_REASON);
	assert_int_equal(f->proxyd.counts.denied, 1);
	assert_int_equal(nsockets, 0);
}

/* An action is a request as any other, and a refusal, too. */
static void
test_rates(void **state)
{
	static const char why[] = "too much was refused; try again in a moment";
	struct fixture *f = *state;
	uint64_t number;
	size_t i;

	nallowed = 0;
	f->proxyd.conf.failures_rate = 3;
	for (i = 0; i < 3; i++) {
		begin(f, "chat.send", payload_ok);
		judge(f, i, i == 0 ? SESSION_DENIED : SESSION_OK,
		    SESSION_ROLE_READ_ONLY);
		clear_replies();
		assert_int_equal(audited.github_id, 5);
	}
	assert_int_equal(naudited, 3);
	assert_int_equal(f->proxyd.counts.denied, 3);
	naudited = 0;
	number = begin(f, "chat.subscribe", payload_ok);
	judge(f, i++, SESSION_OK, SESSION_ROLE_READ_ONLY);
	expect_failed(number, why);
	expect_audit(AUDIT_REFUSED, 0, "", "", "chat.subscribe", why);
	number = begin(f, "chat.subscribe", payload_ok);
	judge(f, i++, SESSION_OK, SESSION_ROLE_READ_ONLY);
	expect_failed(number, why);
	assert_int_equal(naudited, 0);
	assert_int_equal(f->proxyd.counts.rate, 2);
	now_ms += 20000;
	begin(f, "chat.subscribe", payload_ok);
	judge(f, i, SESSION_OK, SESSION_ROLE_READ_ONLY);
	expect_allowed("mona.jwt");
}

/* In any order; a few at once; authd goes and comes back. */
static void
test_waiting(void **state)
{
	struct fixture *f = *state;
	uint64_t number, id;
	size_t i;

	nallowed = 0;
	begin(f, "chat.send", "{\"auth_token\":\"gho_a\"}");
	authd_is_there = false;
	begin(f, "chat.send", "{\"auth_token\":\"gho_b\"}");
	assert_int_equal(ntokens, 1);
	expect_no_reply();
	authd_is_there = true;
	user_auth_on_authd(f->proxyd.user_auth);
	assert_int_equal(ntokens, 3);
	assert_int_equal(tokens[1].id, tokens[0].id);
	assert_string_equal(tokens[1].token, "gho_a");
	assert_string_equal(tokens[2].token, "gho_b");
	id = tokens[0].id;
	assert_true(user_auth_owns(id));
	assert_false(user_auth_owns(1));
	assert_false(user_auth_owns(UINT64_MAX / 2));
	judge(f, 2, SESSION_OK, SESSION_ROLE_FULL);
	expect_allowed("mona.jwt");
	judge(f, 1, SESSION_OK, SESSION_ROLE_FULL);
	expect_allowed("mona.jwt");

	for (i = 0; i < USER_AUTH_MAX; i++)
		begin(f, "chat.send", payload_ok);
	naudited = 0;
	expect_no_reply();
	number = begin(f, "chat.send", payload_ok);
	expect_failed(number, "too many at once; try again in a moment");
	assert_int_equal(ntokens, 3 + USER_AUTH_MAX);
	judge(f, 3, SESSION_OK, SESSION_ROLE_FULL);
	expect_allowed("mona.jwt");
	begin(f, "chat.send", payload_ok);
	expect_no_reply();

	/* Nobody is there any more. */
	naudited = 0;
	chats_clear(f->proxyd.chats);
	assert_int_equal(naudited, USER_AUTH_MAX);
	assert_int_equal(audited.verdict, AUDIT_GIVEN_UP);
	judge(f, 4, SESSION_OK, SESSION_ROLE_FULL);
	expect_no_reply();
	user_auth_on_authd(f->proxyd.user_auth);
	assert_int_equal(ntokens, 4 + USER_AUTH_MAX);
	expect_gone(f);
	/* The question that waits when all ends is gone with it. */
	begin(f, "chat.send", payload_ok);
}

/* An authd that does not answer. */
static void
test_late(void **state)
{
	static const char why[] = "users cannot be looked up now";
	struct fixture *f = *state;
	uint64_t first, second;

	nallowed = 0;
	first = begin(f, "chat.send", payload_ok);
	pass(f, 4000);
	begin(f, "chat.abort", payload_ok);
	pass(f, USER_AUTH_MS - 4001);
	expect_no_reply();
	pass(f, 1);
	expect_failed(first, why);
	expect_audit(AUDIT_REFUSED, 0, "", "", "chat.send", why);
	/* Its answer is too late, that of the other is not. */
	judge(f, 0, SESSION_OK, SESSION_ROLE_FULL);
	expect_no_reply();
	judge(f, 1, SESSION_OK, SESSION_ROLE_FULL);
	expect_allowed("mona.jwt");
	pass(f, 3000);
	/* All that are due. */
	first = begin(f, "chat.send", payload_ok);
	pass(f, USER_AUTH_MS - 1);
	expect_no_reply();
	second = begin(f, "chat.send", payload_ok);
	pass(f, 1);
	expect_failed(first, why);
	pass(f, USER_AUTH_MS - 2);
	expect_no_reply();
	pass(f, 1);
	expect_failed(second, why);
}

static void
test_malformed(void **state)
{
	struct fixture *f = *state;
	struct msg m = { .type = MSG_SESSION, .fd = -1 };

	begin(f, "chat.send", payload_ok);
	m.id = tokens[0].id;
	m.data = (const uint8_t *)"x";
	m.len = 1;
	assert_int_equal(user_auth_on_session(f->proxyd.user_auth, &m), -1);
	expect_no_reply();
	assert_int_equal(nsockets, 0);
}

/* Nothing is left where it stood: in the payload, and in the text. */
static void
test_wiped(void **state)
{
	static const char secret[] = "gho_secretsecretsecretsecretsecretsecret";
	struct fixture *f = *state;
	struct json_object *payload = json_object_new_object(), *object;
	struct user_auth_token token;
	struct evbuffer *text = evbuffer_new();
	const char *stands;
	char copy[256];

	json_add_string(payload, "auth_token", secret);
	json_add_string(payload, "content", "hi");
	json_object_object_get_ex(payload, "auth_token", &object);
	json_object_get(object);
	stands = json_object_get_string(object);
	user_auth_take(payload, &token);
	assert_string_equal(token.text, secret);
	assert_null(token.why);
	assert_ptr_equal(json_object_get_string(object), stands);
	assert_null(memmem(stands, sizeof(secret), "gho_", 4));
	assert_null(memmem(stands, sizeof(secret), "secret", 6));
	assert_string_equal(json_text(payload, NULL), "{\"content\":\"hi\"}");
	json_object_put(object);
	json_object_put(payload);
	user_auth_token_clear(&token);
	assert_null(token.text);

	(void)snprintf(copy, sizeof(copy),
	    "{\"request_id\":\"R2\",\"action\":\"dance\","
	    "\"payload\":{\"auth_token\":\"%s\"}}",
	    secret);
	evbuffer_add_reference(text, copy, strlen(copy), NULL, NULL);
	assert_null(user_requests_begin(&f->proxyd, 2, text));
	assert_null(memmem(copy, sizeof(copy), "gho_", 4));
	assert_int_equal(evbuffer_get_length(text), 0);
	evbuffer_free(text);
}

/* Who goes on with a chat may come without a token, or with their own. */
static void
test_going_on(void **state)
{
	struct fixture *f = *state;
	uint64_t number = open_chat_of(f, "S", SESSION_ROLE_FULL), next;

	next = follow_up(f, "S", "{\"type\":\"a\",\"auth_token\":\"gho_m\"}");
	assert_int_equal(ntokens, 2);
	expect_no_reply();
	expect_got(0, "");
	/* Those behind it wait. */
	ask(f, "S", "chat.send", "{}");
	expect_no_reply();
	answer(f, 1, SESSION_OK, SESSION_ROLE_FULL, 5);
	expect_got(0, "{\"type\":\"a\"}\n{\"type\":\"chat.send\"}\n");
	expect_done(next);
	expect_done(next + 1);
	assert_int_equal(naudited, 0);

	next = follow_up(f, "S", "{\"type\":\"b\",\"auth_token\":\"gho_l\"}");
	answer(f, 2, SESSION_OK, SESSION_ROLE_FULL, 6);
	expect_done(next);
	expect_denied(number, "auth_token is somebody else's");
	expect_audit(AUDIT_REFUSED, 6, "mona", "full", "b",
	    "auth_token is somebody else's");
	assert_true(sockets[0]->closes);
	expect_got(0, "");
	upstream_closes(0, 1001, "", true);
	expect_gone(f);
}

/* Where there are no rules, any more, tokens say nothing. */
static void
test_going_on_without_rules(void **state)
{
	struct fixture *f = *state;
	uint64_t next;

	open_chat_of(f, "S", SESSION_ROLE_FULL);
	f->proxyd.conf.rules = false;
	chats_on_settings(f->proxyd.chats);
	open_chat(f, "T");
	naudited = 0;
	is_known = false;
	next = follow_up(f, "S", "{\"auth_token\":\"gho_l\"}");
	expect_done(next);
	next = follow_up(f, "T", "{\"auth_token\":7}");
	expect_done(next);
	expect_got(0, "{}\n");
	expect_got(1, "{}\n");
	assert_int_equal(asked_service, 1);
	assert_int_equal(naudited, 0);
}

static const struct {
	const char *token;
	enum session_status status;
	enum session_role role;
	const char *why;
	bool denied;
} ends[] = {
	{ "7", SESSION_OK, SESSION_ROLE_FULL, "auth_token is malformed", true },
	{ "\"g\"", SESSION_DENIED, SESSION_ROLE_FULL, "not you", true },
	{ "\"g\"", SESSION_UNAVAILABLE, SESSION_ROLE_FULL, "not you", false },
	{ "\"g\"", SESSION_OK, SESSION_ROLE_READ_ONLY, "your access changed",
	    true },
};

static void
test_going_on_refused(void **state)
{
	struct fixture *f = *state;
	uint64_t number, next;
	size_t i;

	for (i = 0; i < COUNT(ends); i++) {
		number = open_chat_of(f, "S", SESSION_ROLE_FULL);
		next = say(f,
		    "{\"type\":\"user_request_follow_up\","
		    "\"request_id\":\"S\",\"payload\":{\"auth_token\":%s}}",
		    ends[i].token);
		if (ends[i].token[0] != '7')
			answer(f, ntokens - 1, ends[i].status, ends[i].role, 5);
		expect_done(next);
		if (ends[i].denied)
			expect_denied(number, ends[i].why);
		else
			expect_failed(number, ends[i].why);
		upstream_closes(i, 1001, "", true);
		expect_gone(f);
	}
	assert_int_equal(f->proxyd.counts.chats_refused, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_rules, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_actions),
		TEST(test_bad_tokens),
		TEST(test_no_rules),
		TEST(test_verdicts),
		TEST(test_closed_path),
		TEST(test_rates),
		TEST(test_waiting),
		TEST(test_late),
		TEST(test_malformed),
		TEST(test_wiped),
		TEST(test_going_on),
		TEST(test_going_on_without_rules),
		TEST(test_going_on_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
