#include "html_page.h"

/* Where tags are, and where none are. */
static const char *const tokens[] = {
	"",
	"text",
	"<a href=\"^/x\">",
	"<a href='^/x'>",
	"<a href=^/x>",
	"<A HREF=^/x>",
	"<a\thRef\n=\r\f\"^/x\"\n>",
	"<a/href=^/x>",
	"<a/href=^/x/>",
	"<a////href='^/x'/>",
	"<a id=1 href=^/x class>",
	"<a id='1'href=^/x>",
	"<a id=\"1\"\"href=/x>",
	"<a href=\"^/x\"src=^/y>",
	"<a href=\"^/x\"/src=^/y>",
	"<a b=c/href=/x>",
	"<a b= href=/x>",
	"<a b= \"href=/x>\" href='^/y'>",
	"<a =href=/x>",
	"<a = href=^/x>",
	"<a ==href=/x>",
	"<a \"href=/x>",
	"<a '=x href=^/x>",
	"<a <href=/x>",
	"<a< href=^/x>",
	"<a <b href=^/x>",
	"<a href= >/x",
	"<a href=>/x",
	"<a href =^/x>",
	"<a href b=/x>",
	"<a href / =/x>",
	"<a b=\"> href=/x\" href=^/x>",
	"<a b='> href=/x' href=^/x>",
	"<a b=<c href=^/x>",
	"<a b=\"'\" href=^/x>",
	"<a b='\"' href=^/x>",
	"<a b=c\"d href=^/x>",
	"<a href\x7f=/x>",
	"<a\x7f href=^/x>",
	"<a b=\x7f href=^/x>",
	"<a href=\x7f/x>",
	"<a hreflang=/x nohref=/x data-href=/x xhref=/x hre=/x>",
	"<a href=^/x href=/y HREF=/z src=^/v>",
	"<\xc3\xa4 href=/x>",
	"<a\xc3\xa4 href=^/x>",
	"<1 href=/x>",
	"< a href=/x>",
	"<<a href=^/x>",
	"<a<b href=^/x>",
	"a<b href=^/x>",
	"</a href=/x>",
	"</a href=/x><a href=^/x>",
	"</ a href=/x><a href=^/x>",
	"</><a href=^/x>",
	"</1><a href=^/x>",
	"</\">\"<a href=^/x>",
	"</a b=\"<a href=/x>\"><a href=^/x>",
	"<? href=/x><a href=^/x>",
	"<?><a href=^/x>",
	"<?xml version='1.0' x='>' ?><a href=^/x>",
	"<a href=\"/",
	"<a href=\"^/x",
	"<a href=\"^/xy",
	"<a href=\"^/xy<a href=/y>",
	"<a href=/",
	"<a href=^/x",
	"<a href",
	"<a",
	"<",
	"</",
	"</a",
	"x<!",
	"x<!-",
	"x<!--",
	"x<html a='",
	"<thisisaverylongnameofnothing href=^/x>",
	"<x thisisaverylongnameofnothing=/x href=^/x>",

	/* Comments and the like. */
	"<!-- <a href=/x> --><a href=^/x>",
	"<!--><a href=^/x>-->",
	"<!---><a href=^/x>-->",
	"<!----><a href=^/x>-->",
	"<!-----><a href=^/x>-->",
	"<!---!><a href=/x>--><a href=^/x>",
	"<!----!><a href=^/x>-->",
	"<!----!-><a href=/x>--><a href=^/x>",
	"<!----!--><a href=^/x>",
	"<!----!x--><a href=^/x>",
	"<!--x--!><a href=^/x>",
	"<!--x--!y><a href=/x>--><a href=^/x>",
	"<!--x-><a href=/x>--><a href=^/x>",
	"<!--x--y><a href=/x>--><a href=^/x>",
	"<!--x-- ><a href=/x>--><a href=^/x>",
	"<!--x--->y<a href=^/x>",
	"<!--x<!--y--><a href=^/x>-->",
	"<!--x<!--><a href=^/x>-->",
	"<!--x<!-><a href=/x>--><a href=^/x>",
	"<!--<!---><a href=^/x>-->",
	"<!--<!--!><a href=^/x>-->",
	"<!--<-><a href=/x>--><a href=^/x>",
	"<!-- > \x7f - ><a href=/x>--><a href=^/x>",
	"<!->-><a href=^/x>",
	"<!-x><a href=^/x>",
	"<!><a href=^/x>",
	"<!x <a href=/x><a href=^/x>",
	"<!doctype html><a href=^/x>",
	"<!DOCTYPE html PUBLIC \"-//W3C//DTD>\"><a href=^/x>",
	"<!DOCTYPE<a href=/x><a href=^/x>",
	"<![CDATA[<a href=/x>]]><a href=^/x>",
	"<![CDATA[x><a href=^/x>]]>",

	/* Elements whose text has no tags. */
	"<title><a href=/x></title><a href=^/x>",
	"<textarea><a href=/x></textareas></TEXTAREA ><a href=^/x>",
	"<textarea href=^/x><a href=/x></textarea/href=/x><a href=^/x>",
	"<TITLE><!--</title><a href=^/x>-->",
	"<title/><a href=/x></title><a href=^/x>",
	"<xmp><a href=/x></style></xmp><a href=^/x>",
	"<iframe src=^/x><a href=/x></iframe><a href=^/x>",
	"<noembed><a href=/x></noembed><a href=^/x>",
	"<noframes><a href=/x></noframes><a href=^/x>",
	"<noscript><a href=/x></noscript><a href=^/x>",
	"<plaintext><a href=/x></plaintext><a href=/x>",
	"<xmp><</xmp<//xmp></ xmp></xm</xmpx></xmp\x7f></xmp\n><a href=^/x>",
	"<xmp></xmp a='>' href=/x><a href=^/x>",
	"<xmp></xm",
	"<xmp></xmp",
	"<xmp><a href=/x>",
	"</xmp><a href=^/x>",
	"<xmps><a href=^/x></xmps>",
	"<style><a href=/x></STYLE><a href=^/x>",
	"<template><a href=^/x></template>",
	"<iframe srcdoc='<a href=/x>'></iframe>",
	"<div style>url(/x)",

	/* Scripts. */
	"<script><a href=/x></script><a href=^/x>",
	"<script></scripts></script\f><a href=^/x>",
	"<script><!--<a href=/x></script><a href=^/x>",
	"<script><!-- <script> </script> <a href=/x> --> </script><a href=^/x>",
	"<script><!-- <script> </script> </script><a href=^/x>",
	"<script><!-- <script> --> </script><a href=^/x>",
	"<script><!-- <script> -- > </script><a href=/x></script><a href=^/x>",
	"<script><!-- <scripts> </script><a href=^/x>",
	"<script><!-- <scrip> </script><a href=^/x>",
	"<script><!-- <script </script><a href=/x></script><a href=^/x>",
	"<script><!-- <SCRIPT/ </sCript/ </script/><a href=^/x>",
	"<script><!-- <script> </scrip> </script > </script><a href=^/x>",
	"<script><!-- <script> </ script> </script><a href=/x>",
	"<script><!-- <<script> <</script> </script><a href=^/x>",
	"<script><!-- <script> < /script> </script><a href=/x>",
	"<script><!--><script> </script><a href=^/x>",
	"<script><!---><script> </script><a href=^/x>",
	"<script><!-x--<script> </script><a href=^/x>",
	"<script><!<!--<script> </script> </script><a href=^/x>",
	"<script><!- -<script> </script><a href=^/x>",
	"<script><!-- - -><script> </script> </script><a href=^/x>",
	"<script><!-- -<-><script> </script> </script><a href=^/x>",
	"<script><!-- --\x7f><script> </script> </script><a href=^/x>",
	"<script><!-- --<><script> </script><a href=/x></script><a href=^/x>",
	"<script><!--</script><script><script></script><a href=^/x>",
	"<script><!-- ----><script> </script><a href=^/x>",
	"<script><!-- <script>x<!--</script></script><a href=^/x>",
	"<script>a<b/c<//d</ e</f<!g</script><a href=^/x>",
	"<script",
	"<script>",
	"<script></scrip",
	"<script></script",
	"<script></script ",
	"<script></script x",
	"<xmp><!--<script></xmp><a href=^/x>",
	"<style><!--<script></style><a href=^/x>",
	"<xmp><!--<xmp></xmp><a href=^/x>",

	/* SVG and MathML. */
	"<svg><![CDATA[<a href=/x>]]><a href=^/x></svg>",
	"<svg><![CDATA[<a href=/x>]>]]]><a href=^/x></svg>",
	"<svg><![CDATA[]]]x]>]] ><a href=/x>]]><a href=^/x>",
	"<svg><![cdata[<a href=/x>]]><a href=^/x></svg>",
	"<svg><![CDATAX><a href=^/x>]]>",
	"<svg><![CDAT><a href=^/x>]]>",
	"<svg/><![CDATA[><a href=^/x>]]>",
	"<svg></svg><![CDATA[><a href=^/x>]]>",
	"<svg><g></svg><![CDATA[><a href=^/x>]]>",
	"<svg><g></g><![CDATA[><a href=/x>]]>",
	"<svg><svg></svg><![CDATA[><a href=/x>]]>",
	"<svg><div><![CDATA[><a href=^/x>]]>",
	"<svg><p></svg><![CDATA[><a href=^/x>]]>",
	"<svg></p><![CDATA[><a href=^/x>]]>",
	"<svg></br><![CDATA[><a href=^/x>]]>",
	"<svg></g><![CDATA[><a href=/x>]]>",
	"<svg><foreignObject><![CDATA[><a href=/x>]]>",
	"<svg><foreignObject><p><![CDATA[><a href=^/x>]]>",
	"<svg><foreignObject><p></p><![CDATA[><a href=/x>]]>",
	"<svg><foreignObject><br></foreignObject><![CDATA[><a href=/x>]]>",
	"<svg><foreignObject><p></svg><![CDATA[><a href=^/x>]]>",
	"<svg><foreignObject></svg><![CDATA[><a href=^/x>]]>",
	"<svg><foreignObject><title><a href=/x></title></svg>",
	"<svg><foreignObject/><xmp><a href=^/x></xmp>",
	"<svg><foreignObject/><![CDATA[><a href=/x>]]>",
	"<svg><desc><svg><![CDATA[><a href=/x>]]></svg></desc></svg><![CDATA[>"
	"<a href=^/x>",
	"<math><mi><![CDATA[><a href=/x>]]><xmp><a href=/x></xmp>",
	"<math><![CDATA[<a href=/x>]]></math><![CDATA[><a href=^/x>",
	"<svg><title><a href=^/x></a></title><style><a href=^/x></style></svg>",
	"<svg><title><a href=^/x></title><style><a href=/x></style></svg>",
	"<svg><script><a href=^/x></script></svg><script><a href=/x></script>",
	"<svg><mi><xmp><a href=^/x></xmp></svg>",
	"<math><desc><xmp><a href=^/x></xmp></math>",
	"<svg><use xlink:href=^/x><image href=^/x></svg>",
	"</svg><![CDATA[><a href=^/x>]]>",
};

