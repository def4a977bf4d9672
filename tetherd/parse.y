%{
#include "tetherd/parser.h"

#define YYSTYPE struct value

static int grammar_lex(YYSTYPE *, struct parser *);
static void grammar_error(struct parser *, const char *);
%}

%pure-parser
%parse-param { struct parser *parser }
%lex-param { struct parser *parser }

/* STRING is any word that is none of the language: "text" or $macro. */
%token WORD STRING BAD

%%

file	: /* empty */
	| file '\n'
	| file words '\n' {
		parser_end_line(parser);
	}
	| file block '\n'
	| file WORD '=' word '\n' {
		parser_define(parser, &$2, &$4);
	}
	| file WORD '=' error '\n' {
		parser_define(parser, &$2, NULL);
		yyerrok;
	}
	| file error '\n' {
		yyerrok;
	}
	;

block	: open lines '}' {
		parser_end_block(parser);
	}
	| open lines line '}' {
		parser_end_line(parser);
		parser_end_block(parser);
	}
	| open lines error '}' {
		parser_end_block(parser);
		yyerrok;
	}
	;

open	: WORD '{' {
		parser_begin_block(parser, &$1);
	}
	;

lines	: /* empty */
	| lines '\n'
	| lines line '\n' {
		parser_end_line(parser);
	}
	| lines error '\n' {
		yyerrok;
	}
	;

line	: words
	| words list
	;

words	: WORD {
		parser_begin_line(parser, &$1);
	}
	| words word {
		parser_add_word(parser, &$2);
	}
	;

word	: WORD
	| STRING
	;

list	: begin newlines '}'
	| begin newlines items '}'
	;

begin	: '{' {
		parser_begin_list(parser);
	}
	;

items	: item
	| items item
	;

item	: listed
	| listed ',' newlines
	;

listed	: word newlines {
		parser_add_word(parser, &$1);
	}
	;

newlines: /* empty */
	| newlines '\n'
	;

%%

static int
grammar_lex(YYSTYPE *lval, struct parser *parser)
{
	switch (parser_next(parser, lval)) {
	case TOKEN_END:
		return 0;
	case TOKEN_NEWLINE:
		return '\n';
	case TOKEN_OPEN:
		return '{';
	case TOKEN_CLOSE:
		return '}';
	case TOKEN_COMMA:
		return ',';
	case TOKEN_EQUALS:
		return '=';
	case TOKEN_WORD:
		return WORD;
	case TOKEN_STRING:
	case TOKEN_MACRO:
		return STRING;
	case TOKEN_ERROR:
		break;
	}
	return BAD;
}

static void
grammar_error(struct parser *parser, const char *message)
{
	(void)message;
	parser_refuse_token(parser);
}
