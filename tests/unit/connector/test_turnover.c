#include <sys/epoll.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/ws.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/exchange.h"
#include "connector/turnover.h"
#include "connector/user_requests.h"
#include "tests/unit/common/certificate.h"
#include "tests/unit/connector/fake_clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The turnover, and all that it asks and tells. */
static struct fixture {
	struct connector connector;
	struct turnover *t;
	char calls[512];
	int64_t began;
	/* what it is told */
	bool up;
	bool claims;	  /* shown to the orchestrator */
	bool from_before; /* a request */
	uint64_t received;
	size_t output, requests, unanswered;
} * f;

static void
note(const char *format, const char *text)
{
	size_t n = strlen(f->calls);

	(void)snprintf(
	    f->calls + n, sizeof(f->calls) - n, "%s%s ", format, text);
}

void
connection_configure(struct connection *c)
{
	(void)c;
	note("apply:", f->connector.conf.client_id);
}

uint64_t
connection_received(const struct connection *c)
{
	(void)c;
	return f->received;
}

bool
connection_is_up(const struct connection *c)
{
	(void)c;
	return f->up;
}

bool
connection_shows_claims(const struct connection *c)
{
	(void)c;
	return f->claims;
}

/* As the real one does. */
void
connection_renew(struct connection *c)
{
	(void)c;
	note("renew", "");
	if (f->up) {
		f->up = false;
		turnover_on_down(f->t);
	}
	(void)turnover_on_ended(f->t);
}

void
connection_refresh(struct connection *c)
{
	(void)c;
	note("refresh", "");
}

struct ws *
connection_ws(const struct connection *c)
{
	static char ws;

	(void)c;
	assert_true(f->up);
	return (struct ws *)(void *)&ws;
}

size_t
ws_output_length(const struct ws *ws)
{
	assert_non_null(ws);
	return f->output;
}

size_t
exchange_count(const struct exchange *ex)
{
	(void)ex;
	return f->requests;
}

uint64_t
exchange_mark(const struct exchange *ex)
{
	(void)ex;
	return 7;
}

bool
exchange_waits_since(const struct exchange *ex, uint64_t mark)
{
	(void)ex;
	assert_int_equal(mark, 7);
	return f->from_before;
}

void
exchange_refuse(struct exchange *ex, const char *text)
{
	(void)ex;
	assert_non_null(strstr(text, "reconnecting"));
	note("refuse", "");
}

void
exchange_stop(struct exchange *ex, const char *text)
{
	(void)ex;
	assert_non_null(strstr(text, "reconnecting"));
	note("stop", "");
	f->requests = 0;
}

size_t
user_requests_unanswered(const struct user_requests *ur)
{
	(void)ur;
	return f->unanswered;
}

void
user_requests_refuse(struct user_requests *ur, const char *text)
{
	(void)ur;
	assert_non_null(strstr(text, "reconnecting"));
	note("refuse-user", "");
}

void
user_requests_stop(struct user_requests *ur, const char *text)
{
	(void)ur;
	assert_non_null(strstr(text, "reconnecting"));
	note("stop-user", "");
}

static char *
copy(const char *s)
{
	char *c = strdup(s);

	assert_non_null(c);
	return c;
}

static struct connector_conf
conf_new(const char *client_id)
{
	return (struct connector_conf){
		.enabled = true,
		.host = copy("host"),
		.port = 80,
		.target = copy("/ws"),
		.client_id = copy(client_id),
		.reconnect_ms = 5000,
		.heartbeat_ms = 30000,
		.ca_file = copy(""),
		.ca_fd = -1,
		.message_max = 1000,
		.hostname = copy("hostname"),
		.project = copy("/project"),
		.version = copy("1"),
		.callback_url = copy(""),
		.claim_users = copy(""),
		.claim_orgs = copy(""),
		.claim_teams = copy(""),
		.confinement = { .sandbox = true },
	};
}

