#include "html_page.h"

/* Values, with the marks of html_page.h. */
static const char *const urls[] = {
	/* Which attributes of which elements. */
	"<a href=^/x src=^/x action=^/x formaction=^/x poster=^/x cite=^/x>",
	"<html background=^/x longdesc=^/x manifest=^/x xlink:href=^/x>",
	"<base href=\"^/\">",
	"<object data=^/x></object><p data=/x>",
	"<meta data=/x content=/x>",
	"<a icon=/x srcdoc=/x value=/x title=/x alt=/x style=/x content=/x>",
	"<XlinK:hreF xLINK:Href=^/x>",

	/* Which URLs. */
	"<a href='//h/x'><a href='/\\h'><a href='x'><a href='./x'><a href=\\x>",
	"<a href='http://h/x'><a href='data:,/x'><a href='#/x'><a href='?/x'>",
	"<a href=''><a href=\"\"><a href='^/'>",
	"<a href='/c/b/x'><a href='/c/b/'><a href='^/c/bx'><a href='^/c'>",
	"<a href='/c/b~'><a href='/c/b~?x'><a href='/c/b~#x'><a href=/c/b~>",
	"<a href=/c/b~ id=x><a href=\"/c/b~\"/>",
	"<a href=' \n\x01 ^/x'><a href='^/x \t'><a href='/c/b~ \n'>",
	"<a href='\t/\n/h'><a href='\t^/\nx\t/'><a href='/\r\\h'><a href='/\t/'>",
	"<a href='/c\n/b~'><a href='\n/c/\tb/x'><a href='^/ /x'>",
	"<a href='^/\x01/x'><a href='^/c/b x'><a href='^/c/b\x7f'>",
	"<a href='^/\xc3\xa4'><a href='\xc3\xa4/x'><a href='\xc2\xa0/x'>",

	/* Character references. */
	"<a href='^/a&amp;b'><a href='^/&'><a href='&/x'><a href='&amp;/x'>",
	"<a href='^&#47;x'><a href=^&#47x><a href=^&#x2f;x><a href=^&#X2Fx>",
	"<a href=^&#x2fg><a href='&#x2fa'><a href=^&#0000000000000000000047;x>",
	"<a href='^&sol;x'><a href=&sol=x><a href=&solx><a href=&sol>",
	"<a href=&SOL;x><a href=&so;l><a href='&sol'><a href='&'><a href=&#>",
	"<a href='&#;/x'><a href='&#x;/x'><a href='&#xg/x'><a href=&#>",
	"<a href='/&#47;h'><a href='/&sol;h'><a href='/&bsol;h'><a href='/&#92h'>",
	"<a href='&#9;^/x'><a href='&#9^/x'><a href=&Tab;^/x><a href=&NewLine;^/x>",
	"<a href='^/&Tab;x'><a href='/&Tab;/x'><a href='&#32;&#1;^/x'>",
	"<a href='&#0;/x'><a href='&#x80;/x'><a href='&#128;/x'>",
	"<a href='&#303;x'><a href='&#x10002f;x'><a href='&#x10000002f;x'>",
	"<a href='&nbsp;/x'><a href='^/&nbsp;'><a href='^/&copy'>",
	"<a href='/c/&#98~'><a href='/c/b~&quest;'><a href='/c/b~&num;'>",
	"<a href='/c/b&#47;x'><a href='/c/b&sol;'><a href='^/c/b&sol'>",
	"<a href='/c/&#98;~?a&amp;b'><a href='&#x2F;c&sol;b~'>",
	"<a href='^/c/b&abcdefghijklmnopqrstuvwxyz;'><a href='^/&amp'>",
	"<a href='^/&'><a href='^/&&amp;&'><a href='&&sol;'><a href='^&sol;&'>",
	"<a href='&ampx;/'><a href='&amp=/'><a href='&lt/x'><a href='^/&lt/x'>",

	/* Lists. */
	"<a ping='^/x ^/y\n//h x\t/c/b~ ^/z'><a ping=^/x><a ping=' ^/x '>",
	"<a ping='/c/b~ /c/b~'><a ping='^/&#32;^/'><a ping='^&#47 ^/x'>",
	"<a ping=''><a ping=' '><a ping='^/,/x'>",
};

