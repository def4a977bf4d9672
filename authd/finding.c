#include <stdio.h>
#include <string.h>

#include "authd/finding.h"
#include "common/slice.h"

enum lifetime { ALLOWED, REFUSED, ERROR, LIMIT, NONE };

/* The advice may name the login, once. */
static const struct {
	enum access_result result;
	enum lifetime lifetime;
	const char *reason;
	const char *advice;
} texts[FINDING_COUNT] = {
	[FINDING_ALLOWED] = { ACCESS_ALLOWED, ALLOWED, "", "" },
	[FINDING_ID_INVALID] = { ACCESS_REFUSED, REFUSED,
	    "your user id is not valid",
	    "Ask the operator of the orchestrator why it sends no GitHub id." },
	[FINDING_LOGIN_INVALID] = { ACCESS_REFUSED, REFUSED,
	    "your user name is not valid",
	    "Ask the operator of the orchestrator why it sends no GitHub "
	    "login." },
	[FINDING_NOT_NAMED] = { ACCESS_REFUSED, REFUSED,
	    "you are not among the users of this instance",
	    "Ask the operator of this instance to add %s to policy users." },
	[FINDING_NO_MEMBER] = { ACCESS_REFUSED, REFUSED,
	    "you are not among the users, teams and orgs of this instance",
	    "Ask the operator of this instance to add %s to policy users, or "
	    "to a team or org that it lets in." },
	[FINDING_NOT_SEEN] = { ACCESS_REFUSED, REFUSED,
	    "your GitHub token does not show that you are in a team or org "
	    "of this instance",
	    "Sign in to the orchestrator again and let it read your orgs "
	    "(read:org), or ask the operator of this instance to add %s to "
	    "policy users." },
	[FINDING_NO_TOKEN] = { ACCESS_REFUSED, REFUSED,
	    "this instance cannot check its team and org rules",
	    "Ask the operator to set a GitHub token (github token), or to "
	    "name you in policy users." },
	[FINDING_TOKEN_REFUSED] = { ACCESS_REFUSED, REFUSED,
	    "the GitHub token is not valid",
	    "Sign in to the orchestrator again." },
	[FINDING_NO_RULES] = { ACCESS_REFUSED, NONE,
	    "this instance does not ask for GitHub tokens", "Try again." },
	[FINDING_UNCHECKED] = { ACCESS_REFUSED, ERROR,
	    "GitHub could not be asked whether you may come in",
	    "Try again in a minute; if that does not help, ask the operator "
	    "of this instance to see what its log says about GitHub." },
	[FINDING_INSTANCE_TOKEN] = { ACCESS_REFUSED, ERROR,
	    "this instance cannot check its team and org rules",
	    "Ask the operator to set another GitHub token (github token), as "
	    "GitHub refuses this one, or to name you in policy users." },
	[FINDING_OTHER_PERSON] = { ACCESS_REFUSED, ERROR,
	    "your user name belongs to another GitHub account",
	    "Sign in to the orchestrator again, which may know an old name "
	    "of yours." },
	[FINDING_LIMITED] = { ACCESS_REFUSED, LIMIT,
	    "GitHub takes no more questions about you for now",
	    "Try again later, or ask the operator of this instance to add %s "
	    "to policy users." },
	[FINDING_TOO_MANY] = { ACCESS_BUSY, NONE,
	    "too many people are being checked at once",
	    "Try again in a moment." },
	[FINDING_FAILURES] = { ACCESS_BUSY, NONE,
	    "too many GitHub tokens were refused of late",
	    "Try again in a minute." },
};

uint32_t
finding_lifetime(const struct finding *f, const struct authd_conf *conf)
{
	switch (texts[f->kind].lifetime) {
	case ALLOWED:
		return conf->cache_allowed_ms;
	case REFUSED:
		return conf->cache_refused_ms;
	case ERROR:
		return FINDING_ERROR_MS;
	case LIMIT:
		return f->wait_ms;
	case NONE:
		break;
	}
	return 0;
}

/* Copy a text with the login, if there is one, where it is to be. */
static void
finding_advise(const struct finding *f, char *dst, size_t size)
{
	const char *advice = texts[f->kind].advice;
	const char *place = strstr(advice, "%s");

	if (place == NULL) {
		(void)strlcpy(dst, advice, size);
		return;
	}
	(void)snprintf(dst, size, "%.*s%s%s", (int)(place - advice), advice,
	    f->login[0] != '\0' ? f->login : "you", place + 2);
}

void
finding_verdict(const struct finding *f, struct access_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->result = texts[f->kind].result;
	verdict->role = f->role;
	verdict->github_id = f->github_id;
	(void)strlcpy(verdict->login, f->login, sizeof(verdict->login));
	(void)strlcpy(verdict->rule, f->rule, sizeof(verdict->rule));
	(void)strlcpy(
	    verdict->reason, texts[f->kind].reason, sizeof(verdict->reason));
	finding_advise(f, verdict->advice, sizeof(verdict->advice));
}
