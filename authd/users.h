#ifndef AUTHD_USERS_H
#define AUTHD_USERS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "authd/database.h"
#include "common/admin.h"

/*
 * What the operator sees and says of people, in tether.db: all who ever came
 * in have a row there.  Each opens the database; DB_FAILED is logged.
 */

struct tether_db;

/* Somebody whom the operator named. */
struct users_person {
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
};

/*
 * Call each() for everybody, the most recently seen first, at most max times;
 * *total is how many there are.  Handles that nobody used for too long do not
 * count at the time now.
 */
enum db_result users_list(struct tether_db *, size_t max, time_t now,
    void (*each)(void *arg, const struct admin_user *), void *arg,
    uint64_t *total);

/*
 * Who is meant by a GitHub id (decimal; a login of digits only is none here)
 * or a login, in whatever case: DB_OK, DB_NONE, or DB_TAKEN and *count if so
 * many people have had that login.
 */
enum db_result users_find(struct tether_db *, const char *whom,
    struct users_person *, uint64_t *count);

/* Keep a person out, all handles of pages gone with it, or no more. */
enum db_result users_disable(struct tether_db *, uint64_t github_id);
enum db_result users_enable(struct tether_db *, uint64_t github_id);

/* Give a person a role, or with SESSION_ROLE_COUNT the one of the rules. */
enum db_result users_set_role(
    struct tether_db *, uint64_t github_id, enum session_role);

#endif