static const char *const srcsets[] = {
	"<img srcset='^/x'>",
	"<img srcset=^/x>",
	"<img srcset='^/'>",
	"<source imagesrcset='^/x 1x, ^/y 2x'>",
	"<img srcset='^/x 100w,^/y 200w,^/z'>",
	"<img srcset='^/x,/y 2x'>",
	"<img srcset='^/x, ^/y'>",
	"<img srcset='^/x,,, ^/y'>",
	"<img srcset=', ,^/x , ^/y'>",
	"<img srcset='^/a,b/w_1,h_2/x.png 1x, ^/a,/c 2x'>",
	"<img srcset='^/x calc(1, /y), ^/z'>",
	"<img srcset='^/x (1,(2), ^/z'>",
	"<img srcset='^/x 1(, /y'>",
	"<img srcset='^/x(1, ^/y) 2x'>",
	"<img srcset='^/x) 2x, ^/y'>",
	"<img srcset='data:,a 1x, ^/y 2x'>",
	"<img srcset='x/y 1x,//h/x 2x, http://h/x'>",
	"<img srcset='/c/b~, /c/b~,, /c/b~ 2x, /c/b~'>",
	"<img srcset='/c/b~,'>",
	"<img srcset='^/c/b,x 1x'>",
	"<img srcset='/c/b/,x 1x'>",
	"<img srcset='\n\t^/x\n\f1x\r,\n^/y'>",
	"<img srcset='^&sol;x&#32;1x&comma;^&#x2f;y&comma; ^/z'>",
	"<img srcset='^/x 1x&#44&#32^/y 2x'>",
	"<img srcset='^/x&lpar;&#44;&#32;^/y'>",
	"<img srcset='^/x 1x;/y, ^/z'>",
	"<img srcset=''>",
	"<img srcset=','>",
};

static const char *const refreshes[] = {
	"<meta http-equiv=refresh content='5; url=^/x'>",
	"<meta content='5; url=^/x' http-equiv=refresh>",
	"<meta content='5; url=^/x'http-equiv='REFRESH'/>",
	"<meta content='5; url=/x' http-equiv=refresh",
	"<META HTTP-EQUIV='Refresh' CONTENT='0;URL=^/x'>",
	"<meta http-equiv='&#114;efresh' content='0;^/x'>",
	"<meta http-equiv=refresh content='0;^/x' content='0;/y'>",
	"<meta http-equiv=x http-equiv=refresh content='0;/x'>",
	"<meta content='0;/x' http-equiv=x http-equiv=refresh>",
	"<meta http-equiv content='0;/x' name=refresh>",
	"<meta content='0;/x' http-equiv>",
	"<meta http-equiv=' refresh' content='0;/x'>",
	"<meta http-equiv=refreshx content='0;/x'>",
	"<meta http-equiv=refresx content='0;/x'>",
	"<meta content='0;/x' name=refresh>",
	"<meta content='0;/x'>",
	"<a http-equiv=refresh content='0;/x'>",
	"<meta content='0; url=^/x' background=^/y http-equiv=refresh src=^/z>",
	"<meta content='0; url=/x' background=^/y src=^/z>",
	"<meta content='0; /c/b~' http-equiv=refresh>",
	"<meta content='0; &sol;x' data-x='&sol;' http-equiv=x>",
	"<meta http-equiv=refresh content='\n 05 ;\tuRl\n=\f\"^/x\"y'>",
	"<meta http-equiv=refresh content='0;url=&quot;^/x&quot; /y'>",
	"<meta http-equiv=refresh content='0;url=&quot;/c/b~&quot /y'>",
	"<meta http-equiv=refresh content='0;url=&quot;^/c/b&quotx'>",
	"<meta http-equiv=refresh content='0;url=&quot;^/c/b&quot='>",
	"<meta http-equiv=refresh content=\"0;url='^/x\">",
	"<meta http-equiv=refresh content=\"0;'^/x'/y\">",
	"<meta http-equiv=refresh content=\"0;''/y\">",
	"<meta http-equiv=refresh content=\"0;'/c/b~'x\">",
	"<meta http-equiv=refresh content=\"0;'/c/b~ 'x\">",
	"<meta http-equiv=refresh content='0;url=\"^/c/b&apos;\"'>",
	"<meta http-equiv=refresh content='0, ^/x'>",
	"<meta http-equiv=refresh content='0 ^/x'>",
	"<meta http-equiv=refresh content='0 ; ^/x'>",
	"<meta http-equiv=refresh content='0;;/x'>",
	"<meta http-equiv=refresh content='0,;/x'>",
	"<meta http-equiv=refresh content='0 , url=^/x'>",
	"<meta http-equiv=refresh content='0 url=^/x'>",
	"<meta http-equiv=refresh content='0/x'>",
	"<meta http-equiv=refresh content='0url=/x'>",
	"<meta http-equiv=refresh content=';/x'>",
	"<meta http-equiv=refresh content='url=/x'>",
	"<meta http-equiv=refresh content='/x'>",
	"<meta http-equiv=refresh content='x0;/x'>",
	"<meta http-equiv=refresh content='-1;/x'>",
	"<meta http-equiv=refresh content='.5;^/x'>",
	"<meta http-equiv=refresh content='.;^/x'>",
	"<meta http-equiv=refresh content='1.5.7;^/x'>",
	"<meta http-equiv=refresh content='1.5x;/x'>",
	"<meta http-equiv=refresh content='0;ur/x'>",
	"<meta http-equiv=refresh content='0;u/x'>",
	"<meta http-equiv=refresh content='0;url/x'>",
	"<meta http-equiv=refresh content='0;urn=/x'>",
	"<meta http-equiv=refresh content='0;url = = /x'>",
	"<meta http-equiv=refresh content='0;url=url=/x'>",
	"<meta http-equiv=refresh content='0;url=//h'>",
	"<meta http-equiv=refresh content='0;url=^/x /y;/z'>",
	"<meta http-equiv=refresh content='0'>",
	"<meta http-equiv=refresh content=''>",
	"<meta http-equiv=refresh content='0&semi;url&equals;^&sol;x'>",
	"<meta http-equiv=content-security-policy content='0;/x'>",
};

