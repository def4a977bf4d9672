/* Which user of the upstream the instance itself is. */

#include "authd/users.h"
#include "tests/unit/authd/service_fixture.h"

static const struct {
	const char *what;
	int in;		    /* these schemas */
	const char *users;  /* SQL */
	const char *tether; /* SQL */
	bool adopt;
	enum session_service service;
	enum session_status status;
	const char *name; /* of the user, or the reason */
	int64_t id;
	bool made; /* the row */
} cases[] = {
	{ "nobody there", ANY, "", "", true, ACT, SESSION_OK, OURS, 1, true },
	{ "somebody there", ANY, USER("7", "admin", "1"), "", true, ACT,
	    SESSION_OK, OURS, 8, true },
	{ "a local user of the name", ANY, USER("7", OURS, "1"), "", true, ACT,
	    SESSION_OK, OURS, 7, false },
	{ "not adopted", ANY, USER("7", OURS, "1"), "", false, ACT, SESSION_OK,
	    OTHER, 8, true },
	{ "not adopted, switched off", ANY, USER("7", OURS, "0"), "", false,
	    ACT, SESSION_OK, OTHER, 8, true },
	{ "nobody to adopt", ANY, "", "", false, ACT, SESSION_OK, OURS, 1,
	    true },
	{ "ours, and none are adopted", ANY, USER("7", OURS, "1"),
	    NOTED("7", OURS), false, ACT, SESSION_OK, OURS, 7, false },
	{ "the other name is ours", ANY,
	    USER("7", OURS, "1") USER("8", OTHER, "1"), "", false, ACT,
	    SESSION_OK, OTHER, 8, false },
	{ "names compare as the app does", ANY, USER("7", "Orchestrator", "1"),
	    "", true, ACT, SESSION_OK, OURS, 8, true },
	{ "a person's from before", ANY, USER("7", OURS, "1"),
	    KNOWN("9", OURS, "7", OURS), true, ACT, SESSION_OK, OTHER, 8,
	    true },
	{ "a person's who is switched off", ANY, USER("7", OURS, "0"),
	    KNOWN("9", OURS, "7", OURS), true, ACT, SESSION_OK, OTHER, 8,
	    true },
	{ "both are people's", ANY, USER("7", OURS, "1") USER("8", OTHER, "1"),
	    KNOWN("9", OURS, "7", OURS) KNOWN("10", "x", "8", OTHER), true, ACT,
	    SESSION_DENIED, "no account name is free for this instance", 0,
	    false },
	{ "a person's of another database", ANY, USER("7", OURS, "1"),
	    KNOWN("9", OURS, "6", OURS), true, ACT, SESSION_OK, OURS, 7,
	    false },
	{ "a person's of another database, the id comes again", ANY, "",
	    KNOWN("9", OURS, "1", OURS), true, ACT, SESSION_OK, OURS, 1, true },
	{ "switched off", ANY, USER("7", OURS, "0"), "", true, ACT,
	    SESSION_DENIED, "the account orchestrator is not active", 0,
	    false },
	{ "ours is switched off", ANY, USER("7", OURS, "0"), NOTED("7", OURS),
	    true, ACT, SESSION_DENIED, "the account orchestrator is not active",
	    0, false },
	{ "our other one is switched off", ANY,
	    USER("7", OURS, "1") USER("8", OTHER, "0"), NOTED("8", OTHER), true,
	    ACT, SESSION_DENIED, "the account " OTHER " is not active", 0,
	    false },
	{ "it stays who it is", ANY, USER("7", OURS, "1") USER("8", OTHER, "1"),
	    NOTED("8", OTHER), true, ACT, SESSION_OK, OTHER, 8, false },
	{ "deleted", ANY, USER("3", "admin", "1"), NOTED("7", OURS), true, ACT,
	    SESSION_OK, OURS, 4, true },
	{ "database made anew, the id is another's", ANY,
	    USER("7", "admin", "1"), NOTED("7", OURS), true, ACT, SESSION_OK,
	    OURS, 8, true },
	{ "database made anew, by hand", ANY, USER("3", OURS, "1"),
	    NOTED("7", OURS), true, ACT, SESSION_OK, OURS, 3, false },
	{ "renamed", ANY, USER("7", "boss", "1"), NOTED("7", OURS), true, ACT,
	    SESSION_OK, OURS, 8, true },
	{ "renamed, and none are adopted", ANY,
	    USER("7", "boss", "1") USER("8", OURS, "1"), NOTED("7", OURS),
	    false, ACT, SESSION_OK, OTHER, 9, true },
	{ "a column says that it is a person's", IN(FORK),
	    FORK_USER("7", OURS, "'9'"), "", true, ACT, SESSION_OK, OTHER, 8,
	    true },
	{ "it was ours", IN(FORK), FORK_USER("7", OURS, "'9'"),
	    NOTED("7", OURS), true, ACT, SESSION_OK, OTHER, 8, true },
	{ "the column is no number", IN(FORK), FORK_USER("7", OURS, "'x'"),
	    NOTED("7", OURS), true, ACT, SESSION_OK, OTHER, 8, true },
	{ "the column is 0", IN(FORK), FORK_USER("7", OURS, "'0'"), "", true,
	    ACT, SESSION_OK, OTHER, 8, true },
	{ "the column is empty", IN(FORK), FORK_USER("7", OURS, "''"), "", true,
	    ACT, SESSION_OK, OURS, 7, false },

/* To watch: nothing is written, whoever it is. */
#define NO_USERS SESSION_UNAVAILABLE, "the web app has no users yet", 0, false
	{ "nobody there", ANY, "", "", true, WATCH, NO_USERS },
	{ "ours is gone, and all others", ANY, "", NOTED("7", OURS), true,
	    WATCH, NO_USERS },
	{ "all are switched off", ANY,
	    USER("5", "admin", "0") USER("6", "x", "NULL") USER("7", OURS, "0"),
	    NOTED("7", OURS), true, WATCH, NO_USERS },
	{ "one is switched off and one is not", ANY,
	    USER("5", "admin", "0") USER("7", "mona", "1"), "", true, WATCH,
	    SESSION_OK, "mona", 7, false },
	{ "the first one", ANY,
	    USER("9", "a", "1") USER("8", "b", "1") USER("7", "c", "2")
		USER("6", "d", "0"),
	    "", false, WATCH, SESSION_OK, "b", 8, false },
	{ "of our name, but not ours", ANY,
	    USER("5", "admin", "1") USER("7", OURS, "1"), "", true, WATCH,
	    SESSION_OK, "admin", 5, false },
	{ "a person's", ANY, USER("7", "mona", "1"),
	    KNOWN("9", "mona", "7", "mona"), false, WATCH, SESSION_OK, "mona",
	    7, false },
	{ "ours", ANY, USER("5", "admin", "1") USER("7", OURS, "1"),
	    NOTED("7", OURS), false, WATCH, SESSION_OK, OURS, 7, false },
	{ "ours, the other one", ANY,
	    USER("5", OURS, "1") USER("7", OTHER, "1"), NOTED("7", OTHER), true,
	    WATCH, SESSION_OK, OTHER, 7, false },
	{ "ours is gone", ANY, USER("5", "admin", "1"), NOTED("7", OURS), true,
	    WATCH, SESSION_OK, "admin", 5, false },
	{ "ours is switched off", ANY,
	    USER("5", "admin", "1") USER("7", OURS, "0"), NOTED("7", OURS),
	    true, WATCH, SESSION_OK, "admin", 5, false },
	{ "ours was renamed", ANY,
	    USER("5", "admin", "1") USER("7", "boss", "1"), NOTED("7", OURS),
	    true, WATCH, SESSION_OK, "admin", 5, false },
	{ "ours is a person's by the column", IN(FORK),
	    USER("5", "admin", "1") FORK_USER("7", OURS, "'9'"),
	    NOTED("7", OURS), true, WATCH, SESSION_OK, "admin", 5, false },
	{ "the first one is a person's by the column", IN(FORK),
	    FORK_USER("7", "mona", "'9'"), "", true, WATCH, SESSION_OK, "mona",
	    7, false },
};

