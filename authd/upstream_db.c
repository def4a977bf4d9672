#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "authd/upstream_db.h"

static enum db_result upstream_db_columns(struct upstream_db *);
static sqlite3_stmt *upstream_db_select(
    struct upstream_db *, const char *, const char *);
static enum db_result upstream_db_row(
    struct upstream_db *, sqlite3_stmt *, struct upstream_user *);
static enum db_result upstream_db_read_config(
    struct upstream_db *, const char *, char *, size_t);
static void bind_github_id(sqlite3_stmt *, int, uint64_t);

void
upstream_db_init(struct upstream_db *u, const char *path)
{
	memset(u, 0, sizeof(*u));
	database_init(&u->db, path, "user database");
	u->db.foreign = true;
}

void
upstream_db_free(struct upstream_db *u)
{
	database_free(&u->db);
}

enum db_result
upstream_db_open(struct upstream_db *u)
{
	if (database_open(&u->db) != DB_OK)
		return DB_FAILED;
	database_patience(&u->db, DATABASE_WAIT);
	return upstream_db_columns(u);
}

/*
 * Asked each time: an upgrade of the upstream adds columns to a database
 * that stays open, and the answer comes from memory.
 */
static enum db_result
upstream_db_columns(struct upstream_db *u)
{
	sqlite3_stmt *stmt;
	enum db_result result;
	const char *name;
	int needed = 0;

	u->has_github_id = u->has_onboarding = false;
	stmt = database_prepare(&u->db, "PRAGMA table_info(users)");
	while ((result = database_step(&u->db, stmt)) == DB_OK) {
		name = (const char *)sqlite3_column_text(stmt, 1);
		if (name == NULL)
			continue;
		if (strcmp(name, "id") == 0 || strcmp(name, "username") == 0 ||
		    strcmp(name, "password_hash") == 0 ||
		    strcmp(name, "last_login") == 0 ||
		    strcmp(name, "is_active") == 0)
			needed++;
		u->has_github_id |= strcmp(name, "github_id") == 0;
		u->has_onboarding |=
		    strcmp(name, "has_completed_onboarding") == 0;
	}
	(void)sqlite3_finalize(stmt);
	if (result == DB_FAILED)
		return DB_FAILED;
	if (needed == 5)
		return DB_OK;
	trouble_report(&u->db.trouble,
	    "user database %s: no users table as the web app makes it%s",
	    u->db.path, needed == 0 ? " (yet)" : "; columns are missing");
	return DB_FAILED;
}

enum db_result
upstream_db_begin(struct upstream_db *u)
{
	database_patience(&u->db, DATABASE_WAIT);
	return database_exec(&u->db, "BEGIN IMMEDIATE");
}

enum db_result
upstream_db_commit(struct upstream_db *u)
{
	return database_exec(&u->db, "COMMIT");
}

void
upstream_db_rollback(struct upstream_db *u)
{
	database_rollback(&u->db);
}

enum db_result
upstream_db_get(struct upstream_db *u, int64_t id, struct upstream_user *user)
{
	sqlite3_stmt *stmt = upstream_db_select(u, "id", "");

	if (stmt != NULL)
		(void)sqlite3_bind_int64(stmt, 1, id);
	return upstream_db_row(u, stmt, user);
}

enum db_result
upstream_db_find_github(
    struct upstream_db *u, uint64_t github_id, struct upstream_user *user)
{
	sqlite3_stmt *stmt;

	if (!u->has_github_id)
		return DB_NONE;
	stmt = upstream_db_select(u, "github_id", " ORDER BY id LIMIT 1");
	if (stmt != NULL)
		bind_github_id(stmt, 1, github_id);
	return upstream_db_row(u, stmt, user);
}

enum db_result
upstream_db_find_name(
    struct upstream_db *u, const char *name, struct upstream_user *user)
{
	sqlite3_stmt *stmt = upstream_db_select(u, "username", "");

	if (stmt != NULL)
		(void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	return upstream_db_row(u, stmt, user);
}

enum db_result
upstream_db_find_active(struct upstream_db *u, struct upstream_user *user)
{
	sqlite3_stmt *stmt =
	    upstream_db_select(u, "is_active", " ORDER BY id LIMIT 1");

	if (stmt != NULL)
		(void)sqlite3_bind_int(stmt, 1, 1);
	return upstream_db_row(u, stmt, user);
}

/* column and tail are ours: no name from outside is ever part of SQL. */
static sqlite3_stmt *
upstream_db_select(struct upstream_db *u, const char *column, const char *tail)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT id, username, is_active = 1, %s FROM users WHERE %s = ?1%s",
	    u->has_github_id ? "github_id" : "NULL", column, tail);
	return database_prepare(&u->db, sql);
}

/* Finalizes the statement. */
static enum db_result
upstream_db_row(
    struct upstream_db *u, sqlite3_stmt *stmt, struct upstream_user *user)
{
	enum db_result result = database_step(&u->db, stmt);
	const char *claim;

