#ifndef PROXYD_REWRITE_JS_H
#define PROXYD_REWRITE_JS_H

#include <stdbool.h>
#include <stddef.h>

#include "proxyd/behind.h"
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
	enum {
		REWRITE_JS_TEXT,    /* nothing held back */
		REWRITE_JS_LITERAL, /* held: a literal from its "/" on */
		REWRITE_JS_ROUTER   /* held: what follows "{basename" */
	} state;
	char quote;	  /* of the literal */
	bool in_function; /* the router's "{" is behind "function ("  */
	struct behind behind;
	char held[PREFIX_LOOK];
	size_t held_len;
};

/* Both pointers must outlive it. */
void rewrite_js_init(
    struct rewrite_js *, const struct prefix *, const struct sink *);

/* 0, or -1 if the sink said so. */
int rewrite_js_feed(struct rewrite_js *, const char *in, size_t len);
int rewrite_js_finish(struct rewrite_js *);

#endif
