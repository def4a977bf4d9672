#include "authd/access.h"
#include "authd/finding.h"
#include "authd/membership.h"
#include "tests/unit/authd/fake_github.h"

/*
 * Every combination of rules, with what the orchestrator brings along, and
 * what GitHub answers to each of the questions.
 */

#define ID    583231
#define LOGIN "octocat"

/* What an answer means for a rule. */
enum meaning {
	MEMBER,	      /* who it is remains to be seen */
	MEMBER_NAMED, /* the one who was asked about */
	NO_MEMBER,
	FORBIDDEN,
	UNREADABLE,
	OTHER_ID, /* the login is of somebody else */
	BAD_TOKEN,
	LIMITED
};

#define OK(text)                              \
	{                                     \
		.status = 200, .body = (text) \
	}
#define STATUS(number)                                          \
	{                                                       \
		.status = number, .body = "{\"message\":\"x\"}" \
	}
#define FAIL(text)                                   \
	{                                            \
		.result = GITHUB_FAILED, .why = text \
	}

#define NAMED(id, login)                                                 \
	"{\"state\":\"active\",\"organization\":{\"id\":9},\"user\":{\"" \
	"login\":\"" login "\",\"id\":" id "}}"

static char huge_array[40000];

static const struct {
	enum meaning meaning;
	struct fake_answer answer;
} answers[] = {
	{ MEMBER, OK("{\"state\":\"active\",\"role\":\"member\"}") },
	{ MEMBER, OK("{\"state\":\"active\",\"user\":null}") },
	{ MEMBER_NAMED,
	    OK("{\"state\":\"active\",\"user\":{\"login\":\"OctoCat\","
	       "\"id\":583231}}") },
	{ OTHER_ID, OK("{\"state\":\"active\",\"user\":{\"login\":\"octocat\","
		       "\"id\":583232}}") },
	{ UNREADABLE,
	    OK("{\"state\":\"active\",\"user\":{\"login\":\"octodog\","
	       "\"id\":583231}}") },
	{ UNREADABLE,
	    OK("{\"state\":\"active\",\"organization\":{\"login\":\"evil\"}}") },
	{ UNREADABLE, OK(NAMED("583231", "octocat")) },
	{ UNREADABLE, OK("{\"state\":\"active\",\"organization\":7}") },
	{ UNREADABLE, OK("{\"state\":\"active\",\"user\":\"octocat\"}") },
	{ UNREADABLE, OK("{\"state\":\"active\",\"user\":{\"login\":"
			 "\"octocat\",\"id\":\"583231\"}}") },
	{ UNREADABLE, OK("{\"state\":\"active\",\"user\":{\"login\":"
			 "\"octocat\",\"id\":583231.0}}") },
	{ UNREADABLE, OK("{\"state\":\"active\",\"user\":{\"login\":"
			 "\"octocat\",\"id\":-583231}}") },
	{ UNREADABLE, OK("{\"state\":\"active\",\"user\":{\"login\":"
			 "\"octocat\",\"id\":9223372036854775808}}") },
	{ UNREADABLE, OK("{\"state\":\"active\",\"user\":{\"login\":"
			 "\"octocat\",\"id\":99999999999999999999999}}") },
	{ UNREADABLE, OK("{\"state\":\"active\",\"user\":{\"login\":"
			 "\"octo/cat\",\"id\":583231}}") },
	{ UNREADABLE, OK("{\"state\":\"active\",\"user\":{\"login\":"
			 "\"octocat\\u0000\",\"id\":583231}}") },
	{ UNREADABLE, OK("{\"state\":\"active\",\"user\":{\"id\":583231}}") },
	{ NO_MEMBER, OK("{\"state\":\"pending\"}") },
	{ UNREADABLE, OK("{\"role\":\"admin\"}") },
	{ UNREADABLE, OK("{\"state\":true}") },
	{ UNREADABLE, OK("{\"state\":\"Active\"}") },
	{ UNREADABLE, OK("{\"state\":\"active\\u0000\"}") },
	{ UNREADABLE, OK("{\"state\":[\"active\"]}") },
	{ UNREADABLE, OK("\"active\"") },
	{ UNREADABLE, OK("[{\"state\":\"active\"}]") },
	{ UNREADABLE, OK(huge_array) },
	{ UNREADABLE, OK(NULL) },
	{ UNREADABLE, { .status = 201, .body = "{\"state\":\"active\"}" } },
	{ UNREADABLE, { .status = 204 } },
	{ UNREADABLE, { .status = 302, .body = "{\"state\":\"active\"}" } },
	{ UNREADABLE, { .status = 301 } },
	{ UNREADABLE, STATUS(400) },
	{ BAD_TOKEN, STATUS(401) },
	{ FORBIDDEN, { .status = 403, .body = "{\"state\":\"active\"}" } },
	{ NO_MEMBER, { .status = 404, .body = "{\"state\":\"active\"}" } },
	{ UNREADABLE, STATUS(429) },
	{ UNREADABLE, { .status = 500, .body = "{\"state\":\"active\"}" } },
	{ UNREADABLE, STATUS(503) },
	{ LIMITED,
	    { .result = GITHUB_LIMITED, .status = 403, .wait_ms = 30000 } },
	{ LIMITED,
	    { .result = GITHUB_LIMITED, .status = 429, .wait_ms = 30000 } },
	{ UNREADABLE, FAIL("no answer in time") },
	{ UNREADABLE, FAIL("an answer that is too large") },
	{ UNREADABLE, { .result = GITHUB_FAILED } },
};

