#include "authd/policy.h"
#include "tests/unit/authd/fixture.h"

static char x64[65], x65[66], x100[101], x101[102];

static const struct {
	const char *login;
	bool valid;
} logins[] = {
	{ "octocat", true },
	{ "mona-lisa_corp", true },
	{ "-", true },
	{ "0", true },
	{ x64, true },
	{ "", false },
	{ x65, false },
	{ "a b", false },
	{ "a\nb", false },
	{ "a\x7f", false },
	{ "caf\xc3\xa9", false },
	{ "a/../b", false },
	{ "a'b", false },
	{ "a.b", false },
	{ "a%41", false },
	{ "a?b", false },
};

static void
test_names(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(logins); i++)
		if (policy_login_is_valid(logins[i].login) != logins[i].valid)
			fail_msg("login \"%s\"", logins[i].login);
	assert_false(policy_id_is_valid(0));
	assert_true(policy_id_is_valid(1));
	assert_true(policy_id_is_valid(INT64_MAX));
	assert_false(policy_id_is_valid((uint64_t)INT64_MAX + 1));
	assert_false(policy_id_is_valid(UINT64_MAX));
}

/* The lists, and the rules that they make, in order. */
static const struct {
	const char *users[2], *teams[2], *orgs[2];
	bool rules, asks;
	const char *made;
} lists[] = {
	{ { "", "" }, { "", "" }, { "", "" }, false, false, "" },
	{ { "a", "" }, { "", "" }, { "", "" }, true, false, "users(a) " },
	{ { "", "a" }, { "", "" }, { "", "" }, true, false,
	    "read-only users(a) " },
	{ { "", "" }, { "o/t", "" }, { "", "" }, true, true, "team o/t " },
	{ { "", "" }, { "", "o/t" }, { "", "" }, true, true,
	    "read-only team o/t " },
	{ { "", "" }, { "", "" }, { "o", "" }, true, true, "org o " },
	{ { "", "" }, { "", "" }, { "", "o" }, true, true, "read-only org o " },
	/* All, in the order in which they count. */
	{ { "a b", "c d" }, { "e/f g/h", "i/j" }, { "k l", "m n" }, true, true,
	    "users(a) users(b) read-only users(c) read-only users(d) "
	    "team e/f team g/h read-only team i/j "
	    "org k org l read-only org m read-only org n " },
	/* Odd blanks. */
	{ { "  a\t\tb  ", " " }, { "\to/t ", "\t" }, { " o\t", "  " }, true,
	    true, "users(a) users(b) team o/t org o " },
	{ { "a\xc2\xa0"
	    "b c",
	      "" },
	    { "", "" }, { "", "" }, true, false, "users(c) " },
	{ { "a,b c", "" }, { "", "" }, { "", "" }, true, false, "users(c) " },
	/* What is no name makes no rule, but lets nobody in either. */
	{ { " ", "" }, { "", "" }, { "", "" }, true, false, "" },
	{ { "", "" }, { "", "" }, { "", "\t" }, true, false, "" },
	{ { "a.b ../x", "" }, { "", "" }, { "", "" }, true, false, "" },
	{ { "", "" }, { "o o/ /t o/t/u o/t? o./t o/%2e ok/team", "" },
	    { "o/t .. a?b #", "" }, true, true, "team ok/team " },
	{ { "", "" }, { "o/t/u", "" }, { ".", "" }, true, false, "" },
	{ { x65, x64 }, { "", "" }, { x64, x65 }, true, true,
	    "read-only users(x64) org x64 " },
};

static char *
copy_list(const char *s)
{
	char *copy = strdup(s);

	assert_non_null(copy);
	return copy;
}

static void
make_conf(struct authd_conf *conf, const char *const users[2],
    const char *const teams[2], const char *const orgs[2])
{
	int role;

	memset(conf, 0, sizeof(*conf));
	for (role = 0; role < SESSION_ROLE_COUNT; role++) {
		conf->users[role] = copy_list(users[role]);
		conf->teams[role] = copy_list(teams[role]);
		conf->orgs[role] = copy_list(orgs[role]);
	}
}

static void
free_conf(struct authd_conf *conf)
{
	int role;

	for (role = 0; role < SESSION_ROLE_COUNT; role++) {
		free(conf->users[role]);
		free(conf->teams[role]);
		free(conf->orgs[role]);
	}
}

