#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/nearest.h"
#include "tetherd/parse.h"
#include "tetherd/proxy.h"
#include "tetherd/setting.h"

/* Words that are told apart by what may follow them. */
#define WORDS_MAX    4
#define NEXT_MAX     64
#define WORD_LEN_MAX 32

/* The nth word, from 0 on, of a setting; false if it has less. */
static bool
nth_word(const struct setting *s, size_t n, char word[WORD_LEN_MAX])
{
	const char *w = s->words;

	for (; n > 0; n--) {
		w += strcspn(w, " ");
		if (*w == '\0')
			return false;
		w++;
	}
	(void)snprintf(word, WORD_LEN_MAX, "%.*s", (int)strcspn(w, " "), w);
	return true;
}

static const char *
bare_word(const struct directive *d, size_t n)
{
	if (n >= d->nwords || d->words[n].quoted || d->words[n].in_list)
		return NULL;
	return d->words[n].text;
}

/* How many of the words of a setting the line begins with. */
static size_t
count_words(const struct setting *s, const struct directive *d, bool *complete)
{
	char word[WORD_LEN_MAX];
	const char *given;
	size_t n;

	*complete = false;
	if (strcmp(s->block, d->block) != 0)
		return 0;
	for (n = 0; nth_word(s, n, word); n++) {
		given = bare_word(d, n);
		if (given == NULL || strcmp(given, word) != 0)
			return n;
	}
	*complete = true;
	return n;
}

/*
 * The setting with the most words that the line begins with; NULL if those are
 * not all words of any.
 */
static const struct setting *
find(const struct directive *d, size_t *nwords)
{
	const struct setting *s, *found = NULL;
	bool complete;
	size_t n;

	*nwords = 0;
	for (s = settings_table; s < settings_table + settings_table_len; s++) {
		n = count_words(s, d, &complete);
		if (n > *nwords || (n == *nwords && complete)) {
			*nwords = n;
			found = complete ? s : NULL;
		}
	}
	return found;
}

/* Settings that begin with the first n words of the line, and go on. */
struct rest {
	char words[NEXT_MAX][WORD_LEN_MAX];
	const char *list[NEXT_MAX + 1];
	size_t n;
	const struct setting *first;
};

static void
find_rest(const struct directive *d, size_t n, struct rest *rest)
{
	const struct setting *s;
	bool complete;

	memset(rest, 0, sizeof(*rest));
	for (s = settings_table; s < settings_table + settings_table_len; s++)
		if (strcmp(s->block, d->block) == 0 &&
		    count_words(s, d, &complete) == n && rest->n < NEXT_MAX &&
		    nth_word(s, n, rest->words[rest->n])) {
			rest->list[rest->n] = rest->words[rest->n];
			rest->n++;
			if (rest->first == NULL)
				rest->first = s;
		}
}

static void
say_unknown(const struct directive *d, const char *word, const char *near,
    struct complaints *complaints)
{
	bool top = d->block[0] == '\0', hint = near != NULL;

	complain(complaints, &d->origin, "unknown word \"%.64s\"%s%s%s%s%s",
	    word, top ? "" : " in ", d->block, hint ? "; did you mean \"" : "",
	    hint ? near : "", hint ? "\"?" : "");
}

/*
 * A word behind those of a setting that looks like one of a longer setting:
 * "jwt secret defualt" is not meant to be a secret.
 */
static bool
is_slip(const struct directive *d, size_t n, struct complaints *complaints)
{
	const char *word = bare_word(d, n), *near;
	struct rest rest;

	if (word == NULL)
		return false;
	find_rest(d, n, &rest);
	near = nearest(word, rest.list);
	if (near != NULL)
		say_unknown(d, word, near, complaints);
	return near != NULL;
}

/* The setting of whatever block that has the words of the line; or NULL. */
static const struct setting *
find_elsewhere(const struct directive *d)
{
	const struct setting *s, *found = NULL;
	struct directive moved = *d;
	size_t n, most = 0;
	bool complete;

	for (s = settings_table; s < settings_table + settings_table_len; s++) {
		moved.block = s->block;
		n = count_words(s, &moved, &complete);
		if (complete && n > most) {
			most = n;
			found = s;
		}
	}
	return found;
}

