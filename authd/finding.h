#ifndef AUTHD_FINDING_H
#define AUTHD_FINDING_H

#include <stdint.h>

#include "authd/access.h"
#include "authd/policy.h"

/*
 * What was found out about a person, in short; and in the words that they
 * get to read.
 */

/* What is not filled in allows nothing. */
enum finding_kind {
	/* Refused, because something does not work. */
	FINDING_UNCHECKED,
	FINDING_INSTANCE_TOKEN, /* GitHub refuses it */
	FINDING_OTHER_PERSON,	/* the login is not of that id */
	FINDING_LIMITED,	/* by GitHub */
	/* Refused, by the rules or by GitHub's word. */
	FINDING_ID_INVALID,
	FINDING_LOGIN_INVALID,
	FINDING_NOT_NAMED,     /* and there are rules for users only */
	FINDING_NO_MEMBER,     /* nor named */
	FINDING_NOT_SEEN,      /* the same, as far as their token shows */
	FINDING_NO_TOKEN,      /* of the instance, to ask GitHub with */
	FINDING_TOKEN_REFUSED, /* the person's */
	FINDING_NO_RULES,      /* so GitHub is not asked about tokens */
	/* Not looked into. */
	FINDING_TOO_MANY,
	FINDING_FAILURES,
	FINDING_ALLOWED,
	FINDING_COUNT
};

/* "read-only team ORG/SLUG" */
#define FINDING_RULE_MAX (POLICY_ORG_MAX + POLICY_TEAM_MAX + 24)

struct finding {
	enum finding_kind kind;
	enum session_role role; /* if allowed */
	uint64_t github_id;	/* 0 and "" if nobody is known */
	char login[POLICY_LOGIN_MAX + 1];
	char rule[FINDING_RULE_MAX];
	uint32_t wait_ms; /* if limited */
};

/* For how long errors count, in milliseconds. */
#define FINDING_ERROR_MS 10000

/* How long it counts: in milliseconds, 0 for not at all. */
uint32_t finding_lifetime(const struct finding *, const struct authd_conf *);

/* Fill in all but lifetime_ms and fresh. */
void finding_verdict(const struct finding *, struct access_verdict *);

#endif
