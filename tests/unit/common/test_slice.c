#include <string.h>

#include "common/handle.h"
#include "common/link.h"
#include "common/session.h"
#include "common/slice.h"
#include "tests/unit/common/record_fixture.h"

/*
 * All that is made of fields: slices of the configuration, session, handle,
 * link.
 */

static char empty[] = "", one[] = "one", two[] = "two words",
	    three[] = "/dri/tte\n", four[] = "\xc3\xa9";

static const struct connector_conf connector = {
	.enabled = true,
	.host = one,
	.port = 65535,
	.target = two,
	.client_id = three,
	.reconnect_ms = 1,
	.heartbeat_ms = UINT32_MAX,
	.ca_file = empty,
	.hostname = four,
	.project = two,
	.version = one,
	.callback_url = three,
	.claim_users = one,
	.claim_orgs = two,
	.claim_teams = four,
	.ca_fd = -1,
	.message_max = 2,
	.json_depth = 3,
	.total_ms = 4,
	.confinement = { true, false, 4000000000u, 70000 },
};

static const struct proxyd_conf proxyd = {
	.upstream_host = one,
	.upstream_port = 3001,
	.requests_max = 7,
	.body_max = 8,
	.buffered_max = UINT64_MAX - 1,
	.connect_ms = 9,
	.total_ms = 10,
	.tunnels_max = 11,
	.tunnels_user_max = 12,
	.page_script_external = true,
	.callback_url = one,
	.deny_paths = two,
	.deny_paths_role = { three, four },
	.rules = true,
	.requests_rate = 13,
	.tunnels_rate = 14,
	.failures_rate = 15,
	.audit = true,
	.confinement = { true, false, 4000000000u, 70000 },
};

static const struct authd_conf authd = {
	.database_path = one,
	.state_dir = two,
	.jwt_secret = three,
	.jwt_secret_default = true,
	.token = four,
	.github_token = one,
	.github_api = two,
	.orchestrator = three,
	.github_ca_file = four,
	.users = { empty, one },
	.teams = { three, two },
	.orgs = { four, three },
	.cache_allowed_ms = 13,
	.cache_refused_ms = 14,
	.failures_rate = 15,
	.watch_runs = true,
	.adopt = true,
	.trial = true,
	.confinement = { false, true, 7, 4000000001u },
};

static const struct dialer_conf dialer = {
	.host = one,
	.port = 443,
	.proxy_host = two,
	.proxy_port = 3128,
	.proxy_auth = three,
	.timeout_ms = 30000,
	.confinement = { true, false, 4000000000u, 70000 },
};

/* Of authd, which says the opposite of all others. */
static const struct confinement opposite = { false, true, 7, 4000000001u };

static void
assert_confinement(const struct confinement *c, bool usual)
{
	const struct confinement expected = { true, false, 4000000000u, 70000 };

	assert_true(confinement_is_same(c, usual ? &expected : &opposite));
	assert_false(confinement_is_same(c, usual ? &opposite : &expected));
}

static void
add_connector(struct msg_out *m)
{
	slice_add_connector(m, &connector);
}

static int
get_connector(struct msg *m)
{
	struct connector_conf c = { 0 };
	int rc = slice_connector.get(&c, m);

	if (rc == 0) {
		assert_true(c.enabled);
		assert_false(c.tls);
		assert_string_equal(c.host, one);
		assert_int_equal(c.port, 65535);
		assert_string_equal(c.target, two);
		assert_string_equal(c.client_id, three);
		assert_int_equal(c.reconnect_ms, 1);
		assert_int_equal(c.heartbeat_ms, UINT32_MAX);
		assert_string_equal(c.ca_file, empty);
		assert_string_equal(c.hostname, four);
		assert_string_equal(c.project, two);
		assert_string_equal(c.version, one);
		assert_string_equal(c.callback_url, three);
		assert_string_equal(c.claim_users, one);
		assert_string_equal(c.claim_orgs, two);
		assert_string_equal(c.claim_teams, four);
		assert_int_equal(c.message_max, 2);
		assert_int_equal(c.json_depth, 3);
		assert_int_equal(c.total_ms, 4);
		assert_int_equal(c.ca_fd, -1);
		assert_confinement(&c.confinement, true);
	}
	slice_free_connector(&c);
	return rc;
}

