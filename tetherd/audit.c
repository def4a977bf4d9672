#include <sys/stat.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/audit.h"
#include "common/log.h"
#include "common/monotonic.h"
#include "common/timer.h"
#include "tetherd/audit.h"
#include "tetherd/audit_text.h"
#include "tetherd/conf.h"
#include "tetherd/reach.h"

#define SECOND_MS 1000

/* What a child sends; a second begins with its first record. */
struct source {
	enum program program;
	int64_t begun;
	unsigned taken;
	unsigned dropped;
	struct event *timer;
};

struct audit {
	struct source sources[PROGRAM_COUNT];
	int fd;	    /* of the file, or -1 */
	int staged; /* of a reload that is under way, or -1 */
	char *path; /* of the file, "" for none */
	bool torn;  /* the record that it ends in has no end */
	unsigned lost;
};

static void source_on_timer(int, short, void *);

static void
set_path(struct audit *a, const char *path)
{
	free(a->path);
	a->path = strdup(path);
	if (a->path == NULL)
		fatal("audit");
}

/* A full disk, or a crash, may have been the end of whoever wrote last. */
static bool
is_torn(int fd)
{
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && st.st_size > 0 &&
	       pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

/* fd is taken over, -1 for none. */
static void
set_file(struct audit *a, int fd)
{
	if (a->fd != -1)
		close(a->fd);
	a->fd = fd;
	a->torn = fd != -1 && is_torn(fd);
}

struct audit *
audit_new(struct event_base *base, const struct parent_conf *conf)
{
	struct audit *a = calloc(1, sizeof(*a));
	int i;

	if (a == NULL)
		fatal("audit");
	a->fd = a->staged = -1;
	set_path(a, conf->audit_file);
	if (a->path[0] != '\0') {
		set_file(a, log_file_open_no_link(a->path));
		if (a->fd == -1)
			fatal("%s", a->path);
	}
	for (i = 0; i < PROGRAM_COUNT; i++) {
		a->sources[i].program = (enum program)i;
		a->sources[i].timer =
		    evtimer_new(base, source_on_timer, &a->sources[i]);
		if (a->sources[i].timer == NULL)
			fatalx("audit: no timer");
	}
	return a;
}

/* Nothing more will be written to that file. */
static void
tell_lost(struct audit *a)
{
	if (a->lost > 0)
		log_warnx(
		    "audit file %s: %u records were lost", a->path, a->lost);
	a->lost = 0;
}

void
audit_free(struct audit *a)
{
	int i;

	if (a == NULL)
		return;
	for (i = 0; i < PROGRAM_COUNT; i++) {
		if (a->sources[i].dropped > 0)
			source_on_timer(-1, 0, &a->sources[i]);
		event_free(a->sources[i].timer);
	}
	audit_drop(a);
	tell_lost(a);
	set_file(a, -1);
	free(a->path);
	free(a);
}

/* The second is over in which some were dropped. */
static void
source_on_timer(int fd, short what, void *arg)
{
	struct source *s = arg;

	(void)fd;
	(void)what;
	log_warnx("%s: %u audit records dropped: more than %d in a second",
	    program_name(s->program), s->dropped, AUDIT_RATE);
	s->dropped = 0;
}

/* One more: false if that is too much. */
static bool
source_may(struct source *s)
{
	int64_t now = monotonic_ms();

	if (now - s->begun >= SECOND_MS) {
		s->begun = now;
		s->taken = 0;
	}
	if (s->taken < AUDIT_RATE) {
		s->taken++;
		return true;
	}
	if (s->dropped++ == 0)
		timer_set(s->timer, (uint32_t)(s->begun + SECOND_MS - now));
	return false;
}

/* The line with its line feed, and one in front if the last has none. */
static char *
make_object(const struct audit *a, const struct audit_record *r, size_t *len)
{
	char *text = NULL, time[LOG_TIME_SIZE];
	FILE *f = open_memstream(&text, len);

	if (f == NULL)
		fatal("audit");
	if (a->torn)
		fputc('\n', f);
	audit_text_json(f, r, log_time(time));
	fputc('\n', f);
	if (fclose(f) == EOF)
		fatal("audit");
	return text;
}

static void
write_object(struct audit *a, const struct audit_record *r)
{
	size_t len;
	char *text = make_object(a, r, &len);
	ssize_t n = write(a->fd, text, len);

	free(text);
	if (n == (ssize_t)len) {
		a->torn = false;
		if (a->lost > 0)
			log_infox("audit file %s works again; %u records "
				  "were lost",
			    a->path, a->lost);
		a->lost = 0;
		return;
	}
	if (n != -1)
		errno = ENOSPC;
	if (n > 0)
		a->torn = true;
	if (a->lost++ == 0)
		log_warn("audit file %s: records are lost", a->path);
}

void
audit_take(struct audit *a, enum program program, const struct audit_record *r)
{
	char line[LOG_AUDIT_MAX];

	if (!source_may(&a->sources[program]))
		return;
	audit_text_line(r, line);
	log_audit_line(line);
	if (a->fd != -1)
		write_object(a, r);
}

static bool
is_same(const struct parent_conf *a, const struct parent_conf *b)
{
	return strcmp(a->audit_file, b->audit_file) == 0;
}

const char *
audit_stage(struct audit *a, const struct parent_conf *now,
    const struct parent_conf *next)
{
	static char why[LOG_LINE_MAX];

	audit_drop(a);
	if (is_same(now, next) || next->audit_file[0] == '\0')
		return NULL;
	a->staged = log_file_open_no_link(next->audit_file);
	if (a->staged != -1)
		return NULL;
	(void)snprintf(why, sizeof(why), "%s: %s", next->audit_file,
	    reach_error(next->audit_file, SANDBOX_LOG));
	return why;
}

void
audit_switch(struct audit *a, const struct parent_conf *now,
    const struct parent_conf *old)
{
	if (is_same(now, old))
		return;
	tell_lost(a);
	set_file(a, a->staged);
	a->staged = -1;
	set_path(a, now->audit_file);
}

void
audit_drop(struct audit *a)
{
	if (a->staged != -1)
		close(a->staged);
	a->staged = -1;
}

void
audit_reopen(struct audit *a, const struct parent_conf *conf)
{
	int fd;

	if (conf->audit_file[0] == '\0')
		return;
	fd = log_file_open_no_link(conf->audit_file);
	if (fd == -1)
		log_warnx("%s: %s", conf->audit_file,
		    reach_error(conf->audit_file, SANDBOX_LOG));
	else
		set_file(a, fd);
}
