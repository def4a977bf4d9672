#ifndef PROXYD_JS_JUDGE_H
#define PROXYD_JS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "proxyd/prefix.h"

/*
 * What rewrite_js.c has to decide, each from the bytes at hand.  A verdict
 * other than PREFIX_MORE is that of everything longer, too.
 */

/*
 * Whether a literal in that quote gets the prefix, from its first "/" on: if
 * the verdict is PREFIX_ADD.  Says PREFIX_MORE to fewer than PREFIX_LOOK
 * bytes only.
 */
enum prefix_verdict js_judge_literal(
    const struct prefix *, char quote, const char *literal, size_t len);

/* As much as js_judge_router() looks at, in bytes: no more than is held. */
#define JS_JUDGE_ROUTER_MAX 256

/*
 * Whether the text up to here ends with "{basename", in which case
 * *in_function says that it is the first parameter of a function.
 */
bool js_judge_basename(const char *text, size_t len, bool *in_function);

/*
 * Whether what follows "{basename" makes it the pattern of React Router's
 * BrowserRouter, {basename:A,children:B,future:C,window:D}, in a place where
 * a default may stand.  PREFIX_ADD means behind *at bytes.
 */
enum prefix_verdict js_judge_router(
    const char *text, size_t len, bool in_function, size_t *at);

#endif
