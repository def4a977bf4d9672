#include <sys/mman.h>
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "common/channel.h"
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
	FIELD(CONNECTOR, connector, message_max, NUMBER),
	FIELD(CONNECTOR, connector, hostname, STRING),
	FIELD(CONNECTOR, connector, project, STRING),
	FIELD(CONNECTOR, connector, version, STRING),
	FIELD(CONNECTOR, connector, callback_url, STRING),
	FIELD(CONNECTOR, connector, claim_users, STRING),
	FIELD(CONNECTOR, connector, claim_orgs, STRING),
	FIELD(CONNECTOR, connector, claim_teams, STRING),
	FIELD(CONNECTOR, connector, confinement.sandbox, FLAG),
	FIELD(PROXYD, proxyd, upstream_host, STRING),
	FIELD(PROXYD, proxyd, upstream_port, NUMBER),
	FIELD(PROXYD, proxyd, requests_max, NUMBER),
	FIELD(PROXYD, proxyd, body_max, NUMBER),
	FIELD(PROXYD, proxyd, buffered_max, LONG_NUMBER),
	FIELD(PROXYD, proxyd, connect_ms, NUMBER),
	FIELD(PROXYD, proxyd, total_ms, NUMBER),
	FIELD(PROXYD, proxyd, tunnels_max, NUMBER),
	FIELD(PROXYD, proxyd, tunnels_user_max, NUMBER),
	FIELD(PROXYD, proxyd, page_script_external, FLAG),
	FIELD(PROXYD, proxyd, callback_url, STRING),
	FIELD(PROXYD, proxyd, deny_paths, STRING),
	FIELD(PROXYD, proxyd, deny_paths_role[0], STRING),
	FIELD(PROXYD, proxyd, deny_paths_role[1], STRING),
	FIELD(PROXYD, proxyd, rules, FLAG),
	FIELD(PROXYD, proxyd, requests_rate, NUMBER),
	FIELD(PROXYD, proxyd, tunnels_rate, NUMBER),
	FIELD(PROXYD, proxyd, failures_rate, NUMBER),
	FIELD(PROXYD, proxyd, audit, FLAG),
	FIELD(PROXYD, proxyd, confinement.sandbox, FLAG),
	FIELD(AUTHD, authd, database_path, STRING),
	FIELD(AUTHD, authd, state_dir, STRING),
	FIELD(AUTHD, authd, jwt_secret, STRING),
	FIELD(AUTHD, authd, jwt_secret_default, FLAG),
	FIELD(AUTHD, authd, token, STRING),
	FIELD(AUTHD, authd, orchestrator, STRING),
	FIELD(AUTHD, authd, users[0], STRING),
	FIELD(AUTHD, authd, users[1], STRING),
	FIELD(AUTHD, authd, teams[0], STRING),
	FIELD(AUTHD, authd, teams[1], STRING),
	FIELD(AUTHD, authd, orgs[0], STRING),
	FIELD(AUTHD, authd, orgs[1], STRING),
	FIELD(AUTHD, authd, cache_allowed_ms, NUMBER),
	FIELD(AUTHD, authd, cache_refused_ms, NUMBER),
	FIELD(AUTHD, authd, failures_rate, NUMBER),
	FIELD(AUTHD, authd, watch_runs, FLAG),
	FIELD(AUTHD, authd, adopt, FLAG),
	FIELD(AUTHD, authd, github_token, STRING),
	FIELD(AUTHD, authd, github_api, STRING),
	FIELD(AUTHD, authd, github_ca_file, STRING),
	FIELD(AUTHD, authd, confinement.sandbox, FLAG),
	FIELD(DIALER, dialer, host, STRING),
	FIELD(DIALER, dialer, port, NUMBER),
	FIELD(DIALER, dialer, proxy_host, STRING),
	FIELD(DIALER, dialer, proxy_port, NUMBER),
	FIELD(DIALER, dialer, proxy_auth, STRING),
	FIELD(DIALER, dialer, timeout_ms, NUMBER),
	FIELD(DIALER, dialer, confinement.sandbox, FLAG),
};

