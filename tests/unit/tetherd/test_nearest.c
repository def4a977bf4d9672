#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/nearest.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10

static const char *const list[] = { "orchestrator", "upstream", "log", "to",
	"url", "heartbeat interval", "port", "part", X60 "abc", X60 "abcd",
	NULL };

/* A word, and what is nearest to it. */
static const struct {
	const char *word, *nearest;
} table[] = {
	{ "orchestrator", "orchestrator" },
	{ "orchestrater", "orchestrator" },
	{ "orchestraotr", "orchestrator" }, /* swapped */
	{ "orhestrator", "orchestrator" },
	{ "oorchestrator", "orchestrator" },
	{ "ORCHESTRATOR", "orchestrator" },
	/* four of twelve letters, and one more */
	{ "orchestrxxxx", "orchestrator" },
	{ "orchestxxxxx", NULL },
	{ "orchestr", "orchestrator" },
	{ "orchest", NULL },
	{ "orchestrator1234", "orchestrator" },
	{ "orchestrator12345", NULL },
	/* pairs that are swapped count once each */
	{ "rohcsertator", "orchestrator" },
	{ "rohcsertaotr", NULL },
	{ "ur1", "url" },
	{ "ulr", "url" },
	{ "rul", "url" },
	{ "ur", "url" },
	{ "u", NULL },
	{ "lru", NULL },
	{ "heartbeet intreval", "heartbeat interval" },
	/* the third of two letters is none */
	{ "to", "to" },
	{ "ot", NULL },
	/* equally near: the first; nearer: that one */
	{ "pert", "port" },
	{ "pat", "part" },
	{ "", NULL },
	{ "\xff\xfe", NULL },
	/* as long as can be, and longer */
	{ X60 "abx", X60 "abc" },
	{ X60 "abcd", NULL },
};

static void
test_table(void **state)
{
	const char *found;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		found = nearest(table[i].word, list);
		if (found == NULL ? table[i].nearest != NULL
				  : table[i].nearest == NULL ||
					strcmp(found, table[i].nearest) != 0)
			fail_msg("%s: %s", table[i].word,
			    found == NULL ? "none" : found);
	}
}

static void
test_empty_list(void **state)
{
	static const char *const none[] = { NULL };

	(void)state;
	assert_null(nearest("url", none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
