#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "proxyd/rewrite_fields.h"

#define LINE_MAX_SIZE 131072

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct prefix prefix = { .text = "/c/box/p", .len = 8 };

static struct rewrite_fields
how_to(enum rewrite_fields_body body)
{
	return (struct rewrite_fields){
		.prefix = &prefix,
		.upstream = "http://127.0.0.1:3001",
		.body = body,
		.utf8 = true,
		.version = "1.0",
		.script_hash = "sha256-AAAA",
	};
}

/* Rewrite a head of lines, and write what is left in the same way. */
static char *
rewrite(const struct rewrite_fields *how, const char *head)
{
	struct headers headers = { .lines_max = 256, .size_max = 131072 };
	char *text = NULL;
	size_t len, i;
	FILE *out;

	for (; *head != '\0'; head += len + (head[len] == '\n' ? 1 : 0)) {
		len = strcspn(head, "\n");
		assert_int_equal(headers_line(&headers, head, len), 0);
	}
	assert_int_equal(rewrite_fields(&headers, how), 0);
	assert_non_null(out = open_memstream(&text, &len));
	for (i = 0; i < headers.count; i++)
		(void)fprintf(out, "%s%s: %s", i > 0 ? "\n" : "",
		    headers.list[i].name, headers.list[i].value);
	assert_int_equal(fclose(out), 0);
	headers_clear(&headers);
	return text;
}

struct row {
	const char *in, *out;
};

static void
check(const struct rewrite_fields *how, const struct row *rows, size_t count)
{
	char *out;
	size_t i;

	for (i = 0; i < count; i++) {
		out = rewrite(how, rows[i].in);
		if (strcmp(out, rows[i].out) != 0)
			fail_msg("\n%s\nbecame\n%s\nnot\n%s", rows[i].in, out,
			    rows[i].out);
		free(out);
	}
}

