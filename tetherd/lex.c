#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tetherd/lex.h"

#define NEAR_STRING "syntax error near a quoted string"
#define NEAR_EOL    "syntax error near the end of the line"
#define TOO_LONG    "a word is longer than 4096 bytes"

const char *
lex_find_control(const char *text, size_t size, unsigned *line)
{
	const char *end = text + size;

	for (*line = 1; text < end; text++) {
		if (*text == '\n')
			++*line;
		else if (*text == '\r' && text + 1 < end && text[1] == '\n')
			continue;
		else if (*text != '\t' && iscntrl((unsigned char)*text))
			return text;
	}
	return NULL;
}

void
lex_start(struct lexer *lx, const char *text, size_t size, char *words)
{
	memset(lx, 0, sizeof(*lx));
	lx->next = text;
	lx->end = text + size;
	lx->words = words;
	lx->line = 1;
}

/* The byte n further on, NUL behind the end. */
static char
peek(const struct lexer *lx, size_t n)
{
	return n < (size_t)(lx->end - lx->next) ? lx->next[n] : '\0';
}

static bool
is_bare(char c)
{
	return c != '\0' &&
	       (isalnum((unsigned char)c) || strchr("-_./:@*+~%", c) != NULL);
}

static bool
is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* How many bytes end the line here, or 0. */
static size_t
newline_size(const struct lexer *lx, size_t n)
{
	if (peek(lx, n) == '\r' && peek(lx, n + 1) == '\n')
		return 2;
	return peek(lx, n) == '\n' ? 1 : 0;
}

static bool
skip_blank(struct lexer *lx)
{
	size_t n;

	if (peek(lx, 0) == ' ' || peek(lx, 0) == '\t')
		lx->next++;
	else if (peek(lx, 0) == '\\' && (n = newline_size(lx, 1)) > 0) {
		lx->next += 1 + n;
		lx->line++;
	} else if (peek(lx, 0) == '#') {
		while (lx->next < lx->end && *lx->next != '\n')
			lx->next++;
	} else
		return false;
	return true;
}

/* Skip a string, or the rest of the line if it has no end. */
static void
skip_string(struct lexer *lx)
{
	lx->next++;
	while (lx->next < lx->end && newline_size(lx, 0) == 0) {
		if (peek(lx, 0) == '\\' && peek(lx, 1) != '\0' &&
		    newline_size(lx, 1) == 0)
			lx->next++;
		else if (peek(lx, 0) == '"') {
			lx->next++;
			return;
		}
		lx->next++;
	}
}

/* A brace that stands at the end of something, rather than inside. */
static bool
at_brace(const struct lexer *lx)
{
	char c = peek(lx, 0), behind = peek(lx, 1);

	return (c == '{' || c == '}') &&
	       (behind == '\0' || isspace((unsigned char)behind));
}

/*
 * Nothing that can be read: all of it up to the next blank counts as one, so
 * that braces in what somebody thought to be quoted do not count.
 */
static void
skip_rubbish(struct lexer *lx)
{
	do {
		if (*lx->next == '"')
			skip_string(lx);
		else
			lx->next++;
	} while (lx->next < lx->end && !isspace((unsigned char)*lx->next) &&
		 !at_brace(lx));
}

static void
read_error(struct token *token, const char *why)
{
	token->kind = TOKEN_ERROR;
	token->text = why;
}

/* Only one byte is shown: the rest may be part of a secret. */
static void
read_rubbish(struct lexer *lx, struct token *token)
{
	(void)snprintf(lx->error, sizeof(lx->error), "syntax error near \"%c\"",
	    *lx->next);
	skip_rubbish(lx);
	read_error(token, lx->error);
}

/* Take a word of n bytes from the text. */
static void
read_plain(
    struct lexer *lx, struct token *token, enum token_kind kind, size_t n)
{
	token->kind = kind;
	token->text = lx->words;
	memcpy(lx->words, lx->next, n);
	lx->words[n] = '\0';
	lx->words += n + 1;
	lx->next += n;
	if (n > LEX_WORD_MAX)
		read_error(token, TOO_LONG);
}

static void
read_word(struct lexer *lx, struct token *token)
{
	size_t n = 0;

	while (is_bare(peek(lx, n)))
		n++;
	read_plain(lx, token, TOKEN_WORD, n);
}

