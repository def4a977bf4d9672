#include "authd/upstream_db.h"
#include "tests/unit/authd/fixture.h"

/* The form of a bcrypt hash, down to the bits that are always zero. */
static void
test_hash(void **state)
{
	static const char digits[] =
	    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789";
	char hash[UPSTREAM_HASH_SIZE], before[UPSTREAM_HASH_SIZE] = "";
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		upstream_db_hash(hash);
		assert_int_equal(strlen(hash), 60);
		assert_int_equal(strncmp(hash, "$2b$12$", 7), 0);
		assert_int_equal(strspn(hash + 7, digits), 53);
		assert_non_null(strchr(".Oeu", hash[28]));
		assert_non_null(strchr(".CGKOSWaeimquy26", hash[59]));
		assert_string_not_equal(hash, before);
		memcpy(before, hash, sizeof(before));
	}
}

/* Rows that the web app would never write. */
static void
test_odd_rows(void **state)
{
	struct fixture *f = *state;
	struct upstream_user user;
	struct upstream_db u;

	run_sql(f->users, schemas[FORK]);
	run_sql(f->users, "INSERT INTO users (id, username, password_hash)"
			  " VALUES (1, hex(zeroblob(200)), ''),"
			  " (2, CAST(x'610062' AS TEXT), ''), (3, 3, '')");
	upstream_db_init(&u, f->users);
	assert_int_equal(upstream_db_open(&u), DB_OK);
	assert_int_equal(upstream_db_get(&u, 1, &user), DB_FAILED);
	assert_int_equal(upstream_db_get(&u, 2, &user), DB_FAILED);
	assert_int_equal(log_count(f, "no usable name"), 2);
	assert_int_equal(upstream_db_get(&u, 3, &user), DB_OK);
	assert_string_equal(user.name, "3");
	assert_int_equal(upstream_db_get(&u, 4, &user), DB_NONE);
	assert_int_equal(upstream_db_get(&u, -1, &user), DB_NONE);
	upstream_db_free(&u);
}

static void
test_uniqueness(void **state)
{
	struct fixture *f = *state;
	struct upstream_user user;
	struct upstream_db u;

	run_sql(f->users, schemas[FORK]);
	upstream_db_init(&u, f->users);
	assert_int_equal(upstream_db_open(&u), DB_OK);
	assert_int_equal(upstream_db_create(&u, "mona", 5, &user), DB_OK);
	assert_true(user.active);
	assert_true(user.claimed);
	assert_int_equal(user.github_id, 5);
	assert_int_equal(upstream_db_create(&u, "mona", 6, &user), DB_TAKEN);
	assert_int_equal(upstream_db_create(&u, "lisa", 5, &user), DB_TAKEN);
	run_sql(f->users, "INSERT INTO users (id, username, password_hash)"
			  " VALUES (9, 'lisa', '')");
	assert_int_equal(upstream_db_bind(&u, 9, 5), DB_TAKEN);
	/* A row that names an id keeps it. */
	assert_int_equal(upstream_db_bind(&u, 1, 6), DB_OK);
	assert_int_equal(upstream_db_get(&u, 1, &user), DB_OK);
	assert_int_equal(user.github_id, 5);
	upstream_db_free(&u);
}

/* The schema of the database cannot be changed by way of a connection. */
static void
test_defences(void **state)
{
	struct fixture *f = *state;
	struct upstream_db u;

	run_sql(f->users, schemas[NEW]);
	upstream_db_init(&u, f->users);
	assert_int_equal(upstream_db_open(&u), DB_OK);
	(void)database_exec(&u.db, "PRAGMA writable_schema = ON");
	assert_int_equal(
	    database_exec(&u.db, "UPDATE sqlite_schema SET sql = ''"),
	    DB_FAILED);
	assert_int_equal(
	    database_exec(&u.db, "ATTACH ':memory:' AS other"), DB_FAILED);
	upstream_db_free(&u);
}

#define NEVER_ENDS                                            \
	" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT " \
	"i + 1 FROM n) SELECT "
#define GROWS                                               \
	" WITH RECURSIVE n(i) AS (SELECT zeroblob(100000) " \
	"UNION SELECT i || randomblob(10) FROM n) SELECT "
#define VIEW                                                         \
	"i AS id, 'mona' AS username, '' AS password_hash, NULL AS " \
	"last_login, 1 AS is_active FROM n WHERE random() IS NULL"

/* A schema that would keep us busy for ever, and one that eats memory. */
static void
test_endless(void **state)
{
	static const char *const schema[] = {
		"CREATE VIEW users AS" NEVER_ENDS VIEW,
		"CREATE VIEW users AS" GROWS VIEW,
		USERS_BEGIN
		"); CREATE TRIGGER t BEFORE INSERT ON users BEGIN "
		"INSERT INTO users (username, password_hash)" NEVER_ENDS
		"i, '' FROM n WHERE random() IS NULL; END",
	};
	struct fixture *f = *state;
	struct upstream_user user;
	struct upstream_db u;
	int64_t start;
	size_t i;

	assert_int_equal(database_start(), 0);
	for (i = 0; i < COUNT(schema); i++) {
		(void)unlink(f->users);
		run_sql(f->users, schema[i]);
		upstream_db_init(&u, f->users);
		assert_int_equal(upstream_db_open(&u), DB_OK);
		start = trouble_clock();
		assert_int_equal(
		    upstream_db_create(&u, "lisa", 0, &user), DB_FAILED);
		assert_int_equal(upstream_db_get(&u, 1, &user),
		    i == 2 ? DB_NONE : DB_FAILED);
		assert_true(trouble_clock() - start < 2 * DATABASE_RUN + 1000);
		/* Others do not wait as long again. */
		start = trouble_clock();
		(void)upstream_db_create(&u, "hubot", 0, &user);
		assert_int_equal(upstream_db_get(&u, 1, &user),
		    i == 2 ? DB_NONE : DB_FAILED);
		if (i != 1)
			assert_true(trouble_clock() - start < DATABASE_RUN / 2);
		assert_true(sqlite3_memory_highwater(0) <= 64 * 1024 * 1024);
		upstream_db_free(&u);
	}
	assert_true(log_count(f, "it takes too long") > 0);
}

/* The path may go through a symbolic link, and the link may be changed. */
static void
test_replaced_link(void **state)
{
	struct fixture *f = *state;
	struct upstream_user user;
	struct upstream_db u;
	char path[128], other[128];

	(void)snprintf(path, sizeof(path), "%s/link.db", f->dir);
	(void)snprintf(other, sizeof(other), "%s/other.db", f->dir);
	run_sql(f->users, schemas[OLD]);
	run_sql(other, schemas[NEW]);
	assert_int_equal(symlink(f->users, path), 0);
	upstream_db_init(&u, path);
	assert_int_equal(upstream_db_open(&u), DB_OK);
	assert_int_equal(upstream_db_create(&u, "mona", 5, &user), DB_OK);
	assert_int_equal(u.db.generation, 1);
	assert_int_equal(upstream_db_open(&u), DB_OK);
	assert_int_equal(u.db.generation, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(upstream_db_open(&u), DB_OK);
	assert_int_equal(u.db.generation, 2);
	assert_true(u.has_onboarding);
	assert_int_equal(upstream_db_find_name(&u, "mona", &user), DB_NONE);
	upstream_db_free(&u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),
		cmocka_unit_test_setup_teardown(test_odd_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_uniqueness, setup, teardown),
		cmocka_unit_test_setup_teardown(test_defences, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_replaced_link, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
