#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "authd/github.h"
#include "authd/health.h"
#include "authd/membership.h"
#include "authd/membership_answer.h"
#include "common/log.h"
#include "common/monotonic.h"

/* What is being asked. */
enum step {
	STEP_SELF,    /* whose the token is */
	STEP_TEAM,    /* the membership in the team of a rule */
	STEP_ORG,     /* the same of an org, with the instance's token */
	STEP_OWN_ORG, /* with the person's */
	STEP_LIST,    /* a page of the person's orgs, if that gave no answer */
	STEP_ID,      /* of a member: whether it is the one who was named */
	STEP_COUNT
};

struct membership {
	struct membership_question q;
	struct github_request *request;
	enum step step;
	struct policy_rule rule; /* that is being looked at */
	int page;
	bool list_matters; /* without it the rule cannot be checked */
	bool forbidden;	   /* by a rule at least, to see its members */
	bool unchecked;	   /* so was a rule, for another reason */
	struct finding finding;
};

static void membership_next_rule(struct membership *);
static void membership_on_answer(void *, const struct github_answer *);
static void membership_on_self(
    struct membership *, const struct github_answer *);
static void membership_on_membership(
    struct membership *, const struct github_answer *);
static void membership_on_own_org(
    struct membership *, const struct github_answer *);
static void membership_on_list(
    struct membership *, const struct github_answer *);
static void membership_on_id(struct membership *, const struct github_answer *);

static const struct {
	const char *about; /* for the log */
	void (*on_answer)(struct membership *, const struct github_answer *);
} steps[STEP_COUNT] = {
	[STEP_SELF] = { "the user of a token", membership_on_self },
	[STEP_TEAM] = { "a team membership", membership_on_membership },
	[STEP_ORG] = { "an org membership", membership_on_membership },
	[STEP_OWN_ORG] = { "an org membership", membership_on_own_org },
	[STEP_LIST] = { "the orgs of a user", membership_on_list },
	[STEP_ID] = { "a user", membership_on_id },
};

static void
membership_end(struct membership *m, enum finding_kind kind)
{
	m->finding.kind = kind;
	m->q.done(m->q.arg, &m->finding);
}

static void
membership_limited(struct membership *m, uint32_t wait_ms)
{
	m->finding.wait_ms = wait_ms;
	membership_end(m, FINDING_LIMITED);
}

/* Ask for a path, within the time and the limits that there are. */
static void membership_get(struct membership *, enum step, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static void
membership_get(struct membership *m, enum step step, const char *format, ...)
{
	char path[GITHUB_PATH_MAX];
	uint32_t wait_ms = m->q.limited(m->q.arg);
	va_list ap;
	int n;

	if (wait_ms > 0) {
		membership_limited(m, wait_ms);
		return;
	}
	if (monotonic_ms() >= m->q.deadline_ms) {
		if (!m->unchecked)
			health_report(m->q.health, HEALTH_UNREACHABLE,
			    "no time left to ask about %s", steps[step].about);
		membership_end(m, FINDING_UNCHECKED);
		return;
	}
	va_start(ap, format);
	n = vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(path))
		fatalx("a path for GitHub is too long");
	m->step = step;
	m->request = github_get(m->q.github, path, m->q.token, m->q.deadline_ms,
	    membership_on_answer, m);
}

struct membership *
membership_ask(const struct membership_question *question)
{
	struct membership *m = calloc(1, sizeof(*m));

	if (m == NULL)
		fatal("calloc");
	m->q = *question;
	if (m->q.own) {
		membership_get(m, STEP_SELF, "/user");
		return m;
	}
	m->finding.github_id = m->q.github_id;
	(void)strlcpy(m->finding.login, m->q.login, sizeof(m->finding.login));
	membership_next_rule(m);
	return m;
}

void
membership_free(struct membership *m)
{
	if (m == NULL)
		return;
	if (m->request != NULL)
		github_cancel(m->request);
	free(m);
}

static void
membership_match(struct membership *m)
{
	m->finding.role = m->rule.role;
	policy_describe(&m->rule, m->finding.rule, sizeof(m->finding.rule));
	membership_end(m, FINDING_ALLOWED);
}

