#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "common/timer.h"
#include "proxyd/chats.h"
#include "proxyd/proxyd.h"
#include "proxyd/run_ask_new.h"
#include "proxyd/run_ask_old.h"
#include "proxyd/run_list.h"
#include "proxyd/run_poll.h"
#include "proxyd/runs.h"
#include "proxyd/sessions.h"
#include "proxyd/tunnels.h"

struct run_poll {
	struct proxyd *proxyd;
	struct runs *runs;
	struct event timer; /* for the next question, or the limit of this */
	int64_t due_ms;	    /* for the next one */
	bool is_asking;
	bool again;	 /* something happened meanwhile */
	bool is_failing; /* and that was said */
	int64_t asked_ms;
	enum run_app app; /* to be asked, NONE to find out */
	struct session_wait wait;
	struct run_ask_new *ask_new;
	struct run_ask_old *ask_old;
	char reason[SESSION_REASON_MAX]; /* of authd */
};

static void on_session(void *, const struct session *);

static bool
may_ask(const struct run_poll *poll)
{
	const struct proxyd *p = poll->proxyd;

	return p->link_is_up && p->conf.watch_runs && !p->child.stopping;
}

static void
ask_in(struct run_poll *poll, uint32_t ms)
{
	poll->due_ms = monotonic_ms() + ms;
	timer_set(&poll->timer, ms);
}

/* How long what is known now is good enough. */
static uint32_t
interval(const struct run_poll *poll)
{
	const struct proxyd *p = poll->proxyd;

	if (runs_any(poll->runs) ||
	    tunnels_in_use(p->tunnels) + chats_in_use(p->chats) > 0)
		return RUN_POLL_USED_MS;
	return RUN_POLL_UNUSED_MS;
}

static void
succeed(struct run_poll *poll, enum run_app app, const struct run_list *list)
{
	uint32_t ms = RUN_POLL_SOON_MS;

	if (poll->is_failing)
		log_infox("the web app says again what runs");
	poll->is_failing = false;
	poll->app = app;
	runs_on_answer(poll->runs, app, list, poll->asked_ms);
	if (!poll->again)
		ms = runs_are_doubtful(poll->runs) ? RUN_POLL_DOUBT_MS
						   : interval(poll);
	/* An answer that nobody asked for may come while authd is asked. */
	sessions_cancel(&poll->wait);
	poll->is_asking = poll->again = false;
	ask_in(poll, ms);
}

/* Nothing is under way any more, and no socket is open. */
static void
stop(struct run_poll *poll)
{
	sessions_cancel(&poll->wait);
	run_ask_new_cancel(poll->ask_new);
	poll->ask_new = NULL;
	run_ask_old_free(poll->ask_old);
	poll->ask_old = NULL;
	poll->is_asking = poll->again = false;
	poll->app = RUN_APP_NONE;
	(void)evtimer_del(&poll->timer);
}

static void
fail(struct run_poll *poll, const char *why)
{
	if (poll->is_failing)
		log_debugx("what runs cannot be asked: %s", why);
	else
		log_infox("what runs at the web app cannot be asked: %s", why);
	poll->is_failing = true;
	stop(poll);
	runs_on_failure(poll->runs, why);
	ask_in(poll, interval(poll));
}

static void
begin(struct run_poll *poll)
{
	const struct session *session;

	poll->is_asking = true;
	timer_set(&poll->timer, RUN_POLL_LIMIT_MS);
	session = sessions_get_service(
	    poll->proxyd->sessions, SESSION_SERVICE_WATCH, &poll->wait);
	if (session != NULL)
		on_session(poll, session);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct run_poll *poll = arg;

	(void)fd;
	(void)what;
	if (!may_ask(poll))
		stop(poll);
	else if (poll->is_asking)
		fail(poll, "no answer in time");
	else
		begin(poll);
}

static void
on_refused(struct run_poll *poll)
{
	sessions_forget_service(poll->proxyd->sessions);
	fail(poll, "the web app refuses the user that asks");
}

