#ifndef PROXYD_REWRITE_COOKIE_H
#define PROXYD_REWRITE_COOKIE_H

#include <stdbool.h>
#include <stdio.h>

struct rewrite_fields;

/*
 * Set-Cookie (RFC 6265 section 5.2): writes it with its path under the
 * prefix, explicitly even where the browser would have computed one, and
 * without Domain.  False for a cookie that cannot live there: its name
 * begins with "__Host-".
 */
bool rewrite_cookie(
    const struct rewrite_fields *, const char *value, FILE *out);

#endif
