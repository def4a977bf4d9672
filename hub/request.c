#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "hub/http.h"
#include "hub/random.h"
#include "hub/request.h"

static const struct timeval answer_timeout = { 30, 0 };

static int
request_compare(const struct request *a, const struct request *b)
{
	return strcmp(a->id, b->id);
}

RB_PROTOTYPE(request_tree, request, entry, request_compare)
RB_GENERATE(request_tree, request, entry, request_compare)

static void
request_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;
	struct evhttp_request *http = request->http;

	(void)fd;
	(void)what;
	log_infox("instance %s did not answer in time", request->client_id);
	request_free(request);
	http_error(http, 504, "the instance did not answer in time");
}

struct request *
request_new(struct hub *hub, struct evhttp_request *http, const char *client_id)
{
	struct request *request;

	if (hub->nrequests >= HUB_REQUESTS_MAX ||
	    (request = calloc(1, sizeof(*request))) == NULL)
		return NULL;
	request->hub = hub;
	request->http = http;
	(void)strlcpy(
	    request->client_id, client_id, sizeof(request->client_id));
	random_hex(request->id, sizeof(request->id));
	(void)evtimer_assign(
	    &request->deadline, hub->base, request_timeout, request);
	(void)evtimer_add(&request->deadline, &answer_timeout);
	(void)RB_INSERT(request_tree, &hub->requests, request);
	hub->nrequests++;
	return request;
}

struct request *
request_find(struct hub *hub, const char *client_id, const char *id)
{
	struct request key, *request;

	if (strlcpy(key.id, id, sizeof(key.id)) >= sizeof(key.id))
		return NULL;
	request = RB_FIND(request_tree, &hub->requests, &key);
	if (request == NULL || strcmp(request->client_id, client_id) != 0)
		return NULL;
	return request;
}

void
request_free(struct request *request)
{
	(void)RB_REMOVE(request_tree, &request->hub->requests, request);
	request->hub->nrequests--;
	(void)event_del(&request->deadline);
	free(request);
}

void
requests_fail(struct hub *hub, const char *client_id)
{
	struct request *request, *next;
	struct evhttp_request *http;

	RB_FOREACH_SAFE (request, request_tree, &hub->requests, next) {
		if (strcmp(request->client_id, client_id) != 0)
			continue;
		http = request->http;
		request_free(request);
		http_error(http, 503, "the instance has left");
	}
}

void
requests_clear(struct hub *hub)
{
	struct request *request;

	while ((request = RB_MIN(request_tree, &hub->requests)) != NULL)
		request_free(request);
}
