#include "authd/access.h"
#include "common/status.h"
#include "tests/unit/authd/fake_github.h"

/* Who is asked about when, who waits for what, and for how long it counts. */

#define SELF   "{\"login\":\"octocat\",\"id\":583231}"
#define MEMBER "{\"state\":\"active\",\"user\":" SELF "}"
#define TEAM   "I /orgs/acme/teams/staff/memberships/octocat\n"
#define OWN    "U /user\nU /orgs/acme/teams/staff/memberships/octocat\n"

struct person {
	struct access_wait wait;
	struct access_verdict verdict;
	int told;
	void (*then)(struct person *);
};

static struct event_base *base;
static struct authd_conf conf;
static struct access *people;
static int log_fd;
static char lines[65536];

static void
on_done(void *arg, const struct access_verdict *verdict)
{
	struct person *p = arg;

	p->verdict = *verdict;
	p->told++;
	if (p->then != NULL)
		p->then(p);
}

static void
turn(void)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static bool
by_id(struct person *p, uint64_t id, const char *login)
{
	p->told = 0;
	p->wait.done = on_done;
	p->wait.arg = p;
	return access_by_identity(people, id, login, &p->verdict, &p->wait);
}

static bool
by_token(struct person *p, const char *token)
{
	p->told = 0;
	p->wait.done = on_done;
	p->wait.arg = p;
	return access_by_token(people, token, &p->verdict, &p->wait);
}

static bool
octocat(struct person *p)
{
	return by_id(p, 583231, "octocat");
}

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

static int
set_up(void **state)
{
	int sockets[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == -1)
		return -1;
	log_fd = sockets[0];
	log_to_socket(sockets[1]);
	base = event_base_new();
	make_people_conf(&conf);
	set_conf(&conf.teams[SESSION_ROLE_FULL], "acme/staff");
	conf.failures_rate = 600;
	people = access_new(base, &conf, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	access_free(people);
	fake_log[0] = '\0';
	free_people_conf(&conf);
	event_base_free(base);
	log_to_stderr("test");
	(void)close(log_fd);
	return fake_open == 0 ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
		TEST(test_failures),
		TEST(test_instance_limited),
		TEST(test_user_limited),
		TEST(test_reload),
		TEST(test_reload_before_told),
		TEST(test_freed),
		TEST(test_trouble),
		TEST(test_no_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
