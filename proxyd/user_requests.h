#ifndef PROXYD_USER_REQUESTS_H
#define PROXYD_USER_REQUESTS_H

#include <stdint.h>

/*
 * What people's browsers ask for by user_request (tetherd-protocol(7)): one
 * table of actions, one handler for each.
 */

struct evbuffer;
struct json_object;
struct proxyd;
struct user_auth_token;

/* One of them, as a handler gets it: valid until the handler returns. */
struct user_request {
	uint64_t number;
	const char *request_id;
	const char *action;	       /* NULL: a follow-up without one */
	struct json_object *payload;   /* an object, or NULL for none */
	struct user_auth_token *token; /* which was in there; may be taken */
};

/*
 * Begin the user_request of that text, which is drained.  Every number gets
 * exactly one last reply in the outbox, at once or later.  Returns NULL; or
 * what is wrong with a text that has no request_id to reply to.
 */
const char *user_requests_begin(
    struct proxyd *, uint64_t number, struct evbuffer *text);

#endif
