/* Questions about people: what becomes of each while its verdict is out. */

#include "authd/access.h"
#include "authd/questions.h"
#include "authd/sessions.h"
#include "authd/sign_ins.h"
#include "common/monotonic.h"
#include "tests/unit/authd/peers.h"

#define TOKEN "ghp_a-token"

/* In place of the rules: what they are asked, and answer when told to. */
static struct asked {
	struct access_wait *wait; /* NULL once it is answered or cancelled */
	uint64_t github_id;
	char login[SESSION_LOGIN_MAX];
	bool by_token;
} asked[2 * QUESTIONS_MAX];
static size_t asked_count;
static bool at_once;  /* everybody is let in, */
static bool is_known; /* as is known from before */

static int64_t now_ms;

int64_t
monotonic_ms(void)
{
	return now_ms;
}

static struct access_verdict
allowed(uint64_t github_id, const char *login)
{
	struct access_verdict v = { .result = ACCESS_ALLOWED,
		.role = SESSION_ROLE_READ_ONLY,
		.github_id = github_id,
		.lifetime_ms = 300000,
		.fresh = true };

	(void)strlcpy(v.login, login, sizeof(v.login));
	(void)strlcpy(v.rule, "read-only users", sizeof(v.rule));
	return v;
}

static bool
ask_access(uint64_t github_id, const char *login, bool by_token,
    struct access_verdict *verdict, struct access_wait *wait)
{
	struct asked *a = &asked[asked_count];

	memset(verdict, 0xff, sizeof(*verdict));
	if (at_once) {
		*verdict = allowed(github_id, login);
		verdict->fresh = !is_known;
		return true;
	}
	assert_true(asked_count < COUNT(asked));
	assert_non_null(wait->done);
	asked_count++;
	a->wait = wait;
	a->github_id = github_id;
	(void)strlcpy(a->login, login, sizeof(a->login));
	a->by_token = by_token;
	return false;
}

bool
access_by_identity(struct access *a, uint64_t github_id, const char *login,
    struct access_verdict *verdict, struct access_wait *wait)
{
	(void)a;
	return ask_access(github_id, login, false, verdict, wait);
}

bool
access_by_token(struct access *a, const char *token,
    struct access_verdict *verdict, struct access_wait *wait)
{
	(void)a;
	assert_string_equal(token, TOKEN);
	return ask_access(7, "tokenlisa", true, verdict, wait);
}

void
access_cancel(struct access_wait *wait)
{
	size_t i;

	for (i = 0; i < asked_count; i++)
		if (asked[i].wait == wait)
			asked[i].wait = NULL;
}

static void
give(size_t i, const struct access_verdict *verdict)
{
	struct access_wait *wait = asked[i].wait;

	assert_non_null(wait);
	asked[i].wait = NULL;
	wait->done(wait->arg, verdict);
}

static struct child child;
static struct sessions *sessions;
static struct sign_ins *sign_ins;
static struct questions *questions;

static int
begin(void **state)
{
	struct fixture *f;

	if (setup(state) != 0)
		return -1;
	f = *state;
	run_sql(f->users, schemas[NEW]);
	asked_count = 0;
	at_once = false;
	sessions = sessions_new(&f->conf);
	sign_ins = sign_ins_new(&child);
	questions = questions_new(&child, NULL, sessions, sign_ins);
	return 0;
}

static int
end(void **state)
{
	questions_free(questions);
	sign_ins_free(sign_ins);
	sessions_free(sessions);
	return peers_teardown(state);
}

static void
ask(uint64_t id, uint64_t github_id, const char *login)
{
	struct msg_out out;
	struct msg m;

	msg_start(&out, MSG_SESSION_GET, id);
	session_get_add(&out, github_id, login);
	m = received_message(&out);
	assert_int_equal(questions_on_session_get(questions, &m), 0);
	msg_discard(&out);
}

static int
ask_token(uint64_t id, const char *token)
{
	struct msg_out out;
	struct msg m;
	int rc;

	msg_start(&out, MSG_SESSION_GET_BY_TOKEN, id);
	session_token_add(&out, token);
	m = received_message(&out);
	rc = questions_on_session_get_by_token(questions, &m);
	msg_discard(&out);
	return rc;
}

/* The i-th message is the answer to question id. */
static struct session
answered(size_t i, uint64_t id)
{
	struct msg m = sent_message(i, PROGRAM_PROXYD, MSG_SESSION);
	struct session session;

	assert_int_equal(m.id, id);
	memset(&session, 0xff, sizeof(session));
	assert_int_equal(session_read(&m, &session), 0);
	return session;
}