/* What both databases say after a success, and that nobody is us, too. */
static void
check_rows(struct fixture *f, enum schema schema, size_t i)
{
	char sql[256], expected[64];

	(void)snprintf(expected, sizeof(expected), "0 %lld %s",
	    (long long)cases[i].id, cases[i].name);
	assert_string_equal(
	    query_sql(f->tether, "SELECT group_concat(id || ' ' ||"
				 " upstream_user_id || ' ' ||"
				 " upstream_user_name) FROM service"),
	    expected);
	assert_string_equal(
	    query_sql(f->tether,
		"SELECT count(*) FROM identities, service"
		" USING (upstream_user_id, upstream_user_name)"),
	    "0");
	(void)snprintf(sql, sizeof(sql),
	    "SELECT %s || (last_login IS NOT NULL) || substr(password_hash, 1,"
	    " 7) || length(password_hash) FROM users WHERE id = %lld",
	    schema == OLD ? "1" : "has_completed_onboarding",
	    (long long)cases[i].id);
	if (cases[i].made)
		assert_string_equal(query_sql(f->users, sql), "11$2b$12$60");
	(void)snprintf(sql, sizeof(sql),
	    "SELECT coalesce(github_id, '') || (last_login IS NOT NULL)"
	    " FROM users WHERE id = %lld",
	    (long long)cases[i].id);
	if (schema == FORK)
		assert_string_equal(query_sql(f->users, sql), "1");
}

