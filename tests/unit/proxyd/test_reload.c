#include <sys/socket.h>

#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "common/status.h"
#include "proxyd/chats.h"
#include "proxyd/deny.h"
#include "proxyd/health.h"
#include "proxyd/proxyd.h"
#include "proxyd/reload.h"
#include "proxyd/runs.h"
#include "proxyd/sessions.h"
#include "proxyd/state.h"
#include "proxyd/transactions.h"
#include "proxyd/tunnels.h"
#include "proxyd/upstream.h"

/* An upstream that answers "/slow" when the test says so, all else at once. */
struct server {
	struct evconnlistener *listener;
	uint32_t port;
	unsigned connections, requests;
	struct bufferevent *open[8];
	struct bufferevent *slow;
};

static struct proxyd p;
static struct server a, b;

static void
respond(struct bufferevent *bev)
{
	static const char text[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

	bufferevent_write(bev, text, strlen(text));
}

static void
on_request(struct bufferevent *bev, void *arg)
{
	struct server *s = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	char *line;

	if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos == -1)
		return;
	s->requests++;
	line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
	evbuffer_drain(in, evbuffer_get_length(in));
	if (strstr(line, "/slow") != NULL)
		s->slow = bev;
	else
		respond(bev);
	free(line);
}

static void
on_accept(struct evconnlistener *listener, int fd, struct sockaddr *address,
    int len, void *arg)
{
	struct server *s = arg;
	struct bufferevent *bev;

	(void)address;
	(void)len;
	bev = bufferevent_socket_new(
	    evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
	assert_non_null(bev);
	assert_in_range(s->connections, 0, 7);
	s->open[s->connections++] = bev;
	bufferevent_setcb(bev, on_request, NULL, NULL, s);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void
server_start(struct server *s)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	memset(s, 0, sizeof(*s));
	s->listener = evconnlistener_new_bind(p.child.base, on_accept, s,
	    LEV_OPT_CLOSE_ON_FREE, 8, (struct sockaddr *)&address, len);
	assert_non_null(s->listener);
	assert_int_equal(getsockname(evconnlistener_get_fd(s->listener),
			     (struct sockaddr *)&address, &len),
	    0);
	s->port = ntohs(address.sin_port);
}

static void
server_stop(struct server *s)
{
	while (s->connections > 0)
		bufferevent_free(s->open[--s->connections]);
	evconnlistener_free(s->listener);
}

static struct proxyd_conf
make_conf(uint32_t port, const char *deny_paths)
{
	struct proxyd_conf conf = {
		.upstream_port = port, .connect_ms = 5000, .tunnels_max = 7
	};

	conf.upstream_host = strdup("127.0.0.1");
	conf.callback_url = strdup("");
	conf.deny_paths = strdup(deny_paths);
	conf.deny_paths_role[SESSION_ROLE_FULL] = strdup("");
	conf.deny_paths_role[SESSION_ROLE_READ_ONLY] = strdup("/ro\n");
	return conf;
}

static int
setup(void **state)
{
	(void)state;
	memset(&p, 0, sizeof(p));
	p.child.self = PROGRAM_PROXYD;
	p.child.base = event_base_new();
	server_start(&a);
	server_start(&b);
	p.conf = make_conf(a.port, "");
	p.upstream = upstream_new(p.child.base, &p.conf);
	p.sessions = sessions_new(&p);
	p.transactions = transactions_new(&p);
	p.tunnels = tunnels_new(&p);
	p.runs = runs_new(&p);
	p.chats = chats_new(&p);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	chats_free(p.chats);
	tunnels_free(p.tunnels);
	runs_free(p.runs);
	transactions_free(p.transactions);
	sessions_free(p.sessions);
	upstream_free(p.upstream);
	server_stop(&a);
	server_stop(&b);
	deny_free(p.deny);
	slice_free_proxyd(&p.conf);
	event_base_free(p.child.base);
	return 0;
}

static void
change(uint32_t port, const char *deny_paths)
{
	struct proxyd_conf next = make_conf(port, deny_paths);
	uint32_t flags = 0;

	assert_null(reload_check(&p, &next, &flags));
	assert_int_equal(flags, 0);
	reload_switch(&p, &next, 0);
}

/* A transfer and how it ended. */
struct result {
	struct upstream_transfer *transfer;
	bool done;
	int status;
	size_t received;
};

static int
on_header(void *arg, const char *line, size_t len)
{
	(void)arg;
	(void)line;
	(void)len;
	return 0;
}

static int
on_body(void *arg, const void *piece, size_t len)
{
	struct result *r = arg;

	(void)piece;
	r->received += len;
	return 0;
}

static void
on_done(void *arg, int status, int error)
{
	struct result *r = arg;

	assert_int_equal(error, CURLE_OK);
	r->done = true;
	r->status = status;
}

static const struct upstream_ops ops = { on_header, on_body, on_done };

static void
ask(struct result *r, const char *target)
{
	struct upstream_request request = { .method = "GET", .target = target };

	memset(r, 0, sizeof(*r));
	r->transfer = upstream_start(p.upstream, &request, &ops, r);
	assert_non_null(r->transfer);
}

static void
wait_for(const struct result *r)
{
	while (!r->done)
		event_base_loop(p.child.base, EVLOOP_ONCE);
	assert_int_equal(r->status, 200);
	assert_int_equal(r->received, 2);
}

static void
test_upstream(void **state)
{
	struct result kept, slow, other;

	(void)state;
	ask(&kept, "/");
	wait_for(&kept);
	ask(&slow, "/slow");
	while (a.slow == NULL)
		event_base_loop(p.child.base, EVLOOP_ONCE);
	assert_int_equal(a.connections, 1);

	change(b.port, "");
	ask(&other, "/");
	wait_for(&other);
	assert_int_equal(a.requests, 2);
	assert_int_equal(b.requests, 1);
	assert_false(slow.done);
	respond(a.slow);
	wait_for(&slow);

	/* The connection to the old one is free now, and left alone. */
	ask(&other, "/");
	wait_for(&other);
	assert_int_equal(a.requests, 2);
	assert_int_equal(b.requests, 2);
	assert_int_equal(b.connections, 1);
	change(a.port, "");
	ask(&other, "/");
	wait_for(&other);
	assert_int_equal(a.requests, 3);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *host;
		uint32_t port;
		bool good;
	} table[] = {
		{ "127.0.0.1", 1, true },
		{ "127.0.0.1", 65535, true },
		{ "::1", 3001, true },
		{ "fe80::1", 3001, true },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535,
		    true },
		{ "127.0.0.1", 0, false },
		{ "127.0.0.1", 65536, false },
		{ "", 3001, false },
		{ "localhost", 3001, false },
		{ "127.0.0.1:3001", 3001, false },
		{ "[::1]", 3001, false },
		{ "127.0.0.1 ", 3001, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char host[64];
		struct proxyd_conf next = { .upstream_host = host,
			.upstream_port = table[i].port };
		uint32_t flags = 0;

		(void)strlcpy(host, table[i].host, sizeof(host));
		if ((reload_check(&p, &next, &flags) == NULL) != table[i].good)
			fail_msg("%s %u", host, table[i].port);
	}
}

