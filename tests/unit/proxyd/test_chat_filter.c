#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/chat_filter.h"
#include "proxyd/chat_scan.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The type of each passes: what counts is how it is written. */
static const char *const passing[] = {
	"{\"type\":\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\",\"sessions\":[{\"sessionId\":\"a-b\","
	"\"lastSeq\":0}]}",
	"{\"type\":\"check-session-status\",\"sessionId\":\"x\","
	"\"provider\":\"claude\"}",
	"{\"type\":\"get-active-sessions\"}",
	"{\"type\":\"get-pending-permissions\",\"sessionId\":\"x\"}",
	" \t\r\n{ \"type\" : \"get-active-sessions\" } \t\r\n",
	"{\"a\":{\"type\":\"chat.send\"},\"type\":\"chat.subscribe\"}",
	"{\"b\":[[],{},-0.5e+3,1E9,0,10,true,false,null,\"\\u00e4\\\\\\\"\\/"
	"\\b\\f\\n\\r\\t\"],\"type\":\"chat.subscribe\"}",
	"{\"a\":{\"\\u0074ype\":1},\"type\":\"chat.subscribe\"}",
	"{\"Type\":\"chat.send\",\"type\":\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\",\"\":\"\xc3\xa4\xe2\x82\xac\"}",
	"{\"type\":\"chat.subscribe\",\"sessionId\":7}",
};

