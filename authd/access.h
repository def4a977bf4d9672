#ifndef AUTHD_ACCESS_H
#define AUTHD_ACCESS_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/session.h"

/*
 * Who may come in, by the rules (policy.h) and what GitHub says (github.h):
 * asked for the person that the orchestrator names, or for the one that a
 * GitHub token belongs to.  What was found out counts for a while; at any
 * time there is one question at most about the same person.
 *
 * Nobody is let in because something failed.
 */

struct access;
struct access_question;
struct authd_conf;
struct event_base;
struct github;
struct status;

/* From the first request to GitHub to the verdict, in milliseconds. */
#define ACCESS_TIME_MS 8000

/* Verdicts kept, and people that are being asked about. */
#define ACCESS_KEPT_MAX 4096
#define ACCESS_OPEN_MAX 256

enum access_result {
	ACCESS_REFUSED, /* the rules say no, or cannot be checked */
	ACCESS_BUSY,	/* too many questions or failures: try again later */
	ACCESS_ALLOWED
};

struct access_verdict {
	enum access_result result;
	enum session_role role; /* if allowed */
	uint64_t github_id;	/* 0 if a token is nobody's */
	char login[SESSION_LOGIN_MAX];
	char rule[SESSION_REASON_MAX]; /* if allowed: which one, in words */
	/* If not: for the person, and what to ask the operator for ("" if
	 * nothing). */
	char reason[SESSION_REASON_MAX];
	char advice[SESSION_REASON_MAX];
	uint32_t lifetime_ms; /* how long it counts from now on */
	/* It was found out now; told to one only of those who waited. */
	bool fresh;
};

/* One that waits; a member of its owner, zeroed while it does not wait. */
struct access_wait {
	TAILQ_ENTRY(access_wait) entry;
	struct access_question *in;
	/*
	 * Called once, later, from the event loop; may free the wait, cancel
	 * any other, ask again and reload, but not free the access.
	 */
	void (*done)(void *arg, const struct access_verdict *);
	void *arg;
};

/*
 * Fatal when out of memory.  conf and github must outlive it.  Those who wait
 * while it is freed hear nothing.
 */
struct access *access_new(
    struct event_base *, const struct authd_conf *, struct github *);
void access_free(struct access *);

/*
 * May the person in whom the orchestrator names?  True if that is known at
 * once, with *verdict filled in; else wait->done() follows, unless the wait
 * is cancelled.  If it waits for something else, that is cancelled first.
 */
bool access_by_identity(struct access *, uint64_t github_id, const char *login,
    struct access_verdict *verdict, struct access_wait *wait);

/*
 * The same for the person that a GitHub token belongs to.  If the orchestrator
 * named somebody, too, the caller compares: the verdict says whose it is.
 */
bool access_by_token(struct access *, const char *token,
    struct access_verdict *verdict, struct access_wait *wait);

/*
 * Does nothing unless it waits.  The question goes on, for others who wait,
 * or for the cache.
 */
void access_cancel(struct access_wait *);

/*
 * The content of the conf that was given is another one, and github knows:
 * what is known is known no more, but for GitHub's rate limits, and what is
 * being asked is asked anew, with the time for it.  Calls no done().
 */
void access_reload(struct access *);

/*
 * How GitHub is doing: "not asked", "works", "failing: …" or "limited for N
 * s" (the token of this instance).
 */
void access_status(const struct access *, struct status *);

#endif
