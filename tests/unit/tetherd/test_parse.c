#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tetherd/conf_files.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define T(line) "t.conf:" #line ": "

#define NEAR(line, what)  T(line) "syntax error near \"" what "\""
#define NEAR_EOL(line)	  T(line) "syntax error near the end of the line"
#define NEAR_EOF(line)	  T(line) "syntax error near the end of the file"
#define NEAR_STRING(line) T(line) "syntax error near a quoted string"

/* A text, what is found in it, and what is wrong with it. */
static const struct {
	const char *text, *found, *said;
} table[] = {
	/* nothing */
	{ "", "", "" },
	{ "\n \n\t\n\r\n", "", "" },
	{ "# x", "", "" },
	{ "#", "", "" },
	{ "\\\n", "", "" },
	{ "\\\n\\\n\n", "", "" },
	/* words */
	{ "sandbox full\n", "1 : sandbox full\n", "" },
	{ "sandbox full", "1 : sandbox full\n", "" },
	{ "sandbox\n", "1 : sandbox\n", "" },
	{ "\n\n control \t socket /a-b_c.d:e@f*g+h~i%j9Z\n",
	    "3 : control socket /a-b_c.d:e@f*g+h~i%j9Z\n", "" },
	{ "a 30s 127.0.0.1 acme/staff -1",
	    "1 : a 30s 127.0.0.1 acme/staff -1\n", "" },
	{ "a b\nc d\n\ne f", "1 : a b\n2 : c d\n4 : e f\n", "" },
	/* strings */
	{ "a \"b\"", "1 : a \"b\"\n", "" },
	{ "a \"\" \" b\t\"", "1 : a \"\" \" b\t\"\n", "" },
	{ "a \"\\\"\\\\\"", "1 : a \"\"\\\"\n", "" },
	{ "a \"{}=,#$x'\"", "1 : a \"{}=,#$x'\"\n", "" },
	{ "a \"\xc3\xa9\"", "1 : a \"\xc3\xa9\"\n", "" },
	{ "a \"include\" \"upstream\"", "1 : a \"include\" \"upstream\"\n",
	    "" },
	/* lines: continued, ended as elsewhere, commented */
	{ "a \\\n b \\\r\n\tc\nd", "1 : a b@2 c@3\n4 : d\n", "" },
	{ "a\\\nb", "1 : a b@2\n", "" },
	{ "a b\r\nupstream {\r\nc\r\n}\r\n", "1 : a b\n3 upstream: c\n", "" },
	{ "a # b \\\nc", "1 : a\n2 : c\n", "" },
	{ "a#b\n#c\n  # d\ne \"f\"# g", "1 : a\n4 : e \"f\"\n", "" },
	{ "upstream { # a\n# b\nc # d }\n# e\n} # f\n", "3 upstream: c\n", "" },
	{ "upstream{#a\nc{#b\nd,#e\nf#g\n}#h\n}#i",
	    "2 upstream: c { d@3 f@4 }\n", "" },
	{ "a \\\n# b\nc", "1 : a\n3 : c\n", "" },
	/* blocks */
	{ "upstream { }", "", "" },
	{ "upstream {\n}\npolicy {\n\n}\n", "", "" },
	{ "upstream { port 3001 }", "1 upstream: port 3001\n", "" },
	{ "upstream{port 3001}", "1 upstream: port 3001\n", "" },
	{ "upstream { port 3001\n}", "1 upstream: port 3001\n", "" },
	{ "upstream {\nport 3001 }\n", "2 upstream: port 3001\n", "" },
	{ "upstream {\n port 3001\n\n url \"x\"\n}\na\n",
	    "2 upstream: port 3001\n4 upstream: url \"x\"\n6 : a\n", "" },
	{ "upstream {\n upstream\n policy x\n}",
	    "2 upstream: upstream\n3 upstream: policy x\n", "" },
	{ "upstream \\\n{ a }", "2 upstream: a\n", "" },
	/* lists */
	{ "policy { users { alice, bob } }", "1 policy: users { alice bob }\n",
	    "" },
	{ "policy {\n users {alice bob}\n}", "2 policy: users { alice bob }\n",
	    "" },
	{ "policy {\n no proxy {\n\n a,\n \"b\" c\n ,\n d\n, e,\n}\n f\n}",
	    "2 policy: no proxy { a@4 \"b\"@5 c@5 d@7 e@8 }\n10 policy: f\n",
	    "" },
	{ "policy { users { a, } }", "1 policy: users { a }\n", "" },
	{ "policy { users { } }", "1 policy: users { }\n", "" },
	{ "policy { users {\n\n}\n}", "1 policy: users { }\n", "" },
	{ "policy { users a b {c} }", "1 policy: users a b { c }\n", "" },
	{ "x = y\npolicy { users { $x, z $x } }", "2 policy: users { y z y }\n",
	    "" },
	/* macros */
	{ "x = y\na $x", "2 : a y\n", "" },
	{ "x=y\na $x $x", "2 : a y y\n", "" },
	{ "x = \"y z\"\na b $x", "2 : a b \"y z\"\n", "" },
	{ "x = \"\"\na $x", "2 : a \"\"\n", "" },
	{ "x = \"$y\"\na $x \"$x\"", "2 : a \"$y\" \"$x\"\n", "" },
	{ "x = y\nz = $x\nx = 1\na $x $z", "4 : a 1 y\n", "" },
	{ "_1 = y\n1 = z\na $_1 $1", "3 : a y z\n", "" },
	{ "include = a\nupstream = b\nx $include $upstream", "3 : x a b\n",
	    "" },
	{ "x = \\\n y # z\n a $x", "3 : a y\n", "" },
	{ "upstream = x\nupstream { a $upstream }", "2 upstream: a x\n", "" },
	/* macros: wrong */
	{ "a $x\nb", "2 : b\n", T(1) "macro \"x\" is not defined" },
	{ "a $x $y\nb $y", "",
	    T(1) "macro \"x\" is not defined\n" T(
		1) "macro \"y\" is not defined\n" T(2) "macro \"y\" is not "
						       "defined" },
	{ "a $x\nx = 1\na $x", "3 : a 1\n", T(1) "macro \"x\" is not defined" },
	{ "policy { users { a,\n$x } }", "",
	    T(2) "macro \"x\" is not defined" },
	/* what is wrong with a macro is said once */
	{ "x = $y\na $x\nb", "3 : b\n", T(1) "macro \"y\" is not defined" },
	{ "x = a b\ny $x\nb", "3 : b\n", NEAR(1, "b") },
	{ "x =\na $x\nb", "3 : b\n", NEAR_EOL(1) },
	{ "x-y = 1\nz", "2 : z\n",
	    T(1) "\"x-y\": the name of a macro has letters, digits and '_'" },
	{ "upstream { x = 1\na }\nb", "2 upstream: a\n3 : b\n", NEAR(1, "=") },
	{ "a $\nb", "2 : b\n", NEAR(1, "$") },
	{ "a $-\nb", "2 : b\n", NEAR(1, "$") },
	{ "a x$y\nb", "2 : b\n", NEAR(1, "$") },
	{ "y = 1\na $y$y\nb", "3 : b\n", NEAR(2, "$") },
	{ "y = 1\na $y.z\nb", "3 : b\n", NEAR(2, ".") },
	{ "y = 1\na $y\"z\"\nb", "3 : b\n", NEAR_STRING(2) },
	{ "y = 1\n$y 2\nb", "3 : b\n", NEAR(2, "$y") },
	{ "y = 1\n$y = 2\nb $y", "3 : b 1\n", NEAR(2, "$y") },
	{ "y = upstream\n$y { a }\nb", "3 : b\n", NEAR(2, "$y") },
	/* syntax errors: one for a line, which is not found */
	{ "a = b = c\nd", "2 : d\n", NEAR(1, "=") },
	{ "a b = c\nd", "2 : d\n", NEAR(1, "=") },
	{ "= = = =\nd", "2 : d\n", NEAR(1, "=") },
	{ "a, b, c\nd", "2 : d\n", NEAR(1, ",") },
	{ "a b,\nd", "2 : d\n", NEAR(1, ",") },
	{ "\"a\" b\nd", "2 : d\n", NEAR_STRING(1) },
	{ "\"upstream\" { }\nd", "2 : d\n", NEAR_STRING(1) },
	{ "a 'secret'\nd", "2 : d\n", NEAR(1, "'") },
	{ "a 'sec{ret' x\nd", "2 : d\n", NEAR(1, "'") },
	{ "a b;c {\nd }\ne", "3 : e\n", NEAR(1, ";") },
	{ "a b!{\nd }\ne", "3 : e\n", NEAR(1, "!") },
	{ "upstream { a! }\ne", "2 : e\n", NEAR(1, "!") },
	{ "upstream {\na!}", "", NEAR(2, "!") },
	{ "upstream {\na!}\ne", "3 : e\n", NEAR(2, "!") },
	{ "a \xc3\xa9\nd", "2 : d\n", NEAR(1, "?") },
	{ "a \\b\nd", "2 : d\n", NEAR(1, "\\") },
	{ "a \\", "", NEAR(1, "\\") },
	{ "! ! !\n? ?\nd", "3 : d\n", NEAR(1, "!") "\n" NEAR(2, "?") },
	{ "a = \nb =# c\nd", "3 : d\n", NEAR_EOL(1) "\n" NEAR_EOL(2) },
	{ "a =", "", NEAR_EOL(1) },
	{ "a =\n=\nd", "3 : d\n", NEAR_EOL(1) "\n" NEAR(2, "=") },
	{ "a b \\\n = b\nc\n=", "3 : c\n", NEAR(2, "=") "\n" NEAR(4, "=") },
	{ "x = 1 \\\n2\nd", "3 : d\n", NEAR(2, "2") },
	/* strings */
	{ "a \"b\nc \"d\"", "2 : c \"d\"\n", NEAR_EOL(1) },
	{ "a \"b", "", NEAR_EOL(1) },
	{ "a \"", "", NEAR_EOL(1) },
	{ "a \"b\\", "", NEAR_EOL(1) },
	{ "a \"b\\\"\r\nc", "2 : c\n", NEAR_EOL(1) },
	{ "a \"b{\nc", "2 : c\n", NEAR_EOL(1) },
	{ "a \"b\\n{\" {\n}\nc", "3 : c\n", NEAR(1, "\\") },
	{ "a \"b\\\nc", "2 : c\n", NEAR(1, "\\") },
	{ "a \"b\"c\nd", "2 : d\n", NEAR_STRING(1) },
	{ "a b\"c\"\nd", "2 : d\n", NEAR_STRING(1) },
	{ "a \"b\"\"{ c\"\nd", "2 : d\n", NEAR_STRING(1) },
	{ "a \"b\"$c\nd", "2 : d\n", NEAR_STRING(1) },
	{ "a = \"b\" \"c\"\nd", "2 : d\n", NEAR_STRING(1) },
	/* braces */
	{ "}\na", "2 : a\n", NEAR(1, "}") },
	{ "} } }\na\n}\n", "2 : a\n", NEAR(1, "}") "\n" NEAR(3, "}") },
	{ "{ a\nb }\nc", "3 : c\n", NEAR(1, "{") },
	{ "{\n{\n}\nb }\nc", "5 : c\n", NEAR(1, "{") },
	{ "a }\nb", "2 : b\n", NEAR(1, "}") },
	{ "upstream }\nb", "2 : b\n", NEAR(1, "}") },
	{ "a b { c }\nd", "2 : d\n", NEAR(1, "{") },
	{ "upstream x {\n a\n b { c }\n}\nd", "5 : d\n", NEAR(1, "{") },
	{ "upstream\n{\na\n}\nb", "1 : upstream\n5 : b\n", NEAR(2, "{") },
	{ "upstream { a } b\nc", "1 upstream: a\n2 : c\n", NEAR(1, "b") },
	{ "upstream { a } policy {\nb\n}\nc", "1 upstream: a\n4 : c\n",
	    NEAR(1, "policy") },
	{ "upstream { a }}\nc", "1 upstream: a\n2 : c\n", NEAR(1, "}") },
	{ "upstream { a\n= }\nb", "1 upstream: a\n3 : b\n", NEAR(2, "=") },
	{ "upstream { = }\nb", "2 : b\n", NEAR(1, "=") },
	{ "upstream { a = 1\nb\n, }\nc", "2 upstream: b\n4 : c\n",
	    NEAR(1, "=") "\n" NEAR(3, ",") },
	{ "upstream {\n! \"x\n a\n}\nb", "3 upstream: a\n5 : b\n",
	    NEAR(2, "!") },
	{ "upstream {\n \"x\" y\n a\n}", "3 upstream: a\n", NEAR_STRING(2) },
	{ "upstream {\n { x }\n a\n}", "3 upstream: a\n", NEAR(2, "{") },
	{ "upstream {\n a\n", "2 upstream: a\n", NEAR_EOF(2) },
	{ "upstream {\n a", "2 upstream: a\n", NEAR_EOF(2) },
	{ "upstream {\n\n", "", NEAR_EOF(2) },
	{ "upstream {", "", NEAR_EOF(1) },
	{ "upstream { a \\\n\n\n", "1 upstream: a\n", NEAR_EOF(3) },
	{ "upstream {\n !\n", "", NEAR(2, "!") "\n" NEAR_EOF(2) },
	/* lists */
	{ "policy {\n users { a\n", "", NEAR_EOF(2) },
	{ "policy {\n users {", "", NEAR_EOF(2) },
	{ "policy {\n users { , a }\n b\n}", "3 policy: b\n", NEAR(2, ",") },
	{ "policy {\n users { a,, b }\n c\n}", "3 policy: c\n", NEAR(2, ",") },
	{ "policy {\n users { a\n,\n,\n b }\n c\n}", "6 policy: c\n",
	    NEAR(4, ",") },
	{ "policy {\n users { a = b }\n c\n}", "3 policy: c\n", NEAR(2, "=") },
	{ "policy {\n users { a {\n b }\n c }\n d\n}", "5 policy: d\n",
	    NEAR(2, "{") },
	{ "policy {\n users { a } b\n c\n}", "3 policy: c\n", NEAR(2, "b") },
	{ "policy {\n users { a } { b }\n c\n}", "3 policy: c\n",
	    NEAR(2, "{") },
	{ "policy {\n users { a; b\n c }\n d\n}", "4 policy: d\n",
	    NEAR(2, ";") },
	{ "policy {\n users { !", "", NEAR(2, "!") },
	/* blocks that do not exist: nothing else is said of them */
	{ "orchestrater {\n a\n =\n b $x\n users {\n c }\n \"\n! !\n}\nd\n",
	    "10 : d\n",
	    T(1) "unknown block \"orchestrater\"; did you mean "
		 "\"orchestrator\"?" },
	{ "nonsense { a }\nb", "2 : b\n", T(1) "unknown block \"nonsense\"" },
	{ "nonsense { a = }\n$x", "",
	    T(1) "unknown block \"nonsense\"\n" NEAR(2, "$x") },
	{ "nonsense { a } b\nc", "2 : c\n",
	    T(1) "unknown block \"nonsense\"\n" NEAR(1, "b") },
	{ "nonsense {\n a {\n b", "",
	    T(1) "unknown block \"nonsense\"\n" NEAR_EOF(3) },
	{ "Upstream { a }\nupstraem { b }", "",
	    T(1) "unknown block \"Upstream\"; did you mean \"upstream\"?\n" T(
		2) "unknown block \"upstraem\"; did you mean \"upstream\"?" },
	/* blocks twice */
	{ "upstream { a }\nupstream {\n b\n}\n upstream { }\nc",
	    "1 upstream: a\n3 upstream: b\n6 : c\n",
	    T(2) "upstream: given twice, first in t.conf:1\n" T(
		5) "upstream: given twice, first in t.conf:1" },
	/* the rest of what should have been quoted */
	{ "upstream { b }secret\nc", "1 upstream: b\n2 : c\n", NEAR(1, "s") },
	{ "upstream {\na x{y}secret\nb {c}secret\n}", "",
	    NEAR(2, "s") "\n" NEAR(3, "s") },
	/* include */
	{ "include\na", "2 : a\n", T(1) "include: a value is missing" },
	{ "include a b\na", "2 : a\n", T(1) "include: more than one value" },
	{ "upstream {\ninclude y\nb\n}", "3 upstream: b\n",
	    T(2) "include: belongs at the top level" },
	{ "include $x\na", "2 : a\n", T(1) "macro \"x\" is not defined" },
	{ "include \"nothing\"\ninclude sub\ninclude \"\"\na", "4 : a\n",
	    T(1) "include \"nothing\": No such file or directory\n" T(
		2) "include \"sub\": not a regular file\n" T(3) "include "
								"\"\": No such "
								"file or "
								"directory" },
	{ "include t.conf\ninclude t.conf\n", "",
	    T(1) "t.conf: includes itself\n" T(2) "t.conf: includes itself" },
	{ "x = 1\n\ninclude t.conf\na", "4 : a\n",
	    T(3) "t.conf: includes itself" },
	{ "include \"sub/../t.conf\"\na", "2 : a\n",
	    T(1) "sub/../t.conf: includes itself" },
	/* bytes that have no place */
	{ "a\n\n b\001\n\002", "", T(3) "byte 0x01 has no place in a text" },
	{ "# \x1b\na", "", T(1) "byte 0x1b has no place in a text" },
	{ "a \"\x7f\"", "", T(1) "byte 0x7f has no place in a text" },
	{ "a\rb", "", T(1) "byte 0x0d has no place in a text" },
	{ "a\n\r\r\n", "", T(2) "byte 0x0d has no place in a text" },
	{ "a\n\r", "", T(2) "byte 0x0d has no place in a text" },
	{ "a\fb", "", T(1) "byte 0x0c has no place in a text" },
};