static int
number(const char *text)
{
	return (int)strtonum(text, 0, 1000, NULL);
}

static void
check_case(struct fixture *f, enum schema schema, size_t i)
{
	char before[16], sql[] = "SELECT count(*) FROM users";
	struct dump all;
	struct sessions *s;
	struct session session;
	int round;

	(void)unlink(f->users);
	(void)unlink(f->tether);
	run_sql(f->users, schemas[schema]);
	run_sql(f->users, cases[i].users);
	(void)strlcpy(before, query_sql(f->users, sql), sizeof(before));
	f->conf.adopt = cases[i].adopt;
	s = sessions_new(&f->conf);
	run_sql(f->tether, cases[i].tether);
	all = dump_all(f);
	/* Another time, with all forgotten, it is the same one. */
	for (round = 0; round < 2; round++) {
		session = ask_service(s, cases[i].service, NOW + round);
		if (cases[i].status == SESSION_OK) {
			check_jwt(
			    &session, cases[i].id, cases[i].name, NOW + round);
			assert_true(made_one);
		} else {
			check_refusal(&session, cases[i].status, cases[i].name);
		}
		if (cases[i].service == WATCH)
			assert_string_equal(dump_all(f).text, all.text);
		else if (cases[i].status == SESSION_OK)
			check_rows(f, schema, i);
		assert_int_equal(number(query_sql(f->users, sql)),
		    number(before) + cases[i].made);
		sessions_refresh(s);
	}
	sessions_free(s);
}

static void
test_cases(void **state)
{
	struct fixture *f = *state;
	enum schema schema;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		for (schema = OLD; schema < SCHEMA_COUNT; schema++) {
			if (cases[i].in & IN(schema)) {
				print_message(
				    "# %s (%d)\n", cases[i].what, (int)schema);
				check_case(f, schema, i);
			}
		}
	}
}

