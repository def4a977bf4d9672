#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tetherd/complaints.h"
#include "tetherd/conf.h"
#include "tetherd/settings.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	bool secret;
} names[] = {
	{ "ORCHESTRATOR_MODE", false },
	{ "ORCHESTRATOR_URL", true },
	{ "ORCHESTRATOR_TOKEN", true },
	{ "ORCHESTRATOR_CLIENT_ID", false },
	{ "ORCHESTRATOR_RECONNECT_INTERVAL", false },
	{ "ORCHESTRATOR_HEARTBEAT_INTERVAL", false },
	{ "ORCHESTRATOR_CALLBACK_URL", false },
	{ "ORCHESTRATOR_GITHUB_USERS", false },
	{ "ORCHESTRATOR_GITHUB_TEAM", false },
	{ "ORCHESTRATOR_GITHUB_ORG", false },
	{ "PORT", false },
	{ "DATABASE_PATH", false },
	{ "JWT_SECRET", true },
	{ "SSL_CERT_FILE", false },
	{ "https_proxy", true },
	{ "HTTPS_PROXY", true },
	{ "no_proxy", false },
	{ "NO_PROXY", false },
	{ "GITHUB_TOKEN", true },
	{ "GITHUB_API_URL", false },
	{ "ORCHESTRATOR_CLAIM_USER", false },
	{ "ORCHESTRATOR_CLAIM_ORG", false },
	{ "ORCHESTRATOR_CLAIM_TEAM", false },
	{ "STATE_DIRECTORY", false },
	{ "TETHERD_PAGE_SCRIPT", false },
};

static char dir[] = "/tmp/settings.XXXXXX";
static char path[64], ca_path[64], conf_path[64];

/* What was said at the last reading, a line each. */
static char said[16384];

/* What is set is captured; what is empty counts as not set. */
static void
clear(void)
{
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		assert_int_equal(setenv(names[i].name, "", 1), 0);
	settings_capture();
}

static int
setup(void **state)
{
	(void)state;
	clear();
	return 0;
}

static void
set(const char *name, const char *value)
{
	assert_int_equal(setenv(name, value, 1), 0);
	settings_capture();
}

/* As an operator would, who connects. */
static void
set_client(void)
{
	set("ORCHESTRATOR_MODE", "client");
	set("ORCHESTRATOR_URL", "wss://host.example/ws?a=1");
	set("ORCHESTRATOR_TOKEN", "ao_1_secret");
}

