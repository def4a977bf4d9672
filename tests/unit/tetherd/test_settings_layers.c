#include "tests/unit/tetherd/settings_fixture.h"

enum kind { FLAG, NUMBER, LONG, TEXT, NOWHERE };

/*
 * Each setting: a value in tetherd.conf, how it is printed, and what it is in
 * the configuration; and another value in the environment, likewise.
 */
static const struct row {
	const char *block, *words, *value, *printed, *expected;
	enum kind kind;
	size_t offset;
	const char *name, *other, *other_printed, *other_expected;
} rows[] = {
#define IN(member) offsetof(struct conf, member)
	{ "", "control socket", "\"/run/t.sock\"", NULL, "/run/t.sock", TEXT,
	    IN(parent.socket), NULL, NULL, NULL, NULL },
	{ "", "control group", "staff", "\"staff\"", "staff", TEXT,
	    IN(parent.group), NULL, NULL, NULL, NULL },
	{ "", "state directory", "/s", "\"/s\"", "/s", TEXT,
	    IN(authd.state_dir), "STATE_DIRECTORY", "/e:/f", "\"/e\"", "/e" },
	{ "", "sandbox", "none", NULL, "0", FLAG, IN(parent.sandbox), NULL,
	    NULL, NULL, NULL },

	{ "orchestrator", "mode", "client", NULL, "1", FLAG,
	    IN(connector.enabled), "ORCHESTRATOR_MODE", "standalone",
	    "standalone", "0" },
	{ "orchestrator", "url", "\"ws://h/p\"", "\"ws://h/p\"", "h", TEXT,
	    IN(connector.host), "ORCHESTRATOR_URL", "wss://[::1]:8/?a",
	    "\"wss://[::1]:8/?********\"", "::1" },
	{ "orchestrator", "token", "\"t0\"", "\"********\"", "t0", TEXT,
	    IN(authd.token), "ORCHESTRATOR_TOKEN", "t1", "\"********\"", "t1" },
	{ "orchestrator", "client id", "me@box", "\"me@box\"", "me@box", TEXT,
	    IN(connector.client_id), "ORCHESTRATOR_CLIENT_ID", "you", "\"you\"",
	    "you" },
	{ "orchestrator", "reconnect interval", "90", "90s", "90000", NUMBER,
	    IN(connector.reconnect_ms), "ORCHESTRATOR_RECONNECT_INTERVAL", "90",
	    "90ms", "90" },
	{ "orchestrator", "heartbeat interval", "2m", NULL, "120000", NUMBER,
	    IN(connector.heartbeat_ms), "ORCHESTRATOR_HEARTBEAT_INTERVAL",
	    "60000", "1m", "60000" },
	{ "orchestrator", "callback url", "\"http://x\"", NULL, "http://x",
	    TEXT, IN(connector.callback_url), "ORCHESTRATOR_CALLBACK_URL",
	    "https://y", "\"https://y\"", "https://y" },
	{ "orchestrator", "no proxy", "{ a, .b }", "{ \"a\", \".b\" }", NULL,
	    NOWHERE, 0, "NO_PROXY", "c:1, d", "{ \"c:1\", \"d\" }", NULL },
	{ "orchestrator", "proxy", "\"u:p@h\"", "\"http://********@h:80\"",
	    NULL, NOWHERE, 0, "HTTPS_PROXY", "h2:8/", "\"http://h2:8\"", NULL },
	{ "orchestrator", "claim user", "a", "{ \"a\" }", "a", TEXT,
	    IN(connector.claim_users), "ORCHESTRATOR_CLAIM_USER", "b, c",
	    "{ \"b\", \"c\" }", "b c" },
	{ "orchestrator", "claim org", "{ a b }", "{ \"a\", \"b\" }", "a b",
	    TEXT, IN(connector.claim_orgs), "ORCHESTRATOR_CLAIM_ORG", "b",
	    "{ \"b\" }", "b" },
	{ "orchestrator", "claim team", "a/b", "{ \"a/b\" }", "a/b", TEXT,
	    IN(connector.claim_teams), "ORCHESTRATOR_CLAIM_TEAM", "c/d",
	    "{ \"c/d\" }", "c/d" },

	{ "upstream", "address", "::1", "\"::1\"", "::1", TEXT,
	    IN(proxyd.upstream_host), NULL, NULL, NULL, NULL },
	{ "upstream", "address", "\"unix:/u s\"", NULL, "unix:/u s", TEXT,
	    IN(proxyd.upstream_host), NULL, NULL, NULL, NULL },
	{ "upstream", "watch runs", "no", NULL, "0", FLAG,
	    IN(proxyd.watch_runs), NULL, NULL, NULL, NULL },
	{ "upstream", "watch runs", "no", NULL, "0", FLAG, IN(authd.watch_runs),
	    NULL, NULL, NULL, NULL },
	{ "upstream", "port", "80", NULL, "80", NUMBER,
	    IN(proxyd.upstream_port), "PORT", "81", "81", "81" },
	{ "upstream", "database", "\"/d \\\"b\"", NULL, "/d \"b", TEXT,
	    IN(authd.database_path), "DATABASE_PATH", "/e", "\"/e\"", "/e" },
	{ "upstream", "jwt secret", "\"j 0\"", "\"********\"", "j 0", TEXT,
	    IN(authd.jwt_secret), "JWT_SECRET", "j 1", "\"********\"", "j 1" },
	{ "upstream", "jwt secret default", "", NULL, "1", FLAG,
	    IN(authd.jwt_secret_default), NULL, NULL, NULL, NULL },
	{ "upstream", "page script", "external", NULL, "1", FLAG,
	    IN(proxyd.page_script_external), "TETHERD_PAGE_SCRIPT", "inline",
	    "inline", "0" },

	{ "github", "api url", "\"https://g\"", NULL, "https://g", TEXT,
	    IN(authd.github_api), "GITHUB_API_URL", "https://h",
	    "\"https://h\"", "https://h" },
	{ "github", "cache allowed", "90", "90s", "90000", NUMBER,
	    IN(authd.cache_allowed_ms), NULL, NULL, NULL, NULL },
	{ "github", "cache refused", "0", NULL, "0", NUMBER,
	    IN(authd.cache_refused_ms), NULL, NULL, NULL, NULL },
	{ "github", "token", "\"g0\"", "\"********\"", "g0", TEXT,
	    IN(authd.github_token), "GITHUB_TOKEN", "g1", "\"********\"",
	    "g1" },

	{ "policy", "users", "{ a, b-c\n\td_e }", "{ \"a\", \"b-c\", \"d_e\" }",
	    "a b-c d_e", TEXT, IN(authd.users[0]), "ORCHESTRATOR_GITHUB_USERS",
	    "x,y", "{ \"x\", \"y\" }", "x y" },
	{ "policy", "read-only users", "{ a, b-c }", "{ \"a\", \"b-c\" }",
	    "a b-c", TEXT, IN(authd.users[1]), NULL, NULL, NULL, NULL },
	{ "policy", "team", "a/b", "{ \"a/b\" }", "a/b", TEXT,
	    IN(authd.teams[0]), "ORCHESTRATOR_GITHUB_TEAM", "c/d",
	    "{ \"c/d\" }", "c/d" },
	{ "policy", "read-only team", "{ a/b c/d }", "{ \"a/b\", \"c/d\" }",
	    "a/b c/d", TEXT, IN(authd.teams[1]), NULL, NULL, NULL, NULL },
	{ "policy", "org", "{ a b }", "{ \"a\", \"b\" }", "a b", TEXT,
	    IN(authd.orgs[0]), "ORCHESTRATOR_GITHUB_ORG", "c", "{ \"c\" }",
	    "c" },
	{ "policy", "read-only org", "\"a\"", "{ \"a\" }", "a", TEXT,
	    IN(authd.orgs[1]), NULL, NULL, NULL, NULL },
	{ "policy", "adopt", "no", NULL, "0", FLAG, IN(authd.adopt), NULL, NULL,
	    NULL, NULL },
	{ "policy", "deny path", "{ /a \"/b c\" }", "{ \"/a\", \"/b c\" }",
	    "/a\n/b c\n", TEXT, IN(proxyd.deny_paths), NULL, NULL, NULL, NULL },
	{ "policy", "full deny path", "{ /a \"/b c\" }", "{ \"/a\", \"/b c\" }",
	    "/a\n/b c\n", TEXT, IN(proxyd.deny_paths_role[0]), NULL, NULL, NULL,
	    NULL },
	{ "policy", "read-only deny path", "/shell", "{ \"/shell\" }",
	    "/shell\n", TEXT, IN(proxyd.deny_paths_role[1]), NULL, NULL, NULL,
	    NULL },

	{ "limits", "requests", "7", NULL, "7", NUMBER, IN(proxyd.requests_max),
	    NULL, NULL, NULL, NULL },
	{ "limits", "request time", "7s", NULL, "7000", NUMBER,
	    IN(proxyd.total_ms), NULL, NULL, NULL, NULL },
	{ "limits", "connect time", "70ms", NULL, "70", NUMBER,
	    IN(proxyd.connect_ms), NULL, NULL, NULL, NULL },
	{ "limits", "body", "1G", NULL, "1073741824", NUMBER,
	    IN(proxyd.body_max), NULL, NULL, NULL, NULL },
	{ "limits", "memory", "64G", NULL, "68719476736", LONG,
	    IN(proxyd.buffered_max), NULL, NULL, NULL, NULL },
	{ "limits", "message", "128K", NULL, "131072", NUMBER,
	    IN(connector.message_max), NULL, NULL, NULL, NULL },
	{ "limits", "tunnels", "8", NULL, "8", NUMBER, IN(proxyd.tunnels_max),
	    NULL, NULL, NULL, NULL },
	{ "limits", "tunnels per user", "9", NULL, "9", NUMBER,
	    IN(proxyd.tunnels_user_max), NULL, NULL, NULL, NULL },
	{ "limits", "chat sessions", "9", NULL, "9", NUMBER,
	    IN(proxyd.chats_max), NULL, NULL, NULL, NULL },
	{ "limits", "chat idle time", "90m", NULL, "5400000", NUMBER,
	    IN(proxyd.chat_idle_ms), NULL, NULL, NULL, NULL },
	{ "limits", "headers", "99", NULL, "99", NUMBER, IN(proxyd.headers_max),
	    NULL, NULL, NULL, NULL },
	{ "limits", "header size", "8192", "8K", "8192", NUMBER,
	    IN(proxyd.headers_size_max), NULL, NULL, NULL, NULL },
	{ "limits", "request time", "9s", NULL, "9000", NUMBER,
	    IN(connector.total_ms), NULL, NULL, NULL, NULL },
	{ "limits", "json depth", "9", NULL, "9", NUMBER,
	    IN(connector.json_depth), NULL, NULL, NULL, NULL },
	{ "limits", "json depth", "10", NULL, "10", NUMBER,
	    IN(proxyd.json_depth), NULL, NULL, NULL, NULL },
	{ "limits", "requests per second", "7", NULL, "7", NUMBER,
	    IN(proxyd.requests_rate), NULL, NULL, NULL, NULL },
	{ "limits", "tunnels per minute", "8", NULL, "8", NUMBER,
	    IN(proxyd.tunnels_rate), NULL, NULL, NULL, NULL },
	{ "limits", "failures per minute", "9", NULL, "9", NUMBER,
	    IN(proxyd.failures_rate), NULL, NULL, NULL, NULL },

	{ "log", "level", "trace", NULL, "4", NUMBER, IN(parent.log_level),
	    NULL, NULL, NULL, NULL },
	{ "log", "to", "stderr", NULL, "1", FLAG, IN(parent.log_to_stderr),
	    NULL, NULL, NULL, NULL },
	{ "log", "file", "/l", "\"/l\"", "/l", TEXT, IN(parent.log_file), NULL,
	    NULL, NULL, NULL },
	{ "audit", "requests", "yes", NULL, "1", FLAG, IN(proxyd.audit), NULL,
	    NULL, NULL, NULL },
	{ "audit", "file", "/a", "\"/a\"", "/a", TEXT, IN(parent.audit_file),
	    NULL, NULL, NULL, NULL },
};

