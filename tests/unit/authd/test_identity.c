#include "authd/identity.h"
#include "tests/unit/authd/fixture.h"

/* The tether.db of a while ago, for cases that start with one. */
#define KNOWN(github_id, login, user_id, name, disabled)                           \
	"INSERT INTO identities (github_id, login, upstream_user_id,"              \
	" upstream_user_name, disabled, created_at, last_seen) VALUES (" github_id \
	", '" login "', " user_id ", " name ", " disabled ", 1, 1);"

/* Always asked: GitHub id 5, login "mona" unless the case says otherwise. */
static const struct {
	const char *what;
	int in;		    /* these schemas */
	const char *users;  /* SQL */
	const char *tether; /* SQL */
	const char *login;
	enum session_status status;
	const char *name; /* of the user, or a part of the reason */
	int64_t id;	  /* 0 for any */
	int created, bound;
} cases[] = {
	{ "nobody there", ANY, "", "", "mona", SESSION_OK, "mona", 1, 1, 0 },
	{ "somebody else there", ANY, USER("7", "admin", "1"), "", "mona",
	    SESSION_OK, "mona", 8, 1, 0 },
	{ "adopted by login", ANY, USER("7", "mona", "1"), "", "mona",
	    SESSION_OK, "mona", 7, 0, 1 },
	{ "names compare as the app does", ANY, USER("7", "Mona", "1"), "",
	    "mona", SESSION_OK, "mona", 8, 1, 0 },
	{ "found by binding", ANY, USER("7", "mona", "1"),
	    KNOWN("5", "mona", "7", "'mona'", "0"), "mona", SESSION_OK, "mona",
	    7, 0, -1 },
	{ "renamed at GitHub", ANY,
	    USER("7", "mona", "1") USER("8", "lisa", "1"),
	    KNOWN("5", "mona", "7", "'mona'", "0"), "lisa", SESSION_OK, "mona",
	    7, 0, -1 },
	{ "login now somebody else's", ANY, USER("7", "mona", "1"),
	    KNOWN("9", "mona", "7", "'mona'", "0"), "mona", SESSION_OK,
	    "orch_5_mona", 8, 1, 0 },
	{ "own namespaced user", ANY,
	    USER("7", "mona", "1") USER("8", "orch_5_mona", "1"),
	    KNOWN("9", "mona", "7", "'mona'", "0"), "mona", SESSION_OK,
	    "orch_5_mona", 8, 0, 1 },
	{ "namespaced taken as well", ANY,
	    USER("7", "mona", "1") USER("8", "orch_5_mona", "1"),
	    KNOWN("9", "mona", "7", "'mona'", "0")
		KNOWN("10", "x", "8", "'orch_5_mona'", "0"),
	    "mona", SESSION_DENIED, "no account name", 0, 0, 0 },
	{ "login in another's namespace", ANY, USER("7", "orch_6_mona", "1"),
	    "", "orch_6_mona", SESSION_OK, "orch_5_orch_6_mona", 8, 1, 0 },
	{ "bound user deleted", ANY, "", KNOWN("5", "mona", "7", "'mona'", "0"),
	    "mona", SESSION_OK, "mona", 1, 1, 0 },
	{ "database made anew, id is another's", ANY, USER("7", "admin", "1"),
	    KNOWN("5", "mona", "7", "'mona'", "0"), "mona", SESSION_OK, "mona",
	    8, 1, 0 },
	{ "database made anew, another's old id", ANY, USER("7", "mona", "1"),
	    KNOWN("9", "lisa", "7", "'lisa'", "0"), "mona", SESSION_OK, "mona",
	    7, 0, 1 },
	{ "user switched off", ANY, USER("7", "mona", "0"),
	    KNOWN("5", "mona", "7", "'mona'", "0"), "mona", SESSION_DENIED,
	    "not active", 0, 0, 0 },
	{ "user switched off, by login", ANY, USER("7", "mona", "0"), "",
	    "mona", SESSION_DENIED, "not active", 0, 0, 0 },
	{ "is_active is NULL", ANY, USER("7", "mona", "NULL"), "", "mona",
	    SESSION_DENIED, "not active", 0, 0, 0 },
	{ "is_active is 2", ANY, USER("7", "mona", "2"), "", "mona",
	    SESSION_DENIED, "not active", 0, 0, 0 },
	{ "disabled here", ANY, USER("7", "mona", "1"),
	    KNOWN("5", "mona", "7", "'mona'", "1"), "mona", SESSION_DENIED,
	    "disabled", 0, 0, 0 },
	{ "disabled before the first session", ANY, "",
	    KNOWN("5", "mona", "NULL", "NULL", "1"), "mona", SESSION_DENIED,
	    "disabled", 0, 0, 0 },
	{ "known, not bound", ANY, "", KNOWN("5", "mona", "NULL", "NULL", "0"),
	    "mona", SESSION_OK, "mona", 1, 1, 0 },
	{ "found by column", IN(FORK), FORK_USER("7", "lisa", "'5'"), "",
	    "mona", SESSION_OK, "lisa", 7, 0, 1 },
	{ "column before binding", IN(FORK),
	    FORK_USER("7", "lisa", "'5'") USER("8", "mona", "1"),
	    KNOWN("5", "mona", "8", "'mona'", "0"), "mona", SESSION_OK, "lisa",
	    7, 0, 1 },
	{ "column before another's binding", IN(FORK),
	    FORK_USER("7", "mona", "'5'"),
	    KNOWN("9", "mona", "7", "'mona'", "0"), "mona", SESSION_OK, "mona",
	    7, 0, 1 },
	{ "login claimed by column", IN(FORK), FORK_USER("7", "mona", "'9'"),
	    "", "mona", SESSION_OK, "orch_5_mona", 8, 1, 0 },
	{ "column is no number", IN(FORK), FORK_USER("7", "mona", "'5x'"), "",
	    "mona", SESSION_OK, "orch_5_mona", 8, 1, 0 },
	{ "column is a number beyond", IN(FORK),
	    FORK_USER("7", "mona", "'18446744073709551621'"), "", "mona",
	    SESSION_OK, "orch_5_mona", 8, 1, 0 },
	{ "column is empty", IN(FORK), FORK_USER("7", "mona", "''"), "", "mona",
	    SESSION_OK, "mona", 7, 0, 1 },
	{ "binding contradicts column", IN(FORK), FORK_USER("7", "mona", "'9'"),
	    KNOWN("5", "mona", "7", "'mona'", "0"), "mona", SESSION_OK,
	    "orch_5_mona", 8, 1, 0 },
	/* The name of the instance itself, in whatever case. */
	{ "our name", ANY, "", "", "orchestrator", SESSION_OK,
	    "orch_5_orchestrator", 1, 1, 0 },
	{ "our name, somebody has it", ANY, USER("7", "orchestrator", "1"), "",
	    "orchestrator", SESSION_OK, "orch_5_orchestrator", 8, 1, 0 },
	{ "our name, in another case", ANY, USER("7", "Orchestrator", "1"), "",
	    "Orchestrator", SESSION_OK, "orch_5_Orchestrator", 8, 1, 0 },
	{ "our name, switched off", ANY, USER("7", "orchestrator", "0"), "",
	    "orchestrator", SESSION_OK, "orch_5_orchestrator", 8, 1, 0 },
	{ "our name, bound from before", ANY, USER("7", "orchestrator", "1"),
	    KNOWN("5", "orchestrator", "7", "'orchestrator'", "0"),
	    "orchestrator", SESSION_OK, "orchestrator", 7, 0, -1 },
	{ "our name by column", IN(FORK), FORK_USER("7", "orchestrator", "'5'"),
	    "", "orchestrator", SESSION_OK, "orchestrator", 7, 0, 1 },
	{ "a longer name than ours", ANY, USER("7", "orchestrator2", "1"), "",
	    "orchestrator2", SESSION_OK, "orchestrator2", 7, 0, 1 },
	{ "our other name", ANY, USER("7", "orch_0_orchestrator", "1"), "",
	    "orch_0_orchestrator", SESSION_OK, "orch_5_orch_0_orchestrator", 8,
	    1, 0 },
	/* "adopt no": nobody who was there is adopted by login. */
	{ "strict: nobody there", ANY, "", "", "mona", SESSION_OK, "mona", 1, 1,
	    0 },
	{ "strict: login is somebody's", ANY, USER("7", "mona", "1"), "",
	    "mona", SESSION_OK, "orch_5_mona", 8, 1, 0 },
	{ "strict: who is switched off says nothing", ANY,
	    USER("7", "mona", "0"), "", "mona", SESSION_OK, "orch_5_mona", 8, 1,
	    0 },
	{ "strict: who was bound stays so", ANY, USER("7", "mona", "1"),
	    KNOWN("5", "mona", "7", "'mona'", "0"), "mona", SESSION_OK, "mona",
	    7, 0, -1 },
	{ "strict: own namespaced user", ANY,
	    USER("7", "mona", "1") USER("8", "orch_5_mona", "1"), "", "mona",
	    SESSION_OK, "orch_5_mona", 8, 0, 1 },
	{ "strict: another's binding of an old id", ANY, USER("7", "mona", "1"),
	    KNOWN("9", "lisa", "7", "'lisa'", "0"), "mona", SESSION_OK,
	    "orch_5_mona", 8, 1, 0 },
	{ "strict: found by column", IN(FORK), FORK_USER("7", "lisa", "'5'"),
	    "", "mona", SESSION_OK, "lisa", 7, 0, 1 },
	{ "strict: column is empty", IN(FORK), FORK_USER("7", "mona", "''"), "",
	    "mona", SESSION_OK, "orch_5_mona", 8, 1, 0 },
};