/* To GET /users/LOGIN. */
static const struct {
	enum meaning meaning;
	struct fake_answer answer;
} ids[] = {
	{ MEMBER_NAMED, OK("{\"login\":\"octocat\",\"id\":583231}") },
	{ OTHER_ID, OK("{\"login\":\"octocat\",\"id\":1}") },
	{ OTHER_ID, STATUS(404) },
	{ UNREADABLE, OK("{\"login\":\"octodog\",\"id\":583231}") },
	{ UNREADABLE, STATUS(403) },
	{ UNREADABLE, STATUS(500) },
	{ BAD_TOKEN, STATUS(401) },
	{ LIMITED, { .result = GITHUB_LIMITED, .wait_ms = 30000 } },
};

/* To GET /user/orgs. */
static const struct {
	enum meaning meaning;
	struct fake_answer answer;
} lists[] = {
	{ MEMBER_NAMED, OK("[{\"login\":\"x\"},{\"login\":\"Acme-Inc\"},"
			   "{\"login\":\"BETA\"}]") },
	{ NO_MEMBER, OK("[]") },
	{ NO_MEMBER, OK("[{\"login\":\"acme\"},{\"login\":\"acme-inc2\"}]") },
	{ UNREADABLE, OK("[{\"login\":\"acme-inc\"},{\"login\":\"beta\"},7]") },
	{ UNREADABLE, OK("{\"login\":\"acme-inc\"}") },
	{ UNREADABLE, OK(huge_array) },
	{ UNREADABLE, STATUS(404) },
	{ FORBIDDEN, STATUS(403) },
	{ UNREADABLE, FAIL("late") },
	{ BAD_TOKEN, STATUS(401) },
	{ LIMITED, { .result = GITHUB_LIMITED, .wait_ms = 30000 } },
};

/* The rules that need GitHub, in order. */
static const struct {
	bool team;
	enum session_role role;
	const char *list;
	const char *text;
	const char *path[2]; /* with the instance's token, with the user's */
} rules[4] = {
	{ true, SESSION_ROLE_FULL, "Acme/staff", "team Acme/staff",
	    { "/orgs/Acme/teams/staff/memberships/octocat",
		"/orgs/Acme/teams/staff/memberships/octocat" } },
	{ true, SESSION_ROLE_READ_ONLY, "acme/Guests",
	    "read-only team acme/Guests",
	    { "/orgs/acme/teams/Guests/memberships/octocat",
		"/orgs/acme/teams/Guests/memberships/octocat" } },
	{ false, SESSION_ROLE_FULL, "acme-inc", "org acme-inc",
	    { "/orgs/acme-inc/memberships/octocat",
		"/user/memberships/orgs/acme-inc" } },
	{ false, SESSION_ROLE_READ_ONLY, "beta", "read-only org beta",
	    { "/orgs/beta/memberships/octocat",
		"/user/memberships/orgs/beta" } },
};

enum users { USERS_NONE, USERS_OTHERS, USERS_FULL, USERS_READ_ONLY, USERS };
enum evidence { IDENTITY, IDENTITY_ONLY, TOKEN, EVIDENCE };

struct combination {
	enum users users;
	unsigned rules; /* bits */
	enum evidence evidence;
	size_t special; /* the rule that is answered with */
	size_t answer;	/* that, */
	size_t others;	/* the others with that */
	size_t id, list;
};

