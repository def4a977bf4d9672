/*
 * An echo client for test suites of the WebSocket protocol that speak the
 * Autobahn suite's way of doing it, on the WebSocket code of the daemon:
 *
 *	client [-pv] [-a agent] [-c case] [-t seconds] ws://host:port
 *
 *	-p	take and send messages piece by piece, as tunnels do, and not
 *		whole, as the connector takes them
 *	-v	say how each case ended
 *	-a	the name of the reports; tetherd if absent
 *	-c	run this case only
 *	-t	the longest that a case may take; 100 if absent
 *
 * It asks /getCaseCount how many cases there are, echoes what comes in each
 * /runCase, and has the server write its reports by /updateReports.  How the
 * cases went is for the server to say: the exit status is 1 only when one
 * could not be had at all, or did not end.
 *
 * With the suite itself, whose port is 9001:
 *
 *	wstest -m fuzzingserver &
 *	build/tests/autobahn/client ws://127.0.0.1:9001
 *	build/tests/autobahn/client -p -a tetherd-parts ws://127.0.0.1:9001
 *
 * and then reports/clients/index.html.  Its cases of compression count as
 * not implemented: no extension is offered.
 */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/upgrade.h"
#include "common/ws.h"

#define MESSAGE_MAX (64 * 1024 * 1024)
#define CASES_MAX   100000
#define TARGET_SIZE 256
#define AGENT_MAX   64

static void usage(void) __attribute__((noreturn));

static const char name_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz"
				 "0123456789-._~";

static struct server {
	char host[256];
	char port[8];
	struct upgrade upgrade; /* but for the target */
	struct addrinfo *addresses;
} server;

static const char *agent = "tetherd";
static struct timeval limit = { 100, 0 };
static bool verbose;

/* One connection, from connecting to its end. */
struct run {
	struct event_base *base;
	const struct ws_ops *ops;
	const char *target;
	char key[UPGRADE_KEY_SIZE];
	struct bufferevent *bev; /* until the handshake is done */
	struct ws *ws;		 /* from then on */
	char number[16];	 /* the first message, of count_ops */
	const char *failure;	 /* NULL if it went as it should */
};

static void
run_end(struct run *r, const char *failure)
{
	r->failure = failure;
	(void)event_base_loopbreak(r->base);
}

static void
on_closed(
    void *arg, struct ws *ws, uint16_t code, const char *reason, bool clean)
{
	struct run *r = arg;

	(void)ws;
	(void)reason; /* it may hold anything */
	if (verbose)
		printf("%s: %u%s\n", r->target, code, clean ? "" : ", lost");
	run_end(r, NULL);
}

static void
on_count(void *arg, struct ws *ws, enum ws_type type, struct evbuffer *message)
{
	struct run *r = arg;
	size_t len = evbuffer_get_length(message);

	(void)ws;
	if (type == WS_TEXT && len < sizeof(r->number))
		(void)evbuffer_remove(message, r->number, len);
}

/* What was sent is read before there is more of it. */
static void
throttle(struct ws *ws)
{
	if (!ws_is_writable(ws))
		ws_pause(ws);
}

static void
on_writable(void *arg, struct ws *ws)
{
	(void)arg;
	ws_resume(ws);
}

static void
on_message(
    void *arg, struct ws *ws, enum ws_type type, struct evbuffer *message)
{
	size_t len = evbuffer_get_length(message);
	unsigned char *data = evbuffer_pullup(message, -1);

	if (len > 0 && data == NULL)
		run_end(arg, "out of memory");
	else if (ws_send(ws, type, data, len) == -1)
		run_end(arg, "cannot send");
	throttle(ws);
}

static void
on_part(void *arg, struct ws *ws, enum ws_type type, const void *data,
    size_t len, bool fin)
{
	if (ws_send_fragment(ws, type, fin, data, len) == -1)
		run_end(arg, "cannot send");
	throttle(ws);
}

static const struct ws_ops count_ops = {
	.message = on_count,
	.closed = on_closed,
};

static const struct ws_ops message_ops = {
	.message = on_message,
	.writable = on_writable,
	.closed = on_closed,
};

static const struct ws_ops part_ops = {
	.part = on_part,
	.writable = on_writable,
	.closed = on_closed,
};

static const struct ws_ops *echo_ops = &message_ops;

static void
on_answer(struct bufferevent *bev, void *arg)
{
	struct run *r = arg;
	struct upgrade_answer answer;

	switch (upgrade_response(
	    bufferevent_get_input(bev), &server.upgrade, r->key, &answer)) {
	case UPGRADE_MORE:
		return;
	case UPGRADE_REFUSED:
		run_end(r, "refused");
		return;
	case UPGRADE_BROKEN:
		run_end(r, answer.why);
		return;
	case UPGRADE_DONE:
		break;
	}
	r->ws = ws_new(bev, WS_CLIENT, MESSAGE_MAX, r->ops, r);
	if (r->ws == NULL)
		errx(1, "out of memory");
	r->bev = NULL;
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	int on = 1;

	if ((what & BEV_EVENT_CONNECTED) != 0)
		(void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP,
		    TCP_NODELAY, &on, sizeof(on));
	else
		run_end(arg, "cannot connect, or lost before it was open");
}

