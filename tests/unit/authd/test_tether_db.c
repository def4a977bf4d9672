#include <sys/stat.h>
#include <sys/wait.h>

#include "authd/tether_db.h"
#include "tests/unit/authd/fixture.h"

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
test_creation(void **state)
{
	struct fixture *f = *state;
	struct tether_db t;
	mode_t mask = umask(0);

	tether_db_init(&t, f->state);
	assert_int_equal(tether_db_open(&t), DB_OK);
	(void)umask(mask);
	assert_int_equal(mode_of(f->state), 0700);
	assert_int_equal(mode_of(f->tether), 0600);
	assert_string_equal(query_sql(f->tether, "PRAGMA user_version"), "4");
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(*) FROM identities"), "0");
	assert_int_equal(log_count(f, "created"), 1);

	/* There already: nothing is made anew. */
	database_close(&t.db);
	assert_int_equal(tether_db_open(&t), DB_OK);
	assert_int_equal(log_count(f, "created"), 0);

	/* Gone while open. */
	assert_int_equal(unlink(f->tether), 0);
	assert_int_equal(tether_db_open(&t), DB_OK);
	assert_string_equal(query_sql(f->tether, "PRAGMA user_version"), "4");
	tether_db_free(&t);
}

static void
test_unusable(void **state)
{
	static const struct {
		const char *command, *line;
	} cases[] = {
		{ "mkdir state/tether.db", "not a regular file" },
		{ "ln -s elsewhere state/tether.db", "can't create" },
		{ "echo 'no database, but long enough to be taken for one'"
		  " >state/tether.db",
		    "restore it from a copy" },
		{ "rmdir state && ln -s nowhere state", "can't create" },
	};
	struct fixture *f = *state;
	struct tether_db t;
	char command[256];
	size_t i;

	(void)snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
	for (i = 0; i < COUNT(cases); i++) {
		(void)snprintf(command, sizeof(command),
		    "cd %s && mkdir state && %s", f->dir, cases[i].command);
		assert_int_equal(system(command), 0);
		tether_db_init(&t, f->state);
		(void)log_count(f, "");
		assert_int_equal(tether_db_open(&t), DB_FAILED);
		assert_int_equal(tether_db_open(&t), DB_FAILED);
		if (log_count(f, cases[i].line) != 1)
			fail_msg("%s: %s", cases[i].command, f->lines);
		(void)snprintf(
		    command, sizeof(command), "rm -rf %s/state", f->dir);
		assert_int_equal(system(command), 0);
		assert_int_equal(tether_db_open(&t), DB_OK);
		tether_db_free(&t);
		assert_int_equal(system(command), 0);
	}
}

static void
test_version(void **state)
{
	struct fixture *f = *state;
	struct tether_db t;

	tether_db_init(&t, f->state);
	assert_int_equal(tether_db_open(&t), DB_OK);
	database_close(&t.db);
	run_sql(f->tether, "PRAGMA user_version = 99");
	assert_int_equal(tether_db_open(&t), DB_FAILED);
	assert_int_equal(log_count(f, "version 99"), 1);
	run_sql(f->tether, "PRAGMA user_version = 4");
	assert_int_equal(tether_db_open(&t), DB_OK);
	tether_db_free(&t);
}

/* What earlier versions of the database were, with people in them. */
static const char version_1[] =
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
    " ON identities (upstream_user_id, upstream_user_name);"
    "INSERT INTO identities VALUES (5, 'mona', 7, 'mona', 'full', 0, 1, 2),"
    " (6, 'lisa', NULL, NULL, 'full', 1, 3, 4);"
    "PRAGMA user_version = 1;";

static const char version_2[] =
    "CREATE TABLE handles ("
    " hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),"
    " github_id INTEGER NOT NULL"
    " REFERENCES identities (github_id) ON DELETE CASCADE,"
    " login TEXT NOT NULL,"
    " made_at INTEGER NOT NULL,"
    " used_at INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX handles_person ON handles (github_id, used_at);"
    "CREATE INDEX handles_use ON handles (used_at);"
    "INSERT INTO handles VALUES (randomblob(32), 5, 'mona', 1, 2),"
    " (randomblob(32), 6, 'lisa', 3, 4);"
    "PRAGMA user_version = 2;";

