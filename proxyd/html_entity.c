#include <ctype.h>
#include <string.h>

#include "proxyd/html_entity.h"

static const struct {
	char name[17];
	char c;
} names[] = { { "Tab", '\t' }, { "NewLine", '\n' }, { "excl", '!' },
	{ "quot", '"' }, { "QUOT", '"' }, { "num", '#' }, { "dollar", '$' },
	{ "percnt", '%' }, { "amp", '&' }, { "AMP", '&' }, { "apos", '\'' },
	{ "lpar", '(' }, { "rpar", ')' }, { "ast", '*' }, { "midast", '*' },
	{ "plus", '+' }, { "comma", ',' }, { "period", '.' }, { "sol", '/' },
	{ "colon", ':' }, { "semi", ';' }, { "lt", '<' }, { "LT", '<' },
	{ "equals", '=' }, { "gt", '>' }, { "GT", '>' }, { "quest", '?' },
	{ "commat", '@' }, { "lsqb", '[' }, { "lbrack", '[' }, { "bsol", '\\' },
	{ "rsqb", ']' }, { "rbrack", ']' }, { "Hat", '^' }, { "lowbar", '_' },
	{ "UnderBar", '_' }, { "grave", '`' }, { "DiacriticalGrave", '`' },
	{ "lcub", '{' }, { "lbrace", '{' }, { "verbar", '|' }, { "vert", '|' },
	{ "VerticalLine", '|' }, { "rcub", '}' }, { "rbrace", '}' } };

/* What may stand without its ";", for the sake of old pages. */
static bool
is_legacy(char c)
{
	return c == '"' || c == '&' || c == '<' || c == '>';
}

static void
emit(
    char c, bool open, uint64_t at, uint64_t end, html_unit_fn *unit, void *arg)
{
	struct html_unit u = { c, open, at, end };

	/* A NUL is replaced by a character that is none of ours. */
	if (c == '\0' || (unsigned char)c > 0x7f)
		u.c = HTML_OTHER;
	unit(arg, &u);
}

static bool
add_digit(struct html_entity *e, int digit, uint32_t base)
{
	if (e->number < 0x110000)
		e->number = e->number * base + (uint32_t)digit;
	e->digits = true;
	return true;
}

/* Whether c goes on with the reference, which has it then. */
static bool
extend(struct html_entity *e, char c)
{
	if (e->len > 1 && e->text[1] == '#') {
		if (e->len == 2 && !e->digits && (c == 'x' || c == 'X')) {
			e->text[e->len++] = c;
			return true;
		}
		if (c >= '0' && c <= '9')
			return add_digit(e, c - '0', e->len == 3 ? 16 : 10);
		c |= 0x20;
		if (e->len == 3 && c >= 'a' && c <= 'f')
			return add_digit(e, c - 'a' + 10, 16);
		return false;
	}
	if (e->len == sizeof(e->text) ||
	    !(isalpha((unsigned char)c) || (e->len == 1 && c == '#') ||
		(e->len > 1 && isdigit((unsigned char)c))))
		return false;
	e->text[e->len++] = c;
	return true;
}

/* What the reference means before next ('\0' for none), or -1. */
static int
resolve(const struct html_entity *e, char next)
{
	size_t i;

	if (e->digits)
		return e->number > 0 && e->number < 0x80 ? (int)e->number
							 : HTML_OTHER & 0xff;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == e->len - 1 &&
		    memcmp(names[i].name, e->text + 1, e->len - 1) == 0)
			return next == ';' ||
				       (is_legacy(names[i].c) && next != '=')
				   ? names[i].c
				   : -1;
	return -1;
}

/* End the reference, be it one or not, before next. */
static void
close_reference(struct html_entity *e, char next, uint64_t at,
    html_unit_fn *unit, void *arg)
{
	int c = resolve(e, next);
	size_t len = e->len, i;

	e->len = 0;
	if (c != -1) {
		emit(
		    (char)c, next != ';', e->at, at + (next == ';'), unit, arg);
		return;
	}
	for (i = 0; i < len; i++)
		emit(e->text[i], false, e->at + i, e->at + i + 1, unit, arg);
	if (next == ';')
		emit(next, false, at, at + 1, unit, arg);
}

void
html_entity_feed(
    struct html_entity *e, char c, uint64_t at, html_unit_fn *unit, void *arg)
{
	if (e->len > 0) {
		if (extend(e, c))
			return;
		close_reference(e, c, at, unit, arg);
		if (c == ';')
			return;
	}
	if (c != '&') {
		emit(c, false, at, at + 1, unit, arg);
		return;
	}
	e->at = at;
	e->number = 0;
	e->digits = false;
	e->text[0] = c;
	e->len = 1;
}

void
html_entity_finish(
    struct html_entity *e, uint64_t at, html_unit_fn *unit, void *arg)
{
	if (e->len > 0)
		close_reference(e, '\0', at, unit, arg);
}
