#include <signal.h>

#include "tests/unit/connector/instance.h"

/*
 * The program connector without a token: the test is authd and the
 * orchestrator.
 */

#define LINE_SIZE 2048
#define GRANT                                                             \
	"{\"type\":\"token_granted\",\"token\":\"ao_new\",\"client_id\":" \
	"\"box7\"}"

static void
run_without_token(void)
{
	in->token[0] = '\0';
	instance_run_attached();
}

static int
setup(void **state)
{
	if (instance_setup(state) == -1)
		return -1;
	replace(&in->conf.target, "/ws/connect?zone=1");
	replace(&in->conf.claim_users, "ada bob");
	replace(&in->conf.claim_orgs, "acme");
	return 0;
}

static void
start_pending(void)
{
	run_without_token();
	await("pending:0");
}

static const char *
status_of(enum status_id id)
{
	ask_status();
	return status_text(in->status, id);
}

static void
await_connection(const char *text)
{
	int i;

	for (i = 0; i < 1000; i++)
		if (strcmp(status_of(STATUS_CONNECTOR_CONNECTION), text) == 0)
			return;
	fail_msg("not \"%s\" but \"%s\"", text,
	    status_of(STATUS_CONNECTOR_CONNECTION));
}

/* The next line of the log, if there is one by now. */
static bool
read_line(char line[LINE_SIZE])
{
	ssize_t n = recv(in->log, line, LINE_SIZE - 1, 0);

	if (n > 0)
		line[n] = '\0';
	return n > 0;
}

/* How often a line was logged that has the text. */
static size_t
count_lines(const char *text)
{
	char line[LINE_SIZE];
	size_t count = 0;

	while (read_line(line)) {
		count += strstr(line, text) != NULL;
		assert_null(strstr(line, "ao_"));
	}
	return count;
}

#define HELD "held until asked to reconnect"

/* From no token to registered with the one that was granted. */
static void
test_granted(void **state)
{
	static const char hex[] = "0123456789abcdef";

	(void)state;
	in->conf.reconnect_ms = 60000; /* not waited for */
	in->conf.heartbeat_ms = 50;
	start_pending();
	assert_true(was_noted("pending:0:hostname:/project:linux"));
	assert_string_equal(
	    in->far[0].url, "/ws/pending?zone=1&user=ada%2Cbob&org=acme");
	assert_memory_equal(in->far[0].pending_id, "pending_", 8);
	assert_int_equal(strlen(in->far[0].pending_id), 8 + 32);
	assert_int_equal(strspn(in->far[0].pending_id + 8, hex), 32);
	assert_string_equal(status_of(STATUS_CONNECTOR_CONNECTION),
	    "pending: waiting to be claimed by user ada bob, org acme");
	assert_string_equal(status_of(STATUS_CONNECTOR_CLIENT_ID), "box");
	await("ping:0 of:box ping:0 of:box");
	far_send(0, GRANT);
	await("up:box7");
	assert_true(was_noted("granted:0:ao_new:box7"));
	assert_true(was_noted("closed:0:1000"));
	assert_true(was_noted("register:1:box7"));
	assert_string_equal(
	    in->far[1].url, "/ws/connect?zone=1&token=ao_new&client_id=box7");
	assert_string_equal(status_of(STATUS_CONNECTOR_CLIENT_ID), "box7");
	assert_false(was_noted("waiting"));
	forget();
	await("ping:1 ");
	assert_false(was_noted("of:"));
	far_send(1, "{\"type\":\"command\",\"command\":\"refresh_status\"}");
	await("status_update:1");
	/* The same again: it is news no more. */
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("up:box7");
	assert_int_equal(in->nfar, 3);
	assert_int_equal(count_lines("client id box7, for which"), 1);
	/* Forgotten: it is gone from here, too. */
	in->token[0] = in->client_id[0] = '\0';
	forget();
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("pending:3");
	assert_false(was_noted("granted:"));
}

/* Each connection has an id of its own. */
static void
test_pending_ids(void **state)
{
	(void)state;
	start_pending();
	forget();
	far_lose(0);
	await("pending:1");
	assert_string_not_equal(in->far[0].pending_id, in->far[1].pending_id);
}

