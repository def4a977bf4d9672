#ifndef PROXYD_REWRITE_TAG_H
#define PROXYD_REWRITE_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct rewrite_fields;

/*
 * Entity tags (RFC 9110 section 8.8.3) of bodies that we changed: the
 * upstream's "x" becomes W/"tether:VERSION:s:x", and W/"x" becomes
 * W/"tether:VERSION:w:x".  They are weak, as the orchestrator may compress
 * what they name.  No other tag that begins like that gets to a browser, so
 * those that come back with it are ours.
 */

/* Write our tag for the upstream's; false if that is malformed. */
bool rewrite_tag_make(
    const struct rewrite_fields *, const char *value, FILE *out);

/* Write the upstream's tag; false if it looks like one of ours. */
bool rewrite_tag_keep(
    const struct rewrite_fields *, const char *value, FILE *out);

enum rewrite_tag {
	REWRITE_TAG_OURS,    /* of this version */
	REWRITE_TAG_STALE,   /* ours, but of another version */
	REWRITE_TAG_UPSTREAM /* not ours */
};

/* Whose tag, with its quotes, is that in a request. */
enum rewrite_tag rewrite_tag_judge(
    const char *tag, size_t len, const char *version);

/* Write the upstream's tag for one of REWRITE_TAG_OURS. */
void rewrite_tag_undo(
    const char *tag, size_t len, const char *version, FILE *out);

#endif
