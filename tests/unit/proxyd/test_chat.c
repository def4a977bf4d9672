#include "tests/unit/proxyd/chat_fixture.h"

/*
 * One chat session: what goes up and comes down, and how it ends.
 */

#define CLOSED "{\"code\":1000,\"reason\":\"Normal close\"}"

/* What a browser says, and what the upstream gets. */
static const struct {
	const char *action, *payload, *got;
} messages[] = {
	{ "chat.send", "{}", "{\"type\":\"chat.send\"}" },
	{ "chat.send", "null", "{\"type\":\"chat.send\"}" },
	{ "chat.send", "{\"type\":\"x\",\"a\":1}",
	    "{\"type\":\"chat.send\",\"a\":1}" },
	{ "chat.send", "{\"type\":7,\"auth_token\":\"t\",\"u\":\"/\\u00e4\"}",
	    "{\"type\":\"chat.send\",\"u\":\"/\xc3\xa4\"}" },
	{ "dance", "{\"f\":1.50,\"n\":null}",
	    "{\"f\":1.50,\"n\":null,\"type\":\"dance\"}" },
	{ "", "{}", "{\"type\":\"\"}" },
	{ NULL, "{\"type\":\"y\",\"auth_token\":7}", "{\"type\":\"y\"}" },
	{ NULL, "{}", "{}" },
};

static void
test_up(void **state)
{
	struct fixture *f = *state;
	uint64_t number = ask(f, "S", "claude-command", "{\"a\":1}"), next;
	char *line;
	size_t i;

	expect_no_reply();
	assert_int_equal(nsockets, 1);
	assert_int_not_equal(f->proxyd.buffered, 0);
	open_socket(0);
	expect_got(0, "{\"a\":1,\"type\":\"claude-command\"}\n");
	/* Its number goes on. */
	expect_no_reply();
	assert_int_equal(f->proxyd.buffered, 0);
	for (i = 0; i < COUNT(messages); i++) {
		next =
		    messages[i].action == NULL
			? follow_up(f, "S", messages[i].payload)
			: ask(f, "S", messages[i].action, messages[i].payload);
		expect_done(next);
		expect_no_reply();
		line = evbuffer_readln(sockets[0]->got, NULL, EVBUFFER_EOL_LF);
		assert_string_equal(line, messages[i].got);
		free(line);
		evbuffer_drain(sockets[0]->got, SIZE_MAX);
	}
	next =
	    say(f, "{\"type\":\"user_request_follow_up\",\"request_id\":\"S\","
		   "\"action\":\"z\",\"payload\":{\"type\":\"y\"}}");
	expect_done(next);
	expect_got(0, "{\"type\":\"z\"}\n");
	ask(f, "S", "close", "{}");
	expect_done(next + 1);
	expect_reply(number, true, CLOSED);
	assert_int_equal(f->proxyd.counts.chats_opened, 1);
	upstream_closes(0, 1000, "", true);
	expect_gone(f);
	expect_no_reply();
}

/* What comes before the socket is open waits, in order. */
static void
test_opening(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	is_known = false;
	number = ask(f, "S", "chat.send", "{\"n\":1}");
	follow_up(f, "S", "{\"n\":2}");
	assert_int_equal(nsockets, 0);
	answer_wait(0);
	follow_up(f, "S", "{\"n\":3}");
	expect_no_reply();
	/* Of two that begin at once the second one goes on. */
	ask(f, "S", "chat.send", "{\"n\":4}");
	assert_int_equal(nsockets, 1);
	open_socket(0);
	expect_got(0, "{\"n\":1,\"type\":\"chat.send\"}\n{\"n\":2}\n{\"n\":3}\n"
		      "{\"n\":4,\"type\":\"chat.send\"}\n");
	expect_done(number + 1);
	expect_done(number + 2);
	expect_done(number + 3);
	expect_no_reply();
	assert_int_equal(chats_count(f->proxyd.chats), 1);
}

