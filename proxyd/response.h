#ifndef PROXYD_RESPONSE_H
#define PROXYD_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "proxyd/body.h"
#include "proxyd/decode.h"
#include "proxyd/headers.h"
#include "proxyd/prefix.h"
#include "proxyd/rewrite.h"
#include "proxyd/sink.h"
#include "proxyd/upstream.h"

/*
 * What the upstream responds to a request, on its way to becoming an answer:
 * the head is gathered, the body is rewritten where that is due and escaped
 * in the same pass.
 */

struct evbuffer;
struct proxyd;
struct request;

struct response {
	const struct proxyd *proxyd;
	const struct request *request;
	const struct prefix *prefix;   /* NULL: nothing is rewritten */
	const char *target;	       /* what was asked for at last */
	char base[UPSTREAM_BASE_SIZE]; /* and where */
	const char *token; /* the JWT for a page to have, NULL for none */
	struct headers headers;
	struct body body;
	size_t received;       /* bytes of the body, as the upstream sent it */
	size_t length;	       /* and as it is behind the rewriting */
	bool begun;	       /* all below */
	struct decode *decode; /* NULL: the body is as it is sent */
	enum rewrite_kind kind;
	struct rewrite_insert insert;
	char *insert_text; /* to be freed */
	struct rewrite *rewrite;
	struct sink sink;
};

/*
 * The pointers must outlive it.  The prefix is NULL for no rewriting;
 * target, base and token are the caller's to set before there is a response.
 */
void response_init(struct response *, const struct proxyd *,
    const struct request *, const struct prefix *);

/* Forget all that came, and be as after response_init(). */
void response_reset(struct response *);

/*
 * What a body of this status will be to the rewriters, once the head is
 * complete.
 */
enum rewrite_kind response_kind(const struct response *, int status);

/*
 * The body begins, or there is none.  handle is that of the page, "" for
 * none.  Returns -1 when out of memory.
 */
int response_begin(struct response *, int status, const char *handle);

/*
 * A piece of the body.  Returns as body_feed(), and -1 with errno EBADMSG if
 * it is not coded as the head says.
 */
int response_feed(struct response *, const void *piece, size_t len);

/* Whether few bytes of the body may become many. */
bool response_is_coded(const struct response *);

/* Whether this is a whole answer to the request, all of it being here. */
bool response_is_sound(const struct response *, int status);

/* The end of the body.  Returns as body_feed(). */
int response_finish(struct response *);

/*
 * The answer, complete and ready to be sent, to be freed by the caller; NULL
 * when out of memory, or when its head became too large.
 */
struct evbuffer *response_compose(struct response *, int status);

#endif
