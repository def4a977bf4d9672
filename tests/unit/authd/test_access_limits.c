#include "common/status.h"
#include "tests/unit/authd/access_fixture.h"

/* Where questions have no answer, or too many are asked: what is told. */

static char lines[65536];

/* The log since the last time, and how often the text is in it. */
static int
count_lines(const char *text)
{
	char line[LOG_LINE_MAX + 2];
	ssize_t n;
	int count = 0;

	lines[0] = '\0';
	while ((n = recv(log_fd, line, sizeof(line) - 1, MSG_DONTWAIT)) > 0) {
		line[n] = '\0';
		(void)strlcat(lines, line + 1, sizeof(lines));
		(void)strlcat(lines, "\n", sizeof(lines));
		count += strstr(line + 1, text) != NULL;
	}
	return count;
}

static void
refuse_token(const char *token, int status)
{
	struct person a = { 0 };

	assert_false(by_token(&a, token));
	fake_say(status, "{}");
	turn();
	assert_int_equal(a.told, 1);
	assert_int_equal(a.verdict.result, ACCESS_REFUSED);
}

static void
test_failures(void **state)
{
	struct person a = { 0 };
	char token[32];
	int i;

	(void)state;
	conf.failures_rate = 6;
	/* It gets no fuller, and identities are not what it is for. */
	refuse_token("gho_early", 401);
	fake_now_ms += 3600000;
	for (i = 0; i < 10; i++) {
		assert_false(by_id(&a, 100 + (uint64_t)i, "octodog"));
		fake_say(404, "{}");
		turn();
	}
	for (i = 0; i < 6; i++) {
		/* An error is no failure of theirs. */
		(void)snprintf(token, sizeof(token), "error-%d", i);
		refuse_token(token, 500);
		(void)snprintf(token, sizeof(token), "token-%d", i);
		refuse_token(token, 401);
	}
	assert_true(by_token(&a, USER_TOKEN));
	assert_int_equal(a.verdict.result, ACCESS_BUSY);
	assert_int_equal(a.verdict.lifetime_ms, 0);
	/* Those that are known are no question; identities are not held up. */
	assert_true(by_token(&a, "token-0"));
	assert_int_equal(a.verdict.result, ACCESS_REFUSED);
	assert_false(octocat(&a));
	access_cancel(&a.wait);
	/* One more in ten seconds. */
	fake_now_ms += 9999;
	assert_true(by_token(&a, USER_TOKEN));
	fake_now_ms += 1;
	assert_false(by_token(&a, USER_TOKEN));
	/* Until that is over nobody knows; then there may be debts. */
	assert_false(by_token(&a, "gho_another"));
	access_cancel(&a.wait);
	while (fake_open > 0)
		fake_say(401, "{}");
	turn();
	fake_now_ms += 19999;
	assert_true(by_token(&a, "gho_third"));
	fake_now_ms += 1;
	assert_false(by_token(&a, "gho_third"));
	access_cancel(&a.wait);
	/* Another rate is a new bucket. */
	conf.failures_rate = 0;
	access_reload(people);
	for (i = 0; i < 100; i++) {
		(void)snprintf(token, sizeof(token), "again-%d", i);
		refuse_token(token, 401);
	}
	conf.failures_rate = 1;
	access_reload(people);
	refuse_token(USER_TOKEN, 401);
	assert_true(by_token(&a, "gho_another"));
	assert_int_equal(a.verdict.result, ACCESS_BUSY);
}

static const struct fake_answer limited = {
	.result = GITHUB_LIMITED, .status = 403, .wait_ms = 60000
};

static void
expect_limited(const struct person *p, uint32_t lifetime_ms)
{
	assert_int_equal(p->verdict.result, ACCESS_REFUSED);
	assert_non_null(strstr(p->verdict.reason, "no more questions"));
	assert_int_equal(p->verdict.lifetime_ms, lifetime_ms);
}

