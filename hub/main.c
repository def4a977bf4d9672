#include <event2/event.h>

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "hub/hub.h"
#include "hub/options.h"
#include "hub/server.h"

/* How long peers have to answer our close frames when we stop. */
static const struct timeval stop_time = { 0, 300000 };

static void
hub_signal(evutil_socket_t signal, short what, void *arg)
{
	struct hub *hub = arg;

	(void)what;
	log_infox("stopping on signal %d", (int)signal);
	hub_close(hub);
	(void)event_base_loopexit(hub->base, &stop_time);
}

/* The one line that says that the hub can be used, and where. */
static void
announce(struct hub *hub, int port)
{
	const struct options *o = hub->options;
	char host[NI_MAXHOST];
	const char *token;
	bool v6 = o->listen.ss_family == AF_INET6;

	if (getnameinfo((const struct sockaddr *)&o->listen, o->listen_len,
		host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
		fatalx("getnameinfo");
	printf("tether-hub: listening on http://%s%s%s:%d\n", v6 ? "[" : "",
	    host, v6 ? "]" : "", port);
	if (TAILQ_EMPTY(&hub->tokens.list)) {
		if ((token = tokens_grant(&hub->tokens)) == NULL)
			fatalx("can't make a token");
		printf("tether-hub: token %s\n", token);
	}
	(void)fflush(stdout);
}

static void
hub_run(const struct options *options)
{
	struct hub hub;
	struct event_base *base = event_base_new();
	struct event *events[2];
	int port;

	if (base == NULL)
		fatalx("event_base_new");
	hub_init(&hub, base, options);
	port = server_start(&hub);
	events[0] = evsignal_new(base, SIGTERM, hub_signal, &hub);
	events[1] = evsignal_new(base, SIGINT, hub_signal, &hub);
	if (events[0] == NULL || events[1] == NULL ||
	    evsignal_add(events[0], NULL) == -1 ||
	    evsignal_add(events[1], NULL) == -1)
		fatalx("evsignal_new");
	announce(&hub, port);
	if (event_base_dispatch(base) == -1)
		fatalx("event_base_dispatch");
	hub_clear(&hub);
	server_stop(&hub);
	event_free(events[0]);
	event_free(events[1]);
	event_base_free(base);
}

int
main(int argc, char *argv[])
{
	struct options options;
	char error[256];

	log_to_stderr("tether-hub");
	switch (options_parse(&options, argc, argv, error, sizeof(error))) {
	case OPTIONS_HELP:
		fputs(options_usage, stdout);
		return 0;
	case OPTIONS_VERSION:
		puts("tether-hub " TETHERD_VERSION);
		return 0;
	case OPTIONS_BAD:
		fprintf(stderr, "tether-hub: %s\n", error);
		return 1;
	case OPTIONS_OK:
		break;
	}
	if (options.verbose > 0)
		log_set_level(LOG_LEVEL_DEBUG);
	(void)signal(SIGPIPE, SIG_IGN);
	hub_run(&options);
	return 0;
}
