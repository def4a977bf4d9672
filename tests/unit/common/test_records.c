#include <string.h>

#include "common/admin.h"
#include "common/audit.h"
#include "common/session.h"
#include "tests/unit/common/record_fixture.h"

/* What is told of people: audit records, the operator's questions and their
 * answers, and the question whose a token is. */

static const struct audit_record record = { .event = AUDIT_TOKEN,
	.verdict = AUDIT_GIVEN_UP,
	.github_id = UINT64_MAX - 1,
	.login = "octo\ncat",
	.role = "read-only",
	.method = "GET",
	.path = "/a\"b/\xc3\xa9",
	.status = 499,
	.why = "gone" };

static void
add_audit(struct msg_out *m)
{
	audit_add(m, &record);
}

static int
get_audit(struct msg *m)
{
	struct audit_record r;
	int rc;

	memset(&r, 0xff, sizeof(r));
	rc = audit_read(m, &r);
	if (rc == 0) {
		assert_int_equal(r.event, AUDIT_TOKEN);
		assert_int_equal(r.verdict, AUDIT_GIVEN_UP);
		assert_true(r.github_id == UINT64_MAX - 1);
		assert_string_equal(r.login, record.login);
		assert_string_equal(r.role, record.role);
		assert_string_equal(r.method, record.method);
		assert_string_equal(r.path, record.path);
		assert_int_equal(r.status, 499);
		assert_string_equal(r.why, record.why);
	}
	return rc;
}

static void
add_request(struct msg_out *m)
{
	static const struct admin_request request = { ADMIN_USER_ROLE,
		"octocat", "default" };

	admin_request_add(m, &request);
}

static int
get_request(struct msg *m)
{
	struct admin_request r;
	int rc;

	memset(&r, 0xff, sizeof(r));
	rc = admin_request_read(m, &r);
	if (rc == 0) {
		assert_int_equal(r.op, ADMIN_USER_ROLE);
		assert_string_equal(r.whom, "octocat");
		assert_string_equal(r.value, "default");
	}
	return rc;
}

static void
add_user(struct msg_out *m)
{
	static const struct admin_user user = { .github_id = 1ull << 40,
		.login = "octocat",
		.user_name = "orch_1_octocat",
		.has_role = true,
		.role = SESSION_ROLE_READ_ONLY,
		.created_at = 1ull << 33,
		.last_seen = 1ull << 34,
		.handles = UINT32_MAX };

	admin_user_add(m, &user);
}

static int
get_user(struct msg *m)
{
	struct admin_user u;
	int rc;

	memset(&u, 0xff, sizeof(u));
	rc = admin_user_read(m, &u);
	if (rc == 0) {
		assert_true(u.github_id == 1ull << 40);
		assert_string_equal(u.login, "octocat");
		assert_string_equal(u.user_name, "orch_1_octocat");
		assert_true(u.has_role);
		assert_int_equal(u.role, SESSION_ROLE_READ_ONLY);
		assert_false(u.disabled);
		assert_true(u.created_at == 1ull << 33);
		assert_true(u.last_seen == 1ull << 34);
		assert_int_equal(u.handles, UINT32_MAX);
	}
	return rc;
}

static void
add_admin_token(struct msg_out *m)
{
	static const struct admin_token token = { .host = "h.example:443",
		.client_id = "my laptop",
		.granted_at = 1ull << 33,
		.used = true };

	admin_token_add(m, &token);
}

static int
get_admin_token(struct msg *m)
{
	struct admin_token t;
	int rc;

	memset(&t, 0xff, sizeof(t));
	rc = admin_token_read(m, &t);
	if (rc == 0) {
		assert_string_equal(t.host, "h.example:443");
		assert_string_equal(t.client_id, "my laptop");
		assert_true(t.granted_at == 1ull << 33);
		assert_true(t.used);
	}
	return rc;
}

static void
add_done(struct msg_out *m)
{
	static const struct admin_done done = { true, "octocat is disabled" };

	admin_done_add(m, &done);
}

static int
get_done(struct msg *m)
{
	struct admin_done d;
	int rc;

	memset(&d, 0xff, sizeof(d));
	rc = admin_done_read(m, &d);
	if (rc == 0) {
		assert_true(d.good);
		assert_string_equal(d.text, "octocat is disabled");
	}
	return rc;
}

static void
add_session_token(struct msg_out *m)
{
	session_token_add(m, "gho_!~09");
}

static int
get_session_token(struct msg *m)
{
	char token[SESSION_TOKEN_MAX + 1];
	int rc = session_token_read(m, token);

	assert_string_equal(token, rc == 0 ? "gho_!~09" : "");
	return rc;
}

