#ifndef PROXYD_REWRITE_JS_H
#define PROXYD_REWRITE_JS_H

#include <stdint.h>

#include "proxyd/prefix.h"
#include "proxyd/sink.h"

/*
 * JavaScript: puts the prefix in front of string literals, in any of the
 * three quotes, that begin with one of the web app's own paths, and copies
 * every other byte.  The orchestrator's own paths are left alone.  Gives
 * the old app's router the base name that it does not ask for itself.  The
 * input may be split anywhere.
 */

struct rewrite_js {
	const struct prefix *prefix;
	const struct sink *sink;
	/* private: the state of the scanner */
};

/* Both pointers must outlive it. */
void rewrite_js_init(
    struct rewrite_js *, const struct prefix *, const struct sink *);

/* 0, or -1 if the sink said so. */
int rewrite_js_feed(struct rewrite_js *, const char *in, size_t len);
int rewrite_js_finish(struct rewrite_js *);

#endif
