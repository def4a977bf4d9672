#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/monotonic.h"
#include "common/session.h"
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

/*
 * All around the poll stands in front of the real ones: time, authd, both
 * apps, and those who are told.
 */
static struct world {
	int64_t now_ms, due_ms; /* due: 0 for never */
	struct event *timer;
	struct session_wait *wait; /* that authd is to answer */
	unsigned sign_ins, requests, questions, answers, absences, refusals;
	const struct run_ask_new_ops *new_ops; /* NULL: none is under way */
	const struct run_ask_old_ops *old_ops; /* NULL: there is no socket */
	const char *failure;
	bool any, doubtful;
	size_t used;
} world;

static struct session authds_answer;
static char the_new, the_old;
static struct run_list nothing;

int64_t
monotonic_ms(void)
{
	return world.now_ms;
}

void
timer_set(struct event *timer, uint32_t ms)
{
	const struct timeval late = { .tv_sec = 1000000 };

	world.timer = timer;
	world.due_ms = world.now_ms + ms;
	(void)evtimer_add(timer, &late);
}

const struct session *
sessions_get_service(
    struct sessions *s, enum session_service service, struct session_wait *wait)
{
	(void)s;
	assert_int_equal(service, SESSION_SERVICE_WATCH);
	assert_null(world.wait);
	world.wait = wait;
	world.sign_ins++;
	return NULL;
}

void
sessions_cancel(struct session_wait *wait)
{
	if (world.wait == wait)
		world.wait = NULL;
}

void
sessions_forget_service(struct sessions *s)
{
	(void)s;
	world.refusals++;
}

struct run_ask_new *
run_ask_new_start(struct proxyd *p, const char *jwt,
    const struct run_ask_new_ops *ops, void *arg)
{
	(void)p;
	(void)arg;
	assert_string_equal(jwt, "jwt");
	/* Never two, and never beside the socket. */
	assert_null(world.new_ops);
	assert_null(world.old_ops);
	world.new_ops = ops;
	world.requests++;
	return (struct run_ask_new *)&the_new;
}

void
run_ask_new_cancel(struct run_ask_new *ask)
{
	if (ask == NULL)
		return;
	assert_non_null(world.new_ops);
	world.new_ops = NULL;
}

struct run_ask_old *
run_ask_old_open(struct proxyd *p, const char *jwt,
    const struct run_ask_old_ops *ops, void *arg)
{
	(void)p;
	(void)arg;
	assert_string_equal(jwt, "jwt");
	assert_null(world.old_ops);
	assert_null(world.new_ops);
	world.old_ops = ops;
	return (struct run_ask_old *)&the_old;
}

void
run_ask_old_ask(struct run_ask_old *old)
{
	assert_ptr_equal(old, &the_old);
	assert_non_null(world.old_ops);
	world.questions++;
}

void
run_ask_old_free(struct run_ask_old *old)
{
	if (old == NULL)
		return;
	assert_non_null(world.old_ops);
	world.old_ops = NULL;
}

bool
runs_any(const struct runs *runs)
{
	(void)runs;
	return world.any;
}

bool
runs_are_doubtful(const struct runs *runs)
{
	(void)runs;
	return world.doubtful;
}

void
runs_on_answer(struct runs *runs, enum run_app app, const struct run_list *list,
    int64_t asked_ms)
{
	(void)runs;
	(void)app;
	(void)list;
	assert_true(asked_ms <= world.now_ms);
	world.answers++;
	world.failure = NULL;
}

void
runs_on_failure(struct runs *runs, const char *why)
{
	(void)runs;
	world.failure = why;
}

void
runs_on_absence(struct runs *runs)
{
	(void)runs;
	world.absences++;
}

size_t
tunnels_in_use(const struct tunnels *t)
{
	(void)t;
	return world.used;
}

size_t
chats_in_use(const struct chats *c)
{
	(void)c;
	return 0;
}

struct fixture {
	struct proxyd p;
	struct run_poll *poll;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	memset(&world, 0, sizeof(world));
	world.now_ms = 1000000;
	authds_answer.status = SESSION_OK;
	(void)strlcpy(authds_answer.jwt, "jwt", sizeof(authds_answer.jwt));
	f->p.child.base = event_base_new();
	f->p.conf.watch_runs = true;
	f->p.link_is_up = true;
	f->poll = run_poll_new(&f->p, NULL);
	run_poll_restart(f->poll);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	run_poll_free(f->poll);
	/* Nothing is left under way. */
	assert_null(world.wait);
	assert_null(world.new_ops);
	assert_null(world.old_ops);
	event_base_free(f->p.child.base);
	free(f);
	return 0;
}

