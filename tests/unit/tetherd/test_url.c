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

struct good {
	const char *text;
	bool tls;
	const char *host;
	uint32_t port;
	const char *target;
	bool local;
};

struct bad {
	const char *text, *why;
};

static const struct good good[] = {
	{ "ws://host", false, "host", 80, "/", false },
	{ "wss://host", true, "host", 443, "/", false },
	{ "WSS://Host/Path", true, "Host", 443, "/Path", false },
	{ "wss://host/", true, "host", 443, "/", false },
	{ "ws://host:1/a/b", false, "host", 1, "/a/b", false },
	{ "ws://host:65535", false, "host", 65535, "/", false },
	{ "ws://host:00080/", false, "host", 80, "/", false },
	{ "ws://a-b_c.d.example./", false, "a-b_c.d.example.", 80, "/", false },
	{ "ws://127.0.0.1:8080/ws/connect", false, "127.0.0.1", 8080,
	    "/ws/connect", true },
	{ "ws://[::1]", false, "::1", 80, "/", true },
	{ "wss://[fe80::1%eth0]:8443/a", true, "fe80::1%eth0", 8443, "/a",
	    false },
	{ "ws://[::ffff:1.2.3.4]:5/", false, "::ffff:1.2.3.4", 5, "/", false },
	/* queries: ours go, others stay as they are */
	{ "ws://h?a=1", false, "h", 80, "/?a=1", false },
	{ "ws://h/p?a=1&b=%20&c", false, "h", 80, "/p?a=1&b=%20&c", false },
	{ "ws://h/p?token=x", false, "h", 80, "/p", false },
	{ "ws://h/p?client_id=x", false, "h", 80, "/p", false },
	{ "ws://h/p?token=x&a=1&client_id=y&b=2", false, "h", 80, "/p?a=1&b=2",
	    false },
	{ "ws://h/p?a=1&token=x", false, "h", 80, "/p?a=1", false },
	{ "ws://h/p?token&client_id", false, "h", 80, "/p", false },
	{ "ws://h/p?tokens=1&xtoken=2&client_id2=3", false, "h", 80,
	    "/p?tokens=1&xtoken=2&client_id2=3", false },
	{ "ws://h/p?token=a&token=b", false, "h", 80, "/p", false },
	{ "ws://h/p?", false, "h", 80, "/p", false },
	{ "ws://h/p?&&a&&", false, "h", 80, "/p?a", false },
	{ "ws://h/p?a=?b=c", false, "h", 80, "/p?a=?b=c", false },
	/* fragments never travel */
	{ "ws://h#token=x", false, "h", 80, "/", false },
	{ "ws://h/p#?a=1", false, "h", 80, "/p", false },
	{ "ws://h/p?a=1#b&c=2", false, "h", 80, "/p?a=1", false },
	{ "ws://h/a@b:c//d", false, "h", 80, "/a@b:c//d", false },
};

static const struct bad bad[] = {
	{ "", NO_SCHEME },
	{ "ws:/", NO_SCHEME },
	{ "ws:/host", NO_SCHEME },
	{ "http://host", NO_SCHEME },
	{ "https://host", NO_SCHEME },
	{ "host", NO_SCHEME },
	{ "//host", NO_SCHEME },
	{ "xws://host", NO_SCHEME },
	{ "ws://", NO_HOST },
	{ "ws:///path", NO_HOST },
	{ "ws://?a", NO_HOST },
	{ "ws://:80", NO_HOST },
	{ "ws://ho*st", NO_HOST },
	{ "ws://ho\\st", NO_HOST },
	{ "ws://ho%41st", NO_HOST },
	{ "ws://[]", NO_HOST },
	{ "ws://[::1", "bracket without its partner" },
	{ "ws://[host-name]", NO_HOST },
	{ "ws://[::1]x", "text after the host name" },
	{ "ws://[::1]80", "text after the host name" },
	{ "ws://::1", NO_HOST },
	{ "ws://a:b:1", "port is not a number" },
	{ "ws://host:", BAD_PORT },
	{ "ws://host:0", BAD_PORT },
	{ "ws://host:65536", BAD_PORT },
	{ "ws://host:000080", BAD_PORT },
	{ "ws://host:99999999999999999999", BAD_PORT },
	{ "ws://host:-1", "port is not a number" },
	{ "ws://host:+1", "port is not a number" },
	{ "ws://host:8o", "port is not a number" },
	{ "ws://user@host", NO_USER },
	{ "ws://user:pw@host:1/", NO_USER },
	{ "ws://host/a b", NO_BLANKS },
	{ " ws://host", NO_BLANKS },
	{ "ws://host\n", NO_BLANKS },
	{ "ws://host/\r\nX: y", NO_BLANKS },
	{ "ws://host/\t", NO_BLANKS },
	{ "ws://host/\x7f", NO_BLANKS },
	{ "ws://h\xc3\xb6st/", NO_BLANKS },
};

