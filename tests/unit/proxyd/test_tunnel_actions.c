#include "tests/unit/proxyd/tunnel_actions_fixture.h"

static void
test_open_payload(void **state)
{
	struct fixture *f = *state;
	char id[16];
	size_t i;

	for (i = 0; i < COUNT(sockets); i++) {
		(void)snprintf(id, sizeof(id), "R%zu", i);
		ask(f, id, "tunnel.open", sockets[i].payload);
		if (sockets[i].ask == NULL) {
			assert_null(asked);
			expect_refused(f->number, "400");
			continue;
		}
		assert_string_equal(asked_handle, "h");
		answer_handle(1);
		next_reply(f->number, false);
		assert_string_equal(last_ask, sockets[i].ask);
	}
}

static void
test_open_long_path(void **state)
{
	struct fixture *f = *state;
	char *payload = malloc(70000), *path;

	memcpy(payload, "{\"handle\":\"h\",\"path\":\"/", 23);
	path = payload + 23;
	memset(path, 'a', 32767);
	(void)strlcpy(path + 32767, "\"}", 3);
	ask(f, "A", "tunnel.open", payload);
	answer_handle(1);
	next_reply(f->number, false);
	memset(path, 'a', 32768);
	(void)strlcpy(path + 32768, "\"}", 3);
	ask(f, "B", "tunnel.open", payload);
	expect_refused(f->number, "400");
	free(payload);
}

static const struct {
	const char *payload;
	const char *ask; /* NULL: 400; "": an error */
} streams[] = {
	{ "{\"handle\":\"h\",\"method\":\"GET\",\"path\":\"/e?token=1&a\"}",
	    "/e?a" },
	{ "{\"handle\":\"h\",\"method\":\"GET\",\"path\":\"/e\",\"headers\":["
	  "[\"Accept\",\"text/event-stream\"],[\"Authorization\",\"x\"],"
	  "[\"X-Orchestrator-User-Id\",\"7\"],"
	  "[\"Host\",\"x\"],"
	  "[\"Connection\",\"keep-alive, x-hop\"],[\"X-Hop\",\"1\"],"
	  "[\"Cookie\",\"a=b\"],[\"If-None-Match\",\"e\"],"
	  "[\"Last-Event-ID\",\"7\"],[\"Transfer-Encoding\",\"chunked\"]]}",
	    "/e {Accept: text/event-stream} {Cookie: a=b} "
	    "{If-None-Match: e} {Last-Event-ID: 7}" },
	{ "{\"handle\":\"h\",\"method\":\"POST\",\"path\":\"/e\"}", "" },
	{ "{\"handle\":\"h\",\"method\":\"HEAD\",\"path\":\"/e\"}", "" },
	{ "{\"handle\":\"h\",\"path\":\"/e\"}", "" },
	{ "null", "" },
	{ "{\"method\":\"GET\",\"path\":\"/e\"}", NULL },
	{ "{\"handle\":\"h\",\"method\":\"GET\",\"path\":\"//e\"}", NULL },
	{ "{\"handle\":\"h\",\"method\":\"GET\",\"path\":\"/e\","
	  "\"headers\":{}}",
	    NULL },
	{ "{\"handle\":\"h\",\"method\":\"GET\",\"path\":\"/e\","
	  "\"headers\":[[\"a\"]]}",
	    NULL },
	{ "{\"handle\":\"h\",\"method\":\"GET\",\"path\":\"/e\","
	  "\"headers\":[[\"a\",\"b\"],[\"a\",\"b\\r\\nc: d\"]]}",
	    NULL },
};

static void
test_stream_payload(void **state)
{
	struct fixture *f = *state;
	char id[16];
	size_t i;

	for (i = 0; i < COUNT(streams); i++) {
		(void)snprintf(id, sizeof(id), "R%zu", i);
		ask(f, id, "stream.open", streams[i].payload);
		if (streams[i].ask == NULL) {
			expect_refused(f->number, "400");
		} else if (streams[i].ask[0] == '\0') {
			expect_error(f->number);
		} else {
			answer_handle(1);
			next_reply(f->number, false);
			assert_string_equal(last_ask, streams[i].ask);
		}
	}
}

