#ifndef PROXYD_REWRITE_FIELDS_H
#define PROXYD_REWRITE_FIELDS_H

#include <stdbool.h>

#include "proxyd/headers.h"
#include "proxyd/prefix.h"

/*
 * The header fields of a response that is shown under a prefix.
 */

/*
 * What the body became: decides about its validators and its policies.
 */
enum rewrite_fields_body {
	REWRITE_FIELDS_SAME,	/* every byte as it was */
	REWRITE_FIELDS_CHANGED, /* rewritten */
	REWRITE_FIELDS_PAGE	/* rewritten, and our script is in it */
};

/*
 * Rewrite all fields, in place.  Location, Content-Location, Refresh, Link
 * and SourceMap get the prefix, Set-Cookie's path too; what speaks for the
 * whole origin is dropped.  A changed body's Cache-Control, ETag and other
 * validators are made true, and a page's Content-Security-Policy (also the
 * report-only one) allows the script of that hash ("sha256-…").  version
 * names this rewriting in entity tags.  Returns -1 if out of memory.
 */
int rewrite_fields(struct headers *, const struct prefix *,
    enum rewrite_fields_body, const char *version, const char *script_hash);

/*
 * The conditions of a request for a body that may be rewritten: entity tags
 * of the given version, as rewrite_fields() made them, are turned back into
 * the upstream's.  header is "Name: value"; the result, to be freed, is what
 * goes to the upstream instead, or NULL if the header must not be sent (or
 * memory is short).
 */
char *rewrite_fields_condition(
    const char *header, const char *target, const char *version);

#endif
