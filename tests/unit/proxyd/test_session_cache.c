#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/log.h"
#include "proxyd/proxyd.h"
#include "proxyd/sessions.h"

#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))
#define QUESTIONS_MAX 4096

/*
 * Time as the test wants it, and the channel to authd: both stand in front
 * of the real ones.
 */
static int64_t now_ms;
static bool authd_is_there;

static struct question {
	uint64_t id;
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
	bool is_service;
	enum session_service service;
} questions[QUESTIONS_MAX];
static size_t nquestions;

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	ts->tv_sec = now_ms / 1000;
	ts->tv_nsec = now_ms % 1000 * 1000000;
	return 0;
}

bool
child_send(struct child *child, enum program peer, struct msg_out *m)
{
	struct msg in = { .fd = -1, .data = m->data, .len = m->len };
	struct question *q = &questions[nquestions];

	assert_int_equal(child->self, PROGRAM_PROXYD);
	assert_int_equal(peer, PROGRAM_AUTHD);
	if (authd_is_there) {
		assert_in_range(nquestions, 0, QUESTIONS_MAX - 1);
		memset(q, 0, sizeof(*q));
		q->id = m->id;
		q->is_service = m->type == MSG_SESSION_GET_SERVICE;
		if (q->is_service) {
			assert_int_equal(
			    session_service_read(&in, &q->service), 0);
			(void)strlcpy(
			    q->login, SESSION_SERVICE_LOGIN, sizeof(q->login));
		} else {
			assert_int_equal(m->type, MSG_SESSION_GET);
			assert_int_equal(
			    session_get_read(&in, &q->github_id, q->login), 0);
		}
		nquestions++;
	}
	msg_discard(m);
	return authd_is_there;
}

struct fixture {
	struct proxyd proxyd;
	struct sessions *s;
};

/* One that waits, and what it was told. */
struct waiter {
	struct session_wait wait;
	unsigned told;
	enum session_status status;
	char jwt[64];
	struct waiter *cancels; /* another one, when it is told */
};

static void
on_done(void *arg, const struct session *session)
{
	struct waiter *w = arg;

	w->told++;
	w->status = session->status;
	(void)strlcpy(w->jwt, session->jwt, sizeof(w->jwt));
	if (w->cancels != NULL)
		sessions_cancel(&w->cancels->wait);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	now_ms = 1000;
	nquestions = 0;
	authd_is_there = true;
	f->proxyd.child.self = PROGRAM_PROXYD;
	f->s = sessions_new(&f->proxyd);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	sessions_free(f->s);
	free(f);
	return 0;
}

static const struct session *
get(struct fixture *f, uint64_t github_id, const char *login, struct waiter *w)
{
	w->wait.done = on_done;
	w->wait.arg = w;
	return sessions_get(f->s, github_id, login, &w->wait);
}

static const struct session *
get_service(struct fixture *f, enum session_service service, struct waiter *w)
{
	w->wait.done = on_done;
	w->wait.arg = w;
	return sessions_get_service(f->s, service, &w->wait);
}

/* What authd says to the question of that id. */
static int
say(struct fixture *f, uint64_t id, const struct session *session)
{
	struct msg_out out;
	struct msg m;
	int result;

	msg_start(&out, MSG_SESSION, id);
	session_add(&out, session);
	m = (struct msg){ .type = MSG_SESSION,
		.id = id,
		.fd = -1,
		.data = out.data,
		.len = out.len };
	result = sessions_on_session(f->s, &m);
	msg_discard(&out);
	return result;
}

/* That, of whom it was asked about. */
static void
answer(struct fixture *f, uint64_t id, enum session_status status,
    const char *jwt, uint32_t lifetime_ms)
{
	struct session session = { .status = status,
		.lifetime_ms = lifetime_ms };
	size_t i;

	for (i = 0; i < nquestions; i++) {
		if (questions[i].id != id)
			continue;
		session.github_id = questions[i].github_id;
		(void)strlcpy(
		    session.login, questions[i].login, sizeof(session.login));
	}
	(void)strlcpy(session.jwt, jwt, sizeof(session.jwt));
	assert_int_equal(say(f, id, &session), 0);
}

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

