#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tetherd/dotenv.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define NO_FORM	   "not of the form NAME=VALUE"
#define NO_PARTNER "quote without its partner"
#define REST	   "text after the closing quote"

/* A text, and what was found, as "[NAME=VALUE]" or "{LINE:what is wrong}". */
static const struct {
	const char *text, *found;
} table[] = {
	{ "", "" },
	{ "\n\n", "" },
	{ "A=1", "[A=1]" },
	{ "A=1\n", "[A=1]" },
	{ "A=1\nB=2\nA=3", "[A=1][B=2][A=3]" },
	{ "A=", "[A=]" },
	{ "A=\nB=", "[A=][B=]" },
	{ "A= \t", "[A=]" },
	{ " \tA \t= \t1 2\t ", "[A=1 2]" },
	{ "A==b=c", "[A==b=c]" },
	{ "A-b.C=1", "[A-b.C=1]" },
	/* as other systems end lines */
	{ "A=1\r\nB='2'\r\n\r\nC=\r\nD", "[A=1][B=2][C=]{5:" NO_FORM "}" },
	{ "A=\"1\"\r\n", "[A=1]" },
	/* comments */
	{ "# A=1\n  # B\n#", "" },
	{ "A=1 # one", "[A=1]" },
	{ "A=1\t#one", "[A=1]" },
	{ "A=1#one", "[A=1#one]" },
	{ "A=#one", "[A=]" },
	{ "A= # one", "[A=]" },
	{ "A='1' # one\nB=\"2\"#two", "[A=1][B=2]" },
	{ "A='1 # one'", "[A=1 # one]" },
	/* export */
	{ "export A=1", "[A=1]" },
	{ "export\t A=1", "[A=1]" },
	{ "export=1", "[export=1]" },
	{ "exported=1", "[exported=1]" },
	{ "export A", "{1:" NO_FORM "}" },
	{ "export =1", "{1:" NO_FORM "}" },
	{ "export", "{1:" NO_FORM "}" },
	/* quotes */
	{ "A=''", "[A=]" },
	{ "A=\"\"", "[A=]" },
	{ "A=' 1 '", "[A= 1 ]" },
	{ "A=\" 1 \"", "[A= 1 ]" },
	{ "A=` 1 `", "[A= 1 ]" },
	{ "A='\"`'", "[A=\"`]" },
	{ "A=\"'`\"", "[A='`]" },
	{ "A=\"a\\nb\\\"c\\\\d\\x\"", "[A=a\nb\"c\\dx]" },
	{ "A='a\\nb\\'", "[A=a\\nb\\]" },
	{ "A=`a\\n`", "[A=a\\n]" },
	{ "A=a'b'c", "[A=a'b'c]" },
	{ "A='", "{1:" NO_PARTNER "}" },
	{ "A='1\nB='2'", "{1:" NO_PARTNER "}[B=2]" },
	{ "A=\"1\\\"", "{1:" NO_PARTNER "}" },
	{ "A=\"1\\", "{1:" NO_PARTNER "}" },
	{ "A=1\n\nB=\"1'", "[A=1]{3:" NO_PARTNER "}" },
	{ "A='1'2", "{1:" REST "}" },
	{ "A=1\nB='1' 2", "[A=1]{2:" REST "}" },
	/* a mark at the very beginning, and nowhere else */
	{ "\xef\xbb\xbf"
	  "A=1\nB=2",
	    "[A=1][B=2]" },
	{ "\xef\xbb\xbf", "" },
	{ "A=1\n\xef\xbb\xbf"
	  "B=2",
	    "[A=1][\xef\xbb\xbf"
	    "B=2]" },
	/* other bytes are just that */
	{ "A=\xc3\xa9\x01", "[A=\xc3\xa9\x01]" },
	/* no setting */
	{ "A", "{1:" NO_FORM "}" },
	{ "=1", "{1:" NO_FORM "}" },
	{ " = 1", "{1:" NO_FORM "}" },
	{ "A B=1", "{1:" NO_FORM "}" },
	{ "A=1\nB=2\n\n# x\n\nC", "[A=1][B=2]{6:" NO_FORM "}" },
	/* all that is wrong is told */
	{ "A\nB=1\nC='\nD=2\n=\n",
	    "{1:" NO_FORM "}[B=1]{3:" NO_PARTNER "}[D=2]{5:" NO_FORM "}" },
};

#define FOUND_MAX 512

static void
on_found(void *arg, unsigned line, const char *name, const char *value)
{
	(void)line;
	(void)strlcat(arg, "[", FOUND_MAX);
	(void)strlcat(arg, name, FOUND_MAX);
	(void)strlcat(arg, "=", FOUND_MAX);
	(void)strlcat(arg, value, FOUND_MAX);
	(void)strlcat(arg, "]", FOUND_MAX);
}

static void
on_wrong(void *arg, unsigned line, const char *why)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "{%u:%s}", line, why);
	(void)strlcat(arg, text, FOUND_MAX);
}

static const struct dotenv_ops ops = { on_found, on_wrong };

static void
test_table(void **state)
{
	char found[FOUND_MAX], *text;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		found[0] = '\0';
		text = strdup(table[i].text);
		assert_non_null(text);
		dotenv_parse(text, &ops, found);
		assert_string_equal(found, table[i].found);
		free(text);
	}
}

/* The line of each setting that is good. */
static void
on_line(void *arg, unsigned line, const char *name, const char *value)
{
	unsigned *lines = arg;

	(void)value;
	lines[name[0] - 'A'] = line;
}

static void
test_lines(void **state)
{
	static const struct dotenv_ops line_ops = { on_line, on_wrong };
	char text[] = "A=1\n\n# x\nexport B=2\r\nC='3'\n\nD=4";
	unsigned lines[4] = { 0 };

	(void)state;
	dotenv_parse(text, &line_ops, lines);
	assert_int_equal(lines[0], 1);
	assert_int_equal(lines[1], 4);
	assert_int_equal(lines[2], 5);
	assert_int_equal(lines[3], 7);
}

/* Cut anywhere: no crash, in memory of the exact size. */
static void
test_prefixes(void **state)
{
	char found[FOUND_MAX], *text;
	size_t i, n;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		for (n = 0; n <= strlen(table[i].text); n++) {
			found[0] = '\0';
			text = strndup(table[i].text, n);
			assert_non_null(text);
			dotenv_parse(text, &ops, found);
			free(text);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
