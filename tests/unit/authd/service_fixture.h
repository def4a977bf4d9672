#ifndef TESTS_UNIT_AUTHD_SERVICE_FIXTURE_H
#define TESTS_UNIT_AUTHD_SERVICE_FIXTURE_H

#include "tests/unit/authd/sessions_fixture.h"

/* Sessions of the instance itself. */

#define OURS  "orchestrator"
#define OTHER "orch_0_orchestrator"

#define KNOWN(github_id, login, user_id, name)                           \
	"INSERT INTO identities (github_id, login, upstream_user_id,"    \
	" upstream_user_name, created_at, last_seen) VALUES (" github_id \
	", '" login "', " user_id ", '" name "', 1, 1);"
#define NOTED(user_id, name) \
	"INSERT INTO service VALUES (0, " user_id ", '" name "', 1, 1);"

#define ACT   SESSION_SERVICE_ACT
#define WATCH SESSION_SERVICE_WATCH

static bool made_one;

static inline struct session
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
static inline void
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

static inline void
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

/* All rows with all columns of a table. */
static inline void
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

static inline struct dump
dump_all(const struct fixture *f)
{
	struct dump d = { "" };

	dump(f->users, "users", d.text, sizeof(d.text));
	dump(f->tether, "identities", d.text, sizeof(d.text));
	dump(f->tether, "service", d.text, sizeof(d.text));
	return d;
}

#endif
