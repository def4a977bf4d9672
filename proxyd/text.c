#include <string.h>

#include "proxyd/field.h"
#include "proxyd/text.h"

/* Whether the first len bytes of s contain part, any case. */
static bool
contains(const char *s, size_t len, const char *part)
{
	size_t n = strlen(part), i;

	for (i = 0; i + n <= len; i++)
		if (strncasecmp(s + i, part, n) == 0)
			return true;
	return false;
}

/* Whether the media type, without its parameters, means text. */
static bool
is_text(const char *type, size_t len)
{
	static const char *const parts[] = { "application/json",
		"application/javascript", "application/x-javascript",
		"application/xml", "image/svg+xml", "+json", "+xml" };
	size_t i;

	if (len >= 5 && strncasecmp(type, "text/", 5) == 0)
		return true;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (contains(type, len, parts[i]))
			return true;
	return false;
}

/*
 * Find the value of the first charset parameter, as browsers do (MIME
 * Sniffing standard, "parse a MIME type"); false if there is none.
 */
static bool
find_charset(const char *parameters, const char **value, size_t *len)
{
	static const char name[] = "charset=";
	const char *end;

	while (*parameters != '\0') {
		parameters++;
		end = field_item_end(parameters, ';');
		*value = parameters;
		*len = (size_t)(end - parameters);
		field_trim(value, len);
		parameters = end;
		if (*len < strlen(name) ||
		    strncasecmp(*value, name, strlen(name)) != 0)
			continue;
		*value += strlen(name);
		*len -= strlen(name);
		if (*len >= 2 && (*value)[0] == '"' &&
		    (*value)[*len - 1] == '"') {
			(*value)++;
			*len -= 2;
		}
		if (*len > 0)
			return true;
	}
	return false;
}

static bool
is_utf8(const char *charset, size_t len)
{
	static const char *const names[] = { "utf-8", "utf8", "us-ascii" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len &&
		    strncasecmp(charset, names[i], len) == 0)
			return true;
	return false;
}

bool
text_type(const char *content_type)
{
	const char *charset;
	size_t len, charset_len;

	if (content_type == NULL)
		return false;
	content_type += strspn(content_type, " \t");
	len = strcspn(content_type, ";");
	if (find_charset(content_type + len, &charset, &charset_len))
		return is_utf8(charset, charset_len);
	return is_text(content_type, len);
}

bool
text_has_charset(const char *content_type)
{
	const char *charset;
	size_t len;

	return find_charset(
	    content_type + strcspn(content_type, ";"), &charset, &len);
}
