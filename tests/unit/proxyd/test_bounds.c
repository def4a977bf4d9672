#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/slice.h"
#include "proxyd/bounds.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NOTHING = 0, SANDBOX = 1, DROP = 2, BOTH = 3, NMODES = 4 };

struct place {
	const char *host;
	uint32_t port;
};

#define MODES(nothing, sandbox, drop, both)  \
	{                                    \
		nothing, sandbox, drop, both \
	}

/* Whether another process is needed: by what this one gave up. */
static const struct {
	struct place now, next;
	bool excluded[NMODES];
} table[] = {
	{ { "127.0.0.1", 1 }, { "127.0.0.1", 1 }, MODES(0, 0, 0, 0) },
	{ { "127.0.0.1", 1 }, { "127.0.0.1", 2 }, MODES(0, 1, 0, 1) },
	{ { "127.0.0.1", 1 }, { "127.0.0.2", 1 }, MODES(0, 0, 0, 0) },
	{ { "127.0.0.1", 1 }, { "::1", 1 }, MODES(0, 0, 0, 0) },
	{ { "127.0.0.1", 1 }, { "::1", 2 }, MODES(0, 1, 0, 1) },
	{ { "127.0.0.1", 1 }, { "unix:/a/b", 1 }, MODES(0, 1, 1, 1) },
	{ { "unix:/a/b", 1 }, { "127.0.0.1", 1 }, MODES(0, 1, 1, 1) },
	{ { "unix:/a/b", 1 }, { "unix:/a/b", 2 }, MODES(0, 0, 0, 0) },
	{ { "unix:/a/b", 1 }, { "unix:/a/c", 1 }, MODES(0, 0, 1, 1) },
	{ { "unix:/a/b", 1 }, { "unix:/c/b", 1 }, MODES(0, 0, 1, 1) },
};

static struct proxyd_conf
make(const struct place *place, unsigned mode, uint32_t uid)
{
	return (struct proxyd_conf){
		.upstream_host = (char *)(uintptr_t)place->host,
		.upstream_port = place->port,
		.confinement = { .sandbox = (mode & SANDBOX) != 0,
		    .drop = (mode & DROP) != 0,
		    .uid = uid,
		    .gid = uid },
	};
}

static void
test_places(void **state)
{
	struct proxyd_conf now, next;
	unsigned mode;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		for (mode = 0; mode < NMODES; mode++) {
			now = make(&table[i].now, mode, 7);
			next = make(&table[i].next, mode, 7);
			if (bounds_exclude(&now, &next) !=
			    table[i].excluded[mode])
				fail_msg("%zu, %u", i, mode);
		}
}

/* The place is the same, but who may go there is not. */
static void
test_confinement(void **state)
{
	static const struct place place = { "unix:/a/b", 1 };
	struct proxyd_conf now = make(&place, BOTH, 7), next;

	(void)state;
	next = make(&place, BOTH, 8);
	assert_true(bounds_exclude(&now, &next));
	next = make(&place, DROP, 7);
	assert_true(bounds_exclude(&now, &next));
	next = make(&place, SANDBOX, 7);
	assert_true(bounds_exclude(&now, &next));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_confinement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