/* Whatever the body. */
static const struct row any[] = {
	{ "", "" },
	{ "X-Frame-Options: DENY\nContent-Disposition: inline",
	    "x-frame-options: DENY\ncontent-disposition: inline" },
	/* URLs */
	{ "Location: /x?a#b", "location: /c/box/p/x?a#b" },
	{ "Location: /", "location: /c/box/p/" },
	{ "Location: /c/box/p", "location: /c/box/p/" },
	{ "Location: /c/box/p/x", "location: /c/box/p/x" },
	{ "Location: /c/box/px", "location: /c/box/p/c/box/px" },
	{ "Location: x", "location: x" },
	{ "Location: ../x", "location: ../x" },
	{ "Location: ?x", "location: ?x" },
	{ "Location:", "location: " },
	{ "Location: //host/x", "location: //host/x" },
	{ "Location: /\\host/x", "location: /\\host/x" },
	{ "Location: /x\nLocation: /y",
	    "location: /c/box/p/x\nlocation: /c/box/p/y" },
	{ "Content-Location: /x", "content-location: /c/box/p/x" },
	{ "SourceMap: /x.map", "sourcemap: /c/box/p/x.map" },
	{ "X-SourceMap: /x.map", "x-sourcemap: /c/box/p/x.map" },
	/* the upstream's own */
	{ "Location: http://127.0.0.1:3001/x?a", "location: /c/box/p/x?a" },
	{ "Location: HTTP://LocalHost:3001/x", "location: /c/box/p/x" },
	{ "Location: http://[::1]:3001/x", "location: /c/box/p/x" },
	{ "Location: http://127.0.0.1:03001/x", "location: /c/box/p/x" },
	{ "Location: http://127.0.0.1:3001", "location: /c/box/p/" },
	{ "Location: http://127.0.0.1:3001?a", "location: /c/box/p/?a" },
	{ "Location: http://127.0.0.1:3001#a", "location: /c/box/p/#a" },
	{ "Location: http://127.0.0.1:3001//evil", "location: /c/box/p//evil" },
	{ "Location: http://127.0.0.1:3001/\t/evil",
	    "location: /c/box/p/\t/evil" },
	{ "Location: http://127.0.0.1:3001\\x", "location: /c/box/p/\\x" },
	{ "Location: http://127.0.0.1:3001/c/box/p/x", "location: /c/box/p/x" },
	{ "Content-Location: http://localhost:3001/x",
	    "content-location: /c/box/p/x" },
	/* and what only looks like that */
	{ "Location: https://127.0.0.1:3001/x",
	    "location: https://127.0.0.1:3001/x" },
	{ "Location: http://127.0.0.1/x", "location: http://127.0.0.1/x" },
	{ "Location: http://127.0.0.1:/x", "location: http://127.0.0.1:/x" },
	{ "Location: http://127.0.0.1:30010/x",
	    "location: http://127.0.0.1:30010/x" },
	{ "Location: http://127.0.0.1:68537/x",
	    "location: http://127.0.0.1:68537/x" },
	{ "Location: http://127.0.0.1:3001@evil/x",
	    "location: http://127.0.0.1:3001@evil/x" },
	{ "Location: http://a@127.0.0.1:3001/x",
	    "location: http://a@127.0.0.1:3001/x" },
	{ "Location: http://127.0.0.1.evil:3001/x",
	    "location: http://127.0.0.1.evil:3001/x" },
	{ "Location: http://evil#@127.0.0.1:3001/x",
	    "location: http://evil#@127.0.0.1:3001/x" },
	{ "Location: http://[::1]x3001/x", "location: http://[::1]x3001/x" },
	{ "Location: http://[::1", "location: http://[::1" },
	{ "Location: http://", "location: http://" },
	{ "Location: http:/x", "location: http:/x" },
	{ "Location: ws://127.0.0.1:3001/x",
	    "location: ws://127.0.0.1:3001/x" },
	/* Refresh */
	{ "Refresh: 5; url=/x", "refresh: 5; url=/c/box/p/x" },
	{ "Refresh: 5;URL = '/x' y", "refresh: 5;URL = '/c/box/p/x' y" },
	{ "Refresh: 0, url=\"/x'\"", "refresh: 0, url=\"/c/box/p/x'\"" },
	{ "Refresh: 0.5 /x", "refresh: 0.5 /c/box/p/x" },
	{ "Refresh: ; '/x", "refresh: ; '/x" },
	{ "Refresh: .; '/x", "refresh: .; '/c/box/p/x" },
	{ "Refresh: 5; url=x", "refresh: 5; url=x" },
	{ "Refresh: 5; url /x", "refresh: 5; url /x" },
	{ "Refresh: 5; url'/x", "refresh: 5; url'/x" },
	{ "Refresh: 5; url='/c/box/p' y", "refresh: 5; url='/c/box/p/' y" },
	{ "Refresh: 5; url=\" /x \"", "refresh: 5; url=\"/c/box/p/x\"" },
	{ "Refresh: 5; url=http://localhost:3001/x",
	    "refresh: 5; url=/c/box/p/x" },
	{ "Refresh: 5", "refresh: 5" },
	{ "Refresh: 5;", "refresh: 5;" },
	{ "Refresh: 5/x", "refresh: 5/x" },
	{ "Refresh: x; url=/x", "refresh: x; url=/x" },
	/* Link */
	{ "Link: </x>; rel=preload, </y>; rel=\"a,</b>\", <z>",
	    "link: </c/box/p/x>; rel=preload, </c/box/p/y>;"
	    " rel=\"a,</b>\", <z>" },
	{ "Link: </x>;a=\"\\\",</n>\",</y>",
	    "link: </c/box/p/x>;a=\"\\\",</n>\",</c/box/p/y>" },
	{ "Link: </x>,\t</y,z>", "link: </c/box/p/x>,\t</c/box/p/y,z>" },
	{ "Link: < /x>; a=</n>", "link: </c/box/p/x>; a=</n>" },
	{ "Link: </x>; a=\"</n>, </n>", "link: </c/box/p/x>; a=\"</n>, </n>" },
	{ "Link: </x>; a=\"\\", "link: </c/box/p/x>; a=\"\\" },
	{ "Link: </x>, </n, n", "link: </c/box/p/x>, </n, n" },
	{ "Link: <//host/x>", "link: <//host/x>" },
	{ "Link: <http://localhost:3001/x>", "link: </c/box/p/x>" },
	{ "Link: <>", "link: <>" },
	{ "Link: </x></n>", "link: </c/box/p/x></n>" },
	/* cookies */
	{ "Set-Cookie: a=b", "set-cookie: a=b; Path=/c/box/p/" },
	{ "Set-Cookie: a=b; Path=/", "set-cookie: a=b; Path=/c/box/p/" },
	{ "Set-Cookie: a=b; path = /x ;Secure",
	    "set-cookie: a=b;Secure; Path=/c/box/p/x" },
	{ "Set-Cookie: a=b; HttpOnly;PATH=/x;SameSite=Lax;x",
	    "set-cookie: a=b; HttpOnly;SameSite=Lax;x; Path=/c/box/p/x" },
	{ "Set-Cookie: a=b; Path=/x; Path=/y",
	    "set-cookie: a=b; Path=/c/box/p/y" },
	{ "Set-Cookie: a=b; Path=/x; Path", "set-cookie: a=b; Path=/c/box/p/" },
	{ "Set-Cookie: a=b; Path=", "set-cookie: a=b; Path=/c/box/p/" },
	{ "Set-Cookie: a=b; Path=x", "set-cookie: a=b; Path=/c/box/p/" },
	{ "Set-Cookie: a=b; Path=//x", "set-cookie: a=b; Path=/c/box/p//x" },
	{ "Set-Cookie: a=b; Path=/c/box/p", "set-cookie: a=b; Path=/c/box/p/" },
	{ "Set-Cookie: a=b; Path=/c/box/p/x",
	    "set-cookie: a=b; Path=/c/box/p/x" },
	{ "Set-Cookie: a=b; Path=/c/box/other",
	    "set-cookie: a=b; Path=/c/box/p/c/box/other" },
	{ "Set-Cookie: a=b; Domain=h; domain; Max-Age=5",
	    "set-cookie: a=b; Max-Age=5; Path=/c/box/p/" },
	{ "Set-Cookie: a=b; xPath=/x; Paths=/x",
	    "set-cookie: a=b; xPath=/x; Paths=/x; Path=/c/box/p/" },
	{ "Set-Cookie: a=b; P=/x;;Dom",
	    "set-cookie: a=b; P=/x;;Dom; Path=/c/box/p/" },
	{ "Set-Cookie: path=/x; Domain=h", "set-cookie: path=/x; "
					   "Path=/c/box/p/" },
	{ "Set-Cookie: __Secure-a=b; Secure",
	    "set-cookie: __Secure-a=b; Secure; Path=/c/box/p/" },
	{ "Set-Cookie: __Host-a=b; Secure; Path=/\nSet-Cookie: c=d",
	    "set-cookie: c=d; Path=/c/box/p/" },
	{ "Set-Cookie: __hOST-a=b; Secure; Path=/", "" },
	{ "Set-Cookie: a=__Host-b", "set-cookie: a=__Host-b; Path=/c/box/p/" },
	/* the whole origin's, or another host's */
	{ "X-Refreshed-Token: x\nX-Tether-Denied: x\nWWW-Authenticate: Basic\n"
	  "Access-Control-Allow-Credentials: true\nClear-Site-Data: \"*\"\n"
	  "Service-Worker-Allowed: /\nOrigin-Agent-Cluster: ?1\n"
	  "Set-Login: logged-in\nSecure-Session-Registration: x\n"
	  "Sec-Session-Registration: x\nAccept-CH: x\nCritical-CH: x\n"
	  "Use-As-Dictionary: match=\"/*\"\nSpeculation-Rules: \"/x\"",
	    "" },
	{ "Strict-Transport-Security: max-age=1\nPublic-Key-Pins: x\n"
	  "Public-Key-Pins-Report-Only: x\nExpect-CT: x\nAlt-Svc: x\n"
	  "NEL: {}\nReport-To: {}\nReporting-Endpoints: a=\"/\"\n"
	  "X-Accel-Redirect: /x\nX-Sendfile: /x\nSurrogate-Control: x\n"
	  "CDN-Cache-Control: x\nCloudflare-CDN-Cache-Control: x",
	    "" },
	{ "Cross-Origin-Embedder-Policy: require-corp\nNEL: {}\n"
	  "Access-Control-Allow-Origin: *",
	    "cross-origin-embedder-policy: require-corp\n"
	    "access-control-allow-origin: *" },
};

