#ifndef PROXYD_REWRITE_HTML_H
#define PROXYD_REWRITE_HTML_H

#include "proxyd/prefix.h"
#include "proxyd/rewrite_css.h"
#include "proxyd/rewrite_js.h"
#include "proxyd/sink.h"

/*
 * Pages (HTML standard, "Tokenization"): puts the prefix in front of rooted
 * URLs in tags, inline styles and inline scripts, injects a text as the first
 * thing in the head, or where a browser would open it, and copies every other
 * byte.  The input may be split anywhere.
 */

struct rewrite_html {
	const struct prefix *prefix;
	const struct sink *sink;
	const char *injection;
	size_t injection_len;
	struct rewrite_css css;
	struct rewrite_js js;
	/* private: the state of the tokenizer */
};

/* The pointers must outlive it; the injection is not looked at. */
void rewrite_html_init(struct rewrite_html *, const struct prefix *,
    const char *injection, size_t injection_len, const struct sink *);

/* 0, or -1 if the sink said so. */
int rewrite_html_feed(struct rewrite_html *, const char *in, size_t len);
int rewrite_html_finish(struct rewrite_html *);

#endif
