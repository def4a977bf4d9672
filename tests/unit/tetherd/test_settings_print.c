#include "tests/unit/tetherd/settings_fixture.h"

/* Everything that can be said, secrets included. */
static const char all[] =
    "control socket \"/run/x.sock\"\ncontrol group staff\n"
    "state directory \"/s\"\nsandbox none\n"
    "orchestrator {\nmode client\nurl \"wss://h.example:444/ws?k=s3cret\"\n"
    "token \"s3cret-1\"\nclient id box\nreconnect interval 1500ms\n"
    "heartbeat interval 90\ncallback url \"https://c\"\n"
    "proxy \"http://user:s3cret-2@p:3128\"\nno proxy { \"a\", b:1 }\n"
    "ca file \"%s\"\nclaim user u\nclaim org o\nclaim team o/t\n}\n"
    "upstream {\naddress ::1\nport 80\ndatabase \"/a \\\"b\\\\c\"\n"
    "jwt secret \"s3cret 3\"\npage script external\nwatch runs no\n}\n"
    "github {\napi url \"https://g\"\ntoken \"s3cret-4\"\n"
    "ca file \"%s\"\ncache allowed 90s\ncache refused 0\n}\n"
    "policy {\nusers { a b c }\nread-only users d\nteam a/b\n"
    "read-only team { c/d e/f }\norg { o, p }\nread-only org q\nadopt no\n"
    "deny path { /x, \"/y z\" }\nfull deny path /f\n"
    "read-only deny path { /g \"/h i\" }\n}\n"
    "limits {\nrequests 1\nrequest time 1m\nconnect time 1m\nbody 1M\n"
    "memory 2M\nmessage 3M\ntunnels 0\ntunnels per user 0\n"
    "chat sessions 0\nchat idle time 60\nheaders 16\nheader size 4096\n"
    "json depth 8\n"
    "requests per second 1\ntunnels per minute 2\nfailures per minute 0\n}\n"
    "log {\nlevel trace\nto stderr\nfile \"/var/log/x\"\n}\n"
    "audit {\nrequests yes\nfile \"/var/log/a\"\n}\n";

static const char expected[] = "control socket \"/run/x.sock\"\n"
			       "control group \"staff\"\n"
			       "state directory \"/s\"\n"
			       "sandbox none\n"
			       "\n"
			       "orchestrator {\n"
			       "\tmode client\n"
			       "\turl \"wss://h.example:444/ws?********\"\n"
			       "\ttoken \"********\"\n"
			       "\tclient id \"box\"\n"
			       "\treconnect interval 1500ms\n"
			       "\theartbeat interval 90s\n"
			       "\tcallback url \"https://c\"\n"
			       "\tproxy \"http://********@p:3128\"\n"
			       "\tno proxy { \"a\", \"b:1\" }\n"
			       "\tca file \"%s\"\n"
			       "\tclaim user { \"u\" }\n"
			       "\tclaim org { \"o\" }\n"
			       "\tclaim team { \"o/t\" }\n"
			       "}\n"
			       "\n"
			       "upstream {\n"
			       "\taddress \"::1\"\n"
			       "\tport 80\n"
			       "\tdatabase \"/a \\\"b\\\\c\"\n"
			       "\tjwt secret \"********\"\n"
			       "\tpage script external\n"
			       "\twatch runs no\n"
			       "}\n"
			       "\n"
			       "github {\n"
			       "\tapi url \"https://g\"\n"
			       "\ttoken \"********\"\n"
			       "\tca file \"%s\"\n"
			       "\tcache allowed 90s\n"
			       "\tcache refused 0\n"
			       "}\n"
			       "\n"
			       "policy {\n"
			       "\tusers { \"a\", \"b\", \"c\" }\n"
			       "\tread-only users { \"d\" }\n"
			       "\tteam { \"a/b\" }\n"
			       "\tread-only team { \"c/d\", \"e/f\" }\n"
			       "\torg { \"o\", \"p\" }\n"
			       "\tread-only org { \"q\" }\n"
			       "\tadopt no\n"
			       "\tdeny path { \"/x\", \"/y z\" }\n"
			       "\tfull deny path { \"/f\" }\n"
			       "\tread-only deny path { \"/g\", \"/h i\" }\n"
			       "}\n"
			       "\n"
			       "limits {\n"
			       "\trequests 1\n"
			       "\trequest time 1m\n"
			       "\tconnect time 1m\n"
			       "\tbody 1M\n"
			       "\tmemory 2M\n"
			       "\tmessage 3M\n"
			       "\ttunnels 0\n"
			       "\ttunnels per user 0\n"
			       "\tchat sessions 0\n"
			       "\tchat idle time 1m\n"
			       "\theaders 16\n"
			       "\theader size 4K\n"
			       "\tjson depth 8\n"
			       "\trequests per second 1\n"
			       "\ttunnels per minute 2\n"
			       "\tfailures per minute 0\n"
			       "}\n"
			       "\n"
			       "log {\n"
			       "\tlevel trace\n"
			       "\tto stderr\n"
			       "\tfile \"/var/log/x\"\n"
			       "}\n"
			       "\n"
			       "audit {\n"
			       "\trequests yes\n"
			       "\tfile \"/var/log/a\"\n"
			       "}\n";

