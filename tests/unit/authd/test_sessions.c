#include "authd/jwt.h"
#include "common/status.h"
#include "tests/unit/authd/sessions_fixture.h"

/* Who gets which session, for how long, and what ends it sooner. */

static void
test_burst(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct session first, session;
	int i;

	run_sql(f->users, schemas[NEW]);
	first = ask(s, 5, "mona", NOW);
	assert_int_equal(first.status, SESSION_OK);
	assert_int_equal(first.role, SESSION_ROLE_FULL);
	assert_int_equal(first.lifetime_ms, 60000);
	assert_string_equal(first.reason, "team acme/staff");
	assert_string_equal(first.advice, "");
	assert_int_equal(first.github_id, 5);
	assert_string_equal(first.login, "mona");
	for (i = 1; i < 16; i++) {
		session = ask(s, 5, "mona", NOW);
		assert_int_equal(session.status, SESSION_OK);
		assert_string_equal(session.jwt, first.jwt);
	}
	assert_string_equal(
	    query_sql(f->users, "SELECT count(*) FROM users"), "1");
	assert_string_not_equal(
	    query_sql(f->users, "SELECT last_login FROM users"), "null");
	assert_int_equal(log_count(f, "created user mona (id 1)"), 1);
	sessions_log_status(s);
	assert_int_equal(
	    log_count(f, "1 sessions cached; 1 JWTs made, 1 users "
			 "created, 0 bound; answers: 16 ok, 0 denied, 0 "
			 "unavailable, 0 too busy"),
	    1);
	sessions_free(s);
}

/* A JWT lives on for ten minutes at least when proxyd lets go of it. */
static void
test_renewal(void **state)
{
	static const time_t ages[] = { 0, 1, 60, SESSIONS_RENEW - 1 };
	static const time_t renewed[] = { SESSIONS_RENEW, JWT_LIFETIME, -1,
		-86400 };
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct session first;
	time_t now = NOW;
	size_t i;

	assert_true(
	    SESSIONS_RENEW + SESSIONS_LIFETIME_OK / 1000 + 600 <= JWT_LIFETIME);
	run_sql(f->users, schemas[NEW]);
	first = ask(s, 5, "mona", now);
	for (i = 0; i < COUNT(ages); i++)
		assert_string_equal(
		    ask(s, 5, "mona", now + ages[i]).jwt, first.jwt);
	for (i = 0; i < COUNT(renewed); i++) {
		run_sql(f->users, "UPDATE users SET last_login = NULL");
		now += renewed[i];
		assert_string_not_equal(ask(s, 5, "mona", now).jwt, first.jwt);
		first = ask(s, 5, "mona", now);
		assert_string_not_equal(
		    query_sql(f->users, "SELECT last_login FROM users"),
		    "null");
	}
	/* last_login is written for a new JWT only. */
	run_sql(f->users, "UPDATE users SET last_login = NULL");
	assert_string_equal(ask(s, 5, "mona", now + 9).jwt, first.jwt);
	assert_string_equal(
	    query_sql(f->users, "SELECT last_login FROM users"), "null");
	sessions_free(s);
}

/* What a verdict makes of the person, and for how long. */
static void
test_verdicts(void **state)
{
	static const struct {
		enum access_result result;
		uint32_t verdict_ms;
		enum session_status status;
		uint32_t session_ms;
		const char *reason, *advice;
	} cases[] = {
		{ ACCESS_ALLOWED, 300000, SESSION_OK, 60000, "a rule", "" },
		{ ACCESS_ALLOWED, 60001, SESSION_OK, 60000, "a rule", "" },
		{ ACCESS_ALLOWED, 59999, SESSION_OK, 59999, "a rule", "" },
		{ ACCESS_ALLOWED, 0, SESSION_OK, 0, "a rule", "" },
		{ ACCESS_REFUSED, 300000, SESSION_DENIED, 5000, "why", "ask" },
		{ ACCESS_REFUSED, 1, SESSION_DENIED, 5000, "why", "ask" },
		{ ACCESS_BUSY, 300000, SESSION_BUSY, 1000, "why", "ask" },
		{ (enum access_result)7, 9, SESSION_DENIED, 5000, "why",
		    "ask" },
	};
	struct fixture *f = *state;
	struct access_verdict verdict = allowed(5, "mona");
	struct sessions *s = sessions_new(&f->conf);
	struct session session;
	size_t i;

	run_sql(f->users, schemas[NEW]);
	(void)strlcpy(verdict.rule, "a rule", sizeof(verdict.rule));
	(void)strlcpy(verdict.reason, "why", sizeof(verdict.reason));
	(void)strlcpy(verdict.advice, "ask", sizeof(verdict.advice));
	for (i = 0; i < COUNT(cases); i++) {
		verdict.result = cases[i].result;
		verdict.lifetime_ms = cases[i].verdict_ms;
		session = ask_about(s, &verdict, NOW);
		assert_int_equal(session.status, cases[i].status);
		assert_int_equal(session.lifetime_ms, cases[i].session_ms);
		assert_string_equal(session.reason, cases[i].reason);
		assert_string_equal(session.advice, cases[i].advice);
		assert_int_equal(session.github_id, 5);
		assert_string_equal(session.login, "mona");
		assert_int_equal(
		    session.jwt[0] != '\0', cases[i].status == SESSION_OK);
	}
	/* Who is refused does not get to the databases. */
	verdict.github_id = 6;
	verdict.result = ACCESS_REFUSED;
	(void)ask_about(s, &verdict, NOW);
	verdict.github_id = 0;
	verdict.result = ACCESS_BUSY;
	(void)ask_about(s, &verdict, NOW);
	assert_string_equal(
	    query_sql(f->users, "SELECT group_concat(username) FROM users"),
	    "mona");
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(*) FROM identities"), "1");
	sessions_free(s);
}