static struct conf *
defaults(void)
{
	struct draft draft;

	draft_start(&draft);
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

static bool
same(const struct conf *a, const struct conf *b, enum program program)
{
	struct msg_out ma, mb;
	bool equal;

	conf_slice(a, program, &ma);
	conf_slice(b, program, &mb);
	assert_false(ma.failed || mb.failed);
	equal = ma.len == mb.len && memcmp(ma.data, mb.data, ma.len) == 0;
	msg_discard(&ma);
	msg_discard(&mb);
	return equal;
}

/* A change concerns the program whose slice it is in, and no other. */
static void
test_slices(void **state)
{
	struct conf *a = defaults(), *b;
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(fields); i++) {
		b = defaults();
		for (k = 0; k < COUNT(programs); k++)
			assert_true(same(a, b, programs[k]));
		assert_true(conf_same_dialer(a, b));
		change(b, &fields[i]);
		for (k = 0; k < COUNT(programs); k++)
			if (same(a, b, programs[k]) ==
			    (programs[k] == fields[i].program))
				fail_msg("field %zu and %s", i,
				    program_name(programs[k]));
		assert_int_equal(conf_same_dialer(a, b),
		    fields[i].program != PROGRAM_DIALER);
		conf_free(b);
	}
	conf_free(a);
}

/* What leads authd to other databases, and nothing else. */
static void
test_needs_trial(void **state)
{
	static const struct {
		struct field field;
		bool needed;
	} table[] = {
		{ FIELD(AUTHD, authd, database_path, STRING), true },
		{ FIELD(AUTHD, authd, state_dir, STRING), true },
		{ FIELD(AUTHD, authd, confinement.uid, NUMBER), true },
		{ FIELD(AUTHD, authd, confinement.gid, NUMBER), true },
		{ FIELD(PROXYD, proxyd, confinement.uid, NUMBER), false },
		{ FIELD(AUTHD, authd, token, STRING), false },
		{ FIELD(AUTHD, authd, adopt, FLAG), false },
	};
	struct conf *a = defaults(), *b;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		b = defaults();
		assert_false(conf_needs_trial(a, b));
		change(b, &table[i].field);
		if (conf_needs_trial(a, b) != table[i].needed)
			fail_msg("field %zu", i);
		conf_free(b);
	}
	conf_free(a);
}

static void
test_needs_restart(void **state)
{
	static const struct {
		struct field field;
		const char *name;
	} table[] = {
		{ FIELD(PARENT, parent, socket, STRING), "control socket" },
		{ FIELD(PARENT, parent, group, STRING), "control group" },
		{ FIELD(PARENT, parent, sandbox, FLAG), "sandbox" },
		{ FIELD(PARENT, parent, log_file, STRING), NULL },
		{ FIELD(PARENT, parent, audit_file, STRING), NULL },
		{ FIELD(PARENT, parent, log_to_stderr, FLAG), NULL },
		{ FIELD(PARENT, parent, log_level, NUMBER), NULL },
	};
	struct conf *a = defaults(), *b;
	const char *name;
	size_t i;

	(void)state;
	assert_null(conf_needs_restart(a, a));
	for (i = 0; i < COUNT(table); i++) {
		b = defaults();
		change(b, &table[i].field);
		name = conf_needs_restart(a, b);
		if (table[i].name == NULL)
			assert_null(name);
		else
			assert_string_equal(name, table[i].name);
		conf_free(b);
	}
	for (i = 0; i < COUNT(fields); i++) {
		b = defaults();
		change(b, &fields[i]);
		assert_null(conf_needs_restart(a, b));
		conf_free(b);
	}
	conf_free(a);
}

static void
add_file(struct conf *conf, enum conf_file which)
{
	char path[16];
	int fd = memfd_create("test", MFD_CLOEXEC);

	(void)snprintf(path, sizeof(path), "/f%d", (int)which);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, path, strlen(path)), strlen(path));
	conf->files[which].path = strdup(path);
	conf->files[which].fd = fd;
}

