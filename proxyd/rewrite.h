#ifndef PROXYD_REWRITE_H
#define PROXYD_REWRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "proxyd/prefix.h"
#include "proxyd/sink.h"

/*
 * Which bodies are rewritten, and how: the rewriters of each kind behind one
 * door.
 */

struct rewrite;

enum rewrite_kind {
	REWRITE_NONE,
	REWRITE_HTML,
	REWRITE_CSS,
	REWRITE_JS,
	REWRITE_MANIFEST,
	REWRITE_WORKER /* a service worker's script */
};

/* What decides. */
struct rewrite_question {
	const char *target;	      /* path and query that was asked for */
	bool service_worker;	      /* "Service-Worker: script" was said */
	const char *content_type;     /* of the response, or NULL */
	const char *content_encoding; /* or NULL */
	int status;
};

/*
 * What a body under a prefix is to the rewriters.  Never anything below
 * /api/, where people's own files travel, nor what is encoded or not in an
 * ASCII-compatible charset.
 */
enum rewrite_kind rewrite_kind(const struct rewrite_question *);

/* What goes in front of, or into, the body of some kinds. */
struct rewrite_insert {
	const char *text;
	size_t len;
};

/*
 * A rewriter of that kind, not REWRITE_NONE.  The insert is what is injected
 * into a page, or precedes a service worker's text; may be NULL for other
 * kinds.  All pointers must outlive it.  NULL when out of memory.
 */
struct rewrite *rewrite_new(enum rewrite_kind, const struct prefix *,
    const struct rewrite_insert *, const struct sink *);
void rewrite_free(struct rewrite *); /* NULL is fine */

/* 0, or -1 if the sink said so or out of memory. */
int rewrite_feed(struct rewrite *, const void *in, size_t len);
int rewrite_finish(struct rewrite *);

#endif