static const struct row same[] = {
	{ "ETag: \"x\"\nLast-Modified: y\nAccept-Ranges: bytes\n"
	  "Cache-Control: immutable, max-age=9999\nExpires: y\nPragma: z\n"
	  "Content-MD5: a\nContent-Type: text/html\nContent-Length: 5\n"
	  "Content-Security-Policy: default-src 'none'",
	    "etag: \"x\"\nlast-modified: y\naccept-ranges: bytes\n"
	    "cache-control: immutable, max-age=9999\nexpires: y\npragma: z\n"
	    "content-md5: a\ncontent-type: text/html\ncontent-length: 5\n"
	    "content-security-policy: default-src 'none'" },
	{ "ETag: W/\"x\"", "etag: W/\"x\"" },
	{ "ETag: x", "etag: x" },
	/* one that would be taken for ours */
	{ "ETag: \"tether:1.0:s:x\"", "" },
	{ "ETag: W/\"tether:\"", "" },
	{ "ETag: \"tether\"", "etag: \"tether\"" },
};

static const struct row changed[] = {
	{ "Last-Modified: x\nAccept-Ranges: bytes\nContent-MD5: x\n"
	  "Digest: x\nContent-Digest: x\nRepr-Digest: x\nA: b\n"
	  "Content-Length: 5",
	    "a: b\ncontent-length: 5" },
	{ "ETag: \"x\"", "etag: W/\"tether:1.0:s:x\"" },
	{ "ETag: W/\"x\"", "etag: W/\"tether:1.0:w:x\"" },
	{ "ETag: \"\"", "etag: W/\"tether:1.0:s:\"" },
	{ "ETag: \"tether:1.0:s:x\"",
	    "etag: W/\"tether:1.0:s:tether:1.0:s:x\"" },
	{ "ETag: x", "" },
	{ "ETag: \"", "" },
	{ "ETag: W/", "" },
	{ "ETag: w/\"x\"", "" },
	{ "ETag: \"a\"b\"", "" },
	{ "ETag: \"a b\"", "" },
	{ "ETag: \"\xe9\"", "" },
	{ "Cache-Control: public, max-age=31536000, immutable",
	    "cache-control: public, max-age=3600, must-revalidate" },
	{ "Cache-Control: Immutable,must-revalidate,private=\"a, b\" , S-MaxAge",
	    "cache-control: must-revalidate, private=\"a, b\", S-MaxAge" },
	{ "Cache-Control: Must-Revalidate, x, immutable",
	    "cache-control: must-revalidate, x" },
	{ "Cache-Control: max-age=3600", "cache-control: max-age=3600" },
	{ "Cache-Control: max-age=3601", "cache-control: max-age=3600" },
	{ "Cache-Control: max-age=0, s-maxage=3601, max-stale=9999",
	    "cache-control: max-age=0, s-maxage=3600, max-stale=9999" },
	{ "Cache-Control: MAX-AGE = \"99999\"", "cache-control: MAX-AGE=3600" },
	{ "Cache-Control: max-age=99999999999999999999999999999",
	    "cache-control: max-age=3600" },
	{ "Cache-Control: max-age=-1, s-maxage=x, max-age, max-age=",
	    "cache-control: max-age=-1, s-maxage=x, max-age, max-age=" },
	{ "Cache-Control: a=\"\\\", immutable\", b",
	    "cache-control: a=\"\\\", immutable\", b" },
	{ "Cache-Control: a=\"b,immutable,c\"",
	    "cache-control: a=\"b,immutable,c\"" },
	{ "Cache-Control: a=\"\\\",immutable,\"",
	    "cache-control: a=\"\\\",immutable,\"" },
	{ "Cache-Control: , immutable=\"x\",",
	    "cache-control: must-revalidate" },
	{ "Cache-Control: no-store", "cache-control: no-store" },
	{ "Cache-Control: ,", "" },
	{ "Expires: Thu, 01 Jan 1970 00:00:00 GMT",
	    "expires: Thu, 01 Jan 1970 00:00:00 GMT" },
	{ "Expires: 0", "expires: 0" },
	{ "Expires: -1", "expires: -1" },
	{ "Expires: Fri, 01 Jan 2100 00:00:00 GMT", "" },
	{ "Expires: never", "" },
	{ "Pragma: no-cache", "pragma: no-cache" },
	{ "Content-Security-Policy: default-src 'none'",
	    "content-security-policy: default-src 'none'" },
	{ "Content-Type: text/css", "content-type: text/css" },
};

