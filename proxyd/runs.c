#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "common/session.h"
#include "common/timer.h"
#include "proxyd/activity.h"
#include "proxyd/proxyd.h"
#include "proxyd/run_list.h"
#include "proxyd/run_poll.h"
#include "proxyd/run_table.h"
#include "proxyd/runs.h"

/* How often it is looked for those that nobody heard of for too long. */
#define UNHEARD_TICK_MS (RUN_UNHEARD_MS / 8)

struct runs {
	struct proxyd *proxyd;
	struct run_poll *poll;
	struct run_table table;
	size_t nameless;   /* that the app listed beyond those, */
	int64_t listed_ms; /* and when */
	bool known;	   /* see runs_are_known() */
	bool was_any;	   /* when it was told last */
	int64_t ended_ms;  /* when a socket told of an end */
	bool contradicted; /* the last answer, by such an end */
	enum run_app app;  /* that answered last, NONE while asking fails */
	const char *trouble;
	struct event unheard;
};

/* After each change. */
static void
update(struct runs *runs)
{
	bool any = runs_any(runs);

	if (any && !evtimer_pending(&runs->unheard, NULL))
		timer_set(&runs->unheard, UNHEARD_TICK_MS);
	if (any == runs->was_any)
		return;
	runs->was_any = any;
	activity_update(runs->proxyd);
}

static void
note_known(struct runs *runs)
{
	if (runs->known)
		return;
	runs->known = true;
	activity_tell(runs->proxyd);
}

static void
clear(struct runs *runs)
{
	runs->table.count = runs->nameless = 0;
	update(runs);
}

/* Those whose sockets are gone, and that nobody confirmed for too long. */
static void
on_unheard(int fd, short what, void *arg)
{
	struct runs *runs = arg;
	int64_t now = monotonic_ms();
	size_t i;

	(void)fd;
	(void)what;
	for (i = runs->table.count; i-- > 0;)
		if (runs->table.all[i].owner == NULL &&
		    now - runs->table.all[i].since >= RUN_UNHEARD_MS)
			run_table_remove(&runs->table, &runs->table.all[i]);
	if (now - runs->listed_ms >= RUN_UNHEARD_MS)
		runs->nameless = 0;
	update(runs);
}

/* Those that nobody would ever tell the end of, once the app is not asked. */
static void
forget_listed(struct runs *runs)
{
	size_t i;

	for (i = runs->table.count; i-- > 0;)
		if (runs->table.all[i].app == RUN_APP_NONE)
			run_table_remove(&runs->table, &runs->table.all[i]);
	runs->nameless = 0;
	update(runs);
}

struct runs *
runs_new(struct proxyd *proxyd)
{
	struct runs *runs = calloc(1, sizeof(*runs));

	if (runs == NULL)
		fatal("runs");
	runs->proxyd = proxyd;
	(void)evtimer_assign(
	    &runs->unheard, proxyd->child.base, on_unheard, runs);
	runs->poll = run_poll_new(proxyd, runs);
	return runs;
}

void
runs_free(struct runs *runs)
{
	(void)evtimer_del(&runs->unheard);
	run_poll_free(runs->poll);
	free(runs);
}

bool
runs_any(const struct runs *runs)
{
	return runs->table.count + runs->nameless > 0;
}

bool
runs_are_known(const struct runs *runs)
{
	return runs->known || !runs->proxyd->conf.watch_runs;
}

bool
runs_are_doubtful(const struct runs *runs)
{
	size_t i;

	for (i = 0; i < runs->table.count; i++)
		if (!runs->table.all[i].confirmed)
			return true;
	return false;
}

static const char *
describe_source(const struct runs *runs)
{
	switch (runs->app) {
	case RUN_APP_OLD:
		return "asked: claude-code-ui";
	case RUN_APP_NEW:
		return "asked: cloudcli";
	case RUN_APP_NONE:
		break;
	}
	return "from traffic";
}

static const char *
describe_trouble(const struct runs *runs)
{
	if (!runs->proxyd->link_is_up)
		return "not asked while there is no connection";
	return runs->trouble == NULL ? "not asked yet" : runs->trouble;
}

const char *
runs_text(const struct runs *runs)
{
	static char text[SESSION_REASON_MAX + 64];
	size_t n = runs->table.count + runs->nameless;
	const char *why = describe_trouble(runs);
	char number[24] = "none";

	if (n > 0)
		(void)snprintf(number, sizeof(number), "%zu", n);
	if (!runs->proxyd->conf.watch_runs || runs->app != RUN_APP_NONE)
		(void)snprintf(text, sizeof(text), "%s (%s)", number,
		    describe_source(runs));
	else if (n > 0)
		(void)snprintf(
		    text, sizeof(text), "%s (from traffic; %s)", number, why);
	else
		(void)snprintf(text, sizeof(text), "unknown: %s", why);
	return text;
}

/* The app is to be asked anew, whatever it said. */
static void
forget_source(struct runs *runs)
{
	runs->app = RUN_APP_NONE;
	runs->trouble = NULL;
	run_poll_restart(runs->poll);
}

