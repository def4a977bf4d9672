#include <ctype.h>
#include <string.h>

#include "tetherd/dotenv.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* in UTF-8 */

static char *
skip_blanks(char *s)
{
	return s + strspn(s, " \t\r");
}

/* Nothing but a comment may follow a quoted value. */
static const char *
check_rest(char *s)
{
	s = skip_blanks(s);
	return *s == '\0' || *s == '#' ? NULL : "text after the closing quote";
}

/* Undo the quotes in place; *s is moved behind the opening one. */
static const char *
unquote(char **s)
{
	char quote = **s, *in, *out;

	in = out = ++*s;
	for (; *in != quote; in++, out++) {
		if (*in == '\0')
			return "quote without its partner";
		if (quote == '"' && *in == '\\' && in[1] != '\0') {
			in++;
			*out = *in == 'n' ? '\n' : *in;
		} else
			*out = *in;
	}
	*out = '\0'; /* at or before the closing quote */
	return check_rest(in + 1);
}

static void
trim_bare(char *value)
{
	char *end = value;

	while (
	    *end != '\0' &&
	    !(*end == '#' && (end == value || isblank((unsigned char)end[-1]))))
		end++;
	while (end > value && strchr(" \t\r", end[-1]) != NULL)
		end--;
	*end = '\0';
}

/* Returns NULL, with no name if there is none; or what is wrong. */
static const char *
parse_line(char *s, char **name, char **value)
{
	size_t len;

	*name = NULL;
	s = skip_blanks(s);
	if (*s == '\0' || *s == '#')
		return NULL;
	if (strncmp(s, "export", 6) == 0 && isblank((unsigned char)s[6]))
		s = skip_blanks(s + 6);
	*name = s;
	len = strcspn(s, "= \t\r");
	s = skip_blanks(s + len);
	if (len == 0 || *s != '=')
		return "not of the form NAME=VALUE";
	*value = skip_blanks(s + 1);
	(*name)[len] = '\0';
	if (**value != '\0' && strchr("\"'`", **value) != NULL)
		return unquote(value);
	trim_bare(*value);
	return NULL;
}

void
dotenv_parse(char *text, const struct dotenv_ops *ops, void *arg)
{
	const char *why;
	char *end, *name, *value;
	unsigned line;

	/* Some editors begin a file with this, which is no part of a name. */
	if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		text += strlen(BYTE_ORDER_MARK);
	for (line = 1; text != NULL; line++) {
		end = strchr(text, '\n');
		if (end != NULL)
			*end++ = '\0';
		why = parse_line(text, &name, &value);
		if (why != NULL)
			ops->wrong(arg, line, why);
		else if (name != NULL)
			ops->found(arg, line, name, value);
		text = end;
	}
}
