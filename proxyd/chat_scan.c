#include <stdbool.h>
#include <string.h>

#include "common/json_scan.h"
#include "proxyd/chat_scan.h"

/*
 * All below walks through a text that is valid, so that each thing has an end
 * and something behind it, but for the outermost object.
 */

static const char *
skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')
		p++;
	return p;
}

static const char *
skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

/* A value of a member. */
static const char *
skip_value(const char *p)
{
	unsigned depth = 0;

	do {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	} while (depth > 0 || (*p != ',' && *p != '}'));
	return p;
}

/* Whether a name, with its quotes, is that. */
static bool
is_name(const char *name, size_t len, const char *wanted)
{
	return len == strlen(wanted) + 2 &&
	       memcmp(name + 1, wanted, len - 2) == 0;
}

/* A member of the outermost object; NULL if it could be read differently. */
static const char *
read_member(const char *name, struct chat_scan *s, bool seen[2])
{
	const char *end = skip_string(name), *value, *value_end;
	size_t len = (size_t)(end - name);
	bool is_type = is_name(name, len, "type");
	bool is_session = is_name(name, len, "sessionId");

	if (memchr(name, '\\', len) != NULL || (is_type && seen[0]) ||
	    (is_session && seen[1]))
		return NULL;
	seen[0] |= is_type;
	seen[1] |= is_session;
	value = skip_blanks(skip_blanks(end) + 1);
	if (*value != '"')
		return skip_value(value);
	value_end = skip_string(value);
	if (is_type) {
		s->type = value + 1;
		s->type_len = (size_t)(value_end - value) - 2;
	} else if (is_session) {
		s->session = value;
		s->session_len = (size_t)(value_end - value);
	}
	return skip_blanks(value_end);
}

int
chat_scan(const uint8_t *text, size_t len, struct chat_scan *s)
{
	const char *p = (const char *)text;
	bool seen[2] = { false, false };

	memset(s, 0, sizeof(*s));
	if (!json_scan_text(text, len, CHAT_SCAN_DEPTH_MAX))
		return -1;
	p = skip_blanks(p);
	if (*p != '{')
		return -1;
	p = skip_blanks(p + 1);
	while (*p != '}') {
		if ((p = read_member(p, s, seen)) == NULL)
			return -1;
		if (*p == ',')
			p = skip_blanks(p + 1);
	}
	return 0;
}
