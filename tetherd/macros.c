#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/lex.h"
#include "tetherd/macros.h"

struct macros {
	struct macro list[MACROS_MAX];
	size_t count;
};

struct macros *
macros_new(void)
{
	struct macros *m = calloc(1, sizeof(*m));

	if (m == NULL)
		fatal("calloc");
	return m;
}

static void
free_value(struct macro *macro)
{
	if (macro->value != NULL)
		freezero(macro->value, strlen(macro->value));
	macro->value = NULL;
}

void
macros_free(struct macros *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->count; i++) {
		free(m->list[i].name);
		free_value(&m->list[i]);
	}
	free(m);
}

static char *
copy(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		fatal("strdup");
	return p;
}

/* Its place, or where there is none. */
static size_t
find(const struct macros *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		if (strcmp(m->list[i].name, name) == 0)
			break;
	return i;
}

const struct macro *
macros_find(const struct macros *m, const char *name)
{
	size_t i = find(m, name);

	return i < m->count ? &m->list[i] : NULL;
}

/* The macro of that name, new or not; NULL if there are too many. */
static struct macro *
get(struct macros *m, const char *name)
{
	size_t i = find(m, name);

	if (i == MACROS_MAX)
		return NULL;
	if (i == m->count) {
		m->list[i].name = copy(name);
		m->count++;
	}
	return &m->list[i];
}

bool
macros_set(struct macros *m, const char *name, const char *value, bool quoted,
    const struct config_file *file)
{
	struct macro *macro = get(m, name);

	if (macro == NULL)
		return false;
	if (macro->fixed)
		return true;
	free_value(macro);
	macro->value = value == NULL ? NULL : copy(value);
	macro->quoted = quoted;
	macro->file = file;
	return true;
}

bool
macros_is_name(const char *s)
{
	const char *p;

	for (p = s; isalnum((unsigned char)*p) || *p == '_'; p++)
		continue;
	return p > s && *p == '\0';
}

/* Whether a file could say it without quotes. */
static bool
is_bare(const char *value)
{
	char words[LEX_WORD_MAX + 1];
	struct lexer lexer;
	struct token token;

	lex_start(&lexer, value, strlen(value), words);
	lex_next(&lexer, &token);
	return token.kind == TOKEN_WORD && strcmp(token.text, value) == 0;
}

const char *
macros_define(struct macros *m, const char *definition)
{
	const char *why = NULL, *value = strchr(definition, '=');
	struct macro *macro;
	unsigned line;
	char *name;

	if (value == NULL)
		return "not of the form name=value";
	name = strndup(definition, (size_t)(value - definition));
	if (name == NULL)
		fatal("strndup");
	value++;
	if (!macros_is_name(name))
		why = "the name of a macro has letters, digits and '_'";
	else if (strlen(value) > LEX_WORD_MAX)
		why = "the value is longer than 4096 bytes";
	else if (strchr(value, '\n') != NULL ||
		 lex_find_control(value, strlen(value), &line) != NULL)
		why = "the value has control characters";
	else if ((macro = get(m, name)) == NULL)
		why = "more than 256 macros";
	else {
		free_value(macro);
		macro->value = copy(value);
		macro->quoted = !is_bare(value);
		macro->fixed = true;
	}
	free(name);
	return why;
}

struct macros *
macros_copy(const struct macros *from)
{
	struct macros *m = macros_new();
	size_t i;

	for (i = 0; from != NULL && i < from->count; i++) {
		m->list[i] = from->list[i];
		m->list[i].name = copy(from->list[i].name);
		m->list[i].value = copy(from->list[i].value);
		m->count++;
	}
	return m;
}
