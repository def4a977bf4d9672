#include <stdint.h>
#include <string.h>

#include "proxyd/chat_peek.h"

enum state {
	STATE_START,
	STATE_NAME, /* or an end, in front of it */
	STATE_IN_NAME,
	STATE_COLON,
	STATE_VALUE,	 /* in front of it */
	STATE_IN_STRING, /* that is a value of the outermost object */
	STATE_IN_WORD,	 /* or a number */
	STATE_INSIDE,	 /* an object or array in it */
	STATE_INSIDE_STRING,
	STATE_OVER
};

enum member {
	MEMBER_OTHER,
	MEMBER_TYPE,
	MEMBER_KIND,
	MEMBER_SESSION,
	MEMBER_CODE,
	MEMBER_PROCESSING
};

static const char *const members[] = {
	[MEMBER_TYPE] = "type",
	[MEMBER_KIND] = "kind",
	[MEMBER_SESSION] = "sessionId",
	[MEMBER_CODE] = "code",
	[MEMBER_PROCESSING] = "isProcessing",
};

void
chat_peek_start(struct chat_peek *p)
{
	p->type[0] = p->kind[0] = p->session[0] = p->code[0] = '\0';
	p->is_processing = p->escaped = false;
	p->state = STATE_START;
}

static void
begin_string(struct chat_peek *p, enum state state)
{
	p->state = state;
	p->len = 0;
}

static void
add_char(struct chat_peek *p, char ch)
{
	if (p->len < sizeof(p->string) && ch != '\0')
		p->string[p->len++] = ch;
	else
		p->len = sizeof(p->string);
}

/* The string is complete: what it was, or "". */
static const char *
end_string(struct chat_peek *p)
{
	if (p->len == sizeof(p->string))
		p->len = 0;
	p->string[p->len] = '\0';
	return p->string;
}

static void
end_name(struct chat_peek *p)
{
	const char *name = end_string(p);
	size_t i;

	p->state = STATE_COLON;
	p->member = MEMBER_OTHER;
	for (i = MEMBER_TYPE; i < sizeof(members) / sizeof(members[0]); i++)
		if (strcmp(name, members[i]) == 0)
			p->member = (int)i;
}

/* The member has that text for its value, or "" if it is none. */
static void
set_text(struct chat_peek *p, const char *text)
{
	char *dst[] = {
		[MEMBER_OTHER] = NULL,
		[MEMBER_TYPE] = p->type,
		[MEMBER_KIND] = p->kind,
		[MEMBER_SESSION] = p->session,
		[MEMBER_CODE] = p->code,
		[MEMBER_PROCESSING] = NULL,
	};

	if (dst[p->member] != NULL)
		(void)strlcpy(dst[p->member], text, CHAT_PEEK_SIZE);
	if (p->member == MEMBER_PROCESSING)
		p->is_processing = false;
}

static void
begin_value(struct chat_peek *p, char ch)
{
	/* Of two members with one name the last one counts. */
	set_text(p, "");
	if (ch == '"') {
		begin_string(p, STATE_IN_STRING);
	} else if (ch == '{' || ch == '[') {
		p->state = STATE_INSIDE;
		p->depth = 1;
	} else {
		p->state = STATE_IN_WORD;
		if (p->member == MEMBER_PROCESSING)
			p->is_processing = ch == 't';
	}
}

/* A character of a string, to whose end that is; true at its end. */
static bool
read_string(struct chat_peek *p, char ch)
{
	if (p->escaped) {
		p->escaped = false;
		return false;
	}
	if (ch == '\\') {
		p->escaped = true;
		p->len = sizeof(p->string);
		return false;
	}
	if (ch == '"')
		return true;
	add_char(p, ch);
	return false;
}

static void
read_inside(struct chat_peek *p, char ch)
{
	if (ch == '"')
		p->state = STATE_INSIDE_STRING;
	else if (ch == '{' || ch == '[')
		p->depth++;
	else if ((ch == '}' || ch == ']') && --p->depth == 0)
		p->state = STATE_NAME;
}

static void
read_between(struct chat_peek *p, char ch)
{
	switch (p->state) {
	case STATE_START:
		p->state = ch == '{' ? STATE_NAME : STATE_OVER;
		break;
	case STATE_NAME:
		if (ch == '"')
			begin_string(p, STATE_IN_NAME);
		else if (ch != ',')
			p->state = STATE_OVER;
		break;
	case STATE_COLON:
		p->state = ch == ':' ? STATE_VALUE : STATE_OVER;
		break;
	case STATE_VALUE:
		begin_value(p, ch);
		break;
	case STATE_IN_WORD:
		if (ch == ',')
			p->state = STATE_NAME;
		else if (ch == '}')
			p->state = STATE_OVER;
		break;
	default:
		break;
	}
}

/*
 * The part of a string that says nothing: images travel in those.  Returns
 * where the next character is that does.
 */
static const char *
skip(const struct chat_peek *p, const char *at, const char *end)
{
	if (p->escaped ||
	    (p->state != STATE_INSIDE_STRING && p->len < sizeof(p->string)))
		return at;
	while (at < end && *at != '"' && *at != '\\')
		at++;
	return at;
}

static void
read_char(struct chat_peek *p, char ch)
{
	switch (p->state) {
	case STATE_IN_NAME:
		if (read_string(p, ch))
			end_name(p);
		break;
	case STATE_IN_STRING:
		if (!read_string(p, ch))
			break;
		set_text(p, end_string(p));
		p->state = STATE_NAME;
		break;
	case STATE_INSIDE_STRING:
		if (read_string(p, ch))
			p->state = STATE_INSIDE;
		break;
	case STATE_INSIDE:
		read_inside(p, ch);
		break;
	default:
		if (ch != ' ' && ch != '\t' && ch != '\r' && ch != '\n')
			read_between(p, ch);
		break;
	}
}

void
chat_peek_feed(struct chat_peek *p, const void *data, size_t len)
{
	const char *at = data, *end = at + len;

	while (at < end && p->state != STATE_OVER) {
		if (p->state == STATE_IN_STRING ||
		    p->state == STATE_INSIDE_STRING) {
			at = skip(p, at, end);
			if (at == end)
				break;
		}
		read_char(p, *at++);
	}
}