static void
assert_value(const struct conf *conf, const struct row *r, const char *expected)
{
	const void *at = (const char *)conf + r->offset;
	char number[32];
	const char *text;

	switch (r->kind) {
	case FLAG:
		assert_int_equal(*(const bool *)at, expected[0] - '0');
		break;
	case NUMBER:
		(void)snprintf(
		    number, sizeof(number), "%u", *(const uint32_t *)at);
		assert_string_equal(number, expected);
		break;
	case LONG:
		(void)snprintf(number, sizeof(number), "%llu",
		    (unsigned long long)*(const uint64_t *)at);
		assert_string_equal(number, expected);
		break;
	case TEXT:
		memcpy(&text, at, sizeof(text));
		assert_string_equal(text, expected);
		break;
	case NOWHERE:
		break;
	}
}

/* In line 3, with what a client needs where it is about one. */
static void
write_row(const struct row *r)
{
	static const char *const needed[][2] = { { "mode", "mode client\n" },
		{ "url", "url \"wss://host\"\n" }, { "token", "token x\n" } };
	char more[128] = "";
	size_t i;

	for (i = 0; i < COUNT(needed); i++)
		if (strcmp(r->block, "orchestrator") == 0 &&
		    strcmp(r->words, needed[i][0]) != 0)
			(void)strlcat(more, needed[i][1], sizeof(more));
	if (r->block[0] == '\0')
		write_conf("\n\n%s %s\n", r->words, r->value);
	else
		write_conf(
		    "\n%s {\n%s %s\n%s}\n", r->block, r->words, r->value, more);
}

