#include "authd/policy.h"
#include "tests/unit/authd/fixture.h"

static char x64[65], x65[66];

static const struct {
	const char *users;
	bool rules;
	uint64_t github_id;
	const char *login;
	const char *reason; /* a part of it, NULL for let in */
} cases[] = {
	/* No rules: whoever the orchestrator vouches for. */
	{ "", false, 1, "octocat", NULL },
	{ "", false, 1, "mona-lisa_corp", NULL },
	{ "", false, 1, "-", NULL },
	{ "", false, INT64_MAX, "octocat", NULL },
	{ "", false, 1, x64, NULL },
	/* What is no identity. */
	{ "", false, 0, "octocat", "user id" },
	{ "", false, (uint64_t)INT64_MAX + 1, "octocat", "user id" },
	{ "", false, UINT64_MAX, "octocat", "user id" },
	{ "", false, 1, "", "user name" },
	{ "", false, 1, x65, "user name" },
	{ "", false, 1, "a b", "user name" },
	{ "", false, 1, "a\nb", "user name" },
	{ "", false, 1, "a\x7f", "user name" },
	{ "", false, 1, "caf\xc3\xa9", "user name" },
	{ "", false, 1, "a/../b", "user name" },
	{ "", false, 1, "a'b", "user name" },
	{ "", false, 1, "a.b", "user name" },
	{ "a.b", false, 1, "a.b", "user name" },
	{ "octocat", false, 0, "octocat", "user id" },
	/* users */
	{ "octocat", false, 1, "octocat", NULL },
	{ "OctoCat", false, 1, "oCTOcat", NULL },
	{ "alice octocat bob", false, 1, "octocat", NULL },
	{ " alice\toctocat ", false, 1, "OCTOCAT", NULL },
	{ "alice", false, 1, "octocat", "not among" },
	{ "octocats", false, 1, "octocat", "not among" },
	{ "octo cat", false, 1, "octocat", "not among" },
	{ "cat", false, 1, "octocat", "not among" },
	{ " ", false, 1, "octocat", "not among" },
	/* team, org */
	{ "", true, 1, "octocat", "cannot check" },
	{ "alice", true, 1, "octocat", "cannot check" },
	{ "alice", true, 1, "alice", NULL },
	{ "", true, 0, "octocat", "user id" },
};

static void
test_policy(void **state)
{
	struct authd_conf conf;
	const char *reason;
	size_t i;

	(void)state;
	memset(x64, 'x', sizeof(x64) - 1);
	memset(x65, 'x', sizeof(x65) - 1);
	for (i = 0; i < COUNT(cases); i++) {
		memset(&conf, 0, sizeof(conf));
		conf.users[0] = strdup(cases[i].users);
		conf.teams[0] = strdup("");
		conf.orgs[0] = strdup(cases[i].rules ? "acme" : "");
		reason =
		    policy_check(&conf, cases[i].github_id, cases[i].login);
		free(conf.users[0]);
		free(conf.teams[0]);
		free(conf.orgs[0]);
		if ((reason == NULL) != (cases[i].reason == NULL) ||
		    (reason != NULL && strstr(reason, cases[i].reason) == NULL))
			fail_msg("case %zu, login \"%s\": %s", i,
			    cases[i].login, reason == NULL ? "let in" : reason);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
