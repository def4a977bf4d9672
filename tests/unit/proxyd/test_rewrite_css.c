#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxyd/rewrite_css.h"
#include "rewrite_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct rewrite_row table[] = {
	{ "", NULL },
	{ "a{b:c}", NULL },
	/* url(), in all quotings */
	{ "url(/x)", "url(" P "/x)" },
	{ "a{b:url(/x) url(/y)}", "a{b:url(" P "/x) url(" P "/y)}" },
	{ "url(\"/x\")", "url(\"" P "/x\")" },
	{ "url('/x')", "url('" P "/x')" },
	{ "URL(/x)Url('/x')", "URL(" P "/x)Url('" P "/x')" },
	{ "url( \t\r\n\f/x )", "url( \t\r\n\f" P "/x )" },
	{ "url( \n\"/x\" )", "url( \n\"" P "/x\" )" },
	{ "url(\" \t/x\")", "url(\" \t" P "/x\")" },
	{ "url(/)", "url(" P "/)" },
	{ "url('/')", "url('" P "/')" },
	{ "url(/ )", "url(" P "/ )" },
	{ "url(/x", "url(" P "/x" },
	{ "url(/", "url(" P "/" },
	{ "url('/", "url('" P "/" },
	{ "url('/x\n)url(/y)", "url('" P "/x\n)url(" P "/y)" },
	{ "url(/*x*/)", "url(" P "/*x*/)" },
	{ "a{b:url(/x)}/*", "a{b:url(" P "/x)}/*" },
	{ "@font-face{src:url(/a.woff2)format(\"woff2\"),url(/b.ttf)}",
	    "@font-face{src:url(" P "/a.woff2)format(\"woff2\"),url(" P
	    "/b.ttf)}" },
	{ "/**/url(/x)", "/**/url(" P "/x)" },
	{ "\"x\"url(/x)", "\"x\"url(" P "/x)" },
	{ "a{b:+url(/x)}", "a{b:+url(" P "/x)}" },
	/* not rooted, or prefixed already */
	{ "url()url( )url('')url(\"\")", NULL },
	{ "url(//h/x)url('//h/x')", NULL },
	{ "url(/\\h)url('/\t/h')", NULL },
	{ "url(x)url(./x)url(../x)url(#x)url(?x)", NULL },
	{ "url(http://h/x)url(data:image/png;base64,/x)url(blob:/x)", NULL },
	{ "url(" P "/x)url('" P "/x')", NULL },
	{ "url(" P "/)", NULL },
	{ "url(" P ")", "url(" P "/)" },
	{ "url(" P " )", "url(" P "/ )" },
	{ "url('" P "')", "url('" P "/')" },
	{ "url('" P "\n')", "url('" P "/\n')" },
	{ "url(" P, "url(" P "/" },
	{ "url(" P "?a#b)", "url(" P "/?a#b)" },
	{ "url(" P "x)", "url(" P P "x)" },
	{ "url(/clients/box)", "url(" P "/clients/box)" },
	{ "url(/clients/box", "url(" P "/clients/box" },
	{ "url('/clients')url(/y)", "url('" P "/clients')url(" P "/y)" },
	{ "url('/clients\n')", "url('" P "/clients\n')" },
	/* other names */
	{ "myurl(/x)my-url(/x)_url(/x)1url(/x)\xc3\xa9url(/x)", NULL },
	{ "#url(/x)", NULL },
	{ "@url(/x)", NULL },
	{ "\\url(/x)", NULL },
	{ "\\62 url(/x)", NULL },
	{ "\\00062aurl(/x)", NULL },
	{ "\\000062 url(/x)", NULL },
	{ "62 url(/x)", "62 url(" P "/x)" },
	{ "\\0000062 url(/x)", "\\0000062 url(" P "/x)" },
	{ "u\\72l(/x)", NULL },
	{ "url (/x)", NULL },
	{ "urls(/x)ur(/x)(/x)url", NULL },
	{ "url-prefix(/x)", NULL },
	{ "url/**/(/x)", NULL },
	/* strings */
	{ "a{content:\"url(/x)\"}", NULL },
	{ "a{content:'url(/x)'}", NULL },
	{ "a{content:'\"url(/x)'}", NULL },
	{ "a{content:\"/x\"}", NULL },
	{ "'\\'url(/x)'", NULL },
	{ "'\\\\'url(/x)'", "'\\\\'url(" P "/x)'" },
	{ "\"\\\"url(/x)\"url(/y)", "\"\\\"url(/x)\"url(" P "/y)" },
	{ "'a\nurl(/x)", "'a\nurl(" P "/x)" },
	{ "'a\r\nurl(/x)", "'a\r\nurl(" P "/x)" },
	{ "'a\furl(/x)", "'a\furl(" P "/x)" },
	{ "'a\\\nurl(/x)'", NULL },
	{ "'a\\\r\nurl(/x)'", NULL },
	{ "'a\\\r\rurl(/x)", "'a\\\r\rurl(" P "/x)" },
	{ "'a\\\r'url(/x)", "'a\\\r'url(" P "/x)" },
	{ "'a\\\n\nurl(/x)", "'a\\\n\nurl(" P "/x)" },
	/* comments */
	{ "/*url(/x)*/", NULL },
	{ "/* ' */url(/x)/* ' */", "/* ' */url(" P "/x)/* ' */" },
	{ "/**url(/x)**/url(/y)", "/**url(/x)**/url(" P "/y)" },
	{ "/*/url(/x)*/", NULL },
	{ "/***/url(/x)", "/***/url(" P "/x)" },
	{ "/*\\*/url(/x)", "/*\\*/url(" P "/x)" },
	{ "a/b url(/x)", "a/b url(" P "/x)" },
	{ "//url(/x)", "//url(" P "/x)" },
	{ "/ *url(/x)", "/ *url(" P "/x)" },
	{ "'/*'url(/x)", "'/*'url(" P "/x)" },
	/* where URLs end */
	{ "url(/a\\)url(/b)url(/c)", "url(" P "/a\\)url(/b)url(" P "/c)" },
	{ "url(/a\\\\)url(/c)", "url(" P "/a\\\\)url(" P "/c)" },
	{ "url(\\)url(/x)url(/y)", "url(\\)url(/x)url(" P "/y)" },
	{ "url(a'b)url(/x)", "url(a'b)url(" P "/x)" },
	{ "url(a/*b)url(/x)", "url(a/*b)url(" P "/x)" },
	{ "url(a b)url(/x)", "url(a b)url(" P "/x)" },
	{ "url('/a\\')url(/b')url(/c)",
	    "url('" P "/a\\')url(/b')url(" P "/c)" },
	{ "url('/a)url(/b')", "url('" P "/a)url(/b')" },
	{ "url(a\\", NULL },
	{ "url('a\\", NULL },
	/* escapes in text */
	{ ".a\\'b{c:url(/x)}", ".a\\'b{c:url(" P "/x)}" },
	{ ".a\\\"b{c:url(/x)}", ".a\\\"b{c:url(" P "/x)}" },
	{ ".a\\/*b{c:url(/x)}", ".a\\/*b{c:url(" P "/x)}" },
	{ ".a\\@import '/x'", NULL },
	{ "url\\(/x)", NULL },
	{ "a\\", NULL },
	/* @import */
	{ "@import '/x';", "@import '" P "/x';" },
	{ "@import \"/x\" screen;", "@import \"" P "/x\" screen;" },
	{ "@IMPORT\"/x\"", "@IMPORT\"" P "/x\"" },
	{ "@import/**/'/x'", "@import/**/'" P "/x'" },
	{ "@import /* '/y' */ \n'/x'", "@import /* '/y' */ \n'" P "/x'" },
	{ "@import url(/x);", "@import url(" P "/x);" },
	{ "@import url('/x') layer('/y');",
	    "@import url('" P "/x') layer('/y');" },
	{ "@import '/x' '/y';", "@import '" P "/x' '/y';" },
	{ "@import a '/y';", NULL },
	{ "@import '//h/x';@import 'x';", NULL },
	{ "@imports '/x';@import-x '/x';@import\\ '/x'", NULL },
	{ "@impor '/x';@ import '/x';@i '/x';@ '/x';@@ '/x'", NULL },
	{ "@@import '/x'", "@@import '" P "/x'" },
	{ "@import / '/x'", NULL },
	{ "@import '" P "'", "@import '" P "/'" },
	{ "@media x{a{b:'/x'}}", NULL },
	{ "@import 'a';/**/'/x'", NULL },
	/* @namespace */
	{ "@namespace url(/x);a{b:url(/y)}",
	    "@namespace url(/x);a{b:url(" P "/y)}" },
	{ "@NAMESPACE a url( '/x' );b:url(/y)",
	    "@NAMESPACE a url( '/x' );b:url(" P "/y)" },
	{ "@namespace '/x';a{b:url(/y)}", "@namespace '/x';a{b:url(" P "/y)}" },
	{ "@namespace url(a/*b);url(/y)", "@namespace url(a/*b);url(" P "/y)" },
	{ "@namespace ';' url(/x){url(/y)",
	    "@namespace ';' url(/x){url(" P "/y)" },
	{ "@namespaces url(/x);", "@namespaces url(" P "/x);" },
	{ "@namespace\\x url(/x);", "@namespace\\x url(" P "/x);" },
	{ "@n url(/x);", "@n url(" P "/x);" },
	/* strings in functions that take URLs */
	{ "image-set(\"/a\" 1x,'/b' 2x)",
	    "image-set(\"" P "/a\" 1x,'" P "/b' 2x)" },
	{ "-webkit-image-set('/a' 1x)'/b'",
	    "-webkit-image-set('" P "/a' 1x)'/b'" },
	{ "IMAGE-SET(url(/a) 1x,url('/b')2x,'/c')",
	    "IMAGE-SET(url(" P "/a) 1x,url('" P "/b')2x,'" P "/c')" },
	{ "image-set('/a' type('/b'),'/c')'/d'",
	    "image-set('" P "/a' type('/b'),'" P "/c')'/d'" },
	{ "image-set(\\)'/a')", "image-set(\\)'" P "/a')" },
	{ "image-set(/*)*/'/a')", "image-set(/*)*/'" P "/a')" },
	{ "image-set((a(b)c)'/a')", "image-set((a(b)c)'" P "/a')" },
	{ "x(image-set('/a')'/b')'/c'", "x(image-set('" P "/a')'/b')'/c'" },
	{ "image-set(src('/a'))'/b'", "image-set(src('" P "/a'))'/b'" },
	{ "src('/a')src:'/b'", "src('" P "/a')src:'/b'" },
	{ "src(/a)", NULL },
	{ "image-set(\"/a\\\"'/b'\")", "image-set(\"" P "/a\\\"'/b'\")" },
	{ "image-set(" /* deeper than is remembered */
	  "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
	  "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"
	  "'/a')url(/b)",
	    "image-set("
	    "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
	    "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"
	    "'/a')url(" P "/b)" },
	{ "my-image-set('/a')image-set ('/b')webkit-image-set('/c')", NULL },
	{ "format('/a')", NULL },
};

