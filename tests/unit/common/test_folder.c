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

#include "common/folder.h"

/* Links, and where they lead; those that begin with % do so to our folder. */
static const char *const links[][2] = {
	{ "link", "one/file" },
	{ "absolute", "%/one/file" },
	{ "loose", "two/none" },
	{ "chain", "link" },
	{ "folder", "one" },
	{ "up", "one/../two/none" },
	{ "far", "none/none" },
	{ "loop", "loop" },
	{ "empty", "/" },
};
#define NLINKS (sizeof(links) / sizeof(links[0]))

/* A path below our folder, and the folder that it leads to. */
static const struct {
	const char *path;
	const char *folder;
} table[] = {
	{ "/one/file", "/one" },
	{ "/one/none", "/one" },
	{ "/none", "" },
	{ "/one/../two/x", "/two" },
	{ "//one//file", "/one" },
	{ "/link", "/one" },
	{ "/absolute", "/one" },
	{ "/chain", "/one" },
	{ "/loose", "/two" },
	{ "/up", "/two" },
	{ "/folder/file", "/one" },
	{ "/folder/none", "/one" },
	/* What is not there is called as it was. */
	{ "/none/none/file", "/none/none" },
	{ "/far", "/none" },
	{ "/loop", "" },
};

static char dir[] = "/tmp/folder.XXXXXX";

static void
test_table(void **state)
{
	char path[256], expected[256];
	char *folder;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", dir, table[i].path);
		(void)snprintf(
		    expected, sizeof(expected), "%s%s", dir, table[i].folder);
		folder = folder_of(path);
		if (strcmp(folder, expected) != 0)
			fail_msg("%s: %s", path, folder);
		free(folder);
	}
}

static void
test_relative(void **state)
{
	static const char *const paths[] = { "x", "one/x", "./x", "folder/x",
		"" };
	static const char *const folders[] = { "", "/one", "", "/one", "" };
	char expected[256];
	char *folder;
	size_t i;

	(void)state;
	assert_int_equal(chdir(dir), 0);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		folder = folder_of(paths[i]);
		(void)snprintf(
		    expected, sizeof(expected), "%s%s", dir, folders[i]);
		assert_string_equal(folder, expected);
		free(folder);
	}
	assert_int_equal(chdir("/"), 0);
	folder = folder_of("/");
	assert_string_equal(folder, "/");
	free(folder);
	folder = folder_of("/x");
	assert_string_equal(folder, "/");
	free(folder);
}

static int
setup(void **state)
{
	char target[128];
	size_t i;

	(void)state;
	if (mkdtemp(dir) == NULL || chdir(dir) == -1 ||
	    mkdir("one", 0700) == -1 || mkdir("two", 0700) == -1)
		return -1;
	for (i = 0; i < NLINKS; i++) {
		(void)snprintf(target, sizeof(target), "%s%s",
		    links[i][1][0] == '%' ? dir : "",
		    links[i][1] + (links[i][1][0] == '%'));
		if (symlink(target, links[i][0]) == -1)
			return -1;
	}
	return close(open("one/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	if (chdir(dir) == -1)
		return -1;
	for (i = 0; i < NLINKS; i++)
		(void)unlink(links[i][0]);
	(void)unlink("one/file");
	(void)rmdir("one");
	(void)rmdir("two");
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_relative),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