/* Let time pass, and what is due happen. */
static void
pass(int64_t ms)
{
	const int64_t until = world.now_ms + ms;
	event_callback_fn call;
	void *arg;

	while (world.timer != NULL && evtimer_pending(world.timer, NULL) &&
	       world.due_ms <= until) {
		world.now_ms = world.due_ms;
		(void)evtimer_del(world.timer);
		call = event_get_callback(world.timer);
		arg = event_get_callback_arg(world.timer);
		call(-1, EV_TIMEOUT, arg);
	}
	world.now_ms = until;
}

/* authd says who we are, or why we are nobody. */
static void
sign_in(enum session_status status)
{
	struct session_wait *wait = world.wait;

	assert_non_null(wait);
	world.wait = NULL;
	authds_answer.status = status;
	wait->done(wait->arg, &authds_answer);
}

/* The request under way is over. */
static const struct run_ask_new_ops *
end_request(void)
{
	const struct run_ask_new_ops *ops = world.new_ops;

	assert_non_null(ops);
	world.new_ops = NULL;
	return ops;
}

static void
answer_new(struct fixture *f)
{
	sign_in(SESSION_OK);
	end_request()->answered(f->poll, &nothing);
}

/* It is not that one, and the other one is asked. */
static void
turn_to_old(struct fixture *f)
{
	sign_in(SESSION_OK);
	end_request()->other(f->poll);
	sign_in(SESSION_OK);
	assert_non_null(world.old_ops);
}

static void
close_old(struct fixture *f, const char *why)
{
	const struct run_ask_old_ops *ops = world.old_ops;

	assert_non_null(ops);
	world.old_ops = NULL;
	ops->closed(f->poll, why);
}

/* How long it is until somebody is asked. */
static int64_t
wait_for_question(void)
{
	int64_t before = world.now_ms;

	while (world.wait == NULL) {
		assert_true(world.now_ms < before + 60000);
		pass(10);
	}
	return world.now_ms - before;
}

static void
test_intervals(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(wait_for_question(), RUN_POLL_USED_MS);
	answer_new(f);
	assert_int_equal(wait_for_question(), RUN_POLL_UNUSED_MS);
	world.any = true;
	answer_new(f);
	assert_int_equal(wait_for_question(), RUN_POLL_USED_MS);
	world.doubtful = true;
	answer_new(f);
	assert_int_equal(wait_for_question(), RUN_POLL_DOUBT_MS);
	world.any = world.doubtful = false;
	world.used = 1;
	answer_new(f);
	assert_int_equal(wait_for_question(), RUN_POLL_USED_MS);
	world.used = 0;
	answer_new(f);
	run_poll_use(f->poll);
	assert_int_equal(wait_for_question(), RUN_POLL_USED_MS);
	answer_new(f);
	run_poll_soon(f->poll);
	run_poll_use(f->poll);
	assert_int_equal(wait_for_question(), RUN_POLL_SOON_MS);
	assert_int_equal(world.answers, 6);
}

/* However much happens, and however quickly the app answers. */
static void
test_flood(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 10000; i++) {
		run_poll_soon(f->poll);
		run_poll_use(f->poll);
		if (world.wait != NULL) {
			answer_new(f);
			run_poll_soon(f->poll);
		}
		pass(1);
	}
	assert_in_range(world.requests, 45, 50);
	/* And less often while that fails. */
	world.requests = 0;
	for (i = 0; i < 10000; i++) {
		run_poll_soon(f->poll);
		if (world.wait != NULL) {
			sign_in(SESSION_OK);
			run_poll_soon(f->poll);
			end_request()->failed(f->poll, "x");
		}
		pass(1);
	}
	assert_in_range(world.requests, 8, 11);
}

/* What happens while it is asked is asked about once more. */
static void
test_again(void **state)
{
	struct fixture *f = *state;

	wait_for_question();
	sign_in(SESSION_OK);
	run_poll_soon(f->poll);
	assert_int_equal(world.requests, 1);
	end_request()->answered(f->poll, &nothing);
	assert_int_equal(wait_for_question(), RUN_POLL_SOON_MS);
	answer_new(f);
	assert_int_equal(wait_for_question(), RUN_POLL_UNUSED_MS);
}

