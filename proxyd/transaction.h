#ifndef PROXYD_TRANSACTION_H
#define PROXYD_TRANSACTION_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include <event2/event_struct.h>

#include "proxyd/admission.h"
#include "proxyd/asking.h"
#include "proxyd/handles.h"
#include "proxyd/local.h"
#include "proxyd/prefix.h"
#include "proxyd/response.h"

struct denied;
struct evbuffer;
struct proxyd;
struct transaction;

typedef void (*transaction_ended)(void *arg, struct transaction *);

/* One request and what becomes of it. */
struct transaction {
	TAILQ_ENTRY(transaction) entry; /* the owner's */
	struct proxyd *proxyd;
	uint64_t number;
	struct request *request;
	struct prefix prefix; /* if the response has one */
	enum local local;
	struct admission admission;
	struct handle_wait handle_wait;
	char handle[HANDLE_SIZE]; /* of the page that this becomes, or "" */
	bool has_handle;	  /* authd was asked */
	struct asking asking;
	struct upstream_transfer *transfer;
	char upstream[UPSTREAM_NAME_SIZE]; /* who was asked */
	struct response response;
	const char *failure; /* why we ended the transfer ourselves */
	int failure_status;
	size_t buffered; /* bytes of proxyd's total */
	struct event deadline;
	struct timespec began;
	transaction_ended ended;
	void *ended_arg;
};
TAILQ_HEAD(transaction_list, transaction);

/*
 * A transaction for the text of a request, which is drained.  NULL if it
 * has no request_id to answer to: *why says what is wrong.
 */
struct transaction *transaction_new(
    struct proxyd *, uint64_t number, struct evbuffer *text, const char **why);

/*
 * Begin; ended() is called, possibly at once, when the answer is in the
 * outbox; the transaction is freed after it.
 */
void transaction_start(
    struct transaction *, transaction_ended ended, void *arg);

/* Stop it, if it is under way, and free it: there will be no answer. */
void transaction_abandon(struct transaction *);

uint64_t transaction_number(const struct transaction *);
const char *transaction_request_id(const struct transaction *);

/*
 * For transaction_transfer.c.  Count what it holds in memory: so many bytes,
 * from now on.
 */
void transaction_hold(struct transaction *, size_t bytes);

/*
 * Have a handle made for the page that this becomes; while authd is asked the
 * page waits.
 */
void transaction_ask_handle(struct transaction *);

/*
 * Each of these is the end of it: the answer goes out, and the transaction is
 * gone.  A message is taken over; NULL is fatal.
 */
void transaction_answer(struct transaction *, int status, struct evbuffer *);
void transaction_fail(struct transaction *, int status, const char *text);
void transaction_refuse(struct transaction *, const struct denied *);

#endif