static void
test_at_once(void **state)
{
	struct session session;

	(void)state;
	at_once = true;
	ask(11, 5, "mona");
	session = answered(0, 11);
	assert_int_equal(session.status, SESSION_OK);
	assert_int_equal(session.role, SESSION_ROLE_READ_ONLY);
	assert_int_equal(session.github_id, 5);
	assert_string_equal(session.login, "mona");
	assert_string_equal(session.reason, "read-only users");
	assert_true(session.jwt[0] != '\0');
	assert_int_equal(ask_token(12, TOKEN), 0);
	session = answered(1, 12);
	assert_int_equal(session.status, SESSION_OK);
	assert_int_equal(session.github_id, 7);
	assert_string_equal(session.login, "tokenlisa");
	assert_int_equal(sent_count, 2);
	assert_int_equal(audit_count, 2);

	/* What is found out anew is worth a record, now and then. */
	now_ms += SIGN_INS_PAUSE_MS;
	is_known = true;
	ask(13, 5, "mona");
	assert_int_equal(audit_count, 2);
	is_known = false;
	ask(14, 5, "mona");
	assert_int_equal(audit_count, 3);
}

/* The answers come in whatever order the verdicts do. */
static void
test_later(void **state)
{
	struct access_verdict verdict = allowed(5, "mona");
	struct session session;

	(void)state;
	ask(11, 5, "mona");
	ask(12, 6, "lisa");
	assert_int_equal(ask_token(13, TOKEN), 0);
	assert_int_equal(asked_count, 3);
	assert_int_equal(asked[1].github_id, 6);
	assert_string_equal(asked[1].login, "lisa");
	assert_true(asked[2].by_token);
	assert_int_equal(sent_count, 0);

	/* Whose token it is only the verdict knows. */
	verdict.github_id = 99;
	give(2, &verdict);
	session = answered(0, 13);
	assert_int_equal(session.github_id, 99);
	verdict.result = ACCESS_REFUSED;
	(void)strlcpy(verdict.reason, "no", sizeof(verdict.reason));
	(void)strlcpy(verdict.advice, "ask", sizeof(verdict.advice));
	give(0, &verdict);
	session = answered(1, 11);
	assert_int_equal(session.status, SESSION_DENIED);
	assert_string_equal(session.reason, "no");
	assert_string_equal(session.advice, "ask");
	verdict.result = ACCESS_BUSY;
	give(1, &verdict);
	session = answered(2, 12);
	assert_int_equal(session.status, SESSION_BUSY);
	assert_int_equal(session.lifetime_ms, 1000);
	assert_int_equal(sent_count, 3);
}

/* Beyond the bound each gets an answer as well, and at once. */
static void
test_bound(void **state)
{
	struct access_verdict verdict = allowed(5, "mona");
	struct session session;
	uint64_t i;

	(void)state;
	for (i = 0; i < QUESTIONS_MAX; i++)
		ask(i, 5, "mona");
	assert_int_equal(sent_count, 0);
	ask(5000, 6, "lisa");
	session = answered(0, 5000);
	assert_int_equal(session.status, SESSION_BUSY);
	assert_int_equal(session.lifetime_ms, 1000);
	assert_int_equal(session.github_id, 6);
	assert_string_equal(session.login, "lisa");
	assert_true(session.reason[0] != '\0');
	assert_int_equal(ask_token(5001, TOKEN), 0);
	assert_int_equal(answered(1, 5001).status, SESSION_BUSY);
	assert_int_equal(asked_count, QUESTIONS_MAX);

	/* Each that is answered makes room for one. */
	give(17, &verdict);
	assert_int_equal(answered(2, 17).status, SESSION_OK);
	ask(5002, 6, "lisa");
	assert_int_equal(asked_count, QUESTIONS_MAX + 1);
	ask(5003, 6, "lisa");
	assert_int_equal(answered(3, 5003).status, SESSION_BUSY);
	for (i = 0; i < asked_count; i++)
		if (asked[i].wait != NULL)
			give(i, &verdict);
	assert_int_equal(sent_count, 4 + QUESTIONS_MAX);
	ask(5004, 6, "lisa");
	assert_int_equal(sent_count, 4 + QUESTIONS_MAX);
}