static void
add_rule(char made[1024], const struct policy_rule *rule)
{
	char text[SESSION_REASON_MAX], login[80] = "";
	const char *x = strstr(rule->org, x64) == rule->org ? "x64" : NULL;

	policy_describe(rule, text, sizeof(text));
	if (x != NULL && rule->kind == POLICY_ORG)
		(void)strlcpy(strstr(text, x64), x, 4);
	if (rule->kind == POLICY_USER)
		(void)snprintf(login, sizeof(login), "(%s)",
		    strcmp(rule->login, x64) == 0 ? "x64" : rule->login);
	(void)strlcat(made, text, 1024);
	(void)strlcat(made, login, 1024);
	(void)strlcat(made, " ", 1024);
}

static void
test_lists(void **state)
{
	struct policy_rule rule;
	struct authd_conf conf;
	char made[1024];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lists); i++) {
		make_conf(&conf, lists[i].users, lists[i].teams, lists[i].orgs);
		memset(&rule, 0, sizeof(rule));
		made[0] = '\0';
		while (policy_next(&conf, &rule))
			add_rule(made, &rule);
		/* And it stays at the end. */
		assert_false(policy_next(&conf, &rule));
		if (strcmp(made, lists[i].made) != 0)
			fail_msg("case %zu: %s", i, made);
		if (policy_has_rules(&conf) != lists[i].rules ||
		    policy_asks_github(&conf) != lists[i].asks)
			fail_msg("case %zu: rules, or GitHub", i);
		free_conf(&conf);
	}
}

static const struct {
	const char *users[2];
	const char *login;
	const char *rule; /* NULL if none names them */
} people[] = {
	{ { "", "" }, "octocat", NULL },
	{ { "octocat", "" }, "octocat", "users" },
	{ { "OctoCat", "" }, "oCTOcat", "users" },
	{ { "alice octocat bob", "" }, "octocat", "users" },
	{ { " alice\toctocat ", "" }, "OCTOCAT", "users" },
	{ { "", "octocat" }, "octocat", "read-only users" },
	{ { "alice", "bob OCTOCAT" }, "octocat", "read-only users" },
	/* The first match counts. */
	{ { "octocat", "octocat" }, "octocat", "users" },
	{ { "alice", "bob" }, "octocat", NULL },
	{ { "octocats", "" }, "octocat", NULL },
	{ { "octo cat", "" }, "octocat", NULL },
	{ { "cat", "octo" }, "octocat", NULL },
	{ { " ", "" }, "octocat", NULL },
};

static void
test_people(void **state)
{
	/* Orgs and teams by the name of the person are no users. */
	static const char *const teams[2] = { "octocat/octocat", "" };
	static const char *const orgs[2] = { "octocat", "octocat" };
	char text[SESSION_REASON_MAX];
	struct policy_rule rule;
	struct authd_conf conf;
	size_t i;
	bool found;

	(void)state;
	for (i = 0; i < COUNT(people); i++) {
		make_conf(&conf, people[i].users, teams, orgs);
		found = policy_find_user(&conf, people[i].login, &rule);
		free_conf(&conf);
		if (found)
			policy_describe(&rule, text, sizeof(text));
		if (found != (people[i].rule != NULL) ||
		    (found && strcmp(text, people[i].rule) != 0))
			fail_msg("case %zu: %s", i, found ? text : "none");
	}
}

static void
test_longest_description(void **state)
{
	struct policy_rule rule;
	const char *teams[2] = { "", "" }, *none[2] = { "", "" };
	char text[SESSION_REASON_MAX], list[512];
	struct authd_conf conf;

	(void)state;
	(void)snprintf(list, sizeof(list), "%s/%s %s/%s %s/%s", x64, x101, x65,
	    x100, x64, x100);
	teams[SESSION_ROLE_READ_ONLY] = list;
	make_conf(&conf, none, teams, none);
	memset(&rule, 0, sizeof(rule));
	assert_true(policy_next(&conf, &rule));
	policy_describe(&rule, text, sizeof(text));
	assert_int_equal(strlen(text), strlen("read-only team /") + 164);
	assert_false(policy_next(&conf, &rule));
	free_conf(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_people),
		cmocka_unit_test(test_longest_description),
	};

	memset(x64, 'x', sizeof(x64) - 1);
	memset(x65, 'x', sizeof(x65) - 1);
	memset(x100, 'x', sizeof(x100) - 1);
	memset(x101, 'x', sizeof(x101) - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