static const char *const held[] = {
	/* other types, those of both apps among them */
	"{\"type\":\"chat.send\",\"sessionId\":\"x\",\"content\":\"hi\"}",
	"{\"type\":\"chat.edit-send\",\"sessionId\":\"x\"}",
	"{\"type\":\"chat.abort\",\"sessionId\":\"x\"}",
	"{\"type\":\"chat.permission-response\",\"requestId\":\"x\"}",
	"{\"type\":\"claude-command\",\"command\":\"hi\"}",
	"{\"type\":\"cursor-command\"}",
	"{\"type\":\"cursor-resume\"}",
	"{\"type\":\"codex-command\"}",
	"{\"type\":\"gemini-command\"}",
	"{\"type\":\"abort-session\"}",
	"{\"type\":\"cursor-abort\"}",
	"{\"type\":\"claude-permission-response\"}",
	"{\"type\":\"init\"}",
	"{\"type\":\"chat.subscribes\"}",
	"{\"type\":\"chat.subscrib\"}",
	"{\"type\":\"Chat.subscribe\"}",
	"{\"type\":\" chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\\u0000\"}",
	"{\"type\":\"ch\\u0061t.subscribe\"}",
	"{\"type\":\"\"}",
	/* no type */
	"{}",
	"{\"x\":1}",
	"{\"type\":1}",
	"{\"type\":null}",
	"{\"type\":[\"chat.subscribe\"]}",
	"{\"type\":{\"type\":\"chat.subscribe\"}}",
	"{\"a\":{\"type\":\"chat.subscribe\"}}",
	"{\"Type\":\"chat.subscribe\"}",
	/* two of them, in whatever spelling */
	"{\"type\":\"chat.subscribe\",\"type\":\"chat.send\"}",
	"{\"type\":\"chat.send\",\"type\":\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\",\"type\":\"chat.subscribe\"}",
	"{\"type\":1,\"type\":\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\",\"\\u0074ype\":\"chat.send\"}",
	"{\"\\u0074ype\":\"chat.send\",\"type\":\"chat.subscribe\"}",
	"{\"\\u0074ype\":\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\",\"t\\u0079pe\":\"x\"}",
	"{\"type\":\"chat.subscribe\",\"\\n\":1}",
	"{\"type\":\"chat.subscribe\",\"sessionId\":\"a\",\"sessionId\":\"b\"}",
	/* no object */
	"",
	" ",
	"[]",
	"\"type\"",
	"null",
	"[{\"type\":\"chat.subscribe\"}]",
	"\"{\\\"type\\\":\\\"chat.subscribe\\\"}\"",
	/* no JSON, though some parsers may think so */
	"{'type':'chat.subscribe'}",
	"{\"type\":'chat.subscribe'}",
	"{type:\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\",}",
	"{,\"type\":\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\"",
	"{\"type\":\"chat.subscribe",
	"{\"type\" \"chat.subscribe\"}",
	"{\"type\":}",
	"{\"type\"}",
	"{\"type\":\"chat.subscribe\"}}",
	"{\"type\":\"chat.subscribe\"}{\"type\":\"chat.send\"}",
	"{\"type\":\"chat.subscribe\"}x",
	"x{\"type\":\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\"}//",
	"/**/{\"type\":\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\"/**/}",
	"\xef\xbb\xbf{\"type\":\"chat.subscribe\"}",
	"\x0b{\"type\":\"chat.subscribe\"}",
	"\xc2\xa0{\"type\":\"chat.subscribe\"}",
	"{\"type\":\"chat.subscribe\",\"a\":NaN}",
	"{\"type\":\"chat.subscribe\",\"a\":Infinity}",
	"{\"type\":\"chat.subscribe\",\"a\":-Infinity}",
	"{\"type\":\"chat.subscribe\",\"a\":-}",
	"{\"type\":\"chat.subscribe\",\"a\":+1}",
	"{\"type\":\"chat.subscribe\",\"a\":01}",
	"{\"type\":\"chat.subscribe\",\"a\":.5}",
	"{\"type\":\"chat.subscribe\",\"a\":1.}",
	"{\"type\":\"chat.subscribe\",\"a\":1e}",
	"{\"type\":\"chat.subscribe\",\"a\":1e+}",
	"{\"type\":\"chat.subscribe\",\"a\":0x1}",
	"{\"type\":\"chat.subscribe\",\"a\":True}",
	"{\"type\":\"chat.subscribe\",\"a\":nul}",
	"{\"type\":\"chat.subscribe\",\"a\":nullx}",
	"{\"type\":\"chat.subscribe\",\"a\":[1,]}",
	"{\"type\":\"chat.subscribe\",\"a\":[,1]}",
	"{\"type\":\"chat.subscribe\",\"a\":[1 2]}",
	"{\"type\":\"chat.subscribe\",\"a\":[1}",
	"{\"type\":\"chat.subscribe\",\"a\":{\"b\":1,}}",
	"{\"type\":\"chat.subscribe\",\"a\":{\"b\"}}",
	"{\"type\":\"chat.subscribe\",\"a\":{b:1}}",
	"{\"type\":\"chat.subscribe\",\"a\":[}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\\x\"}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\\'\"}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\\u12\"}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\\u12g4\"}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\\\"}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\n\"}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\x1f\"}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\xff\"}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\xed\xa0\x80\"}",
	"{\"type\":\"chat.subscribe\",\"a\":\"\xc0\x80\"}",
};

static enum chat_verdict
judge(const void *text, size_t len)
{
	struct chat_filter f = { 0 };
	enum chat_verdict verdict =
	    chat_filter_feed(&f, WS_TEXT, text, len, false);

	if (verdict == CHAT_PASSES) {
		assert_int_equal(f.len, len);
		assert_memory_equal(f.text, text, len);
	}
	chat_filter_clear(&f);
	assert_null(f.text);
	return verdict;
}

static void
test_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(passing); i++)
		if (judge(passing[i], strlen(passing[i])) != CHAT_PASSES)
			fail_msg("held back: %s", passing[i]);
	for (i = 0; i < COUNT(held); i++)
		if (judge(held[i], strlen(held[i])) != CHAT_HELD)
			fail_msg("passes: %s", held[i]);
}

/* Cut short anywhere, or with a NUL anywhere, nothing is a message. */
static void
test_cut(void **state)
{
	static const char text[] = "{\"a\":[1,{\"b\":\"\\u00e4\"}],"
				   "\"type\":\"chat.subscribe\"}";
	char with[sizeof(text)];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(judge(text, i), CHAT_HELD);
		memcpy(with, text, i);
		with[i] = '\0';
		memcpy(with + i + 1, text + i, sizeof(text) - 1 - i);
		assert_int_equal(judge(with, sizeof(text)), CHAT_HELD);
	}
	assert_int_equal(judge(text, sizeof(text) - 1), CHAT_PASSES);
	assert_int_equal(judge(text, sizeof(text)), CHAT_HELD);
}