/* Another proxyd counts from the start: nothing old may reach it. */
static void
test_other_proxyd(void **state)
{
	struct access_verdict verdict = allowed(6, "lisa");
	size_t i;

	(void)state;
	ask(1, 5, "mona");
	assert_int_equal(ask_token(2, TOKEN), 0);
	questions_cancel(questions);
	for (i = 0; i < asked_count; i++)
		assert_null(asked[i].wait);
	questions_cancel(questions);
	ask(1, 6, "lisa");
	give(2, &verdict);
	assert_int_equal(answered(0, 1).github_id, 6);
	assert_int_equal(sent_count, 1);
	/* Their room is free again. */
	for (i = 0; i < QUESTIONS_MAX; i++)
		ask(i, 5, "mona");
	assert_int_equal(sent_count, 1);
}

static int
ask_service(uint64_t id, uint32_t service)
{
	struct msg_out out;
	struct msg m;
	int rc;

	msg_start(&out, MSG_SESSION_GET_SERVICE, id);
	msg_add_u32(&out, service);
	m = received_message(&out);
	rc = questions_on_session_get_service(questions, &m);
	msg_discard(&out);
	return rc;
}

/*
 * The instance itself waits for no verdict, whatever else does; that it acts
 * for people is in the audit log, that it looks is not.
 */
static void
test_service(void **state)
{
	struct fixture *f = *state;
	struct session session;
	uint64_t i;

	for (i = 0; i < QUESTIONS_MAX; i++)
		ask(i, 5, "mona");
	assert_int_equal(ask_service(7001, SESSION_SERVICE_WATCH), 0);
	session = answered(0, 7001);
	assert_int_equal(session.status, SESSION_UNAVAILABLE);
	assert_int_equal(audit_count, 0);
	assert_int_equal(ask_service(7002, SESSION_SERVICE_ACT), 0);
	session = answered(1, 7002);
	assert_int_equal(session.status, SESSION_OK);
	assert_int_equal(session.github_id, 0);
	assert_string_equal(session.login, SESSION_SERVICE_LOGIN);
	assert_true(session.jwt[0] != '\0');
	assert_int_equal(audit_count, 1);
	assert_int_equal(audits[0].event, AUDIT_SIGN_IN);
	assert_int_equal(audits[0].verdict, AUDIT_ALLOWED);
	assert_int_equal(audits[0].github_id, 0);
	assert_string_equal(audits[0].login, SESSION_SERVICE_LOGIN);
	assert_string_equal(audits[0].role, "full");
	assert_string_equal(audits[0].why, "no rules");
	assert_int_equal(ask_service(7004, SESSION_SERVICE_COUNT), -1);
	assert_int_equal(sent_count, 2);

	/* The same JWT is nothing new, another one is; but not all the time. */
	now_ms += SIGN_INS_PAUSE_MS;
	assert_int_equal(ask_service(7005, SESSION_SERVICE_ACT), 0);
	assert_int_equal(audit_count, 1);
	for (i = 0; i < 2; i++) {
		sessions_refresh(sessions);
		assert_int_equal(ask_service(7006, SESSION_SERVICE_ACT), 0);
		assert_int_equal(audit_count, 2);
	}
	/* What was refused is asked once a second, or now. */
	assert_int_equal(ask_service(7003, SESSION_SERVICE_WATCH), 0);
	assert_int_equal(answered(5, 7003).status, SESSION_OK);
	assert_int_equal(audit_count, 2);
	set_conf(&f->conf.users[SESSION_ROLE_FULL], "mona");
	for (i = 0; i < 2; i++) {
		assert_int_equal(ask_service(7007, SESSION_SERVICE_ACT), 0);
		assert_int_equal(audit_count, 3);
	}
	assert_int_equal(audits[2].verdict, AUDIT_REFUSED);
	set_conf(&f->conf.users[SESSION_ROLE_FULL], "");
}

static void
test_malformed(void **state)
{
	static const struct {
		enum msg_type type;
		int (*handler)(struct questions *, struct msg *);
	} cases[] = {
		{ MSG_SESSION_GET, questions_on_session_get },
		{ MSG_SESSION_GET_BY_TOKEN, questions_on_session_get_by_token },
		{ MSG_SESSION_GET_SERVICE, questions_on_session_get_service },
	};
	struct msg_out out;
	struct msg m;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg_start(&out, cases[i].type, 1);
		msg_add_u8(&out, 1);
		m = received_message(&out);
		assert_int_equal(cases[i].handler(questions, &m), -1);
		msg_discard(&out);
	}
	assert_int_equal(ask_token(1, ""), -1);
	assert_int_equal(ask_token(1, "two words"), -1);
	assert_int_equal(ask_token(1, "with\nnewline"), -1);
	assert_int_equal(asked_count, 0);
	assert_int_equal(sent_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_at_once),
		TEST(test_later),
		TEST(test_bound),
		TEST(test_other_proxyd),
		TEST(test_service),
		TEST(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