static void
write_path(const char *name, const char *text, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static void
write_file(const char *text, size_t len)
{
	write_path(path, text, len);
}

/* The tetherd.conf, which is empty otherwise. */
static void
write_conf(const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	assert_int_not_equal(vasprintf(&text, format, ap), -1);
	va_end(ap);
	write_path(conf_path, text, strlen(text));
	free(text);
}

static struct settings *
read_settings(const char *file)
{
	struct complaints *complaints = complaints_new();
	struct sources sources = { .file = conf_path, .env_file = file };
	struct settings *settings = settings_read(&sources, complaints);

	complaints_text(complaints, said, sizeof(said));
	assert_int_equal(settings == NULL, complaints_count(complaints) > 0);
	complaints_free(complaints);
	return settings;
}

static void
assert_refused(const char *file, const char *lines)
{
	assert_null(read_settings(file));
	assert_string_equal(said, lines);
}

/* The settings, which the next reading replaces. */
static const struct conf *
assert_read(const char *file)
{
	static struct settings *settings;

	settings_free(settings);
	settings = read_settings(file);
	if (settings == NULL)
		fail_msg("%s", said);
	assert_string_equal(said, "");
	return settings_conf(settings);
}

static void
test_none(void **state)
{
	const struct conf *conf = assert_read(NULL);

	(void)state;
	assert_false(conf->connector.enabled);
	assert_int_equal(conf->proxyd.upstream_port, 3001);
}

static void
test_all(void **state)
{
	const struct conf *c;

	(void)state;
	set_client();
	set("ORCHESTRATOR_CLIENT_ID", "me@my.box_1-~:2");
	set("ORCHESTRATOR_RECONNECT_INTERVAL", "1");
	set("ORCHESTRATOR_HEARTBEAT_INTERVAL", "86400000");
	set("ORCHESTRATOR_CALLBACK_URL", "HTTPS://box.example:3001");
	set("ORCHESTRATOR_GITHUB_USERS", "mona, lisa\tbart,");
	set("PORT", "65535");
	set("DATABASE_PATH", "/srv/auth.db");
	set("JWT_SECRET", "s3cret with blanks");
	set("SSL_CERT_FILE", ca_path);
	set("HTTPS_PROXY", "http://u:p@proxy:3128");
	set("NO_PROXY", "localhost");
	c = assert_read(NULL);
	assert_true(c->connector.enabled);
	assert_true(c->connector.tls);
	assert_string_equal(c->connector.host, "host.example");
	assert_int_equal(c->connector.port, 443);
	assert_string_equal(c->connector.target, "/ws?a=1");
	assert_string_equal(c->connector.client_id, "me@my.box_1-~:2");
	assert_int_equal(c->connector.reconnect_ms, 1);
	assert_int_equal(c->connector.heartbeat_ms, 86400000);
	assert_string_equal(c->connector.ca_file, ca_path);
	assert_string_equal(c->files[CONF_FILE_CA].path, ca_path);
	assert_string_equal(
	    c->connector.callback_url, "HTTPS://box.example:3001");
	assert_string_equal(c->authd.users[0], "mona lisa bart");
	assert_string_equal(c->authd.teams[0], "");
	assert_int_equal(c->proxyd.upstream_port, 65535);
	assert_string_equal(c->authd.database_path, "/srv/auth.db");
	assert_string_equal(c->authd.jwt_secret, "s3cret with blanks");
	assert_string_equal(c->authd.token, "ao_1_secret");
	assert_string_equal(c->dialer.host, "host.example");
	assert_int_equal(c->dialer.port, 443);
	assert_string_equal(c->dialer.proxy_host, "proxy");
	assert_int_equal(c->dialer.proxy_port, 3128);
	assert_string_equal(c->dialer.proxy_auth, "u:p");
	assert_string_equal(c->authd.github_ca_file, ca_path);
	assert_string_equal(c->files[CONF_FILE_GITHUB_CA].path, ca_path);
	assert_string_equal(c->authd.orchestrator, "host.example:443");
	assert_string_equal(c->proxyd.callback_url, "HTTPS://box.example:3001");
	assert_true(c->proxyd.rules);
	assert_int_equal(c->authd.failures_rate, 600);

	set("no_proxy", "example");
	set("NO_PROXY", "");
	c = assert_read(NULL);
	assert_string_equal(c->dialer.proxy_host, "");

	set("GITHUB_TOKEN", "x");
	set("ORCHESTRATOR_GITHUB_TEAM", "org/team");
	c = assert_read(NULL);
	assert_string_equal(c->authd.teams[0], "org/team");
	set("ORCHESTRATOR_GITHUB_TEAM", "");
	set("ORCHESTRATOR_GITHUB_ORG", "org");
	c = assert_read(NULL);
	assert_string_equal(c->authd.orgs[0], "org");
}

static void
test_relative_database(void **state)
{
	char cwd[PATH_MAX], expected[PATH_MAX + 16];
	const struct conf *c;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	set("DATABASE_PATH", "data/auth.db");
	c = assert_read(NULL);
	(void)snprintf(expected, sizeof(expected), "%s/data/auth.db", cwd);
	assert_string_equal(c->authd.database_path, expected);
}

static char long_value[4098];

#define NO_NUMBER "not a number from 1 to 86400000"
#define BAD_ID	  "characters that have no place in a URL"
#define BAD_TOKEN \
	"white space or other characters that have no place in a token"

/* One wrong value, and what is said about it. */
static const struct {
	const char *name, *value, *why;
} wrong[] = {
	{ "ORCHESTRATOR_MODE", "Client", "neither standalone nor client" },
	{ "ORCHESTRATOR_MODE", "on", "neither standalone nor client" },
	{ "ORCHESTRATOR_URL", "https://h", "not a ws:// or wss:// URL" },
	{ "ORCHESTRATOR_URL", "wss://", "no valid host name in it" },
	{ "ORCHESTRATOR_URL", "wss://h:0", "port out of range" },
	{ "ORCHESTRATOR_TOKEN", "a b", BAD_TOKEN },
	{ "ORCHESTRATOR_TOKEN", "a\r\nX: y", BAD_TOKEN },
	{ "ORCHESTRATOR_TOKEN", "\xc3\xa9", BAD_TOKEN },
	{ "ORCHESTRATOR_CLIENT_ID", "a/b", BAD_ID },
	{ "ORCHESTRATOR_CLIENT_ID", "a b", BAD_ID },
	{ "ORCHESTRATOR_CLIENT_ID", "a%41", BAD_ID },
	{ "ORCHESTRATOR_CLIENT_ID", "\xc3\xa9", BAD_ID },
	{ "ORCHESTRATOR_CLIENT_ID", ".", "not usable as a part of a URL" },
	{ "ORCHESTRATOR_CLIENT_ID", "..", "not usable as a part of a URL" },
	{ "ORCHESTRATOR_CLIENT_ID", long_value + 4097 - 129,
	    "longer than 128 characters" },
	{ "ORCHESTRATOR_RECONNECT_INTERVAL", "0", NO_NUMBER },
	{ "ORCHESTRATOR_RECONNECT_INTERVAL", "-1", NO_NUMBER },
	{ "ORCHESTRATOR_RECONNECT_INTERVAL", "5s", NO_NUMBER },
	{ "ORCHESTRATOR_RECONNECT_INTERVAL", "86400001", NO_NUMBER },
	{ "ORCHESTRATOR_HEARTBEAT_INTERVAL", "0", NO_NUMBER },
	{ "ORCHESTRATOR_HEARTBEAT_INTERVAL", "1.5", NO_NUMBER },
	{ "ORCHESTRATOR_HEARTBEAT_INTERVAL", "99999999999999999999",
	    NO_NUMBER },
	{ "ORCHESTRATOR_CALLBACK_URL", "box",
	    "not an http:// or https:// URL" },
	{ "ORCHESTRATOR_CALLBACK_URL", "javascript://x",
	    "not an http:// or https:// URL" },
	{ "GITHUB_API_URL", "api.github.com",
	    "not an http:// or https:// URL" },
	{ "GITHUB_API_URL", "http://api.github.com",
	    "not an https:// URL, and not of this host" },
	{ "GITHUB_API_URL", "https://a@b",
	    "user names and passwords have no place in it" },
	{ "PORT", "0", "not a number from 1 to 65535" },
	{ "PORT", "65536", "not a number from 1 to 65535" },
	{ "PORT", "http", "not a number from 1 to 65535" },
	{ "SSL_CERT_FILE", "/nonexistent/ca.pem", "No such file or directory" },
	{ "SSL_CERT_FILE", "/", "Is a directory" },
	{ "HTTPS_PROXY", "socks5://p", "only http:// proxies can be used" },
	{ "https_proxy", "http://%@p",
	    "bad percent-encoding in user or password" },
	{ "JWT_SECRET", long_value, "longer than 4096 bytes" },
	{ "DATABASE_PATH", long_value, "longer than 4096 bytes" },
	{ "DATABASE_PATH", long_value + 1, "path too long" },
	{ "ORCHESTRATOR_TOKEN", long_value, "longer than 4096 bytes" },
};

/* One wrong value of the environment, or of line 2 of the file. */
static void
check_wrong(const char *name, const char *value, const char *why, bool by_file)
{
	char line[256], text[8192];
	int len;

	clear();
	set_client();
	if (by_file) {
		set(name, "");
		len =
		    snprintf(text, sizeof(text), "A=1\n%s='%s'\n", name, value);
		write_file(text, (size_t)len);
		(void)snprintf(
		    line, sizeof(line), "%s:2: %s: %s", path, name, why);
	} else {
		set(name, value);
		(void)snprintf(line, sizeof(line), "%s: %s", name, why);
	}
	assert_refused(by_file ? path : NULL, line);
}

static void
test_wrong(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++) {
		check_wrong(wrong[i].name, wrong[i].value, wrong[i].why, false);
		if (strpbrk(wrong[i].value, "\r\n") == NULL)
			check_wrong(
			    wrong[i].name, wrong[i].value, wrong[i].why, true);
	}
}

