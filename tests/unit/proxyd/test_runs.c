#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "proxyd/activity.h"
#include "proxyd/proxyd.h"
#include "proxyd/run_list.h"
#include "proxyd/run_poll.h"
#include "proxyd/runs.h"
#include "tests/unit/fake_time.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Who asks, and who is told: both stand in front of the real ones. */
static unsigned soon, uses, restarts, updates, tells;

struct run_poll *
run_poll_new(struct proxyd *p, struct runs *runs)
{
	(void)p;
	(void)runs;
	return NULL;
}

void
run_poll_free(struct run_poll *poll)
{
	(void)poll;
}

void
run_poll_soon(struct run_poll *poll)
{
	(void)poll;
	soon++;
}

void
run_poll_use(struct run_poll *poll)
{
	(void)poll;
	uses++;
}

void
run_poll_restart(struct run_poll *poll)
{
	(void)poll;
	restarts++;
}

void
activity_update(struct proxyd *p)
{
	(void)p;
	updates++;
}

void
activity_tell(struct proxyd *p)
{
	(void)p;
	tells++;
}

struct fixture {
	struct proxyd p;
	struct runs *runs;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	now_ms = 1000000;
	soon = uses = restarts = updates = tells = 0;
	f->p.child.base = event_base_new();
	f->p.conf.watch_runs = true;
	f->p.link_is_up = true;
	f->runs = runs_new(&f->p);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	runs_free(f->runs);
	event_base_free(f->p.child.base);
	free(f);
	return 0;
}

/* Owners are known by their addresses alone. */
static const char a, b;

/* The app lists these, a string with blanks between them. */
static void
answer_at(struct fixture *f, enum run_app app, const char *names, size_t more,
    int64_t asked_ms)
{
	struct run_list *list = calloc(1, sizeof(*list));
	char copy[256], *name, *rest = copy;

	assert_non_null(list);
	(void)strlcpy(copy, names, sizeof(copy));
	while ((name = strsep(&rest, " ")) != NULL)
		if (name[0] != '\0')
			(void)strlcpy(list->sessions[list->count++], name,
			    RUN_SESSION_SIZE);
	list->total = list->count + more;
	runs_on_answer(f->runs, app, list, asked_ms);
	free(list);
}

static void
answer(struct fixture *f, enum run_app app, const char *names)
{
	answer_at(f, app, names, 0, now_ms);
}

static void
expect_text(struct fixture *f, const char *wanted)
{
	assert_string_equal(runs_text(f->runs), wanted);
}

static void
test_texts(void **state)
{
	struct fixture *f = *state;

	expect_text(f, "unknown: not asked yet");
	f->p.link_is_up = false;
	expect_text(f, "unknown: not asked while there is no connection");
	f->p.link_is_up = true;
	answer(f, RUN_APP_NEW, "");
	expect_text(f, "none (asked: cloudcli)");
	answer(f, RUN_APP_OLD, "x y");
	expect_text(f, "2 (asked: claude-code-ui)");
	answer_at(f, RUN_APP_NEW, "x", 1000000, now_ms);
	expect_text(f, "1000001 (asked: cloudcli)");
	runs_on_failure(f->runs, "because");
	expect_text(f, "1000001 (from traffic; because)");
	runs_on_absence(f->runs);
	expect_text(f, "unknown: because");
	f->p.conf.watch_runs = false;
	runs_on_settings(f->runs);
	expect_text(f, "none (from traffic)");
	runs_begin(f->runs, RUN_APP_NEW, &a, "s");
	expect_text(f, "1 (from traffic)");
	assert_int_equal(restarts, 1);
	f->p.conf.watch_runs = true;
	runs_on_failure(f->runs, "because");
	runs_on_link(f->runs);
	expect_text(f, "1 (from traffic; not asked yet)");
}

static void
test_known(void **state)
{
	struct fixture *f = *state;

	assert_false(runs_are_known(f->runs));
	f->p.conf.watch_runs = false;
	assert_true(runs_are_known(f->runs));
	f->p.conf.watch_runs = true;
	runs_begin(f->runs, RUN_APP_NEW, &a, "s");
	assert_false(runs_are_known(f->runs));
	answer(f, RUN_APP_NEW, "s");
	assert_true(runs_are_known(f->runs));
	assert_int_equal(tells, 1);
	answer(f, RUN_APP_NEW, "");
	runs_on_failure(f->runs, "because");
	assert_int_equal(tells, 1);
	teardown(state);
	setup(state);
	f = *state;
	runs_on_failure(f->runs, "because");
	assert_true(runs_are_known(f->runs));
	assert_int_equal(tells, 1);
}

