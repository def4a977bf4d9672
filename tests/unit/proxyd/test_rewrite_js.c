#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxyd/rewrite_js.h"
#include "rewrite_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BASE	 "=window.__ROUTER_BASENAME__"
#define REST	 ",children:b,future:c,window:d}"

/* 32 bytes, the longest variable name that a pattern may have. */
#define LONG "abcdefghijklmnopqrstuvwxyz_$0123"
#define BLANKS                                     \
	"                                        " \
	"                                        "

static const struct rewrite_row literals[] = {
	{ "", NULL },
	{ "\"/api/x\"", "\"" P "/api/x\"" },
	{ "'/api/x'", "'" P "/api/x'" },
	{ "`/api/x`", "`" P "/api/x`" },
	{ "\"/api\"", "\"" P "/api\"" },
	{ "\"/api/\"", "\"" P "/api/\"" },
	{ "\"/api?x\"", "\"" P "/api?x\"" },
	{ "\"/api#x\"", "\"" P "/api#x\"" },
	{ "`/api${x}`", "`" P "/api${x}`" },
	{ "`/api/${x}`", "`" P "/api/${x}`" },
	{ "a(\"/api/x\",'/ws')", "a(\"" P "/api/x\",'" P "/ws')" },
	{ "'/assets/a.js'", "'" P "/assets/a.js'" },
	{ "'/auth'", "'" P "/auth'" },
	{ "'/ws'", "'" P "/ws'" },
	{ "'/ws?a'", "'" P "/ws?a'" },
	{ "'/shell'", "'" P "/shell'" },
	{ "'/plugin-ws/'", "'" P "/plugin-ws/'" },
	{ "'/favicon'", "'" P "/favicon'" },
	{ "'/favicon.svg'", "'" P "/favicon.svg'" },
	{ "'/static/'", "'" P "/static/'" },
	{ "'/socket.io/?a'", "'" P "/socket.io/?a'" },
	{ "'/sw.js'", "'" P "/sw.js'" },
	{ "'/manifest.json'", "'" P "/manifest.json'" },
	{ "'/icons/a.svg'", "'" P "/icons/a.svg'" },
	/* a string in a string */
	{ "\"a(\\\"/api/x\\\")\"", "\"a(\\\"" P "/api/x\\\")\"" },
	{ "\"a(\\\"/api\\\")\"", "\"a(\\\"" P "/api\\\")\"" },
	{ "\"a('/api')\"", "\"a('" P "/api')\"" },
	{ "'\\\\\\\\\\\\\\\"/ws\\\\\\\\\\\\\\\"'",
	    "'\\\\\\\\\\\\\\\"" P "/ws\\\\\\\\\\\\\\\"'" },
	{ "'\"/ws\\\\\\\\\\\\\\\\\"'", NULL },
	{ "\"/api\\'\"", NULL },
	{ "\"/api\\", NULL },
	/* look-alikes */
	{ "\"/apix\"'/api.'`/api-x`'/ap'\"/ap/\"", NULL },
	{ "'/assets.js'`/authx/`'/wss'\"/shells/\"'/plugin-wss'", NULL },
	{ "'/favicons'\"/faviconx.svg\"'/sw.jsx'`/sw_js`'/ico'", NULL },
	{ "'/'\"/\"`/`'/x'\"/ api\"'/API/x'\"/Api\"", NULL },
	{ "\"/api'\"", NULL },
	{ "'/api\"'`/api\"`'/api`'", NULL },
	{ "\"/api$\"\"/api${x}\"`/api$`'/api${x}'`/api$x`", NULL },
	{ "'/api,'\"/api \"", NULL },
	{ "'//api/x'\"//ws\"'/\\api'\"\\/api/x\"", NULL },
	{ "'./api/x'\"api/x\"' /api/x'\"x/api/x\"`${x}/api/x`", NULL },
	{ "'http://h/api/x'", NULL },
	{ "/\\/api\\//", NULL },
	{ "/api/g,x/ws/y", NULL },
	{ "b123n56/api/x'basen${/ws/", NULL },
	{ "\"", NULL },
	{ "\"/", NULL },
	{ "\"/ap", NULL },
	{ "\"/api", NULL },
	{ "`/api$", NULL },
	{ "\"/api/", NULL },
	{ "'/'/api/'", "'/'" P "/api/'" },
	/* the orchestrator's own */
	{ "'/api/clients'\"/api/clients/x\"`/api/clients/${x}`", NULL },
	{ "`/api/clients${x}`'/api/clients?x'\"/api/clients#x\"", NULL },
	{ "\"\\\"/api/clients\\\"\"", NULL },
	{ "'/api/tokens'\"/api/tokens/x\"`/api/tokens${x}`'/api/tokens?x'",
	    NULL },
	{ "'/api/clientsx'", "'" P "/api/clientsx'" },
	{ "'/api/clients.'", "'" P "/api/clients.'" },
	{ "'/api/client'", "'" P "/api/client'" },
	{ "'/api/token'", "'" P "/api/token'" },
	{ "'/api/t'", "'" P "/api/t'" },
	{ "'/ws/clients'", "'" P "/ws/clients'" },
	{ "'/api?clients/'", "'" P "/api?clients/'" },
	/* prefixed already */
	{ "'" P "/api/x'\"" P "/ws\"'" P "'`" P "/`", NULL },
};