static void
test_each(void **state)
{
	const struct conf *c;
	char comment[128], text[128];
	const struct row *r;

	(void)state;
	for (r = rows; r < rows + COUNT(rows); r++) {
		clear();
		write_row(r);
		c = assert_read();
		assert_value(c, r, r->expected);
		(void)snprintf(comment, sizeof(comment), "%s:3", conf_path);
		assert_printed(r->words,
		    r->printed == NULL ? r->value : r->printed, comment);
		if (r->name == NULL)
			continue;

		(void)snprintf(
		    text, sizeof(text), "\n%s='%s'\n", r->name, r->other);
		write_path(env_path, text);
		c = assert_read();
		assert_value(c, r, r->other_expected);
		(void)snprintf(
		    comment, sizeof(comment), "%s:2, %s", env_path, r->name);
		assert_printed(r->words, r->other_printed, comment);

		/* The environment is on top of a .env, too. */
		(void)snprintf(text, sizeof(text), "\n%s='%s'\n", r->name, "");
		write_path(env_path, text);
		set(r->name, r->other);
		c = assert_read();
		assert_value(c, r, r->other_expected);
		(void)snprintf(
		    comment, sizeof(comment), "environment, %s", r->name);
		assert_printed(r->words, r->other_printed, comment);
	}
}

