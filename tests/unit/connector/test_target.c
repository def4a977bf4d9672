#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/slice.h"
#include "connector/target.h"

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
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct connector_conf conf = {
			.target = strdup(rows[i].target),
			.client_id = strdup(rows[i].client_id),
		};

		target = target_new(&conf, rows[i].token);
		assert_string_equal(target, rows[i].expected);
		free(target);
		free(conf.target);
		free(conf.client_id);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
