#ifndef TETHERD_LEX_H
#define TETHERD_LEX_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The words and signs that tetherd.conf consists of.  Comments, blanks and
 * continued lines are gone here; a text always ends in a newline.
 */

/* The longest word, in bytes, without the quotes. */
#define LEX_WORD_MAX 4096

enum token_kind {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_EQUALS,
	TOKEN_WORD,
	TOKEN_STRING, /* what was quoted */
	TOKEN_MACRO,  /* the name behind a '$' */
	TOKEN_ERROR,  /* what is wrong, as a text */
};

struct token {
	enum token_kind kind;
	const char *text; /* as long as the words and the lexer live */
	unsigned line;
};

struct lexer {
	const char *next;
	const char *end;
	char *words;
	unsigned line;
	unsigned depth;	  /* braces that are open */
	unsigned ended;	  /* the line of the token before */
	bool after_word;  /* that was a word of some kind, or a '}' */
	bool line_is_new; /* or a newline */
	char error[40];
};

/*
 * The first byte of a text that has no place in one: all control characters
 * but tab, newline and what else ends a line elsewhere.  Returns NULL if there
 * is none.
 */
const char *lex_find_control(const char *text, size_t, unsigned *line);

/*
 * Begin with a text.  The words go to a buffer, which is one byte larger than
 * the text.  Both stay the caller's.
 */
void lex_start(struct lexer *, const char *text, size_t, char *words);

/* The next token; at the end TOKEN_END, as often as it is called. */
void lex_next(struct lexer *, struct token *);

/* What is wrong with a line that goes on with this token.  Never shows a
 * quoted string, which may be a secret.  Returns buf. */
const char *lex_describe(const struct token *, char *buf, size_t);

#endif
