#ifndef PROXYD_ASKING_H
#define PROXYD_ASKING_H

#include <stdbool.h>

#include "proxyd/redirect.h"

struct request;
struct upstream_request;

/*
 * What to ask the upstream for: what the request says, and then wherever
 * redirections lead.
 */
struct asking {
	const struct request *request;
	unsigned redirects;	  /* that were followed */
	struct redirect redirect; /* the last one of them */
	char **kept;		  /* headers to send after it; NULL ends them */
};

/* The request must outlive it. */
void asking_init(struct asking *, const struct request *);
void asking_clear(struct asking *);

/* All but the JWT; the pointers live until it changes. */
void asking_fill(const struct asking *, struct upstream_request *);

/*
 * Follow what a response with this status and Location (or NULL) says, up to
 * REDIRECT_MAX times.  base is the upstream's URL, without a path.  False if
 * the response is the answer.
 */
bool asking_follow(
    struct asking *, const char *base, int status, const char *location);

#endif
