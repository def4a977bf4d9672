#ifndef PROXYD_USER_AUTH_H
#define PROXYD_USER_AUTH_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/audit.h"
#include "common/msg.h"
#include "proxyd/sessions.h"

/*
 * Who asks for an action of a chat session (tetherd-protocol(7)): where there
 * are rules, whom the GitHub token that comes along belongs to, as authd
 * says; else it is the instance itself who acts.
 */

struct json_object;
struct proxyd;
struct user_auth;

/* The member of the payload that is the token. */
#define USER_AUTH_MEMBER "auth_token"

/* What who comes without it is told, where there are rules. */
#define USER_AUTH_NO_TOKEN "no auth_token"

/* Questions that wait for authd at once; whoever comes then is refused. */
#define USER_AUTH_MAX 64

/* How long they wait: more than authd takes (SESSION_GET_BY_TOKEN). */
#define USER_AUTH_MS 10000

/* What came in a payload; zeroed for nothing. */
struct user_auth_token {
	char *text;	 /* or NULL */
	const char *why; /* what is wrong with it, or NULL */
};

/*
 * Take it out of the payload, an object or NULL, whose memory does not hold
 * it any more then.
 */
void user_auth_take(struct json_object *payload, struct user_auth_token *);
/* Wipe and free it; it is as zeroed. */
void user_auth_token_clear(struct user_auth_token *);

/* What became of a question. */
struct user_auth_answer {
	const struct session *session; /* of who may; NULL: nobody */
	/* If nobody: for good, not just now. */
	bool denied;
	const char *reason;
	const char *advice; /* "" for none */
};

/* A question; a member of its owner.  Zeroed when it does not wait. */
struct user_auth_wait {
	TAILQ_ENTRY(user_auth_wait) entry;
	struct user_auth *in;
	uint64_t id;
	int64_t until_ms; /* monotonic */
	struct user_auth_token token;
	struct session_wait service;
	/* The owner's: */
	char action[AUDIT_WORD_SIZE];
	uint64_t only; /* that GitHub id may go on; 0: whoever may, may begin */
	/*
	 * Called once, at once or later; the answer is valid only inside.
	 * sessions_get() must not be called there.
	 */
	void (*done)(void *arg, const struct user_auth_answer *);
	void *arg;
};

/* Fatal when out of memory. */
struct user_auth *user_auth_new(struct proxyd *);
/* Nobody waits any more. */
void user_auth_free(struct user_auth *);

/*
 * Ask whose token that is, which is taken over, and whether they may.  What
 * is decided is counted, and for the audit log: that somebody may begin, and
 * every refusal.
 */
void user_auth_ask(
    struct user_auth *, struct user_auth_wait *, struct user_auth_token *);

/* Who asked is gone.  Does nothing unless it waits. */
void user_auth_cancel(struct user_auth_wait *);

/* Whether a SESSION with that id is the answer to a question of this room. */
bool user_auth_owns(uint64_t id);

/* Such an answer, which may be too late: -1 if it is malformed. */
int user_auth_on_session(struct user_auth *, struct msg *);

/* authd came (back): ask what it did not answer. */
void user_auth_on_authd(struct user_auth *);

#endif
