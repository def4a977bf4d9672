#include <sys/queue.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/slice.h"
#include "common/timer.h"
#include "tetherd/children.h"
#include "tetherd/complaints.h"
#include "tetherd/conf.h"
#include "tetherd/notify.h"
#include "tetherd/reload.h"
#include "tetherd/settings.h"
#include "tetherd/trial.h"

enum reload_state {
	RELOAD_IDLE,
	RELOAD_BUSY,	  /* inside one of our functions */
	RELOAD_WAITING,	  /* for all children to run */
	RELOAD_TRYING,	  /* for an authd that is only tried */
	RELOAD_STAGED,	  /* for their answers */
	RELOAD_SWITCHING, /* one after the other */
};

struct asker {
	TAILQ_ENTRY(asker) entry;
	reload_done done;
	void *arg;
};
TAILQ_HEAD(askers, asker);

struct reload {
	struct children *children;
	const struct sources *sources;
	const struct reload_ops *ops;
	void *arg;
	enum reload_state state;
	bool stopped;
	bool wanted;	      /* another one, by those in later and signals */
	struct askers askers; /* of the one under way */
	struct askers later;
	struct settings *now;
	struct settings *next;
	bool checked; /* the parent's own part */
	struct trial *trial;
	struct event *timer;
	uint64_t id;
	size_t switching;  /* whose turn it is */
	unsigned accepted; /* bits by number of the program */
	unsigned restart;
	uint32_t flags;
	char why[RELOAD_WHY_SIZE];
};

/*
 * Who has to accept, and in which order they switch: those who are asked
 * before those who ask, so that the connector's next question for the token
 * is answered with the new one.
 */
static const enum program staging[] = { PROGRAM_AUTHD, PROGRAM_PROXYD,
	PROGRAM_CONNECTOR };
#define NSTAGING (sizeof(staging) / sizeof(staging[0]))

static void reload_on_timer(int, short, void *);
static void reload_on_trial(void *, const char *);
static void reload_next(struct reload *);

struct reload *
reload_new(struct event_base *base, struct children *children,
    const struct sources *sources, struct settings *settings,
    const struct reload_ops *ops, void *arg)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (r == NULL)
		fatal("reload");
	r->children = children;
	r->sources = sources;
	r->now = settings;
	r->ops = ops;
	r->arg = arg;
	TAILQ_INIT(&r->askers);
	TAILQ_INIT(&r->later);
	r->timer = evtimer_new(base, reload_on_timer, r);
	if (r->timer == NULL)
		fatalx("reload: no timer");
	r->trial = trial_new(base, reload_on_trial, r);
	return r;
}

static void
askers_forget(struct askers *askers, const void *arg)
{
	struct asker *a, *next;

	TAILQ_FOREACH_SAFE (a, askers, entry, next) {
		if (arg != NULL && a->arg != arg)
			continue;
		TAILQ_REMOVE(askers, a, entry);
		free(a);
	}
}

void
reload_free(struct reload *r)
{
	if (r == NULL)
		return;
	askers_forget(&r->askers, NULL);
	askers_forget(&r->later, NULL);
	if (r->checked)
		r->ops->dropped(r->arg);
	event_free(r->timer);
	trial_free(r->trial);
	settings_free(r->next);
	settings_free(r->now);
	free(r);
}

const struct settings *
reload_settings(const struct reload *r)
{
	return r->now;
}

/* One more thing that is wrong. */
static void __attribute__((format(printf, 2, 3)))
reload_blame(struct reload *r, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	size_t len = strlen(r->why);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	log_warnx("%s", line);
	(void)snprintf(r->why + len, sizeof(r->why) - len, "%s\n", line);
}

/* It is over: tell all who asked, each of whom may ask for another one. */
static void
reload_end(struct reload *r, const char *why)
{
	struct asker *a;

	r->state = RELOAD_BUSY;
	event_del(r->timer);
	notify_reloaded(why != NULL);
	while ((a = TAILQ_FIRST(&r->askers)) != NULL) {
		TAILQ_REMOVE(&r->askers, a, entry);
		a->done(a->arg, why);
		free(a);
	}
	r->state = RELOAD_IDLE;
}

