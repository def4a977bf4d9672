#ifndef PROXYD_HTML_STATES_H
#define PROXYD_HTML_STATES_H

#include "proxyd/rewrite_html.h"

/*
 * The states of the tokenizer (HTML standard, "Tokenization"; the names are
 * its own, as far as they are told apart here).  A step looks at the bytes
 * from p on, of which there is at least one, and returns the first that is
 * left, having set the next state; that may be the byte that it began with.
 */

typedef const char *html_step(
    struct rewrite_html *, const char *p, const char *end);

/* html_tags.c */
html_step html_step_tag_open;
html_step html_step_end_tag_open;
html_step html_step_tag_name;
html_step html_step_before_attr;
html_step html_step_attr_name;
html_step html_step_after_attr_name;
html_step html_step_before_value;
html_step html_step_quoted_value;
html_step html_step_unquoted_value;
html_step html_step_after_value;
html_step html_step_self_closing;

/* html_markup.c */
html_step html_step_markup;
html_step html_step_markup_dash;
html_step html_step_bogus_comment;
html_step html_step_comment_start;
html_step html_step_comment_start_dash;
html_step html_step_comment;
html_step html_step_comment_dash;
html_step html_step_comment_end;
html_step html_step_comment_bang;
html_step html_step_cdata_open;
html_step html_step_cdata;
html_step html_step_cdata_bracket;
html_step html_step_cdata_end;

/* html_raw.c */
html_step html_step_raw;
html_step html_step_raw_less;
html_step html_step_raw_end_open;
html_step html_step_raw_end_name;
html_step html_step_script_bang;
html_step html_step_script_bang_dash;
html_step html_step_script_word;
html_step html_step_plaintext;

/* The text of that element begins behind what was read. */
void html_raw_start(struct rewrite_html *, uint64_t at);

/* It ended before that place. */
void html_raw_end(struct rewrite_html *, uint64_t at);

/* rewrite_html.c: what opens the head begins at that place. */
void html_inject(struct rewrite_html *, uint64_t at);

static inline bool
html_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static inline bool
html_is_alpha(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

/* For names, of which only ASCII has a case. */
static inline char
html_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

#endif