static const struct row page[] = {
	{ "", "cache-control: no-store" },
	{ "Last-Modified: x\nAccept-Ranges: bytes\nETag: \"x\"\nExpires: 0\n"
	  "Pragma: no-cache\nCache-Control: public\nContent-MD5: x\n"
	  "Digest: x\nContent-Digest: x\nRepr-Digest: x\n"
	  "Cache-Control: immutable\nA: b",
	    "a: b\ncache-control: no-store" },
	{ "Content-Type: text/html",
	    "content-type: text/html; charset=utf-8\ncache-control: no-store" },
	{ "Content-Type: text/html;x=y",
	    "content-type: text/html;x=y; charset=utf-8\n"
	    "cache-control: no-store" },
	{ "Content-Type: text/html;x=y; Charset=\"latin1\"",
	    "content-type: text/html;x=y; Charset=\"latin1\"\n"
	    "cache-control: no-store" },
	{ "Content-Type: text/html; charset=",
	    "content-type: text/html; charset=; charset=utf-8\n"
	    "cache-control: no-store" },
	{ "Content-Type:", "content-type: \ncache-control: no-store" },
	{ "Content-Security-Policy: script-src 'self'\n"
	  "Content-Security-Policy-Report-Only: connect-src x\n"
	  "Content-Security-Policy: connect-src y\n"
	  "Cross-Origin-Embedder-Policy: require-corp",
	    "content-security-policy: script-src 'self' 'sha256-AAAA'\n"
	    "content-security-policy-report-only: connect-src x 'self'\n"
	    "content-security-policy: connect-src y 'self'\n"
	    "cross-origin-embedder-policy: require-corp\n"
	    "cache-control: no-store" },
};

