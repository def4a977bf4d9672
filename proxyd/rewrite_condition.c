#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/field.h"
#include "proxyd/rewrite_fields.h"
#include "proxyd/rewrite_tag.h"

bool
rewrite_fields_may_change(const char *target)
{
	/*
	 * Types that are never rewritten.  The web apps answer with their
	 * index page where there is no such file, but pages are never cached.
	 */
	static const char *const fixed[] = { "7z", "aac", "avif", "bmp", "bz2",
		"eot", "flac", "gif", "gz", "ico", "jpeg", "jpg", "m4a", "map",
		"mov", "mp3", "mp4", "ogg", "otf", "pdf", "png", "svg", "tar",
		"tgz", "ttf", "txt", "wasm", "wav", "webm", "webp", "woff",
		"woff2", "xz", "zip", "zst" };
	static const char api[] = "/api/";
	size_t len = strcspn(target, "?#"), start = len, i;

	if (strncmp(target, api, strlen(api)) == 0)
		return false;
	while (start > 0 && target[start - 1] != '.')
		start--;
	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strlen(fixed[i]) == len - start &&
		    strncasecmp(target + start, fixed[i], len - start) == 0)
			return false;
	return true;
}

/* How one of these headers is treated. */
struct condition {
	const char *name;
	bool tags;   /* it is a list of entity tags */
	bool always; /* it goes on whatever the target */
};

static const struct condition *
find_condition(const char *header)
{
	/*
	 * If-Range holds a tag, too, but ours stays ours there: it never
	 * matches, and Range then means nothing (RFC 9110 section 13.1.5).
	 */
	static const struct condition table[] = {
		{ "if-match", true, true },
		{ "if-none-match", true, false },
		{ "if-modified-since", false, false },
		{ "if-unmodified-since", false, true },
		{ "if-range", false, false },
		{ "range", false, false },
	};
	size_t len = strcspn(header, ":;"), i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strlen(table[i].name) == len &&
		    strncasecmp(header, table[i].name, len) == 0)
			return &table[i];
	return NULL;
}

/* The bytes of the first member of a list: a tag, or all before a comma. */
static size_t
member_length(const char *list)
{
	const char *quote = list + (strncmp(list, "W/", 2) == 0 ? 2 : 0);
	const char *end;

	if (*quote == '"' && (end = strchr(quote + 1, '"')) != NULL)
		return (size_t)(end - list) + 1;
	return strcspn(list, ",");
}

/* Whether a tag of that kind goes on, for a target that may change or not. */
static bool
tag_goes_on(
    const struct condition *condition, enum rewrite_tag kind, bool may_change)
{
	switch (kind) {
	case REWRITE_TAG_OURS:
		return true;
	case REWRITE_TAG_STALE:
		/* Without any, If-Match would be no condition any more. */
		return condition->always;
	case REWRITE_TAG_UPSTREAM:
		break;
	}
	return condition->always || !may_change;
}

/* Write the members of a list that go on; false if there are none. */
static bool
write_tags(const struct condition *condition, const char *list, bool may_change,
    const char *version, FILE *out)
{
	enum rewrite_tag kind;
	bool written = false;
	size_t len, n;

	for (;; list += len) {
		list += strspn(list, ", \t");
		if (*list == '\0')
			return written;
		len = n = member_length(list);
		while (n > 0 && strchr(" \t", list[n - 1]) != NULL)
			n--;
		kind = rewrite_tag_judge(list, n, version);
		if (!tag_goes_on(condition, kind, may_change))
			continue;
		(void)fputs(written ? ", " : "", out);
		if (kind == REWRITE_TAG_OURS)
			rewrite_tag_undo(list, n, version, out);
		else
			(void)fwrite(list, 1, n, out);
		written = true;
	}
}

static char *
rewrite_tags(const struct condition *condition, const char *value,
    bool may_change, const char *version)
{
	char *result = NULL;
	bool written, broken;
	size_t len;
	FILE *out;

	if ((out = open_memstream(&result, &len)) == NULL)
		return NULL;
	(void)fprintf(out, "%s: ", condition->name);
	written = write_tags(condition, value, may_change, version, out);
	broken = ferror(out) != 0;
	if (fclose(out) == EOF || broken || !written) {
		free(result);
		return NULL;
	}
	return result;
}

char *
rewrite_fields_condition(
    const char *header, const char *target, const char *version)
{
	const struct condition *condition = find_condition(header);
	const char *value = strchr(header, ':');
	bool may_change = rewrite_fields_may_change(target);
	size_t len;

	if (condition == NULL)
		return strdup(header);
	if (value != NULL && condition->tags) {
		value++;
		len = strlen(value);
		field_trim(&value, &len);
		if (len == 1 && *value == '*')
			return strdup(header);
		return rewrite_tags(condition, value, may_change, version);
	}
	return condition->always || !may_change ? strdup(header) : NULL;
}