/* No setting is forgotten above, but for those that name files. */
static void
test_complete(void **state)
{
	const struct setting *s;
	size_t i;

	(void)state;
	for (s = settings_table; s < settings_table + settings_table_len; s++) {
		for (i = 0; i < COUNT(rows); i++)
			if (strcmp(rows[i].block, s->block) == 0 &&
			    strcmp(rows[i].words, s->words) == 0)
				break;
		if (i == COUNT(rows) && s->type != &type_file)
			fail_msg("%s", s->words);
		if (i < COUNT(rows))
			assert_int_equal(
			    rows[i].name == NULL, s->names[0] == NULL);
	}
}

/* The usual port is not written, and what we say ourselves left out. */
static void
test_url(void **state)
{
	static const char *const table[][2] = {
		{ "ws://h", "\"ws://h/\"" },
		{ "ws://h:80/", "\"ws://h/\"" },
		{ "ws://h:443/", "\"ws://h:443/\"" },
		{ "wss://h:443/a", "\"wss://h/a\"" },
		{ "wss://h:80/a", "\"wss://h:80/a\"" },
		{ "wss://[::1]/a#b", "\"wss://[::1]/a\"" },
		{ "wss://h/?token=s", "\"wss://h/\"" },
		{ "wss://h/?token=s&a=b", "\"wss://h/?********\"" },
	};
	size_t i;

	(void)state;
	clear();
	for (i = 0; i < COUNT(table); i++) {
		set("ORCHESTRATOR_URL", table[i][0]);
		(void)assert_read();
		assert_printed(
		    "url", table[i][1], "environment, ORCHESTRATOR_URL");
	}
}

