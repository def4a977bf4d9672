#ifndef TETHERD_PARSE_H
#define TETHERD_PARSE_H

#include <stdbool.h>

struct complaints;
struct directive_ops;
struct macros;

/*
 * The grammar of tetherd.conf: macros, include, blocks, lists, quoting.  It
 * knows no setting: each line with one goes to ops->found().
 */

/* No file may be larger, in bytes. */
#define PARSE_FILE_MAX (1024 * 1024)

/* Files that include each other, and files in all. */
#define PARSE_DEPTH_MAX 16
#define PARSE_FILES_MAX 256

/* Macros of -D, which those of a file do not replace.  Fatal without memory. */
struct macros *macros_new(void);
void macros_free(struct macros *); /* NULL is allowed */

/* "name=value"; returns NULL, or what is wrong with it. */
const char *macros_define(struct macros *, const char *definition);

/*
 * Read the file and all that it includes.  Complains about everything that
 * is wrong, and goes on behind it.  Returns false if the file does not exist
 * and need not: nothing was read.
 */
bool parse_file(const char *path, bool required, const struct macros *,
    const struct directive_ops *, void *arg, struct complaints *);

#endif