/* What CSS is has tests of its own; here is how it gets there. */
static const char *const styles[] = {
	"<style>a{b:url(^/x)}</style>",
	"<STYLE type=x>a{b:url('^/x')}<!--</a></stylex></STYLE>url(/x)",
	"<style>@import '^/x';</style>@import '/x';<style>url(^/y)</style>",
	"<style>url(^/x",
	"<style>url(/c/b~",
	"<script>f('/c/b",
	"<script>f('/ap",
	"<style>url(/c/b~</style>",
	"<style>url(^/</style>",
	"<style>url('^/</s</style>",
	"<svg><style>url(/x)</style></svg>",
	"<xmp>url(/x)</xmp>",
	"<p style=background:url(^/x)>",
	"<p style='background:url(^/x)'>",
	"<p style=\"background:url('^/x')\">",
	"<p style=\"a:url(&quot;^/x&quot;);b:url(^/y)\">",
	"<p style=\"a:url(&quot^/x&quot)\">",
	"<p style='a:url(&#47;%x)'>",
	"<p style='a:url(&#47|%x)' style='url(/y)'>",
	"<p style='a:url(&#32;^/x&rpar;;b:&#117;rl&lpar;^/y)'>",
	"<p style='a:url(/c/&#98|~);b:url(/c/&#98;~)'>",
	"<p style='a:url(/c/b~'>",
	"<p style='a:url(/c/b~' id=x>",
	"<p style='a:url(^/'>",
	"<p style='a:url(&sol;/h);b:&amp;&amp;&;c:url(x)'>",
	"<p style=''><p style><p style=url(^/x)><p style='color:red'>",
	"<p style='content:\"\x7f\xc3\xa4\";a:url(^/\xc3\xa4)'>",
	"<p style='a:url(^/c/)'><p style='a:url(^/c)'><p style='a:url(^/cc/b)'>",
	"</p style='a:url(/x)'>",
};