static const char version_3[] = "ALTER TABLE identities DROP COLUMN role;"
				"ALTER TABLE identities ADD COLUMN role TEXT"
				" CHECK (role IN ('full', 'read-only'));"
				"CREATE TABLE tokens ("
				" host TEXT NOT NULL PRIMARY KEY,"
				" client_id TEXT NOT NULL,"
				" token TEXT NOT NULL,"
				" granted_at INTEGER NOT NULL"
				") STRICT;"
				"PRAGMA user_version = 3;";

/* An old database in place of the one to be made. */
static void
use_version(struct fixture *f, int version)
{
	(void)snprintf(f->state, sizeof(f->state), "%s", f->dir);
	(void)snprintf(f->tether, sizeof(f->tether), "%s/tether.db", f->dir);
	(void)unlink(f->tether);
	run_sql(f->tether, version >= 1 ? version_1 : "VACUUM");
	if (version >= 2)
		run_sql(f->tether, version_2);
	if (version >= 3)
		run_sql(f->tether, version_3);
}

/* The same columns whatever it began as, and everything that was in it. */
static void
check_migrated(struct fixture *f, struct tether_db *t, int version)
{
	struct tether_identity i;

	assert_string_equal(query_sql(f->tether, "PRAGMA user_version"), "4");
	assert_string_equal(
	    query_sql(f->tether, "PRAGMA integrity_check"), "ok");
	assert_string_equal(
	    query_sql(f->tether, "SELECT group_concat(name) FROM"
				 " pragma_table_info('identities')"),
	    "github_id,login,upstream_user_id,upstream_user_name,disabled,"
	    "created_at,last_seen,role");
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(*) FROM tokens"), "0");
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(*) FROM handles"),
	    version >= 2 ? "2" : "0");
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(*) FROM service"), "0");
	if (version == 0)
		return;
	assert_int_equal(tether_db_get(t, 5, &i), DB_OK);
	assert_string_equal(i.login, "mona");
	assert_int_equal(i.user_id, 7);
	assert_false(i.disabled);
	assert_false(i.has_role);
	assert_int_equal(tether_db_get(t, 6, &i), DB_OK);
	assert_int_equal(i.user_id, 0);
	assert_true(i.disabled);
	assert_false(i.has_role);
	assert_string_equal(
	    query_sql(f->tether, "SELECT sum(created_at) || ' ' ||"
				 " sum(last_seen) FROM identities"),
	    "4 6");
}

static void
test_migration(void **state)
{
	struct fixture *f = *state;
	struct tether_db t;
	int version;

	for (version = 0; version <= 3; version++) {
		use_version(f, version);
		tether_db_init(&t, f->state);
		assert_int_equal(tether_db_open(&t), DB_OK);
		check_migrated(f, &t, version);
		tether_db_free(&t);
	}
}

/* Each of these is a process of its own that finds the old version. */
#define OPENERS 6

static void
test_migration_at_once(void **state)
{
	struct fixture *f = *state;
	pid_t pids[OPENERS];
	struct tether_db t;
	int version, i, status, go[2];
	char byte;

	for (version = 0; version <= 3; version++) {
		use_version(f, version);
		assert_int_equal(pipe(go), 0);
		for (i = 0; i < OPENERS; i++) {
			pids[i] = fork();
			assert_int_not_equal(pids[i], -1);
			if (pids[i] != 0)
				continue;
			(void)close(go[1]);
			/* Until all are there. */
			if (read(go[0], &byte, 1) != 0)
				_exit(2);
			tether_db_init(&t, f->state);
			_exit(tether_db_open(&t) != DB_OK);
		}
		(void)close(go[0]);
		(void)close(go[1]);
		for (i = 0; i < OPENERS; i++) {
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		tether_db_init(&t, f->state);
		assert_int_equal(tether_db_open(&t), DB_OK);
		check_migrated(f, &t, version);
		tether_db_free(&t);
	}
}

/* Only what the program knows can be in it. */
static void
test_role(void **state)
{
	static const struct {
		const char *sql;
		bool has_role;
		enum session_role role;
	} cases[] = {
		{ "'full'", true, SESSION_ROLE_FULL },
		{ "'read-only'", true, SESSION_ROLE_READ_ONLY },
		{ "NULL", false, SESSION_ROLE_FULL },
	};
	struct fixture *f = *state;
	struct tether_identity i;
	struct tether_db t;
	char sql[128];
	size_t n;

	use_version(f, 1);
	tether_db_init(&t, f->state);
	for (n = 0; n < COUNT(cases); n++) {
		assert_int_equal(tether_db_open(&t), DB_OK);
		(void)snprintf(sql, sizeof(sql),
		    "UPDATE identities SET role = %s", cases[n].sql);
		run_sql(f->tether, sql);
		assert_int_equal(tether_db_get(&t, 5, &i), DB_OK);
		assert_int_equal(i.has_role, cases[n].has_role);
		assert_int_equal(i.role, cases[n].role);
	}
	run_sql(f->tether, "PRAGMA ignore_check_constraints = 1;"
			   "UPDATE identities SET role = 'admin'");
	(void)log_count(f, "");
	assert_int_equal(tether_db_get(&t, 5, &i), DB_FAILED);
	assert_int_equal(log_count(f, "unknown role"), 1);
	tether_db_free(&t);
}

/* A migration that fails leaves everything as it was, and is tried again. */
static void
test_migration_fails(void **state)
{
	struct fixture *f = *state;
	struct tether_db t;

	use_version(f, 1);
	run_sql(f->tether, "CREATE TABLE handles_use (x)");
	tether_db_init(&t, f->state);
	assert_int_equal(tether_db_open(&t), DB_FAILED);
	assert_int_equal(tether_db_open(&t), DB_FAILED);
	assert_int_equal(log_count(f, "handles_use"), 1);
	assert_string_equal(query_sql(f->tether, "PRAGMA user_version"), "1");
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(*) FROM sqlite_schema"
				 " WHERE name = 'handles'"),
	    "0");
	run_sql(f->tether, "DROP TABLE handles_use");
	assert_int_equal(tether_db_open(&t), DB_OK);
	assert_string_equal(query_sql(f->tether, "PRAGMA user_version"), "4");
	tether_db_free(&t);
}