static void
test_authorization(void **state)
{
	static const char payload[] = "{\"handle\":\"h\",\"path\":\"/ws\"}";
	struct fixture *f = *state;

	ask(f, "A", "tunnel.open", payload);
	expect_no_reply();
	answer_handle(0);
	expect_refused(f->number, "403");

	/* Too long to be one: authd is not even asked. */
	ask(f, "B", "tunnel.open",
	    "{\"path\":\"/ws\",\"handle\":\"01234567890123456789012345678901"
	    "234567890123456789x\"}");
	assert_null(asked);
	expect_refused(f->number, "403");
	ask(f, "B2", "tunnel.open", "{\"path\":\"/ws\",\"handle\":\"\"}");
	expect_refused(f->number, "403");

	session_is_cached = false;
	session.status = SESSION_DENIED;
	(void)strlcpy(session.reason, "not you", sizeof(session.reason));
	ask(f, "C", "tunnel.open", payload);
	answer_handle(1);
	expect_no_reply();
	answer_session();
	expect_reply(f->number, true,
	    "{\"t\":\"close\",\"code\":1006,\"clean\":false,"
	    "\"reason\":\"403 not you\"}");

	session.status = SESSION_UNAVAILABLE;
	ask(f, "D", "tunnel.open", payload);
	answer_handle(1);
	answer_session();
	expect_refused(f->number, "503");

	session.status = SESSION_OK;
	ask(f, "E", "tunnel.open", payload);
	answer_handle(1);
	answer_session();
	expect_reply(f->number, false, "{\"t\":\"open\",\"protocol\":\"\"}");
	assert_int_equal(nfars, 1);
	run(f);
	assert_int_equal(tunnels_count(f->proxyd.tunnels), 1);
	/* All the others are gone. */
	ask(f, "F", "tunnel.pong", "{\"id\":\"A\"}");
	expect_error(f->number);
	ask(f, "G", "tunnel.pong", "{\"id\":\"E\"}");
	expect_reply(f->number, true, "{\"ok\":true}");
}

/* Closed by the page, or all of it, while authd is asked. */
static void
test_canceled(void **state)
{
	static const char payload[] = "{\"handle\":\"h\",\"path\":\"/ws\"}";
	struct fixture *f = *state;
	uint64_t a;

	a = ask(f, "A", "tunnel.open", payload);
	ask(f, "x", "tunnel.close", "{\"id\":\"A\",\"n\":0}");
	expect_reply(f->number, true, "{\"ok\":true}");
	next_reply(a, true);
	assert_int_equal(canceled, 1);
	session_is_cached = false;
	ask(f, "B", "tunnel.open", payload);
	answer_handle(1);
	tunnels_clear(f->proxyd.tunnels);
	assert_int_equal(canceled, 2);
	run(f);
	assert_int_equal(tunnels_count(f->proxyd.tunnels), 0);
	ask(f, "C", "tunnel.open", payload);
	a = f->number;
	tunnels_drain(f->proxyd.tunnels);
	expect_refused(a, "503");
	ask(f, "D", "tunnel.open", payload);
	expect_refused(f->number, "503");
	expect_no_reply();
}

