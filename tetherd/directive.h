#ifndef TETHERD_DIRECTIVE_H
#define TETHERD_DIRECTIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "tetherd/complaints.h"

/*
 * A line of tetherd.conf, as the grammar hands it over to whoever knows what
 * it means.  All strings are only valid inside the call that gets them.
 */

/* The most words that a line may have, those of its list included. */
#define DIRECTIVE_WORDS_MAX 1024

struct word {
	const char *text;
	bool quoted;  /* as in "text": never a keyword */
	bool in_list; /* between braces */
	unsigned line;
};

struct directive {
	const char *block; /* the name of the block around it, or "" */
	const struct word *words;
	size_t nwords;	      /* at least one; the first is no quoted one */
	bool has_list;	      /* even if it is empty: "users { }" */
	struct origin origin; /* of the first word */

	/*
	 * Others may read the last word, the value: in the file where it
	 * stands, which is exposed_file (of a macro's value: the file that
	 * defines the macro), with this mode (as of chmod).  Else 0, NULL.
	 */
	bool exposed;
	unsigned mode;
	const char *exposed_file;
};

struct directive_ops {
	/*
	 * The names of all blocks, NULL behind the last.  It is the grammar
	 * that complains about others, and about one that is given twice.
	 */
	const char *const *blocks;
	/* A file that is there and will be read; may be NULL. */
	void (*opened)(void *arg, const char *path);
	/* Not called for lines in which something is wrong already. */
	void (*found)(void *arg, const struct directive *, struct complaints *);
};

#endif