static void
test_any(void **state)
{
	struct rewrite_fields how;
	int body;

	(void)state;
	for (body = REWRITE_FIELDS_SAME; body <= REWRITE_FIELDS_CHANGED;
	     body++) {
		how = how_to((enum rewrite_fields_body)body);
		check(&how, any, COUNT(any));
	}
}

static void
test_same(void **state)
{
	struct rewrite_fields how = how_to(REWRITE_FIELDS_SAME);

	(void)state;
	check(&how, same, COUNT(same));
}

static void
test_changed(void **state)
{
	struct rewrite_fields how = how_to(REWRITE_FIELDS_CHANGED);

	(void)state;
	check(&how, changed, COUNT(changed));
}

static void
test_page(void **state)
{
	struct rewrite_fields how = how_to(REWRITE_FIELDS_PAGE);
	char *out, *expected;
	size_t i;

	(void)state;
	check(&how, page, COUNT(page));
	/* As on all other bodies. */
	for (i = 0; i < COUNT(any); i++) {
		out = rewrite(&how, any[i].in);
		assert_int_not_equal(
		    asprintf(&expected, "%s%scache-control: no-store",
			any[i].out, any[i].out[0] != '\0' ? "\n" : ""),
		    -1);
		assert_string_equal(out, expected);
		free(out);
		free(expected);
	}
}

static void
test_not_utf8(void **state)
{
	static const struct row rows[] = {
		{ "Content-Type: text/html",
		    "content-type: text/html\ncache-control: no-store" },
	};
	struct rewrite_fields how = how_to(REWRITE_FIELDS_PAGE);

	(void)state;
	how.utf8 = false;
	check(&how, rows, COUNT(rows));
}