static void
test_limits(void **state)
{
	struct fixture *f = *state;
	char id[16];
	size_t i;

	for (i = 0; i < TUNNELS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "R%zu", i);
		if (i == TUNNELS_PERSON_MAX) {
			ask(f, "X", "tunnel.open",
			    "{\"handle\":\"h\",\"path\":\"/ws\"}");
			answer_handle(1);
			expect_refused(f->number, "503");
			run(f);
		}
		open_socket(f, id, 1 + i / TUNNELS_PERSON_MAX);
	}
	ask(f, "Y", "tunnel.open", "{\"handle\":\"h\",\"path\":\"/ws\"}");
	assert_null(asked);
	expect_refused(f->number, "503");
	run(f);
	assert_int_equal(tunnels_count(f->proxyd.tunnels), TUNNELS_MAX);
	/* One goes: one may come. */
	ask(f, "x", "tunnel.close", "{\"id\":\"R7\",\"n\":0}");
	expect_reply(f->number, true, "{\"ok\":true}");
	ask(f, "Z", "tunnel.open", "{\"handle\":\"h\",\"path\":\"/ws\"}");
	expect_refused(f->number, "503");
	tunnel_far_gone(tunnels_find(f->proxyd.tunnels, "R7"), 1000, "", true);
	expect_reply(8 + 0, true,
	    "{\"t\":\"close\",\"code\":1000,\"clean\":true,\"reason\":\"\"}");
	run(f);
	open_socket(f, "Q", 1);
}

/* What is lowered below what there is closes nothing. */
static void
test_lowered(void **state)
{
	struct fixture *f = *state;
	struct proxyd_conf *conf = &f->proxyd.conf;
	static const char payload[] = "{\"handle\":\"h\",\"path\":\"/ws\"}";

	open_socket(f, "A", 1);
	open_socket(f, "B", 1);
	conf->tunnels_user_max = 1;
	ask(f, "C", "tunnel.open", payload);
	answer_handle(1);
	expect_refused(f->number, "503 too many tunnels of one person");
	run(f);
	open_socket(f, "D", 2);
	conf->tunnels_user_max = TUNNELS_PERSON_MAX;
	conf->tunnels_max = 2;
	ask(f, "E", "tunnel.open", payload);
	expect_refused(f->number, "503 too many tunnels");
	run(f);
	assert_int_equal(tunnels_count(f->proxyd.tunnels), 3);
	conf->tunnels_max = 4;
	open_socket(f, "F", 1);
	assert_int_equal(f->proxyd.counts.tunnels_opened, 4);
	assert_int_equal(f->proxyd.counts.tunnels_refused, 2);
}

/* None at all, or none for anybody. */
static void
test_no_tunnels(void **state)
{
	struct fixture *f = *state;
	static const char payload[] = "{\"handle\":\"h\",\"path\":\"/ws\"}";

	f->proxyd.conf.tunnels_max = 0;
	ask(f, "A", "tunnel.open", payload);
	assert_null(asked);
	expect_refused(f->number, "503 too many tunnels");
	run(f);
	f->proxyd.conf.tunnels_max = 1;
	f->proxyd.conf.tunnels_user_max = 0;
	ask(f, "B", "tunnel.open", payload);
	answer_handle(1);
	expect_refused(f->number, "503 too many tunnels of one person");
}

static void
test_closed_paths(void **state)
{
	static const struct {
		const char *action, *path;
		bool closed;
	} table[] = {
		{ "tunnel.open", "/shell", true },
		{ "tunnel.open", "/x/%2e%2e/SHELL?a", true },
		{ "tunnel.open", "/ws?/shell", false },
		{ "stream.open", "/api/git/status", true },
		{ "stream.open", "/api/gitx", false },
	};
	struct fixture *f = *state;
	char payload[128], id[8];
	uint64_t denied = 0;
	size_t i;

	set_deny(f, "/shell\n/api/git\n", "");
	for (i = 0; i < COUNT(table); i++) {
		(void)snprintf(id, sizeof(id), "R%zu", i);
		(void)snprintf(payload, sizeof(payload),
		    "{\"handle\":\"h\",\"path\":\"%s\",\"method\":\"GET\"}",
		    table[i].path);
		ask(f, id, table[i].action, payload);
		answer_handle(1);
		assert_int_equal(tunnels_find(f->proxyd.tunnels, id) == NULL,
		    table[i].closed);
		if (table[i].closed)
			expect_refused(f->number, "403 " DENY_REASON);
		else
			next_reply(f->number, false);
		denied += table[i].closed;
		assert_int_equal(f->proxyd.counts.denied, denied);
	}
	assert_int_equal(nfars, 2);
}