/* Of the other protocol the scheme and the ports are all that differs. */
static const struct good good_http[] = {
	{ "http://host", false, "host", 80, "/", false },
	{ "HTTPS://api.example/v3", true, "api.example", 443, "/v3", false },
	{ "https://[::1]:8443/", true, "::1", 8443, "/", true },
	{ "http://127.0.0.1", false, "127.0.0.1", 80, "/", true },
	{ "http://127.255.0.9", false, "127.255.0.9", 80, "/", true },
	{ "http://126.0.0.1", false, "126.0.0.1", 80, "/", false },
	{ "http://LocalHost:1", false, "LocalHost", 1, "/", true },
	{ "http://localhost.example", false, "localhost.example", 80, "/",
	    false },
	{ "http://127.0.0.1.nip.example", false, "127.0.0.1.nip.example", 80,
	    "/", false },
	{ "http://[::ffff:127.0.0.1]", false, "::ffff:127.0.0.1", 80, "/",
	    false },
	{ "http://127.1", false, "127.1", 80, "/", false },
};

static const struct bad bad_http[] = {
	{ "ws://h", "not an http:// or https:// URL" },
	{ "https:/h", "not an http:// or https:// URL" },
	{ "https://", NO_HOST },
	{ "https://u@h", NO_USER },
	{ "https://h\r\n", NO_BLANKS },
	{ "https://h:0", BAD_PORT },
};

static void
assert_good(const struct good *rows, size_t n,
    const char *(*parse)(const char *, struct url *))
{
	const struct good *row;
	const char *why;
	struct url url;

	for (row = rows; row < rows + n; row++) {
		why = parse(row->text, &url);
		if (why != NULL)
			fail_msg("%s: %s", row->text, why);
		assert_int_equal(url.tls, row->tls);
		assert_string_equal(url.host, row->host);
		assert_int_equal(url.port, row->port);
		assert_string_equal(url.target, row->target);
		assert_int_equal(url_is_local(&url), row->local);
		url_free(&url);
		assert_null(url.host);
	}
}

static void
assert_bad(const struct bad *rows, size_t n,
    const char *(*parse)(const char *, struct url *))
{
	const struct bad *row;
	const char *why;
	struct url url;

	for (row = rows; row < rows + n; row++) {
		why = parse(row->text, &url);
		if (why == NULL)
			fail_msg("%s: accepted", row->text);
		assert_string_equal(why, row->why);
	}
}

static void
test_table(void **state)
{
	(void)state;
	assert_good(good, COUNT(good), url_parse);
	assert_bad(bad, COUNT(bad), url_parse);
}

static void
test_http(void **state)
{
	(void)state;
	assert_good(good_http, COUNT(good_http), url_parse_http);
	assert_bad(bad_http, COUNT(bad_http), url_parse_http);
}

/* Neither prefixes nor single bytes do harm, in memory of their exact size. */
static void
parse_prefixes(const char *text)
{
	struct url url;
	size_t n;
	char *s;

	for (n = 0; n <= strlen(text); n++) {
		s = strndup(text, n);
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
test_prefixes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		parse_prefixes(good[i].text);
	for (i = 0; i < COUNT(bad); i++)
		parse_prefixes(bad[i].text);
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
