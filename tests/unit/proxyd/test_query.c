#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/query.h"

static const struct {
	const char *in, *out;
} table[] = {
	{ "/", "/" },
	{ "/ws", "/ws" },
	{ "/ws?", "/ws" },
	{ "/ws?a=1", "/ws?a=1" },
	{ "/ws?token=x", "/ws" },
	{ "/ws?token", "/ws" },
	{ "/ws?token=", "/ws" },
	{ "/ws?token=x&a=1", "/ws?a=1" },
	{ "/ws?a=1&token=x", "/ws?a=1" },
	{ "/ws?a=1&token=x&b=2", "/ws?a=1&b=2" },
	{ "/ws?token=x&token=y", "/ws" },
	{ "/ws?token=x&a&token=y&", "/ws?a" },
	{ "/ws?&token=x", "/ws" },
	{ "/ws?a=1&&b=2", "/ws?a=1&&b=2" },
	{ "/ws?%74oken=x&a=1", "/ws?a=1" },
	{ "/ws?%74%6F%6b%65%6E=x&a=1", "/ws?a=1" },
	{ "/ws?toke%6e", "/ws" },
	/* others */
	{ "/ws?tokens=x", "/ws?tokens=x" },
	{ "/ws?toke=x", "/ws?toke=x" },
	{ "/ws?xtoken=x", "/ws?xtoken=x" },
	{ "/ws?Token=x", "/ws?Token=x" },
	{ "/ws?token%3d=x", "/ws?token%3d=x" },
	{ "/ws?token%00=x", "/ws?token%00=x" },
	{ "/ws?a=token&b=?token=1", "/ws?a=token&b=?token=1" },
	{ "/ws?=token", "/ws?=token" },
	{ "/ws?%7=x&%&token%7", "/ws?%7=x&%&token%7" },
	{ "/ws?%7", "/ws?%7" },
	{ "/token=x/ws?a", "/token=x/ws?a" },
};

static void
test_remove(void **state)
{
	char target[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		(void)strlcpy(target, table[i].in, sizeof(target));
		query_remove(target, "token");
		if (strcmp(target, table[i].out) != 0)
			fail_msg("%s: %s", table[i].in, target);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