static const char *const scripts[] = {
	"<script>f('^/api/x')</script>'/api/x'<script>f('^/api/y')</script>",
	"<script>f('^/api/x')",
	"<script>f('/api/</script>",
	"<script>a<b;f('^/api/x')</scriptx>f(\"^/api\")</script",
	"<script><!-- <script>f('^/api/x')</script>f('^/api/y')</script>'/api/x'",
	"<script type>'^/api/'</script>",
	"<script type=''>'^/api/'</script>",
	"<script type=' '>'/api/'</script>",
	"<script type=module>'^/api/'</script>",
	"<script type=MODULE>'^/api/'</script>",
	"<script type='\tmodule\n'>'^/api/'</script>",
	"<script type='mo&#100;ule'>'^/api/'</script>",
	"<script type=importmap>'^/api/'</script>",
	"<script type=speculationrules>'^/api/'</script>",
	"<script type=text/javascript>'^/api/'</script>",
	"<script type=Text/JavaScript1.5>'^/api/'</script>",
	"<script type=text/javascript1.6>'/api/'</script>",
	"<script type=text/jscript>'^/api/'</script>",
	"<script type=application/javascript>'^/api/'</script>",
	"<script type=application/x-ecmascript>'^/api/'</script>",
	"<script type='text/javascript;charset=utf-8'>'/api/'</script>",
	"<script type=text/>'/api/'</script>",
	"<script type=text/module>'/api/'</script>",
	"<script type=text/template>'/api/'</script>",
	"<script type=application/json>'/api/'</script>",
	"<script type=application/ld+json>'/api/'</script>",
	"<script type=thisisavaluethatislongerthanallthosethataremeant>'/api/'"
	"</script>",
	"<script type=module type=x>'^/api/'</script>",
	"<script type=x type=module>'/api/'</script>",
	"<script language>'^/api/'</script>",
	"<script language=''>'^/api/'</script>",
	"<script language=JavaScript>'^/api/'</script>",
	"<script language=javascript1.2>'^/api/'</script>",
	"<script language=vbscript>'/api/'</script>",
	"<script language=vbscript type>'^/api/'</script>",
	"<script language=javascript type=x>'/api/'</script>",
	"<script language=vbscript></script><script>'^/api/'</script>",
	"<script type=x></script><script>'^/api/'</script>",
};

static const char *const integrities[] = {
	"<script src=^/x `integrity=y></script>",
	"<script `integrity=y src=^/x></script>",
	"<script `INTEGRITY='y'src=^/x></script>",
	"<script/`integrity/src=^/x></script>",
	"<script `integrity=y crossorigin src='^/x'defer></script>",
	"<script `integrity=y `integrity=z src=^/x `integrity=z></script>",
	"<script src=x `integrity=y></script>",
	"<script src=./x `integrity=y></script>",
	"<script src=x.y:/z integrity=y></script>",
	"<script `integrity=y src=x.y?:/z></script>",
	"<script integrity=y src=' x:y '></script>",
	"<script `integrity=y src='/c/b/x'></script>",
	"<script `integrity=y src='/c/b~'></script>",
	"<script `integrity=y src='^/'></script>",
	"<script `integrity=y src='?x'></script>",
	"<script `integrity=y src='^&#x2f;&#9;x'></script>",
	"<script `integrity=y src='1:'></script>",
	"<script `integrity=y src='x :'></script>",
	"<script integrity=y src=''></script>",
	"<script integrity=y src></script>",
	"<script integrity=y></script>",
	"<script integrity=y src=//h/x></script>",
	"<script integrity=y src='/\t/h/x'></script>",
	"<script integrity=y src=/\\h/x></script>",
	"<script integrity=y src='\\\\h/x'></script>",
	"<script integrity=y src=' h\nttps://h/x'></script>",
	"<script src=https://h/x integrity=y></script>",
	"<script integrity=y src=https://h/x src=/x></script>",
	"<script integrity=y href=^/x></script>",
	"<script integrit=y integrityx=y src=^/x></script>",
	"<script `integrity=y src=^/x",
	"</script integrity=y src=/x>",
	"<link href=^/x `integrity=y>",
	"<link `integrity=y rel=stylesheet href=^/x>",
	"<link `integrity=y imagesrcset='^/x 1x, ^/y 2x' href=^/x src=^/z>",
	"<link integrity=y imagesrcset='^/x 1x, ^/y 2x' href=//x src=^/z>",
	"<link integrity=y src=^/x>",
	"<link integrity=y style=url(/x)>",
	"<link style=url(^/x) `integrity=y href=^/x>",
	"<img integrity=y src=^/x href=^/x>",
};

static void
check_all(const char *const *table, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		page_check("", table[i]);
}

#define CHECK_ALL(table) check_all(table, sizeof(table) / sizeof((table)[0]))

static void
test_urls(void **state)
{
	(void)state;
	CHECK_ALL(urls);
}

static void
test_srcsets(void **state)
{
	(void)state;
	CHECK_ALL(srcsets);
}

static void
test_refreshes(void **state)
{
	(void)state;
	CHECK_ALL(refreshes);
}

static void
test_styles(void **state)
{
	(void)state;
	CHECK_ALL(styles);
}

static void
test_scripts(void **state)
{
	(void)state;
	CHECK_ALL(scripts);
}

static void
test_integrities(void **state)
{
	(void)state;
	CHECK_ALL(integrities);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_srcsets),
		cmocka_unit_test(test_refreshes),
		cmocka_unit_test(test_styles),
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_integrities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