static void
test_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		conf_write("t.conf", table[i].text);
		assert_true(conf_parse("t.conf", true, NULL));
		conf_expect(table[i].text, table[i].found, table[i].said);
	}
}

/* Cut anywhere, and with every byte in place of every other: no crash. */
static void
test_damage(void **state)
{
	static const char text[] = "x = \"y\\\\\"\nupstream { a $x\n b {\n c, "
				   "\"d\" } }\n\\\n # e\r\nz !\n";
	static const char bytes[] = "\n\r \t\\\"#{},=$a!\001";
	char damaged[sizeof(text)];
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(text); i++) {
		conf_write_bytes("t.conf", text, i);
		assert_true(conf_parse("t.conf", true, NULL));
		for (j = 0; j < sizeof(bytes); j++) {
			memcpy(damaged, text, sizeof(text));
			damaged[i] = bytes[j];
			conf_write_bytes("t.conf", damaged, sizeof(text) - 1);
			assert_true(conf_parse("t.conf", true, NULL));
		}
	}
}

static void
test_nul(void **state)
{
	(void)state;
	conf_write_bytes("t.conf", "a\nb\0c\n", 6);
	conf_parse("t.conf", true, NULL);
	conf_expect("NUL", "", T(2) "byte 0x00 has no place in a text");
}

