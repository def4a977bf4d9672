#include "tests/unit/authd/access_fixture.h"

/* Who is asked about when, who waits for what, and for how long it counts. */

#define TEAM "I /orgs/acme/teams/staff/memberships/octocat\n"
#define OWN  "U /user\nU /orgs/acme/teams/staff/memberships/octocat\n"

static void
test_known(void **state)
{
	struct person a = { 0 };

	(void)state;
	assert_false(octocat(&a));
	expect_requests(TEAM);
	fake_say(200, MEMBER);
	/* From the event loop alone. */
	assert_int_equal(a.told, 0);
	turn();
	assert_int_equal(a.told, 1);
	assert_null(a.wait.in);
	assert_int_equal(a.verdict.result, ACCESS_ALLOWED);
	assert_string_equal(a.verdict.rule, "team acme/staff");
	assert_int_equal(a.verdict.lifetime_ms, 300000);
	assert_true(a.verdict.fresh);
	/* In whatever case. */
	fake_now_ms += 299999;
	assert_true(by_id(&a, 583231, "OCTOcat"));
	assert_int_equal(a.verdict.result, ACCESS_ALLOWED);
	assert_int_equal(a.verdict.lifetime_ms, 1);
	assert_false(a.verdict.fresh);
	/* For this person only. */
	assert_false(by_id(&a, 583232, "octocat"));
	access_cancel(&a.wait);
	assert_false(by_id(&a, 583231, "octocats"));
	access_cancel(&a.wait);
	assert_false(by_token(&a, USER_TOKEN));
	access_cancel(&a.wait);
	fake_now_ms += 1;
	assert_false(octocat(&a));
	access_cancel(&a.wait);
	access_cancel(&a.wait);
}

static void
test_not_kept(void **state)
{
	struct person a = { 0 };
	int i;

	(void)state;
	conf.cache_allowed_ms = conf.cache_refused_ms = 0;
	for (i = 0; i < 2; i++) {
		assert_false(octocat(&a));
		fake_say(200, MEMBER);
		turn();
		assert_int_equal(a.verdict.result, ACCESS_ALLOWED);
		assert_int_equal(a.verdict.lifetime_ms, 0);
	}
}

static void
test_invalid(void **state)
{
	char long_token[SESSION_TOKEN_MAX + 2];
	const char *logins[] = { "", "a b", "a/b", "..", "a\nb",
		"caf\xc3\xa9" };
	const char *tokens[] = { "", "a b", "a\nb", "a\x7f", "\xc3\xa9",
		long_token };
	struct person a = { 0 };
	size_t i;

	(void)state;
	memset(long_token, 'x', sizeof(long_token) - 1);
	long_token[sizeof(long_token) - 1] = '\0';
	for (i = 0; i < COUNT(logins); i++) {
		assert_true(by_id(&a, 1, logins[i]));
		assert_int_equal(a.verdict.result, ACCESS_REFUSED);
		assert_string_equal(
		    a.verdict.reason, "your user name is not valid");
		assert_true(a.verdict.fresh);
		assert_true(by_id(&a, 1, logins[i]));
		assert_true(a.verdict.fresh);
		assert_true(by_token(&a, tokens[i]));
		assert_int_equal(a.verdict.result, ACCESS_REFUSED);
		assert_string_equal(
		    a.verdict.reason, "the GitHub token is not valid");
		assert_int_equal(a.verdict.github_id, 0);
	}
	assert_true(by_id(&a, 0, "octocat"));
	assert_string_equal(a.verdict.reason, "your user id is not valid");
	assert_true(by_id(&a, (uint64_t)INT64_MAX + 1, "octocat"));
	assert_int_equal(a.verdict.result, ACCESS_REFUSED);
	/* Also where everybody may come in. */
	set_conf(&conf.teams[SESSION_ROLE_FULL], "");
	assert_true(by_id(&a, 1, "a b"));
	assert_int_equal(a.verdict.result, ACCESS_REFUSED);
	assert_true(by_id(&a, 0, "a"));
	assert_int_equal(a.verdict.result, ACCESS_REFUSED);
	expect_requests("");
	/* The longest one is asked about. */
	long_token[SESSION_TOKEN_MAX] = '\0';
	set_conf(&conf.teams[SESSION_ROLE_FULL], "acme/staff");
	assert_false(by_token(&a, long_token));
	assert_string_equal(TAILQ_FIRST(&fake_requests)->token, long_token);
}

