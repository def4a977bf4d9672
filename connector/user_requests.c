#include <stdlib.h>
#include <string.h>

#include "common/link.h"
#include "common/log.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/outgoing.h"
#include "connector/relay.h"
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

/*
 * What follows something that still has a last reply to come, under the same
 * request_id, ends nothing when it fails.
 */
static void
fail(struct user_requests *ur, const char *request_id, size_t len,
    const char *text)
{
	if (requests_has_id(ur->requests, request_id, len))
		outgoing_user_message(ur->connector, request_id, len, text);
	else
		outgoing_user_error(ur->connector, request_id, len, text);
}

void
user_requests_add(struct user_requests *ur, const char *request_id, size_t len,
    struct evbuffer *text)
{
	struct connector *connector = ur->connector;

	if (ur->refusal != NULL)
		fail(ur, request_id, len, ur->refusal);
	else if (user_requests_count(ur) >= USER_REQUESTS_MAX) {
		outgoing_user_message(connector, request_id, len, too_many);
		if (!requests_has_id(ur->requests, request_id, len))
			outgoing_user_error(
			    connector, request_id, len, too_many);
	} else {
		uploads_add(connector->uploads, MSG_USER_REQUEST, ur->requests,
		    request_id, len, text, INT64_MAX);
	}
}

/* It has no more to say. */
static bool
is_silent_end(const struct user_requests *ur, const struct msg *m)
{
	return m->type == MSG_REPLY_LAST && m->flags == 0 && m->len == 0 &&
	       !relay_has(ur->connector, m->type, m->id);
}

static void
send_reply(struct user_requests *ur, const struct msg *m)
{
	struct counters *counters = &ur->connector->counters;

	relay_send(ur->connector, m);
	counters->reply_bytes += m->len;
	if ((m->flags & MSG_FLAG_MORE) == 0)
		counters->replies++;
}

int
user_requests_on_reply(struct user_requests *ur, struct msg *m)
{
	struct connector *connector = ur->connector;

	if (!relay_allows(connector, m))
		return -1;
	if (connection_ws(connector->connection) == NULL ||
	    requests_get(ur->requests, m->id, NULL) == NULL)
		return 0; /* of a connection that is gone */
	if (!is_silent_end(ur, m))
		send_reply(ur, m);
	if (m->type == MSG_REPLY)
		requests_set_lasting(ur->requests, m->id);
	else if ((m->flags & MSG_FLAG_MORE) == 0)
		requests_remove(ur->requests, m->id);
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
	const char *text = refusal_text(msg_get_u32(m)), *found;
	char request_id[LINK_REQUEST_ID_MAX];
	size_t len;

	if (!msg_end(m) || text == NULL ||
	    relay_has(ur->connector, MSG_REPLY, m->id) ||
	    relay_has(ur->connector, MSG_REPLY_LAST, m->id))
		return -1;
	found = requests_get(ur->requests, m->id, &len);
	if (found == NULL)
		return 0;
	memcpy(request_id, found, len);
	requests_remove(ur->requests, m->id);
	fail(ur, request_id, len, text);
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

/* Each request_id gets one last reply, however many numbers it has. */
static void
fail_all(struct user_requests *ur, const char *text)
{
	struct failure failure = { ur->connector, text };

	relay_cut(ur->connector, MSG_REPLY);
	relay_cut(ur->connector, MSG_REPLY_LAST);
	requests_clear_ids(ur->requests, reply_failure, &failure);
}

/* What it followed is lost. */
static bool
is_lost(void *arg, const char *request_id, size_t len)
{
	const struct user_requests *ur = arg;

	return requests_has_id(ur->requests, request_id, len);
}

void
user_requests_on_proxyd_lost(struct user_requests *ur)
{
	if (requests_count(ur->requests) > 0)
		log_warnx("proxyd is gone: ending %zu user requests",
		    requests_count(ur->requests));
	uploads_drop_waiting(
	    ur->connector->uploads, MSG_USER_REQUEST, INT64_MAX, is_lost, ur);
	fail_all(ur, "the instance lost the request; try again");
}

void
user_requests_give_up(
    struct user_requests *ur, uint64_t number, const char *text)
{
	const char *request_id;
	size_t len;

	if ((request_id = requests_get(ur->requests, number, &len)) == NULL)
		return;
	outgoing_user_error(ur->connector, request_id, len, text);
	requests_remove(ur->requests, number);
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

/* There is room: those that wait count as well. */
static bool
stop_waiting(void *arg, const char *request_id, size_t len)
{
	struct user_requests *ur = arg;

	if (requests_add(ur->requests, request_id, len) == 0)
		fatal("user request");
	return true;
}

void
user_requests_stop(struct user_requests *ur, const char *text)
{
	uploads_drop_waiting(ur->connector->uploads, MSG_USER_REQUEST,
	    INT64_MAX, stop_waiting, ur);
	fail_all(ur, text);
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