/* A socket that takes no more, until it does. */
static void
test_stuck(void **state)
{
	struct fixture *f = *state;
	uint64_t number = open_chat(f, "S");

	sockets[0]->fills = true;
	follow_up(f, "S", "{\"n\":1}");
	follow_up(f, "S", "{\"n\":2}");
	follow_up(f, "S", "{\"n\":3}");
	expect_got(0, "{\"n\":1}\n");
	expect_no_reply();
	assert_int_equal(f->proxyd.buffered, 21);
	unstick(0);
	expect_done(number + 1);
	expect_got(0, "{\"n\":2}\n");
	expect_no_reply();
	sockets[0]->fills = false;
	unstick(0);
	expect_done(number + 2);
	expect_done(number + 3);
	expect_got(0, "{\"n\":3}\n");
	/* Of those that wait the numbers end with the chat. */
	sockets[0]->fills = true;
	follow_up(f, "S", "{}");
	follow_up(f, "S", "{}");
	upstream_closes(0, 1000, "", true);
	expect_done(number + 4);
	expect_done(number + 5);
	expect_reply(number, true, CLOSED);
	expect_gone(f);
}

static void
test_full(void **state)
{
	struct fixture *f = *state;
	uint64_t number = ask(f, "S", "chat.send", "{}");
	size_t i;

	for (i = 1; i < CHAT_MESSAGES_MAX; i++)
		follow_up(f, "S", "{}");
	expect_no_reply();
	follow_up(f, "S", "{}");
	for (i = 1; i <= CHAT_MESSAGES_MAX; i++)
		expect_done(number + i);
	expect_failed(number, "too much at once");
	expect_gone(f);
	assert_int_equal(f->proxyd.counts.chats_refused, 1);
}

static void
test_full_of_bytes(void **state)
{
	struct fixture *f = *state;
	size_t half = CHAT_BYTES_MAX / 2;
	char *payload = malloc(half + 1);
	uint64_t number = ask(f, "S", "chat.send", "{}");

	memset(payload, 'x', half);
	memcpy(payload, "{\"d\":\"", 6);
	memcpy(payload + half - 2, "\"}", 3);
	follow_up(f, "S", payload);
	payload[half - 22 - 2] = '"';
	payload[half - 22 - 1] = '}';
	payload[half - 22] = '\0';
	follow_up(f, "S", payload);
	expect_no_reply();
	assert_int_equal(f->proxyd.buffered, CHAT_BYTES_MAX - 2);
	follow_up(f, "S", "{}");
	expect_no_reply();
	follow_up(f, "S", "{}");
	expect_done(number + 1);
	expect_done(number + 2);
	expect_done(number + 3);
	expect_done(number + 4);
	expect_failed(number, "too much at once");
	expect_gone(f);
	free(payload);
}

/* What the upstream says, and the data of the chunk. */
static const struct {
	enum ws_type type;
	const char *text, *data;
} down[] = {
	{ WS_TEXT, "{\"type\":\"a\",\"n\":1e400,\"n\":2}", NULL },
	{ WS_TEXT, " [1, 2] ", NULL },
	{ WS_TEXT, "\"\xc3\xa4\"", NULL },
	{ WS_TEXT, "null", NULL },
	{ WS_TEXT, "[[[[[[[[7]]]]]]]]", NULL },
	{ WS_TEXT, "[[[[[[[[[7]]]]]]]]]", "{\"raw\":\"[[[[[[[[[7]]]]]]]]]\"}" },
	{ WS_TEXT, "", "{\"raw\":\"\"}" },
	{ WS_TEXT, "{'a':1}", "{\"raw\":\"{'a':1}\"}" },
	{ WS_TEXT, "{\"a\":NaN}", "{\"raw\":\"{\\\"a\\\":NaN}\"}" },
	{ WS_TEXT, "hi\n\x7f\xf0\x9f\x98\x80",
	    "{\"raw\":\"hi\\n\x7f\xf0\x9f\x98\x80\"}" },
	{ WS_BINARY, "{}", "{\"raw\":\"e30=\",\"encoding\":\"base64\"}" },
	{ WS_BINARY, "", "{\"raw\":\"\",\"encoding\":\"base64\"}" },
};

