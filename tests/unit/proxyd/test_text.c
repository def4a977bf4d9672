#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxyd/text.h"

static const struct {
	const char *type;
	bool text;
} table[] = {
	{ NULL, false },
	{ "", false },
	{ ";", false },
	{ "text/html", true },
	{ "TEXT/HTML", true },
	{ "text/", true },
	{ "text", false },
	{ " text/plain ; charset=UTF-8", true },
	{ "text/html;charset=utf-8", true },
	{ "text/html; charset=\"utf-8\"", true },
	{ "text/html; Charset=UTF8; x=y", true },
	{ "text/html; x=\"a;charset=latin1\"; charset=utf-8", true },
	{ "text/html; x=\"\\\";\" ; charset=koi8-r", false },
	{ "text/html; charset=iso-8859-1", false },
	{ "text/html; charset=us-ascii", true },
	{ "text/html; charset=utf-16", false },
	{ "text/html; charset=", true },
	{ "text/html; charset=utf-8; charset=latin1", true },
	{ "text/html; xcharset=latin1", true },
	{ "text/html;", true },
	{ "application/json", true },
	{ "Application/JSON; q=1", true },
	{ "application/json5", true },
	{ "application/jsonp", true },
	{ "application/javascript", true },
	{ "application/x-javascript", true },
	{ "application/xml", true },
	{ "image/svg+xml", true },
	{ "application/manifest+json", true },
	{ "application/xhtml+xml", true },
	{ "application/octet-stream", false },
	{ "application/octet-stream; charset=utf-8", true },
	{ "application/octet-stream; x=text/html", false },
	{ "application/octet-stream; x=application/json", false },
	{ "image/png", false },
	{ "font/woff2", false },
	{ "application/wasm", false },
	{ "multipart/form-data; boundary=text/html", false },
};

static void
test_types(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (text_type(table[i].type) != table[i].text)
			fail_msg("%s", table[i].type);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
