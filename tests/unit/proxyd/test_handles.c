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
#include "proxyd/handles.h"
#include "proxyd/proxyd.h"

#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))
#define QUESTIONS_MAX 4096
#define SAMPLE	      HANDLE_PREFIX "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM-_09"
#define OTHER	      HANDLE_PREFIX "zbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM-_09"

/* The channel to authd: it stands in front of the real one. */
static bool authd_is_there;

static struct question {
	uint64_t id;
	enum msg_type type;
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
	char handle[HANDLE_SIZE];
} questions[QUESTIONS_MAX];
static size_t nquestions;

bool
child_send(struct child *child, enum program peer, struct msg_out *m)
{
	struct msg in = { .fd = -1, .data = m->data, .len = m->len };
	struct question *q = &questions[nquestions];

	assert_int_equal(child->self, PROGRAM_PROXYD);
	assert_int_equal(peer, PROGRAM_AUTHD);
	assert_false(m->failed);
	if (authd_is_there) {
		assert_in_range(nquestions, 0, QUESTIONS_MAX - 1);
		memset(q, 0, sizeof(*q));
		q->id = m->id;
		q->type = m->type;
		if (m->type == MSG_HANDLE_NEW) {
			assert_int_equal(
			    handle_owner_read(&in, &q->github_id, q->login), 0);
		} else {
			assert_int_equal(m->type, MSG_HANDLE_CHECK);
			assert_int_equal(handle_read(&in, q->handle), 0);
		}
		nquestions++;
	}
	msg_discard(m);
	return authd_is_there;
}

struct fixture {
	struct proxyd proxyd;
	struct handles *h;
};

/* One that waits, and what it was told. */
struct waiter {
	struct handle_wait wait;
	unsigned told;
	struct handle_answer answer;
	struct fixture *f;
	struct waiter *cancels; /* another one, when it is told */
	bool asks_again;	/* the same once more, when it is told */
	bool ends;		/* it is gone when it was told */
};

static void check(struct fixture *, const char *, struct waiter *);

static void
on_done(void *arg, const struct handle_answer *answer)
{
	struct waiter *w = arg;

	assert_null(w->wait.question);
	w->told++;
	w->answer = *answer;
	if (w->cancels != NULL)
		handles_cancel(&w->cancels->wait);
	if (w->asks_again)
		check(w->f, SAMPLE, w);
	if (w->ends)
		free(w);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->proxyd.child.base = event_base_new()) == NULL)
		return -1;
	nquestions = 0;
	authd_is_there = true;
	f->proxyd.child.self = PROGRAM_PROXYD;
	f->h = handles_new(&f->proxyd);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	handles_free(f->h);
	event_base_free(f->proxyd.child.base);
	free(f);
	return 0;
}

static void
make(struct fixture *f, uint64_t github_id, const char *login, struct waiter *w)
{
	unsigned told = w->told;

	w->f = f;
	w->wait.done = on_done;
	w->wait.arg = w;
	handles_make(f->h, github_id, login, &w->wait);
	assert_non_null(w->wait.question);
	assert_int_equal(w->told, told);
}

static void
check(struct fixture *f, const char *handle, struct waiter *w)
{
	unsigned told = w->told;

	w->f = f;
	w->wait.done = on_done;
	w->wait.arg = w;
	handles_check(f->h, handle, &w->wait);
	assert_non_null(w->wait.question);
	assert_int_equal(w->told, told);
}