static void
test_incomplete(void **state)
{
	(void)state;
	set("ORCHESTRATOR_MODE", "client");
	assert_refused(
	    NULL, "ORCHESTRATOR_URL: not set, but ORCHESTRATOR_MODE is client");
	/* A token may be stored, or granted. */
	set("ORCHESTRATOR_URL", "ws://h");
	(void)assert_read(NULL);
}

/* When the proxy is used; one that is not may be of any kind. */
static void
test_proxy(void **state)
{
	static const struct {
		const char *url, *proxy, *no_proxy, *why, *host;
	} table[] = {
		{ "wss://h/p", "", "", NULL, "" },
		{ "wss://h", "proxy:1", "", NULL, "proxy" },
		{ "wss://h", "proxy:1", "h", NULL, "" },
		{ "wss://h", "proxy:1", "x, h", NULL, "" },
		{ "wss://h", "proxy:1", "h:444", NULL, "proxy" },
		{ "wss://h:444", "proxy:1", "h:444", NULL, "" },
		/* only for TLS */
		{ "ws://h", "proxy:1", "", NULL, "" },
		{ "ws://h", "socks5://x", "", NULL, "" },
		{ "wss://h", "socks5://x", "*", NULL, "" },
		{ "wss://h", "socks5://x", "",
		    "HTTPS_PROXY: only http:// proxies can be used", "" },
	};
	const struct conf *c;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		set_client();
		set("ORCHESTRATOR_URL", table[i].url);
		set("HTTPS_PROXY", table[i].proxy);
		set("NO_PROXY", table[i].no_proxy);
		if (table[i].why != NULL) {
			assert_refused(NULL, table[i].why);
			continue;
		}
		c = assert_read(NULL);
		assert_string_equal(c->dialer.host, "h");
		assert_int_equal(c->dialer.port, c->connector.port);
		assert_string_equal(c->dialer.proxy_host, table[i].host);
	}
	/* The name in capitals is the stronger one. */
	set("HTTPS_PROXY", "big");
	set("https_proxy", "small");
	c = assert_read(NULL);
	assert_string_equal(c->dialer.proxy_host, "big");
	set("HTTPS_PROXY", "");
	c = assert_read(NULL);
	assert_string_equal(c->dialer.proxy_host, "small");
	/* In a file wherever it stands, and in its own right only there. */
	write_file("HTTPS_PROXY=b\nhttps_proxy=s\n", 28);
	set("https_proxy", "");
	c = assert_read(path);
	assert_string_equal(c->dialer.proxy_host, "b");
	set("https_proxy", "small");
	c = assert_read(path);
	assert_string_equal(c->dialer.proxy_host, "small");
	/* None of it matters while nothing is to be connected. */
	set("ORCHESTRATOR_MODE", "");
	set("ORCHESTRATOR_URL", "nonsense");
	set("https_proxy", "socks5://x");
	(void)assert_read(NULL);
}