static void
membership_no_match(struct membership *m)
{
	if (m->unchecked)
		membership_end(m, FINDING_UNCHECKED);
	else if (m->forbidden && m->q.own)
		membership_end(m, FINDING_NOT_SEEN);
	else if (policy_asks_github(m->q.conf))
		membership_end(m, FINDING_NO_MEMBER);
	else
		membership_end(m, FINDING_NOT_NAMED);
}

static void
membership_next_rule(struct membership *m)
{
	const char *login = m->finding.login;
	struct policy_rule *rule = &m->rule;

	while (policy_next(m->q.conf, rule)) {
		switch (rule->kind) {
		case POLICY_USER:
			if (strcasecmp(rule->login, login) != 0)
				continue;
			membership_match(m);
			return;
		case POLICY_TEAM:
			membership_get(m, STEP_TEAM,
			    "/orgs/%s/teams/%s/memberships/%s", rule->org,
			    rule->team, login);
			return;
		case POLICY_ORG:
			if (m->q.own)
				membership_get(m, STEP_OWN_ORG,
				    "/user/memberships/orgs/%s", rule->org);
			else
				membership_get(m, STEP_ORG,
				    "/orgs/%s/memberships/%s", rule->org,
				    login);
			return;
		}
	}
	membership_no_match(m);
}

static void
membership_on_limit(struct membership *m, uint32_t wait_ms)
{
	if (wait_ms < MEMBERSHIP_LIMIT_MIN_MS)
		wait_ms = MEMBERSHIP_LIMIT_MIN_MS;
	if (wait_ms > MEMBERSHIP_LIMIT_MAX_MS)
		wait_ms = MEMBERSHIP_LIMIT_MAX_MS;
	health_report(m->q.health, HEALTH_LIMITED,
	    "no more questions with %s for %u s",
	    m->q.own ? "the token of a user" : "the token of this instance",
	    (wait_ms + 999) / 1000);
	membership_limited(m, wait_ms);
}

static void
membership_on_bad_token(struct membership *m)
{
	if (m->q.own) {
		health_good(m->q.health);
		m->finding.github_id = 0;
		m->finding.login[0] = '\0';
		membership_end(m, FINDING_TOKEN_REFUSED);
		return;
	}
	health_report(m->q.health, HEALTH_TOKEN,
	    "the token of this instance (github token) is refused");
	membership_end(m, FINDING_INSTANCE_TOKEN);
}

static void
membership_on_answer(void *arg, const struct github_answer *answer)
{
	/* What failed reads like an answer that says nothing. */
	static const struct github_answer nothing = { .result = GITHUB_FAILED };
	struct membership *m = arg;

	m->request = NULL;
	switch (answer->result) {
	case GITHUB_LIMITED:
		membership_on_limit(m, answer->wait_ms);
		return;
	case GITHUB_FAILED:
		health_report(m->q.health, HEALTH_UNREACHABLE, "%s",
		    answer->why != NULL ? answer->why : "no answer");
		steps[m->step].on_answer(m, &nothing);
		return;
	case GITHUB_ANSWERED:
		if (answer->status == 401)
			membership_on_bad_token(m);
		else
			steps[m->step].on_answer(m, answer);
		return;
	}
}

/* Tell the operator what an answer was worth. */
static void
membership_log(struct membership *m, const struct github_answer *answer,
    enum answer_word word)
{
	struct health *health = m->q.health;

	if (answer->result == GITHUB_FAILED)
		return;
	switch (word) {
	case ANSWER_YES:
	case ANSWER_NO:
		health_good(health);
		break;
	case ANSWER_FORBIDDEN:
		health_good(health);
		health_report(health, HEALTH_FORBIDDEN,
		    "%s may not see the members of %s (status 403): it may "
		    "lack read:org",
		    m->q.own ? "the token of a user"
			     : "the token of this instance",
		    m->rule.org);
		break;
	case ANSWER_STATUS:
		health_report(health, HEALTH_STATUS, "status %d about %s",
		    answer->status, steps[m->step].about);
		break;
	case ANSWER_WRONG:
		health_report(health, HEALTH_SHAPE, "no proper answer about %s",
		    steps[m->step].about);
		break;
	}
}

/* To a question that no token may be forbidden to ask. */
static enum answer_word
membership_read_person(
    const struct github_answer *answer, struct answer_person *person)
{
	enum answer_word word = answer_read_person(answer, person);

	if (word == ANSWER_FORBIDDEN)
		word = ANSWER_STATUS;
	return word;
}