/* Of the instance's token: for all who need it, but those who are known. */
static void
test_instance_limited(void **state)
{
	struct person a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	assert_false(by_id(&a, 7, "known"));
	fake_say(200, "{\"state\":\"active\",\"user\":{\"id\":7,"
		      "\"login\":\"known\"}}");
	turn();
	set_conf(&conf.orgs[SESSION_ROLE_FULL], "acme");
	assert_false(octocat(&a));
	assert_false(by_id(&b, 2, "b"));
	assert_int_equal(fake_open, 2);
	fake_log[0] = '\0';
	fake_answer(&limited);
	/* What is under way counts, but nothing is asked after it. */
	fake_say(404, "{}");
	expect_requests("");
	turn();
	expect_limited(&a, 60000);
	expect_limited(&b, 60000);
	fake_now_ms += 20000;
	assert_true(by_id(&c, 3, "c"));
	expect_limited(&c, 40000);
	assert_true(octocat(&a));
	expect_limited(&a, 40000);
	assert_true(by_id(&a, 7, "known"));
	assert_int_equal(a.verdict.result, ACCESS_ALLOWED);
	/* A user's token has limits of its own. */
	assert_false(by_token(&a, USER_TOKEN));
	access_cancel(&a.wait);
	fake_log[0] = '\0';
	/* Nor does a reload lift it, unless there is another token ... */
	access_reload(people);
	assert_true(by_id(&c, 3, "c"));
	expect_limited(&c, 40000);
	set_conf(&conf.github_token, "ghs_another");
	access_reload(people);
	assert_false(by_id(&c, 3, "c"));
	access_cancel(&c.wait);
	/* ... or another GitHub. */
	set_conf(&conf.github_token, INSTANCE_TOKEN);
	access_reload(people);
	assert_true(by_id(&c, 3, "c"));
	set_conf(&conf.github_api, "https://github.example/api/v3");
	access_reload(people);
	assert_false(by_id(&c, 3, "c"));
	access_cancel(&c.wait);
	set_conf(&conf.github_api, "https://api.github.com");
	access_reload(people);
	fake_now_ms += 39999;
	assert_true(by_id(&c, 3, "c"));
	expect_limited(&c, 1);
	fake_now_ms += 1;
	assert_false(by_id(&c, 3, "c"));
	access_cancel(&c.wait);
}

static void
test_user_limited(void **state)
{
	struct person a = { 0 };

	(void)state;
	assert_false(by_token(&a, USER_TOKEN));
	fake_answer(&limited);
	turn();
	expect_limited(&a, 60000);
	fake_now_ms += 59999;
	assert_true(by_token(&a, USER_TOKEN));
	expect_limited(&a, 1);
	access_reload(people);
	assert_true(by_token(&a, USER_TOKEN));
	expect_limited(&a, 1);
	assert_false(by_token(&a, "gho_another"));
	access_cancel(&a.wait);
	assert_false(octocat(&a));
	access_cancel(&a.wait);
	fake_now_ms += 1;
	assert_false(by_token(&a, USER_TOKEN));
}

static const char *
status_line(void)
{
	static char text[STATUS_TEXT_SIZE];
	struct status *status = status_new(PROGRAM_AUTHD);

	access_status(people, status);
	(void)strlcpy(
	    text, status_text(status, STATUS_AUTHD_GITHUB), sizeof(text));
	status_free(status);
	return text;
}

static void
ask_octocat(const struct fake_answer *answer)
{
	struct person a = { 0 };

	access_reload(people);
	assert_false(octocat(&a));
	fake_answer(answer);
	while (fake_open > 0)
		fake_say(200, SELF);
	turn();
	assert_int_equal(a.told, 1);
}