/* Those that go on in vain are ended; those that have not begun go on. */
static void
test_move(void **state)
{
	struct fixture *f = *state;
	uint64_t waiting;

	open_socket(f, "A", 1);
	ask(f, "S", "stream.open",
	    "{\"handle\":\"h\",\"path\":\"/s\",\"method\":\"GET\"}");
	answer_handle(1);
	next_reply(f->number, false);
	ask(f, "W", "tunnel.open", "{\"handle\":\"h\",\"path\":\"/ws\"}");
	waiting = f->number;

	tunnels_move(f->proxyd.tunnels);
	expect_reply(waiting - 2, true,
	    "{\"t\":\"close\",\"code\":1012,\"clean\":true,\"reason\":\"\"}");
	expect_reply(waiting - 1, true,
	    "{\"t\":\"end\",\"error\":\"503 the web app moved\"}");
	assert_true(fars[0].closed);
	assert_int_equal(fars[0].code, WS_CLOSE_GOING_AWAY);
	assert_true(fars[1].closed);
	answer_handle(1);
	expect_reply(waiting, false, "{\"t\":\"open\",\"protocol\":\"\"}");
	assert_non_null(tunnels_find(f->proxyd.tunnels, "W"));
	expect_no_reply();
}

/* Another proxyd follows: those that have not begun do so there. */
static void
test_leave(void **state)
{
	struct fixture *f = *state;
	uint64_t open = open_socket(f, "A", 1), waiting;

	ask(f, "W", "tunnel.open", "{\"handle\":\"h\",\"path\":\"/ws\"}");
	waiting = f->number;
	tunnels_leave(f->proxyd.tunnels);
	expect_reply(open, true,
	    "{\"t\":\"close\",\"code\":1012,\"clean\":true,\"reason\":\"\"}");
	expect_refused(waiting, "503 the web app moved");
	assert_int_equal(fars[0].code, WS_CLOSE_GOING_AWAY);
	ask(f, "X", "tunnel.open", "{\"handle\":\"h\",\"path\":\"/ws\"}");
	expect_refused(f->number, "503");
	expect_no_reply();
}

/* Ask for a piece of one tunnel that the upstream does not take. */
static uint64_t
send_empty(struct fixture *f, const char *id, uint64_t n)
{
	char payload[64];

	(void)snprintf(payload, sizeof(payload),
	    "{\"id\":\"%s\",\"n\":%llu,\"d\":\"\"}", id, (unsigned long long)n);
	ask(f, "S", "tunnel.send", payload);
	return f->number;
}

static void
test_pieces_of_one_person(void **state)
{
	struct fixture *f = *state;
	static const char *const ids[] = { "A", "B", "C", "D" };
	uint64_t n;
	size_t i, left = TUNNELS_OWED_MAX;

	for (i = 0; i < COUNT(ids); i++) {
		open_socket(f, ids[i], i == 3 ? 2 : 1);
		fars[i].writable = false;
	}
	for (i = 0; i < 2; i++)
		for (n = 0; n < TUNNEL_OWED_COUNT_MAX && left > 0; n++, left--)
			send_empty(f, ids[i], n);
	assert_int_equal(left, 0);
	/* A few are welcome in any tunnel, but no more. */
	for (n = 0; n < TUNNELS_OWED_FEW; n++)
		send_empty(f, "C", n);
	expect_no_reply();
	n = send_empty(f, "C", n);
	expect_error(n);
	for (i = TUNNELS_OWED_FEW; i > 0; i--)
		expect_error(n - i);
	assert_true(fars[2].closed);
	assert_null(tunnels_find(f->proxyd.tunnels, "C"));
	/* Nor do others notice. */
	clear_replies();
	for (n = 0; n < TUNNEL_OWED_COUNT_MAX; n++)
		send_empty(f, "D", n);
	expect_no_reply();
	assert_false(fars[3].closed);
}

