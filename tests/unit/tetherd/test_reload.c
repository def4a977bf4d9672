/*
 * The steps of a reload.  The children and the settings are played here, and
 * so is time: it is over when the test says so.
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/slice.h"
#include "common/timer.h"
#include "tetherd/children.h"
#include "tetherd/complaints.h"
#include "tetherd/conf.h"
#include "tetherd/reload.h"
#include "tetherd/settings.h"
#include "tetherd/trial.h"

struct settings {
	struct conf conf;
	int number;
};

static struct event_base *base;
static struct reload *reload;
static struct settings *first;
static const struct sources sources;

/* What happened, one after the other. */
static char events[8192];

/* What the next settings_read() and the rest find. */
static struct {
	bool wrong;
	const char *needs_restart;
	const char *check;
	bool other_dialer;
	bool other_databases;
	uint32_t owner;
	bool no_trial; /* can be started */
	bool all_run;
	bool slow;  /* children_switch() takes time */
	bool again; /* done() asks for another one */
} world;

static int numbers; /* of settings */
static int living;  /* settings that were not freed */
static struct event *timer;

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	size_t len = strlen(events);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(events + len, sizeof(events) - len, format, ap);
	va_end(ap);
	(void)strlcat(events, "; ", sizeof(events));
}

static void
assert_events(const char *expected)
{
	assert_string_equal(events, expected);
	events[0] = '\0';
}

void
timer_set(struct event *t, uint32_t ms)
{
	struct timeval hour = { .tv_sec = 3600 };

	assert_int_equal(ms, 10000);
	timer = t;
	assert_int_equal(evtimer_add(t, &hour), 0);
}

