#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>

#include "authd/access.h"
#include "authd/jwt.h"
#include "authd/sessions.h"
#include "common/status.h"
#include "tests/unit/authd/fixture.h"

#define NOW 1700000000

static const char no_database[] = "user database is not available";

/* The rules let everybody in, for five minutes. */
static struct access_verdict
allowed(uint64_t github_id, const char *login)
{
	struct access_verdict verdict = { .result = ACCESS_ALLOWED,
		.github_id = github_id,
		.lifetime_ms = 300000 };

	(void)strlcpy(verdict.login, login, sizeof(verdict.login));
	(void)strlcpy(verdict.rule, "team acme/staff", sizeof(verdict.rule));
	return verdict;
}

static struct session
ask_about(struct sessions *s, const struct access_verdict *verdict, time_t now)
{
	struct session session;

	memset(&session, 0xff, sizeof(session));
	sessions_get(s, verdict, now, &session);
	return session;
}

static struct session
ask(struct sessions *s, uint64_t github_id, const char *login, time_t now)
{
	struct access_verdict verdict = allowed(github_id, login);

	return ask_about(s, &verdict, now);
}

static void
check_ok(struct sessions *s, time_t now)
{
	struct session session = ask(s, 5, "mona", now);

	if (session.status != SESSION_OK)
		fail_msg("refused: %s", session.reason);
}

static void
check_refused(struct sessions *s, time_t now, enum session_status status,
    const char *reason)
{
	struct session session = ask(s, 5, "mona", now);

	assert_int_equal(session.status, status);
	assert_string_equal(session.reason, reason);
	assert_string_equal(session.jwt, "");
	assert_int_equal(
	    session.lifetime_ms, status == SESSION_DENIED ? 5000 : 0);
}

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

/* Each way in which the upstream's database is of no use, and recovery. */
static void
test_broken_database(void **state)
{
	static const struct {
		const char *command; /* makes auth.db */
		const char *line;    /* for the operator */
	} cases[] = {
		{ "true", "does not exist (yet)" },
		{ "mkdir auth.db", "not a regular file" },
		{ "mkfifo auth.db", "not a regular file" },
		{ "ln -s auth.db auth.db", "Too many levels" },
		{ "ln -s nowhere auth.db", "does not exist (yet)" },
		{ ": >auth.db",
		    "no users table as the web app makes it (yet)" },
		{ "head -c 8192 /dev/zero | tr '\\0' x >auth.db",
		    "file is not a database" },
		{ "cp good.db auth.db && truncate -s 5000 auth.db",
		    "malformed" },
	};
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	char command[256], good[128];
	time_t now = NOW;
	size_t i, j;

	(void)snprintf(good, sizeof(good), "%s/good.db", f->dir);
	run_sql(good, schemas[NEW]);
	for (i = 0; i < COUNT(cases); i++) {
		(void)snprintf(command, sizeof(command), "cd %s && %s", f->dir,
		    cases[i].command);
		assert_int_equal(system(command), 0);
		(void)log_count(f, "");
		for (j = 0; j < 20; j++)
			check_refused(s, now, SESSION_UNAVAILABLE, no_database);
		if (log_count(f, cases[i].line) != 1)
			fail_msg("%s: %s", cases[i].command, f->lines);
		(void)snprintf(command, sizeof(command),
		    "cd %s && rm -rf auth.db && cp good.db auth.db", f->dir);
		assert_int_equal(system(command), 0);
		check_ok(s, now++);
		assert_int_equal(log_count(f, "user database works again"), 1);
		(void)snprintf(command, sizeof(command),
		    "cd %s && rm -rf auth.db", f->dir);
		assert_int_equal(system(command), 0);
		/* A minute's worth of lines must not hide the next case. */
		sessions_free(s);
		s = sessions_new(&f->conf);
	}
	sessions_free(s);
}

static void
test_missing_columns(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);

	run_sql(f->users, "CREATE TABLE users (id INTEGER PRIMARY KEY,"
			  " username TEXT)");
	check_refused(s, NOW, SESSION_UNAVAILABLE, no_database);
	assert_int_equal(log_count(f, "columns are missing"), 1);
	sessions_free(s);
}

static double
seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Held for long: the first one waits, the others do not. */
static void
test_lock(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	double start;
	sqlite3 *lock;
	int i;

	run_sql(f->users, schemas[NEW]);
	lock = hold_lock(f->users);
	start = seconds();
	for (i = 0; i < 16; i++)
		check_refused(s, NOW, SESSION_UNAVAILABLE, no_database);
	assert_true(seconds() - start > 0.9);
	assert_true(seconds() - start < 2.0);
	assert_int_equal(log_count(f, "locked"), 1);
	(void)sqlite3_close(lock);
	start = seconds();
	check_ok(s, NOW);
	assert_true(seconds() - start < 0.5);

	/* The same with our own database. */
	sessions_refresh(s);
	lock = hold_lock(f->tether);
	check_refused(s, NOW, SESSION_UNAVAILABLE, no_database);
	(void)sqlite3_close(lock);
	check_ok(s, NOW);
	sessions_free(s);
}

/* Readers get through a writer in WAL mode, and do without last_login. */
static void
test_lock_wal(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	sqlite3 *lock;

	run_sql(f->users, schemas[NEW]);
	run_sql(f->users, "PRAGMA journal_mode = WAL");
	check_ok(s, NOW);
	lock = hold_lock(f->users);
	check_ok(s, NOW + SESSIONS_RENEW);
	assert_int_equal(ask(s, 6, "lisa", NOW).status, SESSION_UNAVAILABLE);
	(void)sqlite3_close(lock);
	assert_int_equal(ask(s, 6, "lisa", NOW).status, SESSION_OK);
	sessions_free(s);
}

