/* Where the parent logs to, and how a reload changes it. */

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/conf.h"
#include "tetherd/journal.h"
#include "tests/unit/common/descriptors.h"
#include "tests/unit/tetherd/log_file_fixture.h"

static char none[] = "";
static const struct parent_conf to_stderr = { .log_file = one,
	.log_to_stderr = true };
static const struct parent_conf to_syslog = { .log_file = none };
static const struct parent_conf to_one = { .log_file = one };
static const struct parent_conf to_two = { .log_file = two };
static const struct parent_conf to_nowhere = { .log_file = nowhere };

/* Without what stands in front of it. */
static const char *
message(char *line)
{
	const char *at = strstr(line, "]: ");

	assert_non_null(at);
	line[strcspn(line, "\n")] = '\0';
	return at + strlen("]: ");
}

static void
assert_file(const char *path, const char *expected)
{
	assert_lines(path, message, expected);
}

static int
setup(void **state)
{
	(void)state;
	files_make();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_to_stderr("test");
	return files_remove();
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
start_nowhere(void)
{
	journal_start(&to_nowhere);
}

static void
test_start_fails(void **state)
{
	(void)state;
	assert_fatal(start_nowhere);
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