	if (result != DB_OK)
		goto out;
	memset(user, 0, sizeof(*user));
	user->id = sqlite3_column_int64(stmt, 0);
	user->active = sqlite3_column_int(stmt, 2) == 1;
	claim = (const char *)sqlite3_column_text(stmt, 3);
	user->claimed = claim != NULL && claim[0] != '\0';
	/* Not strtonum's business: what is no number is nobody's id. */
	if (user->claimed && strspn(claim, "0123456789") == strlen(claim))
		user->github_id = (uint64_t)strtonum(claim, 1, INT64_MAX, NULL);
	if (!database_text(stmt, 1, user->name, sizeof(user->name))) {
		trouble_report(&u->db.trouble,
		    "user database %s: user %" PRId64 " has no usable name",
		    u->db.path, user->id);
		result = DB_FAILED;
	}
out:
	(void)sqlite3_finalize(stmt);
	return result;
}

enum db_result
upstream_db_bind(struct upstream_db *u, int64_t id, uint64_t github_id)
{
	sqlite3_stmt *stmt;

	if (!u->has_github_id)
		return DB_OK;
	stmt = database_prepare(&u->db,
	    "UPDATE users SET github_id = ?2 WHERE id = ?1 "
	    "AND (github_id IS NULL OR github_id = '')");
	if (stmt != NULL) {
		(void)sqlite3_bind_int64(stmt, 1, id);
		bind_github_id(stmt, 2, github_id);
	}
	return database_finish(&u->db, stmt);
}

enum db_result
upstream_db_create(struct upstream_db *u, const char *name, uint64_t github_id,
    struct upstream_user *user)
{
	char sql[160], hash[UPSTREAM_HASH_SIZE];
	enum db_result result;
	sqlite3_stmt *stmt;

	upstream_db_hash(hash);
	(void)snprintf(sql, sizeof(sql),
	    "INSERT INTO users (username, password_hash%s%s) "
	    "VALUES (?1, ?2%s%s)",
	    u->has_onboarding ? ", has_completed_onboarding" : "",
	    u->has_github_id ? ", github_id" : "",
	    u->has_onboarding ? ", 1" : "", u->has_github_id ? ", ?3" : "");
	stmt = database_prepare(&u->db, sql);
	if (stmt != NULL) {
		(void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(stmt, 2, hash, -1, SQLITE_STATIC);
		if (u->has_github_id)
			bind_github_id(stmt, 3, github_id);
	}
	result = database_finish(&u->db, stmt);
	if (result != DB_OK)
		return result;
	return upstream_db_get(
	    u, sqlite3_last_insert_rowid(u->db.handle), user);
}

enum db_result
upstream_db_touch(struct upstream_db *u, int64_t id)
{
	sqlite3_stmt *stmt;

	database_patience(&u->db, DATABASE_WAIT_LITTLE);
	stmt = database_prepare(&u->db,
	    "UPDATE users SET last_login = CURRENT_TIMESTAMP WHERE id = ?1");
	if (stmt != NULL)
		(void)sqlite3_bind_int64(stmt, 1, id);
	return database_finish(&u->db, stmt);
}

enum db_result
upstream_db_config(
    struct upstream_db *u, const char *key, char *value, size_t size)
{
	sqlite3_stmt *stmt;
	enum db_result result;

	stmt = database_prepare(&u->db,
	    "SELECT 1 FROM sqlite_schema "
	    "WHERE type = 'table' AND name = 'app_config'");
	result = database_step(&u->db, stmt);
	(void)sqlite3_finalize(stmt);
	if (result != DB_OK)
		return result == DB_NONE ? DB_MISSING : result;
	return upstream_db_read_config(u, key, value, size);
}

static enum db_result
upstream_db_read_config(
    struct upstream_db *u, const char *key, char *value, size_t size)
{
	sqlite3_stmt *stmt;
	enum db_result result;

	stmt = database_prepare(
	    &u->db, "SELECT value FROM app_config WHERE key = ?1");
	if (stmt != NULL)
		(void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	result = database_step(&u->db, stmt);
	if (result == DB_OK &&
	    (!database_text(stmt, 0, value, size) || value[0] == '\0'))
		result = DB_NONE;
	(void)sqlite3_finalize(stmt);
	return result;
}

void
upstream_db_hash(char hash[UPSTREAM_HASH_SIZE])
{
	static const char prefix[] = "$2b$12$";
	static const char digits[] =
	    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789";
	const size_t start = sizeof(prefix) - 1;
	uint8_t random[UPSTREAM_HASH_SIZE];
	size_t i;

	arc4random_buf(random, sizeof(random));
	/*
	 * 22 digits hold 16 bytes of salt and 31 hold 23 of hash: the last
	 * one of each has bits to spare, which are zero in real hashes.
	 */
	random[start + 21] &= 0x30;
	random[UPSTREAM_HASH_SIZE - 2] &= 0x3c;
	memcpy(hash, prefix, start);
	for (i = start; i < UPSTREAM_HASH_SIZE - 1; i++)
		hash[i] = digits[random[i] & 0x3f];
	hash[UPSTREAM_HASH_SIZE - 1] = '\0';
	explicit_bzero(random, sizeof(random));
}

static void
bind_github_id(sqlite3_stmt *stmt, int parameter, uint64_t github_id)
{
	char text[24];

	/* Left NULL, which is nobody's. */
	if (github_id == 0)
		return;
	/* The column is text, with the id in decimal. */
	(void)snprintf(text, sizeof(text), "%" PRIu64, github_id);
	(void)sqlite3_bind_text(stmt, parameter, text, -1, SQLITE_TRANSIENT);
}
