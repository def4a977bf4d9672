#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/dotenv.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define NO_FORM	   "not of the form NAME=VALUE"
#define NO_PARTNER "quote without its partner"
#define REST	   "text after the closing quote"
#define REFUSED	   "refused"

/* A text, what was found as "[NAME=VALUE]…", and the error and its line. */
static const struct {
	const char *text, *found, *why;
	unsigned line;
} table[] = {
	{ "", "", NULL, 0 },
	{ "\n\n", "", NULL, 0 },
	{ "A=1", "[A=1]", NULL, 0 },
	{ "A=1\n", "[A=1]", NULL, 0 },
	{ "A=1\nB=2\nA=3", "[A=1][B=2][A=3]", NULL, 0 },
	{ "A=", "[A=]", NULL, 0 },
	{ "A=\nB=", "[A=][B=]", NULL, 0 },
	{ "A= \t", "[A=]", NULL, 0 },
	{ " \tA \t= \t1 2\t ", "[A=1 2]", NULL, 0 },
	{ "A==b=c", "[A==b=c]", NULL, 0 },
	{ "A-b.C=1", "[A-b.C=1]", NULL, 0 },
	/* as other systems end lines */
	{ "A=1\r\nB='2'\r\n\r\nC=\r\nD", "[A=1][B=2][C=]", NO_FORM, 5 },
	{ "A=\"1\"\r\n", "[A=1]", NULL, 0 },
	/* comments */
	{ "# A=1\n  # B\n#", "", NULL, 0 },
	{ "A=1 # one", "[A=1]", NULL, 0 },
	{ "A=1\t#one", "[A=1]", NULL, 0 },
	{ "A=1#one", "[A=1#one]", NULL, 0 },
	{ "A=#one", "[A=]", NULL, 0 },
	{ "A= # one", "[A=]", NULL, 0 },
	{ "A='1' # one\nB=\"2\"#two", "[A=1][B=2]", NULL, 0 },
	{ "A='1 # one'", "[A=1 # one]", NULL, 0 },
	/* export */
	{ "export A=1", "[A=1]", NULL, 0 },
	{ "export\t A=1", "[A=1]", NULL, 0 },
	{ "export=1", "[export=1]", NULL, 0 },
	{ "exported=1", "[exported=1]", NULL, 0 },
	{ "export A", "", NO_FORM, 1 },
	{ "export =1", "", NO_FORM, 1 },
	{ "export", "", NO_FORM, 1 },
	/* quotes */
	{ "A=''", "[A=]", NULL, 0 },
	{ "A=\"\"", "[A=]", NULL, 0 },
	{ "A=' 1 '", "[A= 1 ]", NULL, 0 },
	{ "A=\" 1 \"", "[A= 1 ]", NULL, 0 },
	{ "A=` 1 `", "[A= 1 ]", NULL, 0 },
	{ "A='\"`'", "[A=\"`]", NULL, 0 },
	{ "A=\"'`\"", "[A='`]", NULL, 0 },
	{ "A=\"a\\nb\\\"c\\\\d\\x\"", "[A=a\nb\"c\\dx]", NULL, 0 },
	{ "A='a\\nb\\'", "[A=a\\nb\\]", NULL, 0 },
	{ "A=`a\\n`", "[A=a\\n]", NULL, 0 },
	{ "A=a'b'c", "[A=a'b'c]", NULL, 0 },
	{ "A='", "", NO_PARTNER, 1 },
	{ "A='1\nB='2'", "", NO_PARTNER, 1 },
	{ "A=\"1\\\"", "", NO_PARTNER, 1 },
	{ "A=\"1\\", "", NO_PARTNER, 1 },
	{ "A=1\n\nB=\"1'", "[A=1]", NO_PARTNER, 3 },
	{ "A='1'2", "", REST, 1 },
	{ "A=1\nB='1' 2", "[A=1]", REST, 2 },
	/* other bytes are just that */
	{ "A=\xc3\xa9\x01", "[A=\xc3\xa9\x01]", NULL, 0 },
	/* no setting */
	{ "A", "", NO_FORM, 1 },
	{ "=1", "", NO_FORM, 1 },
	{ " = 1", "", NO_FORM, 1 },
	{ "A B=1", "", NO_FORM, 1 },
	{ "A=1\nB=2\n\n# x\n\nC", "[A=1][B=2]", NO_FORM, 6 },
	/* the callee says no */
	{ "A=1\nBAD=2\nC=3", "[A=1]", REFUSED, 2 },
};

static const char *
on_found(void *arg, const char *name, const char *value)
{
	char *found = arg;

	if (strcmp(name, "BAD") == 0)
		return REFUSED;
	(void)strlcat(found, "[", 256);
	(void)strlcat(found, name, 256);
	(void)strlcat(found, "=", 256);
	(void)strlcat(found, value, 256);
	(void)strlcat(found, "]", 256);
	return NULL;
}

static void
test_table(void **state)
{
	char found[256], *text;
	const char *why;
	unsigned line;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		found[0] = '\0';
		text = strdup(table[i].text);
		assert_non_null(text);
		why = dotenv_parse(text, on_found, found, &line);
		assert_string_equal(found, table[i].found);
		if ((why == NULL) != (table[i].why == NULL))
			fail_msg("%s: %s", table[i].text,
			    why == NULL ? "accepted" : why);
		if (why != NULL) {
			assert_string_equal(why, table[i].why);
			assert_int_equal(line, table[i].line);
		}
		free(text);
	}
}

/* Cut anywhere: no crash, in memory of the exact size. */
static void
test_prefixes(void **state)
{
	char found[256], *text;
	unsigned line;
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		for (n = 0; n <= strlen(table[i].text); n++) {
			found[0] = '\0';
			text = strndup(table[i].text, n);
			assert_non_null(text);
			(void)dotenv_parse(text, on_found, found, &line);
			assert_in_range(line, 1, 8);
			free(text);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