static bool
rewrite(const struct prefix *prefix, const struct sink *sink, const char *in,
    size_t len, size_t first, size_t piece)
{
	struct rewrite_css css;
	size_t i = 0, n = first;
	char *copy;

	rewrite_css_init(&css, prefix, sink);
	for (; i < len; i += n, n = piece) {
		if (n > len - i)
			n = len - i;
		/* A sanitizer sees what looks beyond its piece. */
		copy = malloc(n);
		assert_true(copy != NULL || n == 0);
		memcpy(copy, in + i, n);
		if (rewrite_css_feed(&css, copy, n) == -1) {
			free(copy);
			return false;
		}
		free(copy);
	}
	return rewrite_css_finish(&css) == 0;
}

static void
test_table(void **state)
{
	(void)state;
	rewrite_check_rows(rewrite, P,
	    "a{b:c;d:e f g}h{i:j k l m n o p q r s t}", table, COUNT(table));
}

/* A megabyte in which nothing is to be done looks like it all the time. */
static void
test_nasty(void **state)
{
	static const char *const parts[] = { "url(a)", "url('//h/x')",
		"/* url(/x) */", "/**/", "'url(/x)'", "\"a'url(/x)\\\"\"",
		"\\'", "\\\"", "\\(", "\\\\", "(", ")", "{", "}", ";", "\n",
		" ", "@", "@imports '/x'", "@namespace url(/x)", "xurl(/x)",
		"url(\"" P "/x\")", "url(" P "/)", "image-set ('/x')",
		"#url(/x)", "a/b", "url(//h/\\))", "'a\\\n/x'", "'a\n", "/",
		"a*", "\xc3\xa9", "src(/x)", "\\62 url(/x)", "url(/\\h)", "-",
		"\r\n", "\f", "0123456789abcdef" };
	static const size_t pieces[] = { 1, 7, 16, 33, 1000, 16384, 1 << 20 };
	struct prefix prefix;
	size_t i, len;
	char *text;

	(void)state;
	assert_true(prefix_init(&prefix, P));
	text = rewrite_nasty(parts, COUNT(parts), 1 << 20);
	len = strlen(text);
	for (i = 0; i < COUNT(pieces); i++)
		rewrite_check(rewrite, &prefix, text, len, text, len, pieces[i],
		    pieces[i]);
	free(text);
}

static void
test_refusal(void **state)
{
	(void)state;
	rewrite_check_refusal(rewrite,
	    "a{b:url(/x)}@import '" P "';url(\"" P "?\")url('/cli')url(/clie");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_nasty),
		cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
