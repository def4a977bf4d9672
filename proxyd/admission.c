#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "proxyd/admission.h"
#include "proxyd/deny.h"
#include "proxyd/proxyd.h"
#include "proxyd/rates.h"
#include "proxyd/request.h"
#include "proxyd/role.h"

static void on_session(void *, const struct session *);

void
admission_init(struct admission *a, struct proxyd *proxyd,
    const struct request *request, void (*done)(void *, const struct denied *),
    void *arg)
{
	memset(a, 0, sizeof(*a));
	a->proxyd = proxyd;
	a->request = request;
	a->wait.done = on_session;
	a->wait.arg = a;
	a->role = ROLE_NOBODY;
	a->done = done;
	a->arg = arg;
}

void
admission_clear(struct admission *a)
{
	sessions_cancel(&a->wait);
	if (a->jwt != NULL)
		freezero(a->jwt, strlen(a->jwt));
	a->jwt = NULL;
	a->role = ROLE_NOBODY;
}

void
admission_start(struct admission *a)
{
	const struct request *r = a->request;
	struct proxyd *p = a->proxyd;
	struct denied denied = { .status = 429, .advice = "" };
	const struct session *session;

	if (!r->identified) {
		a->done(a->arg, NULL);
		return;
	}
	denied.reason =
	    rates_admit(p->rates, RATE_REQUESTS, r->github_id, &denied.retry_s);
	if (denied.reason != NULL) {
		p->counts.rate++;
		denied.untold = !rates_tells(p->rates, r->github_id);
		a->done(a->arg, &denied);
		return;
	}
	session = sessions_get(p->sessions, r->github_id, r->login, &a->wait);
	if (session != NULL)
		on_session(a, session);
}

static void
admit(struct admission *a, const struct session *session)
{
	a->role = session->role;
	a->jwt = strdup(session->jwt);
	if (a->jwt == NULL)
		fatal("session");
	(void)strlcpy(a->rule, session->reason, sizeof(a->rule));
	a->done(a->arg, NULL);
}

static void
on_session(void *arg, const struct session *session)
{
	struct admission *a = arg;
	struct proxyd *p = a->proxyd;
	struct denied denied = { .reason = session->reason,
		.advice = session->advice };

	switch (session->status) {
	case SESSION_OK:
		admit(a, session);
		return;
	case SESSION_DENIED:
		p->counts.denied++;
		rates_note_failure(p->rates, a->request->github_id);
		denied.status = 403;
		break;
	case SESSION_BUSY:
		p->counts.rate++;
		denied.status = 429;
		denied.retry_s = session->lifetime_ms / 1000 + 1;
		break;
	case SESSION_UNAVAILABLE:
	case SESSION_STATUS_COUNT:
		denied.status = 503;
		break;
	}
	if (denied.status != 403)
		denied.untold = !rates_tells(p->rates, a->request->github_id);
	a->done(a->arg, &denied);
}

/* One more thing that was not allowed. */
static void
note_denied(struct admission *a, struct denied *denied)
{
	struct proxyd *p = a->proxyd;

	p->counts.denied++;
	if (a->request->identified)
		rates_note_failure(p->rates, a->request->github_id);
	else
		denied->untold = !rates_tells(p->rates, RATES_NOBODY);
}

bool
admission_is_somebody(struct admission *a, struct denied *denied)
{
	*denied = (struct denied){
		.status = 403, .reason = "nobody is signed in", .advice = ""
	};
	if (a->request->identified)
		return true;
	note_denied(a, denied);
	return false;
}

bool
admission_allows(struct admission *a, const char *method, const char *target,
    struct denied *denied)
{
	*denied = (struct denied){ .status = 403 };
	if (!role_may_request(a->role, method, target)) {
		denied->reason = ROLE_READ_ONLY_REASON;
		denied->advice = ROLE_READ_ONLY_ADVICE;
	} else if (deny_matches(a->proxyd->deny, a->role, target)) {
		denied->reason = DENY_REASON;
		denied->advice = DENY_ADVICE;
	} else
		return true;
	note_denied(a, denied);
	return false;
}

const char *
admission_page_token(const struct admission *a)
{
	return a->role == SESSION_ROLE_FULL && !a->request->fetched &&
		       a->proxyd->conf.callback_url[0] != '\0'
		   ? a->jwt
		   : NULL;
}