/* Everything that is wrong, in one run, in its order. */
static void
test_many(void **state)
{
	static const char text[] =
	    "PORT=x\nB\nJWT_SECRET='\nPORT=0\n"
	    "ORCHESTRATOR_MODE=on\nORCHESTRATOR_GITHUB_USERS=a,b/c";
	char lines[1024];

	(void)state;
	write_file(text, sizeof(text) - 1);
	set("PORT", "y");
	set("ORCHESTRATOR_URL", "x");
	set("ORCHESTRATOR_MODE", "client");
	set("ORCHESTRATOR_GITHUB_TEAM", "acme/staff a/ /b");
	(void)snprintf(lines, sizeof(lines),
	    "%s:1: PORT: not a number from 1 to 65535\n"
	    "%s:2: not of the form NAME=VALUE\n"
	    "%s:3: quote without its partner\n"
	    "%s:4: PORT: not a number from 1 to 65535\n"
	    "%s:5: ORCHESTRATOR_MODE: neither standalone nor client\n"
	    "%s:6: ORCHESTRATOR_GITHUB_USERS: \"b/c\" is not the name of a "
	    "GitHub account\n"
	    "PORT: not a number from 1 to 65535\n"
	    "ORCHESTRATOR_GITHUB_TEAM: \"a/\" is not a GitHub team, like "
	    "acme/staff\n"
	    "ORCHESTRATOR_GITHUB_TEAM: \"/b\" is not a GitHub team, like "
	    "acme/staff\n"
	    "ORCHESTRATOR_URL: not a ws:// or wss:// URL",
	    path, path, path, path, path, path);
	assert_refused(path, lines);
}

