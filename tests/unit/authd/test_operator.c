/* The operator's questions and wishes, from message to messages. */

#include "authd/access.h"
#include "authd/operator.h"
#include "authd/sessions.h"
#include "authd/sign_ins.h"
#include "authd/tether_db.h"
#include "authd/tokens.h"
#include "common/admin.h"
#include "tests/unit/authd/peers.h"

#define NOW    1700000000
#define BROKEN "the identity database cannot be used: see the log"

/* In place of the stored tokens. */
static enum db_result tokens_result;
static char tokens_asked[ADMIN_WHOM_SIZE];

enum db_result
tokens_list(struct tokens *k, size_t max,
    void (*each)(void *arg, const struct admin_token *), void *arg)
{
	static const struct admin_token rows[] = {
		{ "hub.example:443", "one", 100, false },
		{ "other.example:443", "two", 200, true },
	};
	size_t i;

	(void)k;
	assert_int_equal(max, ADMIN_ROWS_MAX);
	for (i = 0; i < COUNT(rows) && tokens_result == DB_OK; i++)
		each(arg, &rows[i]);
	return tokens_result;
}

enum db_result
tokens_forget(struct tokens *k, const char *host)
{
	(void)k;
	(void)strlcpy(tokens_asked, host, sizeof(tokens_asked));
	return tokens_result;
}

static struct child child;
static struct operator_desk desk;

static int
begin(void **state)
{
	struct fixture *f;

	if (setup(state) != 0)
		return -1;
	f = *state;
	run_sql(f->users, schemas[NEW]);
	desk.child = &child;
	desk.conf = &f->conf;
	desk.sessions = sessions_new(&f->conf);
	desk.sign_ins = sign_ins_new(&child);
	tokens_result = DB_OK;
	(void)log_count(f, "");
	return 0;
}

static int
end(void **state)
{
	sign_ins_free(desk.sign_ins);
	sessions_free(desk.sessions);
	return peers_teardown(state);
}

/* Somebody who comes in, now or again. */
static struct session
come_in(uint64_t github_id, const char *login)
{
	struct access_verdict verdict = { .result = ACCESS_ALLOWED,
		.github_id = github_id,
		.lifetime_ms = 60000 };
	struct session session;

	(void)strlcpy(verdict.login, login, sizeof(verdict.login));
	sessions_get(desk.sessions, &verdict, NOW, &session);
	sign_ins_note(desk.sign_ins, &session, true);
	return session;
}

/* The end of the answer, which is the last message of all. */
static struct admin_done
want(enum admin_op op, const char *whom, const char *value)
{
	struct admin_request request = { .op = op };
	struct admin_done done;
	struct msg_out out;
	struct msg m;

	(void)strlcpy(request.whom, whom, sizeof(request.whom));
	(void)strlcpy(request.value, value, sizeof(request.value));
	peers_reset();
	msg_start(&out, MSG_ADMIN, 77);
	admin_request_add(&out, &request);
	m = received_message(&out);
	assert_int_equal(operator_on_admin(&desk, &m), 0);
	msg_discard(&out);
	assert_true(sent_count > 0);
	m = sent_message(sent_count - 1, PROGRAM_PARENT, MSG_ADMIN_DONE);
	assert_int_equal(m.id, 77);
	assert_int_equal(admin_done_read(&m, &done), 0);
	return done;
}

/* It was not done: nothing else was said or recorded. */
static void
check_refused(
    enum admin_op op, const char *whom, const char *value, const char *text)
{
	struct admin_done done = want(op, whom, value);

	assert_false(done.good);
	assert_string_equal(done.text, text);
	assert_int_equal(sent_count, 1);
	assert_int_equal(audit_count, 0);
}

