#ifndef AUTHD_DATABASE_H
#define AUTHD_DATABASE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "authd/trouble.h"

/*
 * A SQLite file that may be away, locked, replaced or broken at any time:
 * every failure is logged here, once, and the next use tries again.
 */

struct sqlite3;
struct sqlite3_stmt;
struct stat;

/*
 * How long to wait for another process's lock, in milliseconds.  Everybody
 * else waits meanwhile, so once it was in vain nobody waits for a while.
 */
#define DATABASE_WAIT	     1000
#define DATABASE_WAIT_LITTLE 100
#define DATABASE_IMPATIENT   2000

/*
 * How long a statement may take in a foreign database, in milliseconds, and
 * with DATABASE_WAIT in it; DATABASE_WAIT_LITTLE while nobody waits.
 */
#define DATABASE_RUN 2000

enum db_result {
	DB_OK,
	DB_NONE,    /* no such row */
	DB_TAKEN,   /* a uniqueness constraint refused it */
	DB_MISSING, /* no such table */
	DB_FAILED   /* logged, but for a lock that was waited for little */
};

struct database {
	char *path;
	const char *what; /* in log lines: "user database" */
	struct sqlite3 *handle;
	dev_t dev; /* of the file that is open */
	ino_t ino;
	bool failed; /* to be reopened before its next use */
	/* Set by the owner, before it is opened. */
	bool read_only;
	bool foreign;	      /* its schema is another program's */
	uint64_t generation;  /* counts openings */
	int64_t impatient_ms; /* no waiting before this time */
	int patience_ms;      /* for the next lock */
	int64_t until_ms;     /* the end of it, while waiting for one */
	int64_t late_ms;      /* no statement goes on after this one */
	struct trouble trouble;
};

/*
 * Make SQLite read all that it wants to read apart from databases, and wipe
 * the memory that it is done with.  Before SQLite is used for anything else,
 * and before the sandbox.  Returns 0, or -1.
 */
int database_start(void);

/*
 * Have somebody asked before a file is opened, for all databases: false, and
 * it is not.  The stat is NULL for a file that is not there.  NULL for nobody.
 */
typedef bool (*database_may_open)(
    void *arg, const char *path, const struct stat *);
void database_guard(database_may_open, void *arg);

/* Ask: for those who would make one. */
bool database_is_allowed(const struct database *, const struct stat *);

/* Prepare to use the file at path, which is copied.  Fatal without memory. */
void database_init(struct database *, const char *path, const char *what);

/* Close the file if it is open; it is opened again when needed. */
void database_close(struct database *);

/*
 * Wipe the copies of rows that SQLite keeps for the next time: to be called
 * after a secret was read.  After one was written only database_close() gets
 * at all of them.
 */
void database_forget(struct database *);

/* Close it and free what database_init() made. */
void database_free(struct database *);

/*
 * Have the file open, and not one that has been replaced since; it is
 * never created.  DB_OK or DB_FAILED.
 */
enum db_result database_open(struct database *);

/*
 * Have statements wait for locks up to wait milliseconds from now on, or
 * not at all while somebody seems to hold one for long.  DATABASE_WAIT_LITTLE
 * is for what can be left undone: that it was in vain says nothing.
 */
void database_patience(struct database *, int wait);

/* Prepare a statement; NULL after a failure. */
struct sqlite3_stmt *database_prepare(struct database *, const char *sql);

/*
 * Step a statement, which may be NULL (DB_FAILED): DB_OK if there is a
 * row, DB_NONE if it is done.
 */
enum db_result database_step(struct database *, struct sqlite3_stmt *);

/* Step a statement that returns no row to its end and finalize it. */
enum db_result database_finish(struct database *, struct sqlite3_stmt *);

/* Execute statements that return nothing of interest. */
enum db_result database_exec(struct database *, const char *sql);

/* Take back a transaction, if there is one. */
void database_rollback(struct database *);

/*
 * Copy a column of text into dst.  Returns false if it is NULL, longer
 * than size - 1 bytes, or contains a NUL.
 */
bool database_text(struct sqlite3_stmt *, int column, char *dst, size_t size);

#endif