static void
test_begin_and_end(void **state)
{
	struct fixture *f = *state;

	assert_false(runs_any(f->runs));
	runs_begin(f->runs, RUN_APP_NEW, &a, "s");
	assert_true(runs_any(f->runs));
	assert_true(runs_are_doubtful(f->runs));
	assert_int_equal(updates, 1);
	assert_int_equal(soon, 1);
	runs_begin(f->runs, RUN_APP_NEW, &b, "s");
	assert_true(runs_has(f->runs, &a));
	assert_false(runs_has(f->runs, &b));
	runs_begin(f->runs, RUN_APP_NEW, &b, "t");
	assert_int_equal(updates, 1);
	assert_int_equal(soon, 3);
	/* On whatever socket it is told. */
	runs_end(f->runs, RUN_APP_NEW, &b, "s");
	assert_false(runs_has(f->runs, &a));
	assert_int_equal(updates, 1);
	runs_end(f->runs, RUN_APP_NEW, &b, "s");
	runs_end(f->runs, RUN_APP_NEW, &b, "");
	assert_true(runs_any(f->runs));
	runs_end(f->runs, RUN_APP_NEW, &a, "t");
	assert_false(runs_any(f->runs));
	assert_int_equal(updates, 2);
	assert_int_equal(soon, 7);
	runs_doubt(f->runs);
	assert_int_equal(soon, 8);
	runs_on_use(f->runs);
	assert_int_equal(soon, 8);
	assert_int_equal(uses, 1);
}

/* The old app's, whose names come later, or never. */
static void
test_nameless(void **state)
{
	struct fixture *f = *state;

	runs_begin(f->runs, RUN_APP_OLD, &a, "");
	runs_begin(f->runs, RUN_APP_OLD, &a, "");
	runs_begin(f->runs, RUN_APP_OLD, &b, "");
	expect_text(f, "3 (from traffic; not asked yet)");
	runs_name(f->runs, &a, "s");
	runs_name(f->runs, &a, "");
	runs_end(f->runs, RUN_APP_OLD, &a, "s");
	assert_true(runs_has(f->runs, &a));
	/* A name that is not known is that of one that has none, there. */
	runs_end(f->runs, RUN_APP_OLD, &a, "u");
	assert_false(runs_has(f->runs, &a));
	assert_true(runs_has(f->runs, &b));
	runs_end(f->runs, RUN_APP_OLD, &a, "u");
	runs_end(f->runs, RUN_APP_OLD, &a, "");
	assert_true(runs_has(f->runs, &b));
	/* Without a name it can only be one. */
	runs_name(f->runs, &b, "v");
	runs_begin(f->runs, RUN_APP_OLD, &b, "w");
	runs_end(f->runs, RUN_APP_OLD, &b, "");
	expect_text(f, "2 (from traffic; not asked yet)");
	runs_end(f->runs, RUN_APP_OLD, &b, "v");
	runs_end(f->runs, RUN_APP_OLD, &b, "x");
	runs_end(f->runs, RUN_APP_NEW, &b, "");
	assert_true(runs_any(f->runs));
	runs_end(f->runs, RUN_APP_OLD, &b, "");
	assert_false(runs_any(f->runs));
}

static void
test_named_twice(void **state)
{
	struct fixture *f = *state;

	runs_begin(f->runs, RUN_APP_OLD, &a, "");
	answer_at(f, RUN_APP_OLD, "", 0, now_ms);
	answer_at(f, RUN_APP_OLD, "s", 0, now_ms);
	assert_false(runs_are_doubtful(f->runs));
	assert_true(runs_has(f->runs, &a));
	runs_begin(f->runs, RUN_APP_OLD, &b, "");
	runs_name(f->runs, &b, "s");
	expect_text(f, "1 (asked: claude-code-ui)");
	assert_true(runs_has(f->runs, &b));
	runs_name(f->runs, &b, "t");
	expect_text(f, "1 (asked: claude-code-ui)");
	runs_end(f->runs, RUN_APP_OLD, &b, "s");
	assert_false(runs_any(f->runs));
}

