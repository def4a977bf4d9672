/*
 * Who is let in, who may claim, and how GitHub is asked about them; and how
 * long all of that may be.
 */

#include "tests/unit/tetherd/environment_fixture.h"

/* A list of n names, as long as they may be, and all different. */
static void
append_list(char *text, size_t size, const char *words, size_t n)
{
	bool team = strstr(words, "team") != NULL;
	char line[128];
	size_t i;

	for (i = 0; i < n; i++) {
		(void)snprintf(line, sizeof(line), "%s %c%c%0*zu\n", words,
		    words[0], team ? '/' : 'x', 62, i);
		(void)strlcat(text, line, size);
	}
}

/* What all rules together may be, and not a byte more. */
static void
test_rules_length(void **state)
{
	static char text[65536];
	size_t extra, total;
	const struct conf *c;

	(void)state;
	set_client();
	set("GITHUB_TOKEN", "x");
	for (extra = 0; extra < 2; extra++) {
		(void)strlcpy(text, "policy {\n", sizeof(text));
		append_list(text, sizeof(text), "users", 168);
		append_list(text, sizeof(text), "read-only team", 168);
		append_list(text, sizeof(text), "org", 168);
		/* 32768 is 504 of 65, less three separators, and 11. */
		(void)strlcat(text, "read-only org ggggggggggg", sizeof(text));
		(void)strlcat(text, extra ? "g\n}\n" : "\n}\n", sizeof(text));
		write_conf("%s", text);
		if (extra) {
			assert_refused(NULL,
			    "policy: users, teams and orgs: longer than 32768 "
			    "bytes in all");
			continue;
		}
		c = assert_read(NULL);
		total = strlen(c->authd.users[0]) + strlen(c->authd.teams[1]) +
			strlen(c->authd.orgs[0]) + strlen(c->authd.orgs[1]);
		assert_int_equal(total, 32768);
	}
	write_conf("");
}

/* Who may claim: who is named for it, else who will be let in. */
static void
test_claims(void **state)
{
	const struct conf *c;

	(void)state;
	set_client();
	set("GITHUB_TOKEN", "x");
	c = assert_read(NULL);
	assert_string_equal(c->connector.claim_users, "");
	assert_string_equal(c->connector.claim_teams, "");
	assert_string_equal(c->connector.claim_orgs, "");
	assert_false(c->proxyd.rules);
	write_conf("policy { users { a b }\nread-only users c\n"
		   "read-only team d/e\norg f }");
	c = assert_read(NULL);
	assert_true(c->proxyd.rules);
	assert_string_equal(c->connector.claim_users, "a b c");
	assert_string_equal(c->connector.claim_teams, "d/e");
	assert_string_equal(c->connector.claim_orgs, "f");
	set("ORCHESTRATOR_CLAIM_ORG", "g,h");
	c = assert_read(NULL);
	assert_string_equal(c->connector.claim_users, "");
	assert_string_equal(c->connector.claim_teams, "");
	assert_string_equal(c->connector.claim_orgs, "g h");
	assert_string_equal(c->authd.users[0], "a b");
	write_conf("");
}

/* A rule of any kind and role is one. */
static void
test_rules(void **state)
{
	static const char *const rules[] = { "users a", "read-only users a",
		"team a/b", "read-only team a/b", "org a", "read-only org a" };
	size_t i;

	(void)state;
	set("GITHUB_TOKEN", "x");
	for (i = 0; i < COUNT(rules); i++) {
		write_conf("policy { %s }", rules[i]);
		assert_true(assert_read(NULL)->proxyd.rules);
	}
	write_conf("policy { adopt no\ndeny path /a }");
	assert_false(assert_read(NULL)->proxyd.rules);
	write_conf("");
}

#define NEED_TOKEN                                                        \
	"team and org rules need a github token (github token, "          \
	"GITHUB_TOKEN): people that only the orchestrator names will be " \
	"refused"

