#ifndef PROXYD_DENIED_H
#define PROXYD_DENIED_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Answers of our own to who may not: a page of HTML where a browser shows it,
 * JSON otherwise.
 */

struct evbuffer;
struct request;

/* The field that marks them, for the script of the page. */
#define DENIED_FIELD "x-tether-denied"

/* What is refused, and why; the texts are whoever made it's. */
struct denied {
	int status; /* 403, 429, 503 */
	const char *reason;
	const char *advice; /* what to ask the operator for, or "" */
	uint32_t retry_s;   /* when to try again, 0 if that is no use */
	bool untold;	    /* one of many: no line in the audit log */
};

/*
 * The answer, complete and ready to be sent, to be freed by the caller; NULL
 * when out of memory.  The texts may come from anywhere.
 */
struct evbuffer *denied_compose(const struct request *, const struct denied *);

#endif