/* A line that begins and ends so, with that many words or bytes between. */
static void
write_long(const char *begin, const char *part, size_t n, const char *end)
{
	FILE *f = fopen("t.conf", "w");

	assert_non_null(f);
	assert_true(fputs(begin, f) >= 0);
	while (n-- > 0)
		assert_true(fputs(part, f) >= 0);
	assert_true(fputs(end, f) >= 0);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	assert_int_equal(fclose(f), 0);
}

static void
test_limits(void **state)
{
	static const char too_long[] = T(1) "a word is longer than 4096 bytes",
			  many_words[] = T(1) "more than 1024 words";
	static const struct {
		const char *begin, *part;
		size_t n;
		const char *end, *said;
	} limits[] = {
		{ "a ", "x", 4096, "\n", "" },
		{ "a ", "x", 4097, "\n", too_long },
		{ "a \"", "x", 4096, "\"\n", "" },
		{ "a \"", "\\\\", 4096, "\"\n", "" },
		{ "a \"", "x", 4097, "\"\n", too_long },
		{ "", "x", 4097, " { }\n", too_long },
		{ "x = ", "x", 4096, "\n", "" },
		{ "x = ", "x", 4097, "\na $x\n", too_long },
		{ "a $", "x", 4097, "\n", too_long },
		{ "a", " b", 1023, "\n", "" },
		{ "a", " b", 1024, "\n", many_words },
		{ "a", " b", 5000, "\n", many_words },
		{ "policy { a {", " b", 1023, "}}\n", "" },
		{ "policy { a {", " b", 1024, "}}\n", many_words },
		{ "policy { a {", " b", 90000, "}}\n", many_words },
		/* no stack of the grammar's grows with the file */
		{ "policy { a {", "\n", 200000, "}}\n", "" },
		{ "policy {", "\n", 200000, "}\n", "" },
		{ "", "\n", 200000, "\n", "" },
		{ "!", "{", 200000, "\n", NEAR(1, "!") },
		{ "! ", "{ ", 200000, "\n", NEAR(1, "!") },
		{ "! ", "} ", 200000, "\n", NEAR(1, "!") },
		{ "\"", "\\\"", 200000, "\n", NEAR_EOL(1) },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(limits); i++) {
		write_long(limits[i].begin, limits[i].part, limits[i].n,
		    limits[i].end);
		assert_true(conf_parse("t.conf", true, NULL));
		if (strcmp(conf_said, limits[i].said) != 0)
			fail_msg("%zu: %s", i, conf_said);
	}
}

