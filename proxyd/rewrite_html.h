#ifndef PROXYD_REWRITE_HTML_H
#define PROXYD_REWRITE_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/html_foreign.h"
#include "proxyd/html_output.h"
#include "proxyd/html_tag.h"
#include "proxyd/prefix.h"
#include "proxyd/rewrite_css.h"
#include "proxyd/rewrite_js.h"
#include "proxyd/sink.h"

/*
 * Pages (HTML standard, "Tokenization"): puts the prefix in front of rooted
 * URLs in tags, inline styles and inline scripts, injects a text as the first
 * thing in the head, or where a browser would open it, and copies every other
 * byte.  The input may be split anywhere.  What has to wait for a later byte,
 * and comes more than HTML_KEEP_MAX bytes before it, is left as it is.
 */

enum html_state {
	HTML_DATA,
	HTML_TAG_OPEN,
	HTML_END_TAG_OPEN,
	HTML_TAG_NAME,
	HTML_BEFORE_ATTR,
	HTML_ATTR_NAME,
	HTML_AFTER_ATTR_NAME,
	HTML_BEFORE_VALUE,
	HTML_QUOTED_VALUE,
	HTML_UNQUOTED_VALUE,
	HTML_AFTER_VALUE,
	HTML_SELF_CLOSING,
	HTML_MARKUP,
	HTML_MARKUP_DASH,
	HTML_BOGUS_COMMENT,
	HTML_COMMENT_START,
	HTML_COMMENT_START_DASH,
	HTML_COMMENT,
	HTML_COMMENT_DASH,
	HTML_COMMENT_END,
	HTML_COMMENT_BANG,
	HTML_CDATA_OPEN,
	HTML_CDATA,
	HTML_CDATA_BRACKET,
	HTML_CDATA_END,
	HTML_RAW,
	HTML_RAW_LESS,
	HTML_RAW_END_OPEN,
	HTML_RAW_END_NAME,
	HTML_SCRIPT_BANG,
	HTML_SCRIPT_BANG_DASH,
	HTML_SCRIPT_WORD,
	HTML_PLAINTEXT
};

enum html_text { HTML_TEXT_PLAIN, HTML_TEXT_CSS, HTML_TEXT_JS };

struct rewrite_html {
	const struct prefix *prefix;
	const struct sink *sink;
	const char *injection;
	size_t injection_len;
	struct rewrite_css css;
	struct rewrite_js js;
	/* private: the state of the tokenizer */
	enum html_state state;
	struct html_output output;
	struct html_tag tag;
	struct html_foreign foreign;
	bool injected;
	uint64_t less_at; /* of the last "<" that may begin something */
	char quote;	  /* of the value */

	/* Of elements with raw text, and of what is looked for by letters. */
	enum html_element raw;
	enum html_text text;
	struct sink text_sink;
	unsigned
	    escaped;	 /* in a script: 1 behind "<!--", 2 in a script there */
	unsigned dashes; /* the last that were read, at most 2 */
	size_t matched;	 /* letters; SIZE_MAX if they are others */
};

/*
 * The pointers must outlive it; the injection is not looked at.  It must not
 * be moved afterwards.
 */
void rewrite_html_init(struct rewrite_html *, const struct prefix *,
    const char *injection, size_t injection_len, const struct sink *);

/* 0, or -1 if the sink said so. */
int rewrite_html_feed(struct rewrite_html *, const char *in, size_t len);
int rewrite_html_finish(struct rewrite_html *);

#endif
