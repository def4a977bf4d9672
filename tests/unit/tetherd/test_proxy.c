#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/proxy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define ONLY_HTTP "only http:// proxies can be used"
#define NO_HOST	  "no valid host name in it"
#define BAD_CODE  "bad percent-encoding in user or password"

static const struct {
	const char *text, *host;
	uint32_t port;
	const char *auth, *why;
} proxies[] = {
	{ "proxy", "proxy", 80, "", NULL },
	{ "proxy:3128", "proxy", 3128, "", NULL },
	{ "http://proxy", "proxy", 80, "", NULL },
	{ "HTTP://Proxy:8080/", "Proxy", 8080, "", NULL },
	{ "http://proxy:8080/path?query", "proxy", 8080, "", NULL },
	{ "http://[::1]:3128", "::1", 3128, "", NULL },
	{ "user:pw@proxy", "proxy", 80, "user:pw", NULL },
	{ "http://user:pw@proxy:1", "proxy", 1, "user:pw", NULL },
	{ "http://user@proxy", "proxy", 80, "user", NULL },
	{ "http://a%40b:p%3a%2F%25@proxy", "proxy", 80, "a@b:p:/%", NULL },
	{ "http://a@b:c@proxy", "proxy", 80, "a@b:c", NULL },
	{ "http://@proxy", "proxy", 80, "", NULL },
	{ .text = "", .why = NO_HOST },
	{ .text = "http://", .why = NO_HOST },
	{ .text = "http://user@", .why = NO_HOST },
	{ .text = "https://proxy", .why = ONLY_HTTP },
	{ .text = "socks5://proxy:1080", .why = ONLY_HTTP },
	{ .text = "://proxy", .why = ONLY_HTTP },
	{ .text = "proxy:0", .why = "port out of range" },
	{ .text = "proxy:http", .why = "port is not a number" },
	{ .text = "pro xy", .why = NO_HOST },
	{ .text = "proxy\r\nX: y", .why = NO_HOST },
	{ .text = "http://%@proxy", .why = BAD_CODE },
	{ .text = "http://%4@proxy", .why = BAD_CODE },
	{ .text = "http://%4x@proxy", .why = BAD_CODE },
	{ .text = "http://a%00b@proxy", .why = BAD_CODE },
};

static void
test_parse(void **state)
{
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(proxies); i++) {
		struct dialer_conf dialer = { .proxy_host = strdup(""),
			.proxy_auth = strdup("") };

		why = proxy_parse(proxies[i].text, &dialer);
		if ((why == NULL) != (proxies[i].why == NULL))
			fail_msg("%s: %s", proxies[i].text,
			    why == NULL ? "accepted" : why);
		if (why == NULL) {
			assert_string_equal(dialer.proxy_host, proxies[i].host);
			assert_int_equal(dialer.proxy_port, proxies[i].port);
			assert_string_equal(dialer.proxy_auth, proxies[i].auth);
		} else {
			assert_string_equal(why, proxies[i].why);
			assert_string_equal(dialer.proxy_host, "");
		}
		free(dialer.proxy_host);
		free(dialer.proxy_auth);
	}
}

static const struct {
	const char *list, *host;
	uint32_t port;
	bool bypassed;
} lists[] = {
	{ "", "a.example", 443, false },
	{ "*", "a.example", 443, true },
	{ "a.example", "a.example", 443, true },
	{ "A.EXAMPLE", "a.example", 443, true },
	{ "a.example", "A.Example", 443, true },
	/* and the domains below, but not what merely ends alike */
	{ "example", "a.example", 443, true },
	{ ".example", "a.b.example", 443, true },
	{ ".a.example", "a.example", 443, true },
	{ "example", "notexample", 443, false },
	{ ".example", "notexample", 443, false },
	{ "a.example", "example", 443, false },
	{ "a.example", "b.example", 443, false },
	{ "example", "example.com", 443, false },
	/* ports */
	{ "a.example:443", "a.example", 443, true },
	{ "a.example:8443", "a.example", 443, false },
	{ "example:443", "a.example", 443, true },
	{ "a.example:", "a.example", 443, false },
	{ "a.example:x", "a.example", 443, false },
	/* lists */
	{ "x,y,a.example", "a.example", 443, true },
	{ " x , a.example ", "a.example", 443, true },
	{ "x a.example\ty", "a.example", 443, true },
	{ ",,, ,a.example,,", "a.example", 443, true },
	{ "x,y", "a.example", 443, false },
	{ ", ,", "a.example", 443, false },
	{ ".", "a.example", 443, false },
	{ "x,*", "a.example", 443, true },
	{ "**", "a.example", 443, false },
	/* addresses */
	{ "127.0.0.1", "127.0.0.1", 80, true },
	{ "0.0.1", "127.0.0.1", 80, true }, /* no notion of addresses */
	{ "::1", "::1", 80, true },
	{ "[::1]", "::1", 80, true },
	{ "[::1]:80", "::1", 80, true },
	{ "[::1]:81", "::1", 80, false },
	{ "::1", "fe80::1", 80, false },
	{ "[::1", "::1", 80, false },
};

static void
test_bypassed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lists); i++)
		if (proxy_is_bypassed(lists[i].list, lists[i].host,
			lists[i].port) != lists[i].bypassed)
			fail_msg("\"%s\", %s:%u", lists[i].list, lists[i].host,
			    lists[i].port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_bypassed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