struct rig {
	struct upstream_db upstream;
	struct tether_db tether;
	struct identity_query query;
	struct identity identity;
	struct identity_counts counts;
	struct identity_why why;
};

static void
rig_open(struct rig *r, struct fixture *f, const char *login)
{
	memset(r, 0, sizeof(*r));
	upstream_db_init(&r->upstream, f->users);
	tether_db_init(&r->tether, f->state);
	r->query.upstream = &r->upstream;
	r->query.tether = &r->tether;
	r->query.github_id = 5;
	r->query.login = login;
	r->query.now = 1700000000;
	r->query.adopt = f->conf.adopt;
	assert_int_equal(tether_db_open(&r->tether), DB_OK);
}

static void
rig_close(struct rig *r)
{
	upstream_db_free(&r->upstream);
	tether_db_free(&r->tether);
}

static enum session_status
rig_find(struct rig *r)
{
	return identity_find(&r->query, &r->identity, &r->counts, &r->why);
}

/* What must hold in both databases after a success. */
static void
check_rows(struct rig *r, struct fixture *f, enum schema schema)
{
	char sql[256], expected[600];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT upstream_user_id || ' ' || upstream_user_name || ' ' ||"
	    " login || ' ' || coalesce(role, 'default')"
	    " FROM identities WHERE github_id = 5");
	(void)snprintf(expected, sizeof(expected), "%lld %s %s default",
	    (long long)r->identity.user_id, r->identity.user_name,
	    r->query.login);
	if (r->counts.created + r->counts.bound > 0)
		assert_string_equal(query_sql(f->tether, sql), expected);
	(void)snprintf(sql, sizeof(sql),
	    "SELECT github_id FROM users WHERE id = %lld",
	    (long long)r->identity.user_id);
	if (schema == FORK)
		assert_string_equal(query_sql(f->users, sql), "5");
	(void)snprintf(sql, sizeof(sql),
	    "SELECT has_completed_onboarding FROM users WHERE id = %lld",
	    (long long)r->identity.user_id);
	if (schema != OLD && r->counts.created > 0)
		assert_string_equal(query_sql(f->users, sql), "1");
	(void)snprintf(sql, sizeof(sql),
	    "SELECT length(password_hash) || substr(password_hash, 1, 7)"
	    " || is_active FROM users WHERE id = %lld",
	    (long long)r->identity.user_id);
	if (r->counts.created > 0)
		assert_string_equal(query_sql(f->users, sql), "60$2b$12$1");
}

