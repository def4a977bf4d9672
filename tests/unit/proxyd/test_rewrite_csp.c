#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxyd/rewrite_csp.h"
#include "proxyd/rewrite_fields.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define H " 'sha256-AAAA='"

static const struct {
	const char *in, *out;
} table[] = {
	/* nothing governs, or all is allowed */
	{ "", "" },
	{ "img-src 'none'; sandbox", "img-src 'none'; sandbox" },
	{ "require-trusted-types-for 'script'",
	    "require-trusted-types-for 'script'" },
	{ "script-src-attr 'none'", "script-src-attr 'none'" },
	{ "script-src 'unsafe-inline'", "script-src 'unsafe-inline'" },
	{ "default-src 'unsafe-inline' *", "default-src 'unsafe-inline' *" },
	{ "default-src 'self' 'Unsafe-Inline'",
	    "default-src 'self' 'Unsafe-Inline'" },
	/* the directive that governs scripts */
	{ "script-src 'self'", "script-src 'self'" H },
	{ "Script-Src 'self'; img-src x", "Script-Src 'self'" H "; img-src x" },
	{ "script-src-elem a; script-src b",
	    "script-src-elem a" H "; script-src b" },
	{ "script-src a; script-src-elem 'unsafe-inline'",
	    "script-src a; script-src-elem 'unsafe-inline'" },
	{ "script-src 'unsafe-inline'; script-src-elem a",
	    "script-src 'unsafe-inline'; script-src-elem a" H },
	{ "script-srcs a", "script-srcs a" },
	{ "script-src", "script-src" H },
	{ "script-src 'none'", "script-src" H },
	{ "script-src  'NONE' ;", "script-src" H },
	{ "script-src 'none' a", "script-src 'none' a" H },
	{ "script-src\t'self'\thttps://h/p?q", "script-src\t'self'\thttps://"
					       "h/p?q" H },
	/* only the first of a name counts */
	{ "script-src a; script-src 'none'",
	    "script-src a" H "; script-src 'none'" },
	{ "script-src 'unsafe-inline'; script-src a",
	    "script-src 'unsafe-inline'; script-src a" },
	{ "script-src \xc3\xa9; SCRIPT-SRC a",
	    "script-src \xc3\xa9; SCRIPT-SRC a" H },
	/* what switches 'unsafe-inline' off */
	{ "script-src 'unsafe-inline' 'nonce-a1+/-_=='",
	    "script-src 'unsafe-inline' 'nonce-a1+/-_=='" H },
	{ "script-src 'unsafe-inline' 'SHA256-a'",
	    "script-src 'unsafe-inline' 'SHA256-a'" H },
	{ "script-src 'sha384-a' 'unsafe-inline'",
	    "script-src 'sha384-a' 'unsafe-inline'" H },
	{ "script-src 'sha512-a' 'unsafe-inline'",
	    "script-src 'sha512-a' 'unsafe-inline'" H },
	{ "script-src 'unsafe-inline' 'Strict-Dynamic'",
	    "script-src 'unsafe-inline' 'Strict-Dynamic'" H },
	{ "script-src 'unsafe-inline' 'nonce-'",
	    "script-src 'unsafe-inline' 'nonce-'" },
	{ "script-src 'unsafe-inline' 'nonce-a",
	    "script-src 'unsafe-inline' 'nonce-a" },
	{ "script-src 'unsafe-inline' 'nonce-a.",
	    "script-src 'unsafe-inline' 'nonce-a." },
	{ "script-src 'unsafe-inline' 'nonce-a==='",
	    "script-src 'unsafe-inline' 'nonce-a==='" },
	{ "script-src 'unsafe-inline' 'nonce-a.b'",
	    "script-src 'unsafe-inline' 'nonce-a.b'" },
	{ "script-src 'unsafe-inline' 'sha1-a'",
	    "script-src 'unsafe-inline' 'sha1-a'" },
	{ "script-src 'unsafe-inline' nonce-a",
	    "script-src 'unsafe-inline' nonce-a" },
	/* inherited from default-src */
	{ "default-src 'self'", "default-src 'self'; script-src 'self'" H },
	{ "default-src 'none'; img-src *",
	    "default-src 'none'; img-src *; script-src" H
	    "; connect-src 'self'" },
	{ "default-src", "default-src; script-src" H "; connect-src 'self'" },
	{ "default-src a 'unsafe-inline' 'nonce-b';",
	    "default-src a 'unsafe-inline' 'nonce-b'; script-src a "
	    "'unsafe-inline' 'nonce-b'" H
	    "; connect-src a 'unsafe-inline' 'nonce-b' 'self'" },
	{ "default-src a; script-src 'self'; connect-src *",
	    "default-src a; script-src 'self'" H "; connect-src *" },
	{ "default-src *; connect-src 'self'; worker-src 'none'",
	    "default-src *; connect-src 'self'; worker-src 'none'; "
	    "script-src *" H },
	/* connections */
	{ "connect-src 'none'", "connect-src 'self'" },
	{ "connect-src", "connect-src 'self'" },
	{ "connect-src wss: https://h", "connect-src wss: https://h 'self'" },
	{ "connect-src a 'SELF'", "connect-src a 'SELF'" },
	{ "connect-src a *", "connect-src a *" },
	{ "connect-src *.h", "connect-src *.h 'self'" },
	{ "connect-src self", "connect-src self 'self'" },
	{ "connect-src 'none'; connect-src *",
	    "connect-src 'self'; connect-src *" },
	/* several policies, each for itself */
	{ "script-src a, script-src b", "script-src a" H ", script-src b" H },
	{ "script-src a,script-src 'unsafe-inline',default-src *",
	    "script-src a" H ", script-src 'unsafe-inline', "
	    "default-src *; script-src *" H },
	{ "script-src a, connect-src b",
	    "script-src a" H ", connect-src b 'self'" },
	{ ",; ;,script-src a;;img-src b ;",
	    ", , script-src a" H "; img-src b" },
};

static void
test_policies(void **state)
{
	static const struct rewrite_fields how = {
		.body = REWRITE_FIELDS_PAGE,
		.script_hash = "sha256-AAAA=",
	};
	char *text;
	size_t len, i;
	FILE *out;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		text = NULL;
		assert_non_null(out = open_memstream(&text, &len));
		assert_true(rewrite_csp(&how, table[i].in, out));
		assert_int_equal(fclose(out), 0);
		if (strcmp(text, table[i].out) != 0)
			fail_msg("\n%s\nbecame\n%s\nnot\n%s", table[i].in, text,
			    table[i].out);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
