#ifndef TESTS_UNIT_AUTHD_SESSIONS_FIXTURE_H
#define TESTS_UNIT_AUTHD_SESSIONS_FIXTURE_H

#include "authd/access.h"
#include "authd/sessions.h"
#include "tests/unit/authd/fixture.h"

/* Sessions of people whom the rules have decided about. */

#define NOW 1700000000

static const char no_database[] = "user database is not available";

/* The rules let everybody in, for five minutes. */
static inline struct access_verdict
allowed(uint64_t github_id, const char *login)
{
	struct access_verdict verdict = { .result = ACCESS_ALLOWED,
		.github_id = github_id,
		.lifetime_ms = 300000 };

	(void)strlcpy(verdict.login, login, sizeof(verdict.login));
	(void)strlcpy(verdict.rule, "team acme/staff", sizeof(verdict.rule));
	return verdict;
}

static inline struct session
ask_about(struct sessions *s, const struct access_verdict *verdict, time_t now)
{
	struct session session;

	memset(&session, 0xff, sizeof(session));
	sessions_get(s, verdict, now, &session);
	return session;
}

static inline struct session
ask(struct sessions *s, uint64_t github_id, const char *login, time_t now)
{
	struct access_verdict verdict = allowed(github_id, login);

	return ask_about(s, &verdict, now);
}

static inline void
check_ok(struct sessions *s, time_t now)
{
	struct session session = ask(s, 5, "mona", now);

	if (session.status != SESSION_OK)
		fail_msg("refused: %s", session.reason);
}

static inline void
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