static void
test_answers(void **state)
{
	static const struct {
		enum run_app app;
		int64_t grace;
	} rows[] = { { RUN_APP_NEW, 1000 }, { RUN_APP_OLD, 3000 } };
	struct fixture *f;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		teardown(state);
		setup(state);
		f = *state;
		answer(f, rows[i].app, "x");
		assert_true(runs_any(f->runs));
		assert_false(runs_are_doubtful(f->runs));
		assert_int_equal(updates, 1);
		/* What began may not be there yet; what was there is gone. */
		runs_begin(f->runs, rows[i].app, &a, "s");
		now_ms += rows[i].grace - 1;
		answer(f, rows[i].app, "");
		expect_text(f, rows[i].app == RUN_APP_NEW
				   ? "1 (asked: cloudcli)"
				   : "1 (asked: claude-code-ui)");
		assert_true(runs_are_doubtful(f->runs));
		/* It was asked before. */
		now_ms += 10000;
		answer_at(f, rows[i].app, "", 0, now_ms - 10000);
		assert_true(runs_any(f->runs));
		answer_at(f, rows[i].app, "", 0, now_ms - 9999);
		assert_false(runs_any(f->runs));
		assert_int_equal(updates, 2);
		/* Once it was listed there is no grace. */
		runs_begin(f->runs, rows[i].app, &a, "s");
		answer(f, rows[i].app, "s");
		assert_true(runs_has(f->runs, &a));
		answer(f, rows[i].app, "");
		assert_false(runs_any(f->runs));
		/* But for one that begins in the same session. */
		runs_begin(f->runs, rows[i].app, &a, "s");
		answer(f, rows[i].app, "s");
		runs_begin(f->runs, rows[i].app, &a, "s");
		answer(f, rows[i].app, "");
		assert_true(runs_has(f->runs, &a));
	}
}

/* An answer that was under way when something ended counts for little. */
static void
test_contradicted(void **state)
{
	struct fixture *f = *state;

	runs_begin(f->runs, RUN_APP_NEW, &a, "s");
	now_ms += 100;
	runs_end(f->runs, RUN_APP_NEW, &a, "s");
	answer_at(f, RUN_APP_NEW, "s", 0, now_ms - 50);
	assert_false(runs_any(f->runs));
	expect_text(f, "none (asked: cloudcli)");
	/* But not twice, or who floods us would be all that we hear. */
	answer_at(f, RUN_APP_NEW, "s", 0, now_ms - 50);
	assert_true(runs_any(f->runs));
	answer_at(f, RUN_APP_NEW, "", 0, now_ms + 1);
	assert_false(runs_any(f->runs));
}

static void
test_disowned(void **state)
{
	struct fixture *f = *state;

	runs_begin(f->runs, RUN_APP_NEW, &a, "s");
	runs_deny(f->runs, "s");
	assert_true(runs_any(f->runs));
	runs_begin(f->runs, RUN_APP_NEW, &b, "t");
	runs_disown(f->runs, &a);
	assert_false(runs_has(f->runs, &a));
	assert_true(runs_has(f->runs, &b));
	runs_deny(f->runs, "t");
	expect_text(f, "2 (from traffic; not asked yet)");
	runs_deny(f->runs, "s");
	expect_text(f, "1 (from traffic; not asked yet)");
	/* Its page came back. */
	runs_disown(f->runs, &b);
	runs_begin(f->runs, RUN_APP_NEW, &a, "t");
	assert_true(runs_has(f->runs, &a));
	assert_int_equal(updates, 1);
}

static void
turn_clock(struct fixture *f, int64_t ms)
{
	struct timeval past = { 0, 0 };

	/* libevent has a clock of its own, or this one: both will do. */
	now_ms += ms;
	(void)event_base_loopexit(f->p.child.base, &past);
	(void)event_base_dispatch(f->p.child.base);
}

/* What nobody will ever tell the end of does not count for ever. */
static void
test_unheard(void **state)
{
	struct fixture *f = *state;

	f->p.conf.watch_runs = false;
	runs_begin(f->runs, RUN_APP_NEW, &a, "s");
	runs_begin(f->runs, RUN_APP_NEW, &b, "t");
	runs_disown(f->runs, &a);
	turn_clock(f, RUN_UNHEARD_MS / 2);
	expect_text(f, "2 (from traffic)");
	turn_clock(f, RUN_UNHEARD_MS);
	expect_text(f, "1 (from traffic)");
	runs_disown(f->runs, &b);
	turn_clock(f, RUN_UNHEARD_MS);
	expect_text(f, "none (from traffic)");
	assert_int_equal(updates, 2);
}

