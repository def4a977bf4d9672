#ifndef TESTS_SETTINGS_FIXTURE_H
#define TESTS_SETTINGS_FIXTURE_H

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

#include "tetherd/complaints.h"
#include "tetherd/setting.h"
#include "tetherd/settings.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A folder with a tetherd.conf, a .env and a secret, all of mode 0600. */
static char dir[] = "/tmp/settings.XXXXXX";
static char conf_path[64], env_path[64], secret_path[64];

/* What was said at the last reading, a line each, and what was printed. */
static char said[16384];
static char printed[65536];

static inline void
write_path(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline void
write_conf(const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	assert_int_not_equal(vasprintf(&text, format, ap), -1);
	va_end(ap);
	write_path(conf_path, text);
	free(text);
}

/* What is set is captured; what is empty counts as not set. */
static inline void
set(const char *name, const char *value)
{
	assert_int_equal(setenv(name, value, 1), 0);
	settings_capture();
}

static inline void
clear(void)
{
	size_t i, k;

	for (i = 0; i < settings_table_len; i++)
		for (k = 0; k < COUNT(settings_table[i].names); k++)
			if (settings_table[i].names[k] != NULL)
				assert_int_equal(
				    setenv(settings_table[i].names[k], "", 1),
				    0);
	settings_capture();
	write_path(conf_path, "");
	write_path(env_path, "");
}

static inline void
print(const struct settings *settings)
{
	FILE *f = fmemopen(printed, sizeof(printed), "w");

	assert_non_null(f);
	settings_print(settings, f);
	assert_int_equal(fclose(f), 0);
}

/* All layers; NULL if they are refused. */
static inline struct settings *
read_with(const struct sources *flags)
{
	struct complaints *complaints = complaints_new();
	struct sources sources = *flags;
	struct settings *settings;

	sources.file = conf_path;
	sources.env_file = env_path;
	settings = settings_read(&sources, complaints);
	complaints_text(complaints, said, sizeof(said));
	assert_int_equal(settings == NULL, complaints_count(complaints) > 0);
	complaints_free(complaints);
	if (settings != NULL)
		print(settings);
	return settings;
}

static inline struct settings *
read_all(void)
{
	static const struct sources none;

	return read_with(&none);
}

/* The configuration, until the next reading. */
static inline const struct conf *
assert_read(void)
{
	static struct settings *settings;

	settings_free(settings);
	settings = read_all();
	if (settings == NULL)
		fail_msg("%s", said);
	return settings_conf(settings);
}

/* The comment of the line in which the words of a setting were printed;
 * value is what stands between both. */
static inline void
assert_printed(const char *words, const char *value, const char *comment)
{
	char line[512];
	const char *at, *end;
	size_t len;

	(void)snprintf(line, sizeof(line), "%s%s%s", words,
	    value[0] == '\0' ? "" : " ", value);
	len = strlen(line);
	for (at = printed; *at != '\0'; at = end + 1) {
		end = strchr(at, '\n');
		assert_non_null(end);
		at += *at == '\t';
		if (strncmp(at, line, len) != 0 || at[len] != ' ')
			continue;
		at += len + strspn(at + len, " ");
		if (*at == '#' &&
		    strncmp(at + 2, comment, strlen(comment)) == 0 &&
		    at[2 + strlen(comment)] == '\n')
			return;
	}
	fail_msg("no \"%s # %s\" in:\n%s", line, comment, printed);
}

/* The comment of the line of a setting whose words two blocks know. */
static inline void
assert_printed_in(const char *block, const char *words, const char *comment)
{
	char begin[64], line[128];
	const char *at, *end;

	(void)snprintf(begin, sizeof(begin), "\n%s {\n", block);
	(void)snprintf(line, sizeof(line), "\n\t%s ", words);
	at = strstr(printed, begin);
	assert_non_null(at);
	end = strstr(at, "\n}\n");
	at = strstr(at, line);
	assert_non_null(at);
	assert_true(at < end);
	at = strstr(at, " # ");
	assert_non_null(at);
	at += strlen(" # ");
	assert_int_equal(strncmp(at, comment, strlen(comment)), 0);
	assert_int_equal(at[strlen(comment)], '\n');
}

static inline int
fixture_setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(conf_path, sizeof(conf_path), "%s/conf", dir);
	(void)snprintf(env_path, sizeof(env_path), "%s/env", dir);
	(void)snprintf(secret_path, sizeof(secret_path), "%s/secret", dir);
	write_path(secret_path, "s3cret-of-a-file\n");
	return 0;
}

static inline int
fixture_teardown(void **state)
{
	(void)state;
	(void)unlink(conf_path);
	(void)unlink(env_path);
	(void)unlink(secret_path);
	return rmdir(dir);
}

#endif
