#include "tests/unit/tetherd/settings_fixture.h"

#define DURATION(low, high) \
	"not a duration from " low " to " high ", like 30s or 5m"
#define SIZE(low, high)	  "not a size from " low " to " high ", like 32M"
#define NUMBER(low, high) "not a number from " low " to " high
#define DAY		  DURATION("1ms", "1d")
#define MANY		  NUMBER("0", "2048")
#define MILLION		  NUMBER("0", "1000000")

/* The bounds of each setting that has some, and what is one beyond. */
static const struct {
	const char *block, *words, *below, *low, *high, *above, *why;
} bounds[] = {
	{ "orchestrator", "reconnect interval", "0ms", "1ms", "86400000ms",
	    "86400001ms", DAY },
	{ "orchestrator", "heartbeat interval", "0", "1ms", "24h", "86401",
	    DAY },
	{ "upstream", "port", "0", "1", "65535", "65536",
	    NUMBER("1", "65535") },
	{ "limits", "requests", "0", "1", "4096", "4097", NUMBER("1", "4096") },
	{ "limits", "request time", "99ms", "100ms", "10m", "600001ms",
	    DURATION("100ms", "10m") },
	{ "limits", "connect time", "9ms", "10ms", "1m", "60001ms",
	    DURATION("10ms", "1m") },
	{ "limits", "body", "65535", "64K", "1G", "1073741825",
	    SIZE("64K", "1G") },
	{ "limits", "memory", "1048575", "1M", "64G", "68719476737",
	    SIZE("1M", "64G") },
	{ "limits", "message", "65535", "65536", "64M", "67108865",
	    SIZE("64K", "64M") },
	{ "limits", "tunnels", "-1", "0", "2048", "2049", MANY },
	{ "limits", "tunnels per user", "-1", "0", "2048", "2049", MANY },
	{ "limits", "chat sessions", "-1", "0", "1024", "1025",
	    NUMBER("0", "1024") },
	{ "limits", "chat idle time", "999ms", "1000ms", "24h", "86401",
	    DURATION("1s", "1d") },
	{ "limits", "headers", "15", "16", "4096", "4097",
	    NUMBER("16", "4096") },
	{ "limits", "header size", "4095", "4096", "1M", "1048577",
	    SIZE("4K", "1M") },
	{ "limits", "json depth", "7", "8", "1024", "1025",
	    NUMBER("8", "1024") },
	{ "limits", "requests per second", "-1", "0", "1000000", "1000001",
	    MILLION },
	{ "limits", "tunnels per minute", "-1", "0", "1000000", "1000001",
	    MILLION },
	{ "limits", "failures per minute", "-1", "0", "1000000", "1000001",
	    MILLION },
	{ "github", "cache allowed", "-1", "0", "1d", "86400001ms",
	    DURATION("0", "1d") },
	{ "github", "cache refused", "-1", "0", "1d", "86400001ms",
	    DURATION("0", "1d") },
};

/* The only thing that is wrong with the file is this, in line 2. */
static void
assert_wrong(const char *why)
{
	char line[1024];

	assert_null(read_all());
	(void)snprintf(line, sizeof(line), "%s:2: %s", conf_path, why);
	assert_string_equal(said, line);
}

static void
test_bounds(void **state)
{
	char why[256];
	size_t i, k;

	(void)state;
	clear();
	for (i = 0; i < COUNT(bounds); i++)
		for (k = 0; k < 4; k++) {
			const char *value = k == 0   ? bounds[i].below
					    : k == 1 ? bounds[i].low
					    : k == 2 ? bounds[i].high
						     : bounds[i].above;

			write_conf("%s {\n%s %s\n}\n", bounds[i].block,
			    bounds[i].words, value);
			if (k == 1 || k == 2) {
				(void)assert_read();
				continue;
			}
			(void)snprintf(why, sizeof(why), "%s: \"%s\" is %s",
			    bounds[i].words, value, bounds[i].why);
			assert_wrong(why);
		}
}

/* What a list in the table below is repeated in. */
#define TEN(x)	   x x x x x x x x x x
#define HUNDRED(x) TEN(TEN(x))

