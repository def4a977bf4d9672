#include <sys/stat.h>

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "authd/database.h"
#include "common/log.h"

/* While another process holds a lock. */
#define LOOK_AGAIN_MS 2

/* How many of SQLite's instructions are run before the time is looked at. */
#define PROGRESS 1000

/* What all of SQLite may take: other people's schemas might want any amount. */
#define MEMORY_MAX (64 * 1024 * 1024)

static bool database_is_current(struct database *, const struct stat *);
static int database_harden(sqlite3 *);
static int database_is_late(void *);
static void database_start_clock(struct database *);
static enum db_result database_error(struct database *, int);
static const char *database_advice(int);

/* What SQLite is done with is wiped: it may have been a secret. */
static void *
memory_new(int size)
{
	return malloc((size_t)size);
}

static void
memory_free(void *p)
{
	if (p != NULL)
		freezero(p, malloc_usable_size(p));
}

static int
memory_size(void *p)
{
	return (int)malloc_usable_size(p);
}

static void *
memory_resize(void *p, int size)
{
	size_t old = malloc_usable_size(p);
	void *to;

	if ((size_t)size <= old)
		return p;
	if ((to = malloc((size_t)size)) == NULL)
		return NULL;
	memcpy(to, p, old);
	memory_free(p);
	return to;
}

static int
memory_round(int size)
{
	return (size + 7) & ~7;
}

static int
memory_init(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void
memory_finish(void *unused)
{
	(void)unused;
}

int
database_start(void)
{
	static const sqlite3_mem_methods methods = {
		.xMalloc = memory_new,
		.xFree = memory_free,
		.xRealloc = memory_resize,
		.xSize = memory_size,
		.xRoundup = memory_round,
		.xInit = memory_init,
		.xShutdown = memory_finish,
	};
	static bool started;
	uint8_t byte;

	/* Later they are refused. */
	if (!started &&
	    (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK ||
		sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK))
		return -1;
	started = true;
	if (sqlite3_initialize() != SQLITE_OK)
		return -1;
	(void)sqlite3_hard_heap_limit64(MEMORY_MAX);
	/* Out of reach later, /dev/urandom would be replaced by the time. */
	sqlite3_randomness(sizeof(byte), &byte);
	return 0;
}

static struct {
	database_may_open may_open;
	void *arg;
} guard;

void
database_guard(database_may_open may_open, void *arg)
{
	guard.may_open = may_open;
	guard.arg = arg;
}

bool
database_is_allowed(const struct database *db, const struct stat *st)
{
	return guard.may_open == NULL ||
	       guard.may_open(guard.arg, db->path, st);
}

void
database_init(struct database *db, const char *path, const char *what)
{
	memset(db, 0, sizeof(*db));
	db->what = what;
	if ((db->path = strdup(path)) == NULL)
		fatal("strdup");
}

void
database_close(struct database *db)
{
	/* Statements never outlive the function that prepared them. */
	if (db->handle != NULL && sqlite3_close(db->handle) != SQLITE_OK)
		log_warnx("%s: a statement was left open", db->what);
	db->handle = NULL;
	db->failed = false;
}

void
database_forget(struct database *db)
{
	if (db->handle != NULL)
		(void)sqlite3_db_release_memory(db->handle);
}

void
database_free(struct database *db)
{
	database_close(db);
	free(db->path);
	db->path = NULL;
}

enum db_result
database_open(struct database *db)
{
	struct stat st;
	int error;

	if (stat(db->path, &st) == -1) {
		error = errno;
		database_close(db);
		(void)database_is_allowed(db, NULL);
		trouble_report(&db->trouble, "%s %s: %s", db->what, db->path,
		    error == ENOENT ? "does not exist (yet)" : strerror(error));
		return DB_FAILED;
	}
	if (database_is_current(db, &st))
		return DB_OK;
	database_close(db);
	if (!database_is_allowed(db, &st))
		return DB_FAILED;
	/* Opening something else might block, or have side effects. */
	if (!S_ISREG(st.st_mode)) {
		trouble_report(&db->trouble, "%s %s: not a regular file",
		    db->what, db->path);
		return DB_FAILED;
	}
	error = sqlite3_open_v2(db->path, &db->handle,
	    (db->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
		SQLITE_OPEN_EXRESCODE,
	    NULL);
	if (error == SQLITE_OK && db->foreign) {
		database_start_clock(db);
		sqlite3_progress_handler(
		    db->handle, PROGRESS, database_is_late, db);
	}
	if (error == SQLITE_OK)
		error = database_harden(db->handle);
	if (error != SQLITE_OK) {
		(void)database_error(db, error);
		database_close(db);
		return DB_FAILED;
	}
	/* If it was replaced since the stat(), the next use will notice. */
	db->dev = st.st_dev;
	db->ino = st.st_ino;
	db->generation++;
	database_patience(db, DATABASE_WAIT);
	return DB_OK;
}

static bool
database_is_current(struct database *db, const struct stat *st)
{
	return db->handle != NULL && !db->failed && db->dev == st->st_dev &&
	       db->ino == st->st_ino;
}

/*
 * The schema is another program's: it must not make us run its functions,
 * and nothing we say may touch more than rows.
 */
static int
database_harden(sqlite3 *handle)
{
	static const struct {
		int option;
		int value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	};
	static const struct {
		int limit;
		int value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, 1024 * 1024 },
		{ SQLITE_LIMIT_SQL_LENGTH, 256 * 1024 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 8 },
	};
	size_t i;
	int error, value;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		error = sqlite3_db_config(
		    handle, options[i].option, options[i].value, &value);
		if (error != SQLITE_OK || value != options[i].value)
			return error != SQLITE_OK ? error : SQLITE_ERROR;
	}
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)sqlite3_limit(handle, limits[i].limit, limits[i].value);
	/* Temporary files would need a directory that the sandbox knows. */
	return sqlite3_exec(
	    handle, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
}