static struct tether_identity
identity(uint64_t github_id, int64_t user_id, const char *name)
{
	struct tether_identity i = { .github_id = github_id,
		.user_id = user_id };

	(void)strlcpy(i.login, "mona", sizeof(i.login));
	(void)strlcpy(i.user_name, name, sizeof(i.user_name));
	return i;
}

static void
test_bindings(void **state)
{
	struct fixture *f = *state;
	struct tether_identity i;
	struct tether_db t;
	bool other;

	tether_db_init(&t, f->state);
	assert_int_equal(tether_db_open(&t), DB_OK);
	assert_int_equal(tether_db_get(&t, 5, &i), DB_NONE);

	i = identity(5, 7, "mona");
	assert_int_equal(tether_db_bind(&t, &i, 100), DB_OK);
	memset(&i, 0xff, sizeof(i));
	assert_int_equal(tether_db_get(&t, 5, &i), DB_OK);
	assert_int_equal(i.github_id, 5);
	assert_int_equal(i.user_id, 7);
	assert_string_equal(i.user_name, "mona");
	assert_string_equal(i.login, "mona");
	assert_false(i.has_role);
	assert_false(i.disabled);

	assert_int_equal(tether_db_is_bound(&t, 7, "mona", 5, &other), DB_OK);
	assert_false(other);
	assert_int_equal(tether_db_is_bound(&t, 7, "mona", 6, &other), DB_OK);
	assert_true(other);
	assert_int_equal(tether_db_is_bound(&t, 7, "lisa", 6, &other), DB_OK);
	assert_false(other);

	/* What the operator set and when it was made survive. */
	run_sql(f->tether, "UPDATE identities SET disabled = 1");
	i = identity(5, 8, "lisa");
	assert_int_equal(tether_db_bind(&t, &i, 200), DB_OK);
	assert_int_equal(tether_db_seen(&t, 5, "mona2", 300), DB_OK);
	assert_int_equal(tether_db_get(&t, 5, &i), DB_OK);
	assert_int_equal(i.user_id, 8);
	assert_string_equal(i.login, "mona2");
	assert_true(i.disabled);
	assert_string_equal(
	    query_sql(f->tether,
		"SELECT created_at || ' ' || last_seen FROM identities"),
	    "100 300");

	/* One user of the upstream is one person. */
	i = identity(INT64_MAX, 8, "lisa");
	assert_int_equal(tether_db_bind(&t, &i, 400), DB_OK);
	assert_int_equal(tether_db_get(&t, 5, &i), DB_OK);
	assert_int_equal(i.user_id, 0);
	assert_string_equal(i.user_name, "");
	assert_int_equal(tether_db_get(&t, INT64_MAX, &i), DB_OK);
	assert_int_equal(i.user_id, 8);
	tether_db_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_creation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unusable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_migration, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_migration_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_role, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_migration_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bindings, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