/* Without the comments and what is in front of them. */
static char *
strip(const char *text)
{
	char *copy = strdup(text), *in, *out, *comment;

	assert_non_null(copy);
	for (in = out = copy; *in != '\0';) {
		size_t n = strcspn(in, "\n");
		size_t keep = n;

		comment = memmem(in, n, " # ", 3);
		if (comment != NULL)
			keep = (size_t)(comment - in);
		while (keep > 0 && in[keep - 1] == ' ')
			keep--;
		memmove(out, in, keep);
		out += keep;
		in += n;
		if (*in == '\n')
			*out++ = *in++;
	}
	*out = '\0';
	return copy;
}

/* What was printed reads as the same. */
static void
assert_round_trip(void)
{
	char *before = strip(printed), *after;

	clear();
	write_path(conf_path, printed);
	(void)assert_read();
	after = strip(printed);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void
test_all(void **state)
{
	char *text, *stripped;

	(void)state;
	clear();
	write_conf(all, secret_path, conf_path);
	(void)assert_read();
	assert_null(strstr(printed, "s3cret-"));
	assert_null(strstr(printed, "s3cret "));
	assert_null(strstr(printed, "k=s3cret"));
	assert_int_not_equal(
	    asprintf(&text, expected, secret_path, conf_path), -1);
	stripped = strip(printed);
	assert_string_equal(stripped, text);
	free(stripped);
	free(text);
	assert_round_trip();
}

static void
test_defaults(void **state)
{
	(void)state;
	clear();
	assert_int_equal(setenv("HOME", "/home/alice", 1), 0);
	(void)assert_read();
	assert_printed("mode", "standalone", "default");
	assert_printed("reconnect interval", "5s", "default");
	assert_printed("heartbeat interval", "30s", "default");
	assert_printed("address", "\"127.0.0.1\"", "default");
	assert_printed("port", "3001", "default");
	assert_printed(
	    "database", "\"/home/alice/.cloudcli/auth.db\"", "default");
	assert_printed("state directory",
	    "\"/home/alice/.local/state/tetherd\"", "default");
	assert_printed("page script", "inline", "default");
	assert_printed("watch runs", "yes", "default");
	assert_printed("api url", "\"https://api.github.com\"", "default");
	assert_printed("cache allowed", "5m", "default");
	assert_printed("cache refused", "1m", "default");
	assert_printed("adopt", "yes", "default");
	assert_printed("requests", "256", "default");
	assert_printed("request time", "29s", "default");
	assert_printed("connect time", "5s", "default");
	assert_printed("body", "32M", "default");
	assert_printed("memory", "256M", "default");
	assert_printed("message", "32M", "default");
	assert_printed("tunnels", "256", "default");
	assert_printed("tunnels per user", "64", "default");
	assert_printed("chat sessions", "64", "default");
	assert_printed("chat idle time", "30m", "default");
	assert_printed("headers", "256", "default");
	assert_printed("header size", "128K", "default");
	assert_printed("json depth", "64", "default");
	assert_printed("requests per second", "20000", "default");
	assert_printed("tunnels per minute", "6000", "default");
	assert_printed("failures per minute", "600", "default");
	assert_printed("level", "brief", "default");
	assert_printed("to", "syslog", "default");
	assert_printed("requests", "no", "default");
	assert_printed("sandbox", "full", "default");
	/* What has no value is not there. */
	assert_null(strstr(printed, "token"));
	assert_null(strstr(printed, "jwt"));
	assert_null(strstr(printed, "proxy"));
	assert_null(strstr(printed, "users"));
	assert_null(strstr(printed, "\"\""));
	assert_round_trip();
}

/* The secrets of each layer. */
static void
test_masked(void **state)
{
	static const char *const names[] = { "ORCHESTRATOR_TOKEN", "JWT_SECRET",
		"GITHUB_TOKEN" };
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		clear();
		set(names[i], "s3cret-e");
		(void)assert_read();
		assert_null(strstr(printed, "s3cret-"));
		assert_non_null(strstr(printed, " \"********\" "));
		clear();
		(void)snprintf(text, sizeof(text), "%s=s3cret-f", names[i]);
		write_path(env_path, text);
		(void)assert_read();
		assert_null(strstr(printed, "s3cret-"));
		assert_non_null(strstr(printed, " \"********\" "));
	}
	clear();
	write_conf("orchestrator { token file \"%s\" }", secret_path);
	(void)assert_read();
	assert_null(strstr(printed, "s3cret-"));
	(void)snprintf(text, sizeof(text), "\ttoken file \"%s\" ", secret_path);
	assert_non_null(strstr(printed, text));
}

