#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/client_id.h"

static const struct {
	const char *id;
	bool good;
} rows[] = {
	{ "box", true },
	{ "x", true },
	{ "client_0a1b2c3d", true },
	{ "Box-7.example.com", true },
	{ "~!$&'()*+,;=:@._-", true },
	{ "...", true },
	{ ".x", true },
	{ "", false },
	{ ".", false },
	{ "..", false },
	{ "../x", false },
	{ "a/b", false },
	{ "a\\b", false },
	{ "a b", false },
	{ "a%2fb", false },
	{ "a?b", false },
	{ "a#b", false },
	{ "a[b]", false },
	{ "a\"b", false },
	{ "a<b", false },
	{ "a\n", false },
	{ "\x1b", false },
	{ "\x7f", false },
	{ "\xc3\xa9", false },
};

static void
test_client_id(void **state)
{
	char id[CLIENT_ID_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((client_id_check(rows[i].id) == NULL) != rows[i].good)
			fail_msg("%s", rows[i].id);
	memset(id, 'x', sizeof(id));
	id[CLIENT_ID_MAX] = '\0';
	assert_null(client_id_check(id));
	id[CLIENT_ID_MAX] = 'x';
	id[CLIENT_ID_MAX + 1] = '\0';
	assert_string_equal(client_id_check(id), "longer than 128 characters");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
