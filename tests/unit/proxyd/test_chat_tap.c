#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/chat_peek.h"
#include "proxyd/chat_tap.h"
#include "proxyd/runs.h"
#include "tests/unit/fake_time.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The runs, as far as a tap knows them: what it told last. */
static char told[8192];
static const void *owner_of_all;

static void
tell(const char *what, enum run_app app, const char *session)
{
	size_t len = strlen(told);

	(void)snprintf(told + len, sizeof(told) - len, "%s%s%s %s;", what,
	    app == RUN_APP_NONE ? "" : " ",
	    app == RUN_APP_OLD	 ? "old"
	    : app == RUN_APP_NEW ? "new"
				 : "",
	    session);
}

void
runs_begin(
    struct runs *runs, enum run_app app, const void *owner, const char *session)
{
	(void)runs;
	assert_ptr_equal(owner, owner_of_all);
	tell("begin", app, session);
}

void
runs_name(struct runs *runs, const void *owner, const char *session)
{
	(void)runs;
	assert_ptr_equal(owner, owner_of_all);
	tell("name", RUN_APP_NONE, session);
}

void
runs_end(
    struct runs *runs, enum run_app app, const void *owner, const char *session)
{
	(void)runs;
	assert_ptr_equal(owner, owner_of_all);
	tell("end", app, session);
}

void
runs_deny(struct runs *runs, const char *session)
{
	(void)runs;
	tell("deny", RUN_APP_NONE, session);
}

void
runs_doubt(struct runs *runs)
{
	(void)runs;
	tell("doubt", RUN_APP_NONE, "");
}

bool
runs_has(const struct runs *runs, const void *owner)
{
	(void)runs;
	return owner == owner_of_all;
}

void
runs_disown(struct runs *runs, const void *owner)
{
	(void)runs;
	assert_ptr_equal(owner, owner_of_all);
	tell("disown", RUN_APP_NONE, "");
}

static int
setup(void **state)
{
	struct chat_tap *tap = chat_tap_new(NULL);

	now_ms = 1000000;
	told[0] = '\0';
	owner_of_all = tap;
	*state = tap;
	return 0;
}

static int
teardown(void **state)
{
	told[0] = '\0';
	chat_tap_free(*state);
	assert_string_equal(told, "disown ;");
	return 0;
}

enum way { UP, DOWN };

static void
pass_part(
    struct chat_tap *tap, enum way way, const char *text, size_t len, bool fin)
{
	/* On the heap, so that a sanitizer sees who reads too far. */
	char *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	(way == UP ? chat_tap_up : chat_tap_down)(tap, WS_TEXT, copy, len, fin);
	free(copy);
}

static void
pass(struct chat_tap *tap, enum way way, const char *text)
{
	pass_part(tap, way, text, strlen(text), true);
}

static void
expect(const char *wanted)
{
	assert_string_equal(told, wanted);
	told[0] = '\0';
}

