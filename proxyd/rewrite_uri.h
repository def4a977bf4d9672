#ifndef PROXYD_REWRITE_URI_H
#define PROXYD_REWRITE_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct rewrite_fields;

/*
 * Fields that hold URLs.  Each function writes the new value to out and
 * returns true: none of these fields is ever dropped.
 */

/* The whole value: Location and the like. */
bool rewrite_uri(const struct rewrite_fields *, const char *value, FILE *out);

/* Refresh (HTML standard, "shared declarative refresh steps"). */
bool rewrite_uri_refresh(
    const struct rewrite_fields *, const char *value, FILE *out);

/*
 * The targets of Link (RFC 8288 section 3).  Stops after more than
 * REWRITE_FIELDS_SIZE_MAX bytes, which the caller refuses.
 */
bool rewrite_uri_link(
    const struct rewrite_fields *, const char *value, FILE *out);

/*
 * A path of the upstream's: whatever it begins with, it ends up under the
 * prefix, unless it is there already.
 */
void rewrite_uri_path(
    const struct rewrite_fields *, const char *path, size_t len, FILE *out);

#endif
