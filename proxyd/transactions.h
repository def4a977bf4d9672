#ifndef PROXYD_TRANSACTIONS_H
#define PROXYD_TRANSACTIONS_H

#include <stddef.h>

#include "common/msg.h"

/*
 * Transactions: a request from the orchestrator, who asks, the upstream's
 * response, the answer.  Each ends with one answer in the outbox.
 */

struct proxyd;
struct transactions;

/* Fatal when out of memory. */
struct transactions *transactions_new(struct proxyd *);
void transactions_free(struct transactions *);

/* A chunk of a request's text, from the connector. */
int transactions_on_request(struct transactions *, struct msg *);

/* Take no more requests. */
void transactions_drain(struct transactions *);

/* The connector died: half received requests will never be whole. */
void transactions_orphan(struct transactions *);
/* Tell a connector that took over which requests are under way. */
void transactions_adopt(struct transactions *);

/* Nobody waits for the answers any more: stop all. */
void transactions_clear(struct transactions *);

size_t transactions_count(const struct transactions *);

#endif
