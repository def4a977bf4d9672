#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tetherd/setting.h"

/* Lists of the same kind: for each role, and the words of their settings. */
struct rules {
	char **lists; /* by role */
	const char *words[SESSION_ROLE_COUNT];
	char *const *claim; /* what tetherd.conf says, "" if nothing */
	char **claimed;	    /* what it means, for the connector */
};

#define KINDS 3

static void
find_rules(struct draft *d, struct rules rules[KINDS])
{
	struct authd_conf *a = &d->conf.authd;
	struct connector_conf *c = &d->conf.connector;

	rules[0] = (struct rules){ a->users, { "users", "read-only users" },
		&d->claim_users, &c->claim_users };
	rules[1] = (struct rules){ a->teams, { "team", "read-only team" },
		&d->claim_teams, &c->claim_teams };
	rules[2] = (struct rules){ a->orgs, { "org", "read-only org" },
		&d->claim_orgs, &c->claim_orgs };
}

/* Without a word of their own, those may claim who will be let in. */
static void
finish_claims(const struct rules *rules)
{
	bool said = false;
	char *text;
	size_t i;

	for (i = 0; i < KINDS; i++)
		said = said || (*rules[i].claim)[0] != '\0';
	for (i = 0; i < KINDS; i++) {
		const char *full = rules[i].lists[SESSION_ROLE_FULL];
		const char *more = rules[i].lists[SESSION_ROLE_READ_ONLY];

		if (said)
			text = strdup(*rules[i].claim);
		else if (asprintf(&text, "%s%s%s", full,
			     full[0] == '\0' || more[0] == '\0' ? "" : " ",
			     more) == -1)
			text = NULL;
		setting_put(rules[i].claimed, text);
	}
}

/* An item of a list that is separated by spaces; *list goes on behind it. */
static bool
next_item(const char **list, const char **item, size_t *len)
{
	*list += strspn(*list, " ");
	*item = *list;
	*len = strcspn(*list, " ");
	*list += *len;
	return *len > 0;
}

static bool
contains(const char *list, const char *item, size_t len)
{
	const char *at;
	size_t n;

	while (next_item(&list, &at, &n))
		if (n == len && strncasecmp(at, item, len) == 0)
			return true;
	return false;
}

static void
say_both(struct settings *settings, const struct rules *rules,
    struct complaints *complaints)
{
	const char *list = rules->lists[SESSION_ROLE_READ_ONLY], *item;
	struct reading r;
	size_t len;

	setting_reread(&r, settings,
	    setting_find("policy", rules->words[SESSION_ROLE_READ_ONLY]),
	    complaints);
	while (next_item(&list, &item, &len))
		if (contains(rules->lists[SESSION_ROLE_FULL], item, len))
			complain_mildly(complaints, &r.origin,
			    "%.*s is in %s and %s: full counts", (int)len, item,
			    rules->words[SESSION_ROLE_FULL],
			    rules->words[SESSION_ROLE_READ_ONLY]);
}

/* Where the first rule is from that takes more than a login to check. */
static bool
find_membership(struct settings *settings, const struct rules *rules,
    struct complaints *complaints, struct reading *r)
{
	size_t i;
	int role;

	for (i = 1; i < KINDS; i++)
		for (role = 0; role < SESSION_ROLE_COUNT; role++)
			if (rules[i].lists[role][0] != '\0') {
				setting_reread(r, settings,
				    setting_find(
					"policy", rules[i].words[role]),
				    complaints);
				return true;
			}
	return false;
}

static void
say_no_token(struct settings *settings, const struct rules *rules,
    struct complaints *complaints)
{
	const struct conf *conf = &settings->draft.conf;
	struct reading r;

	if (conf->connector.enabled && conf->authd.github_token[0] == '\0' &&
	    conf->files[CONF_FILE_GITHUB_TOKEN].path == NULL &&
	    find_membership(settings, rules, complaints, &r))
		complain_mildly(complaints, &r.origin,
		    "team and org rules need a github token (github token, "
		    "GITHUB_TOKEN): people that only the orchestrator names "
		    "will be refused");
}

void
settings_finish_rules(struct settings *settings, struct complaints *complaints)
{
	struct rules rules[KINDS];
	size_t i, total = 0;
	int role;

	find_rules(&settings->draft, rules);
	for (i = 0; i < KINDS; i++)
		for (role = 0; role < SESSION_ROLE_COUNT; role++)
			total += strlen(rules[i].lists[role]);
	settings->draft.conf.proxyd.rules = total > 0;
	if (total > SETTING_RULES_MAX) {
		complain(complaints, &(struct origin){ .file = NULL },
		    "policy: users, teams and orgs: longer than %d bytes in "
		    "all",
		    SETTING_RULES_MAX);
		return;
	}
	finish_claims(rules);
	if (complaints_count(complaints) > 0)
		return;
	for (i = 0; i < KINDS; i++)
		say_both(settings, &rules[i], complaints);
	say_no_token(settings, rules, complaints);
}
