#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <time.h>

#include "tests/unit/connector/instance.h"

/* Nothing differs: the connection, and what is under way, live on. */
static void
test_same(void **state)
{
	(void)state;
	instance_start();
	request(0, "a");
	user_request(0, "t");
	await("user:t");
	reload(0);
	spin(200);
	assert_string_equal(in->notes, "");
	say(MSG_ANSWER, "a");
	say(MSG_REPLY, "t");
	await("answer:0:a:200");
	await("response_chunk:0:t");
	assert_int_equal(in->nfar, 1);
}

static void
send_large(size_t i, size_t len)
{
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, ' ', len);
	assert_int_equal(ws_send(in->far[i].ws, WS_TEXT, text, len), 0);
	free(text);
}

/* What an open connection can take. */
static void
test_in_place(void **state)
{
	(void)state;
	in->conf.reconnect_ms = 60000;
	instance_start();
	request(0, "a");
	await("request:a");
	in->conf.heartbeat_ms = 100;
	in->conf.reconnect_ms = 1;
	in->conf.json_depth = 7;
	reload(0);
	await("ping:0 ping:0 ");
	say(MSG_ANSWER, "a");
	await("answer:0:a:200");
	assert_int_equal(in->nfar, 1);
}

/* Both ends have to know how large a message may be: another connection. */
static void
test_message_size(void **state)
{
	(void)state;
	instance_start();
	in->conf.message_max = 2 << 20;
	reload(0);
	await("up:box:2097152");
	assert_int_equal(in->nfar, 2);
	send_large(1, 3 << 19);
	request(1, "b");
	await("request:b");
	send_large(1, 3 << 20);
	await("closed:1:1009");
}

/*
 * In a dozen pieces, to connection i, over a little more than the quiet that
 * ends one; false if it closed meanwhile.
 */
static bool
trickle(size_t i, const char *text)
{
	size_t n, piece, len = strlen(text);

	for (n = 0; n < len; n += piece) {
		piece = len - n < len / 12 ? len - n : len / 12;
		if (in->far[i].ws == NULL ||
		    ws_send_fragment(in->far[i].ws, WS_TEXT, n + piece == len,
			text + n, piece) == -1)
			return false;
		spin(3);
	}
	return true;
}

/*
 * A message that takes its time is waited for, and answered.  On a busy
 * machine it can stop for longer than that: then it is tried again.
 */
static void
test_trickle(void **state)
{
	char client_id[16], up[24];
	size_t i;

	(void)state;
	instance_start();
	for (i = 0; i < CONNECTIONS_MAX - 1; i++) {
		(void)snprintf(client_id, sizeof(client_id), "box%zu", i);
		(void)snprintf(up, sizeof(up), "up:%s:", client_id);
		replace(&in->conf.client_id, client_id);
		forget();
		stage(-1);
		switch_conf(0);
		if (trickle(i, "{\"type\":\"http_proxy_request\","
			       "\"request_id\":\"slow\"}"))
			break;
		await(up);
	}
	await("request:slow");
	say(MSG_ANSWER, "slow");
	await(up);
	assert_non_null(strstr(in->notes, ":slow:200"));
}

