/* Which answers are worth a record in the audit log. */

#include "authd/sign_ins.h"
#include "common/monotonic.h"
#include "tests/unit/authd/peers.h"

static int64_t now_ms;
static struct child child;

int64_t
monotonic_ms(void)
{
	return now_ms;
}

static struct session
about(uint64_t github_id, const char *login, enum session_status status,
    const char *reason)
{
	struct session session = { .status = status, .github_id = github_id };

	(void)strlcpy(session.login, login, sizeof(session.login));
	(void)strlcpy(session.reason, reason, sizeof(session.reason));
	return session;
}

static void
test_records(void **state)
{
	static const struct {
		enum session_status status;
		enum session_role role;
		enum audit_verdict verdict;
		const char *role_name;
	} cases[] = {
		{ SESSION_OK, SESSION_ROLE_FULL, AUDIT_ALLOWED, "full" },
		{ SESSION_OK, SESSION_ROLE_READ_ONLY, AUDIT_ALLOWED,
		    "read-only" },
		{ SESSION_DENIED, SESSION_ROLE_FULL, AUDIT_REFUSED, "" },
		{ SESSION_UNAVAILABLE, SESSION_ROLE_FULL, AUDIT_REFUSED, "" },
		{ SESSION_BUSY, SESSION_ROLE_FULL, AUDIT_REFUSED, "" },
	};
	struct sign_ins *s = sign_ins_new(&child);
	struct session session;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		session = about(5, "mona", cases[i].status, "this is why");
		session.role = cases[i].role;
		(void)strlcpy(session.jwt, "secret", sizeof(session.jwt));
		sign_ins_note(s, &session, true);
		assert_int_equal(audit_count, i + 1);
		assert_int_equal(audits[i].event, AUDIT_SIGN_IN);
		assert_int_equal(audits[i].verdict, cases[i].verdict);
		assert_int_equal(audits[i].github_id, 5);
		assert_string_equal(audits[i].login, "mona");
		assert_string_equal(audits[i].role, cases[i].role_name);
		assert_string_equal(audits[i].why, "this is why");
		assert_string_equal(audits[i].method, "");
		assert_string_equal(audits[i].path, "");
		assert_int_equal(audits[i].status, 0);
	}
	sign_ins_free(s);
}

/* The same again: not before a minute, and not if it is known by heart. */
static void
test_pause(void **state)
{
	static const struct {
		int64_t at_ms;
		enum session_status status;
		bool fresh;
		size_t records; /* so far */
	} steps[] = {
		{ 0, SESSION_OK, true, 1 },
		{ 0, SESSION_OK, true, 1 },
		{ 59999, SESSION_OK, true, 1 },
		{ 60000, SESSION_OK, false, 1 },
		{ 60000, SESSION_OK, true, 2 },
		{ 61000, SESSION_DENIED, false, 3 },
		{ 62000, SESSION_OK, true, 3 },
		{ 63000, SESSION_DENIED, true, 3 },
		{ 120999, SESSION_DENIED, false, 3 },
		{ 121000, SESSION_DENIED, false, 4 },
		{ 121000, SESSION_UNAVAILABLE, false, 5 },
		{ 181000, SESSION_UNAVAILABLE, false, 6 },
		{ 500000, SESSION_OK, false, 6 },
		{ 500000, SESSION_OK, true, 7 },
	};
	struct sign_ins *s = sign_ins_new(&child);
	struct session session;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(steps); i++) {
		now_ms = steps[i].at_ms;
		session = about(5, "mona", steps[i].status, "why");
		sign_ins_note(s, &session, steps[i].fresh);
		if (audit_count != steps[i].records)
			fail_msg("step %zu: %zu records", i, audit_count);
	}
	sign_ins_free(s);
}

/* Whatever differs makes it another one. */
static void
test_differences(void **state)
{
	struct session sessions[6];
	struct sign_ins *s = sign_ins_new(&child);
	size_t i, round;

	(void)state;
	for (i = 0; i < COUNT(sessions); i++)
		sessions[i] = about(5, "mona", SESSION_OK, "users");
	sessions[1].github_id = 6;
	(void)strlcpy(sessions[2].login, "lisa", sizeof(sessions[2].login));
	sessions[3].role = SESSION_ROLE_READ_ONLY;
	(void)strlcpy(
	    sessions[4].reason, "org acme", sizeof(sessions[4].reason));
	sessions[5].status = SESSION_BUSY;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < COUNT(sessions); i++)
			sign_ins_note(s, &sessions[i], true);
		assert_int_equal(audit_count, COUNT(sessions));
	}
	/* The operator did something. */
	sign_ins_forget(s);
	for (i = 0; i < COUNT(sessions); i++)
		sign_ins_note(s, &sessions[i], false);
	assert_int_equal(audit_count, 2 * COUNT(sessions));
	sign_ins_free(s);
}

/* Those that were not seen for the longest are forgotten. */
static void
test_bound(void **state)
{
	struct sign_ins *s = sign_ins_new(&child);
	struct session session;
	uint64_t i;

	(void)state;
	for (i = 1; i <= SIGN_INS_MAX; i++) {
		session = about(i, "x", SESSION_OK, "");
		sign_ins_note(s, &session, true);
	}
	assert_int_equal(audit_count, SIGN_INS_MAX);
	session = about(1, "x", SESSION_OK, "");
	sign_ins_note(s, &session, true);
	assert_int_equal(audit_count, SIGN_INS_MAX);
	session = about(SIGN_INS_MAX + 1, "x", SESSION_OK, "");
	sign_ins_note(s, &session, true);
	assert_int_equal(audit_count, SIGN_INS_MAX + 1);
	session = about(1, "x", SESSION_OK, "");
	sign_ins_note(s, &session, true);
	assert_int_equal(audit_count, SIGN_INS_MAX + 1);
	session = about(2, "x", SESSION_OK, "");
	sign_ins_note(s, &session, true);
	assert_int_equal(audit_count, SIGN_INS_MAX + 2);
	sign_ins_free(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, peers_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_records),
		TEST(test_pause),
		TEST(test_differences),
		TEST(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