/* Should a verdict ever let in what is nobody: it gets no further. */
static void
test_nobody(void **state)
{
	static const struct {
		uint64_t github_id;
		const char *login;
	} cases[] = {
		{ 0, "mona" },
		{ (uint64_t)INT64_MAX + 1, "mona" },
		{ UINT64_MAX, "mona" },
		{ 5, "" },
		{ 5, "mo na" },
		{ 5, "mo\nna" },
		{ 5, "mona'" },
		{ 5, "../mona" },
	};
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct session session;
	size_t i;

	run_sql(f->users, schemas[NEW]);
	for (i = 0; i < COUNT(cases); i++) {
		session = ask(s, cases[i].github_id, cases[i].login, NOW);
		assert_int_equal(session.status, SESSION_DENIED);
		assert_string_equal(session.jwt, "");
	}
	assert_string_equal(
	    query_sql(f->users, "SELECT count(*) FROM users"), "0");
	sessions_free(s);
}

/* The operator's role counts more than that of the rules, either way. */
static void
test_roles(void **state)
{
	static const struct {
		const char *operator;
		enum session_role rules, role;
	} cases[] = {
		{ "NULL", SESSION_ROLE_FULL, SESSION_ROLE_FULL },
		{ "NULL", SESSION_ROLE_READ_ONLY, SESSION_ROLE_READ_ONLY },
		{ "'full'", SESSION_ROLE_FULL, SESSION_ROLE_FULL },
		{ "'full'", SESSION_ROLE_READ_ONLY, SESSION_ROLE_FULL },
		{ "'read-only'", SESSION_ROLE_FULL, SESSION_ROLE_READ_ONLY },
		{ "'read-only'", SESSION_ROLE_READ_ONLY,
		    SESSION_ROLE_READ_ONLY },
	};
	struct fixture *f = *state;
	struct access_verdict verdict = allowed(5, "mona");
	struct sessions *s = sessions_new(&f->conf);
	time_t now = NOW;
	char sql[128];
	size_t i;
	int j;

	run_sql(f->users, schemas[NEW]);
	check_ok(s, now);
	for (i = 0; i < COUNT(cases); i++) {
		(void)snprintf(sql, sizeof(sql),
		    "UPDATE identities SET role = %s", cases[i].operator);
		run_sql(f->tether, sql);
		verdict.role = cases[i].rules;
		now++;
		/* The second time from memory, and with the other role of the
		 * rules as well. */
		for (j = 0; j < 2; j++)
			assert_int_equal(
			    ask_about(s, &verdict, now).role, cases[i].role);
	}
	sessions_free(s);
}

/* Within the same second only if somebody says so. */
static void
test_drop(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct session session;

	run_sql(f->users, schemas[NEW]);
	check_ok(s, NOW);
	assert_int_equal(ask(s, 6, "lisa", NOW).status, SESSION_OK);
	run_sql(f->tether, "UPDATE identities SET disabled = 1");
	check_ok(s, NOW);
	sessions_drop(s, 5);
	sessions_drop(s, 99);
	check_refused(
	    s, NOW, SESSION_DENIED, "your access to this instance is disabled");
	session = ask(s, 5, "mona", NOW);
	assert_non_null(strstr(session.advice, "tetherctl users enable"));
	assert_int_equal(ask(s, 6, "lisa", NOW).status, SESSION_OK);
	sessions_free(s);
}