/* Another connection: nothing is lost, and tunnels do not hold it up. */
static void
test_turnover(void **state)
{
	(void)state;
	instance_start();
	request(0, "a");
	request(0, "b");
	user_request(0, "tunnel");
	user_request(0, "u");
	await("user:u");
	say(MSG_REPLY, "tunnel");
	await("response_chunk:0:tunnel");
	replace(&in->conf.client_id, "other");
	replace(&in->conf.host, "elsewhere.example");
	reload(0);
	spin(300);
	assert_string_equal(in->notes, "");
	/* It serves on, as it was configured. */
	request(0, "c");
	await("request:c");
	far_send(0, "{\"type\":\"command\",\"command\":\"refresh_status\"}");
	await("status_update:0");
	say(MSG_ANSWER, "b");
	say(MSG_ANSWER, "a");
	say(MSG_ANSWER, "c");
	await("answer:0:c:200");
	spin(100);
	assert_false(was_noted("down"));
	say(MSG_REPLY_LAST, "u");
	await("response_complete:0:u");
	await("up:other");
	assert_true(was_noted("answer:0:b:200 answer:0:a:200 answer:0:c:200 "));
	/* The tunnel has its end, too. */
	assert_non_null(strstr(in->notes, "response_complete:0:tunnel"));
	assert_true(was_noted("closed:0:1000"));
	assert_true(was_noted("register:1:other"));
	assert_non_null(strstr(in->far[1].url, "client_id=other"));
	assert_non_null(strstr(in->far[0].url, "client_id=box"));
	/* And serves again. */
	request(1, "d");
	user_request(1, "e");
	await("user:e");
	say(MSG_ANSWER, "d");
	await("answer:1:d:200");
}

/*
 * A slow answer comes, and meanwhile all others as ever; those that are begun
 * in that time are answered as well, and only then no more are taken.
 */
static void
test_slow(void **state)
{
	(void)state;
	instance_start();
	request(0, "slow");
	await("request:slow");
	reload(CONF_TOKEN);
	spin(2600);
	assert_string_equal(in->notes, "");
	request(0, "late");
	await("request:late");
	say(MSG_ANSWER, "slow");
	await("answer:0:slow:200");
	spin(100);
	request(0, "later");
	await("answer:0:later:503");
	/* Tunnels still work. */
	user_request(0, "u");
	await("user:u");
	say(MSG_REPLY_LAST, "u");
	await("response_complete:0:u");
	assert_false(was_noted("request:later"));
	say(MSG_ANSWER, "late");
	await("up:box");
	assert_true(was_noted("answer:0:late:200"));
	request(1, "next");
	await("request:next");
}

static void
begin_slow(void)
{
	instance_start();
	request(0, "slow");
	await("request:slow");
	replace(&in->conf.client_id, "other");
	reload(0);
	spin(50);
	assert_string_equal(in->notes, "");
}

static void
test_second_switch(void **state)
{
	(void)state;
	begin_slow();
	replace(&in->conf.client_id, "third");
	in->conf.heartbeat_ms = 100;
	reload(0);
	spin(250);
	assert_string_equal(in->notes, "");
	/* One that is refused, or dropped, changes nothing. */
	replace(&in->conf.client_id, "fourth");
	forget();
	stage(-1);
	channel_send_empty(in->channel, MSG_CONF_DROP, in->id);
	say(MSG_ANSWER, "slow");
	await("up:third");
	assert_true(was_noted("answer:0:slow:200"));
	await("ping:1");
}

static void
test_reconnect_meanwhile(void **state)
{
	(void)state;
	begin_slow();
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("up:other");
	assert_true(was_noted("answer:0:slow:503 closed:0:1000"));
	spin(100);
	assert_int_equal(in->nfar, 2);
}

static void
test_disconnect_meanwhile(void **state)
{
	(void)state;
	begin_slow();
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	await("closed:0:1000");
	assert_true(was_noted("answer:0:slow:503 closed:0:1000"));
	spin(300);
	assert_int_equal(in->nfar, 1);
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("up:other");
}

/* The old one's wish is of no account for the new one. */
static void
test_told_to_disconnect_meanwhile(void **state)
{
	(void)state;
	begin_slow();
	far_send(0, "{\"type\":\"command\",\"command\":\"disconnect\"}");
	await("up:other");
	assert_true(was_noted("answer:0:slow:503 closed:0:1000"));
}

static void
test_shutdown_meanwhile(void **state)
{
	(void)state;
	begin_slow();
	channel_send_empty(in->channel, MSG_SHUTDOWN, 0);
	spin(200);
	request(0, "a");
	user_request(0, "u");
	await("response_complete:0:u");
	assert_true(was_noted("answer:0:a:503"));
	assert_false(was_noted("user:u"));
	say(MSG_ANSWER, "slow");
	await("closed:0:1000");
	assert_true(was_noted("answer:0:slow:200"));
	assert_int_equal(instance_end(), 0);
	assert_int_equal(in->nfar, 1);
}

