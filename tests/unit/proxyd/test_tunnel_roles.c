#include "tests/unit/proxyd/tunnel_actions_fixture.h"

#include <unistd.h>

/* What authd says from now on. */
static void
set_session(enum session_status status, enum session_role role,
    const char *reason, const char *advice)
{
	session.status = status;
	session.role = role;
	(void)strlcpy(session.reason, reason, sizeof(session.reason));
	(void)strlcpy(session.advice, advice, sizeof(session.advice));
}

static uint64_t
open_path(struct fixture *f, const char *id, const char *action,
    const char *path, uint64_t github_id)
{
	char payload[128];
	uint64_t number;

	(void)snprintf(payload, sizeof(payload),
	    "{\"handle\":\"h\",\"path\":\"%s\",\"method\":\"GET\"}", path);
	number = ask(f, id, action, payload);
	answer_handle(github_id);
	return number;
}

/* The last reply, with an advice, or "". */
static void
expect_advice(uint64_t number, const char *reason, const char *advice)
{
	struct json_object *data = next_reply(number, true);
	const char *name = strcmp(json_string(data, "t", NULL), "end") == 0
			       ? "error"
			       : "reason";
	const char *got = json_string(data, "advice", NULL);

	assert_string_equal(json_string(data, name, NULL), reason);
	assert_string_equal(got == NULL ? "" : got, advice);
	expect_no_reply();
}

static void
test_sockets(void **state)
{
	static const struct {
		const char *action, *path;
		enum session_role role;
		enum role_socket socket;
	} table[] = {
		{ "tunnel.open", "/ws", SESSION_ROLE_FULL, ROLE_SOCKET_OPEN },
		{ "tunnel.open", "/shell", SESSION_ROLE_FULL,
		    ROLE_SOCKET_OPEN },
		{ "tunnel.open", "/ws", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_MUTE },
		{ "tunnel.open", "/ws?a=/b", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_MUTE },
		{ "tunnel.open", "/ws?", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_MUTE },
		{ "tunnel.open", "/shell", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/shell?/ws", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/w", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/ws/", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/ws/../shell", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/WS", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/%77s", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/ws#x", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/./ws", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "tunnel.open", "/plugin-ws/x", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_CLOSED },
		{ "stream.open", "/api/events", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_OPEN },
		{ "stream.open", "/shell", SESSION_ROLE_READ_ONLY,
		    ROLE_SOCKET_OPEN },
		{ "stream.open", "/api/projects/clone-progress?path=/x",
		    SESSION_ROLE_READ_ONLY, ROLE_SOCKET_CLOSED },
		{ "stream.open", "/api/git/commit-diff?commit=;id",
		    SESSION_ROLE_READ_ONLY, ROLE_SOCKET_CLOSED },
	};
	struct fixture *f = *state;
	uint64_t number, denied = 0;
	char id[8];
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		(void)snprintf(id, sizeof(id), "R%zu", i);
		session.role = table[i].role;
		number =
		    open_path(f, id, table[i].action, table[i].path, 1 + i);
		if (table[i].socket != ROLE_SOCKET_CLOSED) {
			next_reply(number, false);
			assert_int_equal(
			    tunnels_find(f->proxyd.tunnels, id)->up.mute,
			    table[i].socket == ROLE_SOCKET_MUTE);
			continue;
		}
		expect_advice(number, "403 " ROLE_READ_ONLY_REASON,
		    ROLE_READ_ONLY_ADVICE);
		assert_int_equal(f->proxyd.counts.denied, ++denied);
	}
	assert_int_equal(nfars, COUNT(table) - denied);
}

/* What the page says on the chat socket. */
static void
say(struct fixture *f, unsigned n, const char *text, bool more)
{
	char payload[1024];

	(void)snprintf(payload, sizeof(payload),
	    "{\"id\":\"A\",\"n\":%u,\"d\":%s%s}", n, text,
	    more ? ",\"more\":true" : "");
	ask(f, "x", "tunnel.send", payload);
}

static void
expect_sent(size_t i, const char *wanted)
{
	assert_int_equal(evbuffer_get_length(fars[i].got), strlen(wanted));
	assert_memory_equal(
	    evbuffer_pullup(fars[i].got, -1), wanted, strlen(wanted));
	evbuffer_drain(fars[i].got, strlen(wanted));
}