static const struct {
	const char *block, *line, *why;
} table[] = {
	/* words that are not known */
	{ "", "sandbx none",
	    "unknown word \"sandbx\"; did you mean \"sandbox\"?" },
	{ "", "xyzzy", "unknown word \"xyzzy\"" },
	{ "", "control soket \"/x\"",
	    "unknown word \"soket\"; did you mean \"socket\"?" },
	/* words of another block */
	{ "", "port 3001",
	    "unknown word \"port\"; \"port\" belongs in upstream" },
	{ "", "deny path /x",
	    "unknown word \"deny\"; \"deny path\" belongs in policy" },
	{ "upstream", "token file x",
	    "unknown word \"token\" in upstream; \"token file\" belongs in "
	    "orchestrator" },
	{ "log", "sandbox none",
	    "unknown word \"sandbox\" in log; \"sandbox\" belongs at the top "
	    "level" },
	{ "orchestrator", "ur1 \"x\"",
	    "unknown word \"ur1\" in orchestrator; did you mean \"url\"?" },
	{ "orchestrator", "URL \"x\"",
	    "unknown word \"URL\" in orchestrator; did you mean \"url\"?" },
	{ "orchestrator", "xyzzy", "unknown word \"xyzzy\" in orchestrator" },
	{ "orchestrator", "heartbeat intervall 5s",
	    "unknown word \"intervall\" in orchestrator; did you mean "
	    "\"interval\"?" },
	{ "orchestrator", "heartbeat 5s",
	    "unknown word \"heartbeat\" in orchestrator; did you mean "
	    "\"heartbeat interval\"?" },
	{ "orchestrator", "heartbeat \"interval\" 5s",
	    "unknown word \"heartbeat\" in orchestrator; did you mean "
	    "\"heartbeat interval\"?" },
	{ "orchestrator", "claim { user }",
	    "unknown word \"claim\" in orchestrator; did you mean "
	    "\"claim user\"?" },
	{ "orchestrator", "claim",
	    "unknown word \"claim\" in orchestrator; did you mean "
	    "\"claim user\"?" },
	{ "orchestrator", "claim tema x",
	    "unknown word \"tema\" in orchestrator; did you mean \"team\"?" },
	{ "upstream", "jwt secret defualt",
	    "unknown word \"defualt\" in upstream; did you mean "
	    "\"default\"?" },
	{ "upstream", "jwt secret fil \"/x\"",
	    "unknown word \"fil\" in upstream; did you mean \"file\"?" },
	{ "limits", "tunnels per usr 3",
	    "unknown word \"usr\" in limits; did you mean \"user\"?" },
	{ "limits", "tunnels per 3",
	    "unknown word \"tunnels per\" in limits; did you mean "
	    "\"tunnels per user\"?" },
	{ "limits", "tunnels pre user 3",
	    "unknown word \"pre\" in limits; did you mean \"per\"?" },
	/* how many values */
	{ "orchestrator", "url", "url: a value is missing" },
	{ "orchestrator", "url \"\"", "url: a value is missing" },
	{ "orchestrator", "url \"ws://a\" \"ws://b\"",
	    "url: more than one value" },
	{ "orchestrator", "url { \"ws://a\" \"ws://b\" }",
	    "url: more than one value" },
	{ "upstream", "jwt secret file",
	    "jwt secret file: a value is missing" },
	{ "upstream", "jwt secret default yes",
	    "jwt secret default: takes no value" },
	{ "policy", "users", "users: a value is missing" },
	{ "policy", "users { }", "users: a value is missing" },
	{ "policy", "users { \"\" }", "users: a value is missing" },
	{ "policy", "users a b", "users: more than one value, but no braces" },
	/* wrong ones */
	{ "", "sandbox some", "sandbox: \"some\" is neither full nor none" },
	{ "", "control group \"a b\"",
	    "control group: \"a b\" is not the name of a group" },
	{ "", "control group -x",
	    "control group: \"-x\" is not the name of a group" },
	{ "", "control socket /" HUNDRED("x") "xxxxxxx",
	    "control socket: \"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxx\" is not short enough for the path of a socket" },
	{ "orchestrator", "mode foo",
	    "mode: \"foo\" is neither client nor standalone" },
	{ "orchestrator", "mode Client",
	    "mode: \"Client\" is neither client nor standalone" },
	{ "orchestrator", "heartbeat interval abc",
	    "heartbeat interval: \"abc\" is " DAY },
	{ "orchestrator", "heartbeat interval 1K",
	    "heartbeat interval: \"1K\" is " DAY },
	{ "orchestrator", "url \"https://h\"",
	    "url: not a ws:// or wss:// URL" },
	{ "orchestrator", "url \"ws://u:secret@h\"",
	    "url: user names and passwords have no place in it" },
	{ "orchestrator", "token \"se cret\"",
	    "token: white space or other characters that have no place in a "
	    "token" },
	{ "orchestrator", "client id a/b",
	    "client id: characters that have no place in a URL" },
	{ "orchestrator", "client id ..",
	    "client id: \"..\" is not usable as a part of a URL" },
	{ "orchestrator", "callback url box",
	    "callback url: \"box\" is not an http:// or https:// URL" },
	{ "orchestrator", "callback url \"http://a b\"",
	    "callback url: \"http://a b\" is not an http:// or https:// URL" },
	{ "orchestrator", "proxy \"socks5://secret@h\"",
	    "proxy: only http:// proxies can be used" },
	{ "orchestrator", "no proxy \"a,b\"",
	    "no proxy: \"a,b\" is not a single host" },
	{ "orchestrator", "claim user a/b",
	    "claim user: \"a/b\" is not the name of a GitHub account" },
	{ "orchestrator", "claim team a",
	    "claim team: \"a\" is not a GitHub team, like acme/staff" },
	{ "orchestrator", "ca file /nonexistent",
	    "ca file: /nonexistent: No such file or directory" },
	{ "orchestrator", "ca file /", "ca file: /: Is a directory" },
	{ "orchestrator", "ca file /dev/null",
	    "ca file: /dev/null: not a regular file" },
	{ "orchestrator", "token file /nonexistent",
	    "token file: /nonexistent: No such file or directory" },
	{ "orchestrator", "token file /dev/null",
	    "token file: /dev/null: not a regular file" },
	{ "upstream", "address localhost",
	    "address: \"localhost\" is not a numeric IPv4 or IPv6 address, nor unix:/path" },
	{ "upstream", "address 127.1",
	    "address: \"127.1\" is not a numeric IPv4 or IPv6 address, nor unix:/path" },
	{ "upstream", "address \"unix:\"",
	    "address: \"unix:\" is not an absolute path after unix:" },
	{ "upstream", "address \"unix:run/x\"",
	    "address: \"unix:run/x\" is not an absolute path after unix:" },
	{ "upstream", "address \"UNIX:/x\"",
	    "address: \"UNIX:/x\" is not a numeric IPv4 or IPv6 address, nor "
	    "unix:/path" },
	{ "upstream", "address \"unix:/" HUNDRED("x") "xxxxxxx\"",
	    "address: \"unix:/" TEN("xxxxx") "xxxxxxxx\" is not short enough "
					     "for the path of a socket" },
	{ "upstream", "watch runs maybe",
	    "watch runs: \"maybe\" is neither yes nor no" },
	{ "upstream", "watch yes",
	    "unknown word \"watch\" in upstream; did you mean \"watch "
	    "runs\"?" },
	{ "upstream", "port 70000",
	    "port: \"70000\" is not a number from 1 to 65535" },
	{ "upstream", "port 0x50",
	    "port: \"0x50\" is not a number from 1 to 65535" },
	{ "upstream", "page script extern",
	    "page script: \"extern\" is neither inline nor external" },
	{ "upstream", "jwt secret file /nonexistent",
	    "jwt secret file: /nonexistent: No such file or directory" },
	{ "github", "api url \"http://g\"",
	    "api url: \"http://g\" is not an https:// URL, and not of this "
	    "host" },
	{ "github", "api url \"ftp://g\"",
	    "api url: \"ftp://g\" is not an http:// or https:// URL" },
	{ "github", "api url \"http://127.0.0.1.example\"",
	    "api url: \"http://127.0.0.1.example\" is not an https:// URL, "
	    "and not of this host" },
	{ "github", "api url \"http://128.0.0.1\"",
	    "api url: \"http://128.0.0.1\" is not an https:// URL, and not "
	    "of this host" },
	{ "github", "api url \"http://[::2]\"",
	    "api url: \"http://[::2]\" is not an https:// URL, and not of "
	    "this host" },
	{ "github", "api url \"https://me:pw@g\"",
	    "api url: user names and passwords have no place in it" },
	{ "github", "api url \"https://g?a\"",
	    "api url: queries and fragments have no place in it" },
	{ "github", "api url \"https://g/v3#a\"",
	    "api url: queries and fragments have no place in it" },
	{ "github", "api url \"https://g#\"",
	    "api url: queries and fragments have no place in it" },
	{ "github", "api url \"https://g:0\"", "api url: port out of range" },
	{ "github", "api url \"https://\"",
	    "api url: no valid host name in it" },
	{ "github", "ca file \"/nonexistent\"",
	    "ca file: /nonexistent: No such file or directory" },
	{ "github", "cache 1m",
	    "unknown word \"cache\" in github; did you mean \"cache "
	    "allowed\"?" },
	{ "policy", "read-only { a b }",
	    "unknown word \"read-only\" in policy; did you mean \"read-only "
	    "users\"?" },
	{ "policy", "read-only { users a }",
	    "unknown word \"read-only\" in policy; did you mean \"read-only "
	    "users\"?" },
	{ "policy", "read-only user a",
	    "unknown word \"user\" in policy; did you mean \"users\"?" },
	{ "policy", "read-onyl users a",
	    "unknown word \"read-onyl\" in policy; did you mean "
	    "\"read-only\"?" },
	{ "policy", "readonly users a",
	    "unknown word \"readonly\" in policy; did you mean "
	    "\"read-only\"?" },
	{ "policy", "read only users a", "unknown word \"read\" in policy" },
	{ "policy", "read-only deny \"/a\"",
	    "unknown word \"read-only deny\" in policy; did you mean \"read-only deny path\"?" },
	{ "policy", "full \"/a\"",
	    "unknown word \"full\" in policy; did you mean \"full deny "
	    "path\"?" },
	{ "policy", "read-only deny path a",
	    "read-only deny path: \"a\" is "
	    "not a path that begins with /" },
	{ "policy", "read-only users a/b",
	    "read-only users: \"a/b\" is not "
	    "the name of a GitHub account" },
	{ "policy", "read-only team a",
	    "read-only team: \"a\" is not a "
	    "GitHub team, like acme/staff" },
	{ "policy", "read-only org a/b",
	    "read-only org: \"a/b\" is not the "
	    "name of a GitHub account" },
	{ "limits", "requests per minute 5",
	    "unknown word \"requests per\" in limits; did you mean \"requests per second\"?" },
	{ "limits", "failures 5",
	    "unknown word \"failures\" in limits; did you mean \"failures per minute\"?" },
	{ "audit", "file \"\"", "file: a value is missing" },
	{ "github", "token \"a b\"",
	    "token: white space or other characters that have no place in a "
	    "token" },
	{ "policy", "users { a, \"b c\", d }",
	    "users: \"b c\" is not the name of a GitHub account" },
	{ "policy", "users " TEN("xxxxxx") "xxxxx",
	    "users: \"" TEN("xxxxxx") "xxxx\" is not the name of a GitHub "
				      "account" },
	{ "policy", "team acme",
	    "team: \"acme\" is not a GitHub team, like acme/staff" },
	{ "policy", "team a/b/c",
	    "team: \"a/b/c\" is not a GitHub team, like acme/staff" },
	{ "policy", "team a/",
	    "team: \"a/\" is not a GitHub team, like "
	    "acme/staff" },
	{ "policy", "org a.b",
	    "org: \"a.b\" is not the name of a GitHub account" },
	{ "policy", "adopt maybe", "adopt: \"maybe\" is neither yes nor no" },
	{ "policy", "deny path api",
	    "deny path: \"api\" is not a path that begins with /" },
	{ "limits", "chat 5",
	    "unknown word \"chat\" in limits; did you mean \"chat "
	    "sessions\"?" },
	{ "limits", "chat idle 5",
	    "unknown word \"chat idle\" in limits; did you mean \"chat idle "
	    "time\"?" },
	{ "limits", "header 5",
	    "unknown word \"header\" in limits; did you mean \"header "
	    "size\"?" },
	{ "limits", "json depth deep",
	    "json depth: \"deep\" is not a number from 8 to 1024" },
	{ "upstream", "chat sessions 5",
	    "unknown word \"chat\" in upstream; \"chat sessions\" belongs in "
	    "limits" },
	{ "limits", "body 1T",
	    "body: \"1T\" is not a size from 64K to 1G, like 32M" },
	{ "limits", "body 32m",
	    "body: \"32m\" is not a size from 64K to 1G, like 32M" },
	{ "log", "level loud",
	    "level: \"loud\" is none of brief, verbose, trace" },
	{ "log", "to file", "to: \"file\" is neither syslog nor stderr" },
	{ "audit", "requests true",
	    "requests: \"true\" is neither yes nor no" },
};

