/* People as the operator sees them, in the database. */

#include "authd/handles.h"
#include "authd/tether_db.h"
#include "authd/users.h"
#include "tests/unit/authd/fixture.h"

#define NOW 1700000000

/* Five people; two have had the same login, in other cases. */
static const char people[] =
    "INSERT INTO identities (github_id, login, upstream_user_id,"
    " upstream_user_name, disabled, created_at, last_seen, role) VALUES"
    " (5, 'mona', 7, 'mona', 0, 100, 300, NULL),"
    " (6, 'Lisa', NULL, NULL, 1, 101, 500, 'read-only'),"
    " (8, 'lISA', 8, 'orch_8_lisa', 0, 102, 400, 'full'),"
    " (583231, '77', 9, 'octo', 0, 103, 300, NULL),"
    " (9223372036854775807, 'last', NULL, NULL, 0, 104, 200, NULL);"
    "INSERT INTO handles VALUES (randomblob(32), 5, 'mona', 1, 1699999999),"
    " (randomblob(32), 5, 'mona', 1, 1699913601),"
    " (randomblob(32), 5, 'mona', 1, 1699913600),"
    " (randomblob(32), 8, 'lisa', 1, 1699999999);";

static struct tether_db t;
static struct admin_user listed[8];
static size_t listed_count;

static int
begin(void **state)
{
	struct fixture *f;

	if (setup(state) != 0)
		return -1;
	f = *state;
	tether_db_init(&t, f->state);
	if (tether_db_open(&t) != DB_OK)
		return -1;
	run_sql(f->tether, people);
	listed_count = 0;
	(void)log_count(f, "");
	return 0;
}

static int
end(void **state)
{
	tether_db_free(&t);
	return teardown(state);
}

static void
list_one(void *arg, const struct admin_user *user)
{
	assert_ptr_equal(arg, &t);
	assert_true(listed_count < COUNT(listed));
	listed[listed_count++] = *user;
}

static enum db_result
list(size_t max, uint64_t *total)
{
	listed_count = 0;
	*total = 99;
	return users_list(&t, max, NOW, list_one, &t, total);
}

static void
test_list(void **state)
{
	static const struct admin_user expected[] = {
		{ 6, "Lisa", "", true, SESSION_ROLE_READ_ONLY, true, 101, 500,
		    0 },
		{ 8, "lISA", "orch_8_lisa", true, SESSION_ROLE_FULL, false, 102,
		    400, 1 },
		{ 5, "mona", "mona", false, SESSION_ROLE_FULL, false, 100, 300,
		    2 },
		{ 583231, "77", "octo", false, SESSION_ROLE_FULL, false, 103,
		    300, 0 },
		{ INT64_MAX, "last", "", false, SESSION_ROLE_FULL, false, 104,
		    200, 0 },
	};
	struct fixture *f = *state;
	uint64_t total;
	size_t i, max;

	for (max = 0; max <= 6; max++) {
		assert_int_equal(list(max, &total), DB_OK);
		assert_int_equal(total, 5);
		assert_int_equal(listed_count, max < 5 ? max : 5);
		for (i = 0; i < listed_count; i++)
			assert_memory_equal(
			    &listed[i], &expected[i], sizeof(listed[i]));
	}
	/* What nobody wrote is shown as nothing, but shown. */
	run_sql(f->tether, "UPDATE identities SET login = 'a' || char(0)"
			   " WHERE github_id = 6");
	assert_int_equal(list(1, &total), DB_OK);
	assert_string_equal(listed[0].login, "");
	run_sql(f->tether, "PRAGMA foreign_keys = ON; DELETE FROM identities");
	assert_int_equal(list(8, &total), DB_OK);
	assert_int_equal(total, 0);
	assert_int_equal(listed_count, 0);
	assert_int_equal(log_count(f, ""), 0);
}