static void
test_silence(void **state)
{
	struct fixture *f = *state;

	/* Of authd, */
	wait_for_question();
	pass(RUN_POLL_LIMIT_MS - 1);
	assert_non_null(world.wait);
	pass(1);
	assert_null(world.wait);
	assert_string_equal(world.failure, "no answer in time");
	/* of one app, and of the other. */
	wait_for_question();
	sign_in(SESSION_OK);
	pass(RUN_POLL_LIMIT_MS);
	assert_null(world.new_ops);
	wait_for_question();
	turn_to_old(f);
	pass(RUN_POLL_LIMIT_MS);
	assert_null(world.old_ops);
	/* It is found out anew what it is. */
	wait_for_question();
	sign_in(SESSION_OK);
	assert_int_equal(world.requests, 3);
	end_request()->answered(f->poll, &nothing);
	assert_null(world.failure);
}

static void
test_old(void **state)
{
	struct fixture *f = *state;

	wait_for_question();
	turn_to_old(f);
	world.old_ops->answered(f->poll, &nothing);
	/* Nobody asked for that. */
	world.old_ops->answered(f->poll, &nothing);
	assert_int_equal(world.answers, 1);
	assert_int_equal(wait_for_question(), RUN_POLL_UNUSED_MS);
	sign_in(SESSION_OK);
	assert_int_equal(world.questions, 2);
	world.old_ops->answered(f->poll, &nothing);
	assert_int_equal(world.requests, 1);
	/* It may come back as another one. */
	close_old(f, "x");
	assert_null(world.failure);
	assert_int_equal(wait_for_question(), RUN_POLL_DOUBT_MS);
	answer_new(f);
	assert_int_equal(world.requests, 2);
	/* Its socket is closed while it is asked. */
	run_poll_restart(f->poll);
	wait_for_question();
	turn_to_old(f);
	close_old(f, "x");
	assert_string_equal(world.failure, "x");
}

/* A socket does not outlive what it was for, nor does its end disturb. */
static void
test_old_unnamed(void **state)
{
	struct fixture *f = *state;

	wait_for_question();
	turn_to_old(f);
	world.old_ops->answered(f->poll, &nothing);
	wait_for_question();
	sign_in(SESSION_UNAVAILABLE);
	assert_non_null(world.failure);
	assert_null(world.old_ops);
	wait_for_question();
	answer_new(f);
	assert_null(world.failure);
}

static void
test_refused(void **state)
{
	struct fixture *f = *state;

	wait_for_question();
	sign_in(SESSION_OK);
	end_request()->refused(f->poll);
	assert_int_equal(world.refusals, 1);
	assert_non_null(world.failure);
	wait_for_question();
	sign_in(SESSION_OK);
	end_request()->absent(f->poll);
	assert_int_equal(world.absences, 1);
	assert_int_equal(wait_for_question(), RUN_POLL_UNUSED_MS);
	sign_in(SESSION_DENIED);
	assert_non_null(world.failure);
	assert_int_equal(world.refusals, 1);
	assert_int_equal(wait_for_question(), RUN_POLL_UNUSED_MS);
}

/* In whatever state: nothing is asked that is not to be, nor is left. */
static void
test_stops(void **state)
{
	struct fixture *f = *state;
	bool *const switches[] = { &f->p.link_is_up, &f->p.conf.watch_runs };
	unsigned sign_ins;
	int stage, i;

	for (i = 0; i < 2 * 100; i++) {
		for (stage = 0; stage < 4; stage++) {
			wait_for_question();
			if (stage == 1)
				sign_in(SESSION_OK);
			else if (stage == 2)
				turn_to_old(f);
			else if (stage == 3)
				answer_new(f);
			*switches[i % 2] = false;
			run_poll_restart(f->poll);
			assert_null(world.wait);
			assert_null(world.new_ops);
			assert_null(world.old_ops);
			sign_ins = world.sign_ins;
			run_poll_soon(f->poll);
			run_poll_use(f->poll);
			pass(100000);
			assert_int_equal(world.sign_ins, sign_ins);
			*switches[i % 2] = true;
			run_poll_restart(f->poll);
		}
	}
	assert_int_equal(wait_for_question(), RUN_POLL_USED_MS);
	f->p.child.stopping = true;
	pass(RUN_POLL_LIMIT_MS);
	sign_ins = world.sign_ins;
	run_poll_soon(f->poll);
	pass(100000);
	assert_int_equal(world.sign_ins, sign_ins);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_intervals),
		TEST(test_flood),
		TEST(test_again),
		TEST(test_silence),
		TEST(test_old),
		TEST(test_old_unnamed),
		TEST(test_refused),
		TEST(test_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
