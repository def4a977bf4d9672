#ifndef PROXYD_REDIRECT_H
#define PROXYD_REDIRECT_H

#include <stdbool.h>

#include "proxyd/request.h"

/*
 * Redirections that we follow in the browser's place, because the
 * orchestrator can not pass them on; as browsers do it (Fetch standard,
 * HTTP-redirect fetch), but never away from the upstream.
 */

#define REDIRECT_MAX 10 /* the caller counts */

struct redirect {
	char method[REQUEST_METHOD_MAX + 1];
	char *target; /* fit for the request line; the caller frees it */
	bool keep_body;
};

/*
 * What to ask for after a response with this status and Location (or NULL)
 * to a request for target.  base is the upstream's URL, "http://host:port"
 * without a path.  Returns true and fills *next, or false if the response
 * is not a redirection, leads elsewhere, or Location makes no sense: then it
 * is the answer.
 */
bool redirect_next(const char *base, const char *method, const char *target,
    long status, const char *location, struct redirect *next);

/*
 * Whether this header ("Name: value") describes the body, and so must not
 * be sent again once keep_body is false.
 */
bool redirect_drops(const char *header);

#endif
