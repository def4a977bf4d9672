#ifndef PROXYD_REWRITE_FIELDS_H
#define PROXYD_REWRITE_FIELDS_H

#include <stdbool.h>

#include "proxyd/headers.h"
#include "proxyd/prefix.h"

/*
 * The header fields of a response that is shown under a prefix, and the
 * conditions of the requests that lead to it.
 */

/*
 * What the body became: decides about its validators and its policies.  A
 * 304 has none, but speaks for one in the browser's cache: it is CHANGED if
 * rewrite_fields_may_change() says so of its target, else SAME.
 */
enum rewrite_fields_body {
	REWRITE_FIELDS_SAME,	/* every byte as it was */
	REWRITE_FIELDS_CHANGED, /* rewritten */
	REWRITE_FIELDS_PAGE	/* rewritten, and our script is in it */
};

/* How to rewrite.  The pointers are only read. */
struct rewrite_fields {
	const struct prefix *prefix;
	const char *upstream; /* "http://host:port", or NULL */
	enum rewrite_fields_body body;
	bool utf8;		 /* that a page's body is valid UTF-8 */
	const char *version;	 /* of the rewriting: letters, digits, "-._+" */
	const char *script_hash; /* "sha256-…", without quotes; for a page */
};

/* Longest cache life of a changed body, in seconds. */
#define REWRITE_FIELDS_AGE_MAX 3600

/* All fields together, in bytes, after rewriting. */
#define REWRITE_FIELDS_SIZE_MAX (1024 * 1024)

/*
 * Rewrite all fields, in place.
 *
 * Location, Content-Location, Refresh, Link and SourceMap: rooted URLs, and
 * absolute ones to the upstream, come under the prefix.  Set-Cookie: its
 * path too, and Domain goes; a cookie whose name begins with "__Host-" is
 * dropped, as browsers take it with Path=/ only, where the orchestrator and
 * every other instance would get it, and under another name the web app
 * would not know it.
 *
 * What speaks for the whole origin or to another host is dropped.
 *
 * A changed body loses the validators that are not true any more, gets an
 * entity tag of ours, and is not cached for long.  A page is not cached at
 * all, its Content-Security-Policy (also the report-only one) allows
 * our script and the origin of the page, and Content-Type says UTF-8 if
 * it names no charset.  Content-Length is headers_write()'s.
 *
 * Returns -1 if out of memory, or over the bound; then only headers_clear()
 * makes sense.
 */
int rewrite_fields(struct headers *, const struct rewrite_fields *);

/*
 * Whether a body that is asked for with this target, as in the request line,
 * may come to be rewritten, going by its path alone.  False only for what
 * is under /api/ or has the extension of a type that is never rewritten.
 */
bool rewrite_fields_may_change(const char *target);

/*
 * The conditions of a request (RFC 9110 section 13): If-None-Match, If-Match,
 * If-Modified-Since, If-Unmodified-Since, If-Range, Range.  header is
 * "Name: value"; the result, to be freed, is what goes to the upstream
 * instead, or NULL if it must not be sent (or memory is short).
 *
 * Entity tags of the given version, as rewrite_fields() made them, are turned
 * back into the upstream's.  Those of another version stand for a body that
 * we would not make again, and never match.  What could confirm a body in
 * the browser's cache from before it was rewritten, or ask for a part, is
 * left out unless the target's body never changes.  If-Match,
 * If-Unmodified-Since and "If-None-Match: *" always go on: they protect
 * writes, which must not become unconditional.
 */
char *rewrite_fields_condition(
    const char *header, const char *target, const char *version);

#endif
