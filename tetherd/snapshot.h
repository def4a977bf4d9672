#ifndef TETHERD_SNAPSHOT_H
#define TETHERD_SNAPSHOT_H

#include "tetherd/config_file.h"

/*
 * A copy of a file in memory that nobody can change any more, and whose
 * contents the caller never sees: the kernel makes it.
 */

/* Large enough for each reason below. */
#define SNAPSHOT_WHY_MAX CONFIG_FILE_WHY_MAX

/*
 * Copy a file of at most CONF_FILE_MAX bytes, which must be a regular one.
 * Returns the copy's descriptor; or -1, and why not.
 */
int snapshot_file(const char *path, char why[SNAPSHOT_WHY_MAX]);

/*
 * The same for a file with a secret: not empty, at most CONF_SECRET_MAX
 * bytes and the end of a line, root's or ours, writable by its owner only
 * and not readable by others than owner and group.
 */
int snapshot_secret(const char *path, char why[SNAPSHOT_WHY_MAX]);

#endif