static void
test_names_in_complaints(void **state)
{
	char expected[256], shown[65];

	(void)state;
	write_long("a = b ", "x", 4000, "\n");
	assert_true(conf_parse("t.conf", true, NULL));
	memset(shown, 'x', 64);
	shown[64] = '\0';
	(void)snprintf(
	    expected, sizeof(expected), T(1) "syntax error near \"%s\"", shown);
	assert_string_equal(conf_said, expected);
}

static void
test_many_macros(void **state)
{
	FILE *f = fopen("t.conf", "w");
	unsigned i;

	(void)state;
	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	for (i = 0; i < 258; i++)
		assert_true(fprintf(f, "m%u = %u\n", i, i) > 0);
	/* those that there are can still change */
	assert_true(fputs("m7 = x\na $m7 $m255\nb $m256\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_true(conf_parse("t.conf", true, NULL));
	conf_expect("many", "260 : a x 255\n", T(257) "more than 256 macros");
}

/* Definitions on the command line, and what is wrong with them. */
static void
test_define(void **state)
{
	static const char name[] =
	    "the name of a macro has letters, digits and '_'";
	static const struct {
		const char *definition, *found, *why;
	} defines[] = {
		{ "x=1", "2 : a 1\n", NULL },
		{ "x=", "2 : a \"\"\n", NULL },
		{ "x==", "2 : a \"=\"\n", NULL },
		{ "x=1 2", "2 : a \"1 2\"\n", NULL },
		{ "x=\"1\"", "2 : a \"\"1\"\"\n", NULL },
		{ "x=$y", "2 : a \"$y\"\n", NULL },
		{ "x=a{", "2 : a \"a{\"\n", NULL },
		{ "x=#", "2 : a \"#\"\n", NULL },
		{ "x= y", "2 : a \" y\"\n", NULL },
		{ "x=y\t", "2 : a \"y\t\"\n", NULL },
		{ "x=\xc3\xa9", "2 : a \"\xc3\xa9\"\n", NULL },
		{ "y=1", "2 : a file\n", NULL },
		{ "x", "", "not of the form name=value" },
		{ "", "", "not of the form name=value" },
		{ "=1", "", name },
		{ "x y=1", "", name },
		{ "x-y=1", "", name },
		{ " x=1", "", name },
		{ "x=a\nb", "", "the value has control characters" },
		{ "x=\x1b", "", "the value has control characters" },
		{ "x=a\r\n", "", "the value has control characters" },
	};
	struct macros *macros;
	const char *why;
	size_t i;

	(void)state;
	conf_write("t.conf", "x = file\na $x\n");
	for (i = 0; i < COUNT(defines); i++) {
		macros = macros_new();
		why = macros_define(macros, defines[i].definition);
		if (defines[i].why == NULL) {
			assert_null(why);
			assert_true(conf_parse("t.conf", true, macros));
			conf_expect(
			    defines[i].definition, defines[i].found, "");
		} else {
			assert_non_null(why);
			assert_string_equal(why, defines[i].why);
		}
		macros_free(macros);
	}
	macros_free(NULL);
}

static void
test_define_many(void **state)
{
	struct macros *macros = macros_new();
	char definition[5000];
	unsigned i;

	(void)state;
	memset(definition, 'x', sizeof(definition));
	definition[1] = '=';
	definition[2 + 4096] = '\0';
	assert_null(macros_define(macros, definition));
	definition[2 + 4096] = 'x';
	definition[2 + 4097] = '\0';
	assert_string_equal(macros_define(macros, definition),
	    "the value is longer than 4096 bytes");
	for (i = 1; i < 256; i++) {
		(void)snprintf(definition, sizeof(definition), "m%u=%u", i, i);
		assert_null(macros_define(macros, definition));
	}
	assert_string_equal(
	    macros_define(macros, "y=1"), "more than 256 macros");
	/* the last of the same name counts, and a file cannot change it */
	assert_null(macros_define(macros, "x=1"));
	assert_null(macros_define(macros, "x=2"));
	conf_write("t.conf", "x = 3\nx =\nx = $nothing\na $x $m255\nn = 1");
	assert_true(conf_parse("t.conf", true, macros));
	conf_expect("-D", "4 : a 2 255\n",
	    NEAR_EOL(2) "\n" T(3) "macro \"nothing\" is not defined\n" T(
		5) "more than 256 macros");
	/* nor have the files changed what was given */
	conf_write("t.conf", "a $x");
	assert_true(conf_parse("t.conf", true, macros));
	conf_expect("-D", "1 : a 2\n", "");
	macros_free(macros);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_names_in_complaints),
		cmocka_unit_test(test_many_macros),
		cmocka_unit_test(test_define),
		cmocka_unit_test(test_define_many),
	};

	return cmocka_run_group_tests(tests, conf_setup, conf_teardown);
}
