#ifndef TESTS_HTML_PAGE_H
#define TESTS_HTML_PAGE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proxyd/rewrite_html.h"

/*
 * Pages for tests of the HTML rewriter, written with marks: "^" is where the
 * prefix must be inserted, "%" the same behind its first "/", "~" the "/" that
 * closes it, "`" a "data-", "|" a ";" and "$" the injection.  "\x7f" is a NUL.
 */

#define PAGE_BASE      "/c/b"
#define PAGE_INJECTION "<I>"

struct page {
	char *data;
	size_t len, size;
};

static int
page_write(void *arg, const void *data, size_t len)
{
	struct page *page = arg;

	if (page->size - page->len < len + 1) {
		page->size = (page->len + len + 64) * 2;
		if ((page->data = realloc(page->data, page->size)) == NULL)
			abort();
	}
	memcpy(page->data + page->len, data, len);
	page->len += len;
	page->data[page->len] = '\0';
	return 0;
}

/* The page as it comes (NULL inserts), or as it must become. */
static inline struct page
page_unmark(const char *marked, size_t len, bool expected)
{
	static const char *const inserted[] = { ['^'] = PAGE_BASE,
		['%'] = "c/b/",
		['~'] = "/",
		['`'] = "data-",
		['|'] = ";",
		['$'] = PAGE_INJECTION };
	struct page page = { 0 };
	const char *text;
	unsigned char c;
	size_t i;

	(void)page_write(&page, "", 0);
	for (i = 0; i < len; i++) {
		c = (unsigned char)marked[i];
		text = c <= '~' ? inserted[c] : NULL;
		if (c == 0x7f)
			(void)page_write(&page, "", 1);
		else if (text == NULL)
			(void)page_write(&page, &c, 1);
		else if (expected)
			(void)page_write(&page, text, strlen(text));
	}
	return page;
}

/* Rewrite a page that comes in pieces: up to split, then of that size. */
static inline struct page
page_rewrite_for(const char *base, const char *injection, const char *in,
    size_t len, size_t split, size_t size)
{
	struct page page = { 0 };
	struct sink sink = { page_write, &page };
	struct rewrite_html *h = malloc(sizeof(*h));
	struct prefix prefix;
	char *piece;
	size_t i, n;

	(void)page_write(&page, "", 0);
	if (h == NULL || !prefix_init(&prefix, base))
		abort();
	rewrite_html_init(h, &prefix, injection, strlen(injection), &sink);
	for (i = 0; i < len; i += n) {
		n = i == 0 && split > 0 ? split : size;
		if (n > len - i)
			n = len - i;
		/* A copy, so that reading over its end is found out. */
		if ((piece = malloc(n)) == NULL)
			abort();
		memcpy(piece, in + i, n);
		if (rewrite_html_feed(h, piece, n) == -1)
			abort();
		free(piece);
	}
	if (rewrite_html_finish(h) == -1)
		abort();
	free(h);
	return page;
}

static inline struct page
page_rewrite(const char *injection, const char *in, size_t len, size_t split,
    size_t size)
{
	return page_rewrite_for(PAGE_BASE, injection, in, len, split, size);
}

static inline void
page_check_split(const char *injection, const struct page *in,
    const struct page *expected, size_t split, size_t size)
{
	struct page out =
	    page_rewrite(injection, in->data, in->len, split, size);

	if (out.len != expected->len ||
	    memcmp(out.data, expected->data, out.len) != 0)
		fail_msg("%zu, %zu:\n%.400s\nbecame\n%.400s\nnot\n%.400s",
		    split, size, in->data, out.data, expected->data);
	free(out.data);
}

/* Whole, split at every position, and a few bytes at a time. */
static inline void
page_check(const char *injection, const char *marked)
{
	size_t len = strlen(marked), i;
	struct page in = page_unmark(marked, len, false);
	struct page expected = page_unmark(marked, len, true);

	for (i = 0; i <= in.len; i++)
		page_check_split(injection, &in, &expected, i, SIZE_MAX);
	for (i = 1; i <= 4; i++)
		page_check_split(injection, &in, &expected, 0, i);
	free(in.data);
	free(expected.data);
}

#endif
