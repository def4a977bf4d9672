#include "authd/finding.h"
#include "tests/unit/authd/fixture.h"

/* The words for each finding, for how long it counts, and what it allows. */

static const struct {
	enum access_result result;
	uint32_t lifetime_ms;
	bool names; /* the person, for the operator */
} findings[FINDING_COUNT] = {
	[FINDING_UNCHECKED] = { ACCESS_REFUSED, 10000, false },
	[FINDING_INSTANCE_TOKEN] = { ACCESS_REFUSED, 10000, false },
	[FINDING_OTHER_PERSON] = { ACCESS_REFUSED, 10000, false },
	[FINDING_LIMITED] = { ACCESS_REFUSED, 7777, true },
	[FINDING_ID_INVALID] = { ACCESS_REFUSED, 2000, false },
	[FINDING_LOGIN_INVALID] = { ACCESS_REFUSED, 2000, false },
	[FINDING_NOT_NAMED] = { ACCESS_REFUSED, 2000, true },
	[FINDING_NO_MEMBER] = { ACCESS_REFUSED, 2000, true },
	[FINDING_NOT_SEEN] = { ACCESS_REFUSED, 2000, true },
	[FINDING_NO_TOKEN] = { ACCESS_REFUSED, 2000, false },
	[FINDING_TOKEN_REFUSED] = { ACCESS_REFUSED, 2000, false },
	[FINDING_NO_RULES] = { ACCESS_REFUSED, 0, false },
	[FINDING_TOO_MANY] = { ACCESS_BUSY, 0, false },
	[FINDING_FAILURES] = { ACCESS_BUSY, 0, false },
	[FINDING_ALLOWED] = { ACCESS_ALLOWED, 5000, false },
};

static void
check_text(const char *text, const char *login)
{
	/* Neither cut, nor with the inner workings in it. */
	assert_true(strlen(text) < SESSION_REASON_MAX - 1);
	assert_null(strchr(text, '%'));
	assert_null(strstr(text, "http"));
	assert_null(strstr(text, "  "));
	assert_true(login == NULL || strstr(text, login) != NULL);
}

static void
test_findings(void **state)
{
	struct authd_conf conf = { .cache_allowed_ms = 5000,
		.cache_refused_ms = 2000 };
	struct finding f = { .wait_ms = 7777, .github_id = 7 };
	struct access_verdict v;
	int kind;

	(void)state;
	memset(f.login, 'x', POLICY_LOGIN_MAX);
	for (kind = 0; kind < FINDING_COUNT; kind++) {
		f.kind = (enum finding_kind)kind;
		finding_verdict(&f, &v);
		if (v.result != findings[kind].result ||
		    finding_lifetime(&f, &conf) != findings[kind].lifetime_ms)
			fail_msg("finding %d", kind);
		assert_string_equal(v.login, f.login);
		assert_int_equal(v.github_id, 7);
		assert_int_equal(v.reason[0] != '\0', kind != FINDING_ALLOWED);
		assert_int_equal(v.advice[0] != '\0', kind != FINDING_ALLOWED);
		check_text(v.reason, NULL);
		check_text(v.advice, findings[kind].names ? f.login : NULL);
	}
}

/* The words that others know. */
static void
test_words(void **state)
{
	struct finding f = { .kind = FINDING_NO_MEMBER, .login = "octocat" };
	struct access_verdict v;

	(void)state;
	finding_verdict(&f, &v);
	assert_string_equal(v.reason,
	    "you are not among the users, teams and orgs of this instance");
	assert_string_equal(v.advice,
	    "Ask the operator of this instance to add octocat to policy "
	    "users, or to a team or org that it lets in.");
	f.kind = FINDING_NO_TOKEN;
	finding_verdict(&f, &v);
	assert_string_equal(
	    v.reason, "this instance cannot check its team and org rules");
	assert_string_equal(v.advice,
	    "Ask the operator to set a GitHub token (github token), or to "
	    "name you in policy users.");
	f.kind = FINDING_NOT_NAMED;
	f.login[0] = '\0';
	finding_verdict(&f, &v);
	assert_string_equal(v.advice,
	    "Ask the operator of this instance to add you to policy users.");
	/* What is not filled in is no leave to come in. */
	memset(&f, 0, sizeof(f));
	finding_verdict(&f, &v);
	assert_int_equal(v.result, ACCESS_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