static void
time_out(void)
{
	assert_true(evtimer_pending(timer, NULL));
	event_active(timer, EV_TIMEOUT, 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

struct settings *
settings_read(const struct sources *s, struct complaints *complaints)
{
	struct settings *settings;

	assert_ptr_equal(s, &sources);
	assert_non_null(complaints);
	note("read");
	if (world.wrong)
		return NULL;
	settings = calloc(1, sizeof(*settings));
	assert_non_null(settings);
	settings->number = ++numbers;
	living++;
	return settings;
}

void
settings_free(struct settings *s)
{
	if (s == NULL)
		return;
	living--;
	free(s);
}

const struct conf *
settings_conf(const struct settings *s)
{
	return &s->conf;
}

struct complaints *
complaints_new(void)
{
	return calloc(1, 1);
}

void
complaints_free(struct complaints *c)
{
	free(c);
}

void
complaints_log(const struct complaints *c)
{
	assert_non_null(c);
	note("complaints");
}

void
complaints_text(const struct complaints *c, char *text, size_t size)
{
	assert_non_null(c);
	assert_int_equal(size, RELOAD_WHY_SIZE);
	(void)strlcpy(text, "file:1: wrong\n", size);
}

const char *
conf_needs_restart(const struct conf *a, const struct conf *b)
{
	assert_ptr_not_equal(a, b);
	return world.needs_restart;
}

bool
conf_same_dialer(const struct conf *a, const struct conf *b)
{
	assert_ptr_not_equal(a, b);
	return !world.other_dialer;
}

bool
conf_needs_trial(const struct conf *a, const struct conf *b)
{
	assert_ptr_not_equal(a, b);
	return world.other_databases;
}

void
settings_assign(struct settings *s)
{
	note("assign %d", s->number);
	s->conf.authd.confinement.uid = world.owner;
}

/* The trial is played, too: it has the end that a test calls. */
static struct {
	trial_done done;
	void *arg;
	bool under_way;
} trial;

struct trial *
trial_new(struct event_base *b, trial_done done, void *arg)
{
	assert_ptr_equal(b, base);
	trial.done = done;
	trial.arg = arg;
	trial.under_way = false;
	return NULL;
}

void
trial_free(struct trial *t)
{
	(void)t;
	trial.under_way = false;
}

int
trial_start(struct trial *t, const struct conf *conf)
{
	(void)t;
	assert_ptr_not_equal(conf, settings_conf(reload_settings(reload)));
	note("try");
	trial.under_way = !world.no_trial;
	return world.no_trial ? -1 : 0;
}

void
trial_give_up(struct trial *t)
{
	(void)t;
	if (trial.under_way)
		note("end trial");
	trial.under_way = false;
}

bool
trial_reap(struct trial *t, pid_t pid, int status)
{
	(void)t;
	if (!trial.under_way || pid != 77)
		return false;
	trial.under_way = false;
	trial.done(trial.arg, status == 0 ? NULL : "authd refuses: why");
	return true;
}

bool
children_all_run(const struct children *c)
{
	(void)c;
	return world.all_run;
}

void
children_stage(struct children *c, const struct conf *conf, uint64_t id)
{
	(void)c;
	assert_non_null(conf);
	note("stage %" PRIu64, id);
}

void
children_drop(struct children *c, uint64_t id)
{
	(void)c;
	note("drop %" PRIu64, id);
}

void
children_set_conf(struct children *c, const struct conf *conf, uint64_t id)
{
	(void)c;
	(void)id;
	assert_ptr_not_equal(conf, settings_conf(reload_settings(reload)));
}

/* The one that is told, in words only if the world is slow. */
void
children_switch(struct children *c, enum program program, uint64_t id,
    uint32_t flags, bool anew)
{
	static unsigned restart;

	(void)c;
	if (world.slow) {
		note("switch %s %" PRIu64 "%s", program_name(program), id,
		    anew ? " anew" : "");
		return;
	}
	restart |= anew ? 1U << program : 0;
	if (program == PROGRAM_CONNECTOR) {
		note("switch %" PRIu64 " %x %x", id, (unsigned)flags, restart);
		restart = 0;
	}
	reload_on_switched(reload, program, id);
}

void
children_give_up(struct children *c, enum program program)
{
	(void)c;
	note("give up %s", program_name(program));
}

static const char *
on_check(void *arg, const struct settings *next)
{
	assert_null(arg);
	assert_int_equal(next->number, numbers);
	note("check");
	return world.check;
}

static void
on_dropped(void *arg)
{
	(void)arg;
	note("dropped");
}

static void
on_switched(void *arg, const struct settings *now, const struct settings *old)
{
	(void)arg;
	assert_ptr_equal(now, reload_settings(reload));
	note("from %d to %d", old->number, now->number);
}

static const struct reload_ops ops = {
	.check = on_check,
	.dropped = on_dropped,
	.switched = on_switched,
};

static void
on_done(void *arg, const char *why)
{
	char text[256];
	char *c;

	(void)strlcpy(text, why == NULL ? "well" : why, sizeof(text));
	for (c = text; *c != '\0'; c++)
		if (*c == '\n')
			*c = '|';
	note("%s: %s", (char *)arg, text);
	if (world.again) {
		world.again = false;
		reload_start(reload, on_done, arg);
		note("asked again");
	}
}

static char ann[] = "ann", bob[] = "bob", eve[] = "eve";

static void
accept_all(uint64_t id)
{
	reload_on_accepted(reload, PROGRAM_AUTHD, id, 0);
	reload_on_accepted(reload, PROGRAM_PROXYD, id, 0);
	reload_on_accepted(reload, PROGRAM_CONNECTOR, id, 0);
}

static int
setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.all_run = true;
	events[0] = '\0';
	numbers = living = 0;
	first = calloc(1, sizeof(*first));
	living++;
	base = event_base_new();
	reload = reload_new(base, NULL, &sources, first, &ops, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	reload_free(reload);
	event_base_free(base);
	assert_int_equal(living, 0);
	return 0;
}

static void
test_success(void **state)
{
	(void)state;
	assert_ptr_equal(reload_settings(reload), first);
	reload_start(reload, on_done, ann);
	assert_events("read; complaints; check; stage 1; ");
	reload_on_accepted(reload, PROGRAM_CONNECTOR, 1, 0);
	reload_on_accepted(reload, PROGRAM_CONNECTOR, 1, 0);
	reload_on_accepted(reload, PROGRAM_PROXYD, 1, 0);
	assert_events("");
	reload_on_accepted(reload, PROGRAM_AUTHD, 1, 0);
	assert_events("from 0 to 1; switch 1 0 0; ann: well; ");
	assert_false(evtimer_pending(timer, NULL));
	assert_int_equal(living, 1);

	/* Late, early, or made up. */
	accept_all(1);
	accept_all(2);
	reload_on_refused(reload, PROGRAM_AUTHD, 1, "why");
	reload_on_lost(reload, PROGRAM_AUTHD);
	reload_on_all_running(reload);
	assert_events("");

	reload_start(reload, NULL, NULL);
	assert_events("read; complaints; check; stage 2; ");
	accept_all(1);
	reload_on_refused(reload, PROGRAM_AUTHD, 1, "why");
	assert_events("");
	accept_all(2);
	assert_events("from 1 to 2; switch 2 0 0; ");
}

static void
test_flags(void **state)
{
	static const struct {
		uint32_t connector, proxyd, authd;
		bool other_dialer;
		const char *switched;
	} cases[] = {
		{ 0, 0, CONF_TOKEN, false, "2 0" },
		{ 0, 0, 0, true, "2 0" },
		{ 0, 0, CONF_TOKEN, true, "2 0" },
		/* Only authd knows of tokens. */
		{ CONF_TOKEN, CONF_TOKEN, 0, false, "0 0" },
		{ CONF_RESTART, 0, 0, false, "0 connector" },
		{ 0, CONF_RESTART, 0, false, "0 proxyd" },
		{ 0, 0, CONF_RESTART | CONF_TOKEN, false, "2 authd" },
		{ CONF_RESTART, CONF_RESTART, CONF_RESTART, false, "0 all" },
		{ 0, 0, 0, false, "0 0" },
	};
	char expected[64];
	unsigned restart;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world.other_dialer = cases[i].other_dialer;
		reload_start(reload, NULL, NULL);
		events[0] = '\0';
		reload_on_accepted(
		    reload, PROGRAM_CONNECTOR, i + 1, cases[i].connector);
		reload_on_accepted(
		    reload, PROGRAM_PROXYD, i + 1, cases[i].proxyd);
		reload_on_accepted(
		    reload, PROGRAM_AUTHD, i + 1, cases[i].authd);
		restart = 0;
		if ((cases[i].connector & CONF_RESTART) != 0)
			restart |= 1U << PROGRAM_CONNECTOR;
		if ((cases[i].proxyd & CONF_RESTART) != 0)
			restart |= 1U << PROGRAM_PROXYD;
		if ((cases[i].authd & CONF_RESTART) != 0)
			restart |= 1U << PROGRAM_AUTHD;
		(void)snprintf(expected, sizeof(expected),
		    "from %zu to %zu; switch %zu %c %x; ", i, i + 1, i + 1,
		    cases[i].switched[0], restart);
		assert_events(expected);
	}
}

/* Other databases: first it is seen whether there can be an authd for them. */
static void
test_trial(void **state)
{
	(void)state;
	world.other_databases = true;
	reload_start(reload, on_done, ann);
	assert_events("read; complaints; check; try; ");
	/* Nobody has been asked yet, and the trial keeps the time. */
	assert_false(evtimer_pending(timer, NULL));
	accept_all(0);
	accept_all(1);
	reload_on_lost(reload, PROGRAM_AUTHD);
	reload_on_all_running(reload);
	assert_events("");
	assert_false(reload_reap(reload, 78, 0));
	assert_true(reload_reap(reload, 77, 0));
	assert_events("stage 1; ");
	assert_true(evtimer_pending(timer, NULL));
	assert_false(reload_reap(reload, 77, 0));
	accept_all(1);
	assert_events("from 0 to 1; switch 1 0 0; ann: well; ");

	/* Somebody dies meanwhile: nothing is lost by that. */
	reload_start(reload, on_done, bob);
	world.all_run = false;
	reload_on_lost(reload, PROGRAM_AUTHD);
	assert_true(reload_reap(reload, 77, 0));
	assert_events("read; complaints; check; try; ");
	world.all_run = true;
	reload_on_all_running(reload);
	assert_events("stage 2; ");
	accept_all(2);
	assert_events("from 1 to 2; switch 2 0 0; bob: well; ");
}

static void
test_trial_fails(void **state)
{
	(void)state;
	world.other_databases = true;
	reload_start(reload, on_done, ann);
	reload_start(reload, on_done, bob);
	assert_events("read; complaints; check; try; ");
	/* The next one begins. */
	assert_true(reload_reap(reload, 77, 1));
	assert_events("dropped; ann: reload: authd refuses: why|; "
		      "read; complaints; check; try; ");
	world.no_trial = true;
	assert_true(reload_reap(reload, 77, 256));
	assert_events("dropped; bob: reload: authd refuses: why|; ");
	reload_start(reload, on_done, eve);
	assert_events("read; complaints; check; try; dropped; "
		      "eve: reload: authd cannot be tried|; ");
	world.no_trial = false;
	reload_start(reload, on_done, ann);
	reload_stop(reload);
	assert_events("read; complaints; check; try; end trial; dropped; "
		      "ann: reload: tetherd is stopping|; ");
	assert_ptr_equal(reload_settings(reload), first);
	assert_int_equal(living, 1);
}

/* Of the settings in force. */
static void
test_reassign(void **state)
{
	(void)state;
	assert_false(reload_reassign(reload));
	world.owner = 1000;
	assert_true(reload_reassign(reload));
	assert_false(reload_reassign(reload));
	assert_events("assign 0; assign 0; assign 0; ");
	reload_start(reload, NULL, NULL);
	(void)reload_reassign(reload);
	assert_events("read; complaints; check; stage 1; assign 0; ");
	accept_all(1);
	(void)reload_reassign(reload);
	assert_events("from 0 to 1; switch 1 0 0; assign 1; ");
}

/* What the parent finds wrong by itself is over at once. */
static void
test_wrong(void **state)
{
	(void)state;
	world.wrong = true;
	reload_start(reload, on_done, ann);
	assert_events("read; complaints; ann: file:1: wrong|; ");
	world.wrong = false;
	world.needs_restart = "sandbox";
	reload_start(reload, on_done, bob);
	assert_events("read; complaints; bob: sandbox: cannot be changed by a "
		      "reload; restart tetherd|; ");
	world.needs_restart = NULL;
	world.check = "/log: Permission denied";
	reload_start(reload, on_done, eve);
	assert_events(
	    "read; complaints; check; eve: /log: Permission denied|; ");
	assert_int_equal(living, 1);
	assert_ptr_equal(reload_settings(reload), first);
	world.check = NULL;
	reload_start(reload, on_done, ann);
	assert_events("read; complaints; check; stage 1; ");
	accept_all(1);
	assert_events("from 0 to 3; switch 1 0 0; ann: well; ");
}

static void
test_refused(void **state)
{
	(void)state;
	reload_start(reload, on_done, ann);
	reload_on_accepted(reload, PROGRAM_AUTHD, 1, CONF_TOKEN | CONF_RESTART);
	reload_on_refused(reload, PROGRAM_PROXYD, 1, "too many");
	assert_events("read; complaints; check; stage 1; drop 1; dropped; "
		      "ann: reload: proxyd refuses: too many|; ");
	reload_on_accepted(reload, PROGRAM_CONNECTOR, 1, 0);
	assert_events("");
	assert_false(evtimer_pending(timer, NULL));

	/* Nothing of it is left in the next one. */
	reload_start(reload, on_done, ann);
	reload_on_accepted(reload, PROGRAM_CONNECTOR, 2, 0);
	reload_on_accepted(reload, PROGRAM_PROXYD, 2, 0);
	assert_events("read; complaints; check; stage 2; ");
	reload_on_accepted(reload, PROGRAM_AUTHD, 2, 0);
	assert_events("from 0 to 2; switch 2 0 0; ann: well; ");
}

static void
test_timeout(void **state)
{
	(void)state;
	reload_start(reload, on_done, ann);
	reload_on_accepted(reload, PROGRAM_PROXYD, 1, 0);
	events[0] = '\0';
	time_out();
	assert_events("drop 1; dropped; "
		      "ann: reload: authd did not answer within 10 s|"
		      "reload: connector did not answer within 10 s|; ");
	reload_on_accepted(reload, PROGRAM_AUTHD, 1, 0);
	reload_on_accepted(reload, PROGRAM_CONNECTOR, 1, 0);
	assert_events("");
	assert_ptr_equal(reload_settings(reload), first);
}

/* One after the other: those who are asked before those who ask. */
static void
test_switching(void **state)
{
	(void)state;
	world.slow = true;
	reload_start(reload, on_done, ann);
	reload_on_accepted(reload, PROGRAM_PROXYD, 1, CONF_RESTART);
	reload_on_accepted(reload, PROGRAM_AUTHD, 1, 0);
	events[0] = '\0';
	reload_on_accepted(reload, PROGRAM_CONNECTOR, 1, 0);
	assert_events("from 0 to 1; switch authd 1; ");

	/* Not its turn, not its number, and nothing that leads back. */
	reload_on_switched(reload, PROGRAM_PROXYD, 1);
	reload_on_switched(reload, PROGRAM_AUTHD, 2);
	reload_on_refused(reload, PROGRAM_AUTHD, 1, "why");
	reload_on_lost(reload, PROGRAM_AUTHD);
	reload_on_all_running(reload);
	accept_all(1);
	reload_start(reload, on_done, bob);
	assert_events("");

	reload_on_switched(reload, PROGRAM_AUTHD, 1);
	assert_events("switch proxyd 1 anew; ");
	reload_on_switched(reload, PROGRAM_PROXYD, 1);
	assert_events("switch connector 1; ");
	reload_on_switched(reload, PROGRAM_CONNECTOR, 1);
	assert_events("ann: well; read; complaints; check; stage 2; ");
	assert_int_equal(living, 2);
}

static void
test_switching_timeout(void **state)
{
	(void)state;
	world.slow = true;
	reload_start(reload, on_done, ann);
	accept_all(1);
	events[0] = '\0';
	reload_on_switched(reload, PROGRAM_AUTHD, 1);
	assert_events("switch proxyd 1; ");
	time_out();
	assert_events("give up proxyd; switch connector 1; ");
	reload_on_switched(reload, PROGRAM_PROXYD, 1);
	assert_events("");
	time_out();
	assert_events("give up connector; ann: well; ");
	assert_false(evtimer_pending(timer, NULL));
}

static void
test_switching_stop(void **state)
{
	(void)state;
	world.slow = true;
	reload_start(reload, on_done, ann);
	accept_all(1);
	events[0] = '\0';
	reload_stop(reload);
	assert_events("ann: well; ");
	reload_on_switched(reload, PROGRAM_AUTHD, 1);
	assert_events("");
	assert_false(evtimer_pending(timer, NULL));
}

static void
test_lost(void **state)
{
	(void)state;
	reload_start(reload, on_done, ann);
	reload_on_accepted(reload, PROGRAM_AUTHD, 1, 0);
	events[0] = '\0';
	reload_on_lost(reload, PROGRAM_AUTHD);
	assert_events("drop 1; dropped; ann: reload: authd died|; ");
	reload_on_all_running(reload);
	assert_events("");
}

/* Not all run: they are waited for, and may die meanwhile. */
static void
test_waiting(void **state)
{
	(void)state;
	world.all_run = false;
	reload_start(reload, on_done, ann);
	assert_events("read; complaints; check; ");
	reload_on_lost(reload, PROGRAM_AUTHD);
	accept_all(0);
	accept_all(1);
	reload_on_all_running(reload);
	assert_events("");
	world.all_run = true;
	reload_on_all_running(reload);
	assert_events("stage 1; ");
	assert_true(evtimer_pending(timer, NULL));
	accept_all(1);
	assert_events("from 0 to 1; switch 1 0 0; ann: well; ");

	world.all_run = false;
	reload_start(reload, on_done, ann);
	events[0] = '\0';
	time_out();
	assert_events("dropped; "
		      "ann: reload: not all processes ran within 10 s|; ");
}

/* Those who ask meanwhile share the next one. */
static void
test_queue(void **state)
{
	int i;

	(void)state;
	reload_start(reload, on_done, ann);
	reload_start(reload, on_done, bob);
	reload_start(reload, on_done, eve);
	for (i = 0; i < 1000; i++)
		reload_start(reload, NULL, NULL);
	assert_events("read; complaints; check; stage 1; ");
	reload_on_refused(reload, PROGRAM_AUTHD, 1, "no");
	assert_events("drop 1; dropped; ann: reload: authd refuses: no|; "
		      "read; complaints; check; stage 2; ");
	accept_all(2);
	assert_events("from 0 to 2; switch 2 0 0; bob: well; eve: well; ");

	reload_start(reload, on_done, ann);
	reload_start(reload, on_done, bob);
	reload_start(reload, on_done, eve);
	reload_start(reload, on_done, bob);
	reload_forget(reload, ann);
	reload_forget(reload, bob);
	events[0] = '\0';
	accept_all(3);
	assert_events("from 2 to 3; switch 3 0 0; read; complaints; check; "
		      "stage 4; ");
	reload_forget(reload, eve);
	accept_all(4);
	assert_events("from 3 to 4; switch 4 0 0; ");
}

/* Who is told may ask for another one at once. */
static void
test_again(void **state)
{
	(void)state;
	world.again = true;
	reload_start(reload, on_done, ann);
	reload_start(reload, on_done, bob);
	events[0] = '\0';
	accept_all(1);
	assert_events("from 0 to 1; switch 1 0 0; ann: well; asked again; "
		      "read; complaints; check; stage 2; ");
	accept_all(2);
	assert_events("from 1 to 2; switch 2 0 0; bob: well; ann: well; ");

	world.again = world.wrong = true;
	reload_start(reload, on_done, eve);
	assert_events("read; complaints; eve: file:1: wrong|; asked again; "
		      "read; complaints; eve: file:1: wrong|; ");
}

static void
test_stop(void **state)
{
	(void)state;
	reload_start(reload, on_done, ann);
	reload_start(reload, on_done, bob);
	events[0] = '\0';
	reload_stop(reload);
	assert_events("drop 1; dropped; ann: reload: tetherd is stopping|; "
		      "bob: reload: tetherd is stopping|; ");
	reload_stop(reload);
	reload_start(reload, on_done, eve);
	reload_on_all_running(reload);
	accept_all(1);
	assert_events("eve: reload: tetherd is stopping|; ");
}

/* Nobody is told when all is at its end. */
static void
test_end(void **state)
{
	(void)state;
	reload_free(NULL);
	reload_start(reload, on_done, ann);
	reload_start(reload, on_done, bob);
	events[0] = '\0';
	reload_free(reload);
	assert_events("dropped; ");
	assert_int_equal(living, 0);
	first = calloc(1, sizeof(*first));
	living++;
	reload = reload_new(base, NULL, &sources, first, &ops, NULL);
}

/* More than fits is cut. */
static void
test_long(void **state)
{
	static char why[2 * RELOAD_WHY_SIZE];

	(void)state;
	memset(why, 'x', sizeof(why) - 1);
	world.check = why;
	reload_start(reload, on_done, ann);
	assert_non_null(strstr(events, "ann: xxxxxxxx"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_success),
		TEST(test_flags),
		TEST(test_trial),
		TEST(test_trial_fails),
		TEST(test_reassign),
		TEST(test_wrong),
		TEST(test_refused),
		TEST(test_timeout),
		TEST(test_switching),
		TEST(test_switching_timeout),
		TEST(test_switching_stop),
		TEST(test_lost),
		TEST(test_waiting),
		TEST(test_queue),
		TEST(test_again),
		TEST(test_stop),
		TEST(test_end),
		TEST(test_long),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
