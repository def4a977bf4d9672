#ifndef PROXYD_ADMISSION_H
#define PROXYD_ADMISSION_H

#include <stdbool.h>

#include "proxyd/denied.h"
#include "proxyd/sessions.h"

/*
 * Whether a request may go to the upstream, and as whom: how often its person
 * may ask (rates.h), who that is (sessions.h), and what somebody of that role
 * may ask for (role.h, deny.h), at each redirection anew.
 */

struct proxyd;
struct request;

/* A member of what is decided about. */
struct admission {
	struct proxyd *proxyd;
	const struct request *request;
	struct session_wait wait;
	enum session_role role; /* ROLE_NOBODY unless admitted as somebody */
	char *jwt;		/* NULL for nobody */
	char rule[SESSION_REASON_MAX]; /* that lets the person in, or "" */
	void (*done)(void *arg, const struct denied *);
	void *arg;
};

/*
 * done() is called once after admission_start(), at once or later: with NULL
 * for who may go on, or with why not, valid only inside.  The request must
 * outlive it.
 */
void admission_init(struct admission *, struct proxyd *, const struct request *,
    void (*done)(void *arg, const struct denied *), void *arg);
void admission_start(struct admission *);

/* Forget who it is; done() is not called any more. */
void admission_clear(struct admission *);

/* Whether it is anybody.  If not *denied says so, in constant texts. */
bool admission_is_somebody(struct admission *, struct denied *denied);

/*
 * Whether who was admitted may ask the upstream that.  If not *denied says
 * why, in constant texts.
 */
bool admission_allows(struct admission *, const char *method,
    const char *target, struct denied *denied);

/*
 * The JWT that a page of this person is to have, because it goes to the web
 * app by itself (callback url); NULL for none.  With it all may be done that
 * the role full may do, so that no other role gets it; nor does what a script
 * fetched, as that is no page, and may be kept.
 */
const char *admission_page_token(const struct admission *);

#endif