static void
test_lost_meanwhile(void **state)
{
	(void)state;
	in->conf.reconnect_ms = 60000; /* not waited for */
	begin_slow();
	far_lose(0);
	await("up:other");
	request(1, "x");
	await("request:x");
}

static void
test_proxyd_lost_meanwhile(void **state)
{
	(void)state;
	begin_slow();
	detach(PROGRAM_PROXYD);
	await("answer:0:slow:502");
	await("register:1:other");
	attach(PROGRAM_PROXYD);
	await("up:other");
	request(1, "x");
	await("request:x");
}

/* One that is not up yet begins anew. */
static void
test_while_registering(void **state)
{
	(void)state;
	in->silent = true;
	instance_start();
	await("register:0:box");
	in->silent = false;
	replace(&in->conf.client_id, "other");
	reload(0);
	await("up:other");
	assert_true(was_noted("closed:0:1000"));
}

static void
test_while_dialing(void **state)
{
	(void)state;
	in->no_dial = true;
	instance_start();
	await("dial");
	in->no_dial = false;
	replace(&in->conf.client_id, "other");
	reload(0);
	await("up:other");
	assert_int_equal(in->nfar, 1);
}

/* authd had the next configuration first: it is asked again. */
static void
test_while_asking(void **state)
{
	(void)state;
	in->no_token = true;
	instance_run_attached();
	await("token:0");
	in->conf.heartbeat_ms = 20000;
	reload(0);
	await("token:1");
	in->no_token = false;
	replace(&in->conf.client_id, "other");
	reload(0);
	await("up:other");
}

static void
test_while_waiting(void **state)
{
	(void)state;
	in->conf.reconnect_ms = 60000;
	in->dial_failures = 1;
	in->silent = true;
	instance_run_attached();
	await("dial");
	in->silent = false;
	spin(100);
	/* Also when nothing differs. */
	reload(0);
	await("up:box");
}

static void
test_modes(void **state)
{
	(void)state;
	begin_slow();
	in->conf.enabled = false;
	reload(0);
	spin(200);
	assert_string_equal(in->notes, "");
	say(MSG_ANSWER, "slow");
	await("closed:0:1000");
	spin(200);
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	spin(200);
	assert_int_equal(in->nfar, 1);
	in->conf.enabled = true;
	reload(0);
	await("up:other");
}

static void
test_standalone(void **state)
{
	(void)state;
	in->conf.enabled = false;
	instance_start();
	spin(100);
	assert_string_equal(in->notes, "ready ");
	in->conf.enabled = true;
	reload(0);
	await("up:box");
}

static void
test_disconnect(void **state)
{
	(void)state;
	instance_start();
	forget();
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	await("closed:0:1000");
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	spin(300);
	assert_int_equal(in->nfar, 1);
	/* Any look of the operator ends that. */
	reload(0);
	await("up:box");
	forget();
	/* One that comes while it closes counts, too; the last word does. */
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("up:box");
	forget();
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	await("closed:2:1000");
	spin(300);
	assert_int_equal(in->nfar, 3);
	reload(0);
	await("up:box");
}

/* Before it ever connected, and between two attempts. */
static void
test_disconnect_early(void **state)
{
	(void)state;
	instance_run();
	await("ready");
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	attach(PROGRAM_AUTHD);
	attach(PROGRAM_PROXYD);
	spin(300);
	assert_false(was_noted("dial"));
	in->dial_failures = 1000;
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("dial dial ");
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	spin(200);
	forget();
	spin(500);
	assert_string_equal(in->notes, "");
	in->dial_failures = 0;
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("up:box");
}

/*
 * Whoever wants the connection closed: each request has an answer before, one
 * that is half out included, and late words of proxyd go nowhere.
 */