static void
test_one_question(void **state)
{
	struct person p[4] = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_false(octocat(&p[i]));
	expect_requests(TEAM);
	access_cancel(&p[0].wait);
	access_cancel(&p[2].wait);
	fake_say(404, "{}");
	turn();
	assert_int_equal(p[0].told + p[2].told, 0);
	assert_int_equal(p[1].told, 1);
	assert_int_equal(p[3].told, 1);
	assert_int_equal(p[3].verdict.result, ACCESS_REFUSED);
	/* One of them is to make a note of it. */
	assert_true(p[1].verdict.fresh);
	assert_false(p[3].verdict.fresh);
	expect_requests("");
	/* Tokens are another matter. */
	for (i = 0; i < 4; i++)
		assert_false(by_token(&p[i], USER_TOKEN));
	access_cancel(&p[0].wait);
	assert_false(by_token(&p[0], "gho_another"));
	expect_requests("U /user\nU /user\n");
}

/* A wait is for one thing at a time. */
static void
test_asked_twice(void **state)
{
	struct person a = { 0 };

	(void)state;
	assert_false(by_token(&a, USER_TOKEN));
	assert_false(octocat(&a));
	assert_false(octocat(&a));
	assert_true(by_id(&a, 0, "octocat"));
	assert_null(a.wait.in);
	assert_false(octocat(&a));
	assert_false(by_token(&a, USER_TOKEN));
	assert_true(by_token(&a, ""));
	assert_null(a.wait.in);
	fake_say(401, "{}");
	fake_say(404, "{}");
	turn();
	assert_int_equal(a.told, 0);
}

/* Nobody waits any more, but the answer is worth keeping. */
static void
test_goes_on(void **state)
{
	struct person a = { 0 };

	(void)state;
	assert_false(by_token(&a, USER_TOKEN));
	access_cancel(&a.wait);
	fake_say(200, SELF);
	fake_say(200, "{\"state\":\"active\"}");
	assert_false(by_token(&a, USER_TOKEN));
	expect_requests(OWN);
	access_cancel(&a.wait);
	turn();
	assert_int_equal(a.told, 0);
	assert_true(by_token(&a, USER_TOKEN));
	assert_int_equal(a.verdict.result, ACCESS_ALLOWED);
	assert_int_equal(a.verdict.github_id, 583231);
	assert_string_equal(a.verdict.login, "octocat");
	expect_requests("");
}

static struct person crowd[3];

static void
cancel_others(struct person *p)
{
	int i;

	for (i = 0; i < 3; i++)
		if (&crowd[i] != p)
			access_cancel(&crowd[i].wait);
}

static void
ask_again(struct person *p)
{
	p->then = NULL;
	/* Known, unless another one has reloaded meanwhile. */
	if (!octocat(p))
		return;
	assert_false(p->verdict.fresh);
	p->told = 1;
}

static void
ask_anew(struct person *p)
{
	p->then = NULL;
	access_reload(people);
	assert_false(octocat(p));
}

static void
wipe(struct person *p)
{
	memset(&p->wait, 0, sizeof(p->wait));
}

/* What they do when they are told, in any order. */
static void
test_in_done(void **state)
{
	static void (*const acts[])(struct person *) = { NULL, cancel_others,
		ask_again, ask_anew, wipe };
	size_t n, combination;
	int i;

	(void)state;
	for (combination = 0; combination < 125; combination++) {
		access_reload(people);
		fake_log[0] = '\0';
		memset(crowd, 0, sizeof(crowd));
		for (i = 0, n = combination; i < 3; i++, n /= 5) {
			assert_false(octocat(&crowd[i]));
			crowd[i].then = acts[n % 5];
		}
		fake_say(200, MEMBER);
		turn();
		if (combination == 0)
			assert_int_equal(
			    crowd[0].told + crowd[1].told + crowd[2].told, 3);
		/* Those who asked anew. */
		while (fake_open > 0)
			fake_say(200, MEMBER);
		turn();
		for (i = 0; i < 3; i++)
			assert_true(
			    crowd[i].told <= 1 && crowd[i].wait.in == NULL);
	}
}

static void
free_oneself(struct person *p)
{
	free(p);
}

static void
test_freed_in_done(void **state)
{
	struct person *p;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		p = calloc(1, sizeof(*p));
		assert_non_null(p);
		p->then = free_oneself;
		assert_false(octocat(p));
	}
	fake_say(200, MEMBER);
	turn();
}

static void
test_too_many(void **state)
{
	static struct person p[ACCESS_OPEN_MAX], a;
	char login[32];
	int i;

	(void)state;
	memset(p, 0, sizeof(p));
	memset(&a, 0, sizeof(a));
	for (i = 0; i < ACCESS_OPEN_MAX; i++) {
		(void)snprintf(login, sizeof(login), "user-%d", i);
		if (i % 2 == 0)
			assert_false(by_id(&p[i], 1 + (uint64_t)i, login));
		else
			assert_false(by_token(&p[i], login));
	}
	assert_true(octocat(&a));
	assert_int_equal(a.verdict.result, ACCESS_BUSY);
	assert_int_equal(a.verdict.lifetime_ms, 0);
	assert_true(a.verdict.reason[0] != '\0');
	assert_true(by_token(&a, USER_TOKEN));
	assert_int_equal(a.verdict.result, ACCESS_BUSY);
	/* Who is asked about already can be waited for. */
	assert_false(by_id(&a, 1, "user-0"));
	access_cancel(&a.wait);
	access_cancel(&p[0].wait);
	fake_say(404, "{}");
	turn();
	assert_false(octocat(&a));
}

