#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "authd/trouble.h"
#include "common/log.h"
#include "common/monotonic.h"

#define REMIND_MS 60000

/* Two failures that take turns must not fill the log either. */
#define LINES_MAX 6

int64_t
trouble_clock(void)
{
	return monotonic_ms() + 1;
}

static bool
trouble_is_news(struct trouble *t, const char *line, int64_t now)
{
	if (t->window_ms == 0 || now - t->window_ms >= REMIND_MS) {
		t->window_ms = now;
		t->lines = 0;
	}
	if (t->lines >= LINES_MAX)
		return false;
	return t->logged_ms == 0 || now - t->logged_ms >= REMIND_MS ||
	       strcmp(t->line, line) != 0;
}

void
trouble_report(struct trouble *t, const char *format, ...)
{
	char line[TROUBLE_LINE_MAX];
	int64_t now = trouble_clock();
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (t->quiet)
		(void)strlcpy(t->line, line, sizeof(t->line));
	if (t->quiet || !trouble_is_news(t, line, now))
		return;
	log_warnx("%s", line);
	memcpy(t->line, line, sizeof(t->line));
	t->logged_ms = now;
	t->lines++;
	t->announced = true;
}

void
trouble_over(struct trouble *t, const char *what)
{
	if (!t->announced)
		return;
	log_infox("%s works again", what);
	t->announced = false;
}
