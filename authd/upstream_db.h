#ifndef AUTHD_UPSTREAM_DB_H
#define AUTHD_UPSTREAM_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "authd/database.h"

/*
 * The upstream's own user database, shared with its running server.  Its
 * schema is taken as it is; of its rows only those of "users" are ever
 * written.  All functions return DB_FAILED when the database is not
 * usable, and log why.
 */

#define UPSTREAM_NAME_MAX 256

struct upstream_db {
	struct database db;
	bool has_github_id; /* columns of the users table */
	bool has_onboarding;
};

struct upstream_user {
	int64_t id;
	char name[UPSTREAM_NAME_MAX];
	bool active;
	bool claimed;	    /* the row itself names a GitHub id: */
	uint64_t github_id; /* this one, or 0 for what is no id */
};

/* Opens nothing yet.  Fatal without memory. */
void upstream_db_init(struct upstream_db *, const char *path);
void upstream_db_free(struct upstream_db *);

/* Have the database open and its columns known; before all that follow. */
enum db_result upstream_db_open(struct upstream_db *);

/* A short transaction that keeps the upstream's server from writing. */
enum db_result upstream_db_begin(struct upstream_db *);
enum db_result upstream_db_commit(struct upstream_db *);
void upstream_db_rollback(struct upstream_db *);

/*
 * Look a user up: by the row's id; by the GitHub id that the row names,
 * where there is such a column; by name, which compares as the upstream's
 * UNIQUE constraint does; or the first one that is active.  DB_OK or DB_NONE.
 */
enum db_result upstream_db_get(
    struct upstream_db *, int64_t id, struct upstream_user *);
enum db_result upstream_db_find_github(
    struct upstream_db *, uint64_t github_id, struct upstream_user *);
enum db_result upstream_db_find_name(
    struct upstream_db *, const char *name, struct upstream_user *);
enum db_result upstream_db_find_active(
    struct upstream_db *, struct upstream_user *);

/*
 * Write a GitHub id into a row that names none; does nothing where there
 * is no such column.  DB_OK or DB_TAKEN.
 */
enum db_result upstream_db_bind(
    struct upstream_db *, int64_t id, uint64_t github_id);

/*
 * Create a user whom no password lets in, with a GitHub id of 0 one without.
 * DB_TAKEN if the name or the GitHub id is.
 */
enum db_result upstream_db_create(struct upstream_db *, const char *name,
    uint64_t github_id, struct upstream_user *);

/* Note that the user has logged in now; waits only little for locks. */
enum db_result upstream_db_touch(struct upstream_db *, int64_t id);

/*
 * Read a value of app_config: DB_OK, DB_NONE if the key is not there (or
 * its value empty or too long for value), DB_MISSING if the table is not.
 */
enum db_result upstream_db_config(
    struct upstream_db *, const char *key, char *value, size_t size);

/*
 * A well-formed bcrypt hash of nothing: no password is known to match.
 */
#define UPSTREAM_HASH_SIZE 61
void upstream_db_hash(char hash[UPSTREAM_HASH_SIZE]);

#endif
