#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "proxyd/rewrite.h"

#define BASE "/clients/box/proxy"

static struct prefix prefix;

static int
setup(void **state)
{
	(void)state;
	return prefix_init(&prefix, BASE) ? 0 : -1;
}

static void
test_kind(void **state)
{
	static const struct {
		enum rewrite_kind kind;
		const char *target;
		const char *type;
		const char *encoding;
		int status;
		bool worker;
	} table[] = {
		{ REWRITE_HTML, "/", "text/html", NULL, 200, false },
		{ REWRITE_HTML, "/a", "Text/HTML; charset=UTF-8", NULL, 200,
		    false },
		{ REWRITE_HTML, "/a", " text/html ;charset=utf-8", NULL, 200,
		    true },
		{ REWRITE_HTML, "/apix", "text/html", NULL, 200, false },
		{ REWRITE_HTML, "/x/api/", "text/html", NULL, 200, false },
		{ REWRITE_HTML, "/manifest.json", "text/html", NULL, 200,
		    false },
		{ REWRITE_CSS, "/a.css?v=1", "text/css", NULL, 200, false },
		{ REWRITE_JS, "/a.js", "text/javascript", NULL, 200, false },
		{ REWRITE_JS, "/a.js", "application/javascript", NULL, 200,
		    false },
		{ REWRITE_JS, "/a.js", "application/x-javascript", NULL, 200,
		    false },
		{ REWRITE_JS, "/a?/sw.js", "text/javascript", NULL, 200,
		    false },
		{ REWRITE_WORKER, "/sw.js", "application/javascript", NULL, 200,
		    false },
		{ REWRITE_WORKER, "/sw.js?v=2", "text/javascript", NULL, 200,
		    false },
		{ REWRITE_WORKER, "/other.js", "text/javascript", NULL, 200,
		    true },
		{ REWRITE_MANIFEST, "/manifest.json", "application/json", NULL,
		    200, false },
		{ REWRITE_MANIFEST, "/x/manifest.json?v", "application/json",
		    NULL, 200, false },
		{ REWRITE_MANIFEST, "/a.webmanifest", "application/json", NULL,
		    200, false },
		{ REWRITE_MANIFEST, "/any", "application/manifest+json", NULL,
		    200, false },
		/* No such routes: the app compares paths as they are. */
		{ REWRITE_HTML, "/%61pi/file", "text/html", NULL, 200, false },
		{ REWRITE_HTML, "//api/file", "text/html", NULL, 200, false },
		{ REWRITE_HTML, "/x/../api/", "text/html", NULL, 200, false },
		/* People's own files. */
		{ REWRITE_NONE, "/api/file", "text/html", NULL, 200, false },
		{ REWRITE_NONE, "/API/file", "text/css", NULL, 200, false },
		{ REWRITE_NONE, "/api", "text/html", NULL, 200, false },
		{ REWRITE_NONE, "/api?x", "text/html", NULL, 200, false },
		{ REWRITE_NONE, "/api/sw.js", "text/javascript", NULL, 200,
		    true },
		{ REWRITE_NONE, "/api/manifest.json", "application/json", NULL,
		    200, false },
		/* Other statuses, other types, what cannot be read. */
		{ REWRITE_NONE, "/", "text/html", NULL, 404, false },
		{ REWRITE_NONE, "/", "text/html", NULL, 206, false },
		{ REWRITE_NONE, "/", "text/html", NULL, 304, false },
		{ REWRITE_NONE, "/", NULL, NULL, 200, false },
		{ REWRITE_NONE, "/", "text/htmlx", NULL, 200, false },
		{ REWRITE_NONE, "/", "text/plain", NULL, 200, false },
		{ REWRITE_NONE, "/", "application/json", NULL, 200, false },
		{ REWRITE_NONE, "/manifest.jsonx", "application/json", NULL,
		    200, false },
		{ REWRITE_NONE, "/manifest.json", "text/plain", NULL, 200,
		    false },
		{ REWRITE_NONE, "/a.svg", "image/svg+xml", NULL, 200, false },
		{ REWRITE_NONE, "/", "text/html", "gzip", 200, false },
		{ REWRITE_NONE, "/", "text/html; charset=utf-16", NULL, 200,
		    false },
	};
	struct rewrite_question q;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		q = (struct rewrite_question){
			.target = table[i].target,
			.service_worker = table[i].worker,
			.content_type = table[i].type,
			.content_encoding = table[i].encoding,
			.status = table[i].status,
		};
		if (rewrite_kind(&q) != table[i].kind)
			fail_msg("%s %s: %d", table[i].target,
			    table[i].type == NULL ? "-" : table[i].type,
			    rewrite_kind(&q));
	}
}

static int
gather(void *arg, const void *data, size_t len)
{
	return evbuffer_add(arg, data, len);
}

/* Each kind does its own work, whole and byte by byte. */
static void
test_bodies(void **state)
{
	static const struct {
		enum rewrite_kind kind;
		const char *in;
		const char *out;
	} table[] = {
		{ REWRITE_HTML, "<head><img src=/a>",
		    "<head>INSERT<img src=" BASE "/a>" },
		{ REWRITE_HTML, "", "INSERT" },
		{ REWRITE_CSS, "a{b:url(/c)}", "a{b:url(" BASE "/c)}" },
		{ REWRITE_JS, "f(\"/api/x\")", "f(\"" BASE "/api/x\")" },
		{ REWRITE_WORKER, "f('/assets/x')",
		    "INSERTf('" BASE "/assets/x')" },
		{ REWRITE_WORKER, "", "INSERT" },
		{ REWRITE_MANIFEST, "{\"start_url\":\"/\"}",
		    "{\"start_url\":\"" BASE "/\"}" },
		{ REWRITE_MANIFEST, "no json", "no json" },
	};
	const struct rewrite_insert insert = { "INSERT", 6 };
	struct sink sink = { .write = gather };
	struct rewrite *r;
	size_t i, at, step, len;
	char *out;

	(void)state;
	for (i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
		const char *in = table[i / 2].in;

		sink.arg = evbuffer_new();
		assert_non_null(sink.arg);
		r = rewrite_new(table[i / 2].kind, &prefix, &insert, &sink);
		assert_non_null(r);
		len = strlen(in);
		step = i % 2 == 0 ? 1 : len;
		for (at = 0; at < len; at += step)
			assert_int_equal(rewrite_feed(r, in + at, step), 0);
		assert_int_equal(rewrite_finish(r), 0);
		rewrite_free(r);
		evbuffer_add(sink.arg, "", 1);
		out = (char *)evbuffer_pullup(sink.arg, -1);
		assert_string_equal(out, table[i / 2].out);
		evbuffer_free(sink.arg);
	}
}

static int
refuse(void *arg, const void *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	return -1;
}

static void
test_sink_fails(void **state)
{
	const struct rewrite_insert insert = { "INSERT", 6 };
	const struct sink sink = { .write = refuse };
	struct rewrite *r;
	int kind, rc;

	(void)state;
	for (kind = REWRITE_HTML; kind <= REWRITE_WORKER; kind++) {
		r = rewrite_new(
		    (enum rewrite_kind)kind, &prefix, &insert, &sink);
		assert_non_null(r);
		rc = rewrite_feed(r, "<head>{}", 8);
		assert_true(rc == -1 || rewrite_finish(r) == -1);
		rewrite_free(r);
	}
	rewrite_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_sink_fails),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