static const struct {
	enum way way;
	const char *text, *told;
} events[] = {
	/* The new app. */
	{ UP, "{\"type\":\"chat.send\",\"sessionId\":\"s\",\"content\":\"x\"}",
	    "begin new s;" },
	{ UP, "{\"type\":\"chat.edit-send\",\"sessionId\":\"s\"}",
	    "begin new s;" },
	{ UP,
	    "{\"content\":\"{\\\"\",\"sessionId\":\"s\",\"type\":\"chat.send\"}",
	    "begin new s;" },
	{ UP, "{\"type\":\"chat.send\"}", "doubt ;" },
	{ UP, "{\"type\":\"chat.send\",\"sessionId\":7}", "doubt ;" },
	{ UP, "{\"type\":\"chat.send\",\"sessionId\":\"a\\u0062\"}",
	    "doubt ;" },
	{ UP, "{\"type\":\"chat.send\",\"options\":{\"sessionId\":\"x\"}}",
	    "doubt ;" },
	{ UP, "{\"type\":\"chat.abort\",\"sessionId\":\"s\"}", "" },
	{ UP,
	    "{\"type\":\"chat.subscribe\",\"sessions\":[{\"sessionId\":\"s\"}]}",
	    "" },
	{ UP, "{\"kind\":\"complete\",\"sessionId\":\"s\"}", "" },
	{ UP, "{\"kind\":\"chat.send\",\"sessionId\":\"s\"}", "" },
	{ DOWN, "{\"type\":\"chat.send\",\"sessionId\":\"s\"}", "" },
	{ DOWN,
	    "{\"kind\":\"chat_subscribed\",\"sessionId\":\"s\","
	    "\"isProcessing\":true,\"lastSeq\":0,\"pendingPermissions\":[]}",
	    "begin new s;" },
	{ DOWN,
	    "{\"kind\":\"chat_subscribed\",\"sessionId\":\"s\","
	    "\"isProcessing\" : false}",
	    "deny s;" },
	{ DOWN,
	    "{\"kind\":\"chat_subscribed\",\"sessionId\":\"s\","
	    "\"isProcessing\":true,\"isProcessing\":\"true\"}",
	    "deny s;" },
	{ DOWN, "{\"kind\":\"complete\",\"sessionId\":\"s\",\"exitCode\":0}",
	    "end new s;" },
	{ DOWN,
	    "{\"sessionId\":\"s\",\"a\":[1,{\"kind\":\"text\"},\"]\"],"
	    "\"kind\":\"complete\"}",
	    "end new s;" },
	{ DOWN,
	    "{\"kind\":\"protocol_error\",\"code\":\"SESSION_NOT_FOUND\","
	    "\"sessionId\":\"s\"}",
	    "end new s;" },
	{ DOWN,
	    "{\"kind\":\"protocol_error\",\"code\":\"RUN_IN_PROGRESS\","
	    "\"sessionId\":\"s\"}",
	    "" },
	{ DOWN, "{\"kind\":\"text\",\"sessionId\":\"s\"}", "" },
	{ DOWN, "{\"kind\":\"status\",\"sessionId\":\"s\"}", "" },
	{ DOWN, "{\"kind\":\"error\",\"sessionId\":\"s\"}", "" },
	{ DOWN, "{\"kind\":\"permission_request\",\"sessionId\":\"s\"}", "" },
	{ DOWN, "{\"kind\":\"permission_resolved\",\"sessionId\":\"s\"}", "" },
	/* The old one. */
	{ UP,
	    "{\"type\":\"claude-command\",\"command\":\"x\",\"options\":"
	    "{\"sessionId\":\"s\"}}",
	    "begin old ;" },
	{ UP, "{\"type\":\"cursor-command\"}", "begin old ;" },
	{ UP, "{\"type\":\"codex-command\"}", "begin old ;" },
	{ UP, "{\"type\":\"cursor-resume\",\"sessionId\":\"s\"}",
	    "begin old s;" },
	{ UP, "{\"type\":\"abort-session\",\"sessionId\":\"s\"}", "" },
	{ UP, "{\"type\":\"get-active-sessions\"}", "" },
	{ DOWN, "{\"type\":\"session-created\",\"sessionId\":\"s\"}",
	    "name s;" },
	{ DOWN,
	    "{\"type\":\"claude-response\",\"data\":{\"type\":"
	    "\"claude-complete\",\"sessionId\":\"s\"}}",
	    "" },
	{ DOWN, "{\"type\":\"claude-complete\",\"sessionId\":\"s\"}",
	    "end old s;" },
	{ DOWN, "{\"type\":\"claude-complete\",\"sessionId\":null}",
	    "end old ;" },
	{ DOWN, "{\"type\":\"claude-error\",\"error\":\"x\"}", "end old ;" },
	{ DOWN, "{\"type\":\"cursor-complete\"}", "end old ;" },
	{ DOWN, "{\"type\":\"cursor-result\",\"sessionId\":\"s\"}",
	    "end old s;" },
	{ DOWN, "{\"type\":\"cursor-error\"}", "end old ;" },
	{ DOWN, "{\"type\":\"codex-complete\"}", "end old ;" },
	{ DOWN, "{\"type\":\"codex-error\"}", "end old ;" },
	{ DOWN, "{\"type\":\"session-aborted\",\"sessionId\":\"s\"}",
	    "end old s;" },
	{ DOWN, "{\"type\":\"projects_updated\",\"projects\":[]}", "" },
	/* Neither. */
	{ UP, "", "" },
	{ UP, "chat.send", "" },
	{ UP, "[{\"type\":\"chat.send\"}]", "" },
	{ UP, "{\"a\":{\"type\":\"chat.send\"}}", "" },
	{ UP, "{\"type\":\"chat.sen\"}", "" },
	{ UP, "{\"type\":\"claude-command2\"}", "" },
	{ UP, "{\"type\":{\"type\":\"claude-command\"}}", "" },
	{ UP, "{\"type\":\"claude-command\",\"type\":null}", "" },
	{ UP, "{\"type\":\"claude-command\"", "begin old ;" },
	{ UP, "{\"type\":\"claude-command", "" },
	{ UP, " \t\r\n{ \"type\" : \"claude-command\" } ", "begin old ;" },
	{ UP, "{\"type\" \"claude-command\"}", "" },
	{ UP, "{\"type\"x\"claude-command\"}", "" },
	{ UP, "[\"type\":\"claude-command\"]", "" },
	{ UP, "{\"a\":1},\"type\":\"claude-command\"}", "" },
	{ UP, "{\"a\":1}{\"type\":\"claude-command\"}", "" },
	{ UP,
	    "{\"a\":-1e9,\"b\":null,\"c\":[],\"d\":{},\"\":\"\\\"}\","
	    "\"type\":\"claude-command\"}",
	    "begin old ;" },
};