/* Neither a token nor anybody who may claim us. */
static void
test_held(void **state)
{
	(void)state;
	replace(&in->conf.claim_users, "");
	replace(&in->conf.claim_orgs, "");
	in->conf.reconnect_ms = 10;
	run_without_token();
	await_connection(HELD);
	spin(200);
	assert_int_equal(in->nfar, 1);
	assert_int_equal(
	    count_lines("no token for host.example:80: set orchestrator token, "
			"or claim user, org or team to have one granted"),
	    1);
	/* A look of the operator, and a wish. */
	reload(0);
	await("dial");
	await_connection(HELD);
	assert_int_equal(in->nfar, 2);
	(void)strlcpy(in->token, "ao_other", sizeof(in->token));
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("up:box");
}

/* Each of them will do. */
static void
test_each_claim(void **state)
{
	char **const claims[] = { &in->conf.claim_users, &in->conf.claim_orgs,
		&in->conf.claim_teams };
	static const char *const ends[] = { "?zone=1&user=x", "?zone=1&org=x",
		"?zone=1&team=x" };
	char text[16];
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(claims); i++) {
		for (n = 0; n < COUNT(claims); n++)
			replace(claims[n], n == i ? "x" : "");
		if (i == 0)
			run_without_token();
		else
			reload(0);
		(void)snprintf(text, sizeof(text), "pending:%zu", i);
		await(text);
		assert_non_null(strstr(in->far[i].url, ends[i]));
	}
}

/* Somebody to claim us comes with a reload, and then a token. */
static void
test_settings(void **state)
{
	(void)state;
	replace(&in->conf.claim_users, "");
	replace(&in->conf.claim_orgs, "");
	run_without_token();
	await_connection(HELD);
	replace(&in->conf.claim_teams, "acme/staff");
	reload(0);
	await("pending:1");
	assert_string_equal(
	    in->far[1].url, "/ws/pending?zone=1&team=acme%2Fstaff");
	/* Nothing differs. */
	in->conf.reconnect_ms = 51;
	reload(0);
	spin(100);
	assert_string_equal(in->notes, "");
	replace(&in->conf.claim_teams, "acme/all");
	reload(0);
	await("pending:2");
	assert_true(was_noted("closed:1:1000"));
	(void)strlcpy(in->token, "ao_other", sizeof(in->token));
	reload(CONF_TOKEN);
	await("up:box");
	assert_true(was_noted("closed:2:1000"));
	/* With a token it is of no account who might have claimed us. */
	replace(&in->conf.claim_teams, "acme/few");
	reload(0);
	spin(100);
	assert_string_equal(in->notes, "");
}

static void
test_denied(void **state)
{
	(void)state;
	in->conf.reconnect_ms = 10;
	start_pending();
	far_send(
	    0, "{\"type\":\"authorization_denied\",\"reason\":\"by Eve\"}");
	await("closed:0:1000");
	spin(200);
	await_connection(HELD);
	assert_int_equal(in->nfar, 1);
	assert_string_equal(status_of(STATUS_CONNECTOR_LAST_DISCONNECT),
	    "authorization denied: by Eve");
	assert_int_equal(count_lines("disconnected: authorization denied: by "
				     "Eve; staying so"),
	    1);
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("pending:1");
}

/* The longest delay, but not for the operator. */
static void
assert_later(const char *why)
{
	char line[128];

	(void)snprintf(line, sizeof(line),
	    "disconnected: %s; next attempt in 60000 ms", why);
	await_connection("waiting for the next attempt");
	spin(200);
	assert_int_equal(in->nfar, 1);
	assert_int_equal(count_lines(line), 1);
	reload(0);
	await("pending:1");
}

static void
test_timeout(void **state)
{
	(void)state;
	in->conf.reconnect_ms = 10;
	start_pending();
	far_send(0,
	    "{\"type\":\"authorization_timeout\",\"message\":\"10 minutes\"}");
	assert_later("nobody claimed this instance: 10 minutes");
}

static void
test_timeout_closed(void **state)
{
	(void)state;
	in->conf.reconnect_ms = 10;
	start_pending();
	far_send(0,
	    "{\"type\":\"authorization_timeout\",\"message\":\"10 minutes\"}");
	ws_close(in->far[0].ws, 4000, "timeout");
	assert_later("nobody claimed this instance: 10 minutes");
}

static void
test_closed_4000(void **state)
{
	(void)state;
	in->conf.reconnect_ms = 10;
	start_pending();
	ws_close(in->far[0].ws, 4000, "timeout");
	assert_later("closed with 4000 timeout");
}

/* Any other end is one like any other; and what is too long ends it. */
static void
test_closed(void **state)
{
	char *text = malloc(70000);

	(void)state;
	assert_non_null(text);
	in->conf.reconnect_ms = 10;
	start_pending();
	ws_close(in->far[0].ws, 1000, "");
	await("pending:1");
	memset(text, ' ', 70000);
	assert_int_equal(ws_send(in->far[1].ws, WS_TEXT, text, 70000), 0);
	free(text);
	await("closed:1:1009");
	await("pending:2");
}