/* What changes under a cached session counts within a second. */
static void
test_revalidation(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	time_t now = NOW;

	run_sql(f->users, schemas[NEW]);
	check_ok(s, now++);
	run_sql(f->users, "UPDATE users SET is_active = 0");
	check_refused(s, now++, SESSION_DENIED, "your account is not active");
	run_sql(f->users, "UPDATE users SET is_active = 1");
	check_ok(s, now++);
	run_sql(f->tether, "UPDATE identities SET disabled = 1");
	check_refused(s, now++, SESSION_DENIED,
	    "your access to this instance is disabled");
	run_sql(f->tether, "UPDATE identities SET disabled = 0");
	check_ok(s, now++);
	/* Deleted: another row is made, with another id. */
	run_sql(f->users, "DELETE FROM users");
	check_ok(s, now++);
	assert_string_equal(query_sql(f->users, "SELECT id FROM users"), "2");
	/* The file is replaced. */
	assert_int_equal(unlink(f->users), 0);
	check_refused(s, now++, SESSION_UNAVAILABLE, no_database);
	run_sql(f->users, schemas[OLD]);
	check_ok(s, now++);
	assert_string_equal(query_sql(f->users, "SELECT id FROM users"), "1");
	sessions_free(s);
}

/* GitHub's word and the orchestrator's may differ in case alone. */
static void
test_case(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct session first;

	run_sql(f->users, schemas[NEW]);
	first = ask(s, 5, "mona", NOW);
	assert_string_equal(ask(s, 5, "Mona", NOW + 1).jwt, first.jwt);
	assert_string_equal(ask(s, 5, "Mona", NOW + 1).login, "Mona");
	assert_string_not_equal(ask(s, 5, "monas", NOW + 1).jwt, first.jwt);
	sessions_free(s);
}

/* A replaced database brings its own secret, a refresh looks for one. */
static void
test_secret_rotation(void **state)
{
	struct fixture *f = *state;
	struct sessions *s;
	struct session a, b;

	set_conf(&f->conf.jwt_secret, "");
	run_sql(f->users, schemas[NEW]);
	s = sessions_new(&f->conf);
	check_refused(s, NOW, SESSION_UNAVAILABLE,
	    "this instance cannot sign anybody in");
	run_sql(f->users,
	    "INSERT INTO app_config (key, value) VALUES ('jwt_secret', 'one')");
	a = ask(s, 5, "mona", NOW);
	assert_int_equal(a.status, SESSION_OK);
	run_sql(f->users, "UPDATE app_config SET value = 'two'");
	assert_string_equal(ask(s, 5, "mona", NOW).jwt, a.jwt);
	sessions_refresh(s);
	b = ask(s, 5, "mona", NOW);
	assert_int_equal(b.status, SESSION_OK);
	assert_string_not_equal(b.jwt, a.jwt);
	assert_int_equal(
	    jwt_sign(a.jwt, sizeof(a.jwt), "two", 1, "mona", NOW), 0);
	assert_string_equal(b.jwt, a.jwt);

	assert_int_equal(unlink(f->users), 0);
	run_sql(f->users, schemas[NEW]);
	run_sql(f->users, "INSERT INTO app_config (key, value)"
			  " VALUES ('jwt_secret', 'three')");
	b = ask(s, 5, "mona", NOW + 1);
	assert_int_equal(
	    jwt_sign(a.jwt, sizeof(a.jwt), "three", 1, "mona", NOW + 1), 0);
	assert_string_equal(b.jwt, a.jwt);
	/* Neither a secret nor a JWT ever shows in the log. */
	assert_int_equal(log_count(f, "eyJ"), 0);
	sessions_free(s);
}

static void
test_cache_bound(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct session first;
	char login[32], expected[64];
	int i;

	run_sql(f->users, schemas[NEW]);
	run_sql(f->users, "PRAGMA journal_mode = WAL");
	run_sql(f->tether, "PRAGMA journal_mode = WAL");
	first = ask(s, 5, "mona", NOW);
	for (i = 0; i < SESSIONS_MAX + 10; i++) {
		(void)snprintf(login, sizeof(login), "user%d", i);
		assert_int_equal(
		    ask(s, (uint64_t)i + 100, login, NOW).status, SESSION_OK);
		/* In use all the time, so not the one that goes. */
		assert_string_equal(ask(s, 5, "mona", NOW).jwt, first.jwt);
	}
	(void)log_count(f, "");
	sessions_log_status(s);
	(void)snprintf(
	    expected, sizeof(expected), "%d sessions cached", SESSIONS_MAX);
	assert_int_equal(log_count(f, expected), 1);
	sessions_free(s);
}

