#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "proxyd/query.h"

/* The value of a hexadecimal digit, or -1. */
static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char
query_next(const char **s)
{
	const char *p = *s;

	if (p[0] == '%' && digit(p[1]) != -1 && digit(p[2]) != -1) {
		*s += 3;
		return (char)(digit(p[1]) << 4 | digit(p[2]));
	}
	*s += 1;
	return p[0];
}

static bool
is_named(const char *member, size_t len, const char *name)
{
	const char *end = member + len;

	while (member < end && *member != '=') {
		if (*name == '\0' || query_next(&member) != *name)
			return false;
		name++;
	}
	return *name == '\0';
}

void
query_remove(char *target, const char *name)
{
	char *query = strchr(target, '?'), *in, *out;
	size_t len;

	if (query == NULL)
		return;
	in = out = query + 1;
	for (;;) {
		len = strcspn(in, "&");
		if (!is_named(in, len, name)) {
			memmove(out, in, len);
			out += len;
			if (in[len] == '&')
				*out++ = '&';
		}
		if (in[len] == '\0')
			break;
		in += len + 1;
	}
	/* What stood in front of a member that was the last one. */
	if (out > query + 1 && out < in + len && out[-1] == '&')
		out--;
	if (out == query + 1)
		out = query;
	*out = '\0';
}
