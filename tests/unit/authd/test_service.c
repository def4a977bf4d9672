/* The instance itself: which user of the upstream it is, and its session. */

#include "authd/users.h"
#include "tests/unit/authd/sessions_fixture.h"

#define OURS  "orchestrator"
#define OTHER "orch_0_orchestrator"

#define KNOWN(github_id, login, user_id, name)                           \
	"INSERT INTO identities (github_id, login, upstream_user_id,"    \
	" upstream_user_name, created_at, last_seen) VALUES (" github_id \
	", '" login "', " user_id ", '" name "', 1, 1);"
#define NOTED(user_id, name) \
	"INSERT INTO service VALUES (0, " user_id ", '" name "', 1, 1);"
#define USER(id, name, active)                                       \
	"INSERT INTO users (id, username, password_hash, is_active)" \
	" VALUES (" id ", '" name "', 'x', " active ");"
#define FORK_USER(id, name, github_id)                               \
	"INSERT INTO users (id, username, password_hash, github_id)" \
	" VALUES (" id ", '" name "', 'x', " github_id ");"

#define IN(schema) (1 << (schema))
#define ANY	   (IN(OLD) | IN(FORK) | IN(NEW))
#define ACT	   SESSION_SERVICE_ACT
#define WATCH	   SESSION_SERVICE_WATCH

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

static bool made_one;

static struct session
ask_service(struct sessions *s, enum session_service service, time_t now)
{
	struct session session;

	memset(&session, 0xff, sizeof(session));
	made_one = sessions_get_service(s, service, now, &session);
	/* Whatever it is, it is about us and nobody else. */
	assert_int_equal(session.github_id, 0);
	assert_string_equal(session.login, SESSION_SERVICE_LOGIN);
	return session;
}

/* The JWT is that user's, made then. */
static void
check_jwt(
    const struct session *session, int64_t id, const char *name, time_t issued)
{
	char expected[SESSION_JWT_MAX];

	if (session->status != SESSION_OK)
		fail_msg("refused: %s", session->reason);
	assert_int_equal(session->role, SESSION_ROLE_FULL);
	assert_int_equal(session->lifetime_ms, SESSIONS_LIFETIME_OK);
	assert_int_equal(
	    jwt_sign(expected, sizeof(expected), SECRET, id, name, issued), 0);
	assert_string_equal(session->jwt, expected);
}

static void
check_refusal(const struct session *session, enum session_status status,
    const char *reason)
{
	assert_int_equal(session->status, status);
	assert_string_equal(session->reason, reason);
	assert_string_equal(session->jwt, "");
	assert_int_equal(session->lifetime_ms,
	    status == SESSION_DENIED ? SESSIONS_LIFETIME_DENIED : 0);
	assert_false(made_one);
}

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

/* All rows with all columns of a table. */
static void
dump(const char *path, const char *table, char *text, size_t size)
{
	char sql[64];
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int i;

	(void)snprintf(sql, sizeof(sql), "SELECT * FROM %s", table);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		for (i = 0; i < sqlite3_column_count(stmt); i++) {
			(void)snprintf(sql, sizeof(sql), "%.60s\n",
			    sqlite3_column_type(stmt, i) == SQLITE_NULL
				? "null"
				: (const char *)sqlite3_column_text(stmt, i));
			assert_true(strlcat(text, sql, size) < size);
		}
	(void)sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* All that somebody could have written. */
struct dump {
	char text[4096];
};

static struct dump
dump_all(const struct fixture *f)
{
	struct dump d = { "" };

	dump(f->users, "users", d.text, sizeof(d.text));
	dump(f->tether, "identities", d.text, sizeof(d.text));
	dump(f->tether, "service", d.text, sizeof(d.text));
	return d;
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
		assert_int_equal(atoi(query_sql(f->users, sql)),
		    atoi(before) + cases[i].made);
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
		TEST(test_cases),
		TEST(test_log),
		TEST(test_kept),
		TEST(test_watch_kept),
		TEST(test_both),
		TEST(test_watch_off),
		TEST(test_rules),
		TEST(test_person),
		TEST(test_claimed),
		TEST(test_not_listed),
		TEST(test_unavailable),
		TEST(test_refused_often),
		TEST(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
