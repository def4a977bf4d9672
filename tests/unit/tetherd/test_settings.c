#include <sys/wait.h>

#include <limits.h>

#include "tests/unit/tetherd/environment_fixture.h"

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
	assert_true(c->authd.watch_runs);

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
		cmocka_unit_test_setup(test_audit_file, setup),
		cmocka_unit_test_setup(test_orchestrator, setup),
		cmocka_unit_test_setup(test_scrubbed, setup),
		cmocka_unit_test_setup(test_environ, setup),
	};

	if (argc > 1 && strcmp(argv[1], "--environ") == 0)
		return check_environ();
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
