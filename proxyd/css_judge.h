#ifndef PROXYD_CSS_JUDGE_H
#define PROXYD_CSS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Names and blanks of CSS (CSS Syntax Module Level 3), for rewrite_css.c.
 */

bool css_is_newline(char);
bool css_is_blank(char); /* newlines, too */
char css_lower(char);

/* Whether a byte behind a name belongs to it; backslashes are not. */
bool css_is_name(char);

enum css_function {
	CSS_OTHER,
	CSS_URL,    /* url(): a URL, in quotes or not */
	CSS_STRINGS /* image-set() and the like: strings in it are URLs */
};

/* Which function's name a text ends with, up to its parenthesis. */
enum css_function css_judge_function(const char *text, size_t len);

#endif
