#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "proxyd/field.h"
#include "proxyd/rewrite_cache.h"
#include "proxyd/rewrite_fields.h"

/* Whether an age, perhaps quoted, begins with a number over the limit. */
static bool
is_over(const char *age, size_t len)
{
	unsigned long seconds = 0;
	size_t i;

	if (len > 0 && age[0] == '"') {
		age++;
		len--;
	}
	for (i = 0; i < len && age[i] >= '0' && age[i] <= '9'; i++) {
		seconds = seconds * 10 + (unsigned long)(age[i] - '0');
		if (seconds > REWRITE_FIELDS_AGE_MAX)
			return true;
	}
	return false;
}

static bool
is_name(const char *s, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(s, name, len) == 0;
}

/* One directive; *revalidates says that must-revalidate was written. */
static void
write_directive(const char *s, size_t len, bool *revalidates, FILE *out)
{
	static const char revalidate[] = "must-revalidate";
	const char *equals = memchr(s, '=', len), *age;
	size_t n = equals != NULL ? (size_t)(equals - s) : len;
	size_t age_len = len - n;
	const char *name = s;

	field_trim(&name, &n);
	if (is_name(name, n, "immutable") || is_name(name, n, revalidate)) {
		s = revalidate;
		len = strlen(revalidate);
		if (*revalidates)
			return;
		*revalidates = true;
	}
	if (ftell(out) > 0)
		(void)fputs(", ", out);
	if (equals != NULL &&
	    (is_name(name, n, "max-age") || is_name(name, n, "s-maxage"))) {
		age = equals + 1;
		age_len--;
		field_trim(&age, &age_len);
		if (is_over(age, age_len)) {
			(void)fprintf(out, "%.*s=%d", (int)n, name,
			    REWRITE_FIELDS_AGE_MAX);
			return;
		}
	}
	(void)fwrite(s, 1, len, out);
}

bool
rewrite_cache_control(
    const struct rewrite_fields *how, const char *value, FILE *out)
{
	bool revalidates = false;
	const char *end, *s;
	size_t len;

	(void)how;
	for (;; value = end + 1) {
		end = field_item_end(value, ',');
		s = value;
		len = (size_t)(end - value);
		field_trim(&s, &len);
		if (len > 0)
			write_directive(s, len, &revalidates, out);
		if (*end == '\0')
			return ftell(out) > 0;
	}
}

bool
rewrite_cache_expires(
    const struct rewrite_fields *how, const char *value, FILE *out)
{
	time_t date;

	(void)how;
	/* The usual ways to say "at once", which are no dates. */
	if (strcmp(value, "0") != 0 && strcmp(value, "-1") != 0) {
		date = curl_getdate(value, NULL);
		if (date == -1 || date > time(NULL) + REWRITE_FIELDS_AGE_MAX)
			return false;
	}
	(void)fputs(value, out);
	return true;
}