static void
test_down(void **state)
{
	struct fixture *f = *state;
	uint64_t number = open_chat(f, "S");
	const char *text;
	size_t i, step;

	for (i = 0; i < COUNT(down); i++)
		for (step = 1; step < 16; step += 7) {
			text = down[i].text;
			upstream_says(
			    0, down[i].type, text, strlen(text), step);
			if (down[i].data != NULL) {
				expect_reply(number, false, down[i].data);
				continue;
			}
			assert_int_equal(nreplies, ++taken_replies);
			assert_int_equal(replies[nreplies - 1].number, number);
			assert_non_null(
			    strstr(replies[nreplies - 1].text, text));
		}
	expect_no_reply();
	assert_int_equal(f->proxyd.buffered, 0);
}

/* The longest message, and one that is too long, of each kind. */
static void
test_down_long(void **state)
{
	static const char long_text[] =
	    "{\"error\":true,\"message\":"
	    "\"a message of the web app is too long\"}";
	struct fixture *f = *state;
	uint64_t number = open_chat(f, "S");
	static char text[4 * 65536];
	size_t max = reply_data_max(&f->proxyd);
	struct json_object *data;

	memset(text, '7', sizeof(text));
	upstream_says(0, WS_TEXT, text, max, 1000);
	assert_int_equal(
	    json_object_get_type(next_reply(number, false)), json_type_int);
	upstream_says(0, WS_TEXT, text, max + 1, 1000);
	expect_reply(number, false, long_text);
	upstream_says(0, WS_TEXT, text, sizeof(text), 1000);
	expect_reply(number, false, long_text);
	/* {"raw":""} */
	memset(text, 'x', sizeof(text));
	upstream_says(0, WS_TEXT, text, max - 10, 1000);
	data = next_reply(number, false);
	assert_int_equal(strlen(json_string(data, "raw", NULL)), max - 10);
	upstream_says(0, WS_TEXT, text, max - 9, 1000);
	expect_reply(number, false, long_text);
	memset(text, 1, sizeof(text));
	upstream_says(0, WS_TEXT, text, max - 1000, 1000);
	expect_reply(number, false, long_text);
	upstream_says(0, WS_BINARY, text, max / 4 * 3 - 30, 1000);
	data = next_reply(number, false);
	assert_int_equal(
	    strlen(json_string(data, "raw", NULL)), (max / 4 * 3 - 30) / 3 * 4);
	upstream_says(0, WS_BINARY, text, max / 4 * 3, 1000);
	expect_reply(number, false, long_text);
	/* A part that never ends holds nothing beyond that. */
	sockets[0]->ops->part(sockets[0]->arg, WS_TEXT, text, max, false);
	assert_int_equal(f->proxyd.buffered, max);
	sockets[0]->ops->part(sockets[0]->arg, WS_TEXT, text, 1, false);
	assert_int_equal(f->proxyd.buffered, 0);
	sockets[0]->ops->part(sockets[0]->arg, WS_TEXT, text, 1, false);
	assert_int_equal(f->proxyd.buffered, 0);
	expect_no_reply();
	sockets[0]->ops->part(sockets[0]->arg, WS_TEXT, NULL, 0, true);
	expect_reply(number, false, long_text);
	/* Nor is there room where others have it. */
	f->proxyd.buffered += f->proxyd.conf.buffered_max - 3;
	upstream_text(0, "true");
	expect_reply(number, false, long_text);
	upstream_text(0, "777");
	expect_reply(number, false, "777");
	f->proxyd.buffered -= f->proxyd.conf.buffered_max - 3;
}

