#ifndef PROXYD_AUDIT_H
#define PROXYD_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/audit.h"
#include "common/session.h"

/*
 * Records for the audit log (common/audit.h): who, what, and what became of
 * it.  Never a query, a body, or anything else that people typed.
 */

struct proxyd;
struct request;
struct tunnel;

/* What a record is about.  The strings may come from anywhere. */
struct audit_case {
	enum audit_event event;
	enum audit_verdict verdict;
	uint64_t github_id;	/* 0 for nobody, whose login is not looked at */
	const char *login;	/* NULL for none, like all below */
	enum session_role role; /* ROLE_NOBODY for none */
	const char *method;	/* or action */
	const char *target;	/* without its query it is the path */
	int status;		/* 0 for none */
	const char *why;
};

/* How a request ended. */
struct audit_end {
	enum session_role role; /* ROLE_NOBODY for none */
	int status;		/* of the answer; 0: nobody waited for one */
	bool refused;		/* by us */
	bool untold;		/* as many others: struct denied */
	const char *why;	/* that, or the rule that let the person in */
};

/* Make a record and send it. */
void audit_send(struct proxyd *, const struct audit_case *);

/*
 * Whether a record of one refusal more is: of those that nothing else limits
 * it is one a second for each person (rates.h), unless all are configured.
 */
bool audit_is_due(struct proxyd *, uint64_t github_id);

/*
 * A request is over.  One that was refused is always recorded, unless there
 * are too many of them; others only if it is configured.
 */
void audit_request(
    struct proxyd *, const struct request *, const struct audit_end *);

/*
 * A tunnel is open, or will never be: reason is NULL, or what the page is
 * told, "403 ...", or "" if it went before that was decided.  What was not
 * decided about somebody is recorded if that is due.
 */
void audit_tunnel(const struct tunnel *, const char *reason);

#endif