/* A pong in time, or the connection is dropped. */
static void
test_dead(void **state)
{
	(void)state;
	in->conf.reconnect_ms = 10;
	in->conf.heartbeat_ms = 50;
	in->deaf = true;
	start_pending();
	spin(9500);
	assert_false(was_noted("closed"));
	forget();
	await("closed:0:1006");
	in->deaf = false;
	await("pending:1");
}

/* What is malformed, or has no place here, changes nothing. */
static void
test_hostile(void **state)
{
	static const char *const texts[] = {
		"{\"type\":\"token_granted\",\"token\":\"a b\","
		"\"client_id\":\"x\"}",
		"{\"type\":\"token_granted\",\"token\":\"\","
		"\"client_id\":\"x\"}",
		"{\"type\":\"token_granted\",\"token\":\"t\","
		"\"client_id\":\"../x\"}",
		"{\"type\":\"registered\",\"success\":true}",
		"{\"type\":\"registered\",\"success\":false}",
		"{\"type\":\"http_proxy_request\",\"request_id\":\"1\"}",
		"{\"type\":\"user_request\",\"request_id\":\"1\","
		"\"action\":\"x\"}",
		"{\"type\":\"command\",\"command\":\"refresh_status\"}",
		"{\"type\":\"pending_registered\",\"success\":false}",
	};
	size_t i;

	(void)state;
	start_pending();
	forget();
	for (i = 0; i < COUNT(texts); i++)
		far_send(0, "%s", texts[i]);
	spin(200);
	assert_string_equal(in->notes, "");
	/* Of many the first one counts. */
	far_send(0, GRANT);
	for (i = 0; i < 100; i++)
		far_send(0, "%s",
		    "{\"type\":\"token_granted\",\"token\":"
		    "\"ao_evil\",\"client_id\":\"evil\"}");
	await("up:box7");
	assert_false(was_noted("evil"));
	forget();
	/* And none comes to one that is registered. */
	far_send(1, GRANT);
	far_send(1, "{\"type\":\"authorization_denied\",\"reason\":\"\"}");
	far_send(1, "{\"type\":\"authorization_timeout\",\"message\":\"\"}");
	spin(200);
	assert_string_equal(in->notes, "");
	assert_int_equal(in->nfar, 2);
}

/* authd is another one, which does not know of the token yet. */
static void
test_grant_lost(void **state)
{
	(void)state;
	in->grants_lost = 1;
	start_pending();
	far_send(0, GRANT);
	await("up:box7");
	assert_true(was_noted("granted:0:ao_new:box7 "));
	assert_non_null(strstr(strstr(in->notes, "granted:") + 1, "granted:"));
	assert_int_equal(in->nfar, 2);
}

/* It dies again, with the one that it was sent then. */
static void
test_grant_lost_twice(void **state)
{
	(void)state;
	in->grants_lost = 2;
	in->hangs = true;
	start_pending();
	far_send(0, GRANT);
	await("token:0");
	detach(PROGRAM_AUTHD);
	in->no_token = false;
	spin(50);
	attach(PROGRAM_AUTHD);
	await("up:box7");
	assert_int_equal(in->nfar, 2);
}

/* It is not insisted on. */
static void
test_grant_refused(void **state)
{
	(void)state;
	in->grants_lost = 2;
	start_pending();
	far_send(0, GRANT);
	await("pending:1");
	spin(100);
	assert_int_equal(in->grants_lost, 0);
	assert_int_equal(in->nfar, 2);
}

static void
test_no_authd(void **state)
{
	(void)state;
	start_pending();
	detach(PROGRAM_AUTHD);
	spin(50);
	forget();
	far_send(0, GRANT);
	await("dial");
	spin(100);
	attach(PROGRAM_AUTHD);
	await("up:box7");
	assert_true(was_noted("granted:0:ao_new:box7"));
}

/* What one host granted is nothing for another. */
static void
test_other_host(void **state)
{
	(void)state;
	in->grants_lost = 1;
	start_pending();
	in->no_dial = true;
	far_send(0, GRANT);
	await("closed:0:1000");
	await("dial");
	in->no_dial = false;
	replace(&in->conf.host, "elsewhere.example");
	reload(0);
	await("pending:1");
	assert_false(was_noted("granted:"));
}