/* What is odd, but no reason to refuse the settings. */
static void
test_odd_rules(void **state)
{
	static const struct {
		const char *conf, *said;
		bool token;
	} table[] = {
		{ "policy { users { a b }\nread-only users { c } }", "",
		    false },
		{ "policy {\nteam a/b\n}", ":2: " NEED_TOKEN, false },
		{ "policy {\nread-only org b\n}", ":2: " NEED_TOKEN, false },
		{ "policy {\norg b\nread-only team a/b\n}", ":3: " NEED_TOKEN,
		    false },
		{ "policy { team a/b\norg b }", "", true },
		{ "policy { users { ab Ab-c abc }\n"
		  "read-only users { x AB-C ab- } }",
		    ":2: AB-C is in users and read-only users: full counts",
		    false },
		{ "policy { read-only team { a/b }\nteam { c/d A/B } }",
		    ":1: a/b is in team and read-only team: full counts",
		    true },
		{ "policy { org a\nread-only org a }",
		    ":2: a is in org and read-only org: full counts", true },
		/* Of another kind. */
		{ "policy { users a\nread-only org a }", "", true },
	};
	struct settings *settings;
	char line[512];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		clear();
		set_client();
		if (table[i].token)
			set("GITHUB_TOKEN", "x");
		write_conf("%s", table[i].conf);
		settings = read_settings(NULL);
		assert_non_null(settings);
		settings_free(settings);
		(void)snprintf(line, sizeof(line), "%s%s",
		    table[i].said[0] == '\0' ? "" : conf_path, table[i].said);
		assert_string_equal(said, line);
	}
	/* Without a client nobody is asked for; a file is a token, too. */
	write_conf("policy { org a }");
	set("GITHUB_TOKEN", "");
	set("ORCHESTRATOR_MODE", "");
	(void)assert_read(NULL);
	set_client();
	write_file("x\n", 2);
	write_conf("policy { org a }\ngithub { token file \"%s\" }", path);
	(void)assert_read(NULL);
	write_conf("");
}

/* How GitHub is reached. */
static void
test_github(void **state)
{
	static const struct {
		const char *api, *users, *proxy, *no_proxy, *why;
		const char *host;
		unsigned port;
		const char *proxy_host;
	} table[] = {
		{ "", "a", "", "", NULL, "api.github.com", 443, "" },
		{ "", "a", "u:p@proxy:1", "", NULL, "api.github.com", 443,
		    "proxy" },
		{ "https://G.example:8443/api/v3", "a", "proxy", "", NULL,
		    "G.example", 8443, "proxy" },
		{ "https://g", "a", "proxy", "g", NULL, "g", 443, "" },
		{ "https://[::1]/", "a", "", "", NULL, "::1", 443, "" },
		{ "http://localhost:1", "a", "proxy", "", NULL, "localhost", 1,
		    "" },
		{ "HTTP://127.255.255.254", "a", "", "", NULL,
		    "127.255.255.254", 80, "" },
		{ "https://g", "a", "socks5://x", "h",
		    "HTTPS_PROXY: only http:// proxies can be used", NULL, 0,
		    NULL },
		/* Without rules it is not asked. */
		{ "https://g", "", "socks5://x", "h", NULL, "g", 443, "" },
		{ "https://g", "a", "socks5://x", "g,h", NULL, "g", 443, "" },
	};
	const struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		set_client();
		set("ORCHESTRATOR_URL", "wss://h");
		set("GITHUB_API_URL", table[i].api);
		set("ORCHESTRATOR_GITHUB_USERS", table[i].users);
		set("HTTPS_PROXY", table[i].proxy);
		set("NO_PROXY", table[i].no_proxy);
		if (table[i].why != NULL) {
			assert_refused(NULL, table[i].why);
			continue;
		}
		c = assert_read(NULL);
		assert_string_equal(c->github_dialer.host, table[i].host);
		assert_int_equal(c->github_dialer.port, table[i].port);
		assert_string_equal(
		    c->github_dialer.proxy_host, table[i].proxy_host);
		assert_int_equal(c->github_dialer.timeout_ms, 8000);
		assert_string_equal(c->dialer.host, "h");
	}
	/* Nobody asks without a client; the same complaint comes once. */
	set("HTTPS_PROXY", "socks5://x");
	set("NO_PROXY", "");
	assert_refused(NULL, "HTTPS_PROXY: only http:// proxies can be used");
	set("ORCHESTRATOR_MODE", "");
	(void)assert_read(NULL);
}