static void
test_upstreams(void **state)
{
	static const struct row none[] = {
		{ "Location: /x", "location: /c/box/p/x" },
		{ "Location: http://127.0.0.1:3001/x",
		    "location: http://127.0.0.1:3001/x" },
	};
	static const struct row plain[] = {
		{ "Location: http://Box/x", "location: /c/box/p/x" },
		{ "Location: http://box:80/x", "location: /c/box/p/x" },
		{ "Location: http://box:/x", "location: /c/box/p/x" },
		{ "Location: http://box:443/x", "location: http://box:443/x" },
		{ "Location: https://box/x", "location: https://box/x" },
		{ "Location: http://localhost/x",
		    "location: http://localhost/x" },
	};
	static const struct row secure[] = {
		{ "Location: https://box:443/x", "location: /c/box/p/x" },
		{ "Location: https://box/x", "location: /c/box/p/x" },
		{ "Location: https://box:80/x", "location: https://box:80/x" },
	};
	struct rewrite_fields how = how_to(REWRITE_FIELDS_SAME);

	(void)state;
	how.upstream = NULL;
	check(&how, none, COUNT(none));
	how.upstream = "http://box";
	check(&how, plain, COUNT(plain));
	how.upstream = "https://box";
	check(&how, secure, COUNT(secure));
}

static void
test_expires(void **state)
{
	static const struct {
		int ahead;
		bool stays;
	} table[] = {
		{ -60, true },
		{ 60, true },
		{ REWRITE_FIELDS_AGE_MAX - 60, true },
		{ REWRITE_FIELDS_AGE_MAX + 60, false },
	};
	struct rewrite_fields how = how_to(REWRITE_FIELDS_CHANGED);
	char line[64], *out;
	struct tm tm;
	time_t when;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++) {
		when = time(NULL) + table[i].ahead;
		assert_non_null(gmtime_r(&when, &tm));
		(void)strftime(line, sizeof(line),
		    "expires: %a, %d %b %Y %H:%M:%S GMT", &tm);
		out = rewrite(&how, line);
		assert_string_equal(out, table[i].stays ? line : "");
		free(out);
	}
}

/* One line of LINE_MAX_SIZE bytes: start, and then parts in a row. */
static int
rewrite_long(const struct rewrite_fields *how, const char *start,
    const char *part, struct headers *headers)
{
	size_t len = strlen(start), n = strlen(part);
	char *line = malloc(LINE_MAX_SIZE);

	assert_non_null(line);
	memcpy(line, start, len);
	for (; len + n <= LINE_MAX_SIZE; len += n)
		memcpy(line + len, part, n);
	assert_int_equal(headers_line(headers, line, len), 0);
	free(line);
	return rewrite_fields(headers, how);
}

/* The worst that fits is either rewritten or refused, and soon. */
static void
test_long(void **state)
{
	static const struct {
		const char *start, *part;
		int result;
	} table[] = {
		{ "link:", "</>,", -1 },
		{ "link:", "</", 0 },
		{ "link:", "\"\\", 0 },
		{ "link:", "\"<", 0 },
		{ "location:/", "/", 0 },
		{ "location:http://", "[", 0 },
		{ "refresh:0;", "'", 0 },
		{ "refresh:", "0", 0 },
		{ "set-cookie:a", ";path", 0 },
		{ "set-cookie:a", ";=", 0 },
		{ "cache-control:", "a,", 0 },
		{ "cache-control:", "\"\\", 0 },
		{ "cache-control:max-age=", "9", 0 },
		{ "etag:\"", "\"", 0 },
		{ "expires:", "1 ", 0 },
		{ "content-security-policy:", ",", 0 },
		{ "content-security-policy:", ";", 0 },
		{ "content-security-policy:script-src", " a", 0 },
		{ "content-security-policy:default-src", " 'nonce-a", 0 },
		{ "content-security-policy:", "default-src;", 0 },
		{ "content-security-policy:", "default-src,", 0 },
		{ "content-type:", ";", 0 },
	};
	struct headers headers = { .lines_max = 256, .size_max = 131072 };
	struct rewrite_fields how;
	struct prefix longest = { .text = "/", .len = REQUEST_BASE_MAX };
	int body, result;
	size_t i;

	(void)state;
	memset(longest.text + 1, 'a', longest.len - 1);
	for (body = REWRITE_FIELDS_SAME; body <= REWRITE_FIELDS_PAGE; body++) {
		for (i = 0; i < COUNT(table); i++) {
			how = how_to((enum rewrite_fields_body)body);
			how.prefix = &longest;
			result = rewrite_long(
			    &how, table[i].start, table[i].part, &headers);
			if (result != table[i].result)
				fail_msg("%s%s", table[i].start, table[i].part);
			headers_clear(&headers);
		}
	}
}