static int
setup(void **state)
{
	(void)state;
	f = calloc(1, sizeof(*f));
	if (f == NULL || (f->connector.child.base = event_base_new()) == NULL)
		return -1;
	f->connector.conf = conf_new("old");
	f->t = turnover_new(&f->connector);
	f->up = true;
	return turnover_start(f->t) == NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	turnover_free(f->t);
	trust_clear(&f->connector.trust);
	slice_free_connector(&f->connector.conf);
	/* No timer is left behind. */
	assert_int_equal(event_base_get_num_events(
			     f->connector.child.base, EVENT_BASE_COUNT_ADDED),
	    0);
	event_base_free(f->connector.child.base);
	free(f);
	return 0;
}

/* What the parent does, up to the switch. */
static void
switch_to(struct connector_conf next, uint32_t flags)
{
	uint32_t told = 0;

	assert_null(turnover_check(f->t, &next, &told));
	assert_int_equal(told, 0);
	turnover_switch(f->t, &next, flags);
	f->began = now_ms;
}

/* Until so many milliseconds after the switch. */
static void
run_until(int64_t ms)
{
	struct timeval after = { 0 };

	ms -= now_ms - f->began;
	assert_true(ms > 0);
	after.tv_sec = ms / 1000;
	after.tv_usec = ms % 1000 * 1000;
	assert_int_equal(
	    event_base_loopexit(f->connector.child.base, &after), 0);
	assert_int_equal(event_base_dispatch(f->connector.child.base), 0);
}

/* What differs, and whether the connection has to be another one. */
static void
change(struct connector_conf *c, int what)
{
	char **text = NULL;

	switch (what) {
	case 0:
		c->reconnect_ms++;
		break;
	case 1:
		c->heartbeat_ms++;
		break;
	case 2:
		c->confinement.sandbox = false;
		break;
	case 3:
		/* Of no account without TLS. */
		text = &c->ca_file;
		break;
	case 4:
		c->message_max++;
		break;
	case 5:
		c->enabled = false;
		break;
	case 6:
		c->port++;
		break;
	case 7:
		text = &c->host;
		break;
	case 8:
		text = &c->target;
		break;
	case 9:
		text = &c->client_id;
		break;
	case 10:
		text = &c->hostname;
		break;
	case 11:
		text = &c->project;
		break;
	case 12:
		text = &c->version;
		break;
	case 13:
		text = &c->callback_url;
		break;
	default:
		fail();
	}
	if (text != NULL) {
		free(*text);
		*text = copy("other");
	}
}

#define FIRST_CONCERN 4
#define CHANGES	      14

static void
test_changes(void **state)
{
	struct connector_conf next;
	int what;

	(void)state;
	/* Nothing at all: the operator had a look. */
	switch_to(conf_new("old"), 0);
	assert_string_equal(f->calls, "apply:old refresh ");
	for (what = 0; what < CHANGES; what++) {
		/* Always from the same one. */
		f->up = false;
		switch_to(conf_new("old"), CONF_TOKEN);
		f->up = true;
		f->calls[0] = '\0';
		next = conf_new("old");
		change(&next, what);
		switch_to(next, 0);
		if (what < FIRST_CONCERN) {
			assert_string_equal(f->calls, "apply:old refresh ");
			continue;
		}
		assert_string_equal(f->calls, "");
		assert_string_equal(f->connector.conf.host, "host");
		assert_int_equal(f->connector.conf.port, 80);
		run_until(100);
		assert_string_equal(
		    f->calls, what == 9 ? "stop stop-user renew apply:other "
					: "stop stop-user renew apply:old ");
	}
	/* The token is authd's: all that is known is that it is another. */
	f->up = true;
	switch_to(conf_new("old"), 0);
	run_until(100);
	f->up = true;
	f->calls[0] = '\0';
	switch_to(conf_new("old"), CONF_TOKEN);
	assert_string_equal(f->calls, "");
	run_until(100);
	assert_string_equal(f->calls, "stop stop-user renew apply:old ");
}