/* It was done: proxyd, the log and the audit log know. */
static void
check_done(struct fixture *f, enum admin_op op, const char *whom,
    const char *value, const char *text)
{
	struct admin_done done = want(op, whom, value);
	char line[600];

	assert_true(done.good);
	assert_string_equal(done.text, text);
	(void)snprintf(line, sizeof(line), "operator: %s", text);
	assert_int_equal(log_count(f, line), 1);
	assert_int_equal(sent_count, 2);
	(void)sent_message(0, PROGRAM_PROXYD, MSG_SESSION_FLUSH);
	assert_int_equal(audit_count, 1);
	assert_int_equal(audits[0].event, AUDIT_OPERATOR);
	assert_int_equal(audits[0].verdict, AUDIT_ALLOWED);
	assert_int_equal(audits[0].github_id, 5);
	assert_string_equal(audits[0].login, "mona");
	assert_string_equal(audits[0].role, value);
}

static void
test_list(void **state)
{
	struct fixture *f = *state;
	struct admin_user user;
	struct admin_done done;
	struct msg m;

	done = want(ADMIN_USERS, "", "");
	assert_true(done.good);
	assert_string_equal(done.text, "");
	assert_int_equal(sent_count, 1);

	(void)come_in(5, "mona");
	done = want(ADMIN_USERS, "", "");
	assert_string_equal(done.text, "");
	assert_int_equal(sent_count, 2);
	m = sent_message(0, PROGRAM_PARENT, MSG_ADMIN_USER);
	assert_int_equal(m.id, 77);
	assert_int_equal(admin_user_read(&m, &user), 0);
	assert_int_equal(user.github_id, 5);
	assert_string_equal(user.login, "mona");
	assert_string_equal(user.user_name, "mona");
	assert_int_equal(user.last_seen, NOW);

	/* More than there is room for. */
	run_sql(f->tether,
	    "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 1105) INSERT INTO identities (github_id, login,"
	    " created_at, last_seen) SELECT i, 'user' || i, 1, i FROM n");
	done = want(ADMIN_USERS, "", "");
	assert_true(done.good);
	assert_string_equal(done.text, "7 more");
	assert_int_equal(sent_count, ADMIN_ROWS_MAX + 1);
	assert_int_equal(audit_count, 0);
}

static void
test_disable(void **state)
{
	struct fixture *f = *state;
	struct session session;

	assert_int_equal(come_in(5, "mona").status, SESSION_OK);
	check_done(
	    f, ADMIN_USER_DISABLE, "MONA", "", "mona (GitHub id 5): disabled");
	assert_string_equal(audits[0].method, "disable");
	/* At once, and recorded although it was not asked about anew. */
	session = come_in(5, "mona");
	assert_int_equal(session.status, SESSION_DENIED);
	assert_int_equal(audit_count, 2);
	check_done(
	    f, ADMIN_USER_ENABLE, "5", "", "mona (GitHub id 5): enabled");
	assert_string_equal(audits[0].method, "enable");
	assert_int_equal(come_in(5, "mona").status, SESSION_OK);
	assert_int_equal(audit_count, 2);
}

static void
test_role(void **state)
{
	static const struct {
		const char *value, *text;
		enum session_role role;
	} cases[] = {
		{ "read-only", "mona (GitHub id 5): role read-only",
		    SESSION_ROLE_READ_ONLY },
		{ "default", "mona (GitHub id 5): role default",
		    SESSION_ROLE_FULL },
		{ "full", "mona (GitHub id 5): role full", SESSION_ROLE_FULL },
	};
	struct fixture *f = *state;
	size_t i;

	(void)come_in(5, "mona");
	for (i = 0; i < COUNT(cases); i++) {
		check_done(
		    f, ADMIN_USER_ROLE, "mona", cases[i].value, cases[i].text);
		assert_string_equal(audits[0].method, "role");
		assert_int_equal(come_in(5, "mona").role, cases[i].role);
	}
	check_refused(ADMIN_USER_ROLE, "mona", "root\n", "no such role: root?");
	check_refused(ADMIN_USER_ROLE, "mona", "", "no such role: ");
}