/* It nests so deep, inside the outermost object. */
static enum chat_verdict
judge_nested(size_t depth, const char *open, const char *close)
{
	static char text[CHAT_FILTER_MAX];
	size_t i;

	(void)strlcpy(
	    text, "{\"type\":\"chat.subscribe\",\"a\":", sizeof(text));
	for (i = 0; i < depth; i++)
		(void)strlcat(text, open, sizeof(text));
	(void)strlcat(text, "1", sizeof(text));
	for (i = 0; i < depth; i++)
		(void)strlcat(text, close, sizeof(text));
	(void)strlcat(text, "}", sizeof(text));
	return judge(text, strlen(text));
}

static void
test_depth(void **state)
{
	(void)state;
	assert_int_equal(
	    judge_nested(CHAT_SCAN_DEPTH_MAX - 1, "[", "]"), CHAT_PASSES);
	assert_int_equal(
	    judge_nested(CHAT_SCAN_DEPTH_MAX, "[", "]"), CHAT_HELD);
	assert_int_equal(
	    judge_nested(CHAT_SCAN_DEPTH_MAX - 1, "{\"a\":", "}"), CHAT_PASSES);
	assert_int_equal(
	    judge_nested(CHAT_SCAN_DEPTH_MAX, "{\"a\":", "}"), CHAT_HELD);
	assert_int_equal(judge_nested(3000, "[", "]"), CHAT_HELD);
	assert_int_equal(judge_nested(3000, "{\"a\":", "}"), CHAT_HELD);
}

/* A message of that many bytes that passes if it may be so long. */
static char *
make_long(size_t len)
{
	static const char begin[] = "{\"type\":\"chat.subscribe\",\"a\":\"";
	char *text = malloc(len);

	memset(text, 'x', len);
	memcpy(text, begin, sizeof(begin) - 1);
	memcpy(text + len - 2, "\"}", 2);
	return text;
}

static void
test_size(void **state)
{
	char *text = make_long(CHAT_FILTER_MAX);

	(void)state;
	assert_int_equal(judge(text, CHAT_FILTER_MAX), CHAT_PASSES);
	free(text);
	text = make_long(CHAT_FILTER_MAX + 1);
	assert_int_equal(judge(text, CHAT_FILTER_MAX + 1), CHAT_HELD);
	free(text);
}

/* In pieces of that size, then an empty one that ends it. */
static enum chat_verdict
judge_pieces(const char *text, size_t len, size_t size)
{
	struct chat_filter f = { 0 };
	enum chat_verdict verdict;
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < size ? len - at : size;
		assert_int_equal(chat_filter_feed(&f, WS_TEXT,
				     (const uint8_t *)text + at, n, true),
		    CHAT_MORE);
		assert_in_range(f.len, 0, CHAT_FILTER_MAX);
	}
	verdict = chat_filter_feed(&f, WS_TEXT, NULL, 0, false);
	chat_filter_clear(&f);
	return verdict;
}

static void
test_pieces(void **state)
{
	char *text = make_long(CHAT_FILTER_MAX);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(passing); i++)
		assert_int_equal(
		    judge_pieces(passing[i], strlen(passing[i]), 1),
		    CHAT_PASSES);
	for (i = 0; i < COUNT(held); i++)
		assert_int_equal(
		    judge_pieces(held[i], strlen(held[i]), 1), CHAT_HELD);
	assert_int_equal(
	    judge_pieces(text, CHAT_FILTER_MAX, 1000), CHAT_PASSES);
	free(text);
	text = make_long(4 * CHAT_FILTER_MAX);
	assert_int_equal(
	    judge_pieces(text, 4 * CHAT_FILTER_MAX, 1000), CHAT_HELD);
	/* What comes after so much is no message of its own. */
	memcpy(text + CHAT_FILTER_MAX + 1, passing[0], strlen(passing[0]));
	assert_int_equal(
	    judge_pieces(text, CHAT_FILTER_MAX + 1 + strlen(passing[0]),
		CHAT_FILTER_MAX + 1),
	    CHAT_HELD);
	free(text);
}