static void
test_flags(void **state)
{
	static const struct {
		const char *level;
		unsigned verbose;
		const char *printed, *comment;
	} table[] = {
		{ "brief", 1, "verbose", "flag -v" },
		{ "brief", 2, "trace", "flag -v" },
		{ "brief", 3, "trace", "flag -v" },
		{ "brief", 1000, "trace", "flag -v" },
		{ "verbose", 1, "trace", "flag -v" },
		{ "trace", 1, "trace", "flag -v" },
	};
	struct sources flags = { .log_to_stderr = true };
	struct settings *s;
	size_t i;

	(void)state;
	clear();
	for (i = 0; i < COUNT(table); i++) {
		write_conf("log { level %s }", table[i].level);
		flags.verbose = table[i].verbose;
		s = read_with(&flags);
		assert_non_null(s);
		assert_printed("level", table[i].printed, table[i].comment);
		assert_printed("to", "stderr", "flag -d");
		assert_true(settings_conf(s)->parent.log_to_stderr);
		settings_free(s);
	}
}

/* A list of a higher layer replaces that of a lower one, all of it. */
static void
test_lists(void **state)
{
	const struct conf *c;
	char comment[128];

	(void)state;
	clear();
	write_conf("policy { users a\nusers { b\n c, }\nusers { d } }");
	c = assert_read();
	assert_string_equal(c->authd.users[0], "a b c d");
	(void)snprintf(comment, sizeof(comment), "%s:1", conf_path);
	assert_printed("users", "{ \"a\", \"b\", \"c\", \"d\" }", comment);
	write_path(env_path,
	    "ORCHESTRATOR_GITHUB_USERS=e\nORCHESTRATOR_GITHUB_USERS='f g'\n");
	c = assert_read();
	assert_string_equal(c->authd.users[0], "f g");
	set("ORCHESTRATOR_GITHUB_USERS", " h,,\ti , ");
	c = assert_read();
	assert_string_equal(c->authd.users[0], "h i");
}

/* Of several ways to say one thing, the higher layer's counts. */
static void
test_groups(void **state)
{
	const struct conf *c;

	(void)state;
	clear();
	write_conf("orchestrator { token file \"%s\" }", secret_path);
	c = assert_read();
	assert_string_equal(c->files[CONF_FILE_TOKEN].path, secret_path);
	assert_int_not_equal(c->files[CONF_FILE_TOKEN].fd, -1);
	write_path(env_path, "ORCHESTRATOR_TOKEN=e\n");
	c = assert_read();
	assert_null(c->files[CONF_FILE_TOKEN].path);
	assert_int_equal(c->files[CONF_FILE_TOKEN].fd, -1);
	assert_string_equal(c->authd.token, "e");
	assert_null(strstr(printed, "token file"));

	clear();
	write_conf("upstream { jwt secret default }");
	set("JWT_SECRET", "x");
	c = assert_read();
	assert_false(c->authd.jwt_secret_default);
	assert_string_equal(c->authd.jwt_secret, "x");
	write_conf("upstream { jwt secret file \"%s\" }", secret_path);
	c = assert_read();
	assert_null(c->files[CONF_FILE_JWT_SECRET].path);
	set("JWT_SECRET", "");
	c = assert_read();
	assert_string_equal(c->files[CONF_FILE_JWT_SECRET].path, secret_path);
	assert_string_equal(c->authd.jwt_secret, "");

	write_conf("github { token file \"%s\" }", secret_path);
	c = assert_read();
	assert_string_equal(c->files[CONF_FILE_GITHUB_TOKEN].path, secret_path);
	assert_string_equal(said, "");
	set("GITHUB_TOKEN", "g");
	c = assert_read();
	assert_null(c->files[CONF_FILE_GITHUB_TOKEN].path);
	assert_string_equal(c->authd.github_token, "g");

	/* Tokens of two kinds have nothing to do with each other. */
	clear();
	write_conf("orchestrator { token a }\ngithub { token b }\n"
		   "upstream { jwt secret c }");
	c = assert_read();
	assert_string_equal(c->authd.token, "a");
	assert_string_equal(c->authd.github_token, "b");
	assert_string_equal(c->authd.jwt_secret, "c");
}