static void
add_proxyd(struct msg_out *m)
{
	slice_add_proxyd(m, &proxyd);
}

static int
get_proxyd(struct msg *m)
{
	struct proxyd_conf c = { 0 };
	int rc = slice_proxyd.get(&c, m);

	if (rc == 0) {
		assert_string_equal(c.upstream_host, one);
		assert_int_equal(c.upstream_port, 3001);
		assert_int_equal(c.requests_max, 7);
		assert_int_equal(c.body_max, 8);
		assert_true(c.buffered_max == UINT64_MAX - 1);
		assert_int_equal(c.connect_ms, 9);
		assert_int_equal(c.total_ms, 10);
		assert_int_equal(c.tunnels_max, 11);
		assert_int_equal(c.tunnels_user_max, 12);
		assert_true(c.page_script_external);
		assert_string_equal(c.callback_url, one);
		assert_string_equal(c.deny_paths, two);
		assert_string_equal(c.deny_paths_role[0], three);
		assert_string_equal(c.deny_paths_role[1], four);
		assert_true(c.rules);
		assert_int_equal(c.requests_rate, 13);
		assert_int_equal(c.tunnels_rate, 14);
		assert_int_equal(c.failures_rate, 15);
		assert_true(c.audit);
		assert_confinement(&c.confinement, true);
	}
	slice_free_proxyd(&c);
	return rc;
}

static void
add_authd(struct msg_out *m)
{
	slice_add_authd(m, &authd);
}

static int
get_authd(struct msg *m)
{
	struct authd_conf c = { 0 };
	int rc = slice_authd.get(&c, m);

	if (rc == 0) {
		assert_string_equal(c.database_path, one);
		assert_string_equal(c.state_dir, two);
		assert_string_equal(c.jwt_secret, three);
		assert_true(c.jwt_secret_default);
		assert_string_equal(c.token, four);
		assert_string_equal(c.github_token, one);
		assert_string_equal(c.github_api, two);
		assert_string_equal(c.orchestrator, three);
		assert_string_equal(c.github_ca_file, four);
		assert_int_equal(c.github_ca_fd, -1);
		assert_string_equal(c.users[0], empty);
		assert_string_equal(c.users[1], one);
		assert_string_equal(c.teams[0], three);
		assert_string_equal(c.teams[1], two);
		assert_string_equal(c.orgs[0], four);
		assert_string_equal(c.orgs[1], three);
		assert_int_equal(c.cache_allowed_ms, 13);
		assert_int_equal(c.cache_refused_ms, 14);
		assert_int_equal(c.failures_rate, 15);
		assert_true(c.watch_runs);
		assert_true(c.adopt);
		assert_true(c.trial);
		assert_confinement(&c.confinement, false);
	}
	slice_free_authd(&c);
	return rc;
}

static void
add_dialer(struct msg_out *m)
{
	slice_add_dialer(m, &dialer);
}

static int
get_dialer(struct msg *m)
{
	struct dialer_conf c = { 0 };
	int rc = slice_dialer.get(&c, m);

	if (rc == 0) {
		assert_string_equal(c.host, one);
		assert_int_equal(c.port, 443);
		assert_string_equal(c.proxy_host, two);
		assert_int_equal(c.proxy_port, 3128);
		assert_string_equal(c.proxy_auth, three);
		assert_int_equal(c.timeout_ms, 30000);
		assert_confinement(&c.confinement, true);
	}
	slice_free_dialer(&c);
	return rc;
}

static void
add_session(struct msg_out *m)
{
	static const struct session session = { .status = SESSION_UNAVAILABLE,
		.role = SESSION_ROLE_READ_ONLY,
		.lifetime_ms = 60000,
		.github_id = 1,
		.login = "octocat",
		.jwt = "a.b.c",
		.reason = "why",
		.advice = "ask" };

	session_add(m, &session);
}