void
runs_on_link(struct runs *runs)
{
	forget_source(runs);
}

void
runs_on_upstream(struct runs *runs)
{
	clear(runs);
	forget_source(runs);
}

void
runs_on_settings(struct runs *runs)
{
	forget_source(runs);
	if (runs->proxyd->conf.watch_runs)
		return;
	forget_listed(runs);
	note_known(runs);
}

void
runs_on_use(struct runs *runs)
{
	run_poll_use(runs->poll);
}

void
runs_begin(
    struct runs *runs, enum run_app app, const void *owner, const char *session)
{
	struct run *r = run_table_find(&runs->table, session);

	if (r == NULL)
		r = run_table_add(&runs->table, session);
	/* Of so many one more makes no difference. */
	if (r != NULL) {
		if (r->owner == NULL)
			r->owner = owner;
		r->app = app;
		r->since = monotonic_ms();
		r->confirmed = false;
		update(runs);
	}
	run_poll_soon(runs->poll);
}

void
runs_name(struct runs *runs, const void *owner, const char *session)
{
	struct run *r = run_table_find_nameless(&runs->table, owner);
	struct run *other = run_table_find(&runs->table, session);

	run_poll_soon(runs->poll);
	if (session[0] == '\0' || r == NULL || other == r)
		return;
	if (other == NULL) {
		(void)strlcpy(r->session, session, sizeof(r->session));
		return;
	}
	/* The app told it first. */
	other->owner = owner;
	other->app = r->app;
	run_table_remove(&runs->table, r);
}

void
runs_end(
    struct runs *runs, enum run_app app, const void *owner, const char *session)
{
	struct run *r = run_table_find(&runs->table, session);

	if (r == NULL && app == RUN_APP_OLD) {
		r = run_table_find_nameless(&runs->table, owner);
		if (r == NULL && session[0] == '\0')
			r = run_table_find_only(&runs->table, owner);
	}
	if (r != NULL) {
		run_table_remove(&runs->table, r);
		runs->ended_ms = monotonic_ms();
		update(runs);
	}
	run_poll_soon(runs->poll);
}

void
runs_deny(struct runs *runs, const char *session)
{
	struct run *r = run_table_find(&runs->table, session);

	if (r != NULL && r->owner == NULL) {
		run_table_remove(&runs->table, r);
		update(runs);
	}
	run_poll_soon(runs->poll);
}

void
runs_doubt(struct runs *runs)
{
	run_poll_soon(runs->poll);
}

bool
runs_has(const struct runs *runs, const void *owner)
{
	size_t i;

	for (i = 0; i < runs->table.count; i++)
		if (runs->table.all[i].owner == owner)
			return true;
	return false;
}

void
runs_disown(struct runs *runs, const void *owner)
{
	size_t i;

	for (i = 0; i < runs->table.count; i++)
		if (runs->table.all[i].owner == owner)
			runs->table.all[i].owner = NULL;
}

/* What the app lists is there, under the name that it has there. */
static void
mark_listed(struct runs *runs, const char *session)
{
	struct run *r = run_table_find(&runs->table, session);

	if (r == NULL &&
	    (r = run_table_find_nameless(&runs->table, NULL)) != NULL)
		(void)strlcpy(r->session, session, sizeof(r->session));
	if (r == NULL && (r = run_table_add(&runs->table, session)) == NULL) {
		runs->nameless++;
		return;
	}
	r->listed = r->confirmed = true;
	r->since = monotonic_ms();
}

static bool
may_be_late(const struct run *r, int64_t asked_ms)
{
	int64_t grace =
	    r->app == RUN_APP_OLD ? RUN_GRACE_OLD_MS : RUN_GRACE_NEW_MS;

	return !r->confirmed && asked_ms - r->since < grace;
}

void
runs_on_answer(struct runs *runs, enum run_app app, const struct run_list *list,
    int64_t asked_ms)
{
	size_t i;

	runs->app = app;
	runs->trouble = NULL;
	/* It may list what ended since; the next answer will not. */
	if (runs->ended_ms >= asked_ms && !runs->contradicted) {
		runs->contradicted = true;
		return;
	}
	runs->contradicted = false;
	for (i = 0; i < runs->table.count; i++)
		runs->table.all[i].listed = false;
	runs->nameless = list->total - list->count;
	runs->listed_ms = monotonic_ms();
	for (i = 0; i < list->count; i++)
		mark_listed(runs, list->sessions[i]);
	for (i = runs->table.count; i-- > 0;)
		if (!runs->table.all[i].listed &&
		    !may_be_late(&runs->table.all[i], asked_ms))
			run_table_remove(&runs->table, &runs->table.all[i]);
	update(runs);
	note_known(runs);
}

void
runs_on_failure(struct runs *runs, const char *why)
{
	runs->app = RUN_APP_NONE;
	runs->trouble = why;
	note_known(runs);
}

void
runs_on_absence(struct runs *runs)
{
	clear(runs);
}
