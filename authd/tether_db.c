#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "authd/state_folder.h"
#include "authd/tether_db.h"
#include "common/log.h"

/*
 * Step n takes a database from PRAGMA user_version n to n + 1.  Steps that
 * were released are never changed, only added to.
 */
static const char *const migrations[] = {
	"CREATE TABLE identities ("
	" github_id INTEGER PRIMARY KEY CHECK (github_id > 0),"
	" login TEXT NOT NULL,"
	" upstream_user_id INTEGER,"
	" upstream_user_name TEXT,"
	" role TEXT NOT NULL DEFAULT 'full',"
	" disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),"
	" created_at INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL,"
	" CHECK ((upstream_user_id IS NULL) = (upstream_user_name IS NULL))"
	") STRICT;"
	"CREATE UNIQUE INDEX identities_upstream_user"
	" ON identities (upstream_user_id, upstream_user_name);",

	/* Of a handle, which is a credential, only its SHA-256 is kept. */
	"CREATE TABLE handles ("
	" hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),"
	" github_id INTEGER NOT NULL"
	" REFERENCES identities (github_id) ON DELETE CASCADE,"
	" login TEXT NOT NULL,"
	" made_at INTEGER NOT NULL,"
	" used_at INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX handles_person ON handles (github_id, used_at);"
	"CREATE INDEX handles_use ON handles (used_at);",

	/* The role is the operator's: NULL for the one that the rules give. */
	"ALTER TABLE identities DROP COLUMN role;"
	"ALTER TABLE identities ADD COLUMN role TEXT"
	" CHECK (role IN ('full', 'read-only'));"
	"CREATE TABLE tokens ("
	" host TEXT NOT NULL PRIMARY KEY,"
	" client_id TEXT NOT NULL,"
	" token TEXT NOT NULL,"
	" granted_at INTEGER NOT NULL"
	") STRICT;",

	/* The user that the instance itself is: one row at most. */
	"CREATE TABLE service ("
	" id INTEGER PRIMARY KEY CHECK (id = 0),"
	" upstream_user_id INTEGER NOT NULL,"
	" upstream_user_name TEXT NOT NULL,"
	" created_at INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL"
	") STRICT;",
};

#define VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

static int tether_db_create(struct tether_db *);
static enum db_result tether_db_migrate(struct tether_db *);
static enum db_result tether_db_migrate_step(struct tether_db *, int);
static enum db_result tether_db_version(struct tether_db *, int *);
static bool tether_db_row(sqlite3_stmt *, struct tether_identity *);
static enum db_result tether_db_write(
    struct tether_db *, const struct tether_identity *, time_t);

void
tether_db_init(struct tether_db *t, const char *dir)
{
	char *path;

	memset(t, 0, sizeof(*t));
	if ((t->dir = strdup(dir)) == NULL ||
	    asprintf(&path, "%s/tether.db", dir) == -1)
		fatal("strdup");
	database_init(&t->db, path, "identity database");
	free(path);
}

void
tether_db_free(struct tether_db *t)
{
	database_free(&t->db);
	free(t->dir);
	t->dir = NULL;
}

enum db_result
tether_db_open(struct tether_db *t)
{
	if (access(t->db.path, F_OK) == -1 && tether_db_create(t) == -1)
		return DB_FAILED;
	if (database_open(&t->db) != DB_OK)
		return DB_FAILED;
	database_patience(&t->db, DATABASE_WAIT);
	if (t->ready == t->db.generation)
		return DB_OK;
	if (database_exec(&t->db, "PRAGMA foreign_keys = ON") != DB_OK ||
	    tether_db_migrate(t) != DB_OK)
		return DB_FAILED;
	t->ready = t->db.generation;
	return DB_OK;
}

/*
 * The file exists before SQLite opens it: so nobody else can read it, nor
 * its journals, which take its mode, whatever the umask.
 */
static int
tether_db_create(struct tether_db *t)
{
	int fd;

	database_close(&t->db);
	if (!database_is_allowed(&t->db, NULL))
		return -1;
	if (state_folder_make(t->dir) == -1) {
		trouble_report(&t->db.trouble, "can't create directory %s: %s",
		    t->dir, strerror(errno));
		return -1;
	}
	fd = open(t->db.path,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1) {
		trouble_report(&t->db.trouble, "can't create %s: %s",
		    t->db.path, strerror(errno));
		return -1;
	}
	(void)close(fd);
	log_infox("created %s", t->db.path);
	return 0;
}

static enum db_result
tether_db_migrate(struct tether_db *t)
{
	int version;

	do {
		if (tether_db_version(t, &version) != DB_OK)
			return DB_FAILED;
		if (version < 0 || version > VERSION) {
			trouble_report(&t->db.trouble,
			    "identity database %s: version %d, but this "
			    "program knows %d at most",
			    t->db.path, version, VERSION);
			return DB_FAILED;
		}
		if (version < VERSION &&
		    tether_db_migrate_step(t, version) != DB_OK) {
			database_rollback(&t->db);
			return DB_FAILED;
		}
	} while (version < VERSION);
	return DB_OK;
}

static enum db_result
tether_db_migrate_step(struct tether_db *t, int step)
{
	char sql[48];
	int version;

	if (database_exec(&t->db, "BEGIN IMMEDIATE") != DB_OK ||
	    tether_db_version(t, &version) != DB_OK)
		return DB_FAILED;
	/* Somebody else may have done it meanwhile. */
	if (version == step) {
		(void)snprintf(
		    sql, sizeof(sql), "PRAGMA user_version = %d", step + 1);
		if (database_exec(&t->db, migrations[step]) != DB_OK ||
		    database_exec(&t->db, sql) != DB_OK)
			return DB_FAILED;
	}
	return database_exec(&t->db, "COMMIT");
}