/* The longest settings of all still fit the messages that carry them. */
static void
test_longest(void **state)
{
	static const enum program programs[] = { PROGRAM_CONNECTOR,
		PROGRAM_PROXYD, PROGRAM_AUTHD, PROGRAM_DIALER };
	static const char *const lists[] = { "users", "team", "org",
		"read-only users", "read-only team", "read-only org" };
	static const char *const paths[] = { "deny path", "full deny path",
		"read-only deny path" };
	static char text[131072], value[4097];
	uint8_t *datagram = malloc(MSG_SIZE_MAX);
	struct msg_out out;
	struct msg m;
	const struct conf *c;
	struct conf *deep;
	size_t i, k, n;

	(void)state;
	assert_non_null(datagram);
	set_client();
	set("ORCHESTRATOR_TOKEN", long_value + 1);
	set("JWT_SECRET", long_value + 1);
	set("GITHUB_TOKEN", long_value + 1);
	memset(value, 'x', 4096);
	memcpy(value, "wss://h/", 8);
	set("ORCHESTRATOR_URL", value);
	memcpy(value, "https://", 8);
	set("ORCHESTRATOR_CALLBACK_URL", value);
	value[9] = '/';
	set("GITHUB_API_URL", value);
	value[4095] = '\0';
	memset(value, '/', 4095);
	memcpy(value + 4095 - strlen(ca_path), ca_path, strlen(ca_path));
	set("SSL_CERT_FILE", value);
	set("DATABASE_PATH", value);
	set("STATE_DIRECTORY", value);
	memset(value, 'x', 4095);
	memcpy(value + 4095 - 6, "@proxy", 6);
	set("HTTPS_PROXY", value);
	set("ORCHESTRATOR_CLIENT_ID", long_value + 4097 - 128);
	(void)strlcpy(text, "policy {\n", sizeof(text));
	for (i = 0; i < COUNT(lists); i++)
		append_list(text, sizeof(text), lists[i], 84);
	for (k = 0; k < 3 * COUNT(paths); k++) {
		memset(value, 'x', 4095);
		value[0] = '/';
		(void)strlcat(text, paths[k / 3], sizeof(text));
		(void)strlcat(text, " \"", sizeof(text));
		(void)strlcat(text, value, sizeof(text));
		(void)strlcat(text, "\"\n", sizeof(text));
	}
	(void)strlcat(text, "}\norchestrator {\n", sizeof(text));
	append_list(text, sizeof(text), "claim user", 12288 / 65 - 1);
	append_list(text, sizeof(text), "claim team", 12288 / 65 - 1);
	append_list(text, sizeof(text), "claim org", 12288 / 65 - 1);
	(void)strlcat(text, "}\n", sizeof(text));
	write_conf("%s", text);
	c = assert_read(NULL);
	write_conf("");
	assert_int_equal(strlen(c->authd.users[0]), 65 * 84 - 1);
	assert_int_equal(
	    strlen(c->connector.claim_users), 65 * (12288 / 65 - 1) - 1);
	assert_int_equal(strlen(c->proxyd.deny_paths), 4096 * 3);
	assert_int_equal(strlen(c->proxyd.deny_paths_role[1]), 4096 * 3);
	/* So deep a folder is hard to make, and possible. */
	deep = malloc(sizeof(*deep));
	assert_non_null(deep);
	*deep = *c;
	memset(value, 'x', 4095);
	deep->connector.project = value;
	for (i = 0; i < COUNT(programs); i++) {
		conf_slice(deep, programs[i], &out);
		assert_false(out.failed);
		msg_put_header(datagram, out.type, 0, 0, out.len);
		memcpy(datagram + MSG_HEADER_SIZE, out.data, out.len);
		n = MSG_HEADER_SIZE + out.len;
		msg_discard(&out);
		if (msg_parse(&m, datagram, n, -1, PROGRAM_PARENT, programs[i],
			MSG_SETUP) != NULL)
			fail_msg(
			    "%zu bytes for %s", n, program_name(programs[i]));
	}
	free(deep);
	msg_start(&out, MSG_TOKEN, 1);
	msg_add_str(&out, c->authd.token);
	msg_add_str(&out, long_value + 4097 - 256);
	msg_put_header(datagram, out.type, 0, 0, out.len);
	n = MSG_HEADER_SIZE + out.len;
	msg_discard(&out);
	assert_null(msg_parse(
	    &m, datagram, n, -1, PROGRAM_AUTHD, PROGRAM_CONNECTOR, MSG_RUN));
	free(datagram);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rules_length, setup),
		cmocka_unit_test_setup(test_claims, setup),
		cmocka_unit_test_setup(test_rules, setup),
		cmocka_unit_test_setup(test_odd_rules, setup),
		cmocka_unit_test_setup(test_github, setup),
		cmocka_unit_test_setup(test_longest, setup),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
