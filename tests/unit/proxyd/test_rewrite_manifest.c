#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "proxyd/rewrite_manifest.h"
#include "rewrite_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct rewrite_row table[] = {
	{ "", NULL },
	{ "{}", NULL },
	{ "{\"start_url\":\"/\"}", "{\"start_url\":\"" P "/\"}" },
	{ " { \"start_url\" : \"\\/a\" }\n", "{\"start_url\":\"" P "/a\"}" },
	{ "{\"scope\":\"/\"}", "{\"scope\":\"" P "/\"}" },
	{ "{\"id\":\"/?id\"}", "{\"id\":\"" P "/?id\"}" },
	{ "{\"scope\":\"" P "\"}", "{\"scope\":\"" P "/\"}" },
	{ "{\"icons\":[{\"src\":\"/a\",\"sizes\":\"1x1\"},{\"src\":\"b\"},"
	  "{\"src\":\"/c\"}]}",
	    "{\"icons\":[{\"src\":\"" P "/a\",\"sizes\":\"1x1\"},"
	    "{\"src\":\"b\"},{\"src\":\"" P "/c\"}]}" },
	{ "{\"screenshots\":[{\"src\":\"/a\"}]}",
	    "{\"screenshots\":[{\"src\":\"" P "/a\"}]}" },
	{ "{\"shortcuts\":[{\"url\":\"/a\",\"icons\":[{\"src\":\"/b\"}]},"
	  "{\"url\":\"/c\"}]}",
	    "{\"shortcuts\":[{\"url\":\"" P "/a\",\"icons\":[{\"src\":\"" P
	    "/b\"}]},{\"url\":\"" P "/c\"}]}" },
	{ "{\"share_target\":{\"action\":\"/a\",\"params\":{}}}",
	    "{\"share_target\":{\"action\":\"" P "/a\",\"params\":{}}}" },
	{ "{\"protocol_handlers\":[{\"protocol\":\"x\",\"url\":\"/a?%s\"}]}",
	    "{\"protocol_handlers\":[{\"protocol\":\"x\",\"url\":\"" P
	    "/a?%s\"}]}" },
	{ "{\"file_handlers\":[{\"action\":\"/a\",\"icons\":[{\"src\":"
	  "\"/b\"}]}]}",
	    "{\"file_handlers\":[{\"action\":\"" P
	    "/a\",\"icons\":[{\"src\":\"" P "/b\"}]}]}" },
	/* all else is as it was */
	{ "{\"name\":\"\xc3\xa9\\n\\u00e9\\\"</\",\"x\":[1.0,1e3,-0,null,true],"
	  "\"id\":\"/a\"}",
	    "{\"name\":\"\xc3\xa9\\n\xc3\xa9\\\"</\",\"x\":[1.0,1e3,0,null,true"
	    "],\"id\":\"" P "/a\"}" },
	{ "{\"id\":\"/a\",\"icons\":{},\"shortcuts\":[],\"screenshots\":"
	  "null}",
	    "{\"id\":\"" P "/a\",\"icons\":{},\"shortcuts\":[],"
	    "\"screenshots\":null}" },
	{ "{\"id\":\"/a\",\"id\":\"/b\"}", "{\"id\":\"" P "/b\"}" },
	/* nothing to change, to the byte */
	{ " { \"start_url\" : \".\" , \"scope\":\"\\/\\/h\\/\" }\r\n", NULL },
	{ "{\"id\":\"a\",\"start_url\":\"" P "/\",\"scope\":\"http://h/\"}",
	    NULL },
	{ "{\"id\":7,\"start_url\":[\"/\"],\"scope\":{\"a\":\"/\"}}", NULL },
	{ "{\"id\":null,\"icons\":[\"/a\",[{\"src\":\"/b\"}],null,7]}", NULL },
	{ "{\"icons\":\"/a\",\"shortcuts\":\"/b\",\"file_handlers\":7}", NULL },
	{ "{\"shortcuts\":[null,7,{\"icons\":[{\"src\":7}]}]}", NULL },
	{ "{\"src\":\"/a\",\"url\":\"/b\",\"action\":\"/c\",\"name\":\"/\","
	  "\"x\":{\"id\":\"/\"}}",
	    NULL },
	{ "{\"screenshots\":[{\"icons\":[{\"src\":\"/a\"}]}]}", NULL },
	{ "{\"id\":\"/a\\u0000/b\"}", NULL },
	/* no JSON, or none of a browser */
	{ "[{\"start_url\":\"/\"}]", NULL },
	{ "\"/\"", NULL },
	{ "{\"start_url\":\"/\"", NULL },
	{ "{\"start_url\":\"/", NULL },
	{ "{\"start_url\":\"/\\", NULL },
	{ "{\"start_url\":\"/\"}x", NULL },
	{ "{\"start_url\":\"/\"}{}", NULL },
	{ "{\"start_url\":\"/\",}", NULL },
	{ "{'start_url':\"/\"}", NULL },
	{ "{\"start_url\":'/'}", NULL },
	{ "{\"start_url\":\"/\",\"x\":NaN}", NULL },
	{ "{\"start_url\":\"/\",\"x\":-Infinity}", NULL },
	{ "{\"start_url\":\"/\",\"x\":nan}", NULL },
	{ "{\"start_url\":\"/\",\"x\":True}", NULL },
	{ "{\"start_url\":\"/\",\"x\":01}", NULL },
	{ "{/**/\"start_url\":\"/\"}", NULL },
	{ "{\"start_url\":\"/\",\"x\":\"\n\"}", NULL },
	{ "<!doctype html><a href=\"/\">", NULL },
	{ "\xef\xbb\xbf{\"start_url\":\"/\"}", NULL },
};