/* Where the prefix begins as the app's own paths do. */
static const struct rewrite_row similar[] = {
	{ "'/api/box/x'\"/api/box/\"`/api/box/${x}`", NULL },
	{ "'/api/box'\"/api/box?x\"`/api/box${x}`\"\\\"/api/box\\\"\"", NULL },
	{ "'/api/boxx'", "'/api/box/api/boxx'" },
	{ "'/api/bo'", "'/api/box/api/bo'" },
	{ "'/api/'", "'/api/box/api/'" },
	{ "'/api'", "'/api/box/api'" },
	{ "'/api/x'", "'/api/box/api/x'" },
	{ "'/ws'", "'/api/box/ws'" },
	{ "'/api/bo", NULL },
};

static const struct rewrite_row routers[] = {
	/* as minifiers leave it */
	{ "function d(o){let{basename:a" REST "=o,C=1;",
	    "function d(o){let{basename:a" BASE REST "=o,C=1;" },
	{ "let{basename:a" REST "=o", "let{basename:a" BASE REST "=o" },
	{ "{basename:a" REST "=o", "{basename:a" BASE REST "=o" },
	{ "const { basename : a , children : b ,\n\tfuture : c ,\r\n"
	  "window : d } = o",
	    "const { basename : a" BASE " , children : b ,\n\tfuture : c ,\r\n"
	    "window : d } = o" },
	{ "let{basename:$" REST "=o", "let{basename:$" BASE REST "=o" },
	{ "let{basename:basename" REST "=o",
	    "let{basename:basename" BASE REST "=o" },
	{ "let{basename:_a$9" REST "=o", "let{basename:_a$9" BASE REST "=o" },
	{ "let{basename:" LONG REST "=o", "let{basename:" LONG BASE REST "=o" },
	/* parameters */
	{ "function({basename:a" REST "){",
	    "function({basename:a" BASE REST "){" },
	{ "function f({basename:a" REST "){",
	    "function f({basename:a" BASE REST "){" },
	{ ";function f ( {basename:a" REST " ) {",
	    ";function f ( {basename:a" BASE REST " ) {" },
	{ "function myfunction({basename:a" REST "){",
	    "function myfunction({basename:a" BASE REST "){" },
	{ "function f({basename:a" REST "={}){",
	    "function f({basename:a" BASE REST "={}){" },
	{ "f=({basename:a" REST ")=>a", "f=({basename:a" BASE REST ")=>a" },
	{ "f=({basename:a" REST ") => {", "f=({basename:a" BASE REST ") => {" },
	{ "f=(x,{basename:a" REST ")=>a", "f=(x,{basename:a" BASE REST ")=>a" },
	{ BLANKS "function " LONG "({basename:a" REST "){",
	    BLANKS "function " LONG "({basename:a" BASE REST "){" },
	/* further ones, and literals around */
	{ "'/ws',{basename:a" REST "=o,'/ws',{basename:a" REST "=o",
	    "'" P "/ws',{basename:a" BASE REST "=o,'" P
	    "/ws',{basename:a" BASE REST "=o" },
	{ "{basename:{basename:a" REST "=o",
	    "{basename:{basename:a" BASE REST "=o" },
	{ "{basename:'/ws'", "{basename:'" P "/ws'" },
	{ "{basename:a,children:'/ws'", "{basename:a,children:'" P "/ws'" },
	/* literals */
	{ "f({basename:a" REST ")", NULL },
	{ "f({basename:a" REST ");", NULL },
	{ "f({basename:a" REST "){", NULL },
	{ "if({basename:a" REST "){", NULL },
	{ "function f(){g({basename:a" REST "){", NULL },
	{ "xfunction({basename:a" REST "){", NULL },
	{ "xfunction                                        "
	  "                      ({basename:a" REST "){",
	    NULL },
	{ ";function                                        "
	  "                     ({basename:a" REST "){",
	    ";function                                        "
	    "                     ({basename:a" BASE REST "){" },
	{ "my function f(x,{basename:a" REST "){", NULL },
	{ "return{basename:a" REST "}", NULL },
	{ "x={basename:a" REST ";", NULL },
	{ "x={basename:a" REST, NULL },
	{ "x={basename:a" REST "==y", NULL },
	{ "x={basename:a" REST "===y", NULL },
	{ "x={basename:a" REST "=>y", NULL },
	{ "x={basename:a" REST "=", NULL },
	{ "x=({basename:a" REST ")=y", NULL },
	{ "x=({basename:a" REST ")=", NULL },
	{ "x={basename:a" REST ",y", NULL },
	/* other patterns */
	{ "{basename:a,children:b,window:d}=o", NULL },
	{ "{basename:a,children:b,window:d,future:c}=o", NULL },
	{ "{basename:a,children:b,future:c,window:d,x:e}=o", NULL },
	{ "{basename:a,children:b,future:c,window:d,}=o", NULL },
	{ "{basename:a,children:b,future:c,window:d,...e}=o", NULL },
	{ "{x:e,basename:a" REST "=o", NULL },
	{ "{basename:a=1" REST "=o", NULL },
	{ "{basename:1" REST "=o", NULL },
	{ "{basename:9a" REST "=o", NULL },
	{ "{basename:a.b" REST "=o", NULL },
	{ "{basename:\xc3\xa9" REST "=o", NULL },
	{ "{basename:" REST "=o", NULL },
	{ "{basename" REST "=o", NULL },
	{ "{basenames:a" REST "=o", NULL },
	{ "{xbasename:a" REST "=o", NULL },
	{ "basename:a" REST "=o", NULL },
	{ "{basename:a,children:b,future:c,window}=o", NULL },
	{ "{basename:" LONG "x" REST "=o", NULL },
	{ "{basename:a,children:b,future:c,window:" LONG "x}=o", NULL },
	{ "{basename:window" REST "=o", NULL },
	{ "{basename:a,children:b,future:c,window:window}=o", NULL },
	/* too far apart */
	{ "{basename:a" BLANKS BLANKS BLANKS REST "=o", NULL },
	{ "{basename:a" BLANKS BLANKS REST "=o",
	    "{basename:a" BASE BLANKS BLANKS REST "=o" },
	{ "{basename:a" BLANKS BLANKS BLANKS BLANKS REST "=o,'/ws'",
	    "{basename:a" BLANKS BLANKS BLANKS BLANKS REST "=o,'" P "/ws'" },
	{ "{" BLANKS "basename:a" REST "=o", NULL },
	{ "function f(" BLANKS "{basename:a" REST "){", NULL },
};

