#ifndef AUTHD_HANDLES_H
#define AUTHD_HANDLES_H

#include <stdint.h>
#include <time.h>

#include "common/handle.h"

struct authd_conf;
struct tether_db;

/*
 * The handles of pages (common/handle.h): made here, and known again by
 * their hashes in tether.db, which outlive this process.
 */

/* How long one stays good without being used, in seconds. */
#define HANDLES_TIMEOUT 86400

/* The age, in seconds, at which the time of the last use is renewed. */
#define HANDLES_TOUCH 60

/* Beyond so many, those not used for the longest go. */
#define HANDLES_PER_PERSON 64
#define HANDLES_MAX	   4096

/* The pointers must outlive it; the rest starts from zeroes. */
struct handles {
	const struct authd_conf *conf;
	struct tether_db *tether;
	uint64_t made;
};

struct handle_owner {
	uint64_t github_id; /* 0 for nobody */
	char login[SESSION_LOGIN_MAX];
};

/*
 * Make a handle for a GitHub user at the time now.  Always fills in handle,
 * which the caller wipes: "" if policy does not let the user in, or does
 * not know or has disabled the user, or the database fails, which is logged.
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

#endif
