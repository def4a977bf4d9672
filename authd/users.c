#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "authd/handles.h"
#include "authd/tether_db.h"
#include "authd/users.h"
#include "common/session.h"

static enum db_result users_count(struct tether_db *, uint64_t *);
static void user_read(sqlite3_stmt *, struct admin_user *);
static void text_read(sqlite3_stmt *, int, char *, size_t);
static sqlite3_stmt *find_prepare(struct tether_db *, const char *);
static enum db_result user_change(
    struct tether_db *, uint64_t, const char *, const char *, bool);

enum db_result
users_list(struct tether_db *t, size_t max, time_t now,
    void (*each)(void *arg, const struct admin_user *), void *arg,
    uint64_t *total)
{
	struct admin_user user;
	enum db_result result;
	sqlite3_stmt *stmt;

	*total = 0;
	if (tether_db_open(t) != DB_OK || users_count(t, total) != DB_OK)
		return DB_FAILED;
	stmt = database_prepare(&t->db,
	    "SELECT github_id, login, upstream_user_name, role, disabled,"
	    " created_at, last_seen, (SELECT count(*) FROM handles AS h"
	    "  WHERE h.github_id = i.github_id AND h.used_at > ?2)"
	    " FROM identities AS i ORDER BY last_seen DESC, github_id LIMIT ?1");
	if (stmt != NULL) {
		(void)sqlite3_bind_int64(stmt, 1, (int64_t)max);
		(void)sqlite3_bind_int64(stmt, 2, now - HANDLES_TIMEOUT);
	}
	while ((result = database_step(&t->db, stmt)) == DB_OK) {
		user_read(stmt, &user);
		each(arg, &user);
	}
	(void)sqlite3_finalize(stmt);
	return result == DB_NONE ? DB_OK : result;
}

static enum db_result
users_count(struct tether_db *t, uint64_t *total)
{
	sqlite3_stmt *stmt =
	    database_prepare(&t->db, "SELECT count(*) FROM identities");
	enum db_result result = database_step(&t->db, stmt);

	if (result == DB_OK)
		*total = (uint64_t)sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return result;
}

static void
user_read(sqlite3_stmt *stmt, struct admin_user *user)
{
	char role[32];

	memset(user, 0, sizeof(*user));
	user->github_id = (uint64_t)sqlite3_column_int64(stmt, 0);
	text_read(stmt, 1, user->login, sizeof(user->login));
	text_read(stmt, 2, user->user_name, sizeof(user->user_name));
	text_read(stmt, 3, role, sizeof(role));
	user->has_role = session_role_find(role) != SESSION_ROLE_COUNT;
	if (user->has_role)
		user->role = session_role_find(role);
	user->disabled = sqlite3_column_int(stmt, 4) != 0;
	user->created_at = (uint64_t)sqlite3_column_int64(stmt, 5);
	user->last_seen = (uint64_t)sqlite3_column_int64(stmt, 6);
	user->handles = (uint32_t)sqlite3_column_int64(stmt, 7);
}

/* What was never written by us is shown as nothing. */
static void
text_read(sqlite3_stmt *stmt, int column, char *dst, size_t size)
{
	if (!database_text(stmt, column, dst, size))
		dst[0] = '\0';
}

enum db_result
users_find(struct tether_db *t, const char *whom, struct users_person *person,
    uint64_t *count)
{
	enum db_result result;
	sqlite3_stmt *stmt;

	*count = 0;
	if (tether_db_open(t) != DB_OK)
		return DB_FAILED;
	stmt = find_prepare(t, whom);
	while ((result = database_step(&t->db, stmt)) == DB_OK) {
		++*count;
		person->github_id = (uint64_t)sqlite3_column_int64(stmt, 0);
		text_read(stmt, 1, person->login, sizeof(person->login));
	}
	(void)sqlite3_finalize(stmt);
	if (result == DB_NONE && *count > 0)
		result = *count == 1 ? DB_OK : DB_TAKEN;
	return result;
}

/*
 * Digits are an id, even if nobody has it: else somebody might take that
 * login to be mistaken for the owner of the id.
 */
static sqlite3_stmt *
find_prepare(struct tether_db *t, const char *whom)
{
	bool is_id =
	    whom[0] != '\0' && whom[strspn(whom, "0123456789")] == '\0';
	sqlite3_stmt *stmt = database_prepare(
	    &t->db, is_id ? "SELECT github_id, login FROM identities"
			    " WHERE github_id = ?1"
			  : "SELECT github_id, login FROM identities"
			    " WHERE login = ?1 COLLATE NOCASE");
	const char *why;
	long long id;

	if (stmt == NULL)
		return NULL;
	if (is_id) {
		/* What no id can be is left NULL, which is nobody's. */
		id = strtonum(whom, 1, INT64_MAX, &why);
		if (why == NULL)
			(void)sqlite3_bind_int64(stmt, 1, id);
	} else {
		(void)sqlite3_bind_text(stmt, 1, whom, -1, SQLITE_STATIC);
	}
	return stmt;
}

enum db_result
users_disable(struct tether_db *t, uint64_t github_id)
{
	return user_change(t, github_id,
	    "UPDATE identities SET disabled = 1 WHERE github_id = ?1", NULL,
	    true);
}

enum db_result
users_enable(struct tether_db *t, uint64_t github_id)
{
	return user_change(t, github_id,
	    "UPDATE identities SET disabled = 0 WHERE github_id = ?1", NULL,
	    false);
}

enum db_result
users_set_role(struct tether_db *t, uint64_t github_id, enum session_role role)
{
	return user_change(t, github_id,
	    "UPDATE identities SET role = ?2 WHERE github_id = ?1",
	    role == SESSION_ROLE_COUNT ? NULL : session_role_name(role), false);
}

/* All of it or nothing; a role of NULL is SQL's. */
static enum db_result
user_change(struct tether_db *t, uint64_t github_id, const char *sql,
    const char *role, bool revoke)
{
	enum db_result result;
	sqlite3_stmt *stmt;

	if (tether_db_open(t) != DB_OK)
		return DB_FAILED;
	result = database_exec(&t->db, "BEGIN IMMEDIATE");
	if (result == DB_OK) {
		stmt = database_prepare(&t->db, sql);
		if (stmt != NULL) {
			(void)sqlite3_bind_int64(stmt, 1, (int64_t)github_id);
			(void)sqlite3_bind_text(
			    stmt, 2, role, -1, SQLITE_STATIC);
		}
		result = database_finish(&t->db, stmt);
	}
	if (result == DB_OK && revoke)
		result = handles_revoke(t, github_id);
	if (result == DB_OK)
		result = database_exec(&t->db, "COMMIT");
	if (result == DB_OK)
		trouble_over(&t->db.trouble, t->db.what);
	else
		database_rollback(&t->db);
	return result;
}