/* The next message of the parent to a program. */
static void
receive(int socket, enum program program, struct msg *m)
{
	static uint8_t buffer[MSG_SIZE_MAX];
	const char *why = msg_recv_now(
	    socket, m, buffer, 1000, PROGRAM_PARENT, program, MSG_RUN);

	if (why != NULL)
		fail_msg("%s", why);
	assert_int_equal(m->id, 7);
}

static void
assert_file(int socket, enum program program, enum conf_file which)
{
	char path[16], name[16], text[16] = "";
	struct msg m;
	int fd;

	receive(socket, program, &m);
	assert_int_equal(m.type, MSG_CONF_FILE);
	assert_int_equal(msg_get_u32(&m), which);
	msg_get_str(&m, name, sizeof(name));
	fd = msg_take_fd(&m);
	assert_true(msg_end(&m));
	(void)snprintf(path, sizeof(path), "/f%d", (int)which);
	assert_string_equal(name, path);
	assert_int_equal(pread(fd, text, sizeof(text), 0), strlen(path));
	assert_string_equal(text, path);
	close(fd);
}

/* Each program gets its settings and its files, again when asked again. */
static void
test_send(void **state)
{
	static const struct channel_ops ops;
	static const struct {
		enum program program;
		enum msg_type type;
		enum conf_file files[4];
		size_t nfiles;
	} table[] = {
		{ PROGRAM_CONNECTOR, MSG_CONF_CONNECTOR, { CONF_FILE_CA }, 1 },
		{ PROGRAM_PROXYD, MSG_CONF_PROXYD, { 0 }, 0 },
		{ PROGRAM_AUTHD, MSG_CONF_AUTHD,
		    { CONF_FILE_TOKEN, CONF_FILE_JWT_SECRET,
			CONF_FILE_GITHUB_TOKEN, CONF_FILE_GITHUB_CA },
		    4 },
	};
	struct event_base *base = event_base_new();
	struct conf *conf = defaults();
	struct channel *ch;
	struct msg m;
	size_t i, k, row;
	int pair[2];

	(void)state;
	assert_non_null(base);
	for (i = 0; i < CONF_FILE_COUNT; i++)
		add_file(conf, i);
	for (i = 0; i < COUNT(table) * 2; i++) {
		row = i / 2;
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
		ch = channel_new(base, pair[0], PROGRAM_PARENT,
		    table[row].program, &ops, NULL);
		conf_send(conf, table[row].program, ch, 7);
		receive(pair[1], table[row].program, &m);
		assert_int_equal(m.type, table[row].type);
		for (k = 0; k < table[row].nfiles; k++)
			assert_file(
			    pair[1], table[row].program, table[row].files[k]);
		receive(pair[1], table[row].program, &m);
		assert_int_equal(m.type, MSG_CONF_DONE);
		channel_free(ch);
		close(pair[1]);
	}
	conf_free(conf);
	event_base_free(base);
}

static void
test_defaults(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(setenv("HOME", "/home/alice", 1), 0);
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
	assert_string_equal(c->authd.github_api, "https://api.github.com");
	assert_int_equal(c->authd.cache_allowed_ms, 300000);
	assert_int_equal(c->authd.cache_refused_ms, 60000);
	assert_int_equal(c->proxyd.requests_rate, 20000);
	assert_int_equal(c->proxyd.tunnels_rate, 6000);
	assert_int_equal(c->proxyd.failures_rate, 600);
	assert_int_equal(c->github_dialer.timeout_ms, 8000);
	assert_int_equal(c->authd.github_ca_fd, -1);
	conf_free(c);

	/* Not where we happen to be. */
	assert_int_equal(setenv("HOME", "relative", 1), 0);
	c = defaults();
	assert_int_equal(c->authd.state_dir[0], '/');
	assert_int_equal(c->authd.database_path[0], '/');
	conf_free(c);
	conf_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_needs_trial),
		cmocka_unit_test(test_needs_restart),
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
