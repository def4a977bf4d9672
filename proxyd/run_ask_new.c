#include <stdbool.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <event2/buffer.h>

#include "common/log.h"
#include "proxyd/proxyd.h"
#include "proxyd/run_ask_new.h"
#include "proxyd/run_list.h"
#include "proxyd/upstream.h"

struct run_ask_new {
	const struct run_ask_new_ops *ops;
	void *arg;
	struct upstream_transfer *transfer;
	struct evbuffer *body;
	bool too_long;
	struct run_list list;
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
	struct run_ask_new *ask = arg;

	if (evbuffer_get_length(ask->body) + len > RUN_LIST_TEXT_MAX) {
		ask->too_long = true;
		return -1;
	}
	if (evbuffer_add(ask->body, piece, len) == -1)
		fatal("runs");
	return 0;
}

static bool
begins_as_json(struct run_ask_new *ask)
{
	const unsigned char *first = evbuffer_pullup(ask->body, 1);

	return first != NULL && *first == '{';
}

static void
on_done(void *arg, int status, int error)
{
	struct run_ask_new *ask = arg;
	const struct run_ask_new_ops *ops = ask->ops;

	ask->transfer = NULL; /* freed when we return */
	if (ask->too_long && begins_as_json(ask))
		ops->failed(ask->arg, "the web app says too much");
	else if (ask->too_long)
		ops->other(ask->arg);
	else if (error == CURLE_COULDNT_CONNECT)
		ops->absent(ask->arg);
	else if (error != CURLE_OK)
		ops->failed(ask->arg, curl_easy_strerror((CURLcode)error));
	else if (status == 401 || status == 403)
		ops->refused(ask->arg);
	else if (status >= 500)
		ops->failed(ask->arg, "the web app fails");
	else if (status == 200 && run_list_read_new(&ask->list, ask->body) == 0)
		ops->answered(ask->arg, &ask->list);
	else
		ops->other(ask->arg);
	run_ask_new_cancel(ask);
}

static const struct upstream_ops upstream_ops = {
	.header = on_header,
	.body = on_body,
	.done = on_done,
};

struct run_ask_new *
run_ask_new_start(struct proxyd *p, const char *jwt,
    const struct run_ask_new_ops *ops, void *arg)
{
	struct run_ask_new *ask = calloc(1, sizeof(*ask));
	struct upstream_request request = {
		.method = "GET",
		.target = "/api/providers/sessions/running",
		.authorization = jwt,
	};

	if (ask == NULL || (ask->body = evbuffer_new()) == NULL)
		fatal("runs");
	ask->ops = ops;
	ask->arg = arg;
	ask->transfer =
	    upstream_start(p->upstream, &request, &upstream_ops, ask);
	if (ask->transfer == NULL)
		fatal("runs");
	return ask;
}

void
run_ask_new_cancel(struct run_ask_new *ask)
{
	if (ask == NULL)
		return;
	if (ask->transfer != NULL)
		upstream_cancel(ask->transfer);
	evbuffer_free(ask->body);
	free(ask);
}