/* Who may claim us is of account until somebody did. */
static void
test_claims(void **state)
{
	char **texts[] = { &f->connector.conf.claim_users,
		&f->connector.conf.claim_orgs, &f->connector.conf.claim_teams };
	size_t i;

	(void)state;
	f->up = false;
	for (i = 0; i < COUNT(texts); i++) {
		f->claims = false;
		free(*texts[i]);
		*texts[i] = copy("ada");
		switch_to(conf_new("old"), 0);
		assert_string_equal(f->calls, "apply:old refresh ");
		f->calls[0] = '\0';
		f->claims = true;
		switch_to(conf_new("old"), 0);
		assert_string_equal(f->calls, "apply:old refresh ");
		f->calls[0] = '\0';
		free(*texts[i]);
		*texts[i] = copy("ada");
		switch_to(conf_new("old"), 0);
		assert_string_equal(f->calls, "renew apply:old ");
		f->calls[0] = '\0';
	}
	switch_to(conf_new("old"), CONF_TOKEN);
	assert_string_equal(f->calls, "renew apply:old ");
}

/* Two that never connect are the same, whatever they say. */
static void
test_standalone(void **state)
{
	struct connector_conf next = conf_new("other");

	(void)state;
	next.enabled = false;
	f->up = false;
	switch_to(next, 0);
	assert_string_equal(f->calls, "renew apply:other ");
	f->calls[0] = '\0';
	next = conf_new("third");
	next.enabled = false;
	switch_to(next, 0);
	assert_string_equal(f->calls, "apply:third refresh ");
	f->calls[0] = '\0';
	switch_to(conf_new("third"), 0);
	assert_string_equal(f->calls, "renew apply:third ");
}

/* Without a connection there is nothing to wait for. */
static void
test_not_up(void **state)
{
	(void)state;
	f->up = false;
	switch_to(conf_new("new"), 0);
	assert_string_equal(f->calls, "renew apply:new ");
}

/* It serves on until nothing is under way and nothing comes. */
static void
test_serving(void **state)
{
	(void)state;
	f->requests = 2;
	switch_to(conf_new("new"), 0);
	run_until(500);
	f->requests = 0;
	f->unanswered = 1;
	run_until(1000);
	f->unanswered = 0;
	f->output = 1;
	run_until(1500);
	assert_string_equal(f->calls, "");
	f->output = 0;
	f->received++;
	run_until(1500 + TURNOVER_QUIET_MS + 2);
	assert_string_equal(f->calls, "");
	run_until(1500 + 2 * TURNOVER_QUIET_MS + 2);
	assert_string_equal(f->calls, "stop stop-user renew apply:new ");
	run_until(40000);
	assert_string_equal(f->calls, "stop stop-user renew apply:new ");
}

/* Nothing ends by itself: each step in its time. */
static void
test_limits(void **state)
{
	(void)state;
	f->requests = 2;
	f->unanswered = 1;
	switch_to(conf_new("new"), 0);
	run_until(1990);
	assert_string_equal(f->calls, "");
	run_until(2010);
	assert_string_equal(f->calls, "refuse ");
	run_until(27990);
	assert_string_equal(f->calls, "refuse ");
	run_until(28010);
	assert_string_equal(f->calls, "refuse stop refuse refuse-user ");
	run_until(29990);
	assert_string_equal(f->calls, "refuse stop refuse refuse-user ");
	run_until(30010);
	assert_string_equal(f->calls, "refuse stop refuse refuse-user "
				      "stop stop-user renew apply:new ");
}

/* Others are not refused for one that was there before, if it ends in time. */
static void
test_waiting(void **state)
{
	(void)state;
	f->requests = 2;
	f->from_before = true;
	switch_to(conf_new("new"), 0);
	run_until(15000);
	assert_string_equal(f->calls, "");
	f->from_before = false;
	run_until(15000 + TURNOVER_QUIET_MS + 5);
	assert_string_equal(f->calls, "refuse ");
	run_until(27990);
	assert_string_equal(f->calls, "refuse ");
	run_until(28010);
	assert_string_equal(f->calls, "refuse stop refuse refuse-user ");
}