static void
test_events(void **state)
{
	size_t i, at, len;

	for (i = 0; i < COUNT(events); i++) {
		const char *text = events[i].text;

		len = strlen(text);
		for (at = 0; at <= len; at++) {
			teardown(state);
			setup(state);
			pass_part(*state, events[i].way, text, at, false);
			pass_part(
			    *state, events[i].way, text + at, len - at, true);
			if (strcmp(told, events[i].told) != 0)
				fail_msg("%s, cut at %zu: %s", text, at, told);
		}
		told[0] = '\0';
		for (at = 0; at < len; at++)
			pass_part(*state, events[i].way, text + at, 1, false);
		now_ms += 60000;
		pass_part(*state, events[i].way, "", 0, true);
		if (strcmp(told, events[i].told) != 0)
			fail_msg("%s, byte by byte: %s", text, told);
		/* One does not reach into the next one, or the other way. */
		told[0] = '\0';
		pass(*state, DOWN, "{\"type\":\"x\"}");
		pass(*state, UP, "{}");
		expect("");
	}
}

static void
test_ways_do_not_mix(void **state)
{
	struct chat_tap *tap = *state;
	static const char up[] = "{\"type\":\"claude-command\"}";

	pass_part(tap, UP, up, 10, false);
	pass(tap, DOWN, "{\"kind\":\"complete\",\"sessionId\":\"a\"}");
	expect("end new a;");
	pass_part(tap, UP, up + 10, sizeof(up) - 11, true);
	expect("begin old ;");
	assert_true(chat_tap_is_running(tap));
}

/* What was aborted says so itself, too, once. */
static void
test_stragglers(void **state)
{
	static const char aborted[] =
	    "{\"type\":\"session-aborted\",\"sessionId\":\"s\"}";
	static const char complete[] =
	    "{\"type\":\"claude-complete\",\"sessionId\":\"s\"}";
	static const char error[] = "{\"type\":\"claude-error\"}";
	static const char other[] =
	    "{\"type\":\"claude-complete\",\"sessionId\":\"t\"}";
	struct chat_tap *tap = *state;

	pass(tap, DOWN, complete);
	pass(tap, DOWN, aborted);
	pass(tap, UP, "{\"type\":\"claude-command\"}");
	expect("end old s;end old s;begin old ;");
	pass(tap, DOWN, complete);
	expect("doubt ;");
	pass(tap, DOWN, complete);
	expect("end old s;");

	pass(tap, DOWN, aborted);
	pass(tap, DOWN, other);
	pass(tap, DOWN, error);
	pass(tap, DOWN, error);
	expect("end old s;end old t;doubt ;end old ;");

	pass(tap, DOWN, aborted);
	pass(tap, DOWN, aborted);
	expect("end old s;end old s;");
	now_ms += 5001;
	pass(tap, DOWN, complete);
	expect("end old s;");

	/* The new app says it once. */
	pass(tap, DOWN, aborted);
	pass(tap, DOWN, "{\"kind\":\"complete\",\"sessionId\":\"s\"}");
	expect("end old s;end new s;");
}