static void
reload_fail(struct reload *r)
{
	if (r->state == RELOAD_STAGED)
		children_drop(r->children, r->id);
	trial_give_up(r->trial);
	if (r->checked)
		r->ops->dropped(r->arg);
	r->checked = false;
	settings_free(r->next);
	r->next = NULL;
	log_warnx("reload failed: the old settings stay in force");
	reload_end(r, r->why);
}

/* The next one, or the end when all have it. */
static void
reload_switch_next(struct reload *r)
{
	enum program program;

	if (r->switching < NSTAGING) {
		program = staging[r->switching];
		timer_set(r->timer, RELOAD_TIMEOUT_MS);
		children_switch(r->children, program, r->id, r->flags,
		    (r->restart & (1U << program)) != 0);
		return;
	}
	log_infox("settings reloaded");
	reload_end(r, NULL);
}

/* From here on there is no way back. */
static void
reload_switch(struct reload *r)
{
	const struct conf *conf = settings_conf(r->next);
	struct settings *old = r->now;

	r->state = RELOAD_SWITCHING;
	/* The dialer is no lasting child: its part is the connector's, too. */
	if (!conf_same_dialer(settings_conf(old), conf))
		r->flags |= CONF_TOKEN;
	children_set_conf(r->children, conf, r->id);
	r->now = r->next;
	r->next = NULL;
	r->checked = false;
	r->ops->switched(r->arg, r->now, old);
	settings_free(old);
	r->switching = 0;
	reload_switch_next(r);
}

static void
reload_stage(struct reload *r)
{
	if (!children_all_run(r->children))
		return;
	r->state = RELOAD_STAGED;
	r->accepted = r->restart = 0;
	r->flags = 0;
	r->id++;
	children_stage(r->children, settings_conf(r->next), r->id);
}

/* What authd cannot look at itself is looked at by another one. */
static void
reload_try(struct reload *r)
{
	const struct conf *now = settings_conf(r->now);
	const struct conf *next = settings_conf(r->next);

	if (!conf_needs_trial(now, next)) {
		reload_stage(r);
		return;
	}
	r->state = RELOAD_TRYING;
	/* It keeps the time itself. */
	event_del(r->timer);
	if (trial_start(r->trial, next) == -1) {
		reload_blame(r, "reload: authd cannot be tried");
		reload_fail(r);
	}
}

static void
reload_on_trial(void *arg, const char *why)
{
	struct reload *r = arg;

	if (why != NULL) {
		reload_blame(r, "reload: %s", why);
		reload_fail(r);
	} else {
		r->state = RELOAD_WAITING;
		timer_set(r->timer, RELOAD_TIMEOUT_MS);
		reload_stage(r);
	}
	reload_next(r);
}

bool
reload_reap(struct reload *r, pid_t pid, int status)
{
	return trial_reap(r->trial, pid, status);
}

bool
reload_reassign(struct reload *r)
{
	const struct confinement *now =
	    &settings_conf(r->now)->authd.confinement;
	const struct confinement before = *now;

	settings_assign(r->now);
	return !confinement_is_same(&before, now);
}

/* What the parent can find wrong by itself: -1 if there is anything. */
static int
reload_read(struct reload *r)
{
	struct complaints *complaints = complaints_new();
	const char *what;

	r->next = settings_read(r->sources, complaints);
	complaints_log(complaints);
	if (r->next == NULL)
		complaints_text(complaints, r->why, sizeof(r->why));
	complaints_free(complaints);
	if (r->next == NULL)
		return -1;
	what =
	    conf_needs_restart(settings_conf(r->now), settings_conf(r->next));
	if (what != NULL) {
		reload_blame(r,
		    "%s: cannot be changed by a reload; restart tetherd", what);
		return -1;
	}
	what = r->ops->check(r->arg, r->next);
	if (what != NULL) {
		reload_blame(r, "%s", what);
		return -1;
	}
	r->checked = true;
	log_debugx("reload: configuration read");
	return 0;
}

static void
reload_begin(struct reload *r)
{
	r->state = RELOAD_BUSY;
	r->why[0] = '\0';
	notify_reloading();
	if (r->stopped)
		reload_blame(r, "reload: tetherd is stopping");
	if (r->stopped || reload_read(r) == -1) {
		reload_fail(r);
		return;
	}
	r->state = RELOAD_WAITING;
	timer_set(r->timer, RELOAD_TIMEOUT_MS);
	reload_try(r);
}