static bool
rewrite(const struct prefix *prefix, const struct sink *sink, const char *in,
    size_t len, size_t first, size_t piece)
{
	struct rewrite_manifest manifest;
	size_t i = 0, n = first;
	bool good = true;

	assert_int_equal(rewrite_manifest_init(&manifest, prefix, sink), 0);
	for (; i < len && good; i += n, n = piece) {
		if (n > len - i)
			n = len - i;
		good = rewrite_manifest_feed(&manifest, in + i, n) == 0;
	}
	good = good && rewrite_manifest_finish(&manifest) == 0;
	rewrite_manifest_clear(&manifest);
	return good;
}

static void
test_table(void **state)
{
	(void)state;
	rewrite_check_rows(rewrite, P, "", table, COUNT(table));
}

static void
test_nul(void **state)
{
	static const char text[] = "{\"id\":\"/\"\0}";
	struct prefix prefix;

	(void)state;
	assert_true(prefix_init(&prefix, P));
	rewrite_check(rewrite, &prefix, text, sizeof(text) - 1, text,
	    sizeof(text) - 1, 4, 3);
}

/* {"x":[[…]],"id":"/"}, of that depth, rewritten or not. */
static void
check_depth(const struct prefix *prefix, size_t depth, bool changed)
{
	char in[512], out[512], open[128], closed[128];

	assert_true(depth < sizeof(open));
	memset(open, '[', depth - 1);
	memset(closed, ']', depth - 1);
	open[depth - 1] = closed[depth - 1] = '\0';
	(void)snprintf(
	    in, sizeof(in), "{\"x\":%s%s,\"id\":\"/\"}", open, closed);
	(void)snprintf(out, sizeof(out), "{\"x\":%s%s,\"id\":\"%s/\"}", open,
	    closed, changed ? P : "");
	rewrite_check(
	    rewrite, prefix, in, strlen(in), out, strlen(out), strlen(in), 1);
}

static void
test_depth(void **state)
{
	struct prefix prefix;

	(void)state;
	assert_true(prefix_init(&prefix, P));
	check_depth(&prefix, 2, true);
	check_depth(&prefix, 64, true);
	check_depth(&prefix, 65, false);
	check_depth(&prefix, 100, false);
}

/* Of exactly len bytes: rewritten if that is not too large. */
static void
check_size(const struct prefix *prefix, size_t len, size_t piece)
{
	static const char head[] = "{\"id\":\"/\",\"x\":\"", tail[] = "\"}";
	static const char new_head[] = "{\"id\":\"" P "/\",\"x\":\"";
	char *in = malloc(len + sizeof(new_head)), *out;
	bool changed = len <= REWRITE_MANIFEST_MAX;
	size_t out_len = changed ? len + strlen(P) : len;

	assert_non_null(in);
	out = malloc(out_len);
	assert_non_null(out);
	memset(in, 'x', len);
	memcpy(in, head, strlen(head));
	memcpy(in + len - strlen(tail), tail, strlen(tail));
	memset(out, 'x', out_len);
	memcpy(
	    out, changed ? new_head : head, strlen(changed ? new_head : head));
	memcpy(out + out_len - strlen(tail), tail, strlen(tail));
	rewrite_check(rewrite, prefix, in, len, out, out_len, piece, piece);
	free(in);
	free(out);
}

static void
test_size(void **state)
{
	struct prefix prefix;
	size_t piece;

	(void)state;
	assert_true(prefix_init(&prefix, P));
	for (piece = 1000; piece < 2000000; piece *= 10) {
		check_size(&prefix, REWRITE_MANIFEST_MAX, piece);
		check_size(&prefix, REWRITE_MANIFEST_MAX + 1, piece);
		check_size(&prefix, REWRITE_MANIFEST_MAX * 3, piece);
	}
}

static void
test_refusal(void **state)
{
	static char large[REWRITE_MANIFEST_MAX + 2];
	struct output output = { .fail = 1 };
	struct sink sink = { output_write, &output };
	struct prefix prefix;

	(void)state;
	assert_true(prefix_init(&prefix, P));
	memset(large, ' ', sizeof(large));
	assert_false(rewrite(&prefix, &sink, large, sizeof(large), 5, 5000));
	rewrite_check_refusal(rewrite, "{\"id\":\"/\"}");
	rewrite_check_refusal(rewrite, "{\"id\":\"\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