static void
test_last_words(void **state)
{
	static const enum {
		RECONNECT,
		DISCONNECT,
		COMMAND
	} ends[] = {
		RECONNECT,
		DISCONNECT,
		COMMAND,
	};
	char answers[96];
	size_t i;

	(void)state;
	instance_start();
	for (i = 0; i < COUNT(ends); i++) {
		request(i, "a");
		request(i, "b");
		user_request(i, "t");
		user_request(i, "t");
		user_request(i, "u");
		await("user:u");
		say(MSG_REPLY, "t");
		await("response_chunk");
		say_part(MSG_ANSWER, "b", "{", true);
		spin(50);
		forget();
		if (ends[i] == COMMAND)
			far_send(i, "{\"type\":\"command\","
				    "\"command\":\"disconnect\"}");
		else
			channel_send_empty(in->channel,
			    ends[i] == RECONNECT ? MSG_RECONNECT
						 : MSG_DISCONNECT,
			    0);
		(void)snprintf(answers, sizeof(answers),
		    "broken:%zu answer:%zu:a:503 answer:%zu:b:503 "
		    "response_complete:%zu:t response_complete:%zu:u ",
		    i, i, i, i, i);
		await("closed:");
		assert_non_null(strstr(in->notes, answers));
		say_part(MSG_ANSWER, "b", "}", false);
		say(MSG_ANSWER, "a");
		say(MSG_REPLY_LAST, "u");
		if (ends[i] != RECONNECT)
			channel_send_empty(in->channel, MSG_RECONNECT, 0);
		await("up:");
		request(i + 1, "c");
		await("request:c");
		say(MSG_ANSWER, "c");
		await(":c:200");
		in->nids = 0;
		forget();
	}
}

/* The last word counts before the start, too. */
static void
test_wishes_before_start(void **state)
{
	(void)state;
	instance_run();
	await("ready");
	replace(&in->conf.client_id, "other");
	reload(0);
	spin(100);
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	spin(100);
	assert_string_equal(in->notes, "");
	attach(PROGRAM_AUTHD);
	spin(100);
	assert_string_equal(in->notes, "");
	attach(PROGRAM_PROXYD);
	await("up:other");
}

/* So does a look of the operator while it closes. */
static void
test_switch_while_closing(void **state)
{
	(void)state;
	instance_start();
	forget();
	stage(-1);
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	switch_conf(0);
	await("up:box");
	assert_true(was_noted("closed:0:1000"));
	replace(&in->conf.client_id, "other");
	forget();
	stage(-1);
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	switch_conf(0);
	await("up:other");
	assert_true(was_noted("closed:1:1000"));
	/* But not when all is to end. */
	forget();
	stage(-1);
	channel_send_empty(in->channel, MSG_SHUTDOWN, 0);
	switch_conf(CONF_TOKEN);
	await("closed:2:1000");
	assert_int_equal(instance_end(), 0);
	assert_int_equal(in->nfar, 3);
}

