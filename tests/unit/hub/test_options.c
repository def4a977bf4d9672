#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hub/options.h"

#define ARGS_MAX 6

static enum options_result
parse(struct options *o, const char *const *args, char *error, size_t size)
{
	char copies[ARGS_MAX + 1][64];
	char *argv[ARGS_MAX + 2] = { copies[0] };
	int argc;

	(void)strlcpy(copies[0], "tether-hub", sizeof(copies[0]));
	for (argc = 1; args[argc - 1] != NULL; argc++) {
		(void)strlcpy(
		    copies[argc], args[argc - 1], sizeof(copies[argc]));
		argv[argc] = copies[argc];
	}
	*error = '\0';
	return options_parse(o, argc, argv, error, size);
}

static void
test_results(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		enum options_result result;
		const char *names; /* the error must */
	} cases[] = {
		{ { NULL }, OPTIONS_OK, "" },
		{ { "-h", NULL }, OPTIONS_HELP, "" },
		{ { "-V", NULL }, OPTIONS_VERSION, "" },
		{ { "--listen", "127.0.0.1:0", NULL }, OPTIONS_OK, "" },
		{ { "--listen", "127.9.9.9:65535", NULL }, OPTIONS_OK, "" },
		{ { "--listen", "[::1]:0", NULL }, OPTIONS_OK, "" },
		{ { "--listen", "127.0.0.1", NULL }, OPTIONS_BAD, "--listen" },
		{ { "--listen", ":1", NULL }, OPTIONS_BAD, "--listen" },
		{ { "--listen", "127.0.0.1:", NULL }, OPTIONS_BAD, "--listen" },
		{ { "--listen", "127.0.0.1:x", NULL }, OPTIONS_BAD,
		    "--listen" },
		{ { "--listen", "127.0.0.1:-1", NULL }, OPTIONS_BAD,
		    "--listen" },
		{ { "--listen", "::1", NULL }, OPTIONS_BAD, "--listen" },
		{ { "--listen", "host:1", NULL }, OPTIONS_BAD, "--listen" },
		{ { "--listen", "0.0.0.0:1", NULL }, OPTIONS_BAD,
		    "--password-file" },
		{ { "--listen", "[::]:1", NULL }, OPTIONS_BAD,
		    "--password-file" },
		{ { "--listen", "0.0.0.0:1", "--password-file", "f", NULL },
		    OPTIONS_OK, "" },
		{ { "--user", "1:a", NULL }, OPTIONS_OK, "" },
		{ { "--user", ":a", NULL }, OPTIONS_BAD, "--user" },
		{ { "--user", "1:", NULL }, OPTIONS_BAD, "--user" },
		{ { "--user", "-1:a", NULL }, OPTIONS_BAD, "--user" },
		{ { "--user", "123456789012345678901:a", NULL }, OPTIONS_BAD,
		    "--user" },
		{ { "--user", "1:a b", NULL }, OPTIONS_BAD, "--user" },
		{ { "--user", "1:a\nb", NULL }, OPTIONS_BAD, "--user" },
		{ { "--message-max", "1024", NULL }, OPTIONS_OK, "" },
		{ { "--message-max", "1023", NULL }, OPTIONS_BAD,
		    "--message-max" },
		{ { "--message-max", "1k", NULL }, OPTIONS_BAD,
		    "--message-max" },
		{ { "--token", "", NULL }, OPTIONS_BAD, "--token" },
		{ { "--token", NULL }, OPTIONS_BAD, "--token" },
		{ { "--nope", NULL }, OPTIONS_BAD, "--nope" },
		{ { "-x", NULL }, OPTIONS_BAD, "-x" },
		{ { "rest", NULL }, OPTIONS_BAD, "rest" },
	};
	struct options o;
	char error[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(&o, cases[i].args, error, sizeof(error)),
		    cases[i].result);
		assert_non_null(strstr(error, cases[i].names));
	}
}

static void
test_values(void **state)
{
	static const char *const args[] = { "--user", "583231:octocat",
		"--duratii", "-vv", NULL };
	static const char *const none[] = { NULL };
	struct options o;
	char error[256];

	(void)state;
	assert_int_equal(parse(&o, none, error, sizeof(error)), OPTIONS_OK);
	assert_true(o.loopback);
	assert_string_equal(o.user_id, "1");
	assert_string_equal(o.user_login, "local");
	assert_int_equal(o.message_max, OPTIONS_MESSAGE_MAX);
	assert_false(o.duratii);
	assert_int_equal(parse(&o, args, error, sizeof(error)), OPTIONS_OK);
	assert_string_equal(o.user_id, "583231");
	assert_true(o.duratii);
	assert_int_equal(o.verbose, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
