#ifndef PROXYD_USER_AUTH_H
#define PROXYD_USER_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * Who asks for an action of a session (tetherd-protocol(7)): where there are
 * rules, whom the GitHub token that comes along belongs to, as authd says.
 */

struct proxyd;
struct user_auth;
struct user_request;

/* The member of the payload that is the token. */
#define USER_AUTH_MEMBER "auth_token"

/* Questions that wait for authd at once; whoever comes then is refused. */
#define USER_AUTH_MAX 64

/* How long they wait: more than authd takes (SESSION_GET_BY_TOKEN). */
#define USER_AUTH_MS 10000

/* Fatal when out of memory. */
struct user_auth *user_auth_new(struct proxyd *);
/* No one is told. */
void user_auth_free(struct user_auth *);

/*
 * Take the token out of the payload, and ask whose it is: allowed() is
 * called, at once or later, with a request that has no payload any more; or
 * the refusal is the last reply.  The action is one of a fixed set: its name
 * stays where it is.  Without rules everyone is allowed.
 */
void user_auth_begin(struct user_auth *, const struct user_request *,
    void (*allowed)(struct proxyd *, const struct user_request *));

/* Whether a SESSION with that id is the answer to a question of this room. */
bool user_auth_owns(uint64_t id);

/* Such an answer, which may be too late: -1 if it is malformed. */
int user_auth_on_session(struct user_auth *, struct msg *);

/* authd came (back): ask what it did not answer. */
void user_auth_on_authd(struct user_auth *);

/* The link is down: who asked is gone. */
void user_auth_clear(struct user_auth *);

#endif