static void
assert_status(enum status_id id, uint64_t number)
{
	if (status_number(in->status, id) != number)
		fail_msg("%s: %llu, not %llu", status_rows[id].label,
		    (unsigned long long)status_number(in->status, id),
		    (unsigned long long)number);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define TEXT(name)	    status_text(in->status, STATUS_CONNECTOR_##name)
#define NUMBER(name, value) assert_status(STATUS_CONNECTOR_##name, value)

/* What proxyd says reaches the orchestrator, now or at the next register. */
static void
test_activity(void **state)
{
	(void)state;
	instance_start();
	say_activity(ACTIVITY_BUSY);
	await("status_update:0:busy");
	ask_status();
	assert_string_equal(
	    status_text(in->status, STATUS_CONNECTOR_ACTIVITY), "busy");
	far_lose(0);
	await("register:1:box as:busy up:");
	/* Without proxyd that is all there is to say. */
	detach(PROGRAM_PROXYD);
	far_send(1, "{\"type\":\"command\",\"command\":\"refresh_status\"}");
	await("status_update:1:busy");
	attach(PROGRAM_PROXYD);
	spin(300);
	forget();
	say_activity(ACTIVITY_BUSY);
	say_activity(ACTIVITY_ACTIVE);
	await("status_update:1:active");
	/* Nobody is told while a connection is not registered. */
	in->silent = true;
	far_lose(1);
	await("register:2:box as:active");
	say_activity(ACTIVITY_IDLE);
	spin(300);
	assert_false(was_noted("status_update:2"));
	far_send(2, "{\"type\":\"registered\",\"success\":true}");
	await("status_update:2:idle");
	ask_status();
	assert_int_equal(
	    status_number(in->status, STATUS_CONNECTOR_STATUS_UPDATES), 4);
}

/*
 * A message that takes longer than a pong may: the ping waits behind it.  One
 * of which nothing more comes is as good as a dead path.
 */
static void
test_long_message(void **state)
{
	int i;

	(void)state;
	in->conf.heartbeat_ms = 1000;
	instance_start();
	user_request(0, "long");
	await("user:long");
	say_part(MSG_REPLY, "long", "{\"type\":\"long\"", true);
	for (i = 0; i < 12; i++) {
		spin(1000);
		say_part(MSG_REPLY, "long", " ", true);
	}
	assert_false(was_noted("ping:"));
	say_part(MSG_REPLY, "long", "}", false);
	await("long:0: ping:0");
	forget();
	say_part(MSG_REPLY, "long", "{", true);
	for (i = 0; i < 130 && !was_noted("down"); i++)
		spin(100);
	await("down");
	await("up:");
	assert_int_equal(in->nfar, 2);
}

static unsigned
user_timeout(size_t i)
{
	socklen_t len = sizeof(unsigned);
	unsigned ms = 0;

	assert_int_equal(getsockopt(in->far[i].near, IPPROTO_TCP,
			     TCP_USER_TIMEOUT, &ms, &len),
	    0);
	return ms;
}

/* A path that is dead is found by the kernel as soon as by the heartbeat. */
static void
test_user_timeout(void **state)
{
	(void)state;
	in->tcp = true;
	instance_start();
	assert_int_equal(user_timeout(0), 40000);
	in->conf.heartbeat_ms = 7000;
	reload(0);
	spin(100);
	assert_int_equal(user_timeout(0), 17000);
	channel_send_empty(in->channel, MSG_RECONNECT, 0);
	await("register:1");
	assert_int_equal(user_timeout(1), 17000);
	assert_int_equal(in->nfar, 2);
}

static void
test_status(void **state)
{
	int64_t began = now_ms();

	(void)state;
	instance_start();
	ask_status();
	assert_string_equal(TEXT(CONNECTION), "registered");
	assert_string_equal(TEXT(ORCHESTRATOR), "ws://host.example:80");
	assert_string_equal(TEXT(CLIENT_ID), "box");
	assert_string_equal(TEXT(ACTIVITY), "idle");
	NUMBER(ATTEMPTS, 1);
	NUMBER(CONNECTIONS, 1);
	NUMBER(MESSAGES_IN, 1);
	NUMBER(BYTES_IN, strlen("{\"type\":\"registered\",\"success\":true}"));
	NUMBER(MESSAGES_IGNORED, 0);
	/* Whole seconds: wherever the clock's own ones begin. */
	for (; now_ms() - began < 900; spin(10)) {
		ask_status();
		if (now_ms() - began < 1000)
			NUMBER(SINCE, 0);
	}
	request(0, "a");
	request(0, "b");
	user_request(0, "t");
	far_send(0, "{\"type\":\"nonsense\"}");
	assert_int_equal(
	    ws_send(in->far[0].ws, WS_BINARY, "{\"type\":1}", 10), 0);
	await("user:t");
	say(MSG_ANSWER, "a");
	say(MSG_REPLY, "t");
	await("response_chunk:0:t");
	spin(700);
	ask_status();
	assert_in_range(status_number(in->status, STATUS_CONNECTOR_SINCE), 1,
	    (uint64_t)(now_ms() - began) / 1000);
	NUMBER(MESSAGES_IN, 6);
	NUMBER(MESSAGES_IGNORED, 2);
	NUMBER(REQUESTS, 1);
	NUMBER(USER_REQUESTS, 1);
	NUMBER(ANSWERS, 1);
	NUMBER(ANSWERS_OWN, 0);
	NUMBER(ANSWER_BYTES,
	    strlen("{\"type\":\"http_proxy_response\",\"request_id\":\"a\","
		   "\"status\":200}"));
	NUMBER(REPLIES, 1);
	NUMBER(REPLY_BYTES,
	    strlen("{\"type\":\"response_chunk\",\"request_id\":\"t\","
		   "\"status\":200}"));
	detach(PROGRAM_PROXYD);
	await("answer:0:b:502");
	channel_send_empty(in->channel, MSG_DISCONNECT, 0);
	await("closed:0:1000");
	ask_status();
	assert_string_equal(TEXT(CONNECTION), "held until asked to reconnect");
	NUMBER(SINCE, 0);
	NUMBER(ANSWERS, 2);
	NUMBER(ANSWERS_OWN, 1);
	NUMBER(REPLIES, 2);
	NUMBER(REQUESTS, 0);
}

static void
test_status_standalone(void **state)
{
	(void)state;
	in->conf.enabled = false;
	instance_run();
	await("ready");
	ask_status();
	assert_string_equal(TEXT(CONNECTION), "not started");
	attach(PROGRAM_AUTHD);
	attach(PROGRAM_PROXYD);
	spin(50);
	ask_status();
	assert_string_equal(TEXT(CONNECTION), "standalone");
	assert_string_equal(TEXT(ORCHESTRATOR), "none");
}

/* A file of certificates that is none: at the start, and later. */
static void
test_bad_ca(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	instance_start();
	in->conf.tls = true;
	replace(&in->conf.ca_file, "/some/ca.pem");
	forget();
	stage(dup(fd));
	await("refused:ca file: /some/ca.pem: no certificates in it");
	/* The system's are beyond reach. */
	replace(&in->conf.ca_file, "");
	forget();
	stage(-1);
	assert_true(was_noted("accepted:1"));
	channel_send_empty(in->channel, MSG_CONF_DROP, in->id);
	request(0, "a");
	await("request:a");
	close(fd);
}

static void
test_bad_ca_at_start(void **state)
{
	(void)state;
	in->conf.tls = true;
	replace(&in->conf.ca_file, "/some/ca.pem");
	in->conf.ca_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	instance_run();
	await("refused:ca file: /some/ca.pem: no certificates in it");
	assert_int_equal(instance_end(), 1);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_same),
		TEST(test_in_place),
		TEST(test_message_size),
		TEST(test_trickle),
		TEST(test_turnover),
		TEST(test_slow),
		TEST(test_second_switch),
		TEST(test_reconnect_meanwhile),
		TEST(test_disconnect_meanwhile),
		TEST(test_told_to_disconnect_meanwhile),
		TEST(test_shutdown_meanwhile),
		TEST(test_lost_meanwhile),
		TEST(test_proxyd_lost_meanwhile),
		TEST(test_while_registering),
		TEST(test_while_dialing),
		TEST(test_while_asking),
		TEST(test_while_waiting),
		TEST(test_modes),
		TEST(test_standalone),
		TEST(test_disconnect),
		TEST(test_disconnect_early),
		TEST(test_last_words),
		TEST(test_wishes_before_start),
		TEST(test_switch_while_closing),
		TEST(test_activity),
		TEST(test_long_message),
		TEST(test_user_timeout),
		TEST(test_status),
		TEST(test_status_standalone),
		TEST(test_bad_ca),
		TEST(test_bad_ca_at_start),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
