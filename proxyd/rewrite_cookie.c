#include <string.h>

#include "common/log.h"
#include "proxyd/field.h"
#include "proxyd/rewrite_cookie.h"
#include "proxyd/rewrite_uri.h"

/*
 * Whether an attribute has that name; then s and len become its value, which
 * is empty without a "=".
 */
static bool
is_attribute(const char **s, size_t *len, const char *name)
{
	const char *text = *s, *equals = memchr(*s, '=', *len);
	size_t n = equals != NULL ? (size_t)(equals - text) : *len;
	size_t rest = *len - n;

	field_trim(&text, &n);
	if (n != strlen(name) || strncasecmp(text, name, n) != 0)
		return false;
	*s += *len - rest;
	*len = rest;
	if (rest > 0) {
		(*s)++;
		(*len)--;
	}
	field_trim(s, len);
	return true;
}

bool
rewrite_cookie(const struct rewrite_fields *how, const char *value, FILE *out)
{
	static const char host[] = "__Host-";
	size_t len = strcspn(value, ";"), path_len = 0, n;
	const char *path = "", *attribute;

	/* Browsers look for it in any case. */
	if (strncasecmp(value + strspn(value, " \t"), host, strlen(host)) ==
	    0) {
		log_debugx("dropped a cookie for the whole host");
		return false;
	}
	(void)fwrite(value, 1, len, out);
	while (value[len] == ';') {
		value += len + 1;
		len = strcspn(value, ";");
		attribute = value;
		n = len;
		if (is_attribute(&attribute, &n, "path")) {
			/* The last one counts. */
			path = attribute;
			path_len = n;
		} else if (!is_attribute(&attribute, &n, "domain"))
			(void)fprintf(out, ";%.*s", (int)len, value);
	}
	if (path_len > 0 && path[0] != '/')
		path_len = 0;
	(void)fputs("; Path=", out);
	rewrite_uri_path(how, path, path_len, out);
	return true;
}