/* What is to come of it. */
struct expectation {
	enum finding_kind kind;
	enum session_role role;
	const char *rule;
	char requests[4096];
	bool asked;
};

static struct event_base *base;
static struct authd_conf conf;
static struct access *people;
static unsigned long questions;
static bool seen_member, seen_id; /* in GitHub's answers */

static size_t
answer_of(const struct combination *c, size_t rule)
{
	return rule == c->special ? c->answer : c->others;
}

static void
expect_request(
    struct expectation *e, const struct combination *c, const char *path)
{
	(void)strlcat(e->requests, c->evidence == TOKEN ? "U " : "I ",
	    sizeof(e->requests));
	(void)strlcat(e->requests, path, sizeof(e->requests));
	(void)strlcat(e->requests, "\n", sizeof(e->requests));
	e->asked = true;
}

/* What a rule means, once all that it needs has been asked. */
static enum meaning
expect_rule(struct expectation *e, const struct combination *c, size_t rule)
{
	enum meaning meaning = answers[answer_of(c, rule)].meaning;
	enum meaning list = lists[c->list].meaning;

	expect_request(e, c, rules[rule].path[c->evidence == TOKEN]);
	if (c->evidence != TOKEN) {
		if (meaning != MEMBER)
			return meaning;
		expect_request(e, c, "/users/octocat");
		return ids[c->id].meaning;
	}
	if (meaning == OTHER_ID)
		meaning = UNREADABLE;
	if (rules[rule].team || (meaning != FORBIDDEN && meaning != UNREADABLE))
		return meaning == MEMBER ? MEMBER_NAMED : meaning;
	expect_request(e, c, "/user/orgs?per_page=100&page=1");
	return list == FORBIDDEN ? meaning : list;
}

static void
expect_rules(struct expectation *e, const struct combination *c)
{
	bool forbidden = false, unreadable = false;
	enum meaning meaning;
	size_t i;

	for (i = 0; i < COUNT(rules); i++) {
		if ((c->rules & 1u << i) == 0)
			continue;
		meaning = expect_rule(e, c, i);
		forbidden = forbidden || meaning == FORBIDDEN;
		unreadable = unreadable || meaning == UNREADABLE;
		if (meaning == NO_MEMBER || meaning == FORBIDDEN ||
		    meaning == UNREADABLE)
			continue;
		e->kind = FINDING_ALLOWED;
		if (meaning == OTHER_ID)
			e->kind = FINDING_OTHER_PERSON;
		if (meaning == BAD_TOKEN)
			e->kind = c->evidence == TOKEN ? FINDING_TOKEN_REFUSED
						       : FINDING_INSTANCE_TOKEN;
		if (meaning == LIMITED)
			e->kind = FINDING_LIMITED;
		if (e->kind == FINDING_ALLOWED) {
			e->role = rules[i].role;
			e->rule = rules[i].text;
		}
		return;
	}
	e->kind = unreadable		 ? FINDING_UNCHECKED
		  : c->rules == 0	 ? FINDING_NOT_NAMED
		  : c->evidence != TOKEN ? FINDING_NO_MEMBER
		  : forbidden		 ? FINDING_NOT_SEEN
					 : FINDING_NO_MEMBER;
}

static void
expect(struct expectation *e, const struct combination *c)
{
	memset(e, 0, sizeof(*e));
	e->rule = "";
	if (c->users == USERS_NONE && c->rules == 0) {
		e->kind =
		    c->evidence == TOKEN ? FINDING_NO_RULES : FINDING_ALLOWED;
		e->rule = c->evidence == TOKEN ? "" : "no rules";
		return;
	}
	if (c->evidence == TOKEN)
		expect_request(e, c, "/user");
	if (c->users == USERS_FULL || c->users == USERS_READ_ONLY) {
		e->kind = FINDING_ALLOWED;
		e->role = c->users == USERS_FULL ? SESSION_ROLE_FULL
						 : SESSION_ROLE_READ_ONLY;
		e->rule = c->users == USERS_FULL ? "users" : "read-only users";
	} else if (c->evidence == IDENTITY_ONLY && c->rules != 0) {
		e->kind = FINDING_NO_TOKEN;
	} else {
		expect_rules(e, c);
	}
}