static enum db_result
tether_db_version(struct tether_db *t, int *version)
{
	sqlite3_stmt *stmt = database_prepare(&t->db, "PRAGMA user_version");
	enum db_result result = database_step(&t->db, stmt);

	if (result == DB_OK)
		*version = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return result;
}

enum db_result
tether_db_get(
    struct tether_db *t, uint64_t github_id, struct tether_identity *identity)
{
	sqlite3_stmt *stmt;
	enum db_result result;

	stmt = database_prepare(&t->db,
	    "SELECT github_id, login, upstream_user_id, upstream_user_name,"
	    " role, disabled FROM identities WHERE github_id = ?1");
	if (stmt != NULL)
		(void)sqlite3_bind_int64(stmt, 1, (int64_t)github_id);
	result = database_step(&t->db, stmt);
	if (result == DB_OK && !tether_db_row(stmt, identity)) {
		trouble_report(&t->db.trouble,
		    "identity database %s: GitHub id %llu: unknown role or "
		    "unusable name",
		    t->db.path, (unsigned long long)github_id);
		result = DB_FAILED;
	}
	(void)sqlite3_finalize(stmt);
	return result;
}

static bool
tether_db_row(sqlite3_stmt *stmt, struct tether_identity *identity)
{
	char role[32];

	memset(identity, 0, sizeof(*identity));
	identity->github_id = (uint64_t)sqlite3_column_int64(stmt, 0);
	identity->user_id = sqlite3_column_int64(stmt, 2);
	identity->disabled = sqlite3_column_int(stmt, 5) != 0;
	if (!database_text(stmt, 1, identity->login, sizeof(identity->login)))
		return false;
	if (sqlite3_column_type(stmt, 3) != SQLITE_NULL &&
	    !database_text(
		stmt, 3, identity->user_name, sizeof(identity->user_name)))
		return false;
	identity->has_role = sqlite3_column_type(stmt, 4) != SQLITE_NULL;
	if (!identity->has_role)
		return true;
	if (!database_text(stmt, 4, role, sizeof(role)))
		return false;
	identity->role = session_role_find(role);
	return identity->role != SESSION_ROLE_COUNT;
}

enum db_result
tether_db_is_bound(struct tether_db *t, int64_t user_id, const char *user_name,
    uint64_t github_id, bool *other)
{
	sqlite3_stmt *stmt;
	enum db_result result;

	stmt = database_prepare(&t->db,
	    "SELECT 1 FROM identities WHERE upstream_user_id = ?1"
	    " AND upstream_user_name = ?2 AND github_id <> ?3");
	if (stmt != NULL) {
		(void)sqlite3_bind_int64(stmt, 1, user_id);
		(void)sqlite3_bind_text(stmt, 2, user_name, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(stmt, 3, (int64_t)github_id);
	}
	result = database_step(&t->db, stmt);
	(void)sqlite3_finalize(stmt);
	*other = result == DB_OK;
	return result == DB_NONE ? DB_OK : result;
}

enum db_result
tether_db_bind(
    struct tether_db *t, const struct tether_identity *identity, time_t now)
{
	database_patience(&t->db, DATABASE_WAIT);
	if (database_exec(&t->db, "BEGIN IMMEDIATE") == DB_OK &&
	    tether_db_write(t, identity, now) == DB_OK &&
	    database_exec(&t->db, "COMMIT") == DB_OK)
		return DB_OK;
	database_rollback(&t->db);
	return DB_FAILED;
}

static enum db_result
tether_db_write(
    struct tether_db *t, const struct tether_identity *identity, time_t now)
{
	static const char *const sql[] = {
		"UPDATE identities SET upstream_user_id = NULL,"
		" upstream_user_name = NULL WHERE upstream_user_id = ?3"
		" AND upstream_user_name = ?4 AND github_id <> ?1",
		"DELETE FROM service WHERE upstream_user_id = ?3"
		" AND upstream_user_name = ?4",
		"INSERT INTO identities (github_id, login, upstream_user_id,"
		" upstream_user_name, created_at, last_seen)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?5)"
		" ON CONFLICT (github_id) DO UPDATE SET"
		" login = ?2, upstream_user_id = ?3,"
		" upstream_user_name = ?4, last_seen = ?5",
	};
	enum db_result result = DB_OK;
	sqlite3_stmt *stmt;
	size_t i;

	for (i = 0; i < 3 && result == DB_OK; i++) {
		stmt = database_prepare(&t->db, sql[i]);
		if (stmt != NULL) {
			(void)sqlite3_bind_int64(
			    stmt, 1, (int64_t)identity->github_id);
			(void)sqlite3_bind_int64(stmt, 3, identity->user_id);
			(void)sqlite3_bind_text(
			    stmt, 4, identity->user_name, -1, SQLITE_STATIC);
		}
		if (stmt != NULL && i == 2) {
			(void)sqlite3_bind_text(
			    stmt, 2, identity->login, -1, SQLITE_STATIC);
			(void)sqlite3_bind_int64(stmt, 5, now);
		}
		result = database_finish(&t->db, stmt);
	}
	return result;
}

enum db_result
tether_db_seen(
    struct tether_db *t, uint64_t github_id, const char *login, time_t now)
{
	sqlite3_stmt *stmt;

	database_patience(&t->db, DATABASE_WAIT_LITTLE);
	stmt = database_prepare(&t->db,
	    "UPDATE identities SET login = ?2, last_seen = ?3"
	    " WHERE github_id = ?1");
	if (stmt != NULL) {
		(void)sqlite3_bind_int64(stmt, 1, (int64_t)github_id);
		(void)sqlite3_bind_text(stmt, 2, login, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(stmt, 3, now);
	}
	return database_finish(&t->db, stmt);
}
