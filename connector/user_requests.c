#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/ws.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/exchange.h"
#include "connector/outgoing.h"
#include "connector/requests.h"
#include "connector/uploads.h"
#include "connector/user_requests.h"

struct user_requests {
	struct connector *connector;
	struct requests *requests;
	const char *refusal; /* of new ones, or NULL */
};

static const char too_many[] = "too many requests at once";

struct user_requests *
user_requests_new(struct connector *connector)
{
	struct user_requests *ur = calloc(1, sizeof(*ur));

	if (ur == NULL)
		fatal("user_requests");
	ur->connector = connector;
	ur->requests = requests_new();
	return ur;
}

void
user_requests_free(struct user_requests *ur)
{
	requests_free(ur->requests);
	free(ur);
}

void
user_requests_add(struct user_requests *ur, const char *request_id, size_t len,
    struct evbuffer *text)
{
	struct connector *connector = ur->connector;

	if (ur->refusal != NULL) {
		outgoing_user_error(connector, request_id, len, ur->refusal);
	} else if (user_requests_count(ur) >= USER_REQUESTS_MAX) {
		outgoing_user_message(connector, request_id, len, too_many);
		outgoing_user_error(connector, request_id, len, too_many);
	} else {
		uploads_add(connector->uploads, MSG_USER_REQUEST, ur->requests,
		    request_id, len, text);
	}
}

int
user_requests_on_reply(struct user_requests *ur, struct msg *m)
{
	struct connector *connector = ur->connector;
	struct ws *ws = connection_ws(connector->connection);

	/* It would wait behind the rest of that answer, without a bound. */
	if (exchange_is_answering(connector->exchange))
		return -1;
	if (ws == NULL || requests_get(ur->requests, m->id, NULL) == NULL)
		return 0; /* of a connection that is gone */
	if (ws_send(ws, WS_TEXT, m->data, m->len) == -1)
		log_warnx("reply not sent");
	if (!ws_is_writable(ws))
		channel_pause(connector->child.peers[PROGRAM_PROXYD]);
	connector->counters.replies++;
	connector->counters.reply_bytes += m->len;
	if (m->type == MSG_REPLY_LAST)
		requests_remove(ur->requests, m->id);
	else
		requests_set_lasting(ur->requests, m->id);
	return 0;
}

/* What a refusal of that status says; NULL if there is none such. */
static const char *
refusal_text(uint32_t status)
{
	switch (status) {
	case 400:
		return "malformed request";
	case 413:
		return "request too large";
	case 503:
		return "too many requests at once; try again";
	default:
		return NULL;
	}
}

int
user_requests_on_refuse(struct user_requests *ur, struct msg *m)
{
	const char *text = refusal_text(msg_get_u32(m)), *request_id;
	size_t len;

	if (!msg_end(m) || text == NULL)
		return -1;
	request_id = requests_get(ur->requests, m->id, &len);
	if (request_id == NULL)
		return 0;
	outgoing_user_error(ur->connector, request_id, len, text);
	requests_remove(ur->requests, m->id);
	return 0;
}

/* An error that several of them get. */
struct failure {
	struct connector *connector;
	const char *text;
};

static void
reply_failure(void *arg, uint64_t number, const char *request_id, size_t len)
{
	const struct failure *failure = arg;

	(void)number;
	outgoing_user_error(failure->connector, request_id, len, failure->text);
}

void
user_requests_on_proxyd_lost(struct user_requests *ur)
{
	struct failure failure = { ur->connector,
		"the instance lost the request; try again" };

	if (requests_count(ur->requests) > 0)
		log_warnx("proxyd is gone: ending %zu user requests",
		    requests_count(ur->requests));
	requests_clear(ur->requests, reply_failure, &failure);
}

void
user_requests_on_link_down(struct user_requests *ur)
{
	requests_clear(ur->requests, NULL, NULL);
	if (!ur->connector->child.stopping)
		ur->refusal = NULL;
}

void
user_requests_refuse(struct user_requests *ur, const char *text)
{
	ur->refusal = text;
}

void
user_requests_stop(struct user_requests *ur, const char *text)
{
	struct failure failure = { ur->connector, text };

	requests_clear(ur->requests, reply_failure, &failure);
	uploads_drop_waiting(
	    ur->connector->uploads, MSG_USER_REQUEST, reply_failure, &failure);
}

size_t
user_requests_unanswered(const struct user_requests *ur)
{
	return user_requests_count(ur) - requests_count_lasting(ur->requests);
}

size_t
user_requests_count(const struct user_requests *ur)
{
	return requests_count(ur->requests) +
	       uploads_count(ur->connector->uploads, MSG_USER_REQUEST);
}
