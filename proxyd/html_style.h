#ifndef PROXYD_HTML_STYLE_H
#define PROXYD_HTML_STYLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/html_entity.h"
#include "proxyd/html_output.h"
#include "proxyd/rewrite_css.h"

/*
 * A style attribute.  The CSS rewriter gets it as the browser sees it, and
 * what comes back is compared with that: what is new in it is inserted at
 * the same place of the page, whose own bytes are not looked at again.
 */

/* As many characters as the CSS rewriter may hold back; a power of two. */
#define HTML_STYLE_MAX 2048

struct html_style {
	struct html_output *output;
	struct rewrite_css *css;
	struct sink sink;
	bool lost;	     /* it held back too much */
	bool open;	     /* a reference without ";" ends at that place: */
	uint64_t at;	     /* what is before it came back */
	uint64_t now;	     /* what is before it was read */
	size_t first, count; /* of a ring: */
	char c[HTML_STYLE_MAX];
	uint8_t len[HTML_STYLE_MAX]; /* in bytes of the page, and a flag */
};

/* For the value that begins at that place; it must not be moved then. */
void html_style_start(struct html_style *, struct rewrite_css *,
    const struct prefix *, struct html_output *, uint64_t at);

/* now: the place behind the byte that brought this. */
void html_style_feed(
    struct html_style *, const struct html_unit *, uint64_t now);
void html_style_finish(struct html_style *, uint64_t now);

#endif
