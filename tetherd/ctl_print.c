#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "tetherd/ctl_print.h"

static void
print_bytes(char *dst, size_t size, uint64_t n)
{
	static const char units[] = "KMGTPE";
	double value = (double)n;
	int unit = -1;

	if (n < 1024) {
		(void)snprintf(dst, size, "%" PRIu64 " B", n);
		return;
	}
	/* What would be printed as 1024.0 is one of the next unit. */
	for (; value >= 1023.95 && unit < 5; unit++)
		value /= 1024;
	(void)snprintf(dst, size, "%.1f %ciB", value, units[unit]);
}

static void
print_time(char *dst, size_t size, uint64_t seconds)
{
	uint64_t days = seconds / 86400;
	char in_days[32] = "";

	if (days > 0)
		(void)snprintf(in_days, sizeof(in_days), "%" PRIu64 "d ", days);
	(void)snprintf(dst, size, "%s%02u:%02u:%02u", in_days,
	    (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60),
	    (unsigned)(seconds % 60));
}

static void
print_since(char *dst, size_t size, uint64_t seconds)
{
	char passed[64], begin[64] = "";
	time_t now = time(NULL), then;
	struct tm tm;

	print_time(passed, sizeof(passed), seconds);
	/* A server that lies must not make it overflow. */
	then = now > 0 && seconds < (uint64_t)now ? now - (time_t)seconds : 0;
	if (then != 0 && localtime_r(&then, &tm) != NULL)
		(void)strftime(
		    begin, sizeof(begin), "%Y-%m-%d %H:%M:%S, ", &tm);
	(void)snprintf(dst, size, "%s%s ago", begin, passed);
}

/* A number that is no time is shown as it is. */
static void
print_date(char *dst, size_t size, uint64_t seconds)
{
	time_t then = (time_t)seconds;
	struct tm tm;

	if (seconds > INT64_MAX || localtime_r(&then, &tm) == NULL ||
	    strftime(dst, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(dst, size, "%" PRIu64, seconds);
}

/* As it would stand in tetherd.conf. */
static void
print_ms(char *dst, size_t size, uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *unit;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" },
		{ 1000, "s" }, { 1, "ms" } };
	size_t i = 0;

	while (ms % units[i].ms != 0 || (ms == 0 && units[i].ms > 1000))
		i++;
	(void)snprintf(
	    dst, size, "%" PRIu64 "%s", ms / units[i].ms, units[i].unit);
}

void
ctl_print_value(const struct ctl_field *f, char *dst, size_t size)
{
	switch (f->kind) {
	case CONTROL_KIND_TEXT:
		(void)log_safe(dst, size, f->text[0] == '\0' ? "-" : f->text);
		return;
	case CONTROL_KIND_NUMBER:
		(void)snprintf(dst, size, "%" PRIu64, f->number);
		return;
	case CONTROL_KIND_BYTES:
		print_bytes(dst, size, f->number);
		return;
	case CONTROL_KIND_TIME:
		print_time(dst, size, f->number);
		return;
	case CONTROL_KIND_SINCE:
		print_since(dst, size, f->number);
		return;
	case CONTROL_KIND_MS:
		print_ms(dst, size, f->number);
		return;
	case CONTROL_KIND_DATE:
		print_date(dst, size, f->number);
		return;
	case CONTROL_KIND_FLAG:
		(void)strlcpy(dst, f->number == 0 ? "no" : "yes", size);
		return;
	case CONTROL_KIND_NONE:
	case CONTROL_KIND_COUNT:
		break;
	}
	(void)strlcpy(dst, "-", size);
}

void
ctl_print_list(FILE *out, const struct ctl_answer *a)
{
	char name[CONTROL_NAME_SIZE], value[CONTROL_VALUE_SIZE];
	int width = 0, len;
	size_t i, k;

	for (i = 0; i < a->nrows; i++)
		for (k = 0; k < a->rows[i].nfields; k++) {
			len = (int)strlen(a->rows[i].fields[k].name);
			width = len > width ? len : width;
		}
	for (i = 0; i < a->nrows; i++)
		for (k = 0; k < a->rows[i].nfields; k++) {
			const struct ctl_field *f = &a->rows[i].fields[k];

			(void)log_safe(name, sizeof(name), f->name);
			ctl_print_value(f, value, sizeof(value));
			len = (int)strlen(name);
			fprintf(
			    out, "%s:%*s %s\n", name, width - len, "", value);
		}
}

static void
print_header(char *dst, size_t size, const struct ctl_field *f)
{
	size_t i;

	(void)log_safe(dst, size, f->name);
	for (i = 0; dst[i] != '\0'; i++)
		if (dst[i] >= 'a' && dst[i] <= 'z')
			dst[i] = (char)(dst[i] - 'a' + 'A');
}

/* Numbers end below each other, others begin so; none is like its column. */
static bool
is_text_column(const struct ctl_answer *a, size_t column)
{
	size_t i;

	for (i = 0; i < a->nrows; i++)
		if (column < a->rows[i].nfields &&
		    a->rows[i].fields[column].kind != CONTROL_KIND_NONE)
			return a->rows[i].fields[column].kind ==
				   CONTROL_KIND_TEXT ||
			       a->rows[i].fields[column].kind ==
				   CONTROL_KIND_FLAG;
	return false;
}

/* The text of a cell; row 0 is that of the headers. */
static void
cell(const struct ctl_answer *a, size_t row, size_t column, char *dst,
    size_t size)
{
	const struct ctl_row *r = &a->rows[row == 0 ? 0 : row - 1];

	if (column >= r->nfields)
		(void)strlcpy(dst, "-", size);
	else if (row == 0)
		print_header(dst, size, &r->fields[column]);
	else
		ctl_print_value(&r->fields[column], dst, size);
}

void
ctl_print_table(FILE *out, const struct ctl_answer *a)
{
	size_t ncolumns = a->nrows == 0 ? 0 : a->rows[0].nfields, i, k;
	int width[CTL_FIELDS_MAX] = { 0 }, len;
	char text[CONTROL_VALUE_SIZE];

	for (k = 0; k < ncolumns; k++)
		for (i = 0; i <= a->nrows; i++) {
			cell(a, i, k, text, sizeof(text));
			len = (int)strlen(text);
			width[k] = len > width[k] ? len : width[k];
		}
	for (i = 0; ncolumns > 0 && i <= a->nrows; i++)
		for (k = 0; k < ncolumns; k++) {
			bool last = k + 1 == ncolumns;

			cell(a, i, k, text, sizeof(text));
			if (!is_text_column(a, k))
				fprintf(out, "%*s", width[k], text);
			else
				fprintf(out, "%-*s", last ? 0 : width[k], text);
			fputs(last ? "\n" : "  ", out);
		}
}

void
ctl_print_text(FILE *out, const char *text)
{
	const char *at;

	for (at = text; *at != '\0'; at++)
		if (*at == '\n' || *at == '\t' || (*at >= ' ' && *at < 0x7f))
			fputc(*at, out);
		else
			fputc('?', out);
	if (at != text && at[-1] != '\n')
		fputc('\n', out);
}