/* Answer as the combination says, and note what was said. */
static void
answer_one(const struct combination *c)
{
	const char *path = TAILQ_FIRST(&fake_requests)->path;
	enum meaning meaning;
	size_t i;

	if (strcmp(path, "/user") == 0) {
		fake_say(200, "{\"login\":\"" LOGIN "\",\"id\":583231}");
		return;
	}
	if (strcmp(path, "/users/octocat") == 0) {
		seen_id = seen_id || ids[c->id].meaning == MEMBER_NAMED;
		fake_answer(&ids[c->id].answer);
		return;
	}
	if (strncmp(path, "/user/orgs?", 11) == 0) {
		seen_member =
		    seen_member || lists[c->list].meaning == MEMBER_NAMED;
		fake_answer(&lists[c->list].answer);
		return;
	}
	for (i = 0; strcmp(path, rules[i].path[c->evidence == TOKEN]) != 0;)
		assert_true(++i < COUNT(rules));
	meaning = answers[answer_of(c, i)].meaning;
	seen_member =
	    seen_member || meaning == MEMBER || meaning == MEMBER_NAMED;
	seen_id = seen_id || meaning == MEMBER_NAMED;
	fake_answer(&answers[answer_of(c, i)].answer);
}

static void
done(void *arg, const struct access_verdict *verdict)
{
	memcpy(arg, verdict, sizeof(*verdict));
}

static void
ask(const struct combination *c, struct access_verdict *verdict)
{
	struct access_wait wait = { .done = done, .arg = verdict };
	bool known;

	memset(verdict, 0xff, sizeof(*verdict));
	known = c->evidence == TOKEN
		    ? access_by_token(people, USER_TOKEN, verdict, &wait)
		    : access_by_identity(people, ID, LOGIN, verdict, &wait);
	questions++;
	if (known)
		return;
	while (!TAILQ_EMPTY(&fake_requests))
		answer_one(c);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_null(wait.in);
}

static void
fail_combination(const struct combination *c, const char *what,
    const struct access_verdict *verdict)
{
	fail_msg("%s: users %d rules %x evidence %d special %zu answer %zu "
		 "others %zu id %zu list %zu: result %d role %d rule \"%s\" "
		 "reason \"%s\" lifetime %u asked:\n%s",
	    what, c->users, c->rules, c->evidence, c->special, c->answer,
	    c->others, c->id, c->list, verdict->result, verdict->role,
	    verdict->rule, verdict->reason, verdict->lifetime_ms, fake_log);
}

static uint32_t
lifetime_of(enum finding_kind kind)
{
	switch ((int)kind) {
	case FINDING_ALLOWED:
		return 300000;
	case FINDING_UNCHECKED:
	case FINDING_INSTANCE_TOKEN:
	case FINDING_OTHER_PERSON:
		return 10000;
	case FINDING_LIMITED:
		return 30000;
	case FINDING_NO_RULES:
		return 0;
	default:
		return 60000;
	}
}

/* Nothing is ever allowed by an error, whatever the model above says. */
static void
check_invariant(
    const struct combination *c, const struct access_verdict *verdict)
{
	bool named = c->users == USERS_FULL || c->users == USERS_READ_ONLY;
	bool no_rules = c->users == USERS_NONE && c->rules == 0;

	if (verdict->result != ACCESS_ALLOWED || named ||
	    (no_rules && c->evidence != TOKEN))
		return;
	if (!seen_member || (c->evidence != TOKEN && !seen_id) ||
	    c->evidence == IDENTITY_ONLY)
		fail_combination(c, "allowed without a reason", verdict);
}

static void
check(const struct combination *c, const struct expectation *e,
    const struct access_verdict *verdict, bool fresh)
{
	struct finding f = { .kind = e->kind, .login = LOGIN };
	struct access_verdict wanted;

	/* Whose a token is nobody knows without asking. */
	if (e->kind == FINDING_TOKEN_REFUSED || e->kind == FINDING_NO_RULES ||
	    (e->kind == FINDING_LIMITED && c->evidence == TOKEN && !fresh))
		f.login[0] = '\0';
	finding_verdict(&f, &wanted);
	if (verdict->result != wanted.result ||
	    strcmp(verdict->reason, wanted.reason) != 0 ||
	    strcmp(verdict->advice, wanted.advice) != 0 ||
	    strcmp(verdict->login, wanted.login) != 0)
		fail_combination(c, wanted.reason, verdict);
	if (verdict->result == ACCESS_ALLOWED &&
	    (verdict->role != e->role || verdict->github_id != ID))
		fail_combination(c, "role, id", verdict);
	if (verdict->github_id != (f.login[0] != '\0' ? ID : 0))
		fail_combination(c, "whose it is", verdict);
	if (strcmp(verdict->rule, e->rule) != 0)
		fail_combination(c, e->rule, verdict);
	if (verdict->lifetime_ms != lifetime_of(e->kind))
		fail_combination(c, "lifetime", verdict);
	if (fresh && strcmp(fake_log, e->requests) != 0)
		fail_combination(c, e->requests, verdict);
	check_invariant(c, verdict);
}

