#include "tests/unit/proxyd/chat_fixture.h"

/*
 * All chat sessions: by their request_ids, how many, and how they all end.
 */

#define NO_SESSION "{\"error\":true,\"message\":\"no such session\"}"

static const struct {
	const char *payload, *data;
} closes[] = {
	{ "null", "{\"code\":1000,\"reason\":\"Normal close\"}" },
	{ "{}", "{\"code\":1000,\"reason\":\"Normal close\"}" },
	{ "{\"code\":1000,\"reason\":\"\"}",
	    "{\"code\":1000,\"reason\":\"Normal close\"}" },
	{ "{\"code\":3000,\"reason\":\"a\\\"\"}",
	    "{\"code\":3000,\"reason\":\"a\\\"\"}" },
	{ "{\"code\":4999}", "{\"code\":4999,\"reason\":\"Normal close\"}" },
	{ "{\"code\":null,\"reason\":null}",
	    "{\"code\":1000,\"reason\":\"Normal close\"}" },
	{ "{\"code\":5000}", "{\"code\":1000,\"reason\":\"Normal close\"}" },
	{ "{\"code\":1001}", "{\"code\":1000,\"reason\":\"Normal close\"}" },
	{ "{\"code\":2999}", "{\"code\":1000,\"reason\":\"Normal close\"}" },
	{ "{\"code\":\"3000\"}",
	    "{\"code\":1000,\"reason\":\"Normal close\"}" },
	{ "{\"reason\":\"a\\u0000\"}",
	    "{\"code\":1000,\"reason\":\"Normal close\"}" },
	{ "{\"reason\":[],\"auth_token\":\"x\"}",
	    "{\"code\":1000,\"reason\":\"Normal close\"}" },
};

static void
test_close(void **state)
{
	struct fixture *f = *state;
	uint64_t number, close;
	size_t i;

	for (i = 0; i < COUNT(closes); i++) {
		number = open_chat(f, "S");
		close = ask(f, "S", "close", closes[i].payload);
		expect_done(close);
		expect_reply(number, true, closes[i].data);
		assert_true(sockets[i]->closes);
		assert_int_equal(sockets[i]->code, 1000);
		expect_reply(ask(f, "S", "close", "{}"), true, NO_SESSION);
		upstream_text(i, "1");
		upstream_closes(i, 1000, "", true);
		expect_gone(f);
	}
	/* While it is asked who it is, and while the socket opens. */
	is_known = false;
	number = ask(f, "S", "chat.send", "{}");
	follow_up(f, "S", "{}");
	ask(f, "S", "close", "{}");
	expect_done(number + 2);
	expect_done(number + 1);
	expect_reply(number, true, closes[0].data);
	expect_gone(f);
	is_known = true;
	number = ask(f, "S", "chat.send", "{}");
	close =
	    say(f, "{\"type\":\"user_request_follow_up\",\"request_id\":\"S\","
		   "\"action\":\"close\"}");
	expect_done(close);
	expect_reply(number, true, closes[0].data);
	expect_gone(f);
	expect_no_reply();
	assert_int_equal(f->proxyd.counts.chats_refused, 0);
}

/* What is not for a chat that is there. */
static void
test_unknown(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	expect_reply(follow_up(f, "S", "{}"), true, NO_SESSION);
	expect_reply(ask(f, "S", "close", "{}"), true, NO_SESSION);
	number = ask(f, "S", "dance", "{}");
	expect_error_message(number, "Unknown action: dance", false);
	expect_reply(
	    number, true, "{\"code\":4000,\"reason\":\"Unknown action\"}");
	open_chat(f, "S");
	expect_reply(follow_up(f, "T", "{}"), true, NO_SESSION);
	expect_no_reply();
	assert_int_equal(nsockets, 1);
}

/* What is malformed does not end a chat that is there. */
static void
test_malformed(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	open_chat(f, "S");
	number = ask(f, "S", "chat.send", "7");
	expect_error_message(number, "payload is not an object", false);
	expect_done(number);
	number = say(f, "{\"type\":\"user_request\",\"request_id\":\"S\"}");
	expect_error_message(number, "no action", false);
	expect_done(number);
	expect_reply(say(f, "{\"request_id\":\"T\",\"payload\":{}}"), true,
	    "{\"error\":true,\"message\":\"no action\"}");
	expect_reply(follow_up(f, "T", "[]"), true,
	    "{\"error\":true,\"message\":\"payload is not an object\"}");
	expect_no_reply();
	expect_got(0, "");
	assert_int_equal(chats_count(f->proxyd.chats), 1);
}

