#include <string.h>

#include "proxyd/field.h"

bool
field_is_token(const char *s, size_t len)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	size_t i;

	for (i = 0; i < len; i++) {
		char c = s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') ||
			(c != '\0' && strchr(marks, c) != NULL)))
			return false;
	}
	return len > 0;
}

bool
field_is_value(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void
field_trim(const char **s, size_t *len)
{
	while (*len > 0 && is_blank((*s)[0])) {
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*s)[*len - 1]))
		(*len)--;
}

bool
field_is_hop(const char *name)
{
	static const char *const names[] = { "connection", "keep-alive", "te",
		"trailer", "transfer-encoding", "upgrade" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return strncasecmp(name, "proxy-", strlen("proxy-")) == 0;
}

bool
field_list_has(const char *list, const char *name)
{
	size_t wanted = strlen(name);

	for (;;) {
		size_t len = strcspn(list, ",");
		const char *member = list;
		size_t n = len;

		field_trim(&member, &n);
		if (n == wanted && strncasecmp(member, name, n) == 0)
			return true;
		if (list[len] == '\0')
			return false;
		list += len + 1;
	}
}

const char *
field_item_end(const char *s, char separator)
{
	bool quoted = false;

	for (; *s != '\0' && (quoted || *s != separator); s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (quoted && *s == '\\' && s[1] != '\0')
			s++;
	}
	return s;
}
