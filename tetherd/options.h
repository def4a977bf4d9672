#ifndef TETHERD_OPTIONS_H
#define TETHERD_OPTIONS_H

#include <stdbool.h>

#include "tetherd/settings.h"

/* What the command line says. */
struct options {
	struct sources sources; /* into the rest */
	char *file;		/* of -f, or NULL */
	char *env_file;		/* of -e, or NULL */
	struct macros *macros;	/* of -D */
	unsigned check;		/* how many -n */
};

/*
 * Exits for -V, and with status 1 for what makes no sense.  Keeps nothing of
 * argv, over which a title may be written.
 */
void options_parse(struct options *, int argc, char **argv);

/* Also after those that are all zero. */
void options_free(struct options *);

#endif