#define DENIED                                                   \
	"{\"t\":\"denied\",\"message\":\"" ROLE_READ_ONLY_REASON \
	"\",\"advice\":\"" ROLE_READ_ONLY_ADVICE "\""

static void
test_messages(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	session.role = SESSION_ROLE_READ_ONLY;
	number = open_path(f, "A", "tunnel.open", "/ws", 1);
	next_reply(number, false);

	say(f, 0, "\"{\\\"type\\\":\\\"get-active-sessions\\\"}\"", false);
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":30}");
	expect_sent(0, "T{\"type\":\"get-active-sessions\"};");

	/* Of one that is held back nothing gets out, but it is taken. */
	say(f, 1, "\"{\\\"type\\\":\\\"chat.abort\\\"}\"", false);
	expect_reply(number, false, DENIED "}");
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":21}");
	expect_sent(0, "");
	assert_int_equal(f->proxyd.counts.messages_held, 1);
	assert_int_equal(f->proxyd.child.audit_lost, 2);

	/* In pieces, in another order than they were sent. */
	say(f, 3, "\"nd\\\"}\"", false);
	expect_no_reply();
	say(f, 2, "\"{\\\"type\\\":\\\"claude-comma\"", true);
	expect_reply(number, false,
	    DENIED ",\"answer\":\"{\\\"type\\\":\\\"claude-complete\\\","
		   "\\\"exitCode\\\":1}\"}");
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":21}");
	expect_reply(f->number - 1, true, "{\"ok\":true,\"credit\":4}");
	say(f, 4, "\"{\\\"type\\\":\\\"chat.subs\"", true);
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":18}");
	assert_int_equal(f->proxyd.buffered, 18);
	expect_sent(0, "");
	say(f, 5, "\"cribe\\\"}\"", false);
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":7}");
	expect_sent(0, "T{\"type\":\"chat.subscribe\"};");
	assert_int_equal(f->proxyd.buffered, 0);

	/* Binary, whatever it says. */
	ask(f, "x", "tunnel.send",
	    "{\"id\":\"A\",\"n\":6,\"b\":\"eyJ0eXBlIjoiY2hhdC5zdWJzY3JpYmUifQ="
	    "=\"}");
	expect_reply(number, false, DENIED "}");
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":25}");
	expect_sent(0, "");
	/* Noted once in a minute. */
	assert_int_equal(f->proxyd.counts.messages_held, 3);
	assert_int_equal(f->proxyd.child.audit_lost, 2);
	tunnels_find(f->proxyd.tunnels, "A")->held_noted -= 60000;
	say(f, 7, "\"\"", false);
	expect_reply(number, false, DENIED "}");
	next_reply(f->number, true);
	assert_int_equal(f->proxyd.child.audit_lost, 3);

	/* A page that floods us is told when there is room. */
	outbox_is_full = true;
	say(f, 8, "\"x\"", false);
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":1}");
	expect_no_reply();
	assert_int_equal(f->proxyd.counts.messages_held, 5);
	outbox_is_full = false;
}

/* The web app is slow: what goes out waits, and what is said is in order. */
static void
test_slow(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	session.role = SESSION_ROLE_READ_ONLY;
	number = open_path(f, "A", "tunnel.open", "/ws", 1);
	next_reply(number, false);
	fars[0].writable = false;
	say(f, 0, "\"{\\\"type\\\":\\\"get-active-sessions\\\"}\"", false);
	expect_no_reply();
	say(f, 1, "\"x\"", false);
	expect_reply(number, false, DENIED "}");
	expect_no_reply();
	fars[0].writable = true;
	tunnel_writable(tunnels_find(f->proxyd.tunnels, "A"));
	expect_reply(f->number - 1, true, "{\"ok\":true,\"credit\":30}");
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":1}");
	/* Closed within a message: it never was one. */
	say(f, 2, "\"{\\\"type\\\":\"", true);
	next_reply(f->number, true);
	ask(f, "x", "tunnel.close", "{\"id\":\"A\",\"n\":3}");
	expect_reply(f->number, true, "{\"ok\":true}");
	tunnel_far_gone(tunnels_find(f->proxyd.tunnels, "A"), 1000, "", true);
	expect_sent(0, "T{\"type\":\"get-active-sessions\"};");
	assert_int_equal(f->proxyd.buffered, 0);
}