static void
membership_on_self(struct membership *m, const struct github_answer *answer)
{
	struct answer_person self;
	enum answer_word word = membership_read_person(answer, &self);

	if (word == ANSWER_NO)
		word = ANSWER_STATUS;
	membership_log(m, answer, word);
	if (word != ANSWER_YES) {
		membership_end(m, FINDING_UNCHECKED);
		return;
	}
	m->finding.github_id = self.github_id;
	(void)strlcpy(m->finding.login, self.login, sizeof(m->finding.login));
	membership_next_rule(m);
}

static void
membership_on_other_person(struct membership *m)
{
	health_report(m->q.health, HEALTH_PERSON,
	    "%s is not the login of id %" PRIu64 ", as the orchestrator says",
	    m->finding.login, m->finding.github_id);
	membership_end(m, FINDING_OTHER_PERSON);
}

/* Somebody is a member by the rule: the one whom it is about? */
static void
membership_on_member(struct membership *m, const struct answer_person *member)
{
	if (member->github_id != 0 && member->github_id != m->finding.github_id)
		membership_on_other_person(m);
	else if (m->q.own || member->github_id != 0)
		membership_match(m);
	else
		membership_get(m, STEP_ID, "/users/%s", m->finding.login);
}

/* The rule does not match, or cannot be checked. */
static void
membership_on_no_member(struct membership *m, enum answer_word word)
{
	if (word == ANSWER_FORBIDDEN)
		m->forbidden = true;
	else if (word != ANSWER_NO)
		m->unchecked = true;
	membership_next_rule(m);
}

static enum answer_word
membership_read(struct membership *m, const struct github_answer *answer,
    struct answer_person *member)
{
	enum answer_word word = answer_read_membership(
	    answer, m->rule.org, m->finding.login, member);

	/* Of whom a token speaks must not change. */
	if (m->q.own && member->github_id != 0 &&
	    member->github_id != m->finding.github_id)
		word = ANSWER_WRONG;
	membership_log(m, answer, word);
	return word;
}

static void
membership_on_membership(
    struct membership *m, const struct github_answer *answer)
{
	struct answer_person member;
	enum answer_word word = membership_read(m, answer, &member);

	if (word == ANSWER_YES)
		membership_on_member(m, &member);
	else
		membership_on_no_member(m, word);
}

static void
membership_get_page(struct membership *m)
{
	membership_get(m, STEP_LIST, "/user/orgs?per_page=%d&page=%d",
	    ANSWER_PAGE_MAX, m->page);
}

static void
membership_on_own_org(struct membership *m, const struct github_answer *answer)
{
	struct answer_person member;
	enum answer_word word = membership_read(m, answer, &member);

	switch (word) {
	case ANSWER_YES:
		membership_on_member(m, &member);
		break;
	case ANSWER_NO:
		membership_on_no_member(m, word);
		break;
	case ANSWER_FORBIDDEN:
	case ANSWER_STATUS:
	case ANSWER_WRONG:
		m->list_matters = word != ANSWER_FORBIDDEN;
		m->page = 1;
		membership_get_page(m);
		break;
	}
}

static void
membership_on_list(struct membership *m, const struct github_answer *answer)
{
	enum answer_word word = answer_read_orgs(answer, m->rule.org);

	membership_log(m, answer, word);
	if (word == ANSWER_YES) {
		membership_match(m);
		return;
	}
	if (word == ANSWER_NO && answer->more) {
		if (++m->page <= MEMBERSHIP_PAGES_MAX) {
			membership_get_page(m);
			return;
		}
		/* On the pages that nobody looked at there may be anything. */
		word = ANSWER_WRONG;
	}
	if (word == ANSWER_FORBIDDEN && m->list_matters)
		word = ANSWER_STATUS;
	membership_on_no_member(m, word);
}

static void
membership_on_id(struct membership *m, const struct github_answer *answer)
{
	struct answer_person person;
	enum answer_word word = membership_read_person(answer, &person);

	if (word == ANSWER_YES &&
	    strcasecmp(person.login, m->finding.login) != 0)
		word = ANSWER_WRONG;
	membership_log(m, answer, word);
	if (word == ANSWER_NO ||
	    (word == ANSWER_YES && person.github_id != m->finding.github_id))
		membership_on_other_person(m);
	else if (word == ANSWER_YES)
		membership_match(m);
	else
		membership_on_no_member(m, word);
}