static const char *const injections[] = {
	"$",
	" \t\r\n\f$",
	"\xef\xbb\xbf$",
	"\xef\xbb\xbf\n<head>$",
	"$\xef\xbc\x81",
	"$\xef \xbb\xbf",
	"$\xef\xbb<head>",
	"$\xef\xbb",
	" $\xbb\xbf<head>",
	" $\xef\xbb\xbf<head>",
	"$text",
	" $text<head>",
	"$\x7f<head>",
	"$&#32;<head>",
	"<head>$",
	"<HEAD>$<title>",
	"<head\nid='>'>$<head>",
	"<head/>$",
	"<html><head>$<script></script>",
	"<!doctype html><html lang=en>\n<head>$\n<meta charset=utf-8>",
	"<html>$<body>",
	"<html>$</html>",
	"<html>$</head>",
	"$</body>",
	"$</br>",
	"</p></x></title><head>$",
	"$<header>",
	"$<headx>",
	"$<he>",
	"$<h\x7f>",
	"$<template><head></head></template>",
	"$<svg><head></svg>",
	"$<title><head></title><head>",
	"$<script><head></script><head>",
	"$<p><head>",
	"$<meta charset=utf-8><head>",
	"<!-- <head> --><head>$",
	"<!-- x -->$",
	"<!-- x -->$x",
	"<?x?></ x><!x></><head>$",
	"$<",
	"$</",
	"$<a",
	"$</a",
	"$<a href=^/x>",
	"$<>",
	"$<1",
	"$<<head>",
	"<![CDATA[x]]><head>$",
};

