#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/complaints.h"

struct complaints {
	char *lines[COMPLAINTS_MAX];
	size_t nlines;
	size_t ndropped; /* not in lines */
	size_t nserious; /* without the mild ones */
};

struct complaints *
complaints_new(void)
{
	struct complaints *c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("calloc");
	return c;
}

void
complaints_free(struct complaints *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < c->nlines; i++)
		free(c->lines[i]);
	free(c);
}

static void format_line(char *, size_t, const struct origin *, const char *,
    va_list) __attribute__((format(printf, 4, 0)));

/* What does not fit is cut: so would the log. */
static void
format_line(char *line, size_t size, const struct origin *origin,
    const char *format, va_list ap)
{
	int n = 0;

	if (origin->file != NULL && origin->line != 0)
		n = snprintf(line, size, "%s:%u: ", origin->file, origin->line);
	else if (origin->file != NULL)
		n = snprintf(line, size, "%s: ", origin->file);
	if (n >= 0 && (size_t)n < size)
		(void)vsnprintf(line + n, size - (size_t)n, format, ap);
}

static void add(struct complaints *, const struct origin *, const char *,
    va_list) __attribute__((format(printf, 3, 0)));

static void
add(struct complaints *c, const struct origin *origin, const char *format,
    va_list ap)
{
	char line[LOG_LINE_MAX] = "", safe[LOG_LINE_MAX];
	size_t i;

	format_line(line, sizeof(line), origin, format, ap);
	(void)log_safe(safe, sizeof(safe), line);
	/* One value may be that of several settings. */
	for (i = 0; i < c->nlines; i++)
		if (strcmp(c->lines[i], safe) == 0)
			return;
	if (c->nlines == COMPLAINTS_MAX) {
		c->ndropped++;
		return;
	}
	c->lines[c->nlines] = strdup(safe);
	if (c->lines[c->nlines] == NULL)
		fatal("strdup");
	c->nlines++;
}

void
complain(
    struct complaints *c, const struct origin *origin, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(c, origin, format, ap);
	va_end(ap);
	c->nserious++;
}

void
complain_mildly(
    struct complaints *c, const struct origin *origin, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(c, origin, format, ap);
	va_end(ap);
}

size_t
complaints_count(const struct complaints *c)
{
	return c->nserious;
}

void
complaints_log(const struct complaints *c)
{
	size_t i;

	for (i = 0; i < c->nlines; i++)
		log_warnx("%s", c->lines[i]);
	if (c->ndropped > 0)
		log_warnx("and %zu more", c->ndropped);
}

/* The size of the text with all of them. */
static size_t
text_size(const struct complaints *c)
{
	size_t i, size = 1;

	for (i = 0; i < c->nlines; i++)
		size += strlen(c->lines[i]) + (i > 0 ? 1 : 0);
	return size;
}

void
complaints_text(const struct complaints *c, char *text, size_t size)
{
	char more[32];
	size_t i, len, used = 0, room = 0;

	if (size == 0)
		return;
	/* Room for the last words, which say what is left out. */
	if (c->ndropped > 0 || text_size(c) > size)
		room = sizeof(more);
	for (i = 0; i < c->nlines; i++) {
		len = strlen(c->lines[i]);
		if (used + (i > 0) + len + 1 + room > size)
			break;
		if (i > 0)
			text[used++] = '\n';
		memcpy(text + used, c->lines[i], len);
		used += len;
	}
	text[used] = '\0';
	if (room == 0)
		return;
	(void)snprintf(more, sizeof(more), "%sand %zu more",
	    used > 0 ? "\n" : "", c->nlines - i + c->ndropped);
	(void)strlcat(text, more, size);
}
