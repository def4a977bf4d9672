#ifndef TETHERD_PARSER_H
#define TETHERD_PARSER_H

#include "tetherd/config_file.h"
#include "tetherd/directive.h"
#include "tetherd/lex.h"
#include "tetherd/parse.h"

/*
 * Between the grammar, which calls this for what it recognises, and those
 * who gave the parser its work.
 */

/* A word, and where it stands. */
struct value {
	struct word word;		/* of text NULL: has no value */
	const char *undefined;		/* the macro that it names */
	const struct config_file *file; /* NULL for -D */
};

struct parser {
	const struct directive_ops *ops;
	void *arg;
	struct complaints *complaints;
	struct macros *macros;
	bool macros_full;
	struct origin *blocks; /* where each was found, as in ops->blocks */

	/* All files, for their names; those that are being read. */
	struct config_file *files;
	size_t nfiles;
	const struct config_file *stack[PARSE_DEPTH_MAX + 1];
	size_t depth;

	/* The file that is being read. */
	struct lexer lexer;
	struct token token; /* the last one */
	bool skipping;	    /* to the end of the line */

	const char *block; /* around the line, or NULL */
	bool quiet;	   /* in a block that does not exist */

	/* The line. */
	struct word words[DIRECTIVE_WORDS_MAX];
	size_t nwords;
	const struct config_file *last_file; /* of the last word */
	bool has_list;
	bool broken; /* something was complained about already */
};

/* The grammar: 0 when a file came to an end as it should. */
int grammar_parse(struct parser *);

/* The grammar cannot go on with the token before: complain. */
void parser_refuse_token(struct parser *);

/* The next token: what is wrong with a line is skipped. */
enum token_kind parser_next(struct parser *, struct value *);

/* What the grammar recognises.  Lines end where their last token is known. */
void parser_begin_line(struct parser *, const struct value *);
void parser_add_word(struct parser *, const struct value *);
void parser_begin_list(struct parser *);
void parser_end_line(struct parser *);
void parser_begin_block(struct parser *, const struct value *);
void parser_end_block(struct parser *);
/* value is NULL when there is something wrong with it. */
void parser_define(
    struct parser *, const struct value *name, const struct value *value);

#endif