static void
test_whom(void **state)
{
	static const enum admin_op ops[] = { ADMIN_USER_DISABLE,
		ADMIN_USER_ENABLE, ADMIN_USER_ROLE };
	struct fixture *f = *state;
	size_t i;

	(void)come_in(5, "mona");
	(void)come_in(6, "Mona");
	(void)log_count(f, "");
	for (i = 0; i < COUNT(ops); i++) {
		check_refused(ops[i], "lisa", "full", "no such user: lisa");
		check_refused(
		    ops[i], "li\x1b[sa", "full", "no such user: li?[sa");
		check_refused(ops[i], "", "full", "no such user: ");
		check_refused(ops[i], "mona", "full",
		    "2 users have the login mona: name one by its GitHub id");
	}
	assert_int_equal(log_count(f, ""), 0);
	check_done(
	    f, ADMIN_USER_DISABLE, "5", "", "mona (GitHub id 5): disabled");
}

static void
test_broken_database(void **state)
{
	struct fixture *f = *state;
	sqlite3 *lock;

	(void)come_in(5, "mona");
	(void)log_count(f, "");
	lock = hold_lock(f->tether);
	check_refused(ADMIN_USERS, "", "", BROKEN);
	check_refused(ADMIN_USER_DISABLE, "mona", "", BROKEN);
	check_refused(ADMIN_USER_ENABLE, "5", "", BROKEN);
	check_refused(ADMIN_USER_ROLE, "mona", "full", BROKEN);
	assert_int_equal(log_count(f, "locked"), 1);
	(void)sqlite3_close(lock);
	assert_true(want(ADMIN_USERS, "", "").good);
}

static void
test_tokens(void **state)
{
	static const struct {
		enum db_result result;
		const char *text;
	} cases[] = {
		{ DB_NONE, "no token of hub?.example is stored" },
		{ DB_TAKEN, "there are tokens of several ports of "
			    "hub?.example: name one as host:port" },
		{ DB_FAILED, BROKEN },
	};
	struct fixture *f = *state;
	struct admin_token token;
	struct admin_done done;
	struct msg m;
	size_t i;
	int j;

	/* The one in use, unless the settings have another. */
	for (j = 0; j < 2; j++) {
		set_conf(&f->conf.token, j == 0 ? "" : "set");
		done = want(ADMIN_TOKENS, "", "");
		assert_true(done.good);
		assert_int_equal(sent_count, 3);
		m = sent_message(0, PROGRAM_PARENT, MSG_ADMIN_TOKEN);
		assert_int_equal(m.id, 77);
		assert_int_equal(admin_token_read(&m, &token), 0);
		assert_string_equal(token.host, "hub.example:443");
		assert_string_equal(token.client_id, "one");
		assert_int_equal(token.granted_at, 100);
		assert_int_equal(token.used, j == 0);
		m = sent_message(1, PROGRAM_PARENT, MSG_ADMIN_TOKEN);
		assert_int_equal(admin_token_read(&m, &token), 0);
		assert_false(token.used);
	}
	done = want(ADMIN_TOKEN_FORGET, "hub.example", "");
	assert_true(done.good);
	assert_string_equal(done.text, "the token of hub.example is forgotten");
	assert_string_equal(tokens_asked, "hub.example");
	assert_int_equal(log_count(f, "operator: the token of hub"), 1);
	assert_int_equal(audit_count, 1);
	assert_int_equal(audits[0].event, AUDIT_TOKEN);
	assert_string_equal(audits[0].method, "forget");
	assert_string_equal(audits[0].why, "hub.example");

	for (i = 0; i < COUNT(cases); i++) {
		tokens_result = cases[i].result;
		check_refused(
		    ADMIN_TOKEN_FORGET, "hub\n.example", "", cases[i].text);
	}
	check_refused(ADMIN_TOKENS, "", "", BROKEN);
}

static void
test_malformed(void **state)
{
	struct msg_out out;
	struct msg m;

	(void)state;
	msg_start(&out, MSG_ADMIN, 1);
	msg_add_u32(&out, ADMIN_OP_COUNT);
	msg_add_str(&out, "");
	msg_add_str(&out, "");
	m = received_message(&out);
	assert_int_equal(operator_on_admin(&desk, &m), -1);
	msg_discard(&out);
	assert_int_equal(sent_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list),
		TEST(test_disable),
		TEST(test_role),
		TEST(test_whom),
		TEST(test_broken_database),
		TEST(test_tokens),
		TEST(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
