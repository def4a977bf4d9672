#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/conf.h"
#include "tetherd/journal.h"
#include "tetherd/reach.h"

#define NAME "tetherd"

/* The file of a reload that is under way, or -1. */
static int staged = -1;

static bool
is_file(const struct parent_conf *conf)
{
	return !conf->log_to_stderr && conf->log_file[0] != '\0';
}

static bool
is_same(const struct parent_conf *a, const struct parent_conf *b)
{
	return a->log_to_stderr == b->log_to_stderr &&
	       strcmp(a->log_file, b->log_file) == 0;
}

/* fd is the file's, if it is to be a file. */
static void
journal_to(const struct parent_conf *conf, int fd)
{
	if (fd != -1)
		log_to_file(NAME, fd);
	else if (conf->log_to_stderr)
		log_to_stderr(NAME);
	else
		log_to_syslog(NAME);
}

void
journal_start(const struct parent_conf *conf)
{
	int fd = -1;

	if (is_file(conf)) {
		fd = log_file_open(conf->log_file);
		if (fd == -1)
			fatal("%s", conf->log_file);
	}
	journal_to(conf, fd);
}

const char *
journal_stage(const struct parent_conf *now, const struct parent_conf *next)
{
	static char why[LOG_LINE_MAX];

	journal_drop();
	if (is_same(now, next) || !is_file(next))
		return NULL;
	staged = log_file_open(next->log_file);
	if (staged != -1)
		return NULL;
	(void)snprintf(why, sizeof(why), "%s: %s", next->log_file,
	    reach_error(next->log_file, SANDBOX_LOG));
	return why;
}

void
journal_switch(const struct parent_conf *now, const struct parent_conf *old)
{
	if (!is_same(now, old))
		journal_to(now, staged);
	staged = -1;
}

void
journal_drop(void)
{
	if (staged != -1)
		close(staged);
	staged = -1;
}

void
journal_reopen(const struct parent_conf *conf)
{
	int fd;

	if (!is_file(conf))
		return;
	fd = log_file_open(conf->log_file);
	if (fd == -1)
		log_warnx("%s: %s", conf->log_file,
		    reach_error(conf->log_file, SANDBOX_LOG));
	else
		log_to_file(NAME, fd);
}