/* A session of somebody else is given to nobody. */
static void
test_whose(void **state)
{
	static const struct {
		enum session_status status;
		uint64_t github_id;
		const char *login;
		bool good;
	} table[] = {
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
	struct fixture *f = *state;
	struct session session;
	struct waiter w;
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		memset(&w, 0, sizeof(w));
		sessions_flush(f->s);
		assert_null(get(f, 5, "mona", &w));
		session = (struct session){ .status = table[i].status,
			.lifetime_ms = 60000,
			.github_id = table[i].github_id };
		(void)strlcpy(
		    session.login, table[i].login, sizeof(session.login));
		if (say(f, questions[nquestions - 1].id, &session) !=
		    (table[i].good ? 0 : -1))
			fail_msg("row %zu", i);
		assert_int_equal(w.told, table[i].good);
		if (!table[i].good)
			answer(f, questions[nquestions - 1].id, SESSION_OK,
			    "good", 60000);
		assert_int_equal(w.told, 1);
	}
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

/* The instance itself: one question for each purpose, kept like a person's. */
static void
test_service(void **state)
{
	struct fixture *f = *state;
	struct waiter a = { 0 }, b = { 0 }, c = { 0 };

	assert_null(get_service(f, SESSION_SERVICE_WATCH, &a));
	assert_null(get_service(f, SESSION_SERVICE_WATCH, &b));
	assert_null(get_service(f, SESSION_SERVICE_ACT, &c));
	assert_int_equal(nquestions, 2);
	assert_true(questions[0].is_service && questions[1].is_service);
	assert_int_equal(questions[0].service, SESSION_SERVICE_WATCH);
	assert_int_equal(questions[1].service, SESSION_SERVICE_ACT);
	assert_int_not_equal(questions[0].id, questions[1].id);
	answer(f, questions[1].id, SESSION_OK, "act", 60000);
	assert_int_equal(a.told + b.told, 0);
	assert_string_equal(c.jwt, "act");
	answer(f, questions[0].id, SESSION_OK, "watch", 5000);
	assert_string_equal(a.jwt, "watch");
	assert_string_equal(b.jwt, "watch");
	assert_int_equal(sessions_count(f->s), 0);

	now_ms += 4999;
	assert_string_equal(
	    get_service(f, SESSION_SERVICE_WATCH, &a)->jwt, "watch");
	now_ms += 1;
	assert_string_equal(
	    get_service(f, SESSION_SERVICE_ACT, &a)->jwt, "act");
	assert_null(get_service(f, SESSION_SERVICE_WATCH, &a));
	assert_int_equal(nquestions, 3);
	assert_int_equal(questions[2].service, SESSION_SERVICE_WATCH);
	sessions_cancel(&a.wait);
	answer(f, questions[2].id, SESSION_DENIED, "", 5000);
	assert_int_equal(a.told, 1);
	assert_int_equal(
	    get_service(f, SESSION_SERVICE_WATCH, &a)->status, SESSION_DENIED);
}

/* A flush, an upstream that refuses the JWT, another authd, the end. */
static void
test_service_anew(void **state)
{
	struct fixture *f = *state;
	struct waiter act = { 0 }, watch = { 0 }, mona = { 0 };
	int round;

	for (round = 0; round < 3; round++) {
		nquestions = 0;
		assert_null(get_service(f, SESSION_SERVICE_ACT, &act));
		assert_null(get_service(f, SESSION_SERVICE_WATCH, &watch));
		answer(f, questions[0].id, SESSION_OK, "a", 60000);
		answer(f, questions[1].id, SESSION_OK, "w", 60000);
		assert_non_null(get_service(f, SESSION_SERVICE_ACT, &act));
		switch (round) {
		case 0:
			sessions_flush(f->s);
			break;
		case 1:
			sessions_on_authd(f->s);
			break;
		default:
			assert_null(get(f, 5, "mona", &mona));
			answer(f, questions[2].id, SESSION_OK, "m", 60000);
			sessions_forget_service(f->s);
			assert_non_null(get(f, 5, "mona", &mona));
		}
	}
	/* Both ask again, and are asked for again where authd died. */
	nquestions = 0;
	authd_is_there = false;
	assert_null(get_service(f, SESSION_SERVICE_ACT, &act));
	authd_is_there = true;
	assert_null(get_service(f, SESSION_SERVICE_WATCH, &watch));
	sessions_on_authd(f->s);
	assert_int_equal(nquestions, 3);
	assert_int_equal(questions[1].service, SESSION_SERVICE_ACT);
	assert_int_equal(questions[2].service, SESSION_SERVICE_WATCH);
	answer(f, questions[0].id, SESSION_OK, "late", 60000);
	assert_int_equal(watch.told, 3);
	answer(f, questions[1].id, SESSION_OK, "a2", 60000);
	assert_string_equal(act.jwt, "a2");
	assert_non_null(watch.wait.in);
	sessions_free(f->s);
	assert_null(watch.wait.in);
	f->s = sessions_new(&f->proxyd);
}

/* Neither gets what is the other's, nor what is of nobody. */
static void
test_service_whose(void **state)
{
	static const struct {
		enum session_status status;
		uint64_t github_id;
		const char *login;
		bool good;
	} table[] = {
		{ SESSION_OK, 0, SESSION_SERVICE_LOGIN, true },
		{ SESSION_DENIED, 0, SESSION_SERVICE_LOGIN, true },
		{ SESSION_UNAVAILABLE, 0, SESSION_SERVICE_LOGIN, true },
		{ SESSION_BUSY, 0, SESSION_SERVICE_LOGIN, true },
		{ SESSION_OK, 5, SESSION_SERVICE_LOGIN, false },
		{ SESSION_OK, 0, "Orchestrator", false },
		{ SESSION_OK, 0, "orchestrator2", false },
		{ SESSION_OK, 0, "", false },
		{ SESSION_OK, 5, "mona", false },
		{ SESSION_DENIED, 0, "", false },
		{ SESSION_DENIED, 5, "mona", false },
		{ SESSION_UNAVAILABLE, 0, "", false },
		{ SESSION_UNAVAILABLE, 5, SESSION_SERVICE_LOGIN, false },
	};
	struct fixture *f = *state;
	struct session session;
	struct waiter w;
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		memset(&w, 0, sizeof(w));
		sessions_flush(f->s);
		assert_null(get_service(f, SESSION_SERVICE_ACT, &w));
		session = (struct session){ .status = table[i].status,
			.lifetime_ms = 60000,
			.github_id = table[i].github_id };
		(void)strlcpy(
		    session.login, table[i].login, sizeof(session.login));
		if (say(f, questions[nquestions - 1].id, &session) !=
		    (table[i].good ? 0 : -1))
			fail_msg("row %zu", i);
		assert_int_equal(w.told, table[i].good);
		if (!table[i].good)
			answer(f, questions[nquestions - 1].id, SESSION_OK,
			    "good", 60000);
		assert_int_equal(w.told, 1);
	}
}

/* Somebody whom the orchestrator gives our name is nobody all the same. */
static void
test_service_name(void **state)
{
	struct fixture *f = *state;
	struct waiter person = { 0 }, us = { 0 };
	struct session session = { .status = SESSION_OK, .lifetime_ms = 60000 };

	(void)strlcpy(
	    session.login, SESSION_SERVICE_LOGIN, sizeof(session.login));
	(void)strlcpy(session.jwt, "ours", sizeof(session.jwt));
	assert_null(get_service(f, SESSION_SERVICE_ACT, &us));
	assert_null(get(f, 0, SESSION_SERVICE_LOGIN, &person));
	assert_int_equal(nquestions, 2);
	assert_false(questions[1].is_service);
	assert_int_equal(say(f, questions[1].id, &session), -1);
	assert_int_equal(say(f, questions[0].id, &session), 0);
	assert_int_equal(us.told, 1);
	assert_int_equal(person.told, 0);
	sessions_forget(f->s, 0, SESSION_SERVICE_LOGIN);
	assert_non_null(get_service(f, SESSION_SERVICE_ACT, &us));
	sessions_cancel(&person.wait);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
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
		TEST(test_service),
		TEST(test_service_anew),
		TEST(test_service_whose),
		TEST(test_service_name),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