/* What another one has to do, once this one is confined. */
static void
test_restart(void **state)
{
	struct proxyd_conf next = make_conf(b.port, "");
	uint32_t flags = 0;

	(void)state;
	p.conf.confinement.sandbox = next.confinement.sandbox = true;
	assert_null(reload_check(&p, &next, &flags));
	assert_int_equal(flags, CONF_RESTART);
	assert_null(reload_check(&p, &next, NULL));
	flags = 0;
	next.upstream_port = a.port;
	assert_null(reload_check(&p, &next, &flags));
	assert_int_equal(flags, 0);
	next.upstream_port = 0;
	assert_non_null(reload_check(&p, &next, &flags));
	assert_int_equal(flags, 0);
	slice_free_proxyd(&next);
}

static void
test_settings(void **state)
{
	const char *base = upstream_base(p.upstream);
	uint32_t port = a.port;

	(void)state;
	assert_false(deny_matches(p.deny, SESSION_ROLE_FULL, "/x"));
	change(port, "/x\n");
	assert_true(deny_matches(p.deny, SESSION_ROLE_FULL, "/x"));
	assert_false(deny_matches(p.deny, SESSION_ROLE_FULL, "/ro"));
	assert_true(deny_matches(p.deny, SESSION_ROLE_READ_ONLY, "/ro"));
	assert_int_equal(p.conf.tunnels_max, 7);
	change(port, "");
	assert_false(deny_matches(p.deny, SESSION_ROLE_FULL, "/x"));
	assert_ptr_equal(base, upstream_base(p.upstream));
}

