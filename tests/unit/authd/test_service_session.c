/* The session of the instance itself: how long it lasts, and when it has none. */

#include "tests/unit/authd/service_fixture.h"

/* Made once, again before it is old, until it is no good. */
static void
test_kept(void **state)
{
	static const char *const changes[][3] = {
		{ "u", "UPDATE users SET is_active = 0",
		    "UPDATE users SET is_active = 1" },
		{ "u", "UPDATE users SET username = 'x'",
		    "DELETE FROM users WHERE id <> 1;"
		    "UPDATE users SET username = 'orchestrator'" },
		{ "t", "DELETE FROM service", "SELECT 1" },
	};
	struct fixture *f = *state;
	struct sessions *s;
	struct session session;
	char expected[64];
	time_t now = NOW;
	size_t i;

	run_sql(f->users, schemas[FORK]);
	s = sessions_new(&f->conf);
	session = ask_service(s, ACT, now);
	check_jwt(&session, 1, OURS, NOW);
	assert_string_equal(session.reason, "no rules");
	session = ask_service(s, ACT, now + SESSIONS_RENEW - 1);
	check_jwt(&session, 1, OURS, NOW);
	assert_false(made_one);
	now += SESSIONS_RENEW;
	session = ask_service(s, ACT, now);
	check_jwt(&session, 1, OURS, now);
	assert_true(made_one);
	(void)snprintf(
	    expected, sizeof(expected), "%d %lld", NOW, (long long)now);
	assert_string_equal(
	    query_sql(f->tether,
		"SELECT created_at || ' ' || last_seen FROM service"),
	    expected);

	for (i = 0; i < COUNT(changes); i++) {
		run_sql(changes[i][0][0] == 'u' ? f->users : f->tether,
		    changes[i][1]);
		session = ask_service(s, ACT, now);
		assert_false(made_one); /* a burst looks once */
		session = ask_service(s, ACT, ++now);
		assert_true(session.status != SESSION_OK || made_one);
		run_sql(changes[i][0][0] == 'u' ? f->users : f->tether,
		    changes[i][2]);
		session = ask_service(s, ACT, ++now);
		assert_int_equal(session.status, SESSION_OK);
	}
	sessions_free(s);
}

/* The same to watch: each time another one would be chosen, it is. */
static void
test_watch_kept(void **state)
{
	static const struct {
		const char *sql;
		bool tether; /* that is where */
		int64_t id;
		const char *name;
	} steps[] = {
		{ "SELECT 1", false, 7, "mona" },
		{ USER("9", "lisa", "1"), false, 7, "mona" },
		{ "UPDATE users SET last_login = 1", false, 7, "mona" },
		{ "UPDATE users SET is_active = 0 WHERE id = 7", false, 9,
		    "lisa" },
		{ "UPDATE users SET is_active = 1 WHERE id = 7", false, 7,
		    "mona" },
		{ "UPDATE users SET username = 'x' WHERE id = 7", false, 7,
		    "x" },
		{ USER("5", "hubot", "1"), false, 5, "hubot" },
		{ "DELETE FROM users WHERE id < 9", false, 9, "lisa" },
		{ NOTED("9", "lisa"), true, 9, "lisa" },
		{ USER("8", "bart", "1"), false, 9, "lisa" },
		{ "DELETE FROM service", true, 8, "bart" },
		{ "UPDATE users SET is_active = 0", false, 0, "" },
		{ "UPDATE users SET is_active = 1", false, 8, "bart" },
	};
	struct fixture *f = *state;
	struct sessions *s;
	struct session session;
	struct dump all;
	time_t now = NOW, issued = NOW;
	size_t i;

	run_sql(f->users, schemas[NEW]);
	run_sql(f->users, USER("7", "mona", "1"));
	s = sessions_new(&f->conf);
	for (i = 0; i < COUNT(steps); i++) {
		run_sql(steps[i].tether ? f->tether : f->users, steps[i].sql);
		all = dump_all(f);
		session = ask_service(s, WATCH, ++now);
		if (steps[i].id == 0)
			check_refusal(&session, SESSION_UNAVAILABLE,
			    "the web app has no users yet");
		else {
			if (made_one)
				issued = now;
			assert_int_equal(made_one,
			    i == 0 || steps[i].id != steps[i - 1].id ||
				strcmp(steps[i].name, steps[i - 1].name) != 0);
			check_jwt(&session, steps[i].id, steps[i].name, issued);
			assert_string_equal(session.reason, "watch runs");
		}
		assert_string_equal(dump_all(f).text, all.text);
	}
	session = ask_service(s, WATCH, issued + SESSIONS_RENEW - 1);
	check_jwt(&session, 8, "bart", issued);
	session = ask_service(s, WATCH, issued + SESSIONS_RENEW);
	check_jwt(&session, 8, "bart", issued + SESSIONS_RENEW);
	assert_string_equal(dump_all(f).text, all.text);
	sessions_free(s);
}

