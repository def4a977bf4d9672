#include <string.h>

#include "proxyd/html_script.h"

static bool
is_one_of(const char *const *names, size_t count, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strlen(names[i]) == len &&
		    strncasecmp(names[i], name, len) == 0)
			return true;
	return false;
}

/* MIME Sniffing standard, "JavaScript MIME type", behind "text/". */
bool
html_script_language_is_code(const char *language, size_t len)
{
	static const char *const names[] = { "ecmascript", "javascript",
		"javascript1.0", "javascript1.1", "javascript1.2",
		"javascript1.3", "javascript1.4", "javascript1.5", "jscript",
		"livescript", "x-ecmascript", "x-javascript" };

	return len == 0 || is_one_of(names, sizeof(names) / sizeof(names[0]),
			       language, len);
}

bool
html_script_type_is_code(const char *type, size_t len)
{
	static const char space[] = " \t\n\f\r";
	static const char *const names[] = { "module", "importmap",
		"speculationrules", "application/ecmascript",
		"application/javascript", "application/x-ecmascript",
		"application/x-javascript" };

	if (len == 0)
		return true;
	for (; len > 0 && memchr(space, *type, 5) != NULL; len--)
		type++;
	while (len > 0 && memchr(space, type[len - 1], 5) != NULL)
		len--;
	if (len > 5 && strncasecmp(type, "text/", 5) == 0)
		return html_script_language_is_code(type + 5, len - 5);
	return is_one_of(names, sizeof(names) / sizeof(names[0]), type, len);
}
