#include <string.h>

#include "proxyd/css_judge.h"

bool
css_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

bool
css_is_newline(char c)
{
	return c == '\n' || c == '\r' || c == '\f';
}

char
css_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') ||
	       (css_lower(c) >= 'a' && css_lower(c) <= 'f');
}

/* What makes a longer name of the one behind it. */
bool
css_is_name(char c)
{
	return (css_lower(c) >= 'a' && css_lower(c) <= 'z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       (unsigned char)c >= 0x80;
}

/*
 * Whether the text up to here ends with the name of a function, and does not
 * make a longer one of it.
 */
static bool
ends_with(const char *text, size_t len, const char *name)
{
	size_t n = strlen(name), i;

	if (len < n || strncasecmp(text + len - n, name, n) != 0)
		return false;
	len -= n;
	if (len == 0)
		return true;
	if (css_is_name(text[len - 1]) || strchr("\\#@", text[len - 1]) != NULL)
		return false;
	/* A blank may be the end of an escape: "\62 url(" is "burl(". */
	if (!css_is_blank(text[len - 1]))
		return true;
	for (i = len - 1; i > 0 && len - i <= 6 && is_hex(text[i - 1]);)
		i--;
	return i == len - 1 || i == 0 || text[i - 1] != '\\';
}

enum css_function
css_judge_function(const char *text, size_t len)
{
	/* Most functions are others, and few of those end so. */
	switch (len > 0 ? css_lower(text[len - 1]) : '\0') {
	case 'c':
		return ends_with(text, len, "src") ? CSS_STRINGS : CSS_OTHER;
	case 'l':
		return ends_with(text, len, "url") ? CSS_URL : CSS_OTHER;
	case 't':
		return ends_with(text, len, "image-set") ||
			       ends_with(text, len, "-webkit-image-set")
			   ? CSS_STRINGS
			   : CSS_OTHER;
	default:
		return CSS_OTHER;
	}
}