static int
get_session(struct msg *m)
{
	struct session session;
	int rc;

	memset(&session, 0xff, sizeof(session));
	rc = session_read(m, &session);
	if (rc == 0) {
		assert_int_equal(session.status, SESSION_UNAVAILABLE);
		assert_int_equal(session.role, SESSION_ROLE_READ_ONLY);
		assert_int_equal(session.github_id, 1);
		assert_string_equal(session.login, "octocat");
		assert_string_equal(session.advice, "ask");
		assert_int_equal(session.lifetime_ms, 60000);
		assert_string_equal(session.jwt, "a.b.c");
		assert_string_equal(session.reason, "why");
	}
	return rc;
}

static void
add_session_get(struct msg_out *m)
{
	session_get_add(m, UINT64_MAX, "octocat");
}

static int
get_session_get(struct msg *m)
{
	char login[SESSION_LOGIN_MAX];
	uint64_t github_id;
	int rc = session_get_read(m, &github_id, login);

	if (rc == 0) {
		assert_true(github_id == UINT64_MAX);
		assert_string_equal(login, "octocat");
	}
	return rc;
}

static const char handle[] =
    HANDLE_PREFIX "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM-_09";

static void
add_handle(struct msg_out *m)
{
	handle_add(m, handle);
}

static int
get_handle(struct msg *m)
{
	char got[HANDLE_SIZE];
	int rc = handle_read(m, got);

	assert_string_equal(got, rc == 0 ? handle : "");
	return rc;
}

static void
add_handle_owner(struct msg_out *m)
{
	handle_owner_add(m, UINT64_MAX - 1, "octocat");
}

static int
get_handle_owner(struct msg *m)
{
	char login[SESSION_LOGIN_MAX];
	uint64_t github_id;
	int rc = handle_owner_read(m, &github_id, login);

	if (rc == 0) {
		assert_true(github_id == UINT64_MAX - 1);
		assert_string_equal(login, "octocat");
	}
	return rc;
}

static void
add_link_up(struct msg_out *m)
{
	static const struct link_up up = { .capabilities = LINK_BASE64,
		.message_max = 1ull << 40,
		.client_id = "my-laptop" };

	link_up_add(m, &up);
}

static int
get_link_up(struct msg *m)
{
	struct link_up up = { 0 };
	int rc = link_up_read(m, &up);

	if (rc == 0) {
		assert_int_equal(up.capabilities, LINK_BASE64);
		assert_true(up.message_max == 1ull << 40);
		assert_string_equal(up.client_id, "my-laptop");
	}
	return rc;
}

