#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/control_protocol.h"
#include "tetherd/ctl_words.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS	 4

#define COMMANDS                                                        \
	"valid commands/args:\n"                                        \
	"  show\n  stats\n  reload\n  reconnect\n  disconnect\n  log\n" \
	"  users\n  tokens\n"
#define VIEWS                    \
	"valid commands/args:\n" \
	"  status\n  processes\n  limits\n  config\n"
#define LEVELS                   \
	"valid commands/args:\n" \
	"  brief\n  verbose\n  trace\n"
#define PROGRAMS                 \
	"valid commands/args:\n" \
	"  all\n  tetherd\n  connector\n  proxyd\n  authd\n  <cr>\n"
#define WHOM	"valid commands/args:\n  <login or GitHub id>\n"
#define ROLES	"valid commands/args:\n  full\n  read-only\n  default\n"
#define NOTHING "valid commands/args:\n  <cr>\n"

static const struct {
	const char *words[WORDS + 1];
	struct ctl_command command;
} good[] = {
#define SHOW(what)                                                           \
	{                                                                    \
		.type = MSG_CTL_SHOW, .view = (what), .program = CONTROL_ALL \
	}
#define OTHER(what)                                    \
	{                                              \
		.type = (what), .program = CONTROL_ALL \
	}
	{ { "show", "status" }, SHOW(CONTROL_STATUS) },
	{ { "show", "processes" }, SHOW(CONTROL_PROCESSES) },
	{ { "show", "limits" }, SHOW(CONTROL_LIMITS) },
	{ { "show", "config" }, SHOW(CONTROL_CONFIG) },
	{ { "stats" }, SHOW(CONTROL_STATS) },
	{ { "sh", "s" }, SHOW(CONTROL_STATUS) },
	{ { "sho", "p" }, SHOW(CONTROL_PROCESSES) },
	{ { "st" }, SHOW(CONTROL_STATS) },
	{ { "reload" }, OTHER(MSG_CTL_RELOAD) },
	{ { "rel" }, OTHER(MSG_CTL_RELOAD) },
	{ { "rec" }, OTHER(MSG_CTL_RECONNECT) },
	{ { "d" }, OTHER(MSG_CTL_DISCONNECT) },
#define LOG(how, whose)                                                 \
	{                                                               \
		.type = MSG_CTL_LOG, .level = (how), .program = (whose) \
	}
	{ { "log", "brief" }, LOG(CONTROL_BRIEF, CONTROL_ALL) },
	{ { "l", "v" }, LOG(CONTROL_VERBOSE, CONTROL_ALL) },
	{ { "log", "trace", "all" }, LOG(CONTROL_TRACE, CONTROL_ALL) },
	{ { "log", "trace", "al" }, LOG(CONTROL_TRACE, CONTROL_ALL) },
	{ { "log", "t", "t" }, LOG(CONTROL_TRACE, PROGRAM_PARENT) },
	{ { "log", "t", "connector" }, LOG(CONTROL_TRACE, PROGRAM_CONNECTOR) },
	{ { "log", "b", "p" }, LOG(CONTROL_BRIEF, PROGRAM_PROXYD) },
	{ { "log", "v", "au" }, LOG(CONTROL_VERBOSE, PROGRAM_AUTHD) },
#define ADMIN(...)                                                        \
	{                                                                 \
		.type = MSG_CTL_ADMIN, .program = CONTROL_ALL, .admin = { \
			__VA_ARGS__                                       \
		}                                                         \
	}
	{ { "users" }, ADMIN(ADMIN_USERS, "", "") },
	{ { "u" }, ADMIN(ADMIN_USERS, "", "") },
	{ { "users", "disable", "octocat" },
	    ADMIN(ADMIN_USER_DISABLE, "octocat", "") },
	/* A name may look like a command, or the beginning of one. */
	{ { "u", "d", "d" }, ADMIN(ADMIN_USER_DISABLE, "d", "") },
	{ { "users", "enable", "583231" },
	    ADMIN(ADMIN_USER_ENABLE, "583231", "") },
	{ { "users", "role", "full", "full" },
	    ADMIN(ADMIN_USER_ROLE, "full", "full") },
	{ { "users", "r", "<login or GitHub id>", "r" },
	    ADMIN(ADMIN_USER_ROLE, "<login or GitHub id>", "read-only") },
	{ { "us", "ro", "\xff", "d" },
	    ADMIN(ADMIN_USER_ROLE, "\xff", "default") },
	{ { "tokens" }, ADMIN(ADMIN_TOKENS, "", "") },
	{ { "t", "f", "h.example:443" },
	    ADMIN(ADMIN_TOKEN_FORGET, "h.example:443", "") },
};

