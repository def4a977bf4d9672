#ifndef TESTS_UNIT_AUTHD_FIXTURE_H
#define TESTS_UNIT_AUTHD_FIXTURE_H

#include <sys/socket.h>

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include "authd/database.h"
#include "authd/jwt.h"
#include "authd/vault.h"
#include "common/log.h"
#include "common/slice.h"

/*
 * A folder of its own for each test, with the upstream's database as one
 * of the three generations of the web app makes it, and the log lines
 * that were written.
 */

#define SECRET	  "a secret of the operator's own"
#define PUBLISHED "claude-ui-dev-secret-change-in-production"
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

#define USERS_BEGIN                                                    \
	"CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT,"    \
	" username TEXT UNIQUE NOT NULL, password_hash TEXT NOT NULL," \
	" created_at DATETIME DEFAULT CURRENT_TIMESTAMP,"              \
	" last_login DATETIME, is_active BOOLEAN DEFAULT 1"
#define USERS_NEW                                                           \
	", git_name TEXT, git_email TEXT, has_completed_onboarding BOOLEAN" \
	" DEFAULT 0"

enum schema { OLD, FORK, NEW, SCHEMA_COUNT };

static const char *const schemas[SCHEMA_COUNT] = {
	[OLD] = USERS_BEGIN ");",
	[FORK] = USERS_BEGIN USERS_NEW ", github_id TEXT UNIQUE);",
	[NEW] = USERS_BEGIN USERS_NEW
	");"
	"CREATE TABLE app_config (key TEXT PRIMARY KEY,"
	" value TEXT NOT NULL,"
	" created_at DATETIME DEFAULT CURRENT_TIMESTAMP);",
};

/* What is in them, and those of them a case is for. */
#define USER(id, name, active)                                       \
	"INSERT INTO users (id, username, password_hash, is_active)" \
	" VALUES (" id ", '" name "', 'x', " active ");"
#define FORK_USER(id, name, github_id)                               \
	"INSERT INTO users (id, username, password_hash, github_id)" \
	" VALUES (" id ", '" name "', 'x', " github_id ");"

#define IN(schema) (1 << (schema))
#define ANY	   (IN(OLD) | IN(FORK) | IN(NEW))

struct fixture {
	char dir[64];
	char users[96]; /* the upstream's database */
	char state[96]; /* the state directory, to be made */
	char tether[128];
	struct authd_conf conf;
	int log; /* where log lines arrive */
	char lines[16384];
};

/* Execute SQL as another program would. */
static inline void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The first column of the first row as text; "none" without a row. */
static inline const char *
query_sql(const char *path, const char *sql)
{
	static char text[256];
	sqlite3_stmt *stmt;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	(void)strlcpy(text, "none", sizeof(text));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		(void)strlcpy(text,
		    sqlite3_column_type(stmt, 0) == SQLITE_NULL
			? "null"
			: (const char *)sqlite3_column_text(stmt, 0),
		    sizeof(text));
	(void)sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return text;
}

/* Another connection that holds a lock until it is closed. */
static inline sqlite3 *
hold_lock(const char *path)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int sockets[2], role;

	/* As authd does, once. */
	if (jwt_init() == -1 || database_start() == -1)
		return -1;
	if (!CRYPTO_secure_malloc_initialized())
		vault_init();
	if (f == NULL || socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == -1)
		return -1;
	(void)strlcpy(f->dir, "/tmp/authd.XXXXXX", sizeof(f->dir));
	if (mkdtemp(f->dir) == NULL)
		return -1;
	(void)snprintf(f->users, sizeof(f->users), "%s/auth.db", f->dir);
	(void)snprintf(f->state, sizeof(f->state), "%s/a/b/state", f->dir);
	(void)snprintf(f->tether, sizeof(f->tether), "%s/tether.db", f->state);
	f->conf.database_path = f->users;
	f->conf.state_dir = f->state;
	f->conf.jwt_secret = strdup(SECRET);
	f->conf.token = strdup("");
	for (role = 0; role < SESSION_ROLE_COUNT; role++) {
		f->conf.users[role] = strdup("");
		f->conf.teams[role] = strdup("");
		f->conf.orgs[role] = strdup("");
	}
	f->conf.orchestrator = strdup("hub.example:443");
	f->conf.adopt = f->conf.watch_runs = true;
	f->log = sockets[0];
	log_to_socket(sockets[1]);
	*state = f;
	return f->conf.jwt_secret == NULL || f->conf.token == NULL;
}

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	int role;

	log_to_stderr("test");
	(void)close(f->log);
	free(f->conf.jwt_secret);
	free(f->conf.token);
	for (role = 0; role < SESSION_ROLE_COUNT; role++) {
		free(f->conf.users[role]);
		free(f->conf.teams[role]);
		free(f->conf.orgs[role]);
	}
	free(f->conf.orchestrator);
	(void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static inline void
set_conf(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
	assert_non_null(*field);
}

/* How many lines contain the text, of those since the last time. */
static inline int
log_count(struct fixture *f, const char *text)
{
	char line[LOG_LINE_MAX + 2];
	ssize_t n;
	int count = 0;

	f->lines[0] = '\0';
	while ((n = recv(f->log, line, sizeof(line) - 1, MSG_DONTWAIT)) > 0) {
		line[n] = '\0';
		(void)strlcat(f->lines, line + 1, sizeof(f->lines));
		(void)strlcat(f->lines, "\n", sizeof(f->lines));
		count += strstr(line + 1, text) != NULL;
	}
	return count;
}

#endif