/* Who acts is never who merely watches, not even in one second. */
static void
test_both(void **state)
{
	struct fixture *f = *state;
	struct sessions *s;
	struct session session;
	int i;

	run_sql(f->users, schemas[NEW]);
	run_sql(f->users, USER("7", "admin", "1"));
	s = sessions_new(&f->conf);
	for (i = 0; i < 2; i++) {
		session = ask_service(s, WATCH, NOW);
		check_jwt(&session, 7, "admin", NOW);
		session = ask_service(s, ACT, NOW);
		check_jwt(&session, 8, OURS, NOW);
	}
	/* From the next second on it watches as what it is now. */
	session = ask_service(s, WATCH, NOW + 1);
	check_jwt(&session, 8, OURS, NOW + 1);
	session = ask_service(s, ACT, NOW + 1);
	check_jwt(&session, 8, OURS, NOW);
	run_sql(f->users, "UPDATE users SET is_active = 0 WHERE id = 8");
	for (i = 0; i < 2; i++) {
		session = ask_service(s, WATCH, NOW + 2);
		check_jwt(&session, 7, "admin", NOW + 2);
		session = ask_service(s, ACT, NOW + 2);
		check_refusal(&session, SESSION_DENIED,
		    "the account orchestrator is not active");
	}
	sessions_free(s);
}

/* No JWT that the settings do not call for; a reload changes it in place. */
static void
test_watch_off(void **state)
{
	struct fixture *f = *state;
	struct sessions *s;
	struct session session;

	run_sql(f->users, schemas[NEW]);
	run_sql(f->users, USER("7", "admin", "1"));
	s = sessions_new(&f->conf);
	session = ask_service(s, WATCH, NOW);
	check_jwt(&session, 7, "admin", NOW);
	f->conf.watch_runs = false;
	session = ask_service(s, WATCH, NOW);
	check_refusal(&session, SESSION_DENIED, "watch runs is off");
	session = ask_service(s, ACT, NOW);
	check_jwt(&session, 8, OURS, NOW);
	set_conf(&f->conf.users[0], "mona");
	session = ask_service(s, WATCH, NOW);
	check_refusal(&session, SESSION_DENIED, "watch runs is off");
	f->conf.watch_runs = true;
	sessions_reload(s);
	session = ask_service(s, WATCH, NOW);
	check_jwt(&session, 8, OURS, NOW);
	sessions_free(s);
}

/* Where rules say who people are it acts for nobody, but goes on to watch. */
static void
test_rules(void **state)
{
	struct fixture *f = *state;
	char **const rules[] = { &f->conf.users[SESSION_ROLE_READ_ONLY],
		&f->conf.teams[SESSION_ROLE_FULL],
		&f->conf.orgs[SESSION_ROLE_FULL] };
	struct sessions *s;
	struct session session;
	size_t i;

	run_sql(f->users, schemas[NEW]);
	s = sessions_new(&f->conf);
	for (i = 0; i < COUNT(rules); i++) {
		session = ask_service(s, ACT, NOW);
		check_jwt(&session, 1, OURS, NOW);
		set_conf(rules[i], "acme/staff");
		session = ask_service(s, ACT, NOW);
		check_refusal(&session, SESSION_DENIED,
		    "this instance lets in only whom it knows");
		assert_true(session.advice[0] != '\0');
		session = ask_service(s, WATCH, NOW);
		check_jwt(&session, 1, OURS, NOW);
		set_conf(rules[i], "");
	}
	/* Nor is a user made for what is refused. */
	run_sql(f->users, "DELETE FROM users;" USER("7", "admin", "1"));
	set_conf(rules[0], "mona");
	(void)ask_service(s, ACT, NOW + 1);
	assert_string_equal(
	    query_sql(f->users, "SELECT group_concat(username) FROM users"),
	    "admin");
	sessions_free(s);
}

