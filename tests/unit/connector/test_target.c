#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/slice.h"
#include "connector/target.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *target, *token, *client_id, *expected;
} rows[] = {
	{ "/ws", "ao_1_x", "box", "/ws?token=ao_1_x&client_id=box" },
	{ "/", "t", "b", "/?token=t&client_id=b" },
	{ "/a?x=1", "t", "b", "/a?x=1&token=t&client_id=b" },
	{ "/?a&b", "t", "b", "/?a&b&token=t&client_id=b" },
	{ "/", "", "", "/?token=&client_id=" },
	/* nothing in a token or an id can leave its place */
	{ "/", "a&b=c#d e/?+%\r\n", "-._~AZaz09",
	    "/?token=a%26b%3Dc%23d%20e%2F%3F%2B%25%0D%0A"
	    "&client_id=-._~AZaz09" },
	{ "/", "\xc3\xa9\x7f\xff\x01", "a b",
	    "/?token=%C3%A9%7F%FF%01&client_id=a%20b" },
};

static void
test_target(void **state)
{
	char *target;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct connector_conf conf = {
			.target = strdup(rows[i].target),
		};

		target = target_new(&conf, rows[i].client_id, rows[i].token);
		assert_string_equal(target, rows[i].expected);
		free(target);
		free(conf.target);
	}
}

static const struct {
	const char *target, *users, *orgs, *teams, *expected;
} pending_rows[] = {
	{ "/ws/connect", "ada", "", "", "/ws/pending?user=ada" },
	{ "/ws/connect", "", "acme", "", "/ws/pending?org=acme" },
	{ "/ws/connect", "", "", "acme/staff",
	    "/ws/pending?team=acme%2Fstaff" },
	{ "/ws/connect", "ada bob-1", "acme", "acme/a_b acme/c",
	    "/ws/pending?user=ada%2Cbob-1&org=acme"
	    "&team=acme%2Fa_b%2Cacme%2Fc" },
	/* the last segment, whatever it is */
	{ "/deep/er/ws/connect", "ada", "", "",
	    "/deep/er/ws/pending?user=ada" },
	{ "/ws/connect/", "ada", "", "", "/ws/connect/pending?user=ada" },
	{ "/ws", "ada", "", "", "/pending?user=ada" },
	{ "/", "ada", "", "", "/pending?user=ada" },
	/* the rest of the query */
	{ "/ws/connect?zone=a/b&x", "ada", "", "",
	    "/ws/pending?zone=a/b&x&user=ada" },
	{ "/ws/connect?user=eve&zone=1&org&team=x/y&", "ada", "", "",
	    "/ws/pending?zone=1&user=ada" },
	{ "/ws/connect?users=1&&teams", "", "acme", "",
	    "/ws/pending?users=1&teams&org=acme" },
	{ "/ws/connect?", "ada", "", "", "/ws/pending?user=ada" },
	/* nothing can leave its place */
	{ "/c", "a&b=c#d/?+%", "\xc3\xa9", "\r\n",
	    "/pending?user=a%26b%3Dc%23d%2F%3F%2B%25&org=%C3%A9"
	    "&team=%0D%0A" },
};

static void
test_pending(void **state)
{
	char *target;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(pending_rows); i++) {
		struct connector_conf conf = {
			.target = strdup(pending_rows[i].target),
			.claim_users = strdup(pending_rows[i].users),
			.claim_orgs = strdup(pending_rows[i].orgs),
			.claim_teams = strdup(pending_rows[i].teams),
		};

		target = target_new_pending(&conf);
		assert_string_equal(target, pending_rows[i].expected);
		free(target);
		free(conf.target);
		free(conf.claim_users);
		free(conf.claim_orgs);
		free(conf.claim_teams);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
