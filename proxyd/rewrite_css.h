#ifndef PROXYD_REWRITE_CSS_H
#define PROXYD_REWRITE_CSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/behind.h"
#include "proxyd/prefix.h"
#include "proxyd/sink.h"

/*
 * Style sheets (CSS Syntax Module Level 3): puts the prefix in front of
 * rooted URLs in url(), in any quoting, of the strings of @import, and of
 * those directly in image-set() and src(), and copies every other byte.  A
 * URL is taken as it is written: one whose "/" is a CSS escape, or is
 * followed by one, stays.  The input may be split anywhere.
 */

struct rewrite_css {
	const struct prefix *prefix;
	const struct sink *sink;
	/* private: the state of the scanner */
	uint8_t state;
	uint8_t comment_in; /* the state behind a comment */
	uint8_t matched;    /* bytes of an at-keyword */
	const char *keyword;
	char quote;
	bool in_namespace;
	uint64_t takes_urls; /* open parentheses, the innermost lowest */
	struct behind behind;
	char held[PREFIX_LOOK]; /* the start of a URL */
	size_t held_len;
};

/* Both pointers must outlive it. */
void rewrite_css_init(
    struct rewrite_css *, const struct prefix *, const struct sink *);

/* 0, or -1 if the sink said so. */
int rewrite_css_feed(struct rewrite_css *, const char *in, size_t len);
int rewrite_css_finish(struct rewrite_css *);

#endif
