#include <sys/stat.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "hub/secret.h"
#include "hub/token.h"

static void
write_file(char *name, const char *text, mode_t mode)
{
	int fd = mkstemp(name);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
test_add(void **state)
{
	struct tokens tokens;
	char longest[TOKEN_MAX + 1];

	(void)state;
	tokens_init(&tokens);
	assert_false(tokens_have(&tokens, ""));
	assert_int_equal(tokens_add(&tokens, ""), -1);
	assert_int_equal(tokens_add(&tokens, "a b"), -1);
	assert_int_equal(tokens_add(&tokens, "a\n"), -1);
	memset(longest, 'a', sizeof(longest));
	longest[TOKEN_MAX] = '\0';
	assert_int_equal(tokens_add(&tokens, longest), -1);
	longest[TOKEN_MAX - 1] = '\0';
	assert_int_equal(tokens_add(&tokens, longest), 0);
	assert_int_equal(tokens_add(&tokens, "ao_1_x"), 0);
	assert_true(tokens_have(&tokens, longest));
	assert_true(tokens_have(&tokens, "ao_1_x"));
	assert_false(tokens_have(&tokens, "ao_1_"));
	assert_false(tokens_have(&tokens, "ao_1_xx"));
	assert_false(tokens_have(&tokens, "ao_1_y"));
	tokens_clear(&tokens);
}

static void
test_file(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		int result;
	} cases[] = {
		{ "", 0600, 0 },
		{ "# none\n\n", 0600, 0 },
		{ "one # the first\ntwo", 0400, 0 },
		{ "one\n", 0640, -1 },
		{ "one\n", 0604, -1 },
		{ "o\001e\n", 0600, -1 },
	};
	struct tokens tokens;
	char name[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)strlcpy(name, "/tmp/test_token.XXXXXX", sizeof(name));
		write_file(name, cases[i].text, cases[i].mode);
		tokens_init(&tokens);
		assert_int_equal(tokens_load(&tokens, name), cases[i].result);
		if (i == 2) {
			assert_true(tokens_have(&tokens, "one"));
			assert_true(tokens_have(&tokens, "two"));
			assert_false(tokens_have(&tokens, "the"));
		}
		tokens_clear(&tokens);
		unlink(name);
	}
	tokens_init(&tokens);
	assert_int_equal(tokens_load(&tokens, "/nonexistent"), -1);
	assert_int_equal(tokens_load(&tokens, "/tmp"), -1);
}

static void
test_grant(void **state)
{
	struct tokens tokens, again;
	char name[] = "/tmp/test_token.XXXXXX";
	const char *granted;

	(void)state;
	write_file(name, "old", 0600); /* no newline */
	tokens_init(&tokens);
	assert_int_equal(tokens_load(&tokens, name), 0);
	assert_non_null(granted = tokens_grant(&tokens));
	assert_int_equal(strncmp(granted, "ao_", 3), 0);
	assert_true(tokens_have(&tokens, granted));
	tokens_init(&again);
	assert_int_equal(tokens_load(&again, name), 0);
	assert_true(tokens_have(&again, granted));
	assert_true(tokens_have(&again, "old"));
	tokens_clear(&again);
	/* What cannot be kept is not granted. */
	tokens.file = "/nonexistent/tokens";
	assert_null(tokens_grant(&tokens));
	tokens_clear(&tokens);
	unlink(name);
}

static void
test_secrets(void **state)
{
	char name[] = "/tmp/test_token.XXXXXX";
	char *line;

	(void)state;
	assert_true(secret_equal("", ""));
	assert_true(secret_equal("abc", "abc"));
	assert_false(secret_equal("abc", "abd"));
	assert_false(secret_equal("abc", "ab"));
	assert_false(secret_equal("", "a"));
	write_file(name, "pass word\r\nmore\n", 0600);
	line = secret_read_line(name);
	assert_string_equal(line, "pass word");
	free(line);
	unlink(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_grant),
		cmocka_unit_test(test_secrets),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