static bool
rewrite(const struct prefix *prefix, const struct sink *sink, const char *in,
    size_t len, size_t first, size_t piece)
{
	struct rewrite_js js;
	size_t i = 0, n = first;
	char *copy;

	rewrite_js_init(&js, prefix, sink);
	for (; i < len; i += n, n = piece) {
		if (n > len - i)
			n = len - i;
		/* A sanitizer sees what looks beyond its piece. */
		copy = malloc(n);
		assert_true(copy != NULL || n == 0);
		memcpy(copy, in + i, n);
		if (rewrite_js_feed(&js, copy, n) == -1) {
			free(copy);
			return false;
		}
		free(copy);
	}
	return rewrite_js_finish(&js) == 0;
}

static void
test_literals(void **state)
{
	(void)state;
	rewrite_check_rows(rewrite, P, BLANKS, literals, COUNT(literals));
	rewrite_check_rows(
	    rewrite, "/api/box", BLANKS, similar, COUNT(similar));
}

static void
test_routers(void **state)
{
	(void)state;
	rewrite_check_rows(rewrite, P, BLANKS, routers, COUNT(routers));
}

/* A megabyte in which nothing is to be done looks like it all the time. */
static void
test_nasty(void **state)
{
	static const char *const parts[] = { "\"", "'", "`", "\\", "a", "e",
		"b", " ", "{", "}", "(", ")", "${", "/x/", "//", "/", "\"/ap/",
		"'/icon-", "`/wss`", "\"/api$", "'/socket.i/",
		"{basename:a,children:b,future:c,window:d};", "{basename",
		"{basename:a,children:", "basename", "bbbbnnneee", "\n",
		"'" P "/api/x'", "\"/api/tokens\"", "'/api/clients/",
		"0123456789abcdef", "\xc3\xa9" };
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
	rewrite_check_refusal(
	    rewrite, "'/ws',\"/api\"{basename:a" REST "=o;{basename:a,`/a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_routers),
		cmocka_unit_test(test_nasty),
		cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
