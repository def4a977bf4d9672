#ifndef PROXYD_USER_REQUESTS_H
#define PROXYD_USER_REQUESTS_H

#include <stdint.h>

/*
 * What people's browsers ask for by user_request (tetherd-protocol(7)): one
 * table of actions, one handler for each.
 */

struct evbuffer;
struct proxyd;

/*
 * The text of a whole user_request, which is drained.  Every number gets
 * exactly one last reply in the outbox, at once or later.
 */
void user_requests_begin(
    struct proxyd *, uint64_t number, struct evbuffer *text);

#endif
