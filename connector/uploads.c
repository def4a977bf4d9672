#include <sys/queue.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/link.h"
#include "common/log.h"
#include "common/ws.h"
#include "connector/connection.h"
#include "connector/connector.h"
#include "connector/uploads.h"

/*
 * Bytes that wait while the orchestrator is still read from: its pongs, and
 * requests that will have to be answered, too.
 */
#define WAITING_MAX (4 * 1024 * 1024)

struct upload {
	TAILQ_ENTRY(upload) entry;
	enum msg_type type;
	struct requests *requests;
	uint64_t number; /* 0 until it begins */
	int64_t due_ms;
	struct evbuffer *text;
	size_t len; /* of the request_id */
	char request_id[LINK_REQUEST_ID_MAX];
};

struct uploads {
	struct connector *connector;
	TAILQ_HEAD(, upload) queue;	/* only the first one can have begun */
	size_t bytes;			/* of all */
	size_t waiting[MSG_TYPE_COUNT]; /* of each type that have not */
	bool held;			/* those, for another proxyd */
	bool noted;			/* as the one that leaves knows */
};

struct uploads *
uploads_new(struct connector *connector)
{
	struct uploads *u = calloc(1, sizeof(*u));

	if (u == NULL)
		fatal("uploads");
	u->connector = connector;
	TAILQ_INIT(&u->queue);
	return u;
}

void
uploads_free(struct uploads *u)
{
	uploads_clear(u);
	free(u);
}

static void
upload_free(struct uploads *u, struct upload *upload)
{
	if (upload->number == 0)
		u->waiting[upload->type]--;
	u->bytes -= evbuffer_get_length(upload->text);
	TAILQ_REMOVE(&u->queue, upload, entry);
	evbuffer_free(upload->text);
	free(upload);
}

static bool
has_begun(const struct uploads *u)
{
	const struct upload *first = TAILQ_FIRST(&u->queue);

	return first != NULL && first->number != 0;
}

/* Nothing is under way to a proxyd that leaves, and nothing will be. */
static void
note_held(struct uploads *u)
{
	struct channel *proxyd = u->connector->child.peers[PROGRAM_PROXYD];

	if (!u->held || u->noted || proxyd == NULL || has_begun(u))
		return;
	u->noted = true;
	channel_send_empty(proxyd, MSG_LEAVE_NOTED, 0);
}

void
uploads_clear(struct uploads *u)
{
	struct upload *upload;

	while ((upload = TAILQ_FIRST(&u->queue)) != NULL)
		upload_free(u, upload);
	note_held(u);
}

/* Pass on what proxyd takes; true when all of this text is there. */
static bool
upload_continue(
    struct uploads *u, struct channel *proxyd, struct upload *upload)
{
	struct evbuffer_ptr start;
	size_t left, len;
	bool more;

	do {
		left = evbuffer_get_length(upload->text);
		more = left > MSG_PAYLOAD_MAX;
		len = more ? MSG_PAYLOAD_MAX : left;
		evbuffer_ptr_set(upload->text, &start, 0, EVBUFFER_PTR_SET);
		if (!channel_send_slice(proxyd, upload->type,
			more ? MSG_FLAG_MORE : 0, upload->number, upload->text,
			&start, len))
			return false;
		evbuffer_drain(upload->text, len);
		u->bytes -= len;
	} while (more);
	return true;
}

static void
upload_begin(struct uploads *u, struct upload *upload)
{
	if (upload->number != 0)
		return;
	upload->number =
	    requests_add(upload->requests, upload->request_id, upload->len);
	if (upload->number == 0)
		fatal("request");
	requests_set_due(upload->requests, upload->number, upload->due_ms);
	u->waiting[upload->type]--;
}

void
uploads_continue(struct uploads *u)
{
	struct channel *proxyd = u->connector->child.peers[PROGRAM_PROXYD];
	struct ws *ws = connection_ws(u->connector->connection);
	struct upload *upload;

	while (proxyd != NULL && (upload = TAILQ_FIRST(&u->queue)) != NULL) {
		if (u->held && upload->number == 0)
			break;
		upload_begin(u, upload);
		if (!upload_continue(u, proxyd, upload))
			break;
		upload_free(u, upload);
	}
	note_held(u);
	if (ws == NULL)
		return;
	if (u->bytes <= WAITING_MAX)
		ws_resume(ws);
	else
		ws_pause(ws);
}

int
uploads_hold(struct uploads *u)
{
	if (u->held)
		return -1;
	u->held = true;
	u->noted = false;
	uploads_continue(u);
	return 0;
}

void
uploads_release(struct uploads *u)
{
	u->held = false;
	uploads_continue(u);
}

void
uploads_add(struct uploads *u, enum msg_type type, struct requests *requests,
    const char *request_id, size_t len, struct evbuffer *text, int64_t due_ms)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	if (upload == NULL || (upload->text = evbuffer_new()) == NULL)
		fatal("request");
	upload->type = type;
	upload->requests = requests;
	upload->due_ms = due_ms;
	upload->len = len;
	memcpy(upload->request_id, request_id, len);
	evbuffer_add_buffer(upload->text, text);
	u->bytes += evbuffer_get_length(upload->text);
	TAILQ_INSERT_TAIL(&u->queue, upload, entry);
	u->waiting[type]++;
	uploads_continue(u);
}

void
uploads_cut_begun(struct uploads *u)
{
	struct upload *first = TAILQ_FIRST(&u->queue);

	if (first == NULL || first->number == 0 ||
	    requests_get(first->requests, first->number, NULL) != NULL)
		return;
	u->bytes -= evbuffer_get_length(first->text);
	evbuffer_drain(first->text, evbuffer_get_length(first->text));
}

size_t
uploads_count(const struct uploads *u, enum msg_type type)
{
	return u->waiting[type];
}

size_t
uploads_count_due(const struct uploads *u, enum msg_type type, int64_t now_ms)
{
	const struct upload *upload;
	size_t n = 0;

	TAILQ_FOREACH (upload, &u->queue, entry)
		n += upload->type == type && upload->number == 0 &&
		     upload->due_ms <= now_ms;
	return n;
}

bool
uploads_has_waiting(const struct uploads *u, enum msg_type type,
    const char *request_id, size_t len)
{
	const struct upload *upload;

	TAILQ_FOREACH (upload, &u->queue, entry)
		if (upload->type == type && upload->number == 0 &&
		    upload->len == len &&
		    memcmp(upload->request_id, request_id, len) == 0)
			return true;
	return false;
}

void
uploads_drop_begun(struct uploads *u)
{
	struct upload *first = TAILQ_FIRST(&u->queue);

	if (first != NULL && first->number != 0)
		upload_free(u, first);
}

void
uploads_drop_waiting(struct uploads *u, enum msg_type type, int64_t now_ms,
    bool (*drop)(void *arg, const char *request_id, size_t len), void *arg)
{
	struct upload *upload, *next;

	for (upload = TAILQ_FIRST(&u->queue); upload != NULL; upload = next) {
		next = TAILQ_NEXT(upload, entry);
		if (upload->type == type && upload->number == 0 &&
		    upload->due_ms <= now_ms &&
		    drop(arg, upload->request_id, upload->len))
			upload_free(u, upload);
	}
}
