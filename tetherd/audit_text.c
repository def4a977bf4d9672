#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "tetherd/audit_text.h"
#include "tetherd/json_string.h"

static void append(char *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
append(char *dst, const char *format, ...)
{
	size_t len = strlen(dst);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(dst + len, LOG_AUDIT_MAX - len, format, ap);
	va_end(ap);
}

/* One word, behind what makes clear what it is; nothing for "". */
static void
append_word(char *dst, const char *name, const char *src)
{
	char word[AUDIT_PATH_SIZE], *p;

	if (src[0] == '\0')
		return;
	(void)log_safe(word, sizeof(word), src);
	for (p = word; *p != '\0'; p++)
		if (*p == ' ')
			*p = '?';
	append(dst, " %s%s", name, word);
}

static void
append_quoted(char *dst, const char *name, const char *src)
{
	char safe[AUDIT_WHY_SIZE], quoted[2 * AUDIT_WHY_SIZE], *at = quoted;
	const char *p;

	if (src[0] == '\0')
		return;
	for (p = log_safe(safe, sizeof(safe), src); *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			*at++ = '\\';
		*at++ = *p;
	}
	*at = '\0';
	append(dst, " %s\"%s\"", name, quoted);
}

void
audit_text_line(const struct audit_record *r, char dst[LOG_AUDIT_MAX])
{
	dst[0] = '\0';
	append(dst, "audit: %s %s", audit_event_name(r->event),
	    audit_verdict_name(r->verdict));
	if (r->github_id != 0)
		append(dst, " id=%" PRIu64, r->github_id);
	append_word(dst, "login=", r->login);
	append_word(dst, "role=", r->role);
	append_word(dst, "", r->method);
	append_word(dst, "", r->path);
	if (r->status != 0)
		append(dst, " %" PRIu32, r->status);
	append_quoted(dst, "why=", r->why);
}

/* Nothing for "". */
static void
put_string(FILE *f, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	fprintf(f, ",\"%s\":", name);
	json_string(f, value);
}

/* Nothing for 0. */
static void
put_number(FILE *f, const char *name, uint64_t value)
{
	if (value != 0)
		fprintf(f, ",\"%s\":%" PRIu64, name, value);
}

void
audit_text_json(FILE *f, const struct audit_record *r, const char *time)
{
	fputs("{\"time\":", f);
	json_string(f, time);
	put_string(f, "event", audit_event_name(r->event));
	put_string(f, "verdict", audit_verdict_name(r->verdict));
	put_number(f, "github_id", r->github_id);
	put_string(f, "login", r->login);
	put_string(f, "role", r->role);
	put_string(f, "method", r->method);
	put_string(f, "path", r->path);
	put_number(f, "status", r->status);
	put_string(f, "why", r->why);
	fputc('}', f);
}
