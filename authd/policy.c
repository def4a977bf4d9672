#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "authd/policy.h"
#include "common/slice.h"

#define BLANKS " \t"

/* What GitHub logins, orgs and the slugs of teams consist of. */
#define NAME_CHARACTERS                                        \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789_-"

/* The lists of rules, in the order in which they count. */
static const struct {
	enum policy_kind kind;
	enum session_role role;
} order[] = {
	{ POLICY_USER, SESSION_ROLE_FULL },
	{ POLICY_USER, SESSION_ROLE_READ_ONLY },
	{ POLICY_TEAM, SESSION_ROLE_FULL },
	{ POLICY_TEAM, SESSION_ROLE_READ_ONLY },
	{ POLICY_ORG, SESSION_ROLE_FULL },
	{ POLICY_ORG, SESSION_ROLE_READ_ONLY },
};

#define LISTS (sizeof(order) / sizeof(order[0]))

static const char *
policy_list(const struct authd_conf *conf, size_t i)
{
	switch (order[i].kind) {
	case POLICY_USER:
		return conf->users[order[i].role];
	case POLICY_TEAM:
		return conf->teams[order[i].role];
	case POLICY_ORG:
		return conf->orgs[order[i].role];
	}
	return "";
}

/* Copy a name, if it is one that may get into a query or a URL. */
static bool
policy_copy_name(char *dst, size_t max, const char *name, size_t len)
{
	if (len == 0 || len > max || strspn(name, NAME_CHARACTERS) < len)
		return false;
	memcpy(dst, name, len);
	dst[len] = '\0';
	return true;
}

/* Whether a word of a list makes a rule of the kind. */
static bool
policy_read_word(struct policy_rule *rule, const char *word, size_t len)
{
	const char *slash;

	rule->login[0] = rule->org[0] = rule->team[0] = '\0';
	switch (rule->kind) {
	case POLICY_USER:
		return policy_copy_name(
		    rule->login, POLICY_LOGIN_MAX, word, len);
	case POLICY_ORG:
		return policy_copy_name(rule->org, POLICY_ORG_MAX, word, len);
	case POLICY_TEAM:
		slash = memchr(word, '/', len);
		return slash != NULL &&
		       policy_copy_name(rule->org, POLICY_ORG_MAX, word,
			   (size_t)(slash - word)) &&
		       policy_copy_name(rule->team, POLICY_TEAM_MAX, slash + 1,
			   len - (size_t)(slash + 1 - word));
	}
	return false;
}

/* A word that is no rule names nobody; the settings check them, too. */
static bool
policy_next_in_list(struct policy_rule *rule, const char *list)
{
	const char *word;
	size_t len;

	for (;;) {
		word = list + rule->next;
		word += strspn(word, BLANKS);
		len = strcspn(word, BLANKS);
		rule->next = (size_t)(word - list) + len;
		if (len == 0)
			return false;
		if (policy_read_word(rule, word, len))
			return true;
	}
}

static void
policy_begin_list(struct policy_rule *rule, size_t i)
{
	rule->kind = order[i].kind;
	rule->role = order[i].role;
	rule->next = 0;
}

bool
policy_next(const struct authd_conf *conf, struct policy_rule *rule)
{
	size_t i = 0;

	if (!rule->started)
		policy_begin_list(rule, 0);
	rule->started = true;
	while (order[i].kind != rule->kind || order[i].role != rule->role)
		i++;
	while (!policy_next_in_list(rule, policy_list(conf, i))) {
		if (++i == LISTS)
			return false;
		policy_begin_list(rule, i);
	}
	return true;
}

bool
policy_has_rules(const struct authd_conf *conf)
{
	size_t i;

	/* Of blanks alone, too: that lets nobody in, rather than all. */
	for (i = 0; i < LISTS; i++)
		if (policy_list(conf, i)[0] != '\0')
			return true;
	return false;
}

bool
policy_asks_github(const struct authd_conf *conf)
{
	struct policy_rule rule = { 0 };

	while (policy_next(conf, &rule))
		if (rule.kind != POLICY_USER)
			return true;
	return false;
}

bool
policy_find_user(
    const struct authd_conf *conf, const char *login, struct policy_rule *rule)
{
	memset(rule, 0, sizeof(*rule));
	while (policy_next(conf, rule) && rule->kind == POLICY_USER)
		if (strcasecmp(rule->login, login) == 0)
			return true;
	return false;
}

void
policy_describe(const struct policy_rule *rule, char *dst, size_t size)
{
	const char *read_only =
	    rule->role == SESSION_ROLE_READ_ONLY ? "read-only " : "";

	switch (rule->kind) {
	case POLICY_USER:
		(void)snprintf(dst, size, "%susers", read_only);
		break;
	case POLICY_TEAM:
		(void)snprintf(dst, size, "%steam %s/%s", read_only, rule->org,
		    rule->team);
		break;
	case POLICY_ORG:
		(void)snprintf(dst, size, "%sorg %s", read_only, rule->org);
		break;
	}
}

bool
policy_login_is_valid(const char *login)
{
	size_t len = strlen(login);

	return len >= 1 && len <= POLICY_LOGIN_MAX &&
	       strspn(login, NAME_CHARACTERS) == len;
}

bool
policy_id_is_valid(uint64_t github_id)
{
	return github_id >= 1 && github_id <= INT64_MAX;
}
