#ifndef AUTHD_POLICY_H
#define AUTHD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/session.h"

/*
 * The rules of tetherd.conf: whom they name, and as what.  What membership
 * there is has to be found out elsewhere (access.h).
 */

struct authd_conf;

/* GitHub allows 39 characters; enterprise accounts have an underscore. */
#define POLICY_LOGIN_MAX 64
#define POLICY_ORG_MAX	 64
#define POLICY_TEAM_MAX	 100 /* of the slug */

enum policy_kind { POLICY_USER, POLICY_TEAM, POLICY_ORG };

/* One rule, in the order in which they count; zeroed before the first. */
struct policy_rule {
	enum policy_kind kind;
	enum session_role role;
	char login[POLICY_LOGIN_MAX + 1]; /* of a user rule */
	char org[POLICY_ORG_MAX + 1];	  /* of the other two */
	char team[POLICY_TEAM_MAX + 1];	  /* of a team rule */
	size_t next;			  /* where the next one is; internal */
	bool started;
};

/*
 * The next rule: users, then teams, then orgs, and of each kind those for
 * the role full first.  False after the last one.
 */
bool policy_next(const struct authd_conf *, struct policy_rule *);

/* Whether there is any; without one all whom the orchestrator names may in. */
bool policy_has_rules(const struct authd_conf *);

/* Whether there are teams or orgs, of which only GitHub knows the members. */
bool policy_asks_github(const struct authd_conf *);

/* Whether a users rule of any role names the login; *rule is the first. */
bool policy_find_user(
    const struct authd_conf *, const char *login, struct policy_rule *rule);

/* "users", "team acme/staff", "read-only org acme": as the operator knows it. */
void policy_describe(const struct policy_rule *, char *dst, size_t size);

/*
 * Letters, digits, hyphens and underscores, at most POLICY_LOGIN_MAX: what
 * can be a GitHub login.  Nothing else gets near a query or a URL.
 */
bool policy_login_is_valid(const char *login);

/* Fits a GitHub id, and SQLite's signed integers. */
bool policy_id_is_valid(uint64_t github_id);

#endif
