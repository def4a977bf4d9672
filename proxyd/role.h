#ifndef PROXYD_ROLE_H
#define PROXYD_ROLE_H

#include <stdbool.h>

#include "common/session.h"

/*
 * What people of each role may do at the upstream, and what they are told
 * where they may not.
 */

/* In the place of a role: nobody is known. */
#define ROLE_NOBODY SESSION_ROLE_COUNT

/* For a reason and an advice, which are one line of text each. */
#define ROLE_READ_ONLY_REASON "your access is read-only"
#define ROLE_READ_ONLY_ADVICE                                        \
	"Ask the operator of this instance for full access: policy " \
	"users, or tetherctl users role LOGIN full."

enum role_socket {
	ROLE_SOCKET_CLOSED, /* it must not be opened */
	ROLE_SOCKET_MUTE,   /* what goes up is looked at: chat_filter.h */
	ROLE_SOCKET_OPEN
};

/*
 * Whether the role may ask the upstream for that target (path and query) with
 * that method, in upper case; what it may not is refused with the reason and
 * the advice above.  Nobody is no role: what the upstream shows without a
 * session is the upstream's.
 */
bool role_may_request(
    enum session_role, const char *method, const char *target);

/* What a WebSocket to that target (path and query) is for the role. */
enum role_socket role_socket(enum session_role, const char *target);

/* "full", "read-only", or "" for nobody. */
const char *role_name(enum session_role);

#endif
