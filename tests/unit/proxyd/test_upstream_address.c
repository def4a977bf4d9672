#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/slice.h"
#include "proxyd/upstream_address.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Paths of 107 bytes, which a socket can have, and of 108. */
#define TEN	 "/123456789"
#define HUNDRED	 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONGEST	 HUNDRED "/123456"
#define TOO_LONG HUNDRED "/1234567"

static const struct {
	const char *address;
	uint32_t port;
	const char *name, *base, *host; /* name is NULL if it is refused */
	const char *path;
} table[] = {
	{ "127.0.0.1", 3001, "http://127.0.0.1:3001", "http://127.0.0.1:3001",
	    "127.0.0.1", NULL },
	{ "127.0.0.1", 65535, "http://127.0.0.1:65535",
	    "http://127.0.0.1:65535", "127.0.0.1", NULL },
	{ "::1", 80, "http://[::1]:80", "http://[::1]:80", "::1", NULL },
	/* The same address, whatever its spelling. */
	{ "0:0::0:1", 80, "http://[::1]:80", "http://[::1]:80", "::1", NULL },
	{ "2001:DB8::A", 1, "http://[2001:db8::a]:1", "http://[2001:db8::a]:1",
	    "2001:db8::a", NULL },
	{ "unix:/run/app", 0, "unix:/run/app", "http://localhost", "localhost",
	    "/run/app" },
	{ "unix:/run/app", 3001, "unix:/run/app", "http://localhost",
	    "localhost", "/run/app" },
	{ "unix:" LONGEST, 0, "unix:" LONGEST, "http://localhost", "localhost",
	    LONGEST },
	{ "unix:" TOO_LONG, 0, NULL, NULL, NULL, NULL },
	{ "unix:", 0, NULL, NULL, NULL, NULL },
	{ "unix:app", 0, NULL, NULL, NULL, NULL },
	{ "unix:@app", 0, NULL, NULL, NULL, NULL },
	{ "127.0.0.1", 0, NULL, NULL, NULL, NULL },
	{ "127.0.0.1", 65536, NULL, NULL, NULL, NULL },
	{ "localhost", 80, NULL, NULL, NULL, NULL },
	{ "[::1]", 80, NULL, NULL, NULL, NULL },
	{ "::1%lo", 80, NULL, NULL, NULL, NULL },
	{ "", 80, NULL, NULL, NULL, NULL },
	{ "UNIX:/run/app", 80, NULL, NULL, NULL, NULL },
};

static void
test_all(void **state)
{
	struct upstream_address a;
	struct proxyd_conf conf = { 0 };
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		conf.upstream_host = strdup(table[i].address);
		conf.upstream_port = table[i].port;
		why = upstream_address_parse(&a, &conf);
		/* Nothing of the settings is needed any more. */
		memset(conf.upstream_host, 'x', strlen(conf.upstream_host));
		free(conf.upstream_host);
		if (table[i].name == NULL) {
			assert_non_null(why);
			continue;
		}
		assert_null(why);
		assert_string_equal(a.name, table[i].name);
		assert_string_equal(a.base, table[i].base);
		assert_string_equal(a.host, table[i].host);
		if (table[i].path == NULL) {
			assert_null(upstream_address_path(&a));
			assert_int_equal(a.port, table[i].port);
		} else {
			assert_string_equal(
			    upstream_address_path(&a), table[i].path);
			assert_int_equal(a.port, 80);
		}
	}
}

/* Below another root directory: all that is said is what it was. */
static void
test_set_path(void **state)
{
	struct proxyd_conf conf = { .upstream_host =
					(char[]){ "unix:/run/app/socket" } };
	struct upstream_address a;

	(void)state;
	assert_true(upstream_address_set_path("/real"));
	assert_null(upstream_address_parse(&a, &conf));
	assert_string_equal(upstream_address_path(&a), "/real");
	assert_string_equal(a.name, "unix:/run/app/socket");
	conf.upstream_host = (char[]){ "unix:real" };
	assert_non_null(upstream_address_parse(&a, &conf));
	conf.upstream_host = (char[]){ "unix:" TOO_LONG };
	assert_non_null(upstream_address_parse(&a, &conf));
	conf.upstream_host = (char[]){ "::1" };
	conf.upstream_port = 1;
	assert_null(upstream_address_parse(&a, &conf));
	assert_null(upstream_address_path(&a));
	assert_true(upstream_address_set_path(LONGEST));
	assert_false(upstream_address_set_path(TOO_LONG));
	assert_true(upstream_address_set_path(""));
	conf.upstream_host = (char[]){ "unix:/run/app/socket" };
	assert_null(upstream_address_parse(&a, &conf));
	assert_string_equal(upstream_address_path(&a), "/run/app/socket");
}

/* An address that was copied is one of its own. */
static void
test_copy(void **state)
{
	struct proxyd_conf conf = { .upstream_host = (char[]){ "unix:/a" } };
	struct upstream_address a, copy;

	(void)state;
	assert_null(upstream_address_parse(&a, &conf));
	copy = a;
	memset(&a, 0, sizeof(a));
	assert_string_equal(upstream_address_path(&copy), "/a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_set_path),
		cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
