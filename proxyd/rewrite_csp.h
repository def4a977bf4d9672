#ifndef PROXYD_REWRITE_CSP_H
#define PROXYD_REWRITE_CSP_H

#include <stdbool.h>
#include <stdio.h>

struct rewrite_fields;

/*
 * Content-Security-Policy and its report-only sister (Content Security Policy
 * Level 3): in each of the policies in the value, our inline script is
 * allowed by its hash, and connections to the page's own origin, over which
 * it talks to us, by 'self'; both only where they are not allowed yet.  What
 * default-src says for them is copied to a directive of their own, so that
 * nothing else that falls back to it is opened.  Always true.
 */
bool rewrite_csp(const struct rewrite_fields *, const char *value, FILE *out);

#endif