static void
test_waiting_too_long(void **state)
{
	(void)state;
	f->requests = 2;
	f->from_before = true;
	switch_to(conf_new("new"), 0);
	run_until(19990);
	assert_string_equal(f->calls, "");
	run_until(20010);
	assert_string_equal(f->calls, "refuse ");
	run_until(27990);
	assert_string_equal(f->calls, "refuse ");
	run_until(28010);
	assert_string_equal(f->calls, "refuse stop refuse refuse-user ");
	run_until(30050);
	assert_string_equal(f->calls, "refuse stop refuse refuse-user "
				      "stop stop-user renew apply:new ");
}

/* User requests that come without end hold it up for a while only. */
static void
test_busy_tunnels(void **state)
{
	int64_t ms;

	(void)state;
	f->requests = 1;
	f->unanswered = 1;
	switch_to(conf_new("new"), 0);
	for (ms = 10; ms < 5000; ms += 10) {
		f->received++;
		run_until(ms);
	}
	assert_string_equal(f->calls, "refuse ");
	f->requests = 0;
	for (; ms < 6900; ms += 10) {
		f->received++;
		run_until(ms);
	}
	assert_string_equal(f->calls, "refuse refuse refuse-user ");
	for (; ms < 7100; ms += 10) {
		f->received++;
		run_until(ms);
	}
	assert_string_equal(f->calls,
	    "refuse refuse refuse-user stop stop-user renew apply:new ");
}

/* The last answer may come in each step. */
static void
test_answered(void **state)
{
	static const struct {
		int64_t ms;
		const char *calls;
	} table[] = {
		{ 1000, "stop stop-user renew apply:new " },
		{ 10000, "refuse stop stop-user renew apply:new " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		f->up = false;
		switch_to(conf_new("old"), 0);
		f->up = true;
		f->calls[0] = '\0';
		f->requests = 1;
		switch_to(conf_new("new"), 0);
		run_until(table[i].ms);
		f->requests = 0;
		run_until(table[i].ms + TURNOVER_QUIET_MS + 5);
		assert_string_equal(f->calls, table[i].calls);
	}
}

/* The newest configuration comes, at the time that the first one set. */
static void
test_second(void **state)
{
	(void)state;
	f->requests = 1;
	switch_to(conf_new("new"), 0);
	run_until(1000);
	switch_to(conf_new("newer"), 0);
	run_until(990);
	assert_string_equal(f->calls, "");
	run_until(1010);
	assert_string_equal(f->calls, "refuse ");
	/* Also if it is the old one again: the token is another, maybe. */
	switch_to(conf_new("old"), 0);
	f->requests = 0;
	run_until(100);
	assert_string_equal(f->calls, "refuse stop stop-user renew apply:old ");
	assert_false(turnover_on_ended(f->t));
}

/* The connection goes before that. */
static void
test_lost(void **state)
{
	(void)state;
	f->requests = 1;
	switch_to(conf_new("new"), 0);
	run_until(1000);
	f->up = false;
	turnover_on_down(f->t);
	assert_string_equal(f->connector.conf.client_id, "old");
	assert_true(turnover_on_ended(f->t));
	assert_false(turnover_on_ended(f->t));
	assert_string_equal(f->calls, "apply:new ");
	run_until(40000);
	assert_string_equal(f->calls, "apply:new ");
}

static void
test_stop(void **state)
{
	(void)state;
	f->requests = 1;
	switch_to(conf_new("new"), 0);
	run_until(1000);
	f->connector.child.stopping = true;
	turnover_stop(f->t);
	run_until(40000);
	/* Nothing comes of that any more. */
	switch_to(conf_new("newer"), 0);
	run_until(40000);
	assert_string_equal(f->calls, "");
}

static const char pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBKzCB0qADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAXgwHhcNMjYx\n"
    "-----END CERTIFICATE-----\n";

static struct connector_conf
conf_tls(const char *ca_file, const char *text)
{
	struct connector_conf c = conf_new("old");

	c.tls = true;
	free(c.ca_file);
	c.ca_file = copy(ca_file);
	if (text == NULL)
		return c;
	c.ca_fd = file_of(text, strlen(text));
	return c;
}

/* A file that is no good is refused, and changes nothing. */
static void
test_refused(void **state)
{
	static const char *const texts[] = { "", "garbage", pem };
	struct connector_conf next;
	uint32_t flags = 0;
	size_t i;
	const char *why;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		next = conf_tls("/ca.pem", texts[i]);
		why = turnover_check(f->t, &next, &flags);
		assert_non_null(why);
		assert_memory_equal(why, "ca file: /ca.pem: ", 18);
		slice_free_connector(&next);
	}
	assert_int_equal(flags, 0);
	assert_string_equal(f->calls, "");
	assert_string_equal(f->connector.conf.client_id, "old");
	/* Where it is of no account it is not looked at. */
	next = conf_tls("/ca.pem", "garbage");
	next.tls = false;
	switch_to(next, 0);
	assert_string_equal(f->calls, "apply:old refresh ");
	assert_int_equal(f->connector.conf.ca_fd, -1);
}

