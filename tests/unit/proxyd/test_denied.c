#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <json-c/json.h>
#include <sha2.h>

#include "common/base64.h"
#include "common/session.h"
#include "proxyd/denied.h"
#include "proxyd/request.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What the module shows of a path. */
#define PATH_MAX_SHOWN 200

static struct json_object *json; /* of the last answer */

static int
teardown(void **state)
{
	(void)state;
	json_object_put(json);
	json = NULL;
	return 0;
}

static struct request
make_request(const char *method, const char *target, const char *login)
{
	static char copy[4096];
	struct request r = { .id = "9f", .id_len = 2, .target = copy };

	(void)strlcpy(copy, target, sizeof(copy));
	(void)strlcpy(r.method, method, sizeof(r.method));
	if (login != NULL) {
		r.identified = true;
		r.github_id = 5;
		(void)strlcpy(r.login, login, sizeof(r.login));
	}
	return r;
}

static const char *
text(const char *name)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(json, name, &value));
	return json_object_get_string(value);
}

/* The value of a field that is there once, or NULL. */
static const char *
field(const char *name)
{
	struct json_object *headers, *pair;
	const char *found = NULL;
	size_t i;

	assert_true(json_object_object_get_ex(json, "headers", &headers));
	for (i = 0; i < json_object_array_length(headers); i++) {
		pair = json_object_array_get_idx(headers, i);
		if (strcmp(json_object_get_string(
			       json_object_array_get_idx(pair, 0)),
			name) != 0)
			continue;
		assert_null(found);
		found =
		    json_object_get_string(json_object_array_get_idx(pair, 1));
	}
	return found;
}

/* Make the answer; returns its body. */
static const char *
compose(const struct request *r, const struct denied *d)
{
	struct evbuffer *out = denied_compose(r, d);
	struct json_object *status;

	assert_non_null(out);
	json_object_put(json);
	evbuffer_add(out, "", 1);
	json = json_tokener_parse((const char *)evbuffer_pullup(out, -1));
	evbuffer_free(out);
	assert_non_null(json);
	assert_string_equal(text("request_id"), "9f");
	assert_true(json_object_object_get_ex(json, "status", &status));
	assert_int_equal(json_object_get_int(status), d->status);
	assert_string_equal(field("cache-control"), "no-store");
	assert_null(field("x-orch-encoding"));
	return text("body");
}

static void
test_json(void **state)
{
	static const struct {
		struct denied denied;
		const char *body, *mark, *retry;
	} table[] = {
		{ { 403, "no", "Ask.", 0, false },
		    "{\"error\":\"no\",\"advice\":\"Ask.\"}", "no", NULL },
		{ { 403, "no", "", 0, false }, "{\"error\":\"no\"}", "no",
		    NULL },
		{ { 429, "slow", "", 17, false }, "{\"error\":\"slow\"}",
		    "slow", "17" },
		{ { 503, "later", "", 0, false }, "{\"error\":\"later\"}", NULL,
		    NULL },
		{ { 403, "a\"b\\c\n<d>\xc3\xa9", "\t", 0, false },
		    "{\"error\":\"a\\\"b\\\\c\\n<d>\xc3\xa9\","
		    "\"advice\":\"\\t\"}",
		    "a\"b\\c?<d>??", NULL },
		/* no UTF-8 */
		{ { 403, "a\xff\r\nX: y", "\xc3", 0, false },
		    "{\"error\":\"a???X: y\",\"advice\":\"?\"}", "a???X: y",
		    NULL },
	};
	struct request r = make_request("POST", "/x", "mona");
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		assert_string_equal(
		    compose(&r, &table[i].denied), table[i].body);
		assert_string_equal(field("content-type"), "application/json");
		assert_null(field("content-security-policy"));
		if (table[i].mark == NULL)
			assert_null(field("x-tether-denied"));
		else
			assert_string_equal(
			    field("x-tether-denied"), table[i].mark);
		if (table[i].retry == NULL)
			assert_null(field("retry-after"));
		else
			assert_string_equal(
			    field("retry-after"), table[i].retry);
	}
}

static void
expect_part(const char *page, const char *part)
{
	if (strstr(page, part) == NULL)
		fail_msg("no %s in %s", part, page);
}

static void
expect_none(const char *page, const char *part)
{
	if (strstr(page, part) != NULL)
		fail_msg("%s in %s", part, page);
}

