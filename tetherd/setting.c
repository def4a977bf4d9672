#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/setting.h"

struct provenance *
settings_from(struct settings *settings, const struct setting *s)
{
	return &settings->from[s - settings_table];
}

/* The name in the environment is the origin's already. */
static const char *
name_of(const struct reading *r)
{
	if (r->name == NULL)
		return r->setting->words;
	return r->origin.kind == ORIGIN_ENVIRONMENT ? NULL : r->name;
}

static char *format_text(const struct reading *, const char *, va_list)
    __attribute__((format(printf, 2, 0)));

static char *
format_text(const struct reading *r, const char *format, va_list ap)
{
	const char *name = name_of(r);
	char *text, *all;

	if (vasprintf(&text, format, ap) == -1)
		fatal("settings");
	if (name == NULL)
		return text;
	if (asprintf(&all, "%s: %s", name, text) == -1)
		fatal("settings");
	free(text);
	return all;
}

void
setting_wrong(const struct reading *r, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = format_text(r, format, ap);
	va_end(ap);
	complain(r->complaints, &r->origin, "%s", text);
	free(text);
}

void
setting_wrong_mildly(const struct reading *r, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = format_text(r, format, ap);
	va_end(ap);
	complain_mildly(r->complaints, &r->origin, "%s", text);
	free(text);
}

void
setting_wrong_value(const struct reading *r, const char *value, const char *why)
{
	/* Of a list in the environment, it would not be clear which one. */
	if (r->name != NULL && !r->setting->type->is_list)
		setting_wrong(r, "%s", why);
	else
		setting_wrong(r, "\"%.64s\" is %s", value, why);
}

void
setting_put(char **text, char *now)
{
	if (now == NULL)
		fatal("settings");
	freezero(*text, strlen(*text));
	*text = now;
}

void
setting_reread(struct reading *r, struct settings *settings,
    const struct setting *s, struct complaints *complaints)
{
	const struct provenance *from = settings_from(settings, s);

	*r = (struct reading){
		.settings = settings,
		.setting = s,
		.origin = { from->kind, from->file, from->line },
		.name = from->name,
		.complaints = complaints,
	};
}

static void
forget(struct settings *settings, const struct setting *s)
{
	struct provenance *from = settings_from(settings, s);

	free(from->file);
	memset(from, 0, sizeof(*from));
}

static void
clear_rivals(const struct reading *r)
{
	const struct setting *s;
	const struct provenance *from;

	for (s = settings_table; s < settings_table + settings_table_len; s++) {
		from = settings_from(r->settings, s);
		if (s == r->setting || s->group != r->setting->group ||
		    from->kind == ORIGIN_DEFAULT)
			continue;
		if (from->kind == ORIGIN_FILE && r->origin.kind == ORIGIN_FILE)
			setting_wrong(r, "%s is given, too, in %s:%u", s->words,
			    from->file, from->line);
		s->type->clear(s, &r->settings->draft);
		forget(r->settings, s);
	}
}

void
setting_claim(const struct reading *r)
{
	struct provenance *from = settings_from(r->settings, r->setting);

	if (r->setting->group != GROUP_NONE)
		clear_rivals(r);
	/* Of a list that goes on, the beginning is told. */
	if (from->kind == ORIGIN_FILE && r->origin.kind == ORIGIN_FILE)
		return;
	forget(r->settings, r->setting);
	from->kind = r->origin.kind;
	from->line = r->origin.line;
	from->name = r->name;
	if (r->origin.file != NULL) {
		from->file = strdup(r->origin.file);
		if (from->file == NULL)
			fatal("settings");
	}
}

bool
setting_is_secret(const struct setting *s, const char *value)
{
	/* What -nn printed can be kept in a file that others read. */
	if (s->type == &type_secret)
		return strcmp(value, SETTING_MASK) != 0;
	return s->type == &type_proxy && strchr(value, '@') != NULL &&
	       strstr(value, "//" SETTING_MASK "@") == NULL;
}

void
setting_take_named(const struct reading *r, const char *value)
{
	bool (*is_void)(const char *) = r->setting->type->is_void;

	if (value[0] == '\0' || (is_void != NULL && is_void(value)))
		return;
	if (r->setting->yields &&
	    settings_from(r->settings, r->setting)->kind == ORIGIN_FILE)
		return;
	setting_claim(r);
	setting_give(r, value);
}

void
setting_give(const struct reading *r, const char *value)
{
	if (value[0] == '\0' && !r->setting->type->is_flag)
		setting_wrong(r, "a value is missing");
	else if (strlen(value) > SETTING_VALUE_MAX)
		setting_wrong(r, "longer than %d bytes", SETTING_VALUE_MAX);
	else
		r->setting->type->set(r, value);
}