/* A tunnel does not get the id of a chat. */
static void
test_tunnels(void **state)
{
	struct fixture *f = *state;
	uint64_t number;
	size_t i;
	static const char *const opens[] = { "tunnel.open", "stream.open" };

	open_chat(f, "S");
	for (i = 0; i < COUNT(opens); i++) {
		number = ask(f, "S", opens[i], "{\"method\":\"GET\"}");
		expect_error_message(
		    number, "that request_id is in use", false);
		expect_done(number);
	}
	expect_reply(ask(f, "T", "tunnel.send", "{\"id\":\"S\"}"), true,
	    "{\"error\":true,\"message\":\"no such tunnel\"}");
	assert_int_equal(chats_count(f->proxyd.chats), 1);
	expect_got(0, "");
}

static void
test_limit(void **state)
{
	static const char many[] = "too many chat sessions";
	struct fixture *f = *state;
	char id[8];
	size_t i;

	for (i = 0; i < CHATS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "S%zu", i);
		(void)open_chat(f, id);
	}
	assert_int_equal(f->used, CHATS_MAX);
	expect_failed(ask(f, "X", "chat.send", "{\"auth_token\":\"x\"}"), many);
	assert_int_equal(f->proxyd.counts.chats_refused, 1);
	assert_int_equal(nsockets, CHATS_MAX);
	/* Those that are there go on. */
	expect_done(follow_up(f, "S0", "{}"));
	/* One that is over makes room before its upstream said goodbye. */
	ask(f, "S0", "close", "{}");
	clear_replies();
	assert_int_equal(f->used, CHATS_MAX + 1);
	assert_false(chats_are_gone(f->proxyd.chats));
	(void)open_chat(f, "S0");
	assert_int_equal(chats_count(f->proxyd.chats), CHATS_MAX);
	/* The first one's goodbye is not the second one's. */
	upstream_closes(0, 1000, "", true);
	run(f);
	expect_no_reply();
	assert_int_equal(chats_count(f->proxyd.chats), CHATS_MAX);
	expect_done(follow_up(f, "S0", "{}"));
}

/* An upstream that never says goodbye does not pile up sockets. */
static void
test_goodbyes(void **state)
{
	struct fixture *f = *state;
	size_t i;

	open_chat(f, "L");
	for (i = 0; i < 100; i++) {
		open_chat(f, "S");
		ask(f, "S", "close", "{}");
		clear_replies();
		assert_in_range(nsockets - nfreed, 1, CHATS_MAX + 2);
	}
	/* The oldest ones went, but not one that is no goodbye. */
	assert_null(sockets[95]);
	assert_non_null(sockets[96]);
	assert_non_null(sockets[0]);
	expect_done(follow_up(f, "L", "{}"));
}

/* Nobody is there to be told. */
static void
test_clear(void **state)
{
	struct fixture *f = *state;

	open_chat(f, "S");
	ask(f, "T", "chat.send", "{}");
	is_known = false;
	ask(f, "U", "chat.send", "{}");
	chats_clear(f->proxyd.chats);
	expect_no_reply();
	assert_int_equal(chats_count(f->proxyd.chats), 0);
	assert_int_equal(f->used, 4);
	run(f);
	assert_int_equal(f->none, 0);
	assert_int_equal(sockets[0]->code, 1001);
	assert_null(sockets[1]);
	assert_int_equal(nwaiting, 0);
	upstream_closes(0, 1001, "", true);
	expect_gone(f);
	assert_int_equal(f->none, 1);
	expect_reply(follow_up(f, "S", "{}"), true, NO_SESSION);
}