/* One line for a kind of trouble, and one when it is over. */
static void
test_trouble(void **state)
{
	static const struct fake_answer late = { .result = GITHUB_FAILED,
		.why = "no answer in time" };
	static const struct fake_answer broken = { .status = 502 };
	static const struct fake_answer odd = { .status = 200 };
	static const struct fake_answer unauthorized = { .status = 401 };
	static const struct fake_answer forbidden = { .status = 403 };
	static const struct fake_answer none = { .status = 404 };
	static const struct fake_answer member = { .status = 200,
		.body = "{\"state\":\"active\"}" };
	static const struct fake_answer other = { .status = 200,
		.body = "{\"state\":\"active\",\"user\":{\"id\":1,"
			"\"login\":\"octocat\"}}" };
	static const struct {
		const struct fake_answer *answer;
		const char *line, *status;
	} troubles[] = {
		{ &late, "GitHub: no answer in time",
		    "failing: no answer in time" },
		{ &broken, "GitHub: status 502 about a team membership",
		    "failing: status 502 about a team membership" },
		{ &odd, "GitHub: no proper answer about a team membership",
		    "failing: no proper answer about a team membership" },
		{ &unauthorized,
		    "GitHub: the token of this instance (github token) is "
		    "refused",
		    "failing: the token of this instance (github token) is "
		    "refused" },
		{ &limited,
		    "GitHub: no more questions with the token of this "
		    "instance for 60 s",
		    "limited for 60 s" },
		{ &forbidden,
		    "GitHub: the token of this instance may not see the "
		    "members of acme (status 403): it may lack read:org",
		    "works" },
		{ &other,
		    "GitHub: octocat is not the login of id 583231, as the "
		    "orchestrator says",
		    "works" },
	};
	size_t i;

	(void)state;
	assert_string_equal(status_line(), "not asked");
	ask_octocat(&member);
	assert_string_equal(status_line(), "works");
	assert_int_equal(count_lines(""), 0);
	for (i = 0; i < COUNT(troubles); i++) {
		fake_now_ms += 300000;
		ask_octocat(troubles[i].answer);
		assert_int_equal(count_lines(troubles[i].line), 1);
		assert_string_equal(status_line(), troubles[i].status);
		/* Once is enough. */
		if (troubles[i].answer != &limited)
			ask_octocat(troubles[i].answer);
		assert_int_equal(count_lines(""), 0);
		fake_now_ms += limited.wait_ms;
		ask_octocat(i % 2 == 0 ? &none : &member);
		assert_string_equal(status_line(), "works");
		assert_int_equal(
		    count_lines("GitHub works again"), i < COUNT(troubles) - 2);
		ask_octocat(&none);
		assert_int_equal(count_lines(""), 0);
	}
	ask_octocat(&broken);
	access_reload(people);
	assert_string_equal(status_line(), "not asked");
}

/* Whatever happens, no token is in a line, a verdict or a status. */
static void
test_no_secrets(void **state)
{
	static const struct fake_answer answers[] = { { .status = 401 },
		{ .status = 403 }, { .status = 500 }, { .status = 200 },
		{ .result = GITHUB_FAILED },
		{ .result = GITHUB_LIMITED, .wait_ms = 1 } };
	struct person a = { 0 };
	size_t i;
	int own;

	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	for (i = 0; i < 2 * COUNT(answers); i++) {
		own = (int)(i % 2);
		fake_now_ms += 300000;
		assert_false(own ? by_token(&a, USER_TOKEN) : octocat(&a));
		while (fake_open > 0)
			fake_answer(&answers[i / 2]);
		turn();
		assert_int_equal(a.told, 1);
		assert_int_equal(count_lines("gh"), 0);
		assert_null(memmem(&a.verdict, sizeof(a.verdict), "gho_", 4));
		assert_null(memmem(&a.verdict, sizeof(a.verdict), "ghs_", 4));
		assert_null(strstr(status_line(), "gh"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_failures),
		TEST(test_instance_limited),
		TEST(test_user_limited),
		TEST(test_trouble),
		TEST(test_no_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
