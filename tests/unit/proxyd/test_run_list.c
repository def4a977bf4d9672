#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "proxyd/run_list.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text;
	int total;	   /* -1: it is none */
	const char *names; /* those that have one */
} news[] = {
	{ "{\"data\":{\"sessions\":[]}}", 0, ";" },
	{ "{\"success\":true,\"data\":{\"sessions\":[{\"sessionId\":\"a\","
	  "\"provider\":\"claude\",\"startedAt\":1,\"lastSeq\":0},"
	  "{\"sessionId\":\"b\"}]}}",
	    2, ";a;b;" },
	{ "{\"data\":{\"sessions\":[{},7,null,[],\"x\",{\"sessionId\":7},"
	  "{\"sessionId\":\"\"},{\"sessionId\":\"a\\u0000b\"}]}}",
	    8, ";" },
	{ "{\"data\":{\"sessions\":{}}}", -1, ";" },
	{ "{\"data\":[]}", -1, ";" },
	{ "{\"sessions\":[]}", -1, ";" },
	{ "{\"data\":null}", -1, ";" },
	{ "{}", -1, ";" },
	{ "[]", -1, ";" },
	{ "", -1, ";" },
	{ "<!doctype html>", -1, ";" },
	{ "{\"data\":{\"sessions\":[]}} x", -1, ";" },
}, olds[] = {
	{ "{\"type\":\"active-sessions\",\"sessions\":{\"claude\":[],"
	  "\"cursor\":[]}}",
	    0, ";" },
	{ "{\"type\":\"active-sessions\",\"sessions\":{\"claude\":[\"a\","
	  "\"b\"],\"cursor\":[\"c\"],\"codex\":[{\"id\":\"d\"},{},3]}}",
	    6, ";a;b;c;d;" },
	{ "{\"type\":\"active-sessions\",\"sessions\":{}}", 0, ";" },
	{ "{\"type\":\"active-sessions\",\"sessions\":{\"a\":7,\"b\":null}}", 0, ";" },
	{ "{\"type\":\"active-sessions\",\"sessions\":[]}", -1, ";" },
	{ "{\"type\":\"active-sessions\"}", -1, ";" },
	{ "{\"type\":\"projects_updated\",\"sessions\":{}}", -1, ";" },
	{ "{\"sessions\":{}}", -1, ";" },
	{ "", -1, ";" },
	{ "null", -1, ";" },
};

static void
check_list(int (*read)(struct run_list *, struct evbuffer *), const char *text,
    int total, const char *names)
{
	struct run_list *list = calloc(1, sizeof(*list));
	struct evbuffer *in = evbuffer_new();
	char found[64] = ";";
	size_t i;

	assert_non_null(list);
	assert_non_null(in);
	list->total = list->count = 99;
	evbuffer_add(in, text, strlen(text));
	if (read(list, in) != (total == -1 ? -1 : 0))
		fail_msg("%s", text);
	if (total == -1)
		total = 0;
	assert_int_equal(list->total, total);
	for (i = 0; i < list->count; i++) {
		(void)strlcat(found, list->sessions[i], sizeof(found));
		(void)strlcat(found, ";", sizeof(found));
	}
	assert_string_equal(found, names);
	evbuffer_free(in);
	free(list);
}

static void
test_lists(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(news); i++) {
		check_list(run_list_read_new, news[i].text, news[i].total,
		    news[i].names);
		check_list(run_list_read_old, news[i].text, -1, ";");
	}
	for (i = 0; i < COUNT(olds); i++) {
		check_list(run_list_read_old, olds[i].text, olds[i].total,
		    olds[i].names);
		check_list(run_list_read_new, olds[i].text, -1, ";");
	}
}

/* More than there is room for, and a name that has none. */
static void
test_long_lists(void **state)
{
	struct run_list *list = calloc(1, sizeof(*list));
	struct evbuffer *in = evbuffer_new();
	char name[RUN_SESSION_SIZE + 1];
	size_t i;

	(void)state;
	assert_non_null(list);
	evbuffer_add_printf(in, "{\"data\":{\"sessions\":[");
	for (i = RUN_SESSION_SIZE - 2; i <= RUN_SESSION_SIZE; i++) {
		memset(name, 'x', i);
		name[i] = '\0';
		evbuffer_add_printf(in, "{\"sessionId\":\"%s\"},", name);
	}
	for (i = 0; i < 1000; i++)
		evbuffer_add_printf(in, "{\"sessionId\":\"s%zu\"},", i);
	evbuffer_add_printf(in, "7]}}");
	assert_int_equal(run_list_read_new(list, in), 0);
	assert_int_equal(list->total, 1004);
	assert_int_equal(list->count, RUNS_MAX);
	assert_int_equal(strlen(list->sessions[0]), RUN_SESSION_SIZE - 2);
	assert_int_equal(strlen(list->sessions[1]), RUN_SESSION_SIZE - 1);
	assert_string_equal(list->sessions[2], "s0");
	evbuffer_free(in);
	free(list);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_long_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