static void
test_find(void **state)
{
	static const struct {
		const char *whom;
		enum db_result result;
		uint64_t count, github_id;
		const char *login;
	} cases[] = {
		{ "mona", DB_OK, 1, 5, "mona" },
		{ "MONA", DB_OK, 1, 5, "mona" },
		{ "5", DB_OK, 1, 5, "mona" },
		{ "05", DB_OK, 1, 5, "mona" },
		{ "8", DB_OK, 1, 8, "lISA" },
		{ "9223372036854775807", DB_OK, 1, INT64_MAX, "last" },
		{ "583231", DB_OK, 1, 583231, "77" },
		{ "lisa", DB_TAKEN, 2, 0, "" },
		{ "Lisa", DB_TAKEN, 2, 0, "" },
		/* That login is not taken for an id, nor the other way. */
		{ "77", DB_NONE, 0, 0, "" },
		{ "", DB_NONE, 0, 0, "" },
		{ "0", DB_NONE, 0, 0, "" },
		{ "-5", DB_NONE, 0, 0, "" },
		{ " 5", DB_NONE, 0, 0, "" },
		{ "5 ", DB_NONE, 0, 0, "" },
		{ "0x5", DB_NONE, 0, 0, "" },
		{ "9223372036854775808", DB_NONE, 0, 0, "" },
		{ "99999999999999999999999", DB_NONE, 0, 0, "" },
		{ "mon", DB_NONE, 0, 0, "" },
		{ "monas", DB_NONE, 0, 0, "" },
		{ "%", DB_NONE, 0, 0, "" },
		{ "' OR 1 --", DB_NONE, 0, 0, "" },
	};
	struct fixture *f = *state;
	struct users_person person;
	uint64_t count;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		count = 99;
		if (users_find(&t, cases[i].whom, &person, &count) !=
			cases[i].result ||
		    count != cases[i].count)
			fail_msg("%s", cases[i].whom);
		if (cases[i].result != DB_OK)
			continue;
		assert_int_equal(person.github_id, cases[i].github_id);
		assert_string_equal(person.login, cases[i].login);
	}
	assert_int_equal(log_count(f, ""), 0);
}

static const char *
states(struct fixture *f)
{
	return query_sql(f->tether,
	    "SELECT group_concat(github_id || ':' || disabled || ':' ||"
	    " coalesce(role, '-'), ' ') FROM (SELECT * FROM identities"
	    " WHERE github_id < 9 ORDER BY github_id)");
}

static void
test_changes(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(states(f), "5:0:- 6:1:read-only 8:0:full");
	assert_int_equal(users_disable(&t, 5), DB_OK);
	assert_string_equal(states(f), "5:1:- 6:1:read-only 8:0:full");
	assert_string_equal(
	    query_sql(f->tether, "SELECT group_concat(github_id) FROM handles"),
	    "8");
	assert_int_equal(users_disable(&t, 5), DB_OK);
	assert_int_equal(users_enable(&t, 6), DB_OK);
	assert_string_equal(states(f), "5:1:- 6:0:read-only 8:0:full");
	assert_int_equal(users_enable(&t, 8), DB_OK);
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(*) FROM handles"), "1");
	assert_int_equal(users_set_role(&t, 5, SESSION_ROLE_READ_ONLY), DB_OK);
	assert_int_equal(users_set_role(&t, 6, SESSION_ROLE_FULL), DB_OK);
	assert_int_equal(users_set_role(&t, 8, SESSION_ROLE_COUNT), DB_OK);
	assert_string_equal(states(f), "5:1:read-only 6:0:full 8:0:-");
	assert_int_equal(log_count(f, ""), 0);
}

/* A database that fails is said to, and nothing is half done. */
static void
test_failures(void **state)
{
	struct fixture *f = *state;
	struct users_person person;
	sqlite3 *lock = hold_lock(f->tether);
	uint64_t total, count;

	assert_int_equal(list(8, &total), DB_FAILED);
	assert_int_equal(listed_count, 0);
	assert_int_equal(users_find(&t, "mona", &person, &count), DB_FAILED);
	assert_int_equal(users_disable(&t, 5), DB_FAILED);
	assert_int_equal(users_enable(&t, 6), DB_FAILED);
	assert_int_equal(
	    users_set_role(&t, 5, SESSION_ROLE_READ_ONLY), DB_FAILED);
	assert_int_equal(log_count(f, "locked"), 1);
	(void)sqlite3_close(lock);
	assert_string_equal(states(f), "5:0:- 6:1:read-only 8:0:full");

	/* The handles stay: so does the person. */
	run_sql(f->tether, "CREATE TRIGGER keep BEFORE DELETE ON handles"
			   " BEGIN SELECT raise(ABORT, 'not that'); END");
	assert_int_equal(users_disable(&t, 5), DB_FAILED);
	assert_int_equal(log_count(f, "not that"), 1);
	assert_string_equal(states(f), "5:0:- 6:1:read-only 8:0:full");
	run_sql(f->tether, "DROP TRIGGER keep");
	assert_int_equal(users_disable(&t, 5), DB_OK);
	assert_int_equal(log_count(f, "works again"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list),
		TEST(test_find),
		TEST(test_changes),
		TEST(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
