#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/draft.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const enum program programs[] = { PROGRAM_CONNECTOR, PROGRAM_PROXYD,
	PROGRAM_AUTHD, PROGRAM_DIALER };

/* Every field of every slice. */
static const struct field {
	enum program program;
	size_t offset;
	enum { STRING, FLAG, NUMBER, LONG_NUMBER } kind;
} fields[] = {
#define FIELD(program, slice, name, kind)                                  \
	{                                                                  \
		PROGRAM_##program, offsetof(struct conf, slice.name), kind \
	}
	FIELD(CONNECTOR, connector, enabled, FLAG),
	FIELD(CONNECTOR, connector, tls, FLAG),
	FIELD(CONNECTOR, connector, host, STRING),
	FIELD(CONNECTOR, connector, port, NUMBER),
	FIELD(CONNECTOR, connector, target, STRING),
	FIELD(CONNECTOR, connector, client_id, STRING),
	FIELD(CONNECTOR, connector, reconnect_ms, NUMBER),
	FIELD(CONNECTOR, connector, heartbeat_ms, NUMBER),
	FIELD(CONNECTOR, connector, ca_file, STRING),
	FIELD(CONNECTOR, connector, hostname, STRING),
	FIELD(CONNECTOR, connector, project, STRING),
	FIELD(CONNECTOR, connector, version, STRING),
	FIELD(CONNECTOR, connector, callback_url, STRING),
	FIELD(PROXYD, proxyd, upstream_host, STRING),
	FIELD(PROXYD, proxyd, upstream_port, NUMBER),
	FIELD(PROXYD, proxyd, requests_max, NUMBER),
	FIELD(PROXYD, proxyd, body_max, NUMBER),
	FIELD(PROXYD, proxyd, buffered_max, LONG_NUMBER),
	FIELD(PROXYD, proxyd, connect_ms, NUMBER),
	FIELD(PROXYD, proxyd, total_ms, NUMBER),
	FIELD(AUTHD, authd, database_path, STRING),
	FIELD(AUTHD, authd, state_dir, STRING),
	FIELD(AUTHD, authd, jwt_secret, STRING),
	FIELD(AUTHD, authd, jwt_secret_default, FLAG),
	FIELD(AUTHD, authd, token, STRING),
	FIELD(AUTHD, authd, teams, STRING),
	FIELD(AUTHD, authd, orgs, STRING),
	FIELD(AUTHD, authd, adopt, FLAG),
	FIELD(AUTHD, authd, users, STRING),
	FIELD(DIALER, dialer, host, STRING),
	FIELD(DIALER, dialer, port, NUMBER),
	FIELD(DIALER, dialer, proxy_host, STRING),
	FIELD(DIALER, dialer, proxy_port, NUMBER),
	FIELD(DIALER, dialer, proxy_auth, STRING),
	FIELD(DIALER, dialer, timeout_ms, NUMBER),
};

static struct conf *
defaults(void)
{
	struct draft draft;
	const char *name;

	draft_start(&draft);
	assert_null(draft_finish(&draft, &name));
	return draft_take(&draft);
}

/* Another value than it has. */
static void
change(struct conf *conf, const struct field *f)
{
	void *at = (char *)conf + f->offset;
	char **string = at;

	switch (f->kind) {
	case STRING:
		free(*string);
		*string = strdup("\x01other");
		assert_non_null(*string);
		break;
	case FLAG:
		*(bool *)at = !*(bool *)at;
		break;
	case NUMBER:
		*(uint32_t *)at += 1;
		break;
	case LONG_NUMBER:
		*(uint64_t *)at += 1ull << 32;
		break;
	}
}

/* A change concerns the program whose slice it is in, and no other. */
static void
test_same_slice(void **state)
{
	struct conf *a = defaults(), *b;
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(fields); i++) {
		b = defaults();
		for (k = 0; k < COUNT(programs); k++)
			assert_true(conf_same_slice(a, b, programs[k]));
		change(b, &fields[i]);
		for (k = 0; k < COUNT(programs); k++) {
			bool same = programs[k] != fields[i].program;

			if (conf_same_slice(a, b, programs[k]) != same ||
			    conf_same_slice(b, a, programs[k]) != same)
				fail_msg("field %zu and %s", i,
				    program_name(programs[k]));
		}
		conf_free(b);
	}
	conf_free(a);
}