/* A token can be granted later; and a wrong value is not a missing one. */
static void
test_needed(void **state)
{
	char lines[512];

	(void)state;
	clear();
	write_conf("orchestrator {\nmode client\n}");
	assert_null(read_all());
	(void)snprintf(lines, sizeof(lines),
	    "%s:2: url: not set, but mode is client", conf_path);
	assert_string_equal(said, lines);
	write_conf("orchestrator {\nmode client\nurl \"ws://h\"\n}");
	(void)assert_read();
	assert_string_equal(said, "");
	write_conf("orchestrator {\nmode client\nurl \"x\"\n"
		   "token \"a b\"\n}");
	assert_null(read_all());
	(void)snprintf(lines, sizeof(lines),
	    "%s:3: url: not a ws:// or wss:// URL\n%s:4: token: white space "
	    "or other characters that have no place in a token",
	    conf_path, conf_path);
	assert_string_equal(said, lines);
	/* A value that is not used is no excuse for a wrong one. */
	write_conf("upstream { port 0 }");
	set("PORT", "1");
	assert_null(read_all());
	set("ORCHESTRATOR_MODE", "client");
	write_path(env_path, "PORT=0");
	assert_null(read_all());
	(void)snprintf(lines, sizeof(lines),
	    "%s:1: port: \"0\" is not a number from 1 to 65535\n"
	    "%s:1: PORT: not a number from 1 to 65535\n"
	    "ORCHESTRATOR_URL: not set, but ORCHESTRATOR_MODE is client",
	    conf_path, env_path);
	assert_string_equal(said, lines);
}

/* What says nothing takes nothing away. */
static void
test_void(void **state)
{
	char comment[128];

	(void)state;
	clear();
	write_conf("state directory \"/s\"");
	set("STATE_DIRECTORY", "relative");
	set("PORT", "");
	(void)assert_read();
	(void)snprintf(comment, sizeof(comment), "%s:1", conf_path);
	assert_printed("state directory", "\"/s\"", comment);
	assert_printed("port", "3001", "default");

	/* A list that is empty, least of all: it would let everybody in. */
	clear();
	write_conf("policy { users a }");
	write_path(env_path, "ORCHESTRATOR_GITHUB_USERS=,\n"
			     "ORCHESTRATOR_GITHUB_ORG=' , '\n");
	set("ORCHESTRATOR_GITHUB_USERS", " \t,, ");
	(void)assert_read();
	assert_printed("users", "{ \"a\" }", comment);
	clear();
}

