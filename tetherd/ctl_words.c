#include <stdbool.h>
#include <string.h>

#include "common/log.h"
#include "tetherd/control_protocol.h"
#include "tetherd/ctl_words.h"

/* The most bytes of a wrong word that are repeated. */
#define WORD_SHOWN 64

/*
 * What may stand at a place; the last one has no word.  A place for a name has
 * what it is for as its word, in brackets, and no other.
 */
struct token {
	const char *word;
	enum msg_type type; /* MSG_NONE: the command does not end here */
	uint32_t value;	    /* of the word for its command */
	const struct token *next;
	bool is_name;
};

#define END                                    \
	{                                      \
		NULL, MSG_NONE, 0, NULL, false \
	}

static const struct token nothing[] = { END };

static const struct token views[] = {
	{ "status", MSG_CTL_SHOW, CONTROL_STATUS, nothing, false },
	{ "processes", MSG_CTL_SHOW, CONTROL_PROCESSES, nothing, false },
	{ "limits", MSG_CTL_SHOW, CONTROL_LIMITS, nothing, false },
	{ "config", MSG_CTL_SHOW, CONTROL_CONFIG, nothing, false },
	END,
};

static const struct token programs[] = {
	{ "all", MSG_CTL_LOG, CONTROL_ALL, nothing, false },
	{ "tetherd", MSG_CTL_LOG, PROGRAM_PARENT, nothing, false },
	{ "connector", MSG_CTL_LOG, PROGRAM_CONNECTOR, nothing, false },
	{ "proxyd", MSG_CTL_LOG, PROGRAM_PROXYD, nothing, false },
	{ "authd", MSG_CTL_LOG, PROGRAM_AUTHD, nothing, false },
	END,
};

static const struct token levels[] = {
	{ "brief", MSG_CTL_LOG, CONTROL_BRIEF, programs, false },
	{ "verbose", MSG_CTL_LOG, CONTROL_VERBOSE, programs, false },
	{ "trace", MSG_CTL_LOG, CONTROL_TRACE, programs, false },
	END,
};

static const struct token roles[] = {
	{ "full", MSG_CTL_ADMIN, ADMIN_USER_ROLE, nothing, false },
	{ "read-only", MSG_CTL_ADMIN, ADMIN_USER_ROLE, nothing, false },
	{ "default", MSG_CTL_ADMIN, ADMIN_USER_ROLE, nothing, false },
	END,
};

#define LOGIN "<login or GitHub id>"

static const struct token whom_to_disable[] = {
	{ LOGIN, MSG_CTL_ADMIN, ADMIN_USER_DISABLE, nothing, true },
	END,
};

static const struct token whom_to_enable[] = {
	{ LOGIN, MSG_CTL_ADMIN, ADMIN_USER_ENABLE, nothing, true },
	END,
};

static const struct token whose_role[] = {
	{ LOGIN, MSG_NONE, 0, roles, true },
	END,
};

static const struct token users[] = {
	{ "disable", MSG_NONE, 0, whom_to_disable, false },
	{ "enable", MSG_NONE, 0, whom_to_enable, false },
	{ "role", MSG_NONE, 0, whose_role, false },
	END,
};

static const struct token hosts[] = {
	{ "<host or host:port>", MSG_CTL_ADMIN, ADMIN_TOKEN_FORGET, nothing,
	    true },
	END,
};

static const struct token tokens[] = {
	{ "forget", MSG_NONE, 0, hosts, false },
	END,
};

static const struct token commands[] = {
	{ "show", MSG_NONE, 0, views, false },
	{ "stats", MSG_CTL_SHOW, CONTROL_STATS, nothing, false },
	{ "reload", MSG_CTL_RELOAD, 0, nothing, false },
	{ "reconnect", MSG_CTL_RECONNECT, 0, nothing, false },
	{ "disconnect", MSG_CTL_DISCONNECT, 0, nothing, false },
	{ "log", MSG_NONE, 0, levels, false },
	{ "users", MSG_CTL_ADMIN, ADMIN_USERS, users, false },
	{ "tokens", MSG_CTL_ADMIN, ADMIN_TOKENS, tokens, false },
	END,
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
	if (at->is_name)
		return len < ADMIN_WHOM_SIZE ? at : NULL;
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
take_admin(
    struct ctl_command *c, const struct token *table, const struct token *t)
{
	c->admin.op = t->value;
	if (table == roles)
		(void)strlcpy(c->admin.value, t->word, sizeof(c->admin.value));
}

static void
take(struct ctl_command *c, const struct token *table, const struct token *t,
    const char *word)
{
	c->type = t->type;
	if (t->is_name)
		(void)strlcpy(c->admin.whom, word, sizeof(c->admin.whom));
	if (table == programs)
		c->program = t->value;
	else if (t->type == MSG_CTL_SHOW)
		c->view = t->value;
	else if (t->type == MSG_CTL_LOG)
		c->level = t->value;
	else if (t->type == MSG_CTL_ADMIN)
		take_admin(c, table, t);
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
		take(c, table, t, words[i]);
		table = t->next;
	}
	if (c->type == MSG_NONE)
		return complain(out, "missing word", NULL, table, false);
	return 0;
}