/* JWTs so long that the vault is full first: it is the last ones that stay. */
static void
test_cache_of_long_ones(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct session first, last = { 0 };
	char login[32];
	int i;

	run_sql(f->users, schemas[FORK]);
	run_sql(f->users,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 500) INSERT INTO users (username, password_hash, "
	    "github_id) SELECT replace(hex(zeroblob(120)), '0', char(1)) || i,"
	    " '', i FROM n");
	run_sql(f->users, "PRAGMA journal_mode = WAL");
	run_sql(f->tether, "PRAGMA journal_mode = WAL");
	first = ask(s, 1, "user1", NOW);
	for (i = 2; i <= 500; i++) {
		(void)snprintf(login, sizeof(login), "user%d", i);
		last = ask(s, (uint64_t)i, login, NOW);
		assert_int_equal(last.status, SESSION_OK);
		/* In use all the time, so not the one that goes. */
		assert_string_equal(ask(s, 1, "user1", NOW).jwt, first.jwt);
	}
	assert_true(strlen(last.jwt) > 1024);
	assert_string_equal(ask(s, 500, "user500", NOW).jwt, last.jwt);
	(void)log_count(f, "");
	sessions_log_status(s);
	assert_int_equal(log_count(f, "; 500 JWTs made"), 1);
	sessions_free(s);
}

/* Other settings, where the old ones were: they count at once. */
static void
test_reload(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct session first;

	run_sql(f->users, schemas[OLD]);
	first = ask(s, 5, "mona", NOW);
	assert_int_equal(first.status, SESSION_OK);
	set_conf(&f->conf.jwt_secret, "another secret");
	sessions_reload(s);
	assert_string_not_equal(ask(s, 5, "mona", NOW).jwt, first.jwt);
	assert_int_equal(log_count(f, "publishes"), 0);

	/* The published secret, without and with the flag that allows it. */
	set_conf(&f->conf.jwt_secret, PUBLISHED);
	sessions_reload(s);
	assert_int_equal(log_count(f, "nobody will be signed in"), 1);
	check_refused(s, NOW, SESSION_UNAVAILABLE,
	    "this instance cannot sign anybody in");
	f->conf.jwt_secret_default = true;
	sessions_reload(s);
	assert_int_equal(log_count(f, "anyone who reaches the web app"), 1);
	check_ok(s, NOW);
	set_conf(&f->conf.jwt_secret, "");
	sessions_reload(s);
	check_ok(s, NOW);

	/* Nobody is adopted any more, but who was bound stays so. */
	run_sql(f->users,
	    "INSERT INTO users (username, password_hash) VALUES ('lisa', 'x')");
	f->conf.adopt = false;
	sessions_reload(s);
	assert_int_equal(ask(s, 6, "lisa", NOW).status, SESSION_OK);
	check_ok(s, NOW);
	assert_string_equal(
	    query_sql(f->users, "SELECT group_concat(username) FROM"
				" (SELECT * FROM users ORDER BY id)"),
	    "mona,lisa,orch_6_lisa");
	sessions_free(s);
}

static void
test_status(void **state)
{
	static const struct {
		enum status_id id;
		uint64_t value;
	} wanted[] = {
		{ STATUS_AUTHD_ASKED, 8 },
		{ STATUS_AUTHD_ALLOWED, 3 },
		{ STATUS_AUTHD_DENIED, 2 },
		{ STATUS_AUTHD_FAILED, 1 },
		{ STATUS_AUTHD_USERS_CREATED, 1 },
		{ STATUS_AUTHD_USERS_BOUND, 1 },
	};
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	struct status *status = status_new(PROGRAM_AUTHD);
	struct access_verdict busy = { .result = ACCESS_BUSY };
	char text[128];
	size_t i;

	sessions_status(s, status);
	(void)snprintf(text, sizeof(text), "%s (not opened yet)", f->users);
	assert_string_equal(status_text(status, STATUS_AUTHD_DATABASE), text);
	(void)ask(s, 5, "mona", NOW);
	sessions_status(s, status);
	(void)snprintf(text, sizeof(text), "%s (cannot be used)", f->users);
	assert_string_equal(status_text(status, STATUS_AUTHD_DATABASE), text);
	run_sql(f->users, schemas[NEW]);
	run_sql(f->users,
	    "INSERT INTO users (username, password_hash) VALUES ('lisa', 'x')");
	for (i = 0; i < 2; i++) {
		(void)ask(s, 5, "mona", NOW);
		(void)ask(s, 0, "mona", NOW);
		(void)ask_about(s, &busy, NOW);
	}
	(void)ask(s, 6, "lisa", NOW);
	sessions_status(s, status);
	assert_string_equal(
	    status_text(status, STATUS_AUTHD_DATABASE), f->users);
	for (i = 0; i < COUNT(wanted); i++)
		assert_int_equal(
		    status_number(status, wanted[i].id), wanted[i].value);
	status_free(status);
	sessions_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_burst),
		TEST(test_renewal),
		TEST(test_verdicts),
		TEST(test_nobody),
		TEST(test_roles),
		TEST(test_drop),
		TEST(test_revalidation),
		TEST(test_case),
		TEST(test_secret_rotation),
		TEST(test_cache_bound),
		TEST(test_cache_of_long_ones),
		TEST(test_reload),
		TEST(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