/* The operator learns which account it is, and why. */
static void
test_log(void **state)
{
	struct fixture *f = *state;
	struct sessions *s;
	int i;

	run_sql(f->users, schemas[NEW]);
	s = sessions_new(&f->conf);
	run_sql(f->users, USER("1", "a\nb", "1"));
	log_set_level(LOG_LEVEL_DEBUG);
	for (i = 0; i < 3; i++)
		(void)ask_service(s, WATCH, NOW + i);
	assert_int_equal(
	    log_count(f, "what runs is asked as user a?b (id 1)"), 1);
	log_set_level(LOG_LEVEL_INFO);
	run_sql(f->users, "DELETE FROM users; DELETE FROM sqlite_sequence");
	(void)ask_service(s, ACT, NOW);
	(void)log_count(f, "");
	assert_non_null(strstr(
	    f->lines, "instance itself: created user orchestrator (id 1)\n"));
	run_sql(f->tether, "DELETE FROM service");
	sessions_refresh(s);
	(void)ask_service(s, ACT, NOW);
	(void)log_count(f, "");
	assert_non_null(strstr(f->lines,
	    "instance itself: bound to existing user orchestrator (id 1)\n"));
	run_sql(f->tether, "DELETE FROM service;" KNOWN("9", OURS, "1", OURS));
	sessions_refresh(s);
	(void)ask_service(s, ACT, NOW);
	assert_int_equal(log_count(f, "instance itself: created user " OTHER
				      " (id 2): orchestrator is somebody's"),
	    1);
	sessions_free(s);
}

/* A person of that login is another one, whoever comes first. */
static void
test_person(void **state)
{
	static const char *const logins[] = { "orchestrator", "Orchestrator",
		"ORCHESTRATOR", "orch_0_orchestrator" };
	struct fixture *f = *state;
	struct sessions *s;
	struct session session;
	char name[64];
	size_t i;
	int first;

	for (i = 0; i < 2 * COUNT(logins); i++) {
		first = i % 2;
		(void)unlink(f->users);
		(void)unlink(f->tether);
		run_sql(f->users, schemas[i % SCHEMA_COUNT]);
		s = sessions_new(&f->conf);
		if (first == 0)
			(void)ask_service(s, ACT, NOW);
		session = ask(s, 5, logins[i / 2], NOW);
		assert_int_equal(session.status, SESSION_OK);
		assert_int_equal(session.github_id, 5);
		(void)snprintf(name, sizeof(name), "orch_5_%s", logins[i / 2]);
		assert_string_equal(
		    query_sql(f->tether, "SELECT upstream_user_name"
					 " FROM identities"),
		    name);
		session = ask_service(s, ACT, NOW);
		check_jwt(&session, first == 0 ? 1 : 2, OURS, NOW);
		sessions_free(s);
	}
}

/* What the web app's own column says takes the account from us. */
static void
test_claimed(void **state)
{
	struct fixture *f = *state;
	struct sessions *s;
	struct session session;

	run_sql(f->users, schemas[FORK]);
	s = sessions_new(&f->conf);
	session = ask_service(s, ACT, NOW);
	check_jwt(&session, 1, OURS, NOW);
	run_sql(f->users, "UPDATE users SET github_id = '5'");
	session = ask(s, 5, "mona", NOW + 1);
	assert_int_equal(session.status, SESSION_OK);
	assert_string_equal(
	    query_sql(f->tether, "SELECT upstream_user_id FROM identities"),
	    "1");
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(*) FROM service"), "0");
	/* Even if the column goes. */
	run_sql(f->users, "UPDATE users SET github_id = NULL");
	session = ask_service(s, ACT, NOW + 1);
	check_jwt(&session, 2, OTHER, NOW + 1);
	sessions_free(s);
}

static uint64_t listed;

static void
on_user(void *arg, const struct admin_user *user)
{
	(void)arg;
	(void)user;
	listed++;
}

/* It is none of the people that the operator sees. */
static void
test_not_listed(void **state)
{
	struct fixture *f = *state;
	struct users_person person;
	struct sessions *s;
	uint64_t n;

	run_sql(f->users, schemas[NEW]);
	s = sessions_new(&f->conf);
	(void)ask_service(s, ACT, NOW);
	listed = 0;
	assert_int_equal(
	    users_list(sessions_tether_db(s), 9, NOW, on_user, NULL, &n),
	    DB_OK);
	assert_int_equal(n + listed, 0);
	assert_int_equal(
	    users_find(sessions_tether_db(s), OURS, &person, &n), DB_NONE);
	assert_int_equal(
	    users_find(sessions_tether_db(s), "0", &person, &n), DB_NONE);
	sessions_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cases),
		TEST(test_log),
		TEST(test_person),
		TEST(test_claimed),
		TEST(test_not_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