static void
test_drain(void **state)
{
	static const char away[] = "{\"code\":1001,\"reason\":\"Going away\"}";
	struct fixture *f = *state;
	uint64_t number = open_chat(f, "S");

	/* One that says goodbye already hears nothing more. */
	open_chat(f, "G");
	ask(f, "G", "close", "{}");
	clear_replies();
	number += 2;
	ask(f, "T", "chat.send", "{}");
	follow_up(f, "T", "{}");
	chats_drain(f->proxyd.chats);
	expect_reply(number - 2, true, away);
	expect_done(number + 2);
	expect_reply(number + 1, true, away);
	assert_int_equal(sockets[0]->code, 1001);
	assert_int_equal(sockets[1]->code, 1000);
	upstream_closes(1, 1000, "", true);
	expect_failed(ask(f, "S", "chat.send", "{}"), "the instance stops");
	upstream_closes(0, 1001, "", true);
	expect_gone(f);
	assert_int_equal(f->none, 1);
}

static void
test_move(void **state)
{
	static const char restart[] =
	    "{\"code\":1012,\"reason\":\"Service restart\"}";
	struct fixture *f = *state;
	uint64_t number = open_chat(f, "S");

	ask(f, "T", "chat.send", "{}");
	is_known = false;
	ask(f, "U", "chat.send", "{}");
	chats_move(f->proxyd.chats);
	expect_reply(number, true, restart);
	expect_reply(number + 1, true, restart);
	expect_no_reply();
	assert_int_equal(sockets[0]->code, 1001);
	/* Where that one leads is not decided before it is known. */
	answer_wait(0);
	open_socket(2);
	expect_got(2, "{\"type\":\"chat.send\"}\n");
	assert_int_equal(chats_count(f->proxyd.chats), 1);
}

/* Nobody can begin with this proxyd any more, also who has not begun. */
static void
test_leave(void **state)
{
	static const char restart[] =
	    "{\"code\":1012,\"reason\":\"Service restart\"}";
	struct fixture *f = *state;
	uint64_t number = open_chat(f, "S");

	is_known = false;
	ask(f, "U", "chat.send", "{}");
	chats_leave(f->proxyd.chats);
	expect_reply(number, true, restart);
	expect_reply(number + 1, true, restart);
	assert_int_equal(sockets[0]->code, 1001);
	expect_failed(ask(f, "V", "chat.send", "{}"), "the instance stops");
	upstream_closes(0, 1001, "", true);
	expect_gone(f);
}

/* One after the other: nothing is left. */
static void
test_thousand(void **state)
{
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < 1000; i++) {
		open_chat(f, "S");
		upstream_text(i, "[]");
		if (i % 2 == 0)
			ask(f, "S", "close", "{}");
		upstream_closes(i, 1000, "", true);
		clear_replies();
		expect_gone(f);
	}
	assert_int_equal(f->proxyd.counts.chats_opened, 1000);
	assert_int_equal(f->used, 2000);
}

/* However many chats somebody has, others get their words in. */
static void
test_waiting(void **state)
{
	struct fixture *f = *state;
	char id[] = "A";
	uint64_t number;
	size_t i;

	f->proxyd.conf.chats_max = 6;
	for (i = 0; i < CHATS_WAITING_MAX; i++) {
		id[0] = (char)('A' + i / CHAT_MESSAGES_MAX);
		if (i % CHAT_MESSAGES_MAX == 0)
			ask(f, id, "chat.send", "{}");
		else
			follow_up(f, id, "{}");
	}
	number = ask(f, "S", "chat.send", "{}");
	for (i = 1; i < CHATS_WAITING_FEW; i++)
		follow_up(f, "S", "{}");
	expect_no_reply();
	follow_up(f, "S", "{}");
	for (i = 1; i <= CHATS_WAITING_FEW; i++)
		expect_done(number + i);
	expect_failed(number, "too much at once");
	/* Those of others do not count. */
	open_chat_of(f, "T", SESSION_ROLE_FULL);
	sockets[nsockets - 1]->fills = true;
	for (i = 0; i <= CHATS_WAITING_FEW; i++)
		follow_up(f, "T", "{}");
	expect_no_reply();
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_close),
		TEST(test_unknown),
		TEST(test_malformed),
		TEST(test_tunnels),
		TEST(test_limit),
		TEST(test_goodbyes),
		TEST(test_clear),
		TEST(test_drain),
		TEST(test_move),
		TEST(test_leave),
		TEST(test_thousand),
		TEST(test_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
