#include "html_page.h"

/*
 * What is kept back is bounded, and the same pages must come out however
 * they were split when the bound is passed.  "#" is the filling.
 */

static const struct {
	const char *page;
	const char *too_late; /* when there is too much of it */
} limits[] = {
	{ "<a title='#' href=^/x>", NULL },
	{ "<a # href=^/x>", NULL },
	{ "<a#><b href=^/x>", NULL },
	{ "<a href='^/x#' src=^/x>", NULL },
	{ "<a href='x#' src=^/x>", NULL },
	{ "<!--#--><a href=^/x>", NULL },
	{ "<!#><a href=^/x>", NULL },
	{ "<title>#</title><a href=^/x>", NULL },
	{ "<script>#</script><a href=^/x>", NULL },
	{ "<script type=text/javascript#>'/api/'</script>", NULL },
	{ "<p style='#:url(^/x)'>", NULL },
	{ "<p style='a:url(^/x#)'>", NULL },
	{ "<p style='a:url(^/x);b:#;c:url(&sol;%x)'>", NULL },
	{ "<img srcset='^/# 1x, ^/x 1#x, ^/y'>", NULL },
	{ "<meta http-equiv=refresh content='0;url=^/x#'>", NULL },
	{ "<script `integrity=y src='^/x' title='#'></script>", NULL },
	{ "<script `integrity=# src='^/x'></script>",
	    "<script integrity=# src='^/x'></script>" },
	{ "<script `integrity title='#' src='^/x'></script>",
	    "<script integrity title='#' src='^/x'></script>" },
	{ "<meta content='0;^/x' title='#' http-equiv=refresh>",
	    "<meta content='0;/x' title='#' http-equiv=refresh>" },
	{ "<link `integrity imagesrcset=^/x title='#' href=^/x>",
	    "<link integrity imagesrcset=/x title='#' href=^/x>" },
};

static struct page
fill(const char *marked, size_t n, bool expected)
{
	struct page page, all = { 0 };
	size_t i;

	for (; *marked != '\0'; marked++) {
		for (i = 0; *marked == '#' && i < n; i++)
			(void)page_write(&all, "a", 1);
		if (*marked != '#')
			(void)page_write(&all, marked, 1);
	}
	page = page_unmark(all.data, all.len, expected);
	free(all.data);
	return page;
}

static void
check_limit(const char *marked, size_t n)
{
	static const size_t sizes[] = { 1, 2, 7, 1000, 4095, 4096, 4097 };
	struct page in = fill(marked, n, false);
	struct page expected = fill(marked, n, true);
	size_t i;

	page_check_split("", &in, &expected, 0, SIZE_MAX);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		page_check_split("", &in, &expected, 0, sizes[i]);
	for (i = in.len < 120 ? 1 : in.len - 120; i < in.len; i++)
		page_check_split("", &in, &expected, i, SIZE_MAX);
	free(in.data);
	free(expected.data);
}

static void
test_limits(void **state)
{
	const char *late;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		check_limit(limits[i].page, HTML_KEEP_MAX - 64);
		late = limits[i].too_late;
		if (late == NULL)
			late = limits[i].page;
		check_limit(late, HTML_KEEP_MAX + 64);
		check_limit(late, 3 * HTML_KEEP_MAX);
	}
}

/* Around the bound, only that it does not depend on the pieces. */
static void
test_bound(void **state)
{
	struct page in, out;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (limits[i].too_late == NULL)
			continue;
		for (n = HTML_KEEP_MAX - 63; n < HTML_KEEP_MAX + 64; n++) {
			in = fill(limits[i].page, n, false);
			out = page_rewrite("", in.data, in.len, 0, SIZE_MAX);
			page_check_split("", &in, &out, 0, 1);
			page_check_split("", &in, &out, 0, 64);
			free(in.data);
			free(out.data);
		}
	}
}

