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

struct upload {
	TAILQ_ENTRY(upload) entry;
	enum msg_type type;
	struct requests *requests;
	uint64_t number; /* 0 until it begins */
	struct evbuffer *text;
	size_t len; /* of the request_id */
	char request_id[LINK_REQUEST_ID_MAX];
};

struct uploads {
	struct connector *connector;
	TAILQ_HEAD(, upload) queue;	/* only the first one can have begun */
	size_t waiting[MSG_TYPE_COUNT]; /* of each type that have not */
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
	TAILQ_REMOVE(&u->queue, upload, entry);
	evbuffer_free(upload->text);
	free(upload);
}

void
uploads_clear(struct uploads *u)
{
	struct upload *upload;

	while ((upload = TAILQ_FIRST(&u->queue)) != NULL)
		upload_free(u, upload);
}

/* Pass on what proxyd takes; true when all of this text is there. */
static bool
upload_continue(struct channel *proxyd, struct upload *upload)
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
	u->waiting[upload->type]--;
}

void
uploads_continue(struct uploads *u)
{
	struct channel *proxyd = u->connector->child.peers[PROGRAM_PROXYD];
	struct ws *ws = connection_ws(u->connector->connection);
	struct upload *upload;

	while (proxyd != NULL && (upload = TAILQ_FIRST(&u->queue)) != NULL) {
		upload_begin(u, upload);
		if (!upload_continue(proxyd, upload))
			break;
		upload_free(u, upload);
	}
	if (ws == NULL)
		return;
	if (TAILQ_EMPTY(&u->queue))
		ws_resume(ws);
	else
		ws_pause(ws);
}

void
uploads_add(struct uploads *u, enum msg_type type, struct requests *requests,
    const char *request_id, size_t len, struct evbuffer *text)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	if (upload == NULL || (upload->text = evbuffer_new()) == NULL)
		fatal("request");
	upload->type = type;
	upload->requests = requests;
	upload->len = len;
	memcpy(upload->request_id, request_id, len);
	evbuffer_add_buffer(upload->text, text);
	TAILQ_INSERT_TAIL(&u->queue, upload, entry);
	u->waiting[type]++;
	uploads_continue(u);
}

size_t
uploads_count(const struct uploads *u, enum msg_type type)
{
	return u->waiting[type];
}

void
uploads_drop_begun(struct uploads *u)
{
	struct upload *first = TAILQ_FIRST(&u->queue);

	if (first != NULL && first->number != 0)
		upload_free(u, first);
}

void
uploads_drop_waiting(struct uploads *u, enum msg_type type,
    bool (*drop)(void *arg, const char *request_id, size_t len), void *arg)
{
	struct upload *upload, *next;

	for (upload = TAILQ_FIRST(&u->queue); upload != NULL; upload = next) {
		next = TAILQ_NEXT(upload, entry);
		if (upload->type == type && upload->number == 0 &&
		    drop(arg, upload->request_id, upload->len))
			upload_free(u, upload);
	}
}
