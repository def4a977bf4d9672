#include "tests/unit/proxyd/sessions_fixture.h"

static void
test_cached(void **state)
{
	struct fixture *f = *state;
	const struct session *session;
	struct waiter w = { 0 };

	assert_null(get(f, 5, "mona", &w));
	assert_int_equal(nquestions, 1);
	assert_int_not_equal(questions[0].id, 0);
	assert_int_equal(questions[0].github_id, 5);
	assert_string_equal(questions[0].login, "mona");
	assert_int_equal(w.told, 0);
	answer(f, questions[0].id, SESSION_OK, "a.b.c", 60000);
	assert_int_equal(w.told, 1);
	assert_int_equal(w.status, SESSION_OK);
	assert_string_equal(w.jwt, "a.b.c");

	now_ms += 59999;
	session = get(f, 5, "mona", &w);
	assert_non_null(session);
	assert_string_equal(session->jwt, "a.b.c");
	assert_int_equal(nquestions, 1);
	assert_int_equal(sessions_count(f->s), 1);
	now_ms += 1;
	assert_null(get(f, 5, "mona", &w));
	assert_int_equal(nquestions, 2);
	answer(f, questions[1].id, SESSION_DENIED, "", 5000);
	assert_int_equal(w.told, 2);
	assert_int_equal(w.status, SESSION_DENIED);
	/* A refusal is kept as well, for as long as authd says. */
	session = get(f, 5, "mona", &w);
	assert_non_null(session);
	assert_int_equal(session->status, SESSION_DENIED);
	assert_int_equal(sessions_count(f->s), 1);
}

/* An answer that may not be kept serves those who waited. */
static void
test_not_kept(void **state)
{
	struct fixture *f = *state;
	struct waiter a = { 0 }, b = { 0 };

	assert_null(get(f, 5, "mona", &a));
	assert_null(get(f, 5, "mona", &b));
	answer(f, questions[0].id, SESSION_UNAVAILABLE, "", 0);
	assert_int_equal(a.told + b.told, 2);
	assert_null(get(f, 5, "mona", &a));
	assert_int_equal(nquestions, 2);
	sessions_cancel(&a.wait);
}

/* Sixteen at once are one question. */
static void
test_burst(void **state)
{
	struct fixture *f = *state;
	struct waiter w[16] = { 0 };
	size_t i;

	for (i = 0; i < COUNT(w); i++)
		assert_null(get(f, 5, "mona", &w[i]));
	assert_int_equal(nquestions, 1);
	answer(f, questions[0].id, SESSION_OK, "x", 60000);
	for (i = 0; i < COUNT(w); i++) {
		assert_int_equal(w[i].told, 1);
		assert_string_equal(w[i].jwt, "x");
	}
	/* Told once is told for good. */
	answer(f, questions[0].id, SESSION_OK, "y", 60000);
	for (i = 0; i < COUNT(w); i++)
		assert_int_equal(w[i].told, 1);
	assert_string_equal(get(f, 5, "mona", &w[0])->jwt, "x");
}

/* A person is an id and a login: nobody gets another one's session. */
static void
test_people(void **state)
{
	static const struct {
		uint64_t github_id;
		const char *login, *jwt;
	} people[] = {
		{ 1, "mona", "1m" },
		{ 2, "mona", "2m" },
		{ 1, "lisa", "1l" },
		{ 1, "Mona", "1M" },
		{ 1, "", "1" },
		{ UINT64_MAX, "mona", "max" },
		{ 1ull << 32 | 1, "mona", "high" },
	};
	struct fixture *f = *state;
	struct waiter w[COUNT(people)] = { 0 };
	size_t i;

	for (i = 0; i < COUNT(people); i++)
		assert_null(
		    get(f, people[i].github_id, people[i].login, &w[i]));
	assert_int_equal(nquestions, COUNT(people));
	/* In another order. */
	for (i = COUNT(people); i-- > 0;)
		answer(f, questions[i].id, SESSION_OK, people[i].jwt, 60000);
	for (i = 0; i < COUNT(people); i++) {
		assert_string_equal(w[i].jwt, people[i].jwt);
		assert_string_equal(
		    get(f, people[i].github_id, people[i].login, &w[i])->jwt,
		    people[i].jwt);
	}
}