/* The least recently used of those that are kept goes first. */
static void
test_kept_max(void **state)
{
	struct person a = { 0 };
	char login[32];
	int i;

	(void)state;
	for (i = 0; i <= ACCESS_KEPT_MAX; i++) {
		(void)snprintf(login, sizeof(login), "user-%d", i);
		assert_false(by_id(&a, 1, login));
		fake_say(404, "{}");
		turn();
		assert_true(by_id(&a, 1, "user-0"));
		fake_log[0] = '\0';
	}
	assert_true(by_id(&a, 1, "user-2"));
	assert_false(by_id(&a, 1, "user-1"));
	access_cancel(&a.wait);
}

static void
test_reload(void **state)
{
	struct person a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	/* What is known is known no more. */
	assert_false(octocat(&a));
	fake_say(200, MEMBER);
	turn();
	access_reload(people);
	assert_false(octocat(&a));
	assert_false(by_token(&b, USER_TOKEN));
	assert_false(by_id(&c, 3, "c"));
	access_cancel(&c.wait);
	fake_log[0] = '\0';
	/* What is open is asked anew, if somebody waits. */
	set_conf(&conf.teams[SESSION_ROLE_FULL], "acme/others");
	fake_now_ms += 5000;
	access_reload(people);
	assert_int_equal(fake_open, 2);
	assert_int_equal(strlen(fake_log),
	    strlen("U /user\nI /orgs/acme/teams/others/memberships/octocat\n"));
	assert_int_equal(TAILQ_FIRST(&fake_requests)->deadline_ms,
	    fake_now_ms + ACCESS_TIME_MS);
	fake_log[0] = '\0';
	/* Or needs no question any more: told later, with the new word. */
	set_conf(&conf.teams[SESSION_ROLE_FULL], "");
	set_conf(&conf.users[SESSION_ROLE_READ_ONLY], "octocat");
	access_reload(people);
	assert_int_equal(a.told, 0);
	assert_int_equal(fake_open, 1);
	set_conf(&conf.users[SESSION_ROLE_READ_ONLY], "");
	access_reload(people);
	assert_int_equal(fake_open, 0);
	set_conf(&conf.users[SESSION_ROLE_READ_ONLY], "octocat");
	set_conf(&conf.orgs[SESSION_ROLE_FULL], "acme");
	access_reload(people);
	assert_int_equal(a.told + b.told, 0);
	turn();
	assert_int_equal(a.told, 1);
	assert_int_equal(a.verdict.result, ACCESS_ALLOWED);
	assert_int_equal(a.verdict.role, SESSION_ROLE_READ_ONLY);
	assert_string_equal(a.verdict.rule, "read-only users");
	assert_int_equal(b.told, 0);
	fake_say(200, SELF);
	turn();
	assert_int_equal(b.told, 1);
	assert_string_equal(b.verdict.rule, "read-only users");
}

/* An answer by the old rules that nobody heard of yet. */
static void
test_reload_before_told(void **state)
{
	struct person a = { 0 }, b = { 0 };

	(void)state;
	assert_false(octocat(&a));
	assert_false(by_token(&b, USER_TOKEN));
	fake_say(200, MEMBER);
	fake_say(200, SELF);
	fake_say(200, MEMBER);
	set_conf(&conf.teams[SESSION_ROLE_FULL], "");
	set_conf(&conf.users[SESSION_ROLE_FULL], "alice");
	access_reload(people);
	turn();
	assert_int_equal(a.told, 1);
	assert_int_equal(a.verdict.result, ACCESS_REFUSED);
	assert_int_equal(b.told, 0);
	fake_say(200, SELF);
	turn();
	assert_int_equal(b.told, 1);
	assert_int_equal(b.verdict.result, ACCESS_REFUSED);
	assert_non_null(strstr(b.verdict.advice, "add octocat to"));
}

static void
test_freed(void **state)
{
	struct person a = { 0 }, b = { 0 };

	(void)state;
	assert_false(octocat(&a));
	assert_false(by_token(&b, USER_TOKEN));
	access_free(people);
	people = access_new(base, &conf, NULL);
	turn();
	assert_int_equal(a.told + b.told, 0);
	assert_null(a.wait.in);
	access_cancel(&a.wait);
	assert_int_equal(fake_open, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_known),
		TEST(test_not_kept),
		TEST(test_invalid),
		TEST(test_one_question),
		TEST(test_asked_twice),
		TEST(test_goes_on),
		TEST(test_in_done),
		TEST(test_freed_in_done),
		TEST(test_too_many),
		TEST(test_kept_max),
		TEST(test_reload),
		TEST(test_reload_before_told),
		TEST(test_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