static void
on_session_done(void *arg, const struct session *session)
{
	(void)session;
	++*(unsigned *)arg;
}

/* What authd said under other rules is asked again. */
static void
test_sessions(void **state)
{
	static const struct session ok = { .status = SESSION_OK,
		.lifetime_ms = 60000,
		.github_id = 5,
		.login = "mona" };
	unsigned done = 0;
	struct session_wait wait = { .done = on_session_done, .arg = &done };
	struct msg_out out;
	struct msg m;

	(void)state;
	assert_null(sessions_get(p.sessions, 5, "mona", &wait));
	msg_start(&out, MSG_SESSION, 1);
	session_add(&out, &ok);
	m = (struct msg){ .type = MSG_SESSION,
		.id = 1,
		.fd = -1,
		.data = out.data,
		.len = out.len };
	assert_int_equal(sessions_on_session(p.sessions, &m), 0);
	msg_discard(&out);
	assert_int_equal(done, 1);
	assert_non_null(sessions_get(p.sessions, 5, "mona", &wait));
	change(a.port, "/x\n");
	assert_null(sessions_get(p.sessions, 5, "mona", &wait));
	sessions_cancel(&wait);
}

/* What is known of one upstream is not known of the next one. */
static void
test_health(void **state)
{
	char old[UPSTREAM_BASE_SIZE];

	(void)state;
	(void)strlcpy(old, upstream_base(p.upstream), sizeof(old));
	assert_string_equal(health_text(&p), "not asked yet");
	health_note(&p, old, CURLE_OK);
	assert_string_equal(health_text(&p), "answers");
	health_note(&p, old, CURLE_COULDNT_CONNECT);
	assert_string_equal(
	    health_text(&p), curl_easy_strerror(CURLE_COULDNT_CONNECT));
	change(a.port, "/x\n");
	assert_string_not_equal(health_text(&p), "not asked yet");
	change(b.port, "");
	assert_string_equal(health_text(&p), "not asked yet");
	health_note(&p, old, CURLE_COULDNT_CONNECT);
	assert_string_equal(health_text(&p), "not asked yet");
	health_note(&p, upstream_base(p.upstream), CURLE_OK);
	assert_string_equal(health_text(&p), "answers");
	assert_int_equal(p.counts.upstream_failed, 2);
}

static void
test_state(void **state)
{
	struct status *s = status_new(PROGRAM_PROXYD);
	struct session_wait wait = { 0 };
	int id;

	(void)state;
	assert_null(sessions_get(p.sessions, 5, "mona", &wait));
	p.buffered = 1001;
	p.counts = (struct proxyd_counts){ .requests = 1002,
		.answers = { 1, 2, 1003, 1004, 1005, 1006 },
		.denied = 1007,
		.busy = 1008,
		.rate = 1009,
		.upstream_failed = 1010,
		.body_bytes = 1011,
		.tunnels_opened = 1012,
		.tunnels_refused = 1013,
		.chats_opened = 1014,
		.chats_refused = 1015,
		.messages_held = 1016 };
	state_fill(&p, s);
	assert_string_equal(
	    status_text(s, STATUS_PROXYD_UPSTREAM), upstream_base(p.upstream));
	assert_string_equal(
	    status_text(s, STATUS_PROXYD_UPSTREAM_STATE), "not asked yet");
	assert_int_equal(status_number(s, STATUS_PROXYD_TUNNELS), 0);
	assert_int_equal(status_number(s, STATUS_PROXYD_SESSIONS), 1);
	assert_int_equal(status_number(s, STATUS_PROXYD_CHATS), 0);
	assert_int_equal(status_number(s, STATUS_PROXYD_TRANSACTIONS), 0);
	/* They stand in this order from there on. */
	for (id = STATUS_PROXYD_BUFFERED; id <= STATUS_PROXYD_MESSAGES_HELD;
	     id++)
		assert_int_equal(status_number(s, (enum status_id)id),
		    1001 + id - STATUS_PROXYD_BUFFERED);
	status_free(s);
	sessions_cancel(&wait);
	p.buffered = 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_upstream),
		TEST(test_refused),
		TEST(test_restart),
		TEST(test_settings),
		TEST(test_sessions),
		TEST(test_health),
		TEST(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