/*
 * SQLite's own way to wait looks again ever less often, in the end ten times
 * in a second: who writes all the time leaves gaps that it would not find.
 */
static int
database_on_busy(void *arg, int count)
{
	struct database *db = arg;
	int64_t now = trouble_clock();

	if (count == 0)
		db->until_ms = now + db->patience_ms;
	if (now >= db->until_ms)
		return 0;
	(void)sqlite3_sleep(LOOK_AGAIN_MS);
	return 1;
}

static bool
database_is_impatient(const struct database *db)
{
	return trouble_clock() < db->impatient_ms;
}

void
database_patience(struct database *db, int wait)
{
	if (database_is_impatient(db))
		wait = 0;
	db->patience_ms = wait;
	(void)sqlite3_busy_handler(db->handle, database_on_busy, db);
}

/* Called by SQLite, which ends the statement if it is not 0. */
static int
database_is_late(void *arg)
{
	const struct database *db = arg;

	return trouble_clock() >= db->late_ms;
}

/* A view or a trigger of the upstream's could go on for ever. */
static void
database_start_clock(struct database *db)
{
	db->late_ms =
	    trouble_clock() +
	    (database_is_impatient(db) ? DATABASE_WAIT_LITTLE : DATABASE_RUN);
}

struct sqlite3_stmt *
database_prepare(struct database *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int error;

	database_start_clock(db);
	error = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
	if (error != SQLITE_OK)
		(void)database_error(db, error);
	return stmt;
}

enum db_result
database_step(struct database *db, struct sqlite3_stmt *stmt)
{
	int error;

	if (stmt == NULL)
		return DB_FAILED;
	switch (error = sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return DB_OK;
	case SQLITE_DONE:
		return DB_NONE;
	case SQLITE_CONSTRAINT_UNIQUE:
		return DB_TAKEN;
	default:
		return database_error(db, error);
	}
}

enum db_result
database_finish(struct database *db, struct sqlite3_stmt *stmt)
{
	enum db_result result = database_step(db, stmt);

	(void)sqlite3_finalize(stmt);
	return result == DB_NONE ? DB_OK : result;
}

enum db_result
database_exec(struct database *db, const char *sql)
{
	int error;

	database_start_clock(db);
	error = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return error == SQLITE_OK ? DB_OK : database_error(db, error);
}

void
database_rollback(struct database *db)
{
	/* Some errors have rolled it back already. */
	if (db->handle != NULL && !sqlite3_get_autocommit(db->handle))
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool
database_text(struct sqlite3_stmt *stmt, int column, char *dst, size_t size)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(stmt, column);

	if (text == NULL || len >= size || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(dst, text, len);
	dst[len] = '\0';
	return true;
}

static enum db_result
database_error(struct database *db, int error)
{
	const char *advice = database_advice(error & 0xff);

	if ((error & 0xff) == SQLITE_BUSY &&
	    db->patience_ms == DATABASE_WAIT_LITTLE)
		return DB_FAILED;
	trouble_report(&db->trouble, "%s %s: %s%s", db->what, db->path,
	    db->handle != NULL ? sqlite3_errmsg(db->handle)
			       : sqlite3_errstr(error),
	    advice);
	/* These pass; anything else may need a fresh look at the file. */
	if ((error & 0xff) == SQLITE_BUSY || (error & 0xff) == SQLITE_INTERRUPT)
		db->impatient_ms = trouble_clock() + DATABASE_IMPATIENT;
	else
		db->failed = true;
	return DB_FAILED;
}

static const char *
database_advice(int error)
{
	switch (error) {
	case SQLITE_BUSY:
		return "; another program holds it for long";
	case SQLITE_INTERRUPT:
		return "; it takes too long: are its tables the web app's?";
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return "; check the owner and mode of the file and its "
		       "directory";
	case SQLITE_FULL:
	case SQLITE_IOERR:
		return "; check the disk and the room on it";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "; restore it from a copy or move it away";
	default:
		return "";
	}
}
