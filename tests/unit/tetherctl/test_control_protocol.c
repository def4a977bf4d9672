#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/control_protocol.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *value, *path; /* NULL: not set, none */
} table[] = {
	{ NULL, NULL },
	{ "", NULL },
	{ ":/run/b", NULL },
	{ "relative", NULL },
	{ "./a:/run/b", NULL },
	{ "/run/a", "/run/a/tetherd.sock" },
	{ "/run/a:/run/b", "/run/a/tetherd.sock" },
	{ "/run/a:", "/run/a/tetherd.sock" },
	{ "/", "//tetherd.sock" },
	/* What fits, to the byte, and what does not. */
	{ "/123456789012345678", "/123456789012345678/tetherd.sock" },
	{ "/1234567890123456789", NULL },
	{ "/1234567890123456789012345678901234567890", NULL },
	{ "/1234567890123456789012345678901234567890:/a", NULL },
};

static void
test_paths(void **state)
{
	char path[33];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		unsetenv("SOME_DIRECTORY");
		if (table[i].value != NULL)
			setenv("SOME_DIRECTORY", table[i].value, 1);
		assert_int_equal(
		    control_path_from("SOME_DIRECTORY", path, sizeof(path)),
		    table[i].path == NULL ? -1 : 0);
		if (table[i].path != NULL)
			assert_string_equal(path, table[i].path);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
