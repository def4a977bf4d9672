#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/url.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define NO_SCHEME "not a ws:// or wss:// URL"
#define NO_HOST	  "no valid host name in it"
#define NO_BLANKS "white space or other characters that have no place in a URL"
#define NO_USER	  "user names and passwords have no place in it"
#define BAD_PORT  "port out of range"

static const struct {
	const char *text;
	bool tls;
	const char *host;
	uint32_t port;
	const char *target;
	const char *why;
} table[] = {
	{ "ws://host", false, "host", 80, "/", NULL },
	{ "wss://host", true, "host", 443, "/", NULL },
	{ "WSS://Host/Path", true, "Host", 443, "/Path", NULL },
	{ "wss://host/", true, "host", 443, "/", NULL },
	{ "ws://host:1/a/b", false, "host", 1, "/a/b", NULL },
	{ "ws://host:65535", false, "host", 65535, "/", NULL },
	{ "ws://host:00080/", false, "host", 80, "/", NULL },
	{ "ws://a-b_c.d.example./", false, "a-b_c.d.example.", 80, "/", NULL },
	{ "ws://127.0.0.1:8080/ws/connect", false, "127.0.0.1", 8080,
	    "/ws/connect", NULL },
	{ "ws://[::1]", false, "::1", 80, "/", NULL },
	{ "wss://[fe80::1%eth0]:8443/a", true, "fe80::1%eth0", 8443, "/a",
	    NULL },
	{ "ws://[::ffff:1.2.3.4]:5/", false, "::ffff:1.2.3.4", 5, "/", NULL },
	/* queries: ours go, others stay as they are */
	{ "ws://h?a=1", false, "h", 80, "/?a=1", NULL },
	{ "ws://h/p?a=1&b=%20&c", false, "h", 80, "/p?a=1&b=%20&c", NULL },
	{ "ws://h/p?token=x", false, "h", 80, "/p", NULL },
	{ "ws://h/p?client_id=x", false, "h", 80, "/p", NULL },
	{ "ws://h/p?token=x&a=1&client_id=y&b=2", false, "h", 80, "/p?a=1&b=2",
	    NULL },
	{ "ws://h/p?a=1&token=x", false, "h", 80, "/p?a=1", NULL },
	{ "ws://h/p?token&client_id", false, "h", 80, "/p", NULL },
	{ "ws://h/p?tokens=1&xtoken=2&client_id2=3", false, "h", 80,
	    "/p?tokens=1&xtoken=2&client_id2=3", NULL },
	{ "ws://h/p?token=a&token=b", false, "h", 80, "/p", NULL },
	{ "ws://h/p?", false, "h", 80, "/p", NULL },
	{ "ws://h/p?&&a&&", false, "h", 80, "/p?a", NULL },
	{ "ws://h/p?a=?b=c", false, "h", 80, "/p?a=?b=c", NULL },
	/* fragments never travel */
	{ "ws://h#token=x", false, "h", 80, "/", NULL },
	{ "ws://h/p#?a=1", false, "h", 80, "/p", NULL },
	{ "ws://h/p?a=1#b&c=2", false, "h", 80, "/p?a=1", NULL },
	{ "ws://h/a@b:c//d", false, "h", 80, "/a@b:c//d", NULL },
	/* refused */
	{ .text = "", .why = NO_SCHEME },
	{ .text = "ws:/", .why = NO_SCHEME },
	{ .text = "ws:/host", .why = NO_SCHEME },
	{ .text = "http://host", .why = NO_SCHEME },
	{ .text = "https://host", .why = NO_SCHEME },
	{ .text = "host", .why = NO_SCHEME },
	{ .text = "//host", .why = NO_SCHEME },
	{ .text = "xws://host", .why = NO_SCHEME },
	{ .text = "ws://", .why = NO_HOST },
	{ .text = "ws:///path", .why = NO_HOST },
	{ .text = "ws://?a", .why = NO_HOST },
	{ .text = "ws://:80", .why = NO_HOST },
	{ .text = "ws://ho*st", .why = NO_HOST },
	{ .text = "ws://ho\\st", .why = NO_HOST },
	{ .text = "ws://ho%41st", .why = NO_HOST },
	{ .text = "ws://[]", .why = NO_HOST },
	{ .text = "ws://[::1", .why = "bracket without its partner" },
	{ .text = "ws://[host-name]", .why = NO_HOST },
	{ .text = "ws://[::1]x", .why = "text after the host name" },
	{ .text = "ws://[::1]80", .why = "text after the host name" },
	{ .text = "ws://::1", .why = NO_HOST },
	{ .text = "ws://a:b:1", .why = "port is not a number" },
	{ .text = "ws://host:", .why = BAD_PORT },
	{ .text = "ws://host:0", .why = BAD_PORT },
	{ .text = "ws://host:65536", .why = BAD_PORT },
	{ .text = "ws://host:000080", .why = BAD_PORT },
	{ .text = "ws://host:99999999999999999999", .why = BAD_PORT },
	{ .text = "ws://host:-1", .why = "port is not a number" },
	{ .text = "ws://host:+1", .why = "port is not a number" },
	{ .text = "ws://host:8o", .why = "port is not a number" },
	{ .text = "ws://user@host", .why = NO_USER },
	{ .text = "ws://user:pw@host:1/", .why = NO_USER },
	{ .text = "ws://host/a b", .why = NO_BLANKS },
	{ .text = " ws://host", .why = NO_BLANKS },
	{ .text = "ws://host\n", .why = NO_BLANKS },
	{ .text = "ws://host/\r\nX: y", .why = NO_BLANKS },
	{ .text = "ws://host/\t", .why = NO_BLANKS },
	{ .text = "ws://host/\x7f", .why = NO_BLANKS },
	{ .text = "ws://h\xc3\xb6st/", .why = NO_BLANKS },
};