static void
test_cancel(void **state)
{
	struct fixture *f = *state;
	struct waiter a = { 0 }, b = { 0 }, c = { 0 };

	sessions_cancel(&a.wait); /* it does not wait */
	assert_null(get(f, 5, "mona", &a));
	assert_null(get(f, 5, "mona", &b));
	assert_null(get(f, 5, "mona", &c));
	sessions_cancel(&a.wait);
	sessions_cancel(&a.wait);
	b.cancels = &c;
	answer(f, questions[0].id, SESSION_OK, "x", 60000);
	assert_int_equal(a.told, 0);
	assert_int_equal(b.told, 1);
	assert_int_equal(c.told, 0);
	/* Kept all the same. */
	assert_non_null(get(f, 5, "mona", &a));
	/* Whoever waits at the end is let go. */
	sessions_flush(f->s);
	assert_null(get(f, 5, "mona", &a));
	sessions_free(f->s);
	assert_null(a.wait.in);
	sessions_cancel(&a.wait);
	f->s = sessions_new(&f->proxyd);
}

static void
test_forget(void **state)
{
	struct fixture *f = *state;
	struct waiter w = { 0 };

	assert_null(get(f, 1, "mona", &w));
	answer(f, questions[0].id, SESSION_OK, "x", 60000);
	assert_null(get(f, 2, "lisa", &w));
	answer(f, questions[1].id, SESSION_OK, "y", 60000);
	sessions_forget(f->s, 1, "lisa");
	assert_non_null(get(f, 1, "mona", &w));
	sessions_forget(f->s, 1, "mona");
	assert_non_null(get(f, 2, "lisa", &w));
	assert_null(get(f, 1, "mona", &w));
	answer(f, questions[2].id, SESSION_OK, "z", 60000);
	assert_string_equal(w.jwt, "z");
	/* All of them. */
	sessions_flush(f->s);
	assert_null(get(f, 2, "lisa", &w));
	sessions_cancel(&w.wait);
	assert_null(get(f, 1, "mona", &w));
	sessions_cancel(&w.wait);
}

/* Answers that nobody asked for, or that are malformed. */
static void
test_stray(void **state)
{
	struct fixture *f = *state;
	struct waiter w = { 0 };
	struct msg m = { .type = MSG_SESSION,
		.fd = -1,
		.data = (const uint8_t *)"",
		.len = 0 };

	answer(f, 0, SESSION_OK, "x", 60000);
	answer(f, 17, SESSION_OK, "x", 60000);
	assert_int_equal(sessions_count(f->s), 0);
	assert_null(get(f, 5, "mona", &w));
	answer(f, 0, SESSION_OK, "x", 60000);
	answer(f, questions[0].id + 1, SESSION_OK, "x", 60000);
	m.id = questions[0].id;
	assert_int_equal(sessions_on_session(f->s, &m), -1);
	assert_int_equal(w.told, 0);
	answer(f, questions[0].id, SESSION_OK, "y", 60000);
	assert_string_equal(w.jwt, "y");
	/* Nothing is asked of anybody: no answer is to that. */
	answer(f, 0, SESSION_OK, "x", 60000);
	assert_string_equal(get(f, 5, "mona", &w)->jwt, "y");
}

static const struct session *
ask_mona(struct fixture *f, struct waiter *w)
{
	return get(f, 5, "mona", w);
}

/* A session of somebody else is given to nobody. */
static void
test_whose(void **state)
{
	static const struct whose table[] = {
		{ SESSION_OK, 5, "mona", true },
		{ SESSION_OK, 5, "MONA", true },
		{ SESSION_OK, 6, "mona", false },
		{ SESSION_OK, 5, "lisa", false },
		{ SESSION_OK, 5, "mona2", false },
		{ SESSION_OK, 5, "", false },
		{ SESSION_OK, 0, "mona", false },
		{ SESSION_OK, 0, "", false },
		{ SESSION_OK, 0, SESSION_SERVICE_LOGIN, false },
		{ SESSION_DENIED, 5, "mona", true },
		{ SESSION_DENIED, 0, "", true },
		{ SESSION_DENIED, 6, "mona", false },
		{ SESSION_DENIED, 5, "lisa", false },
		{ SESSION_BUSY, 0, "", true },
		{ SESSION_UNAVAILABLE, 0, "", true },
		{ SESSION_UNAVAILABLE, 6, "mona", false },
	};

	check_whose(*state, table, COUNT(table), ask_mona);
}

/* Who is told of a flush asks again, and is told what holds now. */
static void
on_flushed(void *arg)
{
	struct {
		struct fixture *f;
		struct waiter w;
		unsigned times;
	} *user = arg;

	user->times++;
	sessions_cancel(&user->w.wait);
	assert_null(get(user->f, 5, "mona", &user->w));
}