static bool
is_misplaced(const struct directive *d, struct complaints *complaints)
{
	const struct setting *s = find_elsewhere(d);
	bool top = d->block[0] == '\0';

	if (s != NULL)
		complain(complaints, &d->origin,
		    "unknown word \"%s\"%s%s; \"%s\" belongs %s%s",
		    d->words[0].text, top ? "" : " in ", d->block, s->words,
		    s->block[0] == '\0' ? "at the top level" : "in ", s->block);
	return s != NULL;
}

/* Of the words that the line begins with, the first n are known. */
static void
explain_unknown(
    const struct directive *d, size_t n, struct complaints *complaints)
{
	char known[WORDS_MAX * WORD_LEN_MAX] = "";
	struct rest rest;
	size_t i;

	if ((n == 0 && is_misplaced(d, complaints)) ||
	    is_slip(d, n, complaints))
		return;
	find_rest(d, n, &rest);
	for (i = 0; i < n; i++) {
		(void)strlcat(known, i > 0 ? " " : "", sizeof(known));
		(void)strlcat(known, d->words[i].text, sizeof(known));
	}
	if (n == 0)
		say_unknown(d, d->words[0].text, NULL, complaints);
	else
		say_unknown(d, known, rest.first->words, complaints);
}

/* True when the line has as many values as its setting takes. */
static bool
count_is_right(const struct reading *r, const struct word *w, size_t n)
{
	size_t i, listed = 0;

	for (i = 0; i < n; i++)
		listed += w[i].in_list;
	if (r->setting->type->is_flag) {
		if (n > 0)
			setting_wrong(r, "takes no value");
		return n == 0;
	}
	if (n == 0)
		setting_wrong(r, "a value is missing");
	else if (n > 1 && !r->setting->type->is_list)
		setting_wrong(r, "more than one value");
	else if (n > 1 && listed < n)
		setting_wrong(r, "more than one value, but no braces");
	else
		return true;
	return false;
}

static bool
is_given_twice(const struct reading *r)
{
	const struct provenance *from = settings_from(r->settings, r->setting);

	if (from->kind != ORIGIN_FILE || r->setting->type->is_list)
		return false;
	setting_wrong(r, "given twice, first in %s:%u", from->file, from->line);
	return true;
}

/* Once for each file; who has several to tell of repeats one at times. */
static void
check_exposure(const struct reading *r, const struct directive *d)
{
	struct origin origin = { .kind = ORIGIN_FILE, .file = d->exposed_file };
	char **told = &r->settings->exposed;

	if (!d->exposed ||
	    (*told != NULL && strcmp(*told, d->exposed_file) == 0))
		return;
	free(*told);
	*told = strdup(d->exposed_file);
	if (*told == NULL)
		fatal("settings");
	complain(r->complaints, &origin,
	    "readable by others (mode %04o), but holds a secret", d->mode);
}

static void
take(struct reading *r, const struct directive *d, size_t nwords)
{
	const struct word *words = d->words + nwords;
	size_t i, n = d->nwords - nwords;

	if (!count_is_right(r, words, n) || is_given_twice(r))
		return;
	if (n > 0 && setting_is_secret(r->setting, words[0].text))
		check_exposure(r, d);
	setting_claim(r);
	if (r->setting->type->is_flag)
		setting_give(r, "");
	for (i = 0; i < n; i++) {
		r->origin.line = words[i].line;
		setting_give(r, words[i].text);
	}
}

void
settings_found(
    void *arg, const struct directive *d, struct complaints *complaints)
{
	size_t n;
	struct reading r = {
		.settings = arg,
		.setting = find(d, &n),
		.origin = d->origin,
		.complaints = complaints,
	};

	if (r.setting == NULL)
		explain_unknown(d, n, complaints);
	else if (!is_slip(d, n, complaints))
		take(&r, d, n);
}

static void
keep_path(void *arg, const char *path)
{
	struct settings *s = arg;

	s->files = reallocarray(s->files, s->nfiles + 1, sizeof(s->files[0]));
	if (s->files == NULL || (s->files[s->nfiles++] = strdup(path)) == NULL)
		fatal("settings");
}

bool
settings_read_file(struct settings *settings, const char *path, bool required,
    const struct macros *macros, struct complaints *complaints)
{
	static const struct directive_ops ops = {
		.blocks = settings_blocks + 1,
		.opened = keep_path,
		.found = settings_found,
	};

	return parse_file(path, required, macros, &ops, settings, complaints);
}