static const struct record table[] = {
	{ MSG_AUDIT, PROGRAM_PROXYD, PROGRAM_PARENT, MSG_RUN, add_audit,
	    get_audit },
	{ MSG_AUDIT, PROGRAM_AUTHD, PROGRAM_PARENT, MSG_RUN, add_audit,
	    get_audit },
	{ MSG_CTL_ADMIN, PROGRAM_TETHERCTL, PROGRAM_PARENT, MSG_RUN,
	    add_request, get_request },
	{ MSG_ADMIN, PROGRAM_PARENT, PROGRAM_AUTHD, MSG_RUN, add_request,
	    get_request },
	{ MSG_ADMIN_USER, PROGRAM_AUTHD, PROGRAM_PARENT, MSG_RUN, add_user,
	    get_user },
	{ MSG_ADMIN_TOKEN, PROGRAM_AUTHD, PROGRAM_PARENT, MSG_RUN,
	    add_admin_token, get_admin_token },
	{ MSG_ADMIN_DONE, PROGRAM_AUTHD, PROGRAM_PARENT, MSG_RUN, add_done,
	    get_done },
	{ MSG_SESSION_GET_BY_TOKEN, PROGRAM_PROXYD, PROGRAM_AUTHD, MSG_RUN,
	    add_session_token, get_session_token },
};

static void
test_round_trip(void **state)
{
	(void)state;
	records_assert_round_trip(table, COUNT(table));
}

static void
test_truncated(void **state)
{
	(void)state;
	records_assert_truncated(table, COUNT(table));
}

/* Strings as long as each may be, or empty: the table of messages knows. */
static void
make_extreme(size_t i, bool longest, struct msg_out *out)
{
	struct audit_record r = { 0 };
	struct admin_request q = { 0 };
	struct admin_user u = { 0 };
	struct admin_token t = { 0 };
	struct admin_done d = { 0 };
	char token[SESSION_TOKEN_MAX + 1] = "";

#define FILL(s) memset((s), 'x', longest ? sizeof(s) - 1 : 0)
	FILL(r.login);
	FILL(r.role);
	FILL(r.method);
	FILL(r.path);
	FILL(r.why);
	FILL(q.whom);
	FILL(q.value);
	FILL(u.login);
	FILL(u.user_name);
	FILL(t.host);
	FILL(t.client_id);
	FILL(d.text);
	FILL(token);
	msg_start(out, table[i].type, 1);
	switch ((int)table[i].type) {
	case MSG_AUDIT:
		audit_add(out, &r);
		break;
	case MSG_CTL_ADMIN:
	case MSG_ADMIN:
		admin_request_add(out, &q);
		break;
	case MSG_ADMIN_USER:
		admin_user_add(out, &u);
		break;
	case MSG_ADMIN_TOKEN:
		admin_token_add(out, &t);
		break;
	case MSG_ADMIN_DONE:
		admin_done_add(out, &d);
		break;
	default:
		session_token_add(out, token);
		break;
	}
}

static void
test_extremes(void **state)
{
	struct msg_out out;
	size_t i, longest;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		for (longest = 0; longest < 2; longest++) {
			make_extreme(i, longest == 1, &out);
			record_assert_legal(&table[i], &out, NULL);
			msg_discard(&out);
		}
}

/* Numbers that a peer of good will does not send. */
static void
test_numbers(void **state)
{
	struct audit_record r;
	struct admin_request q;
	struct admin_user u;
	struct admin_done d;
	struct msg_out out;
	struct msg m;
	unsigned value;
	size_t role;

	(void)state;
	for (value = 0; value < 256; value++) {
		msg_start(&out, MSG_AUDIT, 1);
		audit_add(&out, &record);
		out.data[0] = (uint8_t)value;
		m = record_written(&out);
		assert_int_equal(
		    audit_read(&m, &r), value < AUDIT_EVENT_COUNT ? 0 : -1);
		out.data[0] = 0;
		out.data[1] = (uint8_t)value;
		m = record_written(&out);
		assert_int_equal(
		    audit_read(&m, &r), value < AUDIT_VERDICT_COUNT ? 0 : -1);
		msg_discard(&out);

		msg_start(&out, MSG_ADMIN, 1);
		add_request(&out);
		out.data[0] = (uint8_t)value;
		m = record_written(&out);
		assert_int_equal(admin_request_read(&m, &q),
		    value < ADMIN_OP_COUNT ? 0 : -1);
		msg_discard(&out);

		msg_start(&out, MSG_ADMIN_USER, 1);
		add_user(&out);
		role = 8 + 4 + strlen("octocat") + 4 + strlen("orch_1_octocat");
		out.data[role + 1] = (uint8_t)value;
		m = record_written(&out);
		assert_int_equal(admin_user_read(&m, &u),
		    value < SESSION_ROLE_COUNT ? 0 : -1);
		msg_discard(&out);

		msg_start(&out, MSG_ADMIN_DONE, 1);
		add_done(&out);
		out.data[0] = (uint8_t)value;
		m = record_written(&out);
		assert_int_equal(admin_done_read(&m, &d), value < 2 ? 0 : -1);
		msg_discard(&out);
	}
}