static void
test_flushed(void **state)
{
	struct fixture *f = *state;
	struct {
		struct fixture *f;
		struct waiter w;
		unsigned times;
	} user = { .f = f };

	assert_null(get(f, 5, "mona", &user.w));
	answer(f, questions[0].id, SESSION_OK, "first", 60000);
	sessions_on_flush(f->s, on_flushed, &user);
	sessions_flush(f->s);
	assert_int_equal(user.times, 1);
	assert_int_equal(nquestions, 2);
	answer(f, questions[1].id, SESSION_DENIED, "", 5000);
	assert_int_equal(user.w.status, SESSION_DENIED);
	/* Another authd: one question for each person, not two. */
	sessions_on_authd(f->s);
	assert_int_equal(user.times, 2);
	assert_int_equal(nquestions, 3);
	sessions_on_authd(f->s);
	assert_int_equal(user.times, 3);
	assert_int_equal(nquestions, 4);
	answer(f, questions[3].id, SESSION_OK, "last", 60000);
	assert_string_equal(user.w.jwt, "last");
}

/* authd died with questions, or was not there at all. */
static void
test_authd_returns(void **state)
{
	struct fixture *f = *state;
	struct waiter a = { 0 }, b = { 0 }, c = { 0 };
	uint64_t first;

	assert_null(get(f, 1, "mona", &a));
	assert_null(get(f, 2, "lisa", &b));
	answer(f, questions[1].id, SESSION_OK, "l", 60000);
	first = questions[0].id;
	authd_is_there = false;
	assert_null(get(f, 3, "bart", &c));
	authd_is_there = true;
	nquestions = 0;
	sessions_on_authd(f->s);
	/* Those without an answer, and no others. */
	assert_int_equal(nquestions, 2);
	assert_int_equal(a.told + c.told, 0);
	/* An answer of the one that died counts no more. */
	answer(f, first, SESSION_OK, "late", 60000);
	assert_int_equal(a.told, 0);
	answer(f, questions[0].id, SESSION_OK, questions[0].login, 60000);
	answer(f, questions[1].id, SESSION_OK, questions[1].login, 60000);
	assert_string_equal(a.jwt, "mona");
	assert_string_equal(c.jwt, "bart");
	nquestions = 0;
	sessions_on_authd(f->s);
	assert_int_equal(nquestions, 0);
	/* What was known before may not be true for the new one. */
	assert_null(get(f, 2, "lisa", &b));
	assert_int_equal(nquestions, 1);
}

/* 1024 people: beyond, the one not asked for the longest goes. */
static void
test_eviction(void **state)
{
	struct fixture *f = *state;
	struct waiter w = { 0 }, waiting[3] = { 0 };
	uint64_t i;

	for (i = 1; i <= 1024; i++) {
		assert_null(get(f, i, "x", &w));
		answer(f, questions[i - 1].id, SESSION_OK, "j", 60000);
	}
	assert_int_equal(sessions_count(f->s), 1024);
	assert_non_null(get(f, 1, "x", &w)); /* so 2 is the oldest */
	assert_null(get(f, 2000, "x", &waiting[0]));
	assert_int_equal(sessions_count(f->s), 1024);
	assert_non_null(get(f, 1, "x", &w));
	assert_non_null(get(f, 3, "x", &w));
	assert_null(get(f, 2, "x", &waiting[1])); /* so 4 goes */
	assert_null(get(f, 4, "x", &waiting[2]));
	assert_int_equal(sessions_count(f->s), 1024);
	/* Who is waited for stays, however old. */
	for (i = 3000; i < 4500; i++) {
		size_t n = nquestions;

		assert_null(get(f, i, "x", &w));
		answer(f, questions[n].id, SESSION_OK, "j", 60000);
	}
	assert_int_equal(sessions_count(f->s), 1024);
	for (i = 0; i < COUNT(waiting); i++) {
		assert_int_equal(waiting[i].told, 0);
		answer(f, questions[1024 + i].id, SESSION_OK, "w", 60000);
		assert_string_equal(waiting[i].jwt, "w");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cached),
		TEST(test_not_kept),
		TEST(test_burst),
		TEST(test_people),
		TEST(test_cancel),
		TEST(test_forget),
		TEST(test_stray),
		TEST(test_whose),
		TEST(test_flushed),
		TEST(test_authd_returns),
		TEST(test_eviction),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
