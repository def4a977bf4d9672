#ifndef PROXYD_REWRITE_CSS_H
#define PROXYD_REWRITE_CSS_H

#include <stdint.h>

#include "proxyd/prefix.h"
#include "proxyd/sink.h"

/*
 * Style sheets (CSS Syntax Module Level 3): puts the prefix in front of
 * rooted URLs in url(), in any quoting, and of the strings of @import, and
 * copies every other byte.  The input may be split anywhere.
 */

struct rewrite_css {
	const struct prefix *prefix;
	const struct sink *sink;
	/* private: the state of the scanner */
};

/* Both pointers must outlive it. */
void rewrite_css_init(
    struct rewrite_css *, const struct prefix *, const struct sink *);

/* 0, or -1 if the sink said so. */
int rewrite_css_feed(struct rewrite_css *, const char *in, size_t len);
int rewrite_css_finish(struct rewrite_css *);

#endif
