#ifndef TETHERD_PARSE_H
#define TETHERD_PARSE_H

#include <stdbool.h>

#include "tetherd/macros.h"

struct complaints;
struct directive_ops;

/*
 * The grammar of tetherd.conf: macros, include, blocks, lists, quoting.  It
 * knows no setting: each line with one goes to ops->found().
 */

/* No file may be larger, in bytes. */
#define PARSE_FILE_MAX (1024 * 1024)

/* How deep files may include others, and files in all. */
#define PARSE_DEPTH_MAX 16
#define PARSE_FILES_MAX 256

/*
 * Read the file and all that it includes.  Complains about everything that
 * is wrong, and goes on behind it, except that a file with control characters
 * is not parsed at all.  macros are those of -D, or NULL.  Returns false if the
 * file does not exist and need not: nothing was read.
 */
bool parse_file(const char *path, bool required, const struct macros *,
    const struct directive_ops *, void *arg, struct complaints *);

#endif