static void
test_closed_by_role(void **state)
{
	struct fixture *f = *state;
	uint64_t a, b;

	set_deny(f, "/all\n", "/api\n/ws\n");
	a = open_path(f, "A", "tunnel.open", "/ws", 1);
	next_reply(a, false);
	session.role = SESSION_ROLE_READ_ONLY;
	b = open_path(f, "B", "tunnel.open", "/ws", 2);
	expect_advice(b, "403 " DENY_REASON, DENY_ADVICE);
	b = open_path(f, "C", "stream.open", "/api/x", 2);
	expect_advice(b, "403 " DENY_REASON, DENY_ADVICE);
	b = open_path(f, "D", "stream.open", "/all", 2);
	expect_advice(b, "403 " DENY_REASON, DENY_ADVICE);
	b = open_path(f, "E", "stream.open", "/other", 2);
	next_reply(b, false);

	set_deny(f, "", "/other\n/ws\n");
	tunnels_close_denied(f->proxyd.tunnels);
	expect_advice(b, "403 " DENY_REASON, DENY_ADVICE);
	set_deny(f, "/ws\n", "");
	tunnels_close_denied(f->proxyd.tunnels);
	expect_advice(a, DENY_REASON, DENY_ADVICE);
}

static void
test_refused(void **state)
{
	static const struct {
		enum session_status status;
		const char *reason;
	} table[] = {
		{ SESSION_DENIED, "403 not you" },
		{ SESSION_UNAVAILABLE, "503 not you" },
		{ SESSION_BUSY, "429 not you" },
	};
	struct fixture *f = *state;
	uint64_t number;
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		set_session(
		    table[i].status, SESSION_ROLE_FULL, "not you", "go home");
		number = open_path(f, "A", "tunnel.open", "/ws", 1);
		expect_advice(number, table[i].reason, "go home");
		run(f);
		number = open_path(f, "B", "stream.open", "/ws", 1);
		expect_advice(number, table[i].reason, "go home");
		run(f);
	}
	assert_int_equal(f->proxyd.counts.denied, 2);
	assert_int_equal(nfars, 0);
}

static void
test_rate(void **state)
{
	struct fixture *f = *state;
	uint64_t number;

	f->proxyd.conf.tunnels_rate = 2;
	open_socket(f, "A", 1);
	open_socket(f, "B", 1);
	number = open_path(f, "C", "tunnel.open", "/ws", 1);
	expect_advice(number, "429 too many tunnels opened", "");
	number = open_path(f, "D", "stream.open", "/ws", 1);
	expect_advice(number, "429 too many tunnels opened", "");
	assert_int_equal(f->proxyd.counts.rate, 2);
	open_socket(f, "E", 2);
	assert_int_equal(questions, 3);
}

/* Refusals count, too. */
static void
test_failures(void **state)
{
	struct fixture *f = *state;
	uint64_t number;
	size_t i;

	f->proxyd.conf.failures_rate = 3;
	session.role = SESSION_ROLE_READ_ONLY;
	for (i = 0; i < 3; i++) {
		number = open_path(f, "A", "tunnel.open", "/shell", 1);
		expect_refused(number, "403");
		run(f);
	}
	number = open_path(f, "B", "tunnel.open", "/ws", 1);
	expect_refused(number, "429");
	number = open_path(f, "C", "tunnel.open", "/ws", 2);
	next_reply(number, false);
}

/* Time passes: a second, as far as the timer of all knows. */
static void
tick(struct fixture *f)
{
	usleep(1050000);
	run(f);
}

static void
flush(void)
{
	assert_non_null(on_flush);
	on_flush(on_flush_arg);
}

#define CHANGED "your access changed"

static void
test_recheck(void **state)
{
	struct fixture *f = *state;
	uint64_t c, s;

	open_socket(f, "A", 1);
	open_socket(f, "B", 1);
	c = open_socket(f, "C", 2);
	s = open_path(f, "S", "stream.open", "/s", 1);
	next_reply(s, false);

	/* One question for each person, and not another one before it is
	 * answered. */
	session_is_cached = false;
	questions = 0;
	flush();
	assert_int_equal(questions, 2);
	flush();
	assert_int_equal(questions, 2);
	expect_no_reply();
	/* The last to be asked about is 2. */
	set_session(SESSION_DENIED, SESSION_ROLE_FULL, "no more", "go home");
	answer_session();
	expect_reply(c, true,
	    "{\"t\":\"close\",\"code\":1008,\"clean\":true,"
	    "\"reason\":\"no more\",\"advice\":\"go home\"}");
	expect_no_reply();
	assert_true(fars[2].closed);
	assert_int_equal(fars[2].code, WS_CLOSE_GOING_AWAY);
	assert_false(fars[0].closed);
}

