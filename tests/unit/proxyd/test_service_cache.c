/* What the instance itself is, as it is kept in the same place as people. */

#include "tests/unit/proxyd/sessions_fixture.h"

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

static const struct session *
ask_us(struct fixture *f, struct waiter *w)
{
	return get_service(f, SESSION_SERVICE_ACT, w);
}

/* Neither gets what is the other's, nor what is of nobody. */
static void
test_service_whose(void **state)
{
	static const struct whose table[] = {
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

	check_whose(*state, table, COUNT(table), ask_us);
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
	const struct CMUnitTest tests[] = {
		TEST(test_service),
		TEST(test_service_anew),
		TEST(test_service_whose),
		TEST(test_service_name),
	};

	log_set_level(LOG_LEVEL_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