static void
test_table(void **state)
{
	struct url url;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		why = url_parse(table[i].text, &url);
		if ((why == NULL) != (table[i].why == NULL))
			fail_msg("%s: %s", table[i].text,
			    why == NULL ? "accepted" : why);
		if (why != NULL) {
			assert_string_equal(why, table[i].why);
			continue;
		}
		assert_int_equal(url.tls, table[i].tls);
		assert_string_equal(url.host, table[i].host);
		assert_int_equal(url.port, table[i].port);
		assert_string_equal(url.target, table[i].target);
		url_free(&url);
		assert_null(url.host);
	}
}

/* Of the other protocol the scheme and the ports are all that differs. */
static void
test_http(void **state)
{
	static const struct {
		const char *text;
		bool tls;
		const char *host;
		uint32_t port;
		const char *target;
		bool local;
	} good[] = {
		{ "http://host", false, "host", 80, "/", false },
		{ "HTTPS://api.example/v3", true, "api.example", 443, "/v3",
		    false },
		{ "https://[::1]:8443/", true, "::1", 8443, "/", true },
		{ "http://127.0.0.1", false, "127.0.0.1", 80, "/", true },
		{ "http://127.255.0.9", false, "127.255.0.9", 80, "/", true },
		{ "http://126.0.0.1", false, "126.0.0.1", 80, "/", false },
		{ "http://LocalHost:1", false, "LocalHost", 1, "/", true },
		{ "http://localhost.example", false, "localhost.example", 80,
		    "/", false },
		{ "http://127.0.0.1.nip.example", false,
		    "127.0.0.1.nip.example", 80, "/", false },
		{ "http://[::ffff:127.0.0.1]", false, "::ffff:127.0.0.1", 80,
		    "/", false },
		{ "http://127.1", false, "127.1", 80, "/", false },
	};
	static const char *const bad[][2] = {
		{ "ws://h", "not an http:// or https:// URL" },
		{ "https:/h", "not an http:// or https:// URL" },
		{ "https://", NO_HOST },
		{ "https://u@h", NO_USER },
		{ "https://h\r\n", NO_BLANKS },
		{ "https://h:0", BAD_PORT },
	};
	struct url url;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_null(url_parse_http(good[i].text, &url));
		assert_int_equal(url.tls, good[i].tls);
		assert_string_equal(url.host, good[i].host);
		assert_int_equal(url.port, good[i].port);
		assert_string_equal(url.target, good[i].target);
		assert_int_equal(url_is_local(&url), good[i].local);
		url_free(&url);
	}
	for (i = 0; i < COUNT(bad); i++)
		assert_string_equal(url_parse_http(bad[i][0], &url), bad[i][1]);
}

/* Neither prefixes nor single bytes do harm, in memory of their exact size. */
static void
test_prefixes(void **state)
{
	struct url url;
	size_t i, n;
	char *s;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		for (n = 0; n <= strlen(table[i].text); n++) {
			s = strndup(table[i].text, n);
			assert_non_null(s);
			if (url_parse(s, &url) == NULL) {
				assert_int_equal(url.target[0], '/');
				assert_true(strlen(url.target) <= n + 1);
				url_free(&url);
			}
			free(s);
		}
}

static void
test_host_length(void **state)
{
	char text[300] = "ws://";
	struct url url;
	size_t n;

	(void)state;
	for (n = 250; n < 260; n++) {
		memset(text + 5, 'h', n);
		text[5 + n] = '\0';
		assert_int_equal(url_parse(text, &url) == NULL, n <= 255);
		if (n <= 255)
			url_free(&url);
	}
}

/* Only n bytes are looked at, and the port is left alone without one. */
static void
test_authority(void **state)
{
	uint32_t port = 7;
	char *host;

	(void)state;
	assert_null(url_parse_authority("host:12345", 4, &host, &port));
	assert_string_equal(host, "host");
	assert_int_equal(port, 7);
	free(host);
	assert_null(url_parse_authority("host:12345", 7, &host, &port));
	assert_int_equal(port, 12);
	free(host);
	assert_non_null(url_parse_authority("[::1]", 4, &host, &port));
	assert_non_null(url_parse_authority("host", 0, &host, &port));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_host_length),
		cmocka_unit_test(test_authority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
