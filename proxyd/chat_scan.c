#include <stdbool.h>
#include <string.h>

#include "common/utf8.h"
#include "proxyd/chat_scan.h"

/* How far a text was read; every reader returns false where it is wrong. */
struct cursor {
	const char *at, *end;
};

static bool read_value(struct cursor *, unsigned depth);

static void
skip_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' ||
				     *c->at == '\r' || *c->at == '\n'))
		c->at++;
}

/* That character, and blanks on both sides of it. */
static bool
read_mark(struct cursor *c, char mark)
{
	skip_blanks(c);
	if (c->at == c->end || *c->at != mark)
		return false;
	c->at++;
	skip_blanks(c);
	return true;
}

static bool
read_word(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

static bool
is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static bool
is_hex(char ch)
{
	return is_digit(ch) || (ch >= 'a' && ch <= 'f') ||
	       (ch >= 'A' && ch <= 'F');
}

/* What follows a backslash. */
static bool
read_escape(struct cursor *c)
{
	int i;

	if (c->at == c->end)
		return false;
	if (*c->at != 'u')
		return *c->at != '\0' && strchr("\"\\/bfnrt", *c->at++) != NULL;
	c->at++;
	for (i = 0; i < 4; i++, c->at++)
		if (c->at == c->end || !is_hex(*c->at))
			return false;
	return true;
}

static bool
read_string(struct cursor *c)
{
	if (c->at == c->end || *c->at != '"')
		return false;
	c->at++;
	while (c->at < c->end) {
		if ((unsigned char)*c->at < ' ')
			return false;
		if (*c->at == '"') {
			c->at++;
			return true;
		}
		if (*c->at++ == '\\' && !read_escape(c))
			return false;
	}
	return false;
}

static bool
read_digits(struct cursor *c)
{
	const char *begin = c->at;

	while (c->at < c->end && is_digit(*c->at))
		c->at++;
	return c->at > begin;
}

static bool
read_number(struct cursor *c)
{
	if (*c->at == '-')
		c->at++;
	if (c->at < c->end && *c->at == '0')
		c->at++;
	else if (!read_digits(c))
		return false;
	if (c->at < c->end && *c->at == '.') {
		c->at++;
		if (!read_digits(c))
			return false;
	}
	if (c->at == c->end || (*c->at != 'e' && *c->at != 'E'))
		return true;
	c->at++;
	if (c->at < c->end && (*c->at == '+' || *c->at == '-'))
		c->at++;
	return read_digits(c);
}

static bool
read_array(struct cursor *c, unsigned depth)
{
	if (!read_mark(c, '['))
		return false;
	if (read_mark(c, ']'))
		return true;
	do {
		if (!read_value(c, depth))
			return false;
	} while (read_mark(c, ','));
	return read_mark(c, ']');
}

static bool
read_object(struct cursor *c, unsigned depth)
{
	if (!read_mark(c, '{'))
		return false;
	if (read_mark(c, '}'))
		return true;
	do {
		if (!read_string(c) || !read_mark(c, ':') ||
		    !read_value(c, depth))
			return false;
	} while (read_mark(c, ','));
	return read_mark(c, '}');
}

/* Inside so many objects and arrays. */
static bool
read_value(struct cursor *c, unsigned depth)
{
	if (c->at == c->end || depth == CHAT_SCAN_DEPTH_MAX)
		return false;
	switch (*c->at) {
	case '{':
		return read_object(c, depth + 1);
	case '[':
		return read_array(c, depth + 1);
	case '"':
		return read_string(c);
	case 't':
		return read_word(c, "true");
	case 'f':
		return read_word(c, "false");
	case 'n':
		return read_word(c, "null");
	default:
		return read_number(c);
	}
}

/* Whether a name, with its quotes, is that. */
static bool
is_name(const char *name, size_t len, const char *wanted)
{
	return len == strlen(wanted) + 2 &&
	       memcmp(name + 1, wanted, len - 2) == 0;
}

/* A member of the outermost object. */
static bool
read_member(struct cursor *c, struct chat_scan *s, bool seen[2])
{
	const char *name = c->at, *value;
	size_t name_len;
	bool is_type, is_session;

	if (!read_string(c))
		return false;
	name_len = (size_t)(c->at - name);
	is_type = is_name(name, name_len, "type");
	is_session = is_name(name, name_len, "sessionId");
	if (memchr(name, '\\', name_len) != NULL || (is_type && seen[0]) ||
	    (is_session && seen[1]) || !read_mark(c, ':'))
		return false;
	value = c->at;
	if (!read_value(c, 1))
		return false;
	seen[0] |= is_type;
	seen[1] |= is_session;
	if (*value != '"')
		return true;
	if (is_type) {
		s->type = value + 1;
		s->type_len = (size_t)(c->at - value) - 2;
	} else if (is_session) {
		s->session = value;
		s->session_len = (size_t)(c->at - value);
	}
	return true;
}

int
chat_scan(const uint8_t *text, size_t len, struct chat_scan *s)
{
	struct cursor c = { .at = (const char *)text };
	bool seen[2] = { false, false };

	memset(s, 0, sizeof(*s));
	if (len == 0 || !utf8_valid(text, len))
		return -1;
	c.end = c.at + len;
	if (!read_mark(&c, '{'))
		return -1;
	if (read_mark(&c, '}'))
		return c.at == c.end ? 0 : -1;
	do {
		if (!read_member(&c, s, seen))
			return -1;
	} while (read_mark(&c, ','));
	return read_mark(&c, '}') && c.at == c.end ? 0 : -1;
}