static void
set_rules(const struct combination *c)
{
	char **list;
	size_t i;

	set_conf(&conf.users[0], c->users == USERS_FULL	    ? "alice OctoCat"
				 : c->users == USERS_OTHERS ? "alice octodog"
							    : "");
	set_conf(
	    &conf.users[1], c->users == USERS_READ_ONLY ? "bob octocat" : "");
	for (i = 0; i < COUNT(rules); i++) {
		list = rules[i].team ? &conf.teams[rules[i].role]
				     : &conf.orgs[rules[i].role];
		set_conf(list, (c->rules & 1u << i) != 0 ? rules[i].list : "");
	}
	set_conf(&conf.github_token,
	    c->evidence == IDENTITY_ONLY ? "" : INSTANCE_TOKEN);
}

static void
try(const struct combination *c)
{
	struct expectation e;
	struct access_verdict verdict;

	people = access_new(base, &conf, NULL);
	seen_member = seen_id = false;
	expect(&e, c);
	ask(c, &verdict);
	check(c, &e, &verdict, true);
	assert_true(verdict.fresh);
	fake_log[0] = '\0';
	/* Once more: known, and not asked about. */
	ask(c, &verdict);
	check(c, &e, &verdict, false);
	assert_string_equal(fake_log, "");
	if (e.asked && e.kind != FINDING_LIMITED)
		assert_false(verdict.fresh);
	/* Until it counts no more. */
	fake_now_ms += lifetime_of(e.kind);
	ask(c, &verdict);
	check(c, &e, &verdict, true);
	fake_log[0] = '\0';
	access_free(people);
	assert_int_equal(fake_open, 0);
}

static void
try_answers(struct combination *c)
{
	size_t sides = c->evidence == TOKEN ? COUNT(lists) : COUNT(ids), side;
	static const size_t others[] = { 0, 2, 17, 33, 36 };
	size_t i;

	for (c->special = 0; c->special < COUNT(rules); c->special++) {
		if ((c->rules & 1u << c->special) == 0)
			continue;
		for (c->answer = 0; c->answer < COUNT(answers); c->answer++)
			for (i = 0; i < COUNT(others) * sides; i++) {
				c->others = others[i / sides];
				side = i % sides;
				c->id = c->evidence == TOKEN ? 0 : side;
				c->list = c->evidence == TOKEN ? side : 0;
				/* All at times, a part of them always. */
				if ((c->answer + i + c->rules + c->users) % 7 <=
				    (unsigned)(side == 0))
					try(c);
			}
	}
}

static void
test_table(void **state)
{
	struct combination c = { 0 };
	unsigned n;

	(void)state;
	for (n = 0; n < USERS * 16 * EVIDENCE; n++) {
		c.users = n % USERS;
		c.rules = n / USERS % 16;
		c.evidence = n / USERS / 16;
		c.special = c.answer = c.others = c.id = c.list = 0;
		set_rules(&c);
		try(&c);
		if (c.users < USERS_FULL && c.evidence != IDENTITY_ONLY)
			try_answers(&c);
	}
	print_message("%lu questions\n", questions);
}

/* What the lists of others[] above mean. */
static void
test_others(void **state)
{
	(void)state;
	assert_int_equal(answers[0].meaning, MEMBER);
	assert_int_equal(answers[2].meaning, MEMBER_NAMED);
	assert_int_equal(answers[17].meaning, NO_MEMBER);
	assert_int_equal(answers[33].meaning, FORBIDDEN);
	assert_int_equal(answers[36].meaning, UNREADABLE);
}

static int
set_up(void **state)
{
	size_t i;

	(void)state;
	(void)strlcpy(huge_array, "[{}", sizeof(huge_array));
	for (i = 1; i < 10000; i++)
		memcpy(huge_array + 3 * i, ",{}", 3);
	(void)strlcpy(huge_array + 30000, "]", 2);
	log_set_level(LOG_LEVEL_CRIT);
	base = event_base_new();
	make_people_conf(&conf);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	free_people_conf(&conf);
	event_base_free(base);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