/* Nothing works without both databases and a secret, for either purpose. */
static void
test_unavailable(void **state)
{
	static const char nobody[] = "this instance cannot sign anybody in";
	struct fixture *f = *state;
	struct session session;
	struct sessions *s;
	char path[sizeof(f->users) + 8];
	enum session_service service;
	const char *name;
	int64_t id;
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s.away", f->users);
	for (service = ACT; service <= WATCH; service++) {
		id = service == ACT ? 8 : 7;
		name = service == ACT ? OURS : "admin";
		(void)unlink(f->users);
		(void)unlink(f->tether);
		s = sessions_new(&f->conf);
		session = ask_service(s, service, NOW);
		check_refusal(&session, SESSION_UNAVAILABLE, no_database);
		run_sql(f->users, schemas[OLD]);
		run_sql(f->users, USER("7", "admin", "1"));
		/* Somebody holds one of them. */
		db = hold_lock(f->users);
		session = ask_service(s, service, NOW + 1);
		check_refusal(&session, SESSION_UNAVAILABLE, no_database);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		sessions_refresh(s);
		db = hold_lock(f->tether);
		session = ask_service(s, service, NOW + 1);
		check_refusal(&session, SESSION_UNAVAILABLE, no_database);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		session = ask_service(s, service, NOW + 2);
		check_jwt(&session, id, name, NOW + 2);
		/* What is known is not enough. */
		assert_int_equal(rename(f->users, path), 0);
		session = ask_service(s, service, NOW + 3);
		check_refusal(&session, SESSION_UNAVAILABLE, no_database);
		assert_int_equal(rename(path, f->users), 0);
		session = ask_service(s, service, NOW + 4);
		check_jwt(&session, id, name, NOW + 4);
		run_sql(f->tether, "REPLACE INTO service"
				   " VALUES (0, 8, char(0), 1, 1)");
		session = ask_service(s, service, NOW + 5);
		check_refusal(&session, SESSION_UNAVAILABLE, no_database);
		run_sql(f->tether, "DELETE FROM service");
		set_conf(&f->conf.jwt_secret, "");
		session = ask_service(s, service, NOW + 6);
		check_refusal(&session, SESSION_UNAVAILABLE, nobody);
		set_conf(&f->conf.jwt_secret, SECRET);
		session = ask_service(s, service, NOW + 7);
		check_jwt(&session, id, name, NOW + 7);
		sessions_free(s);
	}
}

/* However often it is asked, the databases are at most once a second. */
static void
test_refused_often(void **state)
{
	struct fixture *f = *state;
	struct session session;
	struct sessions *s;
	int i;

	run_sql(f->users, schemas[NEW]);
	s = sessions_new(&f->conf);
	(void)ask_service(s, WATCH, NOW);
	run_sql(f->users, USER("7", "admin", "1"));
	for (i = 0; i < 3; i++) {
		session = ask_service(s, WATCH, NOW);
		check_refusal(&session, SESSION_UNAVAILABLE,
		    "the web app has no users yet");
	}
	/* What one may not is not what the other may not. */
	session = ask_service(s, ACT, NOW);
	check_jwt(&session, 8, OURS, NOW);
	session = ask_service(s, WATCH, NOW - 1);
	assert_int_equal(session.status, SESSION_OK);

	run_sql(f->users, "UPDATE users SET is_active = 0");
	sessions_refresh(s);
	session = ask_service(s, ACT, NOW);
	check_refusal(
	    &session, SESSION_DENIED, "the account orchestrator is not active");
	run_sql(f->users, "UPDATE users SET is_active = 1");
	session = ask_service(s, ACT, NOW);
	assert_int_equal(session.status, SESSION_DENIED);
	/* A reload looks at once. */
	sessions_reload(s);
	session = ask_service(s, ACT, NOW);
	check_jwt(&session, 8, OURS, NOW);
	sessions_free(s);
}

/* What cannot be noted is not made: full, as far as SQLite is concerned. */
static void
test_full(void **state)
{
	struct fixture *f = *state;
	struct session session;
	struct sessions *s;

	run_sql(f->users, schemas[NEW]);
	s = sessions_new(&f->conf);
	run_sql(f->tether, "CREATE TRIGGER full BEFORE INSERT ON service"
			   " BEGIN SELECT RAISE(ABORT, 'no room'); END");
	session = ask_service(s, ACT, NOW);
	check_refusal(&session, SESSION_UNAVAILABLE, no_database);
	assert_string_equal(
	    query_sql(f->users, "SELECT count(*) FROM users"), "0");
	run_sql(f->tether, "DROP TRIGGER full");
	session = ask_service(s, ACT, NOW + 1);
	check_jwt(&session, 1, OURS, NOW + 1);
	sessions_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kept),
		TEST(test_watch_kept),
		TEST(test_both),
		TEST(test_watch_off),
		TEST(test_rules),
		TEST(test_unavailable),
		TEST(test_refused_often),
		TEST(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