/* A mask that is read is taken, and told. */
static void
test_mask_read(void **state)
{
	static const char *const lines[] = {
		"orchestrator { token \"********\" }",
		"upstream { jwt secret \"********\" }",
		"orchestrator { proxy \"http://********@h\" }",
		"orchestrator { url \"ws://h/?********\" }",
	};
	static const char *const names[] = { "token", "jwt secret", "proxy",
		"url" };
	char line[256];
	size_t i;

	(void)state;
	clear();
	for (i = 0; i < COUNT(lines); i++) {
		write_path(conf_path, lines[i]);
		(void)assert_read();
		(void)snprintf(line, sizeof(line),
		    "%s:1: %s: this is what -nn shows in place of a secret",
		    conf_path, names[i]);
		assert_string_equal(said, line);
	}
}

/* Who may claim by the rules is not written: it would stay when those go. */
static void
test_claims(void **state)
{
	const struct conf *c;

	(void)state;
	clear();
	write_conf("policy { users a\nread-only team b/c }");
	c = assert_read();
	assert_string_equal(c->connector.claim_users, "a");
	assert_null(strstr(printed, "claim"));
	assert_round_trip();
	c = assert_read();
	assert_string_equal(c->connector.claim_teams, "b/c");
}

/* More items than one line takes, and strange ones. */
static void
test_lists(void **state)
{
	static char text[32768] = "policy { users {";
	const struct conf *c;
	char *users;
	size_t i;

	(void)state;
	clear();
	for (i = 0; i < 2000; i++) {
		size_t len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len, " u%zu%s", i,
		    i == 1000 ? " }\nusers {" : "");
	}
	(void)strlcat(text,
	    " }\ndeny path { \"/\\\"\", \"/\\\\\", \"/ #\", "
	    "\"/{\", \"/$x\" } }",
	    sizeof(text));
	write_path(conf_path, text);
	users = strdup(assert_read()->authd.users[0]);
	assert_non_null(users);
	assert_round_trip();
	c = assert_read();
	assert_string_equal(c->authd.users[0], users);
	assert_string_equal(c->proxyd.deny_paths, "/\"\n/\\\n/ #\n/{\n/$x\n");
	free(users);
}

/* The environment's may be any text: what would not read back is refused, or
 * not shown because it is not used. */
static void
test_strange(void **state)
{
	(void)state;
	clear();
	set("DATABASE_PATH", "/a\nb");
	assert_null(read_all());
	assert_string_equal(
	    said, "DATABASE_PATH: contains a control character");
	set("DATABASE_PATH", "");
	set("SSL_CERT_FILE", "/a\nb");
	assert_null(read_all());
	assert_string_equal(
	    said, "SSL_CERT_FILE: contains a control character");
	clear();
	set("HTTPS_PROXY", "socks5://h");
	set("ORCHESTRATOR_URL", "https://nonsense?s3cret");
	set("NO_PROXY", "a,\tb\n, ,c ");
	(void)assert_read();
	assert_null(strstr(printed, "socks5"));
	assert_null(strstr(printed, "nonsense"));
	assert_printed(
	    "no proxy", "{ \"a\", \"b\", \"c\" }", "environment, NO_PROXY");
	assert_round_trip();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_mask_read),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_strange),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