/* From the browser, for the target, to the upstream; NULL: not sent. */
static const struct {
	const char *header, *target, *out;
} conditions[] = {
	{ "Accept: */*", "/", "Accept: */*" },
	{ "Accept;", "/", "Accept;" },
	{ "If: x", "/", "If: x" },
	{ "If-None-Matches: x", "/", "If-None-Matches: x" },
	/* our tags, for any target */
	{ "If-None-Match: W/\"tether:1.0:s:x\"", "/a.js",
	    "if-none-match: \"x\"" },
	{ "IF-NONE-MATCH: W/\"tether:1.0:w:x\"", "/a.png",
	    "if-none-match: W/\"x\"" },
	{ "If-None-Match: \"tether:1.0:s:\"", "/", "if-none-match: \"\"" },
	{ "If-None-Match:W/\"tether:1.0:s:tether:1.0:w:x\"", "/",
	    "if-none-match: \"tether:1.0:w:x\"" },
	{ "If-None-Match: W/\"tether:1.0:s:a,b\", W/\"tether:1.0:w:c\"", "/",
	    "if-none-match: \"a,b\", W/\"c\"" },
	{ "If-Match: W/\"tether:1.0:s:x\"", "/", "if-match: \"x\"" },
	/* another version's, or nearly ours */
	{ "If-None-Match: W/\"tether:0.9:s:x\"", "/a.js", NULL },
	{ "If-None-Match: W/\"tether:0.9:s:x\"", "/a.png", NULL },
	{ "If-None-Match: W/\"tether:1.01:s:x\"", "/a.png", NULL },
	{ "If-None-Match: W/\"tether:1.0:x:x\"", "/a.png", NULL },
	{ "If-None-Match: W/\"tether:1.0:s\"", "/a.png", NULL },
	{ "If-None-Match: W/\"tether:\"", "/a.png", NULL },
	{ "If-None-Match: W/\"tether:0.9:s:x\",\"y\",W/\"tether:1.0:s:z\"",
	    "/a.png", "if-none-match: \"y\", \"z\"" },
	{ "If-None-Match: W/\"tether:0.9:s:x\",\"y\",W/\"tether:1.0:s:z\"",
	    "/a.js", "if-none-match: \"z\"" },
	{ "If-Match: W/\"tether:0.9:s:x\"", "/a.js",
	    "if-match: W/\"tether:0.9:s:x\"" },
	/* the upstream's */
	{ "If-None-Match: \"x\", W/\"y,z\" ,a b", "/a.png",
	    "if-none-match: \"x\", W/\"y,z\", a b" },
	{ "If-None-Match: \"x\"", "/a.js", NULL },
	{ "If-None-Match: \"tether\"", "/a.js", NULL },
	{ "If-None-Match: \"x", "/a.png", "if-none-match: \"x" },
	{ "If-None-Match: ,", "/a.png", NULL },
	{ "If-None-Match: *", "/a.js", "If-None-Match: *" },
	{ "If-None-Match:  * ", "/", "If-None-Match:  * " },
	{ "If-Match: *", "/", "If-Match: *" },
	{ "If-Match: \"x\"", "/", "if-match: \"x\"" },
	{ "If-None-Match;", "/", NULL },
	{ "If-None-Match;", "/a.png", "If-None-Match;" },
	/* dates and ranges */
	{ "If-Modified-Since: x", "/a.js", NULL },
	{ "If-Modified-Since: x", "/a.png", "If-Modified-Since: x" },
	{ "If-Unmodified-Since: x", "/", "If-Unmodified-Since: x" },
	{ "Range: bytes=0-", "/", NULL },
	{ "range: bytes=0-", "/a.mp4", "range: bytes=0-" },
	{ "If-Range: \"x\"", "/", NULL },
	{ "If-Range: W/\"tether:1.0:s:x\"", "/a.mp4",
	    "If-Range: W/\"tether:1.0:s:x\"" },
};