static const struct {
	const char *words[WORDS + 1];
	const char *text;
} bad[] = {
	{ { NULL }, "missing word\n" COMMANDS },
	{ { "" }, "unknown word: \n" COMMANDS },
	{ { "s" }, "ambiguous word: s\n" COMMANDS },
	{ { "re" }, "ambiguous word: re\n" COMMANDS },
	{ { "restart" }, "unknown word: restart\n" COMMANDS },
	{ { "showx" }, "unknown word: showx\n" COMMANDS },
	{ { "SHOW" }, "unknown word: SHOW\n" COMMANDS },
	{ { "\033[2J\n\xff" }, "unknown word: ?[2J??\n" COMMANDS },
	{ { "show" }, "missing word\n" VIEWS },
	{ { "show", "stats" }, "unknown word: stats\n" VIEWS },
	{ { "show", "" }, "unknown word: \n" VIEWS },
	{ { "show", "status", "now" }, "unknown word: now\n" NOTHING },
	{ { "reload", "" }, "unknown word: \n" NOTHING },
	{ { "log" }, "missing word\n" LEVELS },
	{ { "log", "debug" }, "unknown word: debug\n" LEVELS },
	{ { "log", "brief", "a" }, "ambiguous word: a\n" PROGRAMS },
	{ { "log", "brief", "dialer" }, "unknown word: dialer\n" PROGRAMS },
	{ { "log", "brief", "all", "x" }, "unknown word: x\n" NOTHING },
	{ { "users", "list" },
	    "unknown word: list\nvalid commands/args:\n  disable\n  enable\n"
	    "  role\n  <cr>\n" },
	{ { "users", "disable" }, "missing word\n" WHOM },
	{ { "users", "enable", "" }, "unknown word: \n" WHOM },
	{ { "users", "disable", "a", "b" }, "unknown word: b\n" NOTHING },
	{ { "users", "role" }, "missing word\n" WHOM },
	{ { "users", "role", "a" }, "missing word\n" ROLES },
	{ { "users", "role", "a", "admin" }, "unknown word: admin\n" ROLES },
	{ { "users", "role", "a", "" }, "unknown word: \n" ROLES },
	{ { "tokens", "forget" },
	    "missing word\nvalid commands/args:\n  <host or host:port>\n" },
	{ { "tokens", "x" },
	    "unknown word: x\nvalid commands/args:\n  forget\n  <cr>\n" },
};

static int
parse(const char *const *words, struct ctl_command *c, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");
	int n = 0, rc;

	assert_non_null(out);
	while (words[n] != NULL)
		n++;
	rc = ctl_words_parse(n, words, c, out);
	assert_int_equal(fclose(out), 0);
	return rc;
}

static void
test_good(void **state)
{
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		struct ctl_command c;

		memset(text, 0, sizeof(text));
		assert_int_equal(
		    parse(good[i].words, &c, text, sizeof(text)), 0);
		assert_string_equal(text, "");
		assert_int_equal(c.type, good[i].command.type);
		assert_int_equal(c.view, good[i].command.view);
		assert_int_equal(c.level, good[i].command.level);
		assert_int_equal(c.program, good[i].command.program);
		assert_int_equal(c.admin.op, good[i].command.admin.op);
		assert_string_equal(c.admin.whom, good[i].command.admin.whom);
		assert_string_equal(c.admin.value, good[i].command.admin.value);
	}
}

static void
test_bad(void **state)
{
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		struct ctl_command c;

		memset(text, 0, sizeof(text));
		assert_int_equal(
		    parse(bad[i].words, &c, text, sizeof(text)), -1);
		assert_string_equal(text, bad[i].text);
	}
}

/* What is repeated of a word is bounded. */
static void
test_long(void **state)
{
	char word[5000], text[8192] = "";
	const char *words[] = { word, NULL };
	struct ctl_command c;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(parse(words, &c, text, sizeof(text)), -1);
	assert_true(strlen(text) < 256);
}

/* A name that tetherd could not be told, and the longest that it can. */
static void
test_long_name(void **state)
{
	char word[ADMIN_WHOM_SIZE + 1], text[8192] = "";
	const char *words[] = { "users", "disable", word, NULL };
	struct ctl_command c;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(parse(words, &c, text, sizeof(text)), -1);
	word[sizeof(word) - 2] = '\0';
	assert_int_equal(parse(words, &c, text, sizeof(text)), 0);
	assert_string_equal(c.admin.whom, word);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