static void
test_file_modes(void **state)
{
	static const struct {
		mode_t mode;
		const char *text, *why;
		bool refused;
	} table[] = {
		{ 0600, "JWT_SECRET=x", "", false },
		{ 0660, "JWT_SECRET=x", "", false },
		{ 0644, "PORT=1", "", false },
		{ 0644, "JWT_SECRET=", "", false },
		{ 0644, "JWT_SECRET=x",
		    ": readable by others (mode 0644), but holds secrets",
		    false },
		{ 0644, "HTTPS_PROXY=x\nORCHESTRATOR_URL=ws://h/?a", "",
		    false },
		{ 0644, "HTTPS_PROXY=u:p@x",
		    ": readable by others (mode 0644), but holds secrets",
		    false },
		{ 0602, "PORT=1", ": writable by others (mode 0602)", true },
		{ 0666, "JWT_SECRET=x", ": writable by others (mode 0666)",
		    true },
	};
	struct settings *settings;
	char line[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		(void)unlink(path);
		write_file(table[i].text, strlen(table[i].text));
		assert_int_equal(chmod(path, table[i].mode), 0);
		settings = read_settings(path);
		assert_int_equal(settings == NULL, table[i].refused);
		settings_free(settings);
		(void)snprintf(line, sizeof(line), "%s%s",
		    table[i].why[0] == '\0' ? "" : path, table[i].why);
		assert_string_equal(said, line);
	}
	assert_int_equal(unlink(path), 0);
}

static void
test_state_directory(void **state)
{
	const struct conf *c;

	(void)state;
	set("STATE_DIRECTORY", "/var/lib/a:/b");
	c = assert_read(NULL);
	assert_string_equal(c->authd.state_dir, "/var/lib/a");
	/* Not where we happen to be. */
	assert_int_equal(setenv("HOME", "/home/alice", 1), 0);
	set("STATE_DIRECTORY", "relative");
	c = assert_read(NULL);
	assert_string_equal(
	    c->authd.state_dir, "/home/alice/.local/state/tetherd");
}