/* A token of any byte, as long as may be, and one more. */
static void
test_tokens(void **state)
{
	char token[SESSION_TOKEN_MAX + 1], text[SESSION_TOKEN_MAX + 2];
	struct msg_out out;
	struct msg m;
	unsigned value;
	bool good;

	(void)state;
	for (value = 1; value < 256; value++) {
		const char one[] = { 'a', (char)value, 'b', '\0' };

		good = value > 0x20 && value < 0x7f;
		msg_start(&out, MSG_SESSION_GET_BY_TOKEN, 1);
		session_token_add(&out, one);
		m = record_written(&out);
		assert_int_equal(session_token_read(&m, token), good ? 0 : -1);
		assert_string_equal(token, good ? one : "");
		msg_discard(&out);
	}
	for (value = 0; value < 2; value++) {
		memset(text, 'x', sizeof(text));
		text[SESSION_TOKEN_MAX + value] = '\0';
		msg_start(&out, MSG_SESSION_GET_BY_TOKEN, 1);
		session_token_add(&out, text);
		m = record_written(&out);
		assert_int_equal(
		    session_token_read(&m, token), value == 0 ? 0 : -1);
		assert_string_equal(token, value == 0 ? text : "");
		msg_discard(&out);
	}
}

/* What the instance itself is asked for: what there is, and no more. */
static void
test_services(void **state)
{
	static const struct {
		uint32_t value;
		size_t len;
		bool good;
	} cases[] = {
		{ SESSION_SERVICE_ACT, 0, false },
		{ SESSION_SERVICE_ACT, 3, false },
		{ SESSION_SERVICE_ACT, 4, true },
		{ SESSION_SERVICE_ACT, 5, false },
		{ SESSION_SERVICE_WATCH, 4, true },
		{ SESSION_SERVICE_WATCH, 8, false },
		{ SESSION_SERVICE_COUNT, 4, false },
		{ 1 << 8, 4, false },
		{ 1u << 31, 4, false },
		{ UINT32_MAX, 4, false },
	};
	enum session_service service;
	struct msg_out out;
	struct msg m;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg_start(&out, MSG_SESSION_GET_SERVICE, 1);
		session_service_add(&out, (enum session_service)cases[i].value);
		assert_int_equal(out.len, 4);
		msg_add_u32(&out, 0);
		m = record_written(&out);
		m.len = cases[i].len;
		service = SESSION_SERVICE_COUNT;
		assert_int_equal(
		    session_service_read(&m, &service), cases[i].good ? 0 : -1);
		assert_int_equal(service,
		    cases[i].good ? cases[i].value : SESSION_SERVICE_COUNT);
		msg_discard(&out);
	}
}

static void
test_names(void **state)
{
	char text[8];
	int i;

	(void)state;
	for (i = 0; i < AUDIT_EVENT_COUNT; i++)
		assert_non_null(audit_event_name((enum audit_event)i));
	for (i = 0; i < AUDIT_VERDICT_COUNT; i++)
		assert_non_null(audit_verdict_name((enum audit_verdict)i));
	assert_string_equal(audit_event_name(AUDIT_SIGN_IN), "sign-in");
	assert_string_equal(audit_verdict_name(AUDIT_GIVEN_UP), "given up");
	audit_set(text, sizeof(text), "0123456789");
	assert_string_equal(text, "0123456");
	for (i = 0; i < ADMIN_OP_COUNT; i++)
		assert_int_equal(admin_op_changes((enum admin_op)i),
		    i != ADMIN_USERS && i != ADMIN_TOKENS);
	assert_string_equal(session_role_name(SESSION_ROLE_FULL), "full");
	assert_int_equal(
	    session_role_find("read-only"), SESSION_ROLE_READ_ONLY);
	assert_int_equal(session_role_find("default"), SESSION_ROLE_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
