#ifndef TESTS_CONF_FILES_H
#define TESTS_CONF_FILES_H

#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tetherd/complaints.h"
#include "tetherd/directive.h"
#include "tetherd/parse.h"

/*
 * Files in a folder of their own, which is the current one, and what parsing
 * them says: lines of "LINE BLOCK: WORD "STRING" {LISTED}", with the name of
 * the file in front if it is not t.conf, and "@LINE" behind words of others.
 */

static char conf_found[8192], conf_said[16384], conf_opened[4096];

static int
conf_setup(void **state)
{
	static char dir[] = "/tmp/tetherd-conf.XXXXXX";

	*state = dir;
	umask(022);
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return -1;
	return mkdir("sub", 0755);
}

static int
conf_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
conf_teardown(void **state)
{
	if (chdir("/") == -1)
		return -1;
	return nftw(*state, conf_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void
conf_write_bytes(const char *path, const void *text, size_t size)
{
	FILE *f;

	(void)unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	assert_int_equal(fclose(f), 0);
}

static void
conf_write(const char *path, const char *text)
{
	conf_write_bytes(path, text, strlen(text));
}

static void
conf_add(const char *text)
{
	(void)strlcat(conf_found, text, sizeof(conf_found));
}

static void
conf_on_word(const struct word *word, unsigned line)
{
	char number[16];

	conf_add(" ");
	if (word->quoted)
		conf_add("\"");
	conf_add(word->text);
	if (word->quoted)
		conf_add("\"");
	if (word->line != line) {
		(void)snprintf(number, sizeof(number), "@%u", word->line);
		conf_add(number);
	}
}

static void
conf_on_found(
    void *arg, const struct directive *d, struct complaints *complaints)
{
	char begin[256];
	size_t i;

	assert_string_equal(arg, "arg");
	assert_non_null(complaints);
	assert_int_equal(d->origin.kind, ORIGIN_FILE);
	assert_true(d->nwords > 0 && !d->words[0].quoted);
	if (strcmp(d->origin.file, "t.conf") != 0) {
		conf_add(d->origin.file);
		conf_add(":");
	}
	(void)snprintf(
	    begin, sizeof(begin), "%u %s:", d->origin.line, d->block);
	conf_add(begin);
	for (i = 0; i < d->nwords && !d->words[i].in_list; i++)
		conf_on_word(&d->words[i], d->origin.line);
	if (d->has_list) {
		conf_add(" {");
		for (; i < d->nwords; i++) {
			assert_true(d->words[i].in_list);
			conf_on_word(&d->words[i], d->origin.line);
		}
		conf_add(" }");
	}
	assert_int_equal(i, d->nwords);
	if (d->exposed) {
		(void)snprintf(begin, sizeof(begin), " # %s %04o",
		    d->exposed_file, d->mode);
		conf_add(begin);
	} else {
		assert_null(d->exposed_file);
		assert_int_equal(d->mode, 0);
	}
	conf_add("\n");
}

static void
conf_on_opened(void *arg, const char *path)
{
	assert_string_equal(arg, "arg");
	(void)strlcat(conf_opened, path, sizeof(conf_opened));
	(void)strlcat(conf_opened, " ", sizeof(conf_opened));
}

/* Returns what parse_file() does. */
static bool
conf_parse(const char *path, bool required, const struct macros *macros)
{
	static const char *const blocks[] = { "orchestrator", "upstream",
		"policy", NULL };
	static const struct directive_ops ops = {
		.blocks = blocks,
		.opened = conf_on_opened,
		.found = conf_on_found,
	};
	static char arg[] = "arg";
	struct complaints *complaints = complaints_new();
	bool exists;

	conf_found[0] = conf_opened[0] = '\0';
	exists = parse_file(path, required, macros, &ops, arg, complaints);
	complaints_text(complaints, conf_said, sizeof(conf_said));
	assert_int_equal(
	    complaints_count(complaints) > 0, conf_said[0] != '\0');
	complaints_free(complaints);
	return exists;
}

static void
conf_expect(const char *what, const char *found, const char *said)
{
	if (strcmp(conf_found, found) != 0)
		fail_msg(
		    "%s\nfound:\n%s\ninstead of:\n%s", what, conf_found, found);
	if (strcmp(conf_said, said) != 0)
		fail_msg(
		    "%s\nsaid:\n%s\ninstead of:\n%s", what, conf_said, said);
}

#endif