static void
test_file(void **state)
{
	static const char text[] =
	    "# the web app's own\nVITE_PORT=5173\nPORT=4001\r\n"
	    "export ORCHESTRATOR_MODE=client\n"
	    "ORCHESTRATOR_URL=\"ws://file:81\"\nORCHESTRATOR_TOKEN='f'\n"
	    "JWT_SECRET=`x y`";
	const struct conf *c;
	char line[256];

	(void)state;
	write_file(text, sizeof(text) - 1);
	c = assert_read(path);
	assert_true(c->connector.enabled);
	assert_int_equal(c->proxyd.upstream_port, 4001);
	assert_string_equal(c->connector.host, "file");
	assert_string_equal(c->authd.jwt_secret, "x y");

	/* The environment is on top, unless it is empty. */
	set("PORT", "4002");
	set("ORCHESTRATOR_URL", "ws://environment");
	set("JWT_SECRET", "");
	c = assert_read(path);
	assert_int_equal(c->proxyd.upstream_port, 4002);
	assert_string_equal(c->connector.host, "environment");
	assert_string_equal(c->authd.jwt_secret, "x y");
	assert_string_equal(c->authd.token, "f");
	/* And it is remembered: another file changes only the rest. */
	write_file("PORT=1\nORCHESTRATOR_CLIENT_ID=b\n", 32);
	set("ORCHESTRATOR_TOKEN", "t");
	set("ORCHESTRATOR_MODE", "client");
	c = assert_read(path);
	assert_int_equal(c->proxyd.upstream_port, 4002);
	assert_string_equal(c->authd.token, "t");
	assert_string_equal(c->connector.client_id, "b");
	assert_string_equal(c->authd.jwt_secret, "");
	/* A wrong value in the file counts even where it is overridden. */
	write_file("PORT=x\n", 7);
	(void)snprintf(line, sizeof(line),
	    "%s:1: PORT: not a number from 1 to 65535", path);
	assert_refused(path, line);
}

static void
test_bad_file(void **state)
{
	char line[256];
	int fd;

	(void)state;
	(void)unlink(path);
	(void)snprintf(
	    line, sizeof(line), "%s: No such file or directory", path);
	assert_refused(path, line);
	(void)snprintf(line, sizeof(line), "%s: not a regular file", dir);
	assert_refused(dir, line);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(line, sizeof(line), "%s: not a regular file", path);
	assert_refused(path, line);
	assert_int_equal(unlink(path), 0);

	write_file("A=1\nB\n", 6);
	(void)snprintf(
	    line, sizeof(line), "%s:2: not of the form NAME=VALUE", path);
	assert_refused(path, line);
	/* Of no size, as far as anybody can tell beforehand. */
	assert_refused(
	    "/proc/version", "/proc/version:1: not of the form NAME=VALUE");
	/* Nothing behind it would be seen. */
	write_file("A=1\n\0PORT=1\n", 12);
	(void)snprintf(line, sizeof(line), "%s: contains a NUL", path);
	assert_refused(path, line);

	write_file("", 0);
	(void)assert_read(path);
	fd = open(path, O_WRONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, 1024 * 1024 + 1), 0);
	close(fd);
	(void)snprintf(line, sizeof(line), "%s: larger than 1 MiB", path);
	assert_refused(path, line);
}

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

