#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "proxyd/html_scan.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static enum html_part
list_step(uint8_t *state, char c)
{
	enum { BETWEEN, IN_URL };

	if (!is_space(c)) {
		*state = IN_URL;
		return HTML_PART_URL;
	}
	if (*state == BETWEEN)
		return HTML_PART_OTHER;
	*state = BETWEEN;
	return HTML_PART_END;
}

static enum html_part
srcset_step(uint8_t *state, char c)
{
	enum { BETWEEN, IN_URL, COMMA, DESCRIPTORS, PARENS };

	switch (*state) {
	case BETWEEN:
		if (is_space(c) || c == ',')
			return HTML_PART_OTHER;
		*state = IN_URL;
		return HTML_PART_URL;
	case IN_URL:
	case COMMA:
		if (is_space(c)) {
			*state = *state == COMMA ? BETWEEN : DESCRIPTORS;
			return HTML_PART_END;
		}
		/* Commas belong to the URL unless they are its end. */
		*state = c == ',' ? COMMA : IN_URL;
		return c == ',' ? HTML_PART_MAYBE : HTML_PART_URL;
	case DESCRIPTORS:
		if (c == ',')
			*state = BETWEEN;
		else if (c == '(')
			*state = PARENS;
		return HTML_PART_OTHER;
	default:
		if (c == ')')
			*state = DESCRIPTORS;
		return HTML_PART_OTHER;
	}
}

/* The states of a refresh. */
enum {
	START,
	DIGITS,
	FRACTION,
	BLANK,	   /* behind the time, */
	SEPARATED, /* and behind its ";" */
	SEEN_U,
	SEEN_UR,
	SEEN_URL,
	EQUALS,
	PLAIN,
	QUOTED,
	DOUBLE_QUOTED,
	OVER
};

/* The first character of a URL, or the quote before it. */
static enum html_part
refresh_url(uint8_t *state, char c)
{
	if (c == '"' || c == '\'') {
		*state = c == '"' ? DOUBLE_QUOTED : QUOTED;
		return HTML_PART_OTHER;
	}
	*state = PLAIN;
	return HTML_PART_URL;
}

/* Behind the time: what must come next, and then what. */
static enum html_part
refresh_word(uint8_t *state, char c)
{
	static const char next[] = {
		[SEEN_U] = 'r', [SEEN_UR] = 'l', [SEEN_URL] = '='
	};

	if (*state == SEEN_URL && is_space(c))
		return HTML_PART_OTHER;
	/* Else it is a relative URL that begins so. */
	if (tolower((unsigned char)c) == next[*state])
		(*state)++;
	else
		return HTML_PART_NEVER;
	return HTML_PART_OTHER;
}

static enum html_part
refresh_time(uint8_t *state, char c)
{
	bool digit = isdigit((unsigned char)c);

	if (*state == START && is_space(c))
		return HTML_PART_OTHER;
	if (*state != FRACTION && digit)
		*state = DIGITS;
	else if (c == '.' || (*state == FRACTION && digit))
		*state = FRACTION;
	else if (*state != START && (c == ';' || c == ','))
		*state = SEPARATED;
	else if (is_space(c))
		*state = BLANK;
	else
		return HTML_PART_NEVER;
	return HTML_PART_OTHER;
}

static enum html_part
refresh_step(uint8_t *state, char c)
{
	switch (*state) {
	case START:
	case DIGITS:
	case FRACTION:
		return refresh_time(state, c);
	case BLANK:
	case SEPARATED:
		if (is_space(c))
			return HTML_PART_OTHER;
		if (*state == BLANK && (c == ';' || c == ',')) {
			*state = SEPARATED;
			return HTML_PART_OTHER;
		}
		if (c == 'u' || c == 'U') {
			*state = SEEN_U;
			return HTML_PART_OTHER;
		}
		return refresh_url(state, c);
	case EQUALS:
		if (is_space(c))
			return HTML_PART_OTHER;
		return refresh_url(state, c);
	case PLAIN:
		return HTML_PART_URL;
	case QUOTED:
	case DOUBLE_QUOTED:
		if (c != (*state == QUOTED ? '\'' : '"'))
			return HTML_PART_URL;
		*state = OVER;
		return HTML_PART_END;
	case OVER:
		return HTML_PART_NEVER;
	default:
		return refresh_word(state, c);
	}
}

enum html_part
html_scan_step(enum html_scan scan, uint8_t *state, char c)
{
	switch (scan) {
	case HTML_SCAN_LIST:
		return list_step(state, c);
	case HTML_SCAN_SRCSET:
		return srcset_step(state, c);
	case HTML_SCAN_REFRESH:
		break;
	}
	return refresh_step(state, c);
}