/* Nor does what has no name, and whose app is no more to be asked. */
static void
test_unheard_nameless(void **state)
{
	struct fixture *f = *state;

	answer_at(f, RUN_APP_OLD, "", 1, now_ms);
	runs_on_failure(f->runs, "because");
	turn_clock(f, RUN_UNHEARD_MS / 2);
	assert_true(runs_any(f->runs));
	turn_clock(f, RUN_UNHEARD_MS);
	assert_false(runs_any(f->runs));
	assert_int_equal(updates, 2);
}

/* What only the app told of ends when it is no more asked. */
static void
test_switched_off(void **state)
{
	struct fixture *f = *state;

	runs_begin(f->runs, RUN_APP_OLD, &a, "");
	answer_at(f, RUN_APP_OLD, "s t", 7, now_ms);
	runs_begin(f->runs, RUN_APP_OLD, &b, "");
	runs_name(f->runs, &b, "t");
	answer_at(f, RUN_APP_OLD, "s t u", 7, now_ms);
	runs_disown(f->runs, &a);
	runs_on_settings(f->runs);
	expect_text(f, "10 (from traffic; not asked yet)");
	f->p.conf.watch_runs = false;
	runs_on_settings(f->runs);
	expect_text(f, "2 (from traffic)");
	runs_end(f->runs, RUN_APP_OLD, &b, "s");
	runs_end(f->runs, RUN_APP_OLD, &b, "t");
	assert_false(runs_any(f->runs));
	assert_int_equal(updates, 2);
	assert_int_equal(tells, 1);
	teardown(state);
	setup(state);
	f = *state;
	/* Before it was ever asked: who waits for that is told. */
	f->p.conf.watch_runs = false;
	runs_on_settings(f->runs);
	runs_on_settings(f->runs);
	assert_int_equal(tells, 1);
}

static void
test_moves(void **state)
{
	struct fixture *f = *state;

	answer_at(f, RUN_APP_NEW, "s", 7, now_ms);
	runs_on_link(f->runs);
	assert_true(runs_any(f->runs));
	runs_on_settings(f->runs);
	assert_true(runs_any(f->runs));
	expect_text(f, "8 (from traffic; not asked yet)");
	runs_on_upstream(f->runs);
	assert_false(runs_any(f->runs));
	assert_int_equal(updates, 2);
	assert_int_equal(restarts, 3);
	answer_at(f, RUN_APP_NEW, "", 7, now_ms);
	assert_true(runs_any(f->runs));
	runs_on_absence(f->runs);
	assert_false(runs_any(f->runs));
	assert_int_equal(updates, 4);
}

static void
test_many(void **state)
{
	struct fixture *f = *state;
	char name[16];
	size_t i;

	for (i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof(name), "s%zu", i);
		runs_begin(f->runs, RUN_APP_NEW, &a, name);
		runs_begin(f->runs, RUN_APP_OLD, &b, "");
	}
	expect_text(f, "256 (from traffic; not asked yet)");
	answer(f, RUN_APP_NEW, "x");
	now_ms += 5000;
	answer(f, RUN_APP_NEW, "x y");
	expect_text(f, "2 (asked: cloudcli)");
	assert_int_equal(updates, 1);
}

/* What has no room left is counted. */
static void
test_full(void **state)
{
	struct fixture *f = *state;
	char name[16];
	size_t i;

	for (i = 0; i < RUNS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "s%zu", i);
		runs_begin(f->runs, RUN_APP_NEW, &a, name);
	}
	answer(f, RUN_APP_NEW, "x y s3");
	expect_text(f, "258 (asked: cloudcli)");
	now_ms += 5000;
	answer(f, RUN_APP_NEW, "x");
	expect_text(f, "1 (asked: cloudcli)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_texts),
		TEST(test_known),
		TEST(test_begin_and_end),
		TEST(test_nameless),
		TEST(test_named_twice),
		TEST(test_answers),
		TEST(test_contradicted),
		TEST(test_disowned),
		TEST(test_unheard),
		TEST(test_unheard_nameless),
		TEST(test_switched_off),
		TEST(test_moves),
		TEST(test_many),
		TEST(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