/* The audit log is not to be mixed with the log. */
static void
test_audit_file(void **state)
{
	char line[512];

	(void)state;
	clear();
	write_conf("log { file /l }\naudit { file /a }");
	(void)assert_read(NULL);
	write_conf("log { file /l }\naudit { file /l }");
	(void)snprintf(line, sizeof(line),
	    "%s:2: file: the log is to be in that file, too", conf_path);
	assert_refused(NULL, line);
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

/* The name under which a token is kept, however it is written. */
static void
test_orchestrator(void **state)
{
	static const char *const table[][2] = {
		{ "wss://Host.Example/x?y", "host.example:443" },
		{ "ws://h", "h:80" },
		{ "ws://h:8080/", "h:8080" },
		{ "wss://[FE80::1]:1/", "[fe80::1]:1" },
	};
	size_t i;

	(void)state;
	assert_string_equal(assert_read(NULL)->authd.orchestrator, "");
	for (i = 0; i < COUNT(table); i++) {
		set_client();
		set("ORCHESTRATOR_URL", table[i][0]);
		assert_string_equal(
		    assert_read(NULL)->authd.orchestrator, table[i][1]);
	}
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

/* Secrets leave the environment; the rest stays. */
static void
test_scrubbed(void **state)
{
	const struct conf *c;
	size_t i;

	(void)state;
	set_client();
	for (i = 0; i < COUNT(names); i++)
		assert_int_equal(
		    getenv(names[i].name) == NULL, names[i].secret);
	c = assert_read(NULL);
	assert_string_equal(c->authd.token, "ao_1_secret");
}

/*
 * Run again as a process of its own that got its environment from outside:
 * what /proc shows of that is memory, which unsetenv() does not touch.
 */
static int
check_environ(void)
{
	static char text[65536];
	size_t len = 0, at;
	ssize_t n;
	int fd, public = 0;

	settings_capture();
	fd = open("/proc/self/environ", O_RDONLY);
	if (fd == -1)
		return 2;
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	for (at = 0; at < len; at += strlen(text + at) + 1) {
		if (strstr(text + at, "s3cret") != NULL)
			return 3;
		public += strstr(text + at, "public") != NULL;
	}
	return public == 0 ? 4 : 0;
}

static void
test_environ(void **state)
{
	char envs[COUNT(names)][64];
	char again[] = "JWT_SECRET=s3cret again";
	char *envp[COUNT(names) + 2];
	char self[] = "/proc/self/exe", flag[] = "--environ";
	char *argv[] = { self, flag, NULL };
	int status;
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		(void)snprintf(envs[i], sizeof(envs[i]), "%s=%s", names[i].name,
		    names[i].secret ? "s3cret" : "public");
		envp[i] = envs[i];
	}
	envp[i] = again;
	envp[i + 1] = NULL;
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		execve(self, argv, envp);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int
make_file(char *name, size_t size, const char *last)
{
	int fd;

	(void)snprintf(name, size, "%s/%s", dir, last);
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	return fd == -1 ? -1 : close(fd);
}

static int
group_setup(void **state)
{
	(void)state;
	memset(long_value, 'x', sizeof(long_value) - 1);
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/.env", dir);
	return make_file(ca_path, sizeof(ca_path), "ca.pem") |
	       make_file(conf_path, sizeof(conf_path), "tetherd.conf");
}

static int
group_teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(ca_path);
	(void)unlink(conf_path);
	return rmdir(dir);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, setup),
		cmocka_unit_test_setup(test_all, setup),
		cmocka_unit_test_setup(test_relative_database, setup),
		cmocka_unit_test_setup(test_wrong, setup),
		cmocka_unit_test_setup(test_incomplete, setup),
		cmocka_unit_test_setup(test_proxy, setup),
		cmocka_unit_test_setup(test_many, setup),
		cmocka_unit_test_setup(test_file_modes, setup),
		cmocka_unit_test_setup(test_state_directory, setup),
		cmocka_unit_test_setup(test_file, setup),
		cmocka_unit_test_setup(test_bad_file, setup),
		cmocka_unit_test_setup(test_rules_length, setup),
		cmocka_unit_test_setup(test_claims, setup),
		cmocka_unit_test_setup(test_rules, setup),
		cmocka_unit_test_setup(test_odd_rules, setup),
		cmocka_unit_test_setup(test_audit_file, setup),
		cmocka_unit_test_setup(test_github, setup),
		cmocka_unit_test_setup(test_orchestrator, setup),
		cmocka_unit_test_setup(test_longest, setup),
		cmocka_unit_test_setup(test_scrubbed, setup),
		cmocka_unit_test_setup(test_environ, setup),
	};

	if (argc > 1 && strcmp(argv[1], "--environ") == 0)
		return check_environ();
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