static void
on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run_end(arg, "took too long");
}

static void
run_begin(struct run *r)
{
	const struct addrinfo *address = server.addresses;
	struct upgrade upgrade = server.upgrade;

	upgrade.target = r->target;
	r->bev = bufferevent_socket_new(r->base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (r->bev == NULL || upgrade_request(&upgrade, r->key,
				  bufferevent_get_output(r->bev)) == -1)
		errx(1, "%s: cannot ask for it", r->target);
	bufferevent_setcb(r->bev, on_answer, NULL, on_event, r);
	(void)bufferevent_enable(r->bev, EV_READ | EV_WRITE);
	if (bufferevent_socket_connect(
		r->bev, address->ai_addr, (int)address->ai_addrlen) == -1)
		err(1, "%s:%s", server.host, server.port);
}

/* Connect, and wait for the end; -1, with a warning, if it went wrong. */
static int
run_do(struct run *r, struct event_base *base, const struct ws_ops *ops,
    const char *target)
{
	struct event *timer;

	memset(r, 0, sizeof(*r));
	r->base = base;
	r->ops = ops;
	r->target = target;
	timer = evtimer_new(base, on_limit, r);
	if (timer == NULL || evtimer_add(timer, &limit) == -1)
		errx(1, "out of memory");
	run_begin(r);
	if (event_base_dispatch(base) == -1)
		errx(1, "event loop");
	event_free(timer);
	ws_free(r->ws);
	if (r->bev != NULL)
		bufferevent_free(r->bev);
	if (r->failure == NULL)
		return 0;
	warnx("%s: %s", target, r->failure);
	return -1;
}

static int
get_count(struct event_base *base)
{
	struct run r;
	const char *error;
	int n;

	if (run_do(&r, base, &count_ops, "/getCaseCount") == -1)
		exit(1);
	n = (int)strtonum(r.number, 1, CASES_MAX, &error);
	if (error != NULL)
		errx(1, "/getCaseCount: number is %s", error);
	return n;
}

/* How many of the cases from first to last failed to run. */
static int
run_cases(struct event_base *base, int first, int last)
{
	char target[TARGET_SIZE];
	struct run r;
	int i, failures = 0;

	for (i = first; i <= last; i++) {
		(void)snprintf(target, sizeof(target),
		    "/runCase?case=%d&agent=%s", i, agent);
		if (run_do(&r, base, echo_ops, target) == -1)
			failures++;
	}
	(void)snprintf(
	    target, sizeof(target), "/updateReports?agent=%s", agent);
	if (run_do(&r, base, &count_ops, target) == -1)
		failures++;
	return failures;
}

/* "ws://host:port", where the host may be an address in brackets. */
static void
parse_url(const char *url)
{
	char scheme[] = "ws://", end;
	const char *error;
	size_t skip = sizeof(scheme) - 1;

	if (strncmp(url, scheme, skip) != 0 ||
	    (sscanf(url + skip, "[%255[0-9A-Fa-f:.]]:%7[0-9]%c", server.host,
		 server.port, &end) != 2 &&
		sscanf(url + skip, "%255[0-9A-Za-z.-]:%7[0-9]%c", server.host,
		    server.port, &end) != 2))
		errx(1, "%s: not like ws://host:port", url);
	server.upgrade.host = server.host;
	server.upgrade.port =
	    (uint32_t)strtonum(server.port, 1, UINT16_MAX, &error);
	if (error != NULL)
		errx(1, "%s: port is %s", url, error);
	server.upgrade.version = TETHERD_VERSION;
}

static void
resolve(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	int rc =
	    getaddrinfo(server.host, server.port, &hints, &server.addresses);

	if (rc != 0)
		errx(1, "%s: %s", server.host, gai_strerror(rc));
}

static void
usage(void)
{
	(void)fprintf(stderr, "usage: client [-pv] [-a agent] [-c case] "
			      "[-t seconds] ws://host:port\n");
	exit(1);
}

static int
number(const char *text, int max)
{
	const char *error;
	int n = (int)strtonum(text, 1, max, &error);

	if (error != NULL)
		errx(1, "%s: %s", text, error);
	return n;
}

static void
set_agent(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > AGENT_MAX || strspn(name, name_chars) != len)
		errx(1, "%s: not a name of letters and digits", name);
	agent = name;
}

int
main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	int option, only = 0, count, failures;

	while ((option = getopt(argc, argv, "a:c:pt:v")) != -1) {
		switch (option) {
		case 'a':
			set_agent(optarg);
			break;
		case 'c':
			only = number(optarg, CASES_MAX);
			break;
		case 'p':
			echo_ops = &part_ops;
			break;
		case 't':
			limit.tv_sec = number(optarg, 3600);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 1)
		usage();
	parse_url(argv[optind]);
	resolve();
	if (base == NULL || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		errx(1, "event loop");
	count = get_count(base);
	if (only > count)
		errx(1, "%d: there are %d cases", only, count);
	failures =
	    run_cases(base, only == 0 ? 1 : only, only == 0 ? count : only);
	printf(
	    "%d cases, %d could not be run\n", only == 0 ? count : 1, failures);
	freeaddrinfo(server.addresses);
	event_base_free(base);
	return failures == 0 ? 0 : 1;
}