/* A URL that is not known to be rooted in the longest prefix for long. */
static void
test_long_prefix(void **state)
{
	static const char *const pages[] = { "<a href='*'>", "<a href='*/x'>",
		"<p style='a:url(*)'>", "<p style='a:url(*/x)'>",
		"<img srcset='x, *x'>", "<a href='*x'>" };
	char base[REQUEST_BASE_MAX + 1];
	struct page in, out, again;
	size_t i, k, n, inserted;
	const char *p;

	(void)state;
	memset(base, 'a', sizeof(base) - 1);
	base[0] = '/';
	base[sizeof(base) - 1] = '\0';
	for (i = 0; i < 6 * 6; i++) {
		memset(&in, 0, sizeof(in));
		for (p = pages[i % 6]; *p != '\0'; p++) {
			if (*p != '*') {
				(void)page_write(&in, p, 1);
				continue;
			}
			/* Of six characters, i / 6 are references. */
			for (k = 0; k < strlen(base); k++)
				if (k % 6 < i / 6)
					(void)page_write(&in,
					    k == 0 ? "&#0047;" : "&#0097;", 7);
				else
					(void)page_write(&in, base + k, 1);
		}
		out = page_rewrite_for(base, "", in.data, in.len, 0, SIZE_MAX);
		inserted = out.len - in.len;
		if (i / 6 < 3 && i % 6 != 1 && i % 6 != 3)
			assert_in_range(inserted, 1, strlen(base));
		else
			assert_int_equal(inserted, 0);
		for (n = 1; n < 5000; n = n * 3 + 1) {
			again =
			    page_rewrite_for(base, "", in.data, in.len, 0, n);
			assert_int_equal(again.len, out.len);
			assert_memory_equal(again.data, out.data, out.len);
			free(again.data);
		}
		free(in.data);
		free(out.data);
	}
}

static const char *const nasty[] = { "<", ">", "</", "x/>", "<!", "<!--", "-->",
	"--!>", "<![CDATA[", "]]>", "<a href=", "<a src='", "<p style=\"",
	"<script>", "</script>", "<script ", "<style>", "</style>", "<svg>",
	"</svg>", "<title>", "</title>", "<textarea>", "</textarea>",
	"<meta http-equiv=refresh content='", "srcset=", "ping=", "'", "\"",
	"=", " ", "\n", "&", "&amp;", "&#x41;", "&#", "//", "\\", "url(", "(",
	")", ",", ";", "x", "http:", "\x80\xff", "\xc3\xa4", "-", "`", "${",
	"*", "@import", "<head>", "<body ", "<svg ", "<math><mi>", "<?", "\t",
	"#", "?", "1x" };

/* 1 MB of anything, but nothing rooted in it, and a text first. */
static void
test_identity(void **state)
{
	struct page in = { 0 };
	const char *part;
	uint32_t random = 1;

	(void)state;
	(void)page_write(&in, "x", 1);
	while (in.len < 1 << 20) {
		random = random * 1664525 + 1013904223;
		part =
		    nasty[(random >> 8) % (sizeof(nasty) / sizeof(nasty[0]))];
		(void)page_write(&in, part, strlen(part));
		if ((random >> 28) == 0)
			(void)page_write(&in, "\0", 1);
	}
	page_check_split("", &in, &in, 0, SIZE_MAX);
	page_check_split("", &in, &in, 0, 1);
	page_check_split("", &in, &in, 0, 16384);
	free(in.data);
}

/* An error of the sink ends it at once. */
static int
fail_late(void *arg, const void *data, size_t len)
{
	size_t *room = arg;

	(void)data;
	assert_true(*room != SIZE_MAX);
	if (len > *room) {
		*room = SIZE_MAX;
		return -1;
	}
	*room -= len;
	return 0;
}

static void
test_failure(void **state)
{
	static const char page[] =
	    "<p><a href=/x style='a:url(/&#120;)'>"
	    "<style>url(/x)</style><script>'/api/'</script><b href=/x>";
	struct rewrite_html *h = malloc(sizeof(*h));
	struct prefix prefix;
	struct sink sink;
	size_t room, left, i;

	(void)state;
	assert_non_null(h);
	assert_true(prefix_init(&prefix, PAGE_BASE));
	sink.write = fail_late;
	sink.arg = &left;
	for (room = 0; room < strlen(page); room++) {
		left = room;
		rewrite_html_init(h, &prefix, "<I>", 3, &sink);
		assert_int_equal(rewrite_html_feed(h, page, strlen(page)), -1);
		left = room;
		rewrite_html_init(h, &prefix, "<I>", 3, &sink);
		for (i = 0; rewrite_html_feed(h, page + i, 1) == 0; i++)
			assert_true(i < strlen(page));
	}
	free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_long_prefix),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
