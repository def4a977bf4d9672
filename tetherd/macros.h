#ifndef TETHERD_MACROS_H
#define TETHERD_MACROS_H

#include <stdbool.h>

/*
 * Macros: names for words, of -D and of the files.
 */

/* The most that there may be. */
#define MACROS_MAX 256

struct config_file;
struct macros;

struct macro {
	char *name;
	char *value; /* NULL: there was something wrong with it */
	bool quoted;
	bool fixed;			/* by -D */
	const struct config_file *file; /* that defines it; NULL for -D */
};

/* Macros of -D, which those of a file do not replace.  Fatal without memory. */
struct macros *macros_new(void);
void macros_free(struct macros *); /* NULL is allowed */

/*
 * "name=value"; returns NULL, or what is wrong with it.  The value counts as
 * quoted if it could not stand in a file without.
 */
const char *macros_define(struct macros *, const char *definition);

/* Those of -D once more; NULL stands for none. */
struct macros *macros_copy(const struct macros *);

/* A macro of a file, which replaces one of a file.  False: there are too many.
 * The strings are copied, the file is not. */
bool macros_set(struct macros *, const char *name, const char *value,
    bool quoted, const struct config_file *);

/* NULL if there is none.  Valid until the next change. */
const struct macro *macros_find(const struct macros *, const char *name);

/* Letters, digits and '_'. */
bool macros_is_name(const char *);

#endif
