#include <stdbool.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/control_protocol.h"
#include "tetherd/ctl_words.h"

/* The most bytes of a wrong word that are repeated. */
#define WORD_SHOWN 64

/* What may stand at a place; the last one has no word. */
struct token {
	const char *word;
	enum msg_type type; /* MSG_NONE: the command does not end here */
	uint32_t value;	    /* of the word for its command */
	const struct token *next;
};

static const struct token nothing[] = { { NULL, MSG_NONE, 0, NULL } };

static const struct token views[] = {
	{ "status", MSG_CTL_SHOW, CONTROL_STATUS, nothing },
	{ "processes", MSG_CTL_SHOW, CONTROL_PROCESSES, nothing },
	{ "limits", MSG_CTL_SHOW, CONTROL_LIMITS, nothing },
	{ "config", MSG_CTL_SHOW, CONTROL_CONFIG, nothing },
	{ NULL, MSG_NONE, 0, NULL },
};

static const struct token programs[] = {
	{ "all", MSG_CTL_LOG, CONTROL_ALL, nothing },
	{ "tetherd", MSG_CTL_LOG, PROGRAM_PARENT, nothing },
	{ "connector", MSG_CTL_LOG, PROGRAM_CONNECTOR, nothing },
	{ "proxyd", MSG_CTL_LOG, PROGRAM_PROXYD, nothing },
	{ "authd", MSG_CTL_LOG, PROGRAM_AUTHD, nothing },
	{ NULL, MSG_NONE, 0, NULL },
};

static const struct token levels[] = {
	{ "brief", MSG_CTL_LOG, CONTROL_BRIEF, programs },
	{ "verbose", MSG_CTL_LOG, CONTROL_VERBOSE, programs },
	{ "trace", MSG_CTL_LOG, CONTROL_TRACE, programs },
	{ NULL, MSG_NONE, 0, NULL },
};

static const struct token commands[] = {
	{ "show", MSG_NONE, 0, views },
	{ "stats", MSG_CTL_SHOW, CONTROL_STATS, nothing },
	{ "reload", MSG_CTL_RELOAD, 0, nothing },
	{ "reconnect", MSG_CTL_RECONNECT, 0, nothing },
	{ "disconnect", MSG_CTL_DISCONNECT, 0, nothing },
	{ "log", MSG_NONE, 0, levels },
	{ NULL, MSG_NONE, 0, NULL },
};

/* The one that the word means, NULL for none; how many it might mean. */
static const struct token *
find(const struct token *at, const char *word, int *matches)
{
	const struct token *found = NULL;
	size_t len = strlen(word);

	*matches = 0;
	if (len == 0)
		return NULL;
	for (; at->word != NULL; at++) {
		if (strncmp(at->word, word, len) != 0)
			continue;
		found = at;
		(*matches)++;
	}
	return *matches == 1 ? found : NULL;
}

static int
complain(FILE *out, const char *what, const char *word,
    const struct token *valid, bool may_end)
{
	char safe[WORD_SHOWN];

	fprintf(out, "%s%s%s\n", what, word == NULL ? "" : ": ",
	    word == NULL ? "" : log_safe(safe, sizeof(safe), word));
	fprintf(out, "valid commands/args:\n");
	for (; valid->word != NULL; valid++)
		fprintf(out, "  %s\n", valid->word);
	if (may_end)
		fprintf(out, "  <cr>\n");
	return -1;
}

static void
take(struct ctl_command *c, const struct token *table, const struct token *t)
{
	c->type = t->type;
	if (table == programs)
		c->program = t->value;
	else if (t->type == MSG_CTL_SHOW)
		c->view = t->value;
	else if (t->type == MSG_CTL_LOG)
		c->level = t->value;
}

int
ctl_words_parse(
    int nwords, const char *const *words, struct ctl_command *c, FILE *out)
{
	const struct token *table = commands, *t;
	int i, matches;

	*c = (struct ctl_command){ .type = MSG_NONE, .program = CONTROL_ALL };
	for (i = 0; i < nwords; i++) {
		bool may_end = c->type != MSG_NONE;

		t = find(table, words[i], &matches);
		if (t == NULL)
			return complain(out,
			    matches > 1 ? "ambiguous word" : "unknown word",
			    words[i], table, may_end);
		take(c, table, t);
		table = t->next;
	}
	if (c->type == MSG_NONE)
		return complain(out, "missing word", NULL, table, false);
	return 0;
}
