#ifndef AUTHD_IDENTITY_H
#define AUTHD_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "authd/tether_db.h"
#include "authd/upstream_db.h"
#include "common/session.h"

/*
 * Which user of the upstream a GitHub user is, and which one the instance
 * itself: the one of the name SESSION_SERVICE_LOGIN, which no GitHub user
 * gets, or orch_0_... of it where that one is somebody's.  To watch it goes as
 * the first active one where it has none, and writes nothing anywhere.
 */

/* Who asks, and in what; filled in by the caller. */
struct identity_query {
	struct upstream_db *upstream;
	struct tether_db *tether;
	uint64_t github_id;
	const char *login; /* policy_login_is_valid() */
	time_t now;
	bool adopt; /* the user of that login, if it is nobody's */
	/* The instance itself, with the id 0 and its own login: */
	bool is_service;
	bool is_watching; /* only to watch; adopt says nothing */
};

struct identity {
	int64_t user_id;
	char user_name[UPSTREAM_NAME_MAX];
	bool has_role; /* that the operator gave: */
	enum session_role role;
};

/* How often identity_find() did something worth a line in the log. */
struct identity_counts {
	unsigned long created;
	unsigned long bound;
};

/* For the person: strings that live for ever, "" where there is none. */
struct identity_why {
	const char *reason;
	const char *advice; /* what to ask the operator for */
};

/*
 * Find the upstream user, bind one or create one; *why says what is in the
 * way if it is not SESSION_OK.  Both databases are open afterwards if it is.
 */
enum session_status identity_find(const struct identity_query *,
    struct identity *, struct identity_counts *, struct identity_why *why);

/*
 * True if what identity_find() said a while ago still holds; false if it
 * does not, or that cannot be found out.
 */
bool identity_is_current(
    const struct identity_query *, const struct identity *);

/*
 * Note the login's time in both databases, if they can be written to; that
 * somebody watches is no login.
 */
enum db_result identity_seen(
    const struct identity_query *, const struct identity *);

#endif