static void
test_pressure(void **state)
{
	struct fixture *f = *state;

	open_chat(f, "S");
	upstream_text(0, "1");
	assert_false(sockets[0]->paused);
	outbox_is_full = true;
	upstream_text(0, "1");
	assert_true(sockets[0]->paused);
	chats_continue(f->proxyd.chats);
	assert_true(sockets[0]->paused);
	outbox_is_full = false;
	chats_continue(f->proxyd.chats);
	assert_false(sockets[0]->paused);
	outbox_is_full = true;
	upstream_text(0, "1");
	/* Its goodbye must be read. */
	ask(f, "S", "close", "{}");
	assert_false(sockets[0]->paused);
	upstream_text(0, "1");
	assert_false(sockets[0]->paused);
	upstream_closes(0, 1000, "", true);
	expect_gone(f);
}

/* What is said is heard by whoever looks for runs. */
static void
test_tap(void **state)
{
	struct fixture *f = *state;

	open_chat(f, "S");
	evbuffer_drain(tapped, SIZE_MAX);
	follow_up(f, "S", "{}");
	upstream_says(0, WS_TEXT, "abc", 3, 2);
	evbuffer_add(tapped, "", 1);
	assert_string_equal((char *)evbuffer_pullup(tapped, -1), ">{}.<ab-<c.");
}

static const struct {
	uint16_t code;
	const char *reason;
	bool clean;
	const char *data;
} closes[] = {
	{ 1000, "bye", true, CLOSED },
	{ 1005, "", true, CLOSED },
	{ 1001, "", true, "{\"code\":1001,\"reason\":\"\"}" },
	{ 4001, "\"no\"", true, "{\"code\":4001,\"reason\":\"\\\"no\\\"\"}" },
	{ 1006, "", false,
	    "{\"error\":true,\"code\":1006,\"reason\":\"\",\"message\":"
	    "\"the web app closed the connection\"}" },
	{ 1002, "", false,
	    "{\"error\":true,\"code\":1006,\"reason\":\"\",\"message\":"
	    "\"the web app closed the connection\"}" },
};

static void
test_upstream_closes(void **state)
{
	struct fixture *f = *state;
	uint64_t number;
	size_t i;

	for (i = 0; i < COUNT(closes); i++) {
		number = open_chat(f, "S");
		/* It is not whole, and never will be. */
		sockets[i]->ops->part(sockets[i]->arg, WS_TEXT, "1", 1, false);
		upstream_closes(
		    i, closes[i].code, closes[i].reason, closes[i].clean);
		expect_reply(number, true, closes[i].data);
		expect_gone(f);
		expect_reply(follow_up(f, "S", "{}"), true,
		    "{\"error\":true,\"message\":\"no such session\"}");
	}
	expect_no_reply();
}

static void
test_never_opens(void **state)
{
	static const char *const texts[] = { "unreachable", "timeout",
		"malformed", "unauthorized", "refused" };
	struct fixture *f = *state;
	uint64_t number;
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		number = ask(f, "S", "chat.send", "{}");
		follow_up(f, "S", "{}");
		sockets[i]->ops->failed(
		    sockets[i]->arg, (enum upstream_socket_failure)i);
		expect_done(number + 1);
		expect_failed(number, texts[i]);
		expect_gone(f);
	}
	assert_int_equal(f->proxyd.counts.upstream_failed, 3);
	assert_int_equal(f->proxyd.counts.chats_refused, 5);
	assert_int_equal(f->proxyd.counts.chats_opened, 0);
	assert_int_equal(forgotten_service, 1);
	assert_int_equal(forgotten, 0);

	f->proxyd.conf.rules = true;
	ask(f, "S", "chat.send", "{\"auth_token\":\"g\"}");
	answer(f, 0, SESSION_OK, SESSION_ROLE_FULL, 5);
	sockets[i]->ops->failed(sockets[i]->arg, UPSTREAM_SOCKET_UNAUTHORIZED);
	assert_int_equal(forgotten, 1);
	assert_int_equal(forgotten_service, 1);
	clear_replies();
	f->proxyd.conf.rules = false;

	/* Nor does it say so. */
	number = ask(f, "S", "chat.send", "{}");
	pass(f, CHAT_OPEN_MS - 1000);
	expect_no_reply();
	pass(f, 1000);
	expect_failed(number, "timeout");
	expect_gone(f);
}