static void
test_denied(void **state)
{
	struct fixture *f = *state;
	uint64_t a, b, s;

	a = open_socket(f, "A", 1);
	b = open_socket(f, "B", 1);
	s = open_path(f, "S", "stream.open", "/s", 1);
	next_reply(s, false);
	set_session(SESSION_DENIED, SESSION_ROLE_FULL, "no more", "go home");
	tick(f);
	expect_reply(a, true,
	    "{\"t\":\"close\",\"code\":1008,\"clean\":true,"
	    "\"reason\":\"no more\",\"advice\":\"go home\"}");
	expect_reply(b, true,
	    "{\"t\":\"close\",\"code\":1008,\"clean\":true,"
	    "\"reason\":\"no more\",\"advice\":\"go home\"}");
	expect_reply(s, true,
	    "{\"t\":\"end\",\"error\":\"403 no more\","
	    "\"advice\":\"go home\"}");
	expect_no_reply();
}

static void
test_other_role(void **state)
{
	struct fixture *f = *state;
	uint64_t a, b, s;

	a = open_socket(f, "A", 1);
	s = open_path(f, "S", "stream.open", "/s", 1);
	next_reply(s, false);
	/* The same role again changes nothing. */
	flush();
	expect_no_reply();
	session.role = SESSION_ROLE_READ_ONLY;
	b = open_path(f, "B", "tunnel.open", "/ws", 1);
	next_reply(b, false);
	flush();
	expect_reply(a, true,
	    "{\"t\":\"close\",\"code\":1012,\"clean\":true,"
	    "\"reason\":\"" CHANGED "\"}");
	expect_reply(s, true, "{\"t\":\"end\",\"error\":\"503 " CHANGED "\"}");
	expect_no_reply();
	/* The other way round, too. */
	session.role = SESSION_ROLE_FULL;
	flush();
	expect_reply(b, true,
	    "{\"t\":\"close\",\"code\":1012,\"clean\":true,"
	    "\"reason\":\"" CHANGED "\"}");
	expect_no_reply();
}

/* Where authd cannot say, nothing ends, and it is left alone for a while. */
static void
test_unavailable(void **state)
{
	static const enum session_status table[] = { SESSION_UNAVAILABLE,
		SESSION_BUSY };
	struct fixture *f = *state;
	uint64_t a;
	size_t i;

	a = open_socket(f, "A", 1);
	for (i = 0; i < COUNT(table); i++) {
		questions = 0;
		set_session(table[i], SESSION_ROLE_FULL, "later", "");
		flush();
		assert_int_equal(questions, 1);
		tick(f);
		tick(f);
		assert_int_equal(questions, 1);
		expect_no_reply();
	}
	/* Until it says that it can. */
	set_session(SESSION_DENIED, SESSION_ROLE_FULL, "no more", "");
	flush();
	expect_reply(a, true,
	    "{\"t\":\"close\",\"code\":1008,\"clean\":true,"
	    "\"reason\":\"no more\"}");
}

/* Who has none any more is not asked about, nor is who has none yet. */
static void
test_nobody(void **state)
{
	struct fixture *f = *state;
	uint64_t a;

	flush();
	assert_int_equal(questions, 0);
	session_is_cached = false;
	a = open_path(f, "A", "tunnel.open", "/ws", 1);
	assert_int_equal(questions, 1);
	flush();
	assert_int_equal(questions, 1);
	answer_session();
	next_reply(a, false);
	flush();
	assert_int_equal(questions, 2);
	/* While it is asked. */
	assert_int_equal(canceled, 0);
	tunnel_far_gone(tunnels_find(f->proxyd.tunnels, "A"), 1000, "", true);
	next_reply(a, true);
	run(f);
	assert_int_equal(tunnels_count(f->proxyd.tunnels), 0);
	assert_int_equal(canceled, 1);
	flush();
	assert_int_equal(questions, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sockets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_closed_by_role, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recheck, setup, teardown),
		cmocka_unit_test_setup_teardown(test_denied, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_other_role, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_unavailable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
