#ifndef AUTHD_TETHER_DB_H
#define AUTHD_TETHER_DB_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "authd/database.h"
#include "authd/upstream_db.h"
#include "common/session.h"

/*
 * Our own database, tether.db in the state directory: which GitHub id is
 * which user of the upstream, which one the instance itself is
 * (tether_service.h), the handles of people's pages (handles.h), and the
 * tokens of orchestrators (tokens.h).  Failures are logged and DB_FAILED.
 */

struct tether_db {
	struct database db;
	char *dir;
	uint64_t ready; /* the generation of db whose schema is checked */
};

/*
 * A binding names the upstream's user by id and name: ids start over when
 * the upstream's database is made anew.
 */
struct tether_identity {
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
	int64_t user_id; /* 0 for not bound */
	char user_name[UPSTREAM_NAME_MAX];
	/* What the operator said; not written by what follows. */
	bool has_role; /* else it is the one that the rules give */
	enum session_role role;
	bool disabled;
};

/* Opens nothing yet.  Fatal without memory. */
void tether_db_init(struct tether_db *, const char *dir);
void tether_db_free(struct tether_db *);

/*
 * Have the database open, created if need be with its directory (mode
 * 0700) and file (0600), and its schema up to date.
 */
enum db_result tether_db_open(struct tether_db *);

/* The identity of a GitHub id: DB_OK or DB_NONE. */
enum db_result tether_db_get(
    struct tether_db *, uint64_t github_id, struct tether_identity *);

/*
 * True in *other if the upstream's user is bound to a GitHub id that is
 * not this one.
 */
enum db_result tether_db_is_bound(struct tether_db *, int64_t user_id,
    const char *user_name, uint64_t github_id, bool *other);

/*
 * Bind identity->github_id to the user that it names, whoever else was bound
 * to that one, the instance itself included, and note the login and the time.
 */
enum db_result tether_db_bind(
    struct tether_db *, const struct tether_identity *, time_t now);

/* Note the login and the time of a known identity; waits only little. */
enum db_result tether_db_seen(
    struct tether_db *, uint64_t github_id, const char *login, time_t now);

#endif
