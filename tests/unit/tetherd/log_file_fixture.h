#ifndef TESTS_UNIT_TETHERD_LOG_FILE_FIXTURE_H
#define TESTS_UNIT_TETHERD_LOG_FILE_FIXTURE_H

/* Files that the parent appends lines to, in a folder of their own. */

#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH_SIZE 64

/* moved is where a test moves one of them to; nowhere cannot be opened. */
static char directory[32], one[PATH_SIZE], two[PATH_SIZE], moved[PATH_SIZE],
    nowhere[PATH_SIZE];

static inline void
name_file(char path[PATH_SIZE], const char *name)
{
	(void)snprintf(path, PATH_SIZE, "%s/%s", directory, name);
}

static inline void
files_make(void)
{
	(void)strlcpy(directory, "/tmp/log_file.XXXXXX", sizeof(directory));
	assert_non_null(mkdtemp(directory));
	name_file(one, "one");
	name_file(two, "two");
	name_file(moved, "moved");
	name_file(nowhere, "no/file");
}

/* -1 if a test left more in the folder. */
static inline int
files_remove(void)
{
	(void)unlink(one);
	(void)unlink(two);
	(void)unlink(moved);
	return rmdir(directory);
}

/*
 * What field finds in each line of the file, which it may write to, with ";"
 * behind it; "no file" if there is none.
 */
static inline void
assert_lines(
    const char *path, const char *(*field)(char *line), const char *expected)
{
	char line[4096], text[1024] = "";
	FILE *f = fopen(path, "r");

	if (f == NULL) {
		assert_string_equal("no file", expected);
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		(void)strlcat(text, field(line), sizeof(text));
		(void)strlcat(text, ";", sizeof(text));
	}
	(void)fclose(f);
	assert_string_equal(text, expected);
}

/* The process ends with status 1 in it. */
static inline void
assert_fatal(void (*function)(void))
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		function();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

#endif