static void
test_binary(void **state)
{
	const uint8_t *text = (const uint8_t *)passing[0];
	struct chat_filter f = { 0 };

	(void)state;
	assert_int_equal(
	    chat_filter_feed(&f, WS_BINARY, text, strlen(passing[0]), false),
	    CHAT_HELD);
	chat_filter_clear(&f);
	assert_int_equal(
	    chat_filter_feed(&f, WS_TEXT, text, strlen(passing[0]), false),
	    CHAT_PASSES);
	chat_filter_clear(&f);
}

static const struct {
	const char *message;
	const char *answer; /* NULL for none */
} answers[] = {
	{ "{\"type\":\"chat.send\",\"sessionId\":\"a\\u00e4\\\"b\"}",
	    "{\"kind\":\"protocol_error\",\"code\":\"READ_ONLY\","
	    "\"sessionId\":\"a\\u00e4\\\"b\",\"error\":\"why \\\"not\\\"\"}" },
	{ "{\"type\":\"chat.edit-send\",\"sessionId\":\"\"}",
	    "{\"kind\":\"protocol_error\",\"code\":\"READ_ONLY\","
	    "\"sessionId\":\"\",\"error\":\"why \\\"not\\\"\"}" },
	{ "{\"type\":\"chat.send\"}", NULL },
	{ "{\"type\":\"chat.send\",\"sessionId\":7}", NULL },
	{ "{\"type\":\"chat.abort\",\"sessionId\":\"a\"}", NULL },
	{ "{\"type\":\"chat.permission-response\",\"sessionId\":\"a\"}", NULL },
	{ "{\"type\":\"claude-command\",\"command\":\"x\"}",
	    "{\"type\":\"claude-complete\",\"exitCode\":1}" },
	{ "{\"type\":\"cursor-command\"}",
	    "{\"type\":\"claude-complete\",\"exitCode\":1}" },
	{ "{\"type\":\"cursor-resume\"}",
	    "{\"type\":\"claude-complete\",\"exitCode\":1}" },
	{ "{\"type\":\"abort-session\"}", NULL },
	{ "{\"type\":1}", NULL },
	{ "{\"type\":\"claude-command\"", NULL },
	{ "", NULL },
};

static void
test_answers(void **state)
{
	struct chat_filter f = { 0 };
	struct evbuffer *out;
	const uint8_t *text;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(answers); i++) {
		out = evbuffer_new();
		text = (const uint8_t *)answers[i].message;
		assert_int_equal(chat_filter_feed(&f, WS_TEXT, text,
				     strlen(answers[i].message), false),
		    CHAT_HELD);
		if (chat_filter_answer(&f, "why \"not\"", out)) {
			evbuffer_add(out, "", 1);
			assert_non_null(answers[i].answer);
			assert_string_equal((char *)evbuffer_pullup(out, -1),
			    answers[i].answer);
		} else {
			assert_null(answers[i].answer);
			assert_int_equal(evbuffer_get_length(out), 0);
		}
		chat_filter_clear(&f);
		evbuffer_free(out);
	}
}

/* A session's name that is too long is not said again. */
static void
test_long_answer(void **state)
{
	static const char begin[] = "{\"type\":\"chat.send\",\"sessionId\":\"";
	struct chat_filter f = { 0 };
	struct evbuffer *out = evbuffer_new();
	char text[1024];
	size_t n;

	(void)state;
	for (n = 254; n <= 255; n++) {
		(void)strlcpy(text, begin, sizeof(text));
		memset(text + sizeof(begin) - 1, 'x', n);
		memcpy(text + sizeof(begin) - 1 + n, "\"}", 3);
		assert_int_equal(chat_filter_feed(&f, WS_TEXT, (uint8_t *)text,
				     strlen(text), false),
		    CHAT_HELD);
		assert_int_equal(chat_filter_answer(&f, "why", out), n == 254);
		chat_filter_clear(&f);
	}
	evbuffer_free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_long_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