/* Who may only look: what they may not say is held back. */
static void
test_read_only(void **state)
{
	struct fixture *f = *state;
	uint64_t number = open_chat_of(f, "S", SESSION_ROLE_READ_ONLY), next;

	next = ask(f, "S", "get-active-sessions", "{\"a/b\":1}");
	expect_done(next);
	expect_got(0, "{\"a/b\":1,\"type\":\"get-active-sessions\"}\n");
	next = follow_up(f, "S", "{\"type\":\"chat.subscribe\"}");
	expect_done(next);
	expect_got(0, "{\"type\":\"chat.subscribe\"}\n");
	next = ask(f, "S", "claude-command", "{\"type\":\"chat.subscribe\"}");
	expect_error_message(next, ROLE_READ_ONLY_REASON, false);
	expect_reply(
	    number, false, "{\"type\":\"claude-complete\",\"exitCode\":1}");
	expect_done(next);
	assert_int_equal(naudited, 1);
	assert_int_equal(audited.event, AUDIT_MESSAGE);
	assert_int_equal(audited.verdict, AUDIT_REFUSED);
	assert_int_equal(audited.github_id, 5);
	assert_string_equal(audited.login, "mona");
	assert_string_equal(audited.role, "read-only");
	assert_string_equal(audited.method, "claude-command");
	assert_string_equal(audited.path, "/ws");
	/* A record in a while, all are counted; a flood is not told of each. */
	next = follow_up(f, "S", "{}");
	expect_error_message(next, ROLE_READ_ONLY_REASON, false);
	expect_done(next);
	outbox_is_full = true;
	expect_done(follow_up(f, "S", "{}"));
	outbox_is_full = false;
	assert_int_equal(naudited, 1);
	pass(f, 59999);
	follow_up(f, "S", "{\"type\":\"chat.subscribe\"}");
	clear_replies();
	follow_up(f, "S", "{}");
	assert_int_equal(naudited, 1);
	pass(f, 1);
	follow_up(f, "S", "{}");
	assert_int_equal(naudited, 2);
	assert_int_equal(f->proxyd.counts.messages_held, 5);
	expect_got(0, "{\"type\":\"chat.subscribe\"}\n");
	assert_int_equal(chats_count(f->proxyd.chats), 1);
}

static void
test_idle(void **state)
{
	struct fixture *f = *state;
	uint64_t number = open_chat(f, "S");

	pass(f, IDLE_MS - 1000);
	upstream_text(0, "1");
	pass(f, IDLE_MS - 1000);
	follow_up(f, "S", "{}");
	clear_replies();
	pass(f, IDLE_MS - 1000);
	expect_no_reply();
	runs = true;
	pass(f, 10 * IDLE_MS);
	expect_no_reply();
	runs = false;
	pass(f, 1000);
	expect_reply(
	    number, true, "{\"code\":1000,\"reason\":\"Idle timeout\"}");
	assert_true(sockets[0]->closes);
	assert_int_equal(sockets[0]->code, 1000);
	upstream_closes(0, 1000, "", true);
	expect_gone(f);
}

/* Not a moment too late. */
static void
test_idle_at_once(void **state)
{
	struct fixture *f = *state;
	uint64_t number = open_chat(f, "S");

	pass(f, IDLE_MS - 1000);
	expect_no_reply();
	pass(f, 1000);
	expect_reply(
	    number, true, "{\"code\":1000,\"reason\":\"Idle timeout\"}");
}

