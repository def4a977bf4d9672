#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/macros.h"
#include "tetherd/nearest.h"
#include "tetherd/parser.h"

static const struct config_file *
current_file(const struct parser *p)
{
	return p->stack[p->depth - 1];
}

static struct origin
origin_of(const struct parser *p, unsigned line)
{
	struct origin origin = { ORIGIN_FILE, current_file(p)->path, line };

	return origin;
}

static void complain_at(struct parser *, unsigned line, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static void
complain_at(struct parser *p, unsigned line, const char *format, ...)
{
	struct origin origin = origin_of(p, line);
	char text[LOG_LINE_MAX];
	va_list ap;

	if (p->quiet)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	complain(p->complaints, &origin, "%s", text);
}

void
parser_refuse_token(struct parser *p)
{
	char text[128];

	/* The end of the file is not part of a block that does not exist. */
	if (p->token.kind == TOKEN_END)
		p->quiet = false;
	complain_at(p, p->token.line, "%s",
	    lex_describe(&p->token, text, sizeof(text)));
	p->skipping =
	    p->token.kind != TOKEN_NEWLINE && p->token.kind != TOKEN_END;
}

/* Where the grammar can go on after an error: what the line opened is closed,
 * and the block around it is still open, or closed just now. */
static bool
may_go_on(const struct parser *p)
{
	unsigned depth = p->block != NULL ? 1 : 0;

	switch (p->token.kind) {
	case TOKEN_END:
		return true;
	case TOKEN_NEWLINE:
		return p->lexer.depth <= depth;
	case TOKEN_CLOSE:
		return p->lexer.depth < depth;
	case TOKEN_OPEN:
	case TOKEN_COMMA:
	case TOKEN_EQUALS:
	case TOKEN_WORD:
	case TOKEN_STRING:
	case TOKEN_MACRO:
	case TOKEN_ERROR:
		break;
	}
	return false;
}

static void
resolve_macro(struct parser *p, struct value *value)
{
	const char *name = value->word.text;
	const struct macro *macro = macros_find(p->macros, name);

	value->word.text = NULL;
	if (macro != NULL) {
		value->word.text = macro->value;
		value->word.quoted = macro->quoted;
		value->file = macro->file;
	} else
		value->undefined = name;
}

enum token_kind
parser_next(struct parser *p, struct value *value)
{
	do
		lex_next(&p->lexer, &p->token);
	while (p->skipping && !may_go_on(p));
	p->skipping = false;
	memset(value, 0, sizeof(*value));
	value->word.text = p->token.text;
	value->word.line = p->token.line;
	value->word.quoted = p->token.kind == TOKEN_STRING;
	value->file = current_file(p);
	if (p->token.kind == TOKEN_MACRO)
		resolve_macro(p, value);
	return p->token.kind;
}

/* A word without a value: what was wrong with that is said once. */
static void
check_value(struct parser *p, const struct value *value)
{
	if (value->undefined != NULL && !p->macros_full)
		complain_at(p, value->word.line,
		    "macro \"%.64s\" is not defined", value->undefined);
}

void
parser_begin_line(struct parser *p, const struct value *value)
{
	p->nwords = 0;
	p->has_list = false;
	p->broken = false;
	parser_add_word(p, value);
}

void
parser_begin_list(struct parser *p)
{
	p->has_list = true;
}

void
parser_add_word(struct parser *p, const struct value *value)
{
	check_value(p, value);
	if (value->word.text == NULL)
		p->broken = true;
	if (p->broken)
		return;
	if (p->nwords == DIRECTIVE_WORDS_MAX) {
		complain_at(p, value->word.line, "more than %d words",
		    DIRECTIVE_WORDS_MAX);
		p->broken = true;
		return;
	}
	p->words[p->nwords] = value->word;
	p->words[p->nwords++].in_list = p->has_list;
	p->last_file = value->file;
}

void
parser_begin_block(struct parser *p, const struct value *value)
{
	const char *name = value->word.text, *near;
	const char *const *blocks = p->ops->blocks;
	size_t i;

	p->block = name;
	for (i = 0; blocks[i] != NULL; i++)
		if (strcmp(name, blocks[i]) == 0)
			break;
	if (blocks[i] == NULL) {
		near = nearest(name, blocks);
		if (near == NULL)
			complain_at(p, value->word.line,
			    "unknown block \"%.64s\"", name);
		else
			complain_at(p, value->word.line,
			    "unknown block \"%.64s\"; did you mean \"%s\"?",
			    name, near);
		p->quiet = true;
	} else if (p->blocks[i].file != NULL)
		complain_at(p, value->word.line,
		    "%s: given twice, first in %s:%u", name, p->blocks[i].file,
		    p->blocks[i].line);
	else
		p->blocks[i] = origin_of(p, value->word.line);
}

void
parser_end_block(struct parser *p)
{
	p->block = NULL;
	p->quiet = false;
}

void
parser_define(
    struct parser *p, const struct value *name, const struct value *value)
{
	const struct word *word = &name->word;

	if (value != NULL)
		check_value(p, value);
	if (!macros_is_name(word->text))
		complain_at(p, word->line,
		    "\"%.64s\": the name of a macro has letters, digits and '_'",
		    word->text);
	else if (!macros_set(p->macros, word->text,
		     value == NULL ? NULL : value->word.text,
		     value != NULL && value->word.quoted,
		     value == NULL ? NULL : value->file) &&
		 !p->macros_full) {
		complain_at(p, word->line, "more than %d macros", MACROS_MAX);
		p->macros_full = true;
	}
}

/* The path that a file means: relative to its own folder.  Malloc'd. */
static char *
resolve_path(const char *includer, const char *path)
{
	const char *slash = strrchr(includer, '/');
	char *resolved;
	int dir = 0;

	if (path[0] != '/' && slash != NULL)
		dir = (int)(slash + 1 - includer);
	if (asprintf(&resolved, "%.*s%s", dir, includer, path) == -1)
		fatal("asprintf");
	return resolved;
}

static bool
is_being_read(const struct parser *p, const struct config_file *file)
{
	size_t i;

	for (i = 0; i < p->depth; i++)
		if (p->stack[i]->dev == file->dev &&
		    p->stack[i]->ino == file->ino)
			return true;
	return false;
}

static void
run_grammar(struct parser *p, const struct config_file *file)
{
	char *words = malloc(file->size + 1);

	if (words == NULL)
		fatal("malloc");
	lex_start(&p->lexer, file->text, file->size, words);
	if (grammar_parse(p) > 1)
		fatalx("out of memory in the grammar");
	parser_end_block(p); /* the file may have ended inside */
	freezero(words, file->size + 1);
}

/* The file that was read last; what is under way goes on afterwards. */
static void
parse_text(struct parser *p)
{
	struct config_file *file = &p->files[p->nfiles++];
	struct lexer lexer = p->lexer;
	const char *control;
	unsigned line;

	p->stack[p->depth++] = file;
	if (p->ops->opened != NULL)
		p->ops->opened(p->arg, file->path);
	control = lex_find_control(file->text, file->size, &line);
	if (control != NULL)
		complain_at(p, line, "byte 0x%02x has no place in a text",
		    (unsigned char)*control);
	else
		run_grammar(p, file);
	p->depth--;
	config_file_drop_text(file);
	p->lexer = lexer;
}

static void
include(struct parser *p, const struct word *path)
{
	char why[CONFIG_FILE_WHY_MAX], *resolved;
	struct config_file *file;

	if (p->depth > PARSE_DEPTH_MAX) {
		complain_at(p, path->line, "include: nested more than %d deep",
		    PARSE_DEPTH_MAX);
		return;
	}
	if (p->nfiles >= PARSE_FILES_MAX) {
		if (p->nfiles++ == PARSE_FILES_MAX) /* said once */
			complain_at(p, path->line,
			    "include: more than %d files", PARSE_FILES_MAX);
		return;
	}
	file = &p->files[p->nfiles];
	resolved = resolve_path(current_file(p)->path, path->text);
	if (config_file_read(file, resolved, why) == -1)
		complain_at(
		    p, path->line, "include \"%.256s\": %s", path->text, why);
	else if (is_being_read(p, file)) {
		complain_at(p, path->line, "%s: includes itself", file->path);
		config_file_free(file);
	} else
		parse_text(p);
	free(resolved);
}

static void
hand_over(struct parser *p)
{
	struct directive directive = {
		.block = p->block != NULL ? p->block : "",
		.words = p->words,
		.nwords = p->nwords,
		.has_list = p->has_list,
		.origin = origin_of(p, p->words[0].line),
	};

	if (p->last_file != NULL && config_file_is_exposed(p->last_file)) {
		directive.exposed = true;
		directive.exposed_file = p->last_file->path;
		directive.mode = p->last_file->mode;
	}
	p->ops->found(p->arg, &directive, p->complaints);
}

void
parser_end_line(struct parser *p)
{
	unsigned line = p->words[0].line;

	if (p->broken || p->quiet)
		return;
	if (strcmp(p->words[0].text, "include") != 0)
		hand_over(p);
	else if (p->block != NULL)
		complain_at(p, line, "include: belongs at the top level");
	else if (p->nwords == 1)
		complain_at(p, line, "include: a value is missing");
	else if (p->nwords > 2)
		complain_at(p, line, "include: more than one value");
	else
		include(p, &p->words[1]);
}

static struct parser *
parser_new(const struct macros *macros, const struct directive_ops *ops,
    void *arg, struct complaints *complaints)
{
	struct parser *p = calloc(1, sizeof(*p));
	size_t n = 0;

	while (ops->blocks[n] != NULL)
		n++;
	if (p == NULL ||
	    (p->files = calloc(PARSE_FILES_MAX, sizeof(*p->files))) == NULL ||
	    (p->blocks = calloc(n + 1, sizeof(*p->blocks))) == NULL)
		fatal("calloc");
	p->ops = ops;
	p->arg = arg;
	p->complaints = complaints;
	p->macros = macros_copy(macros);
	return p;
}

static void
parser_free(struct parser *p)
{
	size_t i;

	for (i = 0; i < PARSE_FILES_MAX; i++)
		config_file_free(&p->files[i]);
	free(p->files);
	free(p->blocks);
	macros_free(p->macros);
	free(p);
}

/* A link to nowhere is something that somebody meant to be there. */
static bool
is_absent(const char *path)
{
	struct stat st;

	return lstat(path, &st) == -1 && errno == ENOENT;
}

bool
parse_file(const char *path, bool required, const struct macros *macros,
    const struct directive_ops *ops, void *arg, struct complaints *complaints)
{
	struct parser *p = parser_new(macros, ops, arg, complaints);
	struct origin origin = { ORIGIN_FILE, path, 0 };
	char why[CONFIG_FILE_WHY_MAX];
	bool exists = true;

	if (config_file_read(p->files, path, why) == 0)
		parse_text(p);
	else if (errno == ENOENT && !required && is_absent(path))
		exists = false;
	else
		complain(complaints, &origin, "%s", why);
	parser_free(p);
	return exists;
}
