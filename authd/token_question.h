#ifndef AUTHD_TOKEN_QUESTION_H
#define AUTHD_TOKEN_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

struct authd_conf;
struct child;
struct event;
struct msg;
struct tokens;

/*
 * What connector signs in with: the configured token; else the one that the
 * orchestrator granted, with the client id that it is for; else none.
 */

/* How long to wait while the database does not say, in milliseconds. */
#define TOKEN_QUESTION_WAIT_MS 1000

struct token_question {
	struct child *child;
	const struct authd_conf *conf;
	struct tokens *tokens;
	struct event *again;
	/* One that came too early, or cannot be answered now. */
	bool waits;
	uint64_t id;
	uint64_t conf_id;
};

/* The pointers must outlive it.  Fatal when out of memory. */
void token_question_init(struct token_question *, struct child *,
    const struct authd_conf *, struct tokens *);
void token_question_clear(struct token_question *);

/*
 * The handlers of TOKEN_GET and TOKEN_GRANTED, which gets its token kept only
 * where there is none.
 */
int token_question_on_get(struct token_question *, struct msg *);
int token_question_on_granted(struct token_question *, struct msg *);

/*
 * Answer what waits, once the token belongs to the orchestrator that
 * connector knows: after a reload.  If connector is the one behind it will
 * ask again.
 */
void token_question_answer(struct token_question *);

/* Whoever asked is no more. */
void token_question_forget(struct token_question *);

#endif