static void
test_conditions(void **state)
{
	char *out;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(conditions); i++) {
		out = rewrite_fields_condition(
		    conditions[i].header, conditions[i].target, "1.0");
		if ((out == NULL) != (conditions[i].out == NULL) ||
		    (out != NULL && strcmp(out, conditions[i].out) != 0))
			fail_msg("%s for %s became %s", conditions[i].header,
			    conditions[i].target, out != NULL ? out : "NULL");
		free(out);
	}
}

static void
test_long_conditions(void **state)
{
	static const char *const parts[] = { ",", "\"", "W/\"", "\"x\",", "a ",
		"W/\"tether:1.0:s:x\"," };
	static const char start[] = "If-None-Match: ";
	char *header = malloc(LINE_MAX_SIZE + 1);
	size_t len, n, i;

	(void)state;
	assert_non_null(header);
	for (i = 0; i < COUNT(parts); i++) {
		n = strlen(parts[i]);
		len = strlen(start);
		memcpy(header, start, len);
		for (; len + n <= LINE_MAX_SIZE; len += n)
			memcpy(header + len, parts[i], n);
		header[len] = '\0';
		free(rewrite_fields_condition(header, "/a.png", "1.0"));
		free(rewrite_fields_condition(header, "/a.js", "1.0"));
	}
	free(header);
}

static void
test_targets(void **state)
{
	static const struct {
		const char *target;
		bool may_change;
	} table[] = {
		{ "/", true },
		{ "", true },
		{ "/a", true },
		{ "/a.js", true },
		{ "/a.css?x.png", true },
		{ "/a.json", true },
		{ "/a.webmanifest", true },
		{ "/a.html", true },
		{ "/a.png/", true },
		{ "/a.png/b", true },
		{ "/png", true },
		{ "/a.pngx", true },
		{ "/a.", true },
		{ "/a.p%6eg", true },
		{ "/api", true },
		{ "/apix/y", true },
		{ ".png/x", true },
		{ "/API/x", true },
		{ "//api/x", true },
		{ "/x/api/y", true },
		{ "/api/", false },
		{ "/api/x.js", false },
		{ "/a.png", false },
		{ "/A.PNG?v=1", false },
		{ "/a.b.jpg", false },
		{ "/x.d/a.svg", false },
		{ "/a.woff2", false },
		{ "/a.mp4", false },
		{ "/a.zip", false },
		{ "/a.pdf", false },
		{ "/a.js.map", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(table); i++)
		if (rewrite_fields_may_change(table[i].target) !=
		    table[i].may_change)
			fail_msg("%s", table[i].target);
}

/* What we make of a tag comes back as it was. */
static void
test_round_trip(void **state)
{
	static const char *const tags[] = { "\"x\"", "W/\"x\"", "\"\"",
		"\"a,b:s:\"", "W/\"tether:1.0:s:x\"", "\"W/\"" };
	struct rewrite_fields how = how_to(REWRITE_FIELDS_CHANGED);
	char line[128], *ours, *out;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(tags); i++) {
		(void)snprintf(line, sizeof(line), "etag: %s", tags[i]);
		ours = rewrite(&how, line);
		assert_string_not_equal(ours, line);
		(void)snprintf(line, sizeof(line), "If-None-Match: %s",
		    ours + strlen("etag: "));
		out = rewrite_fields_condition(line, "/a.js", "1.0");
		assert_non_null(out);
		assert_string_equal(out + strlen("if-none-match: "), tags[i]);
		free(ours);
		free(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_upstreams),
		cmocka_unit_test(test_expires),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_long_conditions),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