/* It came from a file or a person meanwhile: that is authd's to decide. */
static void
test_reload_meanwhile(void **state)
{
	(void)state;
	in->grants_lost = 1;
	start_pending();
	in->no_dial = true;
	far_send(0, GRANT);
	await("dial");
	await("closed:0:1000");
	in->no_dial = false;
	in->conf.heartbeat_ms = 20000;
	reload(CONF_TOKEN);
	await("up:box7");
	assert_true(was_noted("granted:1:ao_new:box7"));
}

/* The token was forgotten between the upgrade and register. */
static void
test_forgotten(void **state)
{
	(void)state;
	(void)strlcpy(in->client_id, "granted", sizeof(in->client_id));
	in->questions_answered = 1;
	instance_run_attached();
	await("pending:1");
	assert_non_null(strstr(in->far[0].url, "client_id=granted"));
	assert_string_equal(status_of(STATUS_CONNECTOR_CLIENT_ID), "box");
}

/* Another one was granted then: what we are called is the same throughout. */
static void
test_replaced(void **state)
{
	(void)state;
	(void)strlcpy(in->client_id, "old", sizeof(in->client_id));
	(void)strlcpy(in->next_client_id, "new", sizeof(in->next_client_id));
	in->questions_answered = 1;
	in->conf.reconnect_ms = 10;
	instance_run_attached();
	await("up:new");
	assert_false(was_noted("register:0"));
	assert_non_null(strstr(in->far[0].url, "client_id=old"));
	assert_non_null(strstr(in->far[1].url, "token=ao_next&client_id=new"));
}

/* The delay that was announced last. */
static unsigned int
last_delay(void)
{
	static const char text[] = "next attempt in ";
	unsigned int delay = 0;
	char line[LINE_SIZE], *at;

	while (read_line(line))
		if ((at = strstr(line, text)) != NULL)
			(void)sscanf(at + strlen(text), "%u", &delay);
	return delay;
}

/* Delays grow, until one stood for long enough to be asked whether it does. */
static void
test_delays(void **state)
{
	char text[16];
	size_t i;

	(void)state;
	in->conf.reconnect_ms = 100;
	in->conf.heartbeat_ms = 300;
	run_without_token();
	for (i = 0; i < 4; i++) {
		(void)snprintf(text, sizeof(text), "pending:%zu", i);
		await(text);
		/* To what it did not ask. */
		far_send(i, "{\"type\":\"pong\"}");
		spin(20);
		far_lose(i);
	}
	await("pending:4");
	assert_in_range(last_delay(), 160, 600);
	await("ping:4");
	spin(50);
	far_lose(4);
	await("pending:5");
	assert_in_range(last_delay(), 1, 150);
}

static void
test_disconnect(void **state)
{
	(void)state;
	start_pending();
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	await("closed:0:1000");
	spin(100);
	assert_int_equal(in->nfar, 1);
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("pending:1");
	far_send(1, "{\"type\":\"command\",\"command\":\"disconnect\"}");
	await("closed:1:1000");
	await_connection(HELD);
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("pending:2");
	channel_send_empty(in->channel, MSG_SHUTDOWN, 0);
	await("closed:2:1000");
	assert_int_equal(instance_end(), 0);
}

/* More than there is room for is cut. */
static void
test_many_claims(void **state)
{
	char names[6000] = "";
	const char *text;
	size_t i;

	(void)state;
	for (i = 0; i < 500; i++)
		(void)snprintf(names + strlen(names), 12, "%sperson%zu",
		    i == 0 ? "" : " ", i % 1000);
	replace(&in->conf.claim_users, names);
	run_without_token();
	await_connection("connecting");
	for (i = 0; i < 100 && !was_noted("pending:0"); i++)
		spin(20);
	text = status_of(STATUS_CONNECTOR_CONNECTION);
	assert_in_range(strlen(text), 200, 400);
	assert_string_equal(text + strlen(text) - 3, "...");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_granted),
		TEST(test_pending_ids),
		TEST(test_held),
		TEST(test_each_claim),
		TEST(test_settings),
		TEST(test_denied),
		TEST(test_timeout),
		TEST(test_timeout_closed),
		TEST(test_closed_4000),
		TEST(test_closed),
		TEST(test_dead),
		TEST(test_hostile),
		TEST(test_grant_lost),
		TEST(test_grant_lost_twice),
		TEST(test_grant_refused),
		TEST(test_no_authd),
		TEST(test_other_host),
		TEST(test_reload_meanwhile),
		TEST(test_forgotten),
		TEST(test_replaced),
		TEST(test_delays),
		TEST(test_disconnect),
		TEST(test_many_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