static void
test_messages(void **state)
{
	size_t i;

	(void)state;
	clear();
	for (i = 0; i < COUNT(table); i++) {
		if (table[i].block[0] == '\0')
			write_conf("\n%s\n", table[i].line);
		else
			write_conf(
			    "%s {\n%s\n}\n", table[i].block, table[i].line);
		assert_wrong(table[i].why);
	}
}

/* In one run, in the order in which they stand; a file may include. */
static void
test_many(void **state)
{
	char lines[1024];

	(void)state;
	clear();
	write_conf("upstream {\nport 0\nport 1\nport 2\n}\n"
		   "policy { users { \"a b\"\n\n\"c d\" }\n"
		   "users { e } }\n"
		   "orchestrator { token x\ntoken file \"%s\"\n}",
	    secret_path);
	assert_null(read_all());
	(void)snprintf(lines, sizeof(lines),
	    "%s:2: port: \"0\" is not a number from 1 to 65535\n"
	    "%s:3: port: given twice, first in %s:2\n"
	    "%s:4: port: given twice, first in %s:2\n"
	    "%s:6: users: \"a b\" is not the name of a GitHub account\n"
	    "%s:8: users: \"c d\" is not the name of a GitHub account\n"
	    "%s:11: token file: token is given, too, in %s:10",
	    conf_path, conf_path, conf_path, conf_path, conf_path, conf_path,
	    conf_path, conf_path, conf_path);
	assert_string_equal(said, lines);
	write_conf("upstream { jwt secret x\njwt secret default }");
	(void)snprintf(lines, sizeof(lines),
	    "jwt secret default: jwt secret is given, too, in %s:1", conf_path);
	assert_wrong(lines);
}

