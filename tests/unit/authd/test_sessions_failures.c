#include <sys/resource.h>
#include <sys/wait.h>

#include <signal.h>
#include <time.h>

#include "tests/unit/authd/sessions_fixture.h"

/* Databases that are broken, locked, out of reach or full, and recovery. */

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_broken_database),
		TEST(test_missing_columns),
		TEST(test_lock),
		TEST(test_lock_wal),
		TEST(test_short_lock),
		TEST(test_concurrent_inserts),
		TEST(test_permissions),
		TEST(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
