#ifndef AUTHD_MEMBERSHIP_ANSWER_H
#define AUTHD_MEMBERSHIP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "authd/policy.h"

/*
 * What GitHub's answers about a person say.  Each counts only if it is all
 * that it should be; GitHub's own words are in its REST API's reference,
 * "Users", "Team members" and "Organization members".
 */

struct github_answer;

/* Organizations on a page that we ask for. */
#define ANSWER_PAGE_MAX 100

enum answer_word {
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_FORBIDDEN, /* to ask, with that token */
	ANSWER_STATUS,	  /* none that says anything */
	ANSWER_WRONG	  /* not what an answer looks like */
};

struct answer_person {
	uint64_t github_id; /* 0 if the answer names nobody */
	char login[POLICY_LOGIN_MAX + 1];
};

/* To /user and /users/LOGIN: yes with the person, or no such person. */
enum answer_word answer_read_person(
    const struct github_answer *, struct answer_person *);

/*
 * To a question for the membership of a login in an org, or in a team of it:
 * yes if it is active.  Whom it names is told, and has that login.
 */
enum answer_word answer_read_membership(const struct github_answer *,
    const char *org, const char *login, struct answer_person *);

/* To /user/orgs, a page of it: whether the org is among them. */
enum answer_word answer_read_orgs(
    const struct github_answer *, const char *org);

#endif