static void
test_same_id(void **state)
{
	struct fixture *f = *state;

	open_socket(f, "A", 1);
	ask(f, "A", "tunnel.open", "{\"handle\":\"h\",\"path\":\"/ws\"}");
	expect_error(f->number);
	ask(f, "A", "stream.open",
	    "{\"handle\":\"h\",\"method\":\"GET\",\"path\":\"/ws\"}");
	expect_error(f->number);
	assert_int_equal(tunnels_count(f->proxyd.tunnels), 1);
}

static const struct {
	const char *action;
	const char *payload;
} malformed[] = {
	{ "tunnel.send", "null" },
	{ "tunnel.send", "{}" },
	{ "tunnel.send", "{\"id\":\"A\"}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":0}" },
	{ "tunnel.send", "{\"id\":\"A\",\"d\":\"x\"}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":-1,\"d\":\"x\"}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":0.5,\"d\":\"x\"}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":\"0\",\"d\":\"x\"}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":0,\"d\":7}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":0,\"d\":null}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":0,\"b\":\"!\"}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":0,\"b\":\"YQ\"}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":0,\"b\":[]}" },
	{ "tunnel.send", "{\"id\":\"A\",\"n\":0,\"b\":\"YQ==\",\"d\":\"\"}" },
	{ "tunnel.send", "{\"id\":\"B\",\"n\":0,\"d\":\"x\"}" },
	{ "tunnel.send", "{\"id\":7,\"n\":0,\"d\":\"x\"}" },
	{ "tunnel.send", "{\"id\":\"A\\u0000\",\"n\":0,\"d\":\"x\"}" },
	{ "tunnel.ack", "{}" },
	{ "tunnel.ack", "{\"id\":\"A\"}" },
	{ "tunnel.ack", "{\"id\":\"A\",\"n\":1}" },
	{ "tunnel.ack", "{\"id\":\"A\",\"n\":-1}" },
	{ "tunnel.ack", "{\"id\":\"A\",\"n\":99999999999999999999}" },
	{ "tunnel.ack", "{\"id\":\"B\",\"n\":0}" },
	{ "stream.ack", "{\"id\":\"B\",\"n\":0}" },
	{ "tunnel.pong", "{}" },
	{ "tunnel.pong", "{\"id\":\"B\"}" },
	{ "stream.pong", "{\"id\":\"B\"}" },
	{ "stream.cancel", "null" },
	{ "stream.cancel", "{\"id\":\"B\"}" },
	{ "tunnel.close", "{}" },
	{ "tunnel.close", "{\"id\":\"A\"}" },
	{ "tunnel.close", "{\"id\":\"B\",\"n\":0}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":0}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":999}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":1004}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":1005}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":1006}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":1015}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":2999}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":5000}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":66536}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"code\":\"1000\"}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"reason\":1}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"reason\":\"a\\u0000b\"}" },
	{ "tunnel.close", "{\"id\":\"A\",\"n\":0,\"reason\":\""
			  "01234567890123456789012345678901234567890123456789"
			  "01234567890123456789012345678901234567890123456789"
			  "012345678901234567890123\"}" },
};

/* None of these does the tunnel any harm. */
static void
test_malformed(void **state)
{
	struct fixture *f = *state;
	size_t i;

	open_socket(f, "A", 1);
	for (i = 0; i < COUNT(malformed); i++) {
		ask(f, "x", malformed[i].action, malformed[i].payload);
		expect_error(f->number);
		expect_no_reply();
	}
	ask(f, "x", "tunnel.send", "{\"id\":\"A\",\"n\":0,\"d\":\"\\u00e4\"}");
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":2}");
	ask(f, "x", "tunnel.send",
	    "{\"id\":\"A\",\"n\":1,\"b\":\"YWI=\",\"more\":true}");
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":2}");
	ask(f, "x", "tunnel.send", "{\"id\":\"A\",\"n\":2,\"b\":\"\"}");
	expect_reply(f->number, true, "{\"ok\":true,\"credit\":0}");
	assert_int_equal(evbuffer_get_length(fars[0].got), 8);
	assert_memory_equal(
	    evbuffer_pullup(fars[0].got, -1), "T\xc3\xa4;Bab;", 8);
}

