#ifndef PROXYD_REWRITE_CACHE_H
#define PROXYD_REWRITE_CACHE_H

#include <stdbool.h>
#include <stdio.h>

struct rewrite_fields;

/*
 * How long a changed body may be cached (RFC 9111 section 5): no longer than
 * REWRITE_FIELDS_AGE_MAX, as another version of us would change it in
 * another way.
 */

/* Cache-Control; false if no directive is in it. */
bool rewrite_cache_control(
    const struct rewrite_fields *, const char *value, FILE *out);

/* Expires; false if it would say more, or is no date. */
bool rewrite_cache_expires(
    const struct rewrite_fields *, const char *value, FILE *out);

#endif
