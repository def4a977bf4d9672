#include <sys/socket.h>
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

#include "common/log.h"
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
};

static char dir[] = "/tmp/settings.XXXXXX";
static char path[64];
static int log_fd;

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
	char line[LOG_LINE_MAX + 1];

	(void)state;
	clear();
	while (recv(log_fd, line, sizeof(line), MSG_DONTWAIT) > 0)
		continue;
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
write_file(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

/* The only line of the log, or "". */
static const char *
log_line_once(void)
{
	static char line[LOG_LINE_MAX + 2];
	char other[8];
	ssize_t n = recv(log_fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	if (n < 1)
		return "";
	assert_int_equal(recv(log_fd, other, sizeof(other), MSG_DONTWAIT), -1);
	line[n] = '\0';
	return line + 1;
}

/* The shell around the configuration is lost. */
static struct conf *
read_conf(const char *file)
{
	struct sources sources = { .env_file = file };
	struct settings *settings = settings_read(&sources, NULL);
	struct conf *conf;

	if (settings == NULL)
		return NULL;
	memcpy(&conf, settings, sizeof(conf));
	return conf;
}

static void
assert_refused(const char *file, const char *line)
{
	struct conf *conf = read_conf(file);

	assert_null(conf);
	assert_string_equal(log_line_once(), line);
}

static struct conf *
assert_read(const char *file)
{
	struct conf *conf = read_conf(file);

	if (conf == NULL)
		fail_msg("%s", log_line_once());
	assert_string_equal(log_line_once(), "");
	return conf;
}

static void
test_none(void **state)
{
	struct conf *conf = assert_read(NULL);

	(void)state;
	assert_false(conf->connector.enabled);
	assert_int_equal(conf->proxyd.upstream_port, 3001);
	conf_free(conf);
}

static void
test_all(void **state)
{
	struct conf *c;

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
	set("SSL_CERT_FILE", "/dev/null");
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
	assert_string_equal(c->connector.ca_file, "/dev/null");
	assert_string_equal(
	    c->connector.callback_url, "HTTPS://box.example:3001");
	assert_string_equal(c->authd.users, "mona  lisa bart ");
	assert_string_equal(c->authd.teams, "");
	assert_int_equal(c->proxyd.upstream_port, 65535);
	assert_string_equal(c->authd.database_path, "/srv/auth.db");
	assert_string_equal(c->authd.jwt_secret, "s3cret with blanks");
	assert_string_equal(c->authd.token, "ao_1_secret");
	assert_string_equal(c->dialer.host, "host.example");
	assert_int_equal(c->dialer.port, 443);
	assert_string_equal(c->dialer.proxy_host, "proxy");
	assert_int_equal(c->dialer.proxy_port, 3128);
	assert_string_equal(c->dialer.proxy_auth, "u:p");
	conf_free(c);

	set("no_proxy", "example");
	set("NO_PROXY", "");
	c = assert_read(NULL);
	assert_string_equal(c->dialer.proxy_host, "");
	conf_free(c);

	set("ORCHESTRATOR_GITHUB_TEAM", "org/team");
	c = assert_read(NULL);
	assert_string_equal(c->authd.teams, "org/team");
	conf_free(c);
	set("ORCHESTRATOR_GITHUB_TEAM", "");
	set("ORCHESTRATOR_GITHUB_ORG", "org");
	c = assert_read(NULL);
	assert_string_equal(c->authd.orgs, "org");
	conf_free(c);
}

static void
test_relative_database(void **state)
{
	char cwd[PATH_MAX], expected[PATH_MAX + 16];
	struct conf *c;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	set("DATABASE_PATH", "data/auth.db");
	c = assert_read(NULL);
	(void)snprintf(expected, sizeof(expected), "%s/data/auth.db", cwd);
	assert_string_equal(c->authd.database_path, expected);
	conf_free(c);
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

static void
test_wrong(void **state)
{
	char line[256], text[8192];
	bool by_file, late;
	size_t i;
	int len;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++)
		for (by_file = false;; by_file = true) {
			clear();
			set_client();
			if (by_file && strpbrk(wrong[i].value, "\r\n") != NULL)
				break;
			if (by_file) {
				set(wrong[i].name, "");
				len = snprintf(text, sizeof(text),
				    "A=1\n%s='%s'\n", wrong[i].name,
				    wrong[i].value);
				write_file(text, (size_t)len);
			} else
				set(wrong[i].name, wrong[i].value);
			/* Those that only show when all are put together
			 * belong to no line of a file. */
			late = strstr(wrong[i].name, "_URL") != NULL ||
			       strcasestr(wrong[i].name, "proxy") != NULL;
			late =
			    late && strstr(wrong[i].name, "CALLBACK") == NULL;
			(void)snprintf(line, sizeof(line), "%s%s%s: %s",
			    by_file && !late ? path : "",
			    by_file && !late ? ":2: " : "",
			    late && strcasecmp(wrong[i].name, "HTTPS_PROXY") ==
					0
				? "HTTPS_PROXY"
				: wrong[i].name,
			    wrong[i].why);
			assert_refused(by_file ? path : NULL, line);
			if (by_file)
				break;
		}
}

static void
test_incomplete(void **state)
{
	(void)state;
	set("ORCHESTRATOR_MODE", "client");
	assert_refused(
	    NULL, "ORCHESTRATOR_URL: not set, but ORCHESTRATOR_MODE is client");
	set("ORCHESTRATOR_URL", "ws://h");
	assert_refused(NULL,
	    "ORCHESTRATOR_TOKEN: not set, but ORCHESTRATOR_MODE is client");
}

static void
test_file(void **state)
{
	static const char text[] =
	    "# the web app's own\nVITE_PORT=5173\nPORT=4001\r\n"
	    "export ORCHESTRATOR_MODE=client\n"
	    "ORCHESTRATOR_URL=\"ws://file:81\"\nORCHESTRATOR_TOKEN='f'\n"
	    "JWT_SECRET=`x y`";
	struct conf *c;

	(void)state;
	write_file(text, sizeof(text) - 1);
	c = assert_read(path);
	assert_true(c->connector.enabled);
	assert_int_equal(c->proxyd.upstream_port, 4001);
	assert_string_equal(c->connector.host, "file");
	assert_string_equal(c->authd.jwt_secret, "x y");
	conf_free(c);

	/* The environment is on top, unless it is empty. */
	set("PORT", "4002");
	set("ORCHESTRATOR_URL", "ws://environment");
	set("JWT_SECRET", "");
	c = assert_read(path);
	assert_int_equal(c->proxyd.upstream_port, 4002);
	assert_string_equal(c->connector.host, "environment");
	assert_string_equal(c->authd.jwt_secret, "x y");
	assert_string_equal(c->authd.token, "f");
	conf_free(c);
	/* And it is remembered: another file changes only the rest. */
	write_file("PORT=1\nORCHESTRATOR_CLIENT_ID=b\n", 32);
	set("ORCHESTRATOR_TOKEN", "t");
	set("ORCHESTRATOR_MODE", "client");
	c = assert_read(path);
	assert_int_equal(c->proxyd.upstream_port, 4002);
	assert_string_equal(c->authd.token, "t");
	assert_string_equal(c->connector.client_id, "b");
	assert_string_equal(c->authd.jwt_secret, "");
	conf_free(c);
	/* A wrong value in the file counts even where it is overridden. */
	write_file("PORT=x\n", 7);
	assert_null(read_conf(path));
}

static void
test_bad_file(void **state)
{
	char line[256];
	struct conf *c;
	int fd;

	(void)state;
	(void)unlink(path);
	(void)snprintf(
	    line, sizeof(line), "%s: No such file or directory", path);
	assert_refused(path, line);
	(void)snprintf(line, sizeof(line), "%s: Invalid argument", dir);
	assert_refused(dir, line);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(line, sizeof(line), "%s: Invalid argument", path);
	assert_refused(path, line);
	assert_int_equal(unlink(path), 0);

	write_file("A=1\nB\n", 6);
	(void)snprintf(
	    line, sizeof(line), "%s:2: not of the form NAME=VALUE", path);
	assert_refused(path, line);
	/* Nothing behind it would be seen. */
	write_file("A=1\n\0PORT=1\n", 12);
	(void)snprintf(line, sizeof(line), "%s: contains a NUL", path);
	assert_refused(path, line);

	write_file("", 0);
	c = assert_read(path);
	conf_free(c);
	fd = open(path, O_WRONLY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, 1024 * 1024 + 1), 0);
	close(fd);
	(void)snprintf(line, sizeof(line), "%s: File too large", path);
	assert_refused(path, line);
}

/* The longest settings of all still fit the messages that carry them. */
static void
test_longest(void **state)
{
	static const enum program programs[] = { PROGRAM_CONNECTOR,
		PROGRAM_PROXYD, PROGRAM_AUTHD, PROGRAM_DIALER };
	static const char *const filled[] = { "ORCHESTRATOR_TOKEN",
		"JWT_SECRET", "ORCHESTRATOR_GITHUB_USERS" };
	static char value[4097];
	uint8_t *datagram = malloc(MSG_SIZE_MAX);
	struct msg_out out;
	struct msg m;
	struct conf *c;
	size_t i, n;

	(void)state;
	assert_non_null(datagram);
	set_client();
	for (i = 0; i < COUNT(filled); i++)
		set(filled[i], long_value + 1);
	memset(value, 'x', 4096);
	memcpy(value, "wss://h/", 8);
	set("ORCHESTRATOR_URL", value);
	memcpy(value, "https://", 8);
	set("ORCHESTRATOR_CALLBACK_URL", value);
	value[4095] = '\0';
	memset(value, '/', 4095);
	memcpy(value + 4095 - 8, "dev/null", 8);
	set("SSL_CERT_FILE", value);
	set("DATABASE_PATH", value);
	memset(value, 'x', 4095);
	memcpy(value + 4095 - 6, "@proxy", 6);
	set("HTTPS_PROXY", value);
	set("ORCHESTRATOR_CLIENT_ID", long_value + 4097 - 128);
	c = assert_read(NULL);
	/* So deep a folder is hard to make, and possible. */
	memset(value, 'x', 4095);
	free(c->connector.project);
	c->connector.project = strdup(value);
	free(c->authd.state_dir);
	c->authd.state_dir = strdup(value);
	for (i = 0; i < COUNT(programs); i++) {
		conf_slice(c, programs[i], &out);
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
	msg_start(&out, MSG_TOKEN, 1);
	msg_add_str(&out, c->authd.token);
	msg_put_header(datagram, out.type, 0, 0, out.len);
	n = MSG_HEADER_SIZE + out.len;
	msg_discard(&out);
	assert_null(msg_parse(
	    &m, datagram, n, -1, PROGRAM_AUTHD, PROGRAM_CONNECTOR, MSG_RUN));
	conf_free(c);
	free(datagram);
}

/* Secrets leave the environment; the rest stays. */
static void
test_scrubbed(void **state)
{
	struct conf *c;
	size_t i;

	(void)state;
	set_client();
	for (i = 0; i < COUNT(names); i++)
		assert_int_equal(
		    getenv(names[i].name) == NULL, names[i].secret);
	c = assert_read(NULL);
	assert_string_equal(c->authd.token, "ao_1_secret");
	conf_free(c);
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
group_setup(void **state)
{
	int pair[2];

	(void)state;
	memset(long_value, 'x', sizeof(long_value) - 1);
	if (mkdtemp(dir) == NULL ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/.env", dir);
	log_fd = pair[0];
	log_to_socket(pair[1]);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	log_to_stderr("test");
	(void)unlink(path);
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
		cmocka_unit_test_setup(test_file, setup),
		cmocka_unit_test_setup(test_bad_file, setup),
		cmocka_unit_test_setup(test_longest, setup),
		cmocka_unit_test_setup(test_scrubbed, setup),
		cmocka_unit_test_setup(test_environ, setup),
	};

	if (argc > 1 && strcmp(argv[1], "--environ") == 0)
		return check_environ();
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
