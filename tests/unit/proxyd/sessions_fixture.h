#ifndef TESTS_UNIT_PROXYD_SESSIONS_FIXTURE_H
#define TESTS_UNIT_PROXYD_SESSIONS_FIXTURE_H

#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "proxyd/proxyd.h"
#include "proxyd/sessions.h"
#include "tests/unit/fake_time.h"

#define COUNT(a)      (sizeof(a) / sizeof((a)[0]))
#define QUESTIONS_MAX 4096

/* The channel to authd, which stands in front of the real one. */
static bool authd_is_there;

static struct question {
	uint64_t id;
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
	bool is_service;
	enum session_service service;
} questions[QUESTIONS_MAX];
static size_t nquestions;

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

static inline void
on_done(void *arg, const struct session *session)
{
	struct waiter *w = arg;

	w->told++;
	w->status = session->status;
	(void)strlcpy(w->jwt, session->jwt, sizeof(w->jwt));
	if (w->cancels != NULL)
		sessions_cancel(&w->cancels->wait);
}

static inline int
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

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	sessions_free(f->s);
	free(f);
	return 0;
}

static inline const struct session *
get(struct fixture *f, uint64_t github_id, const char *login, struct waiter *w)
{
	w->wait.done = on_done;
	w->wait.arg = w;
	return sessions_get(f->s, github_id, login, &w->wait);
}

static inline const struct session *
get_service(struct fixture *f, enum session_service service, struct waiter *w)
{
	w->wait.done = on_done;
	w->wait.arg = w;
	return sessions_get_service(f->s, service, &w->wait);
}

/* What authd says to the question of that id. */
static inline int
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
static inline void
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

/* Whose session authd sends, and whether that can be. */
struct whose {
	enum session_status status;
	uint64_t github_id;
	const char *login;
	bool good;
};

static inline void
check_whose(struct fixture *f, const struct whose *table, size_t n,
    const struct session *(*ask)(struct fixture *, struct waiter *))
{
	struct session session;
	struct waiter w;
	uint64_t id;
	size_t i;

	for (i = 0; i < n; i++) {
		memset(&w, 0, sizeof(w));
		sessions_flush(f->s);
		assert_null(ask(f, &w));
		id = questions[nquestions - 1].id;
		session = (struct session){ .status = table[i].status,
			.lifetime_ms = 60000,
			.github_id = table[i].github_id };
		(void)strlcpy(
		    session.login, table[i].login, sizeof(session.login));
		if (say(f, id, &session) != (table[i].good ? 0 : -1))
			fail_msg("row %zu", i);
		assert_int_equal(w.told, table[i].good);
		if (!table[i].good)
			answer(f, id, SESSION_OK, "good", 60000);
		assert_int_equal(w.told, 1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