/* What is left open is closed first, or the injection would be in it. */
static const struct {
	const char *page;
	const char *expected;
} opens[] = {
	{ "<html ", "<html ><I>" },
	{ "<html/", "<html/><I>" },
	{ "<html a", "<html a><I>" },
	{ "<html a=", "<html a=><I>" },
	{ "<html a=b", "<html a=b><I>" },
	{ "<html a=\"'", "<html a=\"'\"><I>" },
	{ "<html a='>\"", "<html a='>\"'><I>" },
	{ "<html a=''", "<html a=''><I>" },
	{ "</p ", "</p ><I>" },
	{ "<head ", "<head ><I>" },
	{ "<!", "<!><I>" },
	{ "<!-", "<!-><I>" },
	{ "<?", "<?><I>" },
	{ "<!doctype", "<!doctype><I>" },
	{ "<!--", "<!----><I>" },
	{ "<!---", "<!----><I>" },
	{ "<!----", "<!----><I>" },
	{ "<!--x", "<!--x--><I>" },
	{ "<!--x-", "<!--x--><I>" },
	{ "<!--x--", "<!--x--><I>" },
	{ "<!--x--!", "<!--x--!><I>" },
};

static void
test_tokens(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		page_check("", tokens[i]);
}

static void
test_injection(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(injections) / sizeof(injections[0]); i++)
		page_check(PAGE_INJECTION, injections[i]);
}

static void
test_open(void **state)
{
	struct page in, expected;
	size_t i, split;

	(void)state;
	for (i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		in = page_unmark(opens[i].page, strlen(opens[i].page), false);
		expected = page_unmark(
		    opens[i].expected, strlen(opens[i].expected), false);
		for (split = 0; split <= in.len; split++)
			page_check_split(
			    PAGE_INJECTION, &in, &expected, split, SIZE_MAX);
		free(in.data);
		free(expected.data);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