static void
test_long(void **state)
{
	static char text[65536];
	size_t i;

	(void)state;
	clear();
	/* 192 names of 63 bytes and what separates them: the last is too much */
	(void)strlcpy(text, "policy { users {\n", sizeof(text));
	for (i = 0; i < 193; i++)
		(void)strlcat(text, TEN("xxxxxx") "xxx ", sizeof(text));
	(void)strlcat(text, "\n} }", sizeof(text));
	write_path(conf_path, text);
	assert_wrong("users: longer than 12288 bytes in all");
	text[strlen(text) - 64 - 4] = '\0';
	(void)strlcat(text, "} }", sizeof(text));
	write_path(conf_path, text);
	assert_int_equal(strlen(assert_read()->authd.users[0]), 192 * 64 - 1);
}

/* A secret in a file that others can read is told once, for all of them. */
static void
test_exposed(void **state)
{
	static const struct {
		const char *text;
		bool secret;
	} files[] = {
		{ "orchestrator { token x }", true },
		{ "upstream { jwt secret x }", true },
		{ "github { token x }", true },
		{ "orchestrator { proxy \"http://u:p@h\" }", true },
		{ "orchestrator { proxy \"http://u:********@h\" }", true },
		{ "orchestrator { token x }\nupstream { jwt secret x }", true },
		{ "orchestrator { proxy \"http://h\" }", false },
		{ "orchestrator {\n token \"********\"\n"
		  "proxy \"http://********@h\"\n}",
		    false },
		{ "orchestrator { url \"ws://h\" }", false },
		{ "upstream { jwt secret default }", false },
	};
	struct settings *settings;
	const char *at;
	char line[256];
	size_t i;

	(void)state;
	clear();
	(void)snprintf(line, sizeof(line),
	    "%s: readable by others (mode 0644), but holds a secret",
	    conf_path);
	for (i = 0; i < COUNT(files); i++) {
		write_path(conf_path, files[i].text);
		assert_int_equal(chmod(conf_path, 0640), 0);
		settings_free(read_all());
		assert_null(strstr(said, "others"));
		assert_int_equal(chmod(conf_path, 0644), 0);
		settings = read_all();
		assert_int_equal(settings == NULL, files[i].secret);
		settings_free(settings);
		at = strstr(said, line);
		assert_int_equal(at != NULL, files[i].secret);
		if (at != NULL)
			assert_null(strstr(at + 1, line));
	}
}

static void
test_secret_file(void **state)
{
	static const char *const words[][2] = { { "orchestrator",
						    "token file" },
		{ "upstream", "jwt secret file" }, { "github", "token file" } };
	char why[256];
	size_t i;

	(void)state;
	clear();
	for (i = 0; i < COUNT(words); i++) {
		write_conf("%s {\n%s \"%s\"\n}", words[i][0], words[i][1],
		    secret_path);
		assert_int_equal(chmod(secret_path, 0644), 0);
		(void)snprintf(why, sizeof(why),
		    "%s: %s: readable by others (mode 0644)", words[i][1],
		    secret_path);
		assert_wrong(why);
		assert_int_equal(chmod(secret_path, 0600), 0);
		(void)assert_read();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_exposed),
		cmocka_unit_test(test_secret_file),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