static void
test_long_names(void **state)
{
	struct chat_tap *tap = *state;
	char text[512], wanted[300], session[200];
	size_t len;

	for (len = 120; len < 200; len++) {
		memset(session, 'x', len);
		session[len] = '\0';
		(void)snprintf(text, sizeof(text),
		    "{\"type\":\"chat.send\",\"sessionId\":\"%s\"}", session);
		pass(tap, UP, text);
		(void)snprintf(
		    wanted, sizeof(wanted), "begin new %s;", session);
		expect(len < CHAT_PEEK_SIZE ? wanted : "doubt ;");
		/* Nor does a name end where there is no more room. */
		(void)snprintf(text, sizeof(text),
		    "{\"%s\":1,\"type\":\"chat.send%s\"}", session, session);
		pass(tap, UP, text);
		expect("");
	}
	assert_int_equal(CHAT_PEEK_SIZE, RUN_SESSION_SIZE);
}

/* However much comes, nothing is kept, and what matters is found behind it. */
static void
test_flood(void **state)
{
	static const char *const fillers[] = { "x", "\\\"", "\\\\", "{[", "}]",
		"\\u0041" };
	struct chat_tap *tap = *state;
	size_t i, n;

	for (i = 0; i < COUNT(fillers); i++) {
		pass_part(tap, UP, "{\"images\":[\"", 12, false);
		for (n = 0; n < 300000; n++)
			chat_tap_up(tap, WS_TEXT, fillers[i],
			    strlen(fillers[i]), false);
		pass_part(
		    tap, UP, "\"],\"type\":\"cursor-command\"}", 27, true);
		expect("begin old ;");
	}
	for (n = 0; n < 1000000; n++)
		chat_tap_down(tap, WS_TEXT, "[{", 2, false);
	chat_tap_down(tap, WS_BINARY, "", 0, true);
	for (n = 0; n < 1000000; n++)
		chat_tap_down(tap, WS_BINARY, "", 0, true);
	expect("");
	pass(tap, DOWN, "{\"a\":[[[");
	pass(tap, DOWN, "{\"type\":\"codex-error\"}");
	expect("end old ;");
}

/* A message says nothing of the next one, wherever it ends. */
static void
test_next_message(void **state)
{
	struct chat_tap *tap = *state;

	pass(tap, DOWN,
	    "{\"kind\":\"chat_subscribed\",\"isProcessing\":true,"
	    "\"sessionId\":\"s\"}");
	pass(tap, DOWN, "{\"kind\":\"chat_subscribed\",\"sessionId\":\"s\"}");
	pass(tap, DOWN, "{\"kind\":\"chat_subscribed\"}");
	expect("begin new s;deny s;deny ;");
	pass(tap, UP, "{\"type\":\"claude-command\\");
	pass(tap, UP, "{\"type\":\"claude-command\"}");
	pass(tap, UP, "{\"x\":\"");
	pass(tap, UP, "{}");
	expect("begin old ;");
}

static void
test_garbage(void **state)
{
	static const char alphabet[] = "{}[]\",:\\ \n\0\xff"
				       "tfn0type\"kind\"sessionId";
	struct chat_tap *tap = *state;
	uint32_t seed = 1;
	char text[64];
	size_t i, n, len;

	for (n = 0; n < 200000; n++) {
		seed = seed * 1103515245 + 12345;
		len = (seed >> 16) % sizeof(text);
		for (i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] =
			    alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		pass_part(tap, n % 2 ? UP : DOWN, text, len, n % 5 == 0);
	}
	pass(tap, DOWN, "");
	pass(tap, UP, "");
	told[0] = '\0';
	pass(tap, UP, "{\"type\":\"claude-command\"}");
	expect("begin old ;");
}

static void
test_nobody(void **state)
{
	(void)state;
	chat_tap_free(NULL);
	expect("");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_ways_do_not_mix, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_stragglers, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_long_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_next_message, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
