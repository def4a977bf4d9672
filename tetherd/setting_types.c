#include <sys/types.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tetherd/setting.h"
#include "tetherd/value.h"

static void *
member(const struct setting *s, struct draft *d)
{
	return (char *)d + s->offset;
}

static const char *
text_of(const struct setting *s, const struct draft *d)
{
	const char *text;

	memcpy(&text, (const char *)d + s->offset, sizeof(text));
	return text;
}

static void
put_text(const struct setting *s, struct draft *d, const char *value)
{
	setting_put(member(s, d), strdup(value));
}

static void
clear_text(const struct setting *s, struct draft *d)
{
	put_text(s, d, "");
}

static bool
print_text(const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	const char *text = text_of(s, d);

	*at = SIZE_MAX;
	if (text[0] == '\0')
		return false;
	value_quote(f, text);
	return true;
}

bool
setting_is_printable(const struct reading *r, const char *value)
{
	const char *c;

	for (c = value; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c)) {
			setting_wrong(r, "contains a control character");
			return false;
		}
	return true;
}

static bool
text_is_valid(const struct reading *r, const char *value)
{
	const char *why = NULL;

	if (!setting_is_printable(r, value))
		return false;
	if (r->setting->check != NULL)
		why = r->setting->check(value);
	if (why == NULL)
		return true;
	if (strncmp(why, "not ", 4) == 0)
		setting_wrong_value(r, value, why);
	else
		setting_wrong(r, "%s", why);
	return false;
}

static void
set_text(const struct reading *r, const char *value)
{
	if (text_is_valid(r, value))
		put_text(r->setting, &r->settings->draft, value);
}

const struct setting_type type_text = {
	.set = set_text,
	.clear = clear_text,
	.print = print_text,
};

/* What is wrong with a secret is said without repeating it. */
static void
set_secret(const struct reading *r, const char *value)
{
	const struct setting *s = r->setting;
	const char *why = s->check == NULL ? NULL : s->check(value);

	if (why != NULL) {
		setting_wrong(r, "%s", why);
		return;
	}
	if (strcmp(value, SETTING_MASK) == 0)
		setting_wrong_mildly(r, SETTING_IS_MASK);
	put_text(s, &r->settings->draft, value);
}

static bool
print_secret(
    const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	*at = SIZE_MAX;
	if (text_of(s, d)[0] == '\0')
		return false;
	value_quote(f, SETTING_MASK);
	return true;
}

const struct setting_type type_secret = {
	.set = set_secret,
	.clear = clear_text,
	.print = print_secret,
};

char *
setting_absolute(const struct reading *r, const char *path)
{
	char cwd[PATH_MAX] = "", *absolute;
	bool relative = path[0] != '/';

	if (relative && getcwd(cwd, sizeof(cwd)) == NULL) {
		setting_wrong(r, "working directory: %s", strerror(errno));
		return NULL;
	}
	if (asprintf(&absolute, "%s%s%s", cwd, relative ? "/" : "", path) == -1)
		fatal("settings");
	if (strlen(absolute) >= PATH_MAX)
		setting_wrong(r, "path too long");
	else if (setting_is_printable(r, absolute))
		return absolute;
	free(absolute);
	return NULL;
}

static void
set_path(const struct reading *r, const char *value)
{
	char *path = setting_absolute(r, value);

	if (path != NULL)
		set_text(r, path);
	free(path);
}

const struct setting_type type_path = {
	.set = set_path,
	.clear = clear_text,
	.print = print_text,
};

/* Not one of systemd's. */
static bool
is_relative(const char *value)
{
	return value[0] != '/';
}

/* systemd gives a colon-separated list; the first one is ours. */
static void
set_folder(const struct reading *r, const char *value)
{
	char *first;

	if (r->name == NULL) {
		set_path(r, value);
		return;
	}
	first = strndup(value, strcspn(value, ":"));
	if (first == NULL)
		fatal("settings");
	set_text(r, first);
	free(first);
}

const struct setting_type type_folder = {
	.is_void = is_relative,
	.set = set_folder,
	.clear = clear_text,
	.print = print_text,
};

/* One item, at the end. */
static void
append_item(const struct reading *r, const char *item)
{
	const struct setting *s = r->setting;
	struct draft *d = &r->settings->draft;
	const char *list = text_of(s, d);
	char *now;
	/* Lines have an end, other items a separator between them. */
	const char between[2] = { list[0] == '\0' || s->separator == '\n'
				      ? '\0'
				      : s->separator },
		   behind[2] = { s->separator == '\n' ? '\n' : '\0' };

	if (!text_is_valid(r, item))
		return;
	if (strlen(list) + strlen(item) >= SETTING_LIST_MAX) {
		setting_wrong(
		    r, "longer than %d bytes in all", SETTING_LIST_MAX);
		return;
	}
	if (asprintf(&now, "%s%s%s%s", list, between, item, behind) == -1)
		fatal("settings");
	put_text(s, d, now);
	free(now);
}

/* In the environment, a list is one text with these between its items. */
static const char separators[] = ", \t\r\n\f\v";

/* A rule that names nobody must not replace one that keeps others out. */
static bool
has_no_item(const char *value)
{
	return value[strspn(value, separators)] == '\0';
}

static void
set_list(const struct reading *r, const char *value)
{
	size_t n;
	char *item;

	if (r->name == NULL) {
		append_item(r, value);
		return;
	}
	clear_text(r->setting, &r->settings->draft);
	for (value += strspn(value, separators); *value != '\0';
	     value += n + strspn(value + n, separators)) {
		n = strcspn(value, separators);
		item = strndup(value, n);
		if (item == NULL)
			fatal("settings");
		append_item(r, item);
		free(item);
	}
}

static bool
print_item(const struct setting *s, const struct draft *d, size_t *at, FILE *f)
{
	const char separator[2] = { s->separator };
	const char *list = text_of(s, d) + *at;
	size_t n = strcspn(list, separator);
	char *item = strndup(list, n);

	if (item == NULL)
		fatal("settings");
	if (n > 0)
		value_quote(f, item);
	free(item);
	*at += n + strspn(list + n, separator);
	if (text_of(s, d)[*at] == '\0')
		*at = SIZE_MAX;
	return n > 0;
}

const struct setting_type type_list = {
	.is_list = true,
	.is_void = has_no_item,
	.set = set_list,
	.clear = clear_text,
	.print = print_item,
};
