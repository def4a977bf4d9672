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
	size_t nwords; /* at least one */
	struct origin origin;
};

struct directive_ops {
	/* Is there such a block?  If not, it is the grammar that complains,
	 * and names the nearest of the names in blocks. */
	const char *const *blocks; /* ends with NULL */
	void (*found)(void *arg, const struct directive *, struct complaints *);
};

#endif