static void
read_macro(struct lexer *lx, struct token *token)
{
	size_t n = 0;

	lx->next++;
	while (is_name(peek(lx, n)))
		n++;
	if (n > 0)
		read_plain(lx, token, TOKEN_MACRO, n);
	else {
		lx->next--;
		read_rubbish(lx, token);
	}
}

/* The text of a string, from behind the quote; NULL or what is wrong. */
static const char *
unquote(const struct lexer *lx, const char *in, char **out)
{
	for (; in < lx->end && *in != '\n'; in++) {
		if (*in == '"')
			return NULL;
		if (*in == '\\') {
			in++;
			if (in == lx->end)
				break;
			if (*in != '"' && *in != '\\')
				return "syntax error near \"\\\"";
		}
		*(*out)++ = *in;
	}
	return NEAR_EOL;
}

static void
read_string(struct lexer *lx, struct token *token)
{
	char *out = lx->words;
	const char *why = unquote(lx, lx->next + 1, &out);

	skip_string(lx);
	if (why == NULL && out - lx->words > LEX_WORD_MAX)
		why = TOO_LONG;
	if (why != NULL) {
		read_error(token, why);
		return;
	}
	*out = '\0';
	token->kind = TOKEN_STRING;
	token->text = lx->words;
	lx->words = out + 1;
}

static void
read_sign(struct lexer *lx, struct token *token)
{
	static const struct {
		char c;
		enum token_kind kind;
		const char *text;
	} signs[] = { { '{', TOKEN_OPEN, "{" }, { '}', TOKEN_CLOSE, "}" },
		{ ',', TOKEN_COMMA, "," }, { '=', TOKEN_EQUALS, "=" } };
	size_t i;

	for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (*lx->next == signs[i].c) {
			token->kind = signs[i].kind;
			token->text = signs[i].text;
			lx->next++;
			return;
		}
	read_rubbish(lx, token);
}

/* Words of any kind; two of them do not touch each other. */
static bool
read_word_of_any_kind(struct lexer *lx, struct token *token, bool touches)
{
	char c = peek(lx, 0);

	if (!is_bare(c) && c != '"' && c != '$')
		return false;
	if (touches && (c == '"' || lx->next[-1] == '"')) {
		skip_rubbish(lx);
		read_error(token, NEAR_STRING);
	} else if (touches)
		read_rubbish(lx, token);
	else if (c == '"')
		read_string(lx, token);
	else if (c == '$')
		read_macro(lx, token);
	else
		read_word(lx, token);
	return true;
}

/* At the end, after a newline in any case. */
static void
read_end(struct lexer *lx, struct token *token)
{
	token->text = "";
	if (lx->line_is_new) {
		token->kind = TOKEN_END;
		token->line = lx->ended;
	} else
		token->kind = TOKEN_NEWLINE;
}

void
lex_next(struct lexer *lx, struct token *token)
{
	bool touches = lx->after_word;
	size_t n;

	while (skip_blank(lx))
		touches = false;
	token->line = lx->line;
	lx->after_word = false;
	if (lx->next == lx->end)
		read_end(lx, token);
	else if ((n = newline_size(lx, 0)) > 0) {
		token->kind = TOKEN_NEWLINE;
		token->text = "";
		lx->next += n;
		lx->line++;
	} else if (read_word_of_any_kind(lx, token, touches))
		lx->after_word = true;
	else
		read_sign(lx, token);
	if (token->kind == TOKEN_OPEN)
		lx->depth++;
	else if (token->kind == TOKEN_CLOSE) {
		/* What touches it may be the rest of a secret: a{b}c. */
		lx->after_word = true;
		lx->depth -= lx->depth > 0;
	}
	lx->line_is_new =
	    token->kind == TOKEN_NEWLINE || token->kind == TOKEN_END;
	lx->ended = token->line;
}

const char *
lex_describe(const struct token *token, char *buf, size_t size)
{
	const char *text = token->text;

	if (token->kind == TOKEN_ERROR)
		(void)strlcpy(buf, text, size);
	else if (token->kind == TOKEN_STRING)
		(void)strlcpy(buf, NEAR_STRING, size);
	else if (token->kind == TOKEN_NEWLINE)
		(void)strlcpy(buf, NEAR_EOL, size);
	else if (token->kind == TOKEN_END)
		(void)strlcpy(
		    buf, "syntax error near the end of the file", size);
	else
		(void)snprintf(buf, size, "syntax error near \"%s%.64s\"",
		    token->kind == TOKEN_MACRO ? "$" : "", text);
	return buf;
}
