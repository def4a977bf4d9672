#ifndef PROXYD_TRANSACTIONS_H
#define PROXYD_TRANSACTIONS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Transactions: a request from the orchestrator, who asks, the upstream's
 * response, the answer.  Each ends with one answer in the outbox.
 */

struct evbuffer;
struct proxyd;
struct transactions;

/* Fatal when out of memory. */
struct transactions *transactions_new(struct proxyd *);
void transactions_free(struct transactions *);

/*
 * Begin the one for the text of a request, which is drained.  Returns NULL;
 * or what is wrong with a text that has no request_id to answer to.
 */
const char *transactions_begin(
    struct transactions *, uint64_t number, struct evbuffer *text);

/* Tell a connector that took over which requests are under way. */
void transactions_adopt(struct transactions *);

/* Nobody waits for the answers any more: stop all. */
void transactions_clear(struct transactions *);

size_t transactions_count(const struct transactions *);

#endif