static void
test_page(void **state)
{
	static const struct {
		int status;
		const char *title;
	} table[] = {
		{ 403, "<title>Access denied</title>" },
		{ 429, "<title>Too many requests</title>" },
		{ 503, "<title>Not available now</title>" },
	};
	struct denied d = { .reason = "your access is read-only",
		.advice = "Ask the operator." };
	struct request r = make_request("GET", "/p?token=secret", "mona");
	const char *page;
	size_t i;

	(void)state;
	r.navigates = true;
	for (i = 0; i < COUNT(table); i++) {
		d.status = table[i].status;
		page = compose(&r, &d);
		assert_string_equal(
		    field("content-type"), "text/html; charset=utf-8");
		expect_part(page, table[i].title);
		expect_part(page, "<p>your access is read-only</p>");
		expect_part(page, "<p>Ask the operator.</p>");
		expect_part(page, "<bdi>mona</bdi>");
		expect_part(page, "<code>GET /p</code>");
		expect_none(page, "secret");
		expect_none(page, "<script");
		expect_none(page, "http");
		expect_none(page, "url(");
		assert_memory_equal(page, "<!DOCTYPE html>", 15);
	}
	r.identified = false;
	d.advice = "";
	page = compose(&r, &d);
	expect_part(page, "Nobody is signed in.");
	expect_none(page, "mona");
	expect_none(page, "<p></p>");
}

/* Nothing that came from anywhere is markup. */
static void
test_hostile(void **state)
{
	static const char evil[] = "</p><script>'\"&\xe2\x80\xae";
	struct denied d = { .status = 403, .reason = evil, .advice = evil };
	struct request r = make_request("GET", "/<b>\"'&", evil);
	char target[4096];
	const char *page;

	(void)state;
	r.navigates = true;
	(void)strlcpy(r.method, "<I>", sizeof(r.method));
	page = compose(&r, &d);
	expect_none(page, "<script");
	expect_none(page, "<b>");
	expect_none(page, "<I>");
	expect_part(page,
	    "<p>&#60;/p&#62;&#60;script&#62;&#39;&#34;&#38;\xe2\x80\xae</p>");
	expect_part(page, "<bdi>&#60;/p&#62;&#60;script&#62;");
	expect_part(page, "&#60;I&#62; /&#60;b&#62;&#34;&#39;&#38;");
	assert_string_equal(field("x-tether-denied"), "</p><script>'\"&???");

	/* A long path is cut, and a long text is no trouble. */
	memset(target, 'p', sizeof(target));
	target[0] = '/';
	target[sizeof(target) - 1] = '\0';
	r = make_request("GET", target, NULL);
	r.navigates = true;
	d.reason = target;
	page = compose(&r, &d);
	assert_in_range(strlen(page), 300, 3000);
	expect_part(page, "ppp\xe2\x80\xa6</code>");
	assert_int_equal(
	    strlen(field("x-tether-denied")), SESSION_REASON_MAX - 1);
	target[PATH_MAX_SHOWN] = '\0';
	r = make_request("GET", target, NULL);
	r.navigates = true;
	expect_none(compose(&r, &d), "\xe2\x80\xa6");
}

/* The policy names the style by what it is, and allows nothing else. */
static void
test_policy(void **state)
{
	struct denied d = { .status = 403, .reason = "no", .advice = "" };
	struct request r = make_request("GET", "/", NULL);
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char expected[64 + BASE64_SIZE(SHA256_DIGEST_LENGTH)];
	struct base64 encoder = { 0 };
	const char *page, *begin, *end;
	SHA2_CTX sha;
	size_t n;

	(void)state;
	r.navigates = true;
	page = compose(&r, &d);
	begin = strstr(page, "<style>") + 7;
	end = strstr(begin, "</style>");
	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)begin, (size_t)(end - begin));
	SHA256Final(digest, &sha);
	n = strlcpy(expected, "default-src 'none'; style-src 'sha256-",
	    sizeof(expected));
	n += base64_feed(&encoder, digest, sizeof(digest), expected + n);
	n += base64_finish(&encoder, expected + n);
	expected[n] = '\0';
	assert_memory_equal(field("content-security-policy"), expected, n);
	assert_string_equal(field("content-security-policy") + n,
	    "'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'");
	assert_string_equal(field("x-content-type-options"), "nosniff");
}

static void
test_head(void **state)
{
	struct denied d = { .status = 403, .reason = "no", .advice = "Ask." };
	struct request r = make_request("HEAD", "/", "mona");

	(void)state;
	assert_string_equal(compose(&r, &d), "");
	assert_string_equal(field("content-type"), "application/json");
	assert_string_equal(field("x-tether-denied"), "no");
	r.navigates = true;
	assert_string_equal(compose(&r, &d), "");
	assert_string_equal(field("content-type"), "text/html; charset=utf-8");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_json, teardown),
		cmocka_unit_test_teardown(test_page, teardown),
		cmocka_unit_test_teardown(test_hostile, teardown),
		cmocka_unit_test_teardown(test_policy, teardown),
		cmocka_unit_test_teardown(test_head, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