/* A loop, not a recursion: many may fail at once, one after the other. */
static void
reload_next(struct reload *r)
{
	while (r->state == RELOAD_IDLE && r->wanted) {
		r->wanted = false;
		TAILQ_CONCAT(&r->askers, &r->later, entry);
		reload_begin(r);
	}
}

void
reload_start(struct reload *r, reload_done done, void *arg)
{
	struct asker *a;

	r->wanted = true;
	if (done != NULL) {
		a = calloc(1, sizeof(*a));
		if (a == NULL)
			fatal("reload");
		a->done = done;
		a->arg = arg;
		TAILQ_INSERT_TAIL(&r->later, a, entry);
	}
	reload_next(r);
}

void
reload_forget(struct reload *r, void *arg)
{
	askers_forget(&r->askers, arg);
	askers_forget(&r->later, arg);
}

void
reload_stop(struct reload *r)
{
	r->stopped = true;
	if (r->state == RELOAD_WAITING || r->state == RELOAD_TRYING ||
	    r->state == RELOAD_STAGED) {
		reload_blame(r, "reload: tetherd is stopping");
		reload_fail(r);
	} else if (r->state == RELOAD_SWITCHING)
		reload_end(r, NULL);
	reload_next(r);
}

static void
reload_blame_missing(struct reload *r)
{
	size_t i;

	for (i = 0; i < NSTAGING; i++)
		if ((r->accepted & (1U << staging[i])) == 0)
			reload_blame(r, "reload: %s did not answer within %d s",
			    program_name(staging[i]), RELOAD_TIMEOUT_MS / 1000);
}

/* It has accepted, and has to have it: also if it is started anew for it. */
static void
reload_give_up(struct reload *r)
{
	enum program program = staging[r->switching++];

	log_warnx("reload: %s did not switch within %d s; killed",
	    program_name(program), RELOAD_TIMEOUT_MS / 1000);
	children_give_up(r->children, program);
	reload_switch_next(r);
}

static void
reload_on_timer(int fd, short what, void *arg)
{
	struct reload *r = arg;

	(void)fd;
	(void)what;
	if (r->state == RELOAD_SWITCHING)
		reload_give_up(r);
	else {
		if (r->state == RELOAD_WAITING)
			reload_blame(r,
			    "reload: not all processes ran within %d s",
			    RELOAD_TIMEOUT_MS / 1000);
		else
			reload_blame_missing(r);
		reload_fail(r);
	}
	reload_next(r);
}

void
reload_on_accepted(
    struct reload *r, enum program program, uint64_t id, uint32_t flags)
{
	size_t i;

	if (r->state != RELOAD_STAGED || id != r->id)
		return;
	r->accepted |= 1U << program;
	if ((flags & CONF_RESTART) != 0)
		r->restart |= 1U << program;
	if (program == PROGRAM_AUTHD)
		r->flags |= flags & CONF_TOKEN;
	for (i = 0; i < NSTAGING; i++)
		if ((r->accepted & (1U << staging[i])) == 0)
			return;
	reload_switch(r);
	reload_next(r);
}

void
reload_on_switched(struct reload *r, enum program program, uint64_t id)
{
	if (r->state != RELOAD_SWITCHING || id != r->id ||
	    program != staging[r->switching])
		return;
	r->switching++;
	reload_switch_next(r);
	reload_next(r);
}

void
reload_on_refused(
    struct reload *r, enum program program, uint64_t id, const char *why)
{
	if (r->state != RELOAD_STAGED || id != r->id)
		return;
	reload_blame(r, "reload: %s refuses: %s", program_name(program), why);
	reload_fail(r);
	reload_next(r);
}

void
reload_on_lost(struct reload *r, enum program program)
{
	if (r->state != RELOAD_STAGED)
		return;
	reload_blame(r, "reload: %s died", program_name(program));
	reload_fail(r);
	reload_next(r);
}

void
reload_on_all_running(struct reload *r)
{
	if (r->state == RELOAD_WAITING)
		reload_stage(r);
}