/* All that was known of people counts no more. */
static void
test_flush(void **state)
{
	struct fixture *f = *state;
	uint64_t number = open_chat_of(f, "S", SESSION_ROLE_FULL), next;

	known = (struct session){ .github_id = 5, .login = "mona" };
	chats_on_flush(f->proxyd.chats);
	assert_int_equal(asked_person, 1);
	expect_no_reply();
	/* What comes meanwhile waits. */
	is_known = false;
	chats_on_flush(f->proxyd.chats);
	chats_on_flush(f->proxyd.chats);
	assert_int_equal(asked_person, 2);
	next = follow_up(f, "S", "{}");
	expect_no_reply();
	expect_got(0, "");
	answer_wait(0);
	expect_done(next);
	expect_got(0, "{}\n");
	/* authd can not say, for a while. */
	chats_on_flush(f->proxyd.chats);
	known.status = SESSION_UNAVAILABLE;
	answer_wait(0);
	next = follow_up(f, "S", "{}");
	expect_done(next);
	is_known = true;
	pass(f, CHAT_RETRY_MS - 1000);
	assert_int_equal(asked_person, 3);
	known.status = SESSION_BUSY;
	pass(f, 1000);
	assert_int_equal(asked_person, 4);
	known.status = SESSION_OK;
	pass(f, CHAT_RETRY_MS);
	assert_int_equal(asked_person, 5);
	pass(f, 2 * CHAT_RETRY_MS);
	assert_int_equal(asked_person, 5);
	expect_no_reply();
	known.status = SESSION_DENIED;
	(void)strlcpy(known.reason, "not you", sizeof(known.reason));
	is_known = false;
	chats_on_flush(f->proxyd.chats);
	next = follow_up(f, "S", "{}");
	answer_wait(0);
	expect_done(next);
	expect_denied(number, "not you");
	assert_int_equal(sockets[0]->code, 1001);
	upstream_closes(0, 1001, "", true);
	expect_gone(f);

	/* Another role; and before the socket is open. */
	number = ask(f, "S", "chat.subscribe", "{\"auth_token\":\"gho_m\"}");
	chats_on_flush(f->proxyd.chats);
	assert_int_equal(asked_person, 6);
	answer(f, ntokens - 1, SESSION_OK, SESSION_ROLE_READ_ONLY, 5);
	known.status = SESSION_OK;
	is_known = true;
	chats_on_flush(f->proxyd.chats);
	expect_denied(number, "your access changed");
	expect_gone(f);
}

static void
test_settings(void **state)
{
	struct fixture *f = *state;
	uint64_t number = open_chat(f, "S"), other;

	chats_on_settings(f->proxyd.chats);
	expect_no_reply();
	is_known = false;
	other = ask(f, "T", "chat.send", "{}");
	f->proxyd.conf.rules = true;
	chats_on_settings(f->proxyd.chats);
	expect_denied(number, "no auth_token");
	answer_wait(0);
	expect_denied(other, "no auth_token");
	upstream_closes(0, 1001, "", true);
	expect_gone(f);
	number = open_chat_of(f, "S", SESSION_ROLE_FULL);
	chats_on_settings(f->proxyd.chats);
	expect_no_reply();
	f->proxyd.deny = deny_new_paths("/ws\n");
	chats_on_settings(f->proxyd.chats);
	expect_denied(number, DENY_REASON);
	upstream_closes(1, 1001, "", true);
	expect_gone(f);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_up),
		TEST(test_opening),
		TEST(test_stuck),
		TEST(test_full),
		TEST(test_full_of_bytes),
		TEST(test_down),
		TEST(test_down_long),
		TEST(test_pressure),
		TEST(test_tap),
		TEST(test_upstream_closes),
		TEST(test_never_opens),
		TEST(test_read_only),
		TEST(test_idle),
		TEST(test_idle_at_once),
		TEST(test_flush),
		TEST(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