static void
on_new_answered(void *arg, const struct run_list *list)
{
	struct run_poll *poll = arg;

	poll->ask_new = NULL;
	succeed(poll, RUN_APP_NEW, list);
}

/* Then it is the old one, or nothing that is known. */
static void
on_new_other(void *arg)
{
	struct run_poll *poll = arg;

	poll->ask_new = NULL;
	poll->app = RUN_APP_OLD;
	begin(poll);
}

static void
on_new_refused(void *arg)
{
	struct run_poll *poll = arg;

	poll->ask_new = NULL;
	on_refused(poll);
}

static void
on_new_absent(void *arg)
{
	struct run_poll *poll = arg;

	poll->ask_new = NULL;
	runs_on_absence(poll->runs);
	fail(poll, "the web app cannot be reached");
}

static void
on_new_failed(void *arg, const char *why)
{
	struct run_poll *poll = arg;

	poll->ask_new = NULL;
	fail(poll, why);
}

static const struct run_ask_new_ops new_ops = {
	.answered = on_new_answered,
	.other = on_new_other,
	.refused = on_new_refused,
	.absent = on_new_absent,
	.failed = on_new_failed,
};

static void
on_old_answered(void *arg, const struct run_list *list)
{
	struct run_poll *poll = arg;

	/* One that nobody asked for may be anything. */
	if (poll->is_asking)
		succeed(poll, RUN_APP_OLD, list);
}

static void
on_old_refused(void *arg)
{
	struct run_poll *poll = arg;

	poll->ask_old = NULL;
	on_refused(poll);
}

/* It may come back as another one. */
static void
on_old_closed(void *arg, const char *why)
{
	struct run_poll *poll = arg;

	poll->ask_old = NULL;
	poll->app = RUN_APP_NONE;
	if (poll->is_asking)
		fail(poll, why);
	else
		ask_in(poll, RUN_POLL_DOUBT_MS);
}

static const struct run_ask_old_ops old_ops = {
	.answered = on_old_answered,
	.refused = on_old_refused,
	.closed = on_old_closed,
};

static void
on_session(void *arg, const struct session *session)
{
	struct run_poll *poll = arg;

	if (session->status != SESSION_OK) {
		(void)strlcpy(
		    poll->reason, session->reason, sizeof(poll->reason));
		fail(poll, poll->reason);
		return;
	}
	poll->asked_ms = monotonic_ms();
	if (poll->app != RUN_APP_OLD) {
		poll->ask_new = run_ask_new_start(
		    poll->proxyd, session->jwt, &new_ops, poll);
		return;
	}
	if (poll->ask_old == NULL)
		poll->ask_old = run_ask_old_open(
		    poll->proxyd, session->jwt, &old_ops, poll);
	run_ask_old_ask(poll->ask_old);
}

struct run_poll *
run_poll_new(struct proxyd *proxyd, struct runs *runs)
{
	struct run_poll *poll = calloc(1, sizeof(*poll));

	if (poll == NULL)
		fatal("runs");
	poll->proxyd = proxyd;
	poll->runs = runs;
	poll->wait.done = on_session;
	poll->wait.arg = poll;
	(void)evtimer_assign(&poll->timer, proxyd->child.base, on_timer, poll);
	return poll;
}

void
run_poll_free(struct run_poll *poll)
{
	stop(poll);
	free(poll);
}

static void
ask_within(struct run_poll *poll, uint32_t ms)
{
	if (!may_ask(poll))
		return;
	if (poll->is_asking)
		poll->again = true;
	else if (!evtimer_pending(&poll->timer, NULL) ||
		 poll->due_ms > monotonic_ms() + ms)
		ask_in(poll, ms);
}

void
run_poll_soon(struct run_poll *poll)
{
	ask_within(
	    poll, poll->is_failing ? RUN_POLL_DOUBT_MS : RUN_POLL_SOON_MS);
}

void
run_poll_use(struct run_poll *poll)
{
	if (!poll->is_asking)
		ask_within(poll, RUN_POLL_USED_MS);
}

void
run_poll_restart(struct run_poll *poll)
{
	stop(poll);
	run_poll_use(poll);
}
