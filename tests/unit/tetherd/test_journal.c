/* Where the parent logs to, and how a reload changes it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "tetherd/conf.h"
#include "tetherd/journal.h"
#include "tests/unit/common/descriptors.h"

static char directory[] = "/tmp/test_journal.XXXXXX";
static char none[] = "", one[64], two[64], moved[64], nowhere[64];
static const struct parent_conf to_stderr = { .log_file = one,
	.log_to_stderr = true };
static const struct parent_conf to_syslog = { .log_file = none };
static const struct parent_conf to_one = { .log_file = one };
static const struct parent_conf to_two = { .log_file = two };
static const struct parent_conf to_nowhere = { .log_file = nowhere };

/* What is in the file, without what stands in front of each line. */
static void
assert_file(const char *path, const char *expected)
{
	char line[256], text[1024] = "";
	FILE *f = fopen(path, "r");

	if (f == NULL) {
		assert_string_equal("no file", expected);
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		assert_non_null(strstr(line, "]: "));
		(void)strlcat(text, strstr(line, "]: ") + 3, sizeof(text));
		(void)strlcat(text, ";", sizeof(text));
	}
	(void)fclose(f);
	assert_string_equal(text, expected);
}

static int
setup(void **state)
{
	(void)state;
	(void)strlcpy(directory, "/tmp/test_journal.XXXXXX", sizeof(directory));
	assert_non_null(mkdtemp(directory));
	(void)snprintf(one, sizeof(one), "%s/one", directory);
	(void)snprintf(two, sizeof(two), "%s/two", directory);
	(void)snprintf(moved, sizeof(moved), "%s/moved", directory);
	(void)snprintf(nowhere, sizeof(nowhere), "%s/no/file", directory);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_to_stderr("test");
	(void)unlink(one);
	(void)unlink(two);
	(void)unlink(moved);
	return rmdir(directory);
}

static void
test_switch(void **state)
{
	int fds = count_descriptors();

	(void)state;
	journal_start(&to_one);
	log_infox("a");
	assert_null(journal_stage(&to_one, &to_two));
	log_infox("b");
	journal_switch(&to_two, &to_one);
	log_infox("c");
	assert_null(journal_stage(&to_two, &to_two));
	journal_switch(&to_two, &to_two);
	log_infox("d");
	assert_int_equal(count_descriptors(), fds + 1);
	assert_null(journal_stage(&to_two, &to_stderr));
	journal_switch(&to_stderr, &to_two);
	assert_int_equal(count_descriptors(), fds);
	assert_null(journal_stage(&to_stderr, &to_one));
	journal_switch(&to_one, &to_stderr);
	log_infox("e");
	assert_file(one, "a;b;e;");
	assert_file(two, "c;d;");
}

static void
test_drop(void **state)
{
	int fds = count_descriptors();

	(void)state;
	journal_start(&to_one);
	assert_null(journal_stage(&to_one, &to_two));
	journal_drop();
	journal_drop();
	log_infox("a");
	assert_null(journal_stage(&to_one, &to_two));
	assert_null(journal_stage(&to_one, &to_syslog));
	journal_drop();
	assert_non_null(journal_stage(&to_one, &to_nowhere));
	assert_non_null(
	    strstr(journal_stage(&to_one, &to_nowhere), "No such file"));
	journal_drop();
	log_infox("b");
	assert_int_equal(count_descriptors(), fds + 1);
	assert_file(one, "a;b;");
	assert_file(two, "");
}

static void
test_reopen(void **state)
{
	(void)state;
	journal_start(&to_one);
	log_infox("a");
	assert_int_equal(rename(one, moved), 0);
	log_infox("b");
	journal_reopen(&to_one);
	log_infox("c");
	/* What cannot be opened leaves what there is. */
	journal_reopen(&to_nowhere);
	log_infox("d");
	assert_file(moved, "a;b;");
	assert_int_equal(rename(one, two), 0);
	journal_reopen(&to_stderr);
	journal_reopen(&to_syslog);
	log_infox("e");
	assert_file(one, "no file");
}

static void
test_start_fails(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	(void)fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		journal_start(&to_nowhere);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_switch),
		TEST(test_drop),
		TEST(test_reopen),
		TEST(test_start_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