static void
test_defaults(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(setenv("HOME", "/home/alice", 1), 0);
	assert_int_equal(unsetenv("STATE_DIRECTORY"), 0);
	c = defaults();
	assert_false(c->connector.enabled);
	assert_int_equal(c->connector.reconnect_ms, 5000);
	assert_int_equal(c->connector.heartbeat_ms, 30000);
	assert_string_equal(c->connector.client_id, c->connector.hostname);
	assert_string_equal(c->connector.version, TETHERD_VERSION);
	assert_string_equal(c->proxyd.upstream_host, "127.0.0.1");
	assert_int_equal(c->proxyd.upstream_port, 3001);
	assert_string_equal(
	    c->authd.database_path, "/home/alice/.cloudcli/auth.db");
	assert_string_equal(
	    c->authd.state_dir, "/home/alice/.local/state/tetherd");
	assert_string_equal(c->authd.token, "");
	conf_free(c);

	assert_int_equal(setenv("STATE_DIRECTORY", "/var/lib/a:/b", 1), 0);
	c = defaults();
	assert_string_equal(c->authd.state_dir, "/var/lib/a");
	conf_free(c);
	/* Not where we happen to be. */
	assert_int_equal(setenv("STATE_DIRECTORY", "relative", 1), 0);
	assert_int_equal(setenv("HOME", "relative", 1), 0);
	c = defaults();
	assert_int_equal(c->authd.state_dir[0], '/');
	assert_int_equal(c->authd.database_path[0], '/');
	conf_free(c);
	conf_free(NULL);
}

static void
put(char **where, const char *value)
{
	free(*where);
	*where = strdup(value);
	assert_non_null(*where);
}

/* What depends on several settings. */
static void
test_finish(void **state)
{
	static const struct {
		const char *url, *proxy, *no_proxy, *token;
		const char *name; /* what is wrong, or NULL */
		const char *proxy_host;
	} table[] = {
		{ "wss://h/p", "", "", "t", NULL, "" },
		{ "", "", "", "t", "ORCHESTRATOR_URL", "" },
		{ "http://h", "", "", "t", "ORCHESTRATOR_URL", "" },
		{ "wss://h", "", "", "", "ORCHESTRATOR_TOKEN", "" },
		{ "wss://h", "proxy:1", "", "t", NULL, "proxy" },
		{ "wss://h", "proxy:1", "h", "t", NULL, "" },
		{ "wss://h", "proxy:1", "h:444", "t", NULL, "proxy" },
		{ "wss://h:444", "proxy:1", "h:444", "t", NULL, "" },
		/* only for TLS */
		{ "ws://h", "proxy:1", "", "t", NULL, "" },
		{ "wss://h", "socks5://x", "", "t", "HTTPS_PROXY", "" },
		{ "wss://h", "socks5://x", "*", "t", NULL, "" },
	};
	struct draft draft;
	const char *name, *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		struct conf *c = &draft.conf;

		draft_start(&draft);
		c->connector.enabled = true;
		put(&draft.url, table[i].url);
		put(&draft.proxy, table[i].proxy);
		put(&draft.no_proxy, table[i].no_proxy);
		put(&c->authd.token, table[i].token);
		why = draft_finish(&draft, &name);
		assert_int_equal(why == NULL, table[i].name == NULL);
		if (why != NULL)
			assert_string_equal(name, table[i].name);
		else {
			assert_string_equal(c->connector.host, "h");
			assert_string_equal(c->dialer.host, "h");
			assert_int_equal(c->dialer.port, c->connector.port);
		}
		assert_string_equal(c->dialer.proxy_host, table[i].proxy_host);
		draft_free(&draft);
	}
	/* None of it matters while nothing is to be connected. */
	draft_start(&draft);
	put(&draft.url, "nonsense");
	assert_null(draft_finish(&draft, &name));
	draft_free(&draft);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_slice),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
