#ifndef AUTHD_HANDLES_H
#define AUTHD_HANDLES_H

#include <stdint.h>
#include <time.h>

#include "authd/database.h"
#include "common/handle.h"

struct tether_db;

/*
 * The handles of pages (common/handle.h): made here, and known again by
 * their hashes in tether.db, which outlive this process.
 *
 * A handle says who somebody is, not what they may do: whether its person may
 * come in, and as what, proxyd asks with SESSION_GET before anything is done
 * in their name, as it does for one whom the orchestrator names.  So the
 * rules are not looked at here, and a handle from before they changed, or of
 * somebody who may only read, opens nothing that its person may not have.
 * Only whom the operator has disabled gets none, and loses those there are.
 */

/* How long one stays good without being used, in seconds. */
#define HANDLES_TIMEOUT 86400

/* The age, in seconds, at which the time of the last use is renewed. */
#define HANDLES_TOUCH 60

/* Beyond so many, those not used for the longest go. */
#define HANDLES_PER_PERSON 64
#define HANDLES_MAX	   4096

/* The database must outlive it; the rest starts from zeroes. */
struct handles {
	struct tether_db *tether;
	uint64_t made;
};

struct handle_owner {
	uint64_t github_id; /* 0 for nobody */
	char login[SESSION_LOGIN_MAX];
};

/*
 * Make a handle for a GitHub user at the time now.  Always fills in handle,
 * which the caller wipes: "" if the id or login cannot be one, the user is not
 * known or disabled, or the database fails, which is logged.
 */
void handles_make(struct handles *, uint64_t github_id, const char *login,
    time_t now, char handle[HANDLE_SIZE]);

/*
 * Whose handle it is, and note that it was used at the time now.  Always
 * fills in *owner: nobody for a string that is no handle (any more), for
 * one whose person would get none today, and when the database fails.
 */
void handles_check(const struct handles *, const char *handle, time_t now,
    struct handle_owner *owner);

/*
 * Make all handles of a person worthless: DB_OK or DB_FAILED.  The database
 * is open; a transaction of the caller's may be.
 */
enum db_result handles_revoke(struct tether_db *, uint64_t github_id);

#endif