/* One turn of the event loop, without waiting. */
static void
turn(struct fixture *f)
{
	(void)event_base_loop(
	    f->proxyd.child.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static int
answer_handle(struct fixture *f, uint64_t id, const char *handle)
{
	struct msg_out out;
	struct msg m;
	int rc;

	msg_start(&out, MSG_HANDLE, id);
	handle_add(&out, handle);
	m = (struct msg){ .type = MSG_HANDLE,
		.id = id,
		.fd = -1,
		.data = out.data,
		.len = out.len };
	rc = handles_on_handle(f->h, &m);
	msg_discard(&out);
	return rc;
}

static int
answer_owner(
    struct fixture *f, uint64_t id, uint64_t github_id, const char *login)
{
	struct msg_out out;
	struct msg m;
	int rc;

	msg_start(&out, MSG_HANDLE_OWNER, id);
	handle_owner_add(&out, github_id, login);
	m = (struct msg){ .type = MSG_HANDLE_OWNER,
		.id = id,
		.fd = -1,
		.data = out.data,
		.len = out.len };
	rc = handles_on_owner(f->h, &m);
	msg_discard(&out);
	return rc;
}

static void
assert_told(const struct waiter *w, unsigned told, const char *handle,
    uint64_t github_id, const char *login)
{
	assert_int_equal(w->told, told);
	assert_string_equal(w->answer.handle, handle);
	assert_true(w->answer.github_id == github_id);
	assert_string_equal(w->answer.login, login);
}

static void
test_make(void **state)
{
	struct fixture *f = *state;
	struct waiter a = { 0 }, b = { 0 };

	make(f, UINT64_MAX, "mona", &a);
	make(f, UINT64_MAX, "mona", &b);
	/* Each page has one of its own. */
	assert_int_equal(nquestions, 2);
	assert_int_equal(questions[0].type, MSG_HANDLE_NEW);
	assert_true(questions[0].github_id == UINT64_MAX);
	assert_string_equal(questions[0].login, "mona");
	assert_int_not_equal(questions[0].id, 0);
	assert_int_not_equal(questions[0].id, questions[1].id);
	/* In another order. */
	assert_int_equal(answer_handle(f, questions[1].id, OTHER), 0);
	assert_int_equal(a.told, 0);
	assert_told(&b, 1, OTHER, 0, "");
	assert_int_equal(answer_handle(f, questions[0].id, SAMPLE), 0);
	assert_told(&a, 1, SAMPLE, 0, "");
	/* authd has none for them. */
	make(f, 5, "mona", &a);
	assert_int_equal(answer_handle(f, questions[2].id, ""), 0);
	assert_told(&a, 2, "", 0, "");
}

static void
test_check(void **state)
{
	struct fixture *f = *state;
	struct waiter a = { 0 }, b = { 0 }, c = { 0 };

	check(f, SAMPLE, &a);
	check(f, OTHER, &b);
	make(f, 7, "bart", &c);
	assert_int_equal(nquestions, 3);
	assert_int_equal(questions[0].type, MSG_HANDLE_CHECK);
	assert_string_equal(questions[0].handle, SAMPLE);
	assert_string_equal(questions[1].handle, OTHER);
	assert_int_equal(answer_owner(f, questions[1].id, 0, ""), 0);
	assert_told(&b, 1, "", 0, "");
	assert_int_equal(answer_owner(f, questions[0].id, 5, "mona"), 0);
	assert_told(&a, 1, "", 5, "mona");
	assert_int_equal(c.told, 0);
	assert_int_equal(answer_handle(f, questions[2].id, SAMPLE), 0);
	assert_told(&c, 1, SAMPLE, 0, "");
}

/* What authd must never see: it would take us for broken. */
static void
test_unfit(void **state)
{
	static const char *const strings[] = { "", "x", HANDLE_PREFIX,
		SAMPLE "x", "\xff\n", "a.b.c",
		"tether_ bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM-_09" };
	struct fixture *f = *state;
	struct waiter w = { 0 };
	char *text = malloc(100001);
	unsigned i;

	assert_non_null(text);
	for (i = 0; i < COUNT(strings); i++) {
		memset(&w.answer, 0xff, sizeof(w.answer));
		check(f, strings[i], &w);
		turn(f);
		assert_told(&w, i + 1, "", 0, "");
	}
	memset(text, 'x', 100000);
	text[100000] = '\0';
	memset(&w.answer, 0xff, sizeof(w.answer));
	check(f, text, &w);
	turn(f);
	assert_told(&w, i + 1, "", 0, "");
	make(f, 5, text, &w);
	turn(f);
	assert_told(&w, i + 2, "", 0, "");
	/* One too long, and the longest. */
	text[SESSION_LOGIN_MAX] = '\0';
	make(f, 5, text, &w);
	turn(f);
	assert_told(&w, i + 3, "", 0, "");
	assert_int_equal(nquestions, 0);
	text[SESSION_LOGIN_MAX - 1] = '\0';
	make(f, 5, text, &w);
	assert_int_equal(nquestions, 1);
	assert_string_equal(questions[0].login, text);
	turn(f);
	assert_int_equal(w.told, i + 3);
	handles_cancel(&w.wait);
	free(text);
}

static void
test_cancel(void **state)
{
	struct fixture *f = *state;
	struct waiter a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	struct waiter *gone = calloc(1, sizeof(*gone));

	assert_non_null(gone);
	handles_cancel(&a.wait); /* it does not wait */
	make(f, 5, "mona", &a);
	check(f, SAMPLE, &b);
	check(f, "nonsense", &c);
	check(f, "nonsense", &d);
	handles_cancel(&a.wait);
	handles_cancel(&a.wait);
	handles_cancel(&b.wait);
	handles_cancel(&c.wait);
	assert_null(a.wait.question);
	assert_int_equal(answer_handle(f, questions[0].id, SAMPLE), 0);
	assert_int_equal(answer_owner(f, questions[1].id, 5, "mona"), 0);
	turn(f);
	assert_int_equal(a.told + b.told + c.told, 0);
	assert_int_equal(d.told, 1);

	/* From inside, of those that come next. */
	a.cancels = &b;
	check(f, "nonsense", &a);
	check(f, "nonsense", &b);
	turn(f);
	turn(f);
	assert_int_equal(a.told, 1);
	assert_int_equal(b.told, 0);
	check(f, SAMPLE, &a);
	check(f, SAMPLE, &b);
	assert_int_equal(answer_owner(f, questions[2].id, 5, "mona"), 0);
	assert_int_equal(answer_owner(f, questions[3].id, 5, "mona"), 0);
	assert_int_equal(a.told, 2);
	assert_int_equal(b.told, 0);

	/* One that is freed there. */
	gone->ends = true;
	check(f, SAMPLE, gone);
	assert_int_equal(answer_owner(f, questions[4].id, 5, "mona"), 0);
	gone = calloc(1, sizeof(*gone));
	assert_non_null(gone);
	gone->ends = true;
	check(f, "nonsense", gone);
	turn(f);

	/* Whoever waits at the end is let go. */
	make(f, 5, "mona", &a);
	check(f, "nonsense", &b);
	handles_free(f->h);
	assert_null(a.wait.question);
	assert_null(b.wait.question);
	turn(f);
	handles_cancel(&a.wait);
	f->h = handles_new(&f->proxyd);
	assert_int_equal(a.told, 2);
	assert_int_equal(b.told, 0);
}

/* Answers that nobody asked for, of the other kind, or malformed. */
static void
test_stray(void **state)
{
	struct fixture *f = *state;
	struct waiter a = { 0 }, b = { 0 };
	struct msg m = { .fd = -1, .data = (const uint8_t *)"", .len = 0 };

	assert_int_equal(answer_handle(f, 0, SAMPLE), 0);
	assert_int_equal(answer_handle(f, 17, SAMPLE), 0);
	assert_int_equal(answer_owner(f, 0, 5, "mona"), 0);
	assert_int_equal(answer_owner(f, 17, 5, "mona"), 0);
	make(f, 5, "mona", &a);
	check(f, SAMPLE, &b);
	assert_int_equal(answer_handle(f, 0, SAMPLE), 0);
	assert_int_equal(answer_handle(f, questions[1].id + 1, SAMPLE), 0);
	assert_int_equal(answer_handle(f, questions[1].id, SAMPLE), -1);
	assert_int_equal(answer_owner(f, questions[0].id, 5, "mona"), -1);
	assert_int_equal(answer_handle(f, questions[0].id, "nonsense"), -1);
	m.id = questions[0].id;
	assert_int_equal(handles_on_handle(f->h, &m), -1);
	m.id = questions[1].id;
	assert_int_equal(handles_on_owner(f->h, &m), -1);
	assert_int_equal(a.told + b.told, 0);
	assert_int_equal(answer_handle(f, questions[0].id, SAMPLE), 0);
	assert_int_equal(answer_owner(f, questions[1].id, 5, "mona"), 0);
	/* Twice. */
	assert_int_equal(answer_handle(f, questions[0].id, OTHER), 0);
	assert_told(&a, 1, SAMPLE, 0, "");
	assert_told(&b, 1, "", 5, "mona");
	/* Those that are refused have no id that could be answered. */
	check(f, "nonsense", &a);
	assert_int_equal(answer_owner(f, 0, 5, "mona"), 0);
	assert_int_equal(a.told, 1);
	turn(f);
	assert_told(&a, 2, "", 0, "");
}

/* authd died with questions, or was not there at all. */
static void
test_authd_returns(void **state)
{
	struct fixture *f = *state;
	struct waiter a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 }, e = { 0 };
	uint64_t first, second;

	handles_on_authd(f->h);
	assert_int_equal(nquestions, 0);
	make(f, 1, "mona", &a);
	check(f, SAMPLE, &b);
	make(f, 2, "lisa", &c);
	check(f, OTHER, &e);
	first = questions[0].id;
	second = questions[1].id;
	assert_int_equal(answer_handle(f, questions[2].id, OTHER), 0);
	handles_cancel(&e.wait);
	authd_is_there = false;
	make(f, 3, "bart", &d);
	check(f, "nonsense", &c);
	authd_is_there = true;
	nquestions = 0;
	handles_on_authd(f->h);
	/* Those without an answer, and no others. */
	assert_int_equal(nquestions, 3);
	assert_int_equal(questions[0].type, MSG_HANDLE_NEW);
	assert_int_equal(questions[0].github_id, 1);
	assert_string_equal(questions[0].login, "mona");
	assert_int_equal(questions[1].type, MSG_HANDLE_CHECK);
	assert_string_equal(questions[1].handle, SAMPLE);
	assert_string_equal(questions[2].login, "bart");
	/* An answer of the one that died counts no more. */
	assert_int_equal(answer_handle(f, first, OTHER), 0);
	assert_int_equal(answer_owner(f, second, 9, "late"), 0);
	assert_int_equal(a.told + b.told, 0);
	assert_int_equal(answer_handle(f, questions[2].id, OTHER), 0);
	assert_int_equal(answer_owner(f, questions[1].id, 5, "mona"), 0);
	assert_int_equal(answer_handle(f, questions[0].id, SAMPLE), 0);
	assert_told(&a, 1, SAMPLE, 0, "");
	assert_told(&b, 1, "", 5, "mona");
	assert_told(&d, 1, OTHER, 0, "");
	assert_int_equal(e.told, 0);
	turn(f);
	assert_told(&c, 2, "", 0, "");
	nquestions = 0;
	handles_on_authd(f->h);
	assert_int_equal(nquestions, 0);
}

/* 1024 at once: beyond, nothing is asked. */
static void
test_many(void **state)
{
	struct fixture *f = *state;
	struct waiter *w = calloc(1100, sizeof(*w));
	size_t i;

	assert_non_null(w);
	for (i = 0; i < 1100; i++) {
		if (i % 2 == 0)
			make(f, 5, "mona", &w[i]);
		else
			check(f, SAMPLE, &w[i]);
	}
	assert_int_equal(nquestions, 1024);
	turn(f);
	for (i = 0; i < 1100; i++)
		assert_int_equal(w[i].told, i < 1024 ? 0 : 1);
	/* One that still gets "nothing" asks again: later, not for ever. */
	w[1099].asks_again = true;
	check(f, SAMPLE, &w[1099]);
	for (i = 2; i < 10; i++) {
		turn(f);
		assert_int_equal(w[1099].told, i);
	}
	w[1099].asks_again = false;
	/* Room again. */
	handles_cancel(&w[0].wait);
	assert_int_equal(answer_owner(f, questions[1].id, 5, "mona"), 0);
	for (i = 1096; i < 1099; i++)
		check(f, SAMPLE, &w[i]);
	assert_int_equal(nquestions, 1026);
	turn(f);
	assert_int_equal(w[1096].told, 1);
	assert_int_equal(w[1097].told, 1);
	assert_int_equal(w[1098].told, 2);
	handles_free(f->h);
	free(w);
	f->h = handles_new(&f->proxyd);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_make),
		TEST(test_check),
		TEST(test_unfit),
		TEST(test_cancel),
		TEST(test_stray),
		TEST(test_authd_returns),
		TEST(test_many),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
