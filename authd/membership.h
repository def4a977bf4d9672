#ifndef AUTHD_MEMBERSHIP_H
#define AUTHD_MEMBERSHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "authd/finding.h"

/*
 * The questions to GitHub about one person, one after the other, until a
 * rule matches or none is left.  With the person's own token: who they are
 * (GET /user), and what it shows of them.  With the instance's: the
 * membership of the login that the orchestrator named, and whether that login
 * has the id that it named, too.
 */

struct github;
struct health;
struct membership;

/* The pages of a person's orgs that are looked at. */
#define MEMBERSHIP_PAGES_MAX 10

/* How long a limit of GitHub's counts, whatever it says, in milliseconds. */
#define MEMBERSHIP_LIMIT_MIN_MS 1000
#define MEMBERSHIP_LIMIT_MAX_MS 3600000

struct membership_question {
	const struct authd_conf *conf;
	struct github *github;
	struct health *health;
	const char *token; /* must outlive it */
	bool own;	   /* the token is the person's */
	/* Whom it is about, unless the token says: both valid. */
	uint64_t github_id;
	const char *login;
	int64_t deadline_ms; /* monotonic_ms() */
	/* For how many milliseconds that token must not be used; 0 if it may. */
	uint32_t (*limited)(void *arg);
	/*
	 * Called once, maybe before membership_ask() returns; is to free
	 * nothing of it then.
	 */
	void (*done)(void *arg, const struct finding *);
	void *arg;
};

/*
 * Ask.  The question is copied, but not what it points to.  The rules must
 * stay as they are for as long as it lives.  Fatal when out of memory.
 */
struct membership *membership_ask(const struct membership_question *);

/* Ends it, without done(), if it goes on.  NULL is allowed. */
void membership_free(struct membership *);

#endif