static const struct record table[] = {
	{ MSG_CONF_CONNECTOR, PROGRAM_PARENT, PROGRAM_CONNECTOR, MSG_SETUP,
	    add_connector, get_connector },
	{ MSG_CONF_PROXYD, PROGRAM_PARENT, PROGRAM_PROXYD, MSG_SETUP,
	    add_proxyd, get_proxyd },
	{ MSG_CONF_AUTHD, PROGRAM_PARENT, PROGRAM_AUTHD, MSG_SETUP, add_authd,
	    get_authd },
	{ MSG_CONF_DIALER, PROGRAM_PARENT, PROGRAM_DIALER, MSG_SETUP,
	    add_dialer, get_dialer },
	{ MSG_SESSION, PROGRAM_AUTHD, PROGRAM_PROXYD, MSG_RUN, add_session,
	    get_session },
	{ MSG_SESSION_GET, PROGRAM_PROXYD, PROGRAM_AUTHD, MSG_RUN,
	    add_session_get, get_session_get },
	{ MSG_HANDLE_NEW, PROGRAM_PROXYD, PROGRAM_AUTHD, MSG_RUN,
	    add_handle_owner, get_handle_owner },
	{ MSG_HANDLE, PROGRAM_AUTHD, PROGRAM_PROXYD, MSG_RUN, add_handle,
	    get_handle },
	{ MSG_HANDLE_CHECK, PROGRAM_PROXYD, PROGRAM_AUTHD, MSG_RUN, add_handle,
	    get_handle },
	{ MSG_HANDLE_OWNER, PROGRAM_AUTHD, PROGRAM_PROXYD, MSG_RUN,
	    add_handle_owner, get_handle_owner },
	{ MSG_LINK_UP, PROGRAM_CONNECTOR, PROGRAM_PROXYD, MSG_RUN, add_link_up,
	    get_link_up },
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

/* Values that a peer of good will does not send. */
static void
test_values(void **state)
{
	struct session session = { 0 };
	static const struct {
		const char *jwt;
		const char *client_id;
	} bad[] = {
		{ "a.b.c\r\nX: y", "" },
		{ "a.b.c d", "a/b" },
		{ "a.b.c&token=d", ".." },
		{ "a.b.\x80", "\"><script>" },
	};
	struct link_up up = { .client_id = "box" };
	size_t i;
	char login[SESSION_LOGIN_MAX + 1];
	struct msg_out out;
	struct msg m;
	unsigned value;

	(void)state;
	for (value = 0; value < 256; value++) {
		session.status = (enum session_status)value;
		session.role = SESSION_ROLE_FULL;
		msg_start(&out, MSG_SESSION, 1);
		session_add(&out, &session);
		out.data[0] = (uint8_t)value;
		m = record_written(&out);
		assert_int_equal(session_read(&m, &session),
		    value < SESSION_STATUS_COUNT ? 0 : -1);
		out.data[0] = SESSION_OK;
		out.data[1] = (uint8_t)value;
		m = record_written(&out);
		assert_int_equal(session_read(&m, &session),
		    value < SESSION_ROLE_COUNT ? 0 : -1);
		msg_discard(&out);
	}
	for (value = 0; value < 32; value++) {
		up.capabilities = 1u << value;
		msg_start(&out, MSG_LINK_UP, 1);
		link_up_add(&out, &up);
		m = record_written(&out);
		assert_int_equal(link_up_read(&m, &up), value < 2 ? 0 : -1);
		msg_discard(&out);
	}
	/* What would say something else in headers, URLs and pages. */
	for (i = 0; i < COUNT(bad); i++) {
		session.status = SESSION_OK;
		(void)strlcpy(session.jwt, bad[i].jwt, sizeof(session.jwt));
		msg_start(&out, MSG_SESSION, 1);
		session_add(&out, &session);
		m = record_written(&out);
		assert_int_equal(session_read(&m, &session), -1);
		msg_discard(&out);
		up.capabilities = 0;
		(void)strlcpy(
		    up.client_id, bad[i].client_id, sizeof(up.client_id));
		msg_start(&out, MSG_LINK_UP, 1);
		link_up_add(&out, &up);
		m = record_written(&out);
		assert_int_equal(link_up_read(&m, &up), -1);
		msg_discard(&out);
	}
	/* The longest client id, and one more. */
	for (value = 0; value < 2; value++) {
		char client_id[LINK_CLIENT_ID_SIZE + 1];

		memset(client_id, 'x', sizeof(client_id));
		client_id[LINK_CLIENT_ID_SIZE - 1 + value] = '\0';
		msg_start(&out, MSG_LINK_UP, 1);
		msg_add_u32(&out, 0);
		msg_add_u64(&out, 0);
		msg_add_str(&out, client_id);
		m = record_written(&out);
		assert_int_equal(link_up_read(&m, &up), value == 0 ? 0 : -1);
		msg_discard(&out);
	}
	/* The longest login, and one more. */
	for (value = 0; value < 2; value++) {
		uint64_t github_id;
		char got[SESSION_LOGIN_MAX];

		memset(login, 'x', sizeof(login));
		login[SESSION_LOGIN_MAX - 1 + value] = '\0';
		msg_start(&out, MSG_SESSION_GET, 1);
		session_get_add(&out, 1, login);
		m = record_written(&out);
		assert_int_equal(
		    session_get_read(&m, &github_id, got), value == 0 ? 0 : -1);
		msg_discard(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