static size_t
count_descriptors(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
assert_ca_files(const char *ours, const char *github)
{
	const struct conf *c = assert_read();
	const char *paths[] = { ours, github };
	const enum conf_file files[] = { CONF_FILE_CA, CONF_FILE_GITHUB_CA };
	const char *names[] = { c->connector.ca_file, c->authd.github_ca_file };
	size_t i;

	for (i = 0; i < COUNT(files); i++) {
		assert_string_equal(names[i], paths[i]);
		if (paths[i][0] == '\0') {
			assert_null(c->files[files[i]].path);
			continue;
		}
		assert_string_equal(c->files[files[i]].path, paths[i]);
		assert_int_not_equal(c->files[files[i]].fd, -1);
	}
}

/* One variable stands for two settings, where tetherd.conf has none. */
static void
test_ca_files(void **state)
{
	char line[256];

	(void)state;
	clear();
	assert_ca_files("", "");
	(void)snprintf(line, sizeof(line), "SSL_CERT_FILE=%s\n", conf_path);
	write_path(env_path, line);
	assert_ca_files(conf_path, conf_path);
	(void)snprintf(line, sizeof(line), "%s:1, SSL_CERT_FILE", env_path);
	assert_printed_in("github", "ca file", line);
	assert_printed_in("orchestrator", "ca file", line);
	set("SSL_CERT_FILE", secret_path);
	assert_ca_files(secret_path, secret_path);
	assert_printed_in("github", "ca file", "environment, SSL_CERT_FILE");
	assert_printed_in(
	    "orchestrator", "ca file", "environment, SSL_CERT_FILE");

	write_conf("github { ca file \"%s\" }", env_path);
	assert_ca_files(secret_path, env_path);
	write_conf("orchestrator { ca file \"%s\" }", env_path);
	assert_ca_files(env_path, secret_path);
	write_conf("github { ca file \"%s\" }\n"
		   "orchestrator { ca file \"%s\" }",
	    conf_path, env_path);
	assert_ca_files(env_path, conf_path);
	/* Then it is not even looked at; else it is wrong once. */
	set("SSL_CERT_FILE", "/nonexistent");
	write_path(env_path, "SSL_CERT_FILE=/nonexistent\n");
	assert_ca_files(env_path, conf_path);
	write_conf("");
	write_path(env_path, "");
	assert_null(read_all());
	assert_string_equal(said, "SSL_CERT_FILE: No such file or directory");
	clear();
}

/* A file that another layer replaces is closed. */
static void
test_closed(void **state)
{
	char line[256];
	size_t before;

	(void)state;
	clear();
	(void)assert_read();
	before = count_descriptors();
	(void)snprintf(line, sizeof(line), "SSL_CERT_FILE=%s\n", secret_path);
	write_path(env_path, line);
	set("SSL_CERT_FILE", conf_path);
	settings_free(read_all());
	set("SSL_CERT_FILE", "/nonexistent");
	settings_free(read_all());
	assert_int_equal(count_descriptors(), before);
	clear();
}

/* Every path is told from the root on, that of a file as well. */
static void
test_relative(void **state)
{
	char line[256];
	int back = open(".", O_PATH | O_CLOEXEC);
	const struct conf *c;

	(void)state;
	clear();
	assert_int_not_equal(back, -1);
	assert_int_equal(chdir(dir), 0);
	write_conf("log { file \"l\" }\nupstream { jwt secret file secret }");
	c = assert_read();
	(void)snprintf(line, sizeof(line), "%s/l", dir);
	assert_string_equal(c->parent.log_file, line);
	assert_string_equal(c->files[CONF_FILE_JWT_SECRET].path, secret_path);

	assert_int_equal(mkdir("gone", 0700), 0);
	assert_int_equal(chdir("gone"), 0);
	assert_int_equal(rmdir("../gone"), 0);
	assert_null(read_all());
	(void)snprintf(line, sizeof(line),
	    "%s:1: file: working directory: No such file or directory\n"
	    "%s:2: jwt secret file: working directory: "
	    "No such file or directory",
	    conf_path, conf_path);
	assert_string_equal(said, line);
	assert_int_equal(fchdir(back), 0);
	close(back);
}

static void
test_sandbox(void **state)
{
	const struct conf *c;

	(void)state;
	clear();
	c = assert_read();
	assert_true(
	    c->connector.confinement.sandbox && c->proxyd.confinement.sandbox &&
	    c->authd.confinement.sandbox && c->dialer.confinement.sandbox &&
	    c->github_dialer.confinement.sandbox);
	write_conf("sandbox none");
	c = assert_read();
	assert_false(
	    c->connector.confinement.sandbox || c->proxyd.confinement.sandbox ||
	    c->authd.confinement.sandbox || c->dialer.confinement.sandbox ||
	    c->github_dialer.confinement.sandbox);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_needed),
		cmocka_unit_test(test_void),
		cmocka_unit_test(test_ca_files),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_relative),
		cmocka_unit_test(test_sandbox),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