static const struct {
	const char *members;
	uint16_t code;
	const char *reason;
} closes[] = {
	{ "", WS_CLOSE_NO_STATUS, "" },
	{ ",\"code\":null,\"reason\":null", WS_CLOSE_NO_STATUS, "" },
	{ ",\"code\":1000", 1000, "" },
	{ ",\"code\":1001,\"reason\":\"bye\"", 1001, "bye" },
	{ ",\"code\":1014", 1014, "" },
	{ ",\"code\":3000", 3000, "" },
	{ ",\"code\":4999,\"reason\":\"\\u00e4\"", 4999, "\xc3\xa4" },
};

static void
test_close(void **state)
{
	struct fixture *f = *state;
	char id[16], payload[128];
	size_t i;

	for (i = 0; i < COUNT(closes); i++) {
		(void)snprintf(id, sizeof(id), "R%zu", i);
		open_socket(f, id, 1);
		(void)snprintf(payload, sizeof(payload),
		    "{\"id\":\"%s\",\"n\":0%s}", id, closes[i].members);
		ask(f, "x", "tunnel.close", payload);
		expect_reply(f->number, true, "{\"ok\":true}");
		assert_true(fars[i].closed);
		assert_int_equal(fars[i].code, closes[i].code);
		assert_string_equal(fars[i].reason, closes[i].reason);
	}
}

static void
on_none(void *arg)
{
	unsigned *n = arg;

	(*n)++;
}

static void
test_drain(void **state)
{
	struct fixture *f = *state;
	uint64_t a, b;
	unsigned none = 0;

	tunnels_on_none(f->proxyd.tunnels, on_none, &none);
	a = open_socket(f, "A", 1);
	b = open_socket(f, "B", 2);
	tunnels_drain(f->proxyd.tunnels);
	expect_reply(a, true,
	    "{\"t\":\"close\",\"code\":1001,\"clean\":true,\"reason\":\"\"}");
	expect_reply(b, true,
	    "{\"t\":\"close\",\"code\":1001,\"clean\":true,\"reason\":\"\"}");
	assert_int_equal(fars[0].code, 1001);
	assert_int_equal(fars[1].code, 1001);
	run(f);
	/* They wait for the upstream's goodbye. */
	assert_int_equal(tunnels_count(f->proxyd.tunnels), 2);
	tunnels_clear(f->proxyd.tunnels);
	assert_int_equal(none, 0);
	ask(f, "x", "tunnel.pong", "{\"id\":\"A\"}");
	expect_error(f->number);
}

static void
test_clear(void **state)
{
	struct fixture *f = *state;

	open_socket(f, "A", 1);
	open_socket(f, "B", 2);
	tunnels_clear(f->proxyd.tunnels);
	expect_no_reply();
	assert_true(fars[0].closed);
	assert_true(fars[1].closed);
	ask(f, "x", "tunnel.ack", "{\"id\":\"A\",\"n\":0}");
	expect_error(f->number);
	/* Others may be opened again. */
	open_socket(f, "C", 1);
	assert_int_equal(tunnels_count(f->proxyd.tunnels), 3);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open_payload),
		TEST(test_open_long_path),
		TEST(test_stream_payload),
		TEST(test_authorization),
		TEST(test_canceled),
		TEST(test_limits),
		TEST(test_lowered),
		TEST(test_no_tunnels),
		TEST(test_closed_paths),
		TEST(test_move),
		TEST(test_leave),
		TEST(test_pieces_of_one_person),
		TEST(test_same_id),
		TEST(test_malformed),
		TEST(test_close),
		TEST(test_drain),
		TEST(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
