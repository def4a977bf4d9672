#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/log.h"
#include "proxyd/outbox.h"
#include "proxyd/proxyd.h"
#include "proxyd/transaction.h"
#include "proxyd/transactions.h"

/* A request whose text is not complete; there is one at a time. */
struct upload {
	uint64_t number; /* 0 for none */
	struct evbuffer *text;
	bool refused; /* what still comes of it is dropped */
};

struct transactions {
	struct proxyd *proxyd;
	struct transaction_list list;
	size_t count;
	struct upload upload;
	bool draining;
};

struct transactions *
transactions_new(struct proxyd *proxyd)
{
	struct transactions *ts = calloc(1, sizeof(*ts));

	if (ts == NULL || (ts->upload.text = evbuffer_new()) == NULL)
		fatal("transactions");
	ts->proxyd = proxyd;
	TAILQ_INIT(&ts->list);
	return ts;
}

void
transactions_free(struct transactions *ts)
{
	transactions_clear(ts);
	evbuffer_free(ts->upload.text);
	free(ts);
}

static void
upload_clear(struct transactions *ts)
{
	struct upload *upload = &ts->upload;
	size_t len = evbuffer_get_length(upload->text);

	ts->proxyd->buffered -= len;
	evbuffer_drain(upload->text, len);
	upload->number = 0;
	upload->refused = false;
}

/* Have the connector answer in our place: it knows the request_id. */
static void
refuse(struct transactions *ts, uint64_t number, uint32_t status)
{
	struct msg_out m;

	msg_start(&m, MSG_REFUSE, number);
	msg_add_u32(&m, status);
	(void)child_send(&ts->proxyd->child, PROGRAM_CONNECTOR, &m);
}

static bool
is_overloaded(const struct transactions *ts, size_t more)
{
	const struct proxyd *p = ts->proxyd;

	return ts->draining || ts->count >= p->conf.requests_max ||
	       p->buffered + more > p->conf.buffered_max;
}

static void
on_transaction_end(void *arg, struct transaction *t)
{
	struct transactions *ts = arg;

	TAILQ_REMOVE(&ts->list, t, entry);
	ts->count--;
}

static void
start(struct transactions *ts, uint64_t number)
{
	struct transaction *t;
	const char *why;

	ts->proxyd->buffered -= evbuffer_get_length(ts->upload.text);
	t = transaction_new(ts->proxyd, number, ts->upload.text, &why);
	if (t == NULL) {
		log_warnx("request refused: %s", why);
		refuse(ts, number, 400);
		return;
	}
	TAILQ_INSERT_TAIL(&ts->list, t, entry);
	ts->count++;
	transaction_start(t, on_transaction_end, ts);
}

int
transactions_on_request(struct transactions *ts, struct msg *m)
{
	bool more = (m->flags & MSG_FLAG_MORE) != 0;
	struct upload *upload = &ts->upload;

	if (m->id == 0 || (upload->number != 0 && upload->number != m->id))
		return -1;
	upload->number = m->id;
	if (!upload->refused && is_overloaded(ts, m->len)) {
		upload_clear(ts);
		upload->number = m->id;
		upload->refused = true;
		refuse(ts, m->id, 503);
	}
	if (!upload->refused) {
		if (evbuffer_add(upload->text, m->data, m->len) == -1)
			fatal("request");
		ts->proxyd->buffered += m->len;
	}
	if (more)
		return 0;
	if (!upload->refused)
		start(ts, m->id);
	upload_clear(ts);
	return 0;
}

void
transactions_drain(struct transactions *ts)
{
	ts->draining = true;
}

void
transactions_orphan(struct transactions *ts)
{
	upload_clear(ts);
}

void
transactions_adopt(struct transactions *ts)
{
	struct transaction *t;
	struct msg_out m;

	TAILQ_FOREACH (t, &ts->list, entry) {
		msg_start(&m, MSG_ADOPT, transaction_number(t));
		msg_add_str(&m, transaction_request_id(t));
		(void)child_send(&ts->proxyd->child, PROGRAM_CONNECTOR, &m);
	}
}

void
transactions_clear(struct transactions *ts)
{
	struct transaction *t;

	upload_clear(ts);
	while ((t = TAILQ_FIRST(&ts->list)) != NULL) {
		on_transaction_end(ts, t);
		transaction_free(t);
	}
}

size_t
transactions_count(const struct transactions *ts)
{
	return ts->count;
}
