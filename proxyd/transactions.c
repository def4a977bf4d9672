#include <sys/queue.h>

#include <stdlib.h>

#include "common/log.h"
#include "proxyd/proxyd.h"
#include "proxyd/transaction.h"
#include "proxyd/transactions.h"

struct transactions {
	struct proxyd *proxyd;
	struct transaction_list list;
	size_t count;
};

struct transactions *
transactions_new(struct proxyd *proxyd)
{
	struct transactions *ts = calloc(1, sizeof(*ts));

	if (ts == NULL)
		fatal("transactions");
	ts->proxyd = proxyd;
	TAILQ_INIT(&ts->list);
	return ts;
}

void
transactions_free(struct transactions *ts)
{
	transactions_clear(ts);
	free(ts);
}

static void
on_transaction_end(void *arg, struct transaction *t)
{
	struct transactions *ts = arg;

	TAILQ_REMOVE(&ts->list, t, entry);
	ts->count--;
}

const char *
transactions_begin(
    struct transactions *ts, uint64_t number, struct evbuffer *text)
{
	struct transaction *t;
	const char *why;

	t = transaction_new(ts->proxyd, number, text, &why);
	if (t == NULL)
		return why;
	ts->proxyd->counts.requests++;
	TAILQ_INSERT_TAIL(&ts->list, t, entry);
	ts->count++;
	transaction_start(t, on_transaction_end, ts);
	return NULL;
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

	while ((t = TAILQ_FIRST(&ts->list)) != NULL) {
		on_transaction_end(ts, t);
		transaction_abandon(t);
	}
}

size_t
transactions_count(const struct transactions *ts)
{
	return ts->count;
}