/* A short lock of another process is waited for. */
static void
test_short_lock(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	int ready[2], status;
	char byte = 0;
	pid_t pid;

	run_sql(f->users, schemas[NEW]);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)hold_lock(f->users);
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		(void)usleep(300000);
		_exit(0); /* which gives up the lock */
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	check_ok(s, NOW);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
	sessions_free(s);
}

/* As a page does: where the disk is slow the lock may be held for long. */
static enum session_status
ask_until_available(struct sessions *s, uint64_t github_id, const char *login)
{
	enum session_status status;
	int tries = 0;

	do {
		status = ask(s, github_id, login, NOW).status;
		if (status == SESSION_UNAVAILABLE)
			(void)usleep(200000);
	} while (status == SESSION_UNAVAILABLE && ++tries < 50);
	return status;
}

/* The web app's server makes the same users at the same time. */
static void
test_concurrent_inserts(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	char sql[160], login[32];
	int i, status;
	pid_t pid;

	run_sql(f->users, schemas[NEW]);
	run_sql(f->users, "PRAGMA journal_mode = WAL");
	pid = fork();
	assert_int_not_equal(pid, -1);
	for (i = 0; i < 100; i++) {
		(void)snprintf(login, sizeof(login), "user%d", i);
		(void)snprintf(sql, sizeof(sql),
		    "INSERT OR IGNORE INTO users (username, password_hash)"
		    " VALUES ('%s', 'x')",
		    login);
		if (pid == 0)
			run_sql(f->users, sql);
		else
			assert_int_equal(
			    ask_until_available(s, (uint64_t)i + 1, login),
			    SESSION_OK);
	}
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(
	    query_sql(f->users, "SELECT count(*) FROM users"), "100");
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(DISTINCT upstream_user_id)"
				 " FROM identities"),
	    "100");
	sessions_free(s);
}

/* Run in another process, as an ordinary user where this one is root. */
static void
run_unprivileged(struct fixture *f, void (*check)(struct fixture *))
{
	int status;
	pid_t pid;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) == -1)
			_exit(1);
		check(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Known people get in, others would need a row. */
static void
check_read_only(struct fixture *f)
{
	struct sessions *s = sessions_new(&f->conf);

	check_ok(s, NOW);
	assert_int_equal(ask(s, 6, "lisa", NOW).status, SESSION_UNAVAILABLE);
	assert_true(log_count(f, "check the owner and mode") >= 1);
	sessions_free(s);
}

static void
check_unreadable(struct fixture *f)
{
	struct sessions *s = sessions_new(&f->conf);

	check_refused(s, NOW, SESSION_UNAVAILABLE, no_database);
	assert_int_equal(log_count(f, "check the owner and mode"), 1);
	sessions_free(s);
}

static void
check_no_state(struct fixture *f)
{
	struct sessions *s = sessions_new(&f->conf);

	check_refused(s, NOW, SESSION_UNAVAILABLE, no_database);
	assert_int_equal(log_count(f, "can't create"), 1);
	sessions_free(s);
}

static void
test_permissions(void **state)
{
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);
	char command[512];

	run_sql(f->users, schemas[NEW]);
	check_ok(s, NOW);
	sessions_free(s);
	(void)snprintf(command, sizeof(command),
	    "cd %s && chmod -R a+rwX . && chmod 444 auth.db && chmod 755 .",
	    f->dir);
	assert_int_equal(system(command), 0);
	run_unprivileged(f, check_read_only);
	(void)snprintf(command, sizeof(command), "chmod 0 %s/auth.db", f->dir);
	assert_int_equal(system(command), 0);
	run_unprivileged(f, check_unreadable);
	(void)snprintf(command, sizeof(command),
	    "cd %s && chmod 666 auth.db && rm -r a && mkdir -m 555 a", f->dir);
	assert_int_equal(system(command), 0);
	run_unprivileged(f, check_no_state);
	(void)snprintf(command, sizeof(command), "chmod -R u+rwX %s", f->dir);
	assert_int_equal(system(command), 0);
}

/* A file that may not grow stands for a full disk. */
static void
test_full_disk(void **state)
{
	const struct rlimit full = { 1, RLIM_INFINITY };
	const struct rlimit free_again = { RLIM_INFINITY, RLIM_INFINITY };
	struct fixture *f = *state;
	struct sessions *s = sessions_new(&f->conf);

	run_sql(f->users, schemas[NEW]);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	check_refused(s, NOW, SESSION_UNAVAILABLE, no_database);
	check_refused(s, NOW, SESSION_UNAVAILABLE, no_database);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &free_again), 0);
	assert_int_equal(log_count(f, "database"), 1);
	assert_non_null(strstr(f->lines, "check the disk"));
	check_ok(s, NOW);
	assert_int_equal(log_count(f, "works again"), 1);
	assert_string_equal(
	    query_sql(f->users, "SELECT count(*) FROM users"), "1");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		TEST(test_broken_database),
		TEST(test_missing_columns),
		TEST(test_lock),
		TEST(test_lock_wal),
		TEST(test_short_lock),
		TEST(test_concurrent_inserts),
		TEST(test_permissions),
		TEST(test_full_disk),
		TEST(test_reload),
		TEST(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