static void
check_case(struct fixture *f, enum schema schema, size_t i)
{
	struct rig r;
	int id;
	/* With a column of its own, a binding is written there, too. */
	int bound = cases[i].bound == -1 ? schema == FORK : cases[i].bound;

	(void)unlink(f->users);
	(void)unlink(f->tether);
	run_sql(f->users, schemas[schema]);
	run_sql(f->users, cases[i].users);
	f->conf.adopt = strncmp(cases[i].what, "strict:", 7) != 0;
	rig_open(&r, f, cases[i].login);
	run_sql(f->tether, cases[i].tether);
	if (rig_find(&r) != cases[i].status)
		fail_msg("%s: %s", cases[i].what, r.why.reason);
	if (cases[i].status == SESSION_OK) {
		assert_string_equal(r.identity.user_name, cases[i].name);
		if (cases[i].id != 0)
			assert_int_equal(r.identity.user_id, cases[i].id);
		assert_true(identity_is_current(&r.query, &r.identity));
		check_rows(&r, f, schema);
	} else {
		assert_non_null(strstr(r.why.reason, cases[i].name));
	}
	assert_int_equal(r.counts.created, cases[i].created);
	assert_int_equal(r.counts.bound, bound);

	/* Asked again: the same, and nothing new is written. */
	id = (int)r.identity.user_id;
	assert_int_equal(rig_find(&r), cases[i].status);
	assert_int_equal(r.identity.user_id, id);
	assert_int_equal(r.counts.created, cases[i].created);
	assert_int_equal(r.counts.bound, bound);
	rig_close(&r);
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

/* What ends a session that was good. */
static void
test_current(void **state)
{
	static const struct {
		bool tether;
		const char *sql, *undo;
	} changes[] = {
		{ false, "UPDATE users SET is_active = 0",
		    "UPDATE users SET is_active = 1" },
		{ false, "UPDATE users SET username = 'x'",
		    "UPDATE users SET username = 'mona'" },
		{ false, "UPDATE users SET id = 3", "UPDATE users SET id = 1" },
		{ false, "UPDATE users SET github_id = '6'",
		    "UPDATE users SET github_id = '5'" },
		{ true, "UPDATE identities SET disabled = 1",
		    "UPDATE identities SET disabled = 0" },
		{ true,
		    "PRAGMA ignore_check_constraints = 1;"
		    " UPDATE identities SET role = 'emperor'",
		    "UPDATE identities SET role = NULL" },
		{ true, "UPDATE identities SET role = 'full'",
		    "UPDATE identities SET role = NULL" },
		{ true, "UPDATE identities SET role = 'read-only'",
		    "UPDATE identities SET role = NULL" },
		{ true, "UPDATE identities SET github_id = 6",
		    "UPDATE identities SET github_id = 5" },
	};
	struct fixture *f = *state;
	const char *path;
	struct rig r;
	size_t i;

	run_sql(f->users, schemas[FORK]);
	rig_open(&r, f, "mona");
	assert_int_equal(rig_find(&r), SESSION_OK);
	for (i = 0; i < COUNT(changes); i++) {
		assert_true(identity_is_current(&r.query, &r.identity));
		path = changes[i].tether ? f->tether : f->users;
		run_sql(path, changes[i].sql);
		assert_false(identity_is_current(&r.query, &r.identity));
		run_sql(path, changes[i].undo);
	}
	assert_true(identity_is_current(&r.query, &r.identity));
	rig_close(&r);
}

/*
 * The web app's server inserts the name between our look and our insert:
 * a trigger of its schema stands for it.
 */
static void
test_race(void **state)
{
	struct fixture *f = *state;
	struct rig r;

	run_sql(f->users, schemas[NEW]);
	run_sql(f->users,
	    "CREATE TRIGGER race BEFORE INSERT ON users"
	    " WHEN NEW.username = 'mona' AND NEW.password_hash <> 'theirs'"
	    " BEGIN INSERT INTO users (username, password_hash)"
	    " VALUES ('mona', 'theirs'); END");
	rig_open(&r, f, "mona");
	/* The insert fails as a whole here, so it never gets through. */
	assert_int_equal(rig_find(&r), SESSION_UNAVAILABLE);
	assert_string_equal(
	    query_sql(f->tether, "SELECT count(*) FROM identities"), "0");
	run_sql(f->users, "DROP TRIGGER race");
	run_sql(f->users, USER("1", "mona", "1"));
	assert_int_equal(rig_find(&r), SESSION_OK);
	assert_int_equal(r.identity.user_id, 1);
	assert_int_equal(r.counts.created, 0);
	rig_close(&r);
}

/* The app is upgraded while its database is open: columns appear. */
static void
test_upgrade(void **state)
{
	struct fixture *f = *state;
	struct rig r;

	run_sql(f->users, schemas[OLD]);
	rig_open(&r, f, "mona");
	assert_int_equal(rig_find(&r), SESSION_OK);
	run_sql(f->users,
	    "ALTER TABLE users ADD COLUMN github_id TEXT;"
	    "ALTER TABLE users ADD COLUMN has_completed_onboarding BOOLEAN"
	    " DEFAULT 0;");
	assert_int_equal(rig_find(&r), SESSION_OK);
	assert_string_equal(
	    query_sql(f->users, "SELECT github_id FROM users"), "5");
	r.query.github_id = 6;
	r.query.login = "lisa";
	assert_int_equal(rig_find(&r), SESSION_OK);
	assert_string_equal(
	    query_sql(f->users, "SELECT github_id || has_completed_onboarding"
				" FROM users WHERE username = 'lisa'"),
	    "61");
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_current, setup, teardown),
		cmocka_unit_test_setup_teardown(test_race, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upgrade, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