/* What counts is what is in the file, whatever its name. */
static void
test_ca(void **state)
{
	char *a = certificate_new("a"), *b = certificate_new("b");
	SSL_CTX *first;

	(void)state;
	f->up = false;
	switch_to(conf_tls("/ca.pem", a), 0);
	assert_string_equal(f->calls, "renew apply:old ");
	f->up = true;
	f->calls[0] = '\0';
	switch_to(conf_tls("/other.pem", a), 0);
	assert_string_equal(f->calls, "apply:old refresh ");
	first = f->connector.trust.ctx;
	assert_non_null(first);
	f->calls[0] = '\0';
	switch_to(conf_tls("/other.pem", b), 0);
	assert_string_equal(f->calls, "");
	run_until(100);
	assert_string_equal(f->calls, "stop stop-user renew apply:old ");
	assert_ptr_not_equal(f->connector.trust.ctx, first);
	assert_int_equal(f->connector.conf.ca_fd, -1);
	free(a);
	free(b);
}

/* The system's certificates are beyond reach once we run. */
static void
test_system(void **state)
{
	struct connector_conf next = conf_tls("", NULL);
	uint32_t flags = 0;

	(void)state;
	assert_null(turnover_check(f->t, &next, &flags));
	assert_int_equal(flags, CONF_RESTART);
	turnover_drop(f->t);
	slice_free_connector(&next);
}

/* ... unless they were read at the start. */
static void
test_system_at_start(void **state)
{
	struct connector_conf next;
	SSL_CTX *ctx;

	(void)state;
	slice_free_connector(&f->connector.conf);
	f->connector.conf = conf_tls("", NULL);
	assert_null(turnover_start(f->t));
	ctx = f->connector.trust.ctx;
	assert_non_null(ctx);
	switch_to(conf_tls("", NULL), 0);
	assert_string_equal(f->calls, "apply:old refresh ");
	assert_ptr_equal(f->connector.trust.ctx, ctx);
	f->up = false;
	switch_to(conf_new("old"), 0);
	assert_null(f->connector.trust.ctx);
	switch_to(conf_tls("", NULL), 0);
	assert_ptr_equal(f->connector.trust.ctx, ctx);
	/* A check without a switch leaves nothing behind. */
	next = conf_tls("", NULL);
	assert_null(turnover_check(f->t, &next, &(uint32_t){ 0 }));
	slice_free_connector(&next);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_changes),
		TEST(test_claims),
		TEST(test_standalone),
		TEST(test_not_up),
		TEST(test_serving),
		TEST(test_limits),
		TEST(test_waiting),
		TEST(test_waiting_too_long),
		TEST(test_busy_tunnels),
		TEST(test_answered),
		TEST(test_second),
		TEST(test_lost),
		TEST(test_stop),
		TEST(test_refused),
		TEST(test_ca),
		TEST(test_system),
		TEST(test_system_at_start),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
