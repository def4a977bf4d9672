#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "proxyd/page.h"

static struct prefix prefix;

static int
setup(void **state)
{
	(void)state;
	return prefix_init(&prefix, "/clients/box/proxy") ? 0 : -1;
}

/* The text between two others, of which the first must come first. */
static char *
between(const char *text, const char *before, const char *after)
{
	const char *start, *end;

	assert_int_equal(strncmp(text, before, strlen(before)), 0);
	start = text + strlen(before);
	end = strstr(start, after);
	assert_non_null(end);
	return strndup(start, (size_t)(end - start));
}

static void
test_island(void **state)
{
	/* Nothing of this may end the element, or hide what follows. */
	static const char nasty[] =
	    "</script><!--<script>\"\\&'\x01 \xe2\x80\xa8]]>";
	const struct page page = { &prefix, "a&b'(c)", "tether_x", nasty, false,
		false, NULL, NULL };
	char *text = page_injection(&page), *json, *p;
	struct json_object *config, *member;

	(void)state;
	assert_non_null(text);
	json = between(text,
	    "<script type=\"application/json\" id=\"tetherd-page\">",
	    "</script>");
	for (p = json; *p != '\0'; p++)
		assert_true(*p >= 0x20 && *p < 0x7f && *p != '<' && *p != '&');
	config = json_tokener_parse(json);
	assert_non_null(config);
	assert_int_equal(json_object_object_length(config), 4);
	member = json_object_object_get(config, "base");
	assert_string_equal(
	    json_object_get_string(member), "/clients/box/proxy");
	member = json_object_object_get(config, "client");
	assert_string_equal(json_object_get_string(member), "a&b'(c)");
	member = json_object_object_get(config, "handle");
	assert_string_equal(json_object_get_string(member), "tether_x");
	member = json_object_object_get(config, "login");
	assert_int_equal(strncmp(json_object_get_string(member), nasty, 26), 0);
	json_object_put(config);
	free(json);
	free(text);
}

/* Where the page goes by itself, and with what. */
static void
test_callback(void **state)
{
	struct page page = { .prefix = &prefix,
		.client_id = "box",
		.handle = "tether_x",
		.login = "mona",
		.callback = "https://ui.test/</script>" };
	char *text = page_injection(&page);

	(void)state;
	assert_non_null(strstr(text, "\"login\":\"mona\"}</script>"));
	free(text);
	page.token = "a.b-c.d_e";
	text = page_injection(&page);
	assert_non_null(strstr(text,
	    "\"login\":\"mona\",\"callback\":\"https\\u003a//ui.test/"
	    "\\u003c/script\\u003e\",\"token\":\"a.b-c.d_e\"}</script>"));
	free(text);
	text = page_worker(&page);
	assert_null(strstr(text, "a.b-c.d_e"));
	free(text);
}

static bool
contains(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

static void
test_script(void **state)
{
	const struct page page = { &prefix, "box", "", "", false, false, NULL,
		NULL };
	struct rewrite_insert script = page_script();
	char *text = page_injection(&page), *at;
	size_t i;

	(void)state;
	assert_non_null(text);
	at = strstr(text, script.text);
	assert_non_null(at);
	assert_int_equal(strncmp(at - 8, "<script>", 8), 0);
	assert_string_equal(at + script.len, "</script>");
	/* What would end an inline script, or is read in another charset. */
	assert_false(contains(script.text, "</script"));
	assert_false(contains(script.text, "<!--"));
	for (i = 0; i < script.len; i++)
		assert_true((unsigned char)script.text[i] < 0x80);
	free(text);
}

static void
test_external(void **state)
{
	const struct page page = { &prefix, "box", "", "", true, false, NULL,
		NULL };
	char *text = page_injection(&page), *tag;

	(void)state;
	assert_non_null(text);
	assert_null(strstr(text, page_script().text));
	assert_true(asprintf(&tag,
			"<script src=\"/clients/box/proxy/__tether/page.js"
			"?v=%s\"></script>",
			page_version()) > 0);
	assert_string_equal(text + strlen(text) - strlen(tag), tag);
	free(tag);
	free(text);
}

static void
test_worker(void **state)
{
	struct page page = { .prefix = &prefix,
		.client_id = "box",
		.handle = "secret",
		.login = "octocat" };
	char *text = page_worker(&page);

	(void)state;
	assert_non_null(text);
	assert_true(contains(text, "{\"base\":\"/clients/box/proxy\","
				   "\"client\":\"box\"}"));
	assert_false(contains(text, "octocat"));
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
	page.base64 = true;
	text = page_worker(&page);
	assert_non_null(text);
	assert_true(contains(text, "\"client\":\"box\",\"base64\":true}"));
	free(text);
}

static void
test_names(void **state)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/=";
	const char *sum = page_script_hash();

	(void)state;
	assert_int_equal(strncmp(sum, "sha256-", 7), 0);
	assert_int_equal(strlen(sum), 7 + 44);
	assert_int_equal(strspn(sum + 7, digits), 44);
	assert_ptr_equal(page_script_hash(), sum);
	assert_int_equal(strncmp(page_version(), TETHERD_VERSION ".",
			     strlen(TETHERD_VERSION ".")),
	    0);
	assert_int_equal(strlen(page_version()), strlen(TETHERD_VERSION) + 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_island),
		cmocka_unit_test(test_callback),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_external),
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
