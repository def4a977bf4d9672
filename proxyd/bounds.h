#ifndef PROXYD_BOUNDS_H
#define PROXYD_BOUNDS_H

#include <stdbool.h>

struct proxyd;
struct proxyd_conf;

/*
 * Give up all but the way to the upstream of the settings that are in force:
 * see sandbox/sandbox.h.  Where the root directory is to change, the folder of
 * the upstream's socket becomes that; symbolic links are followed before, and
 * never after.  Returns NULL, or why there is no such folder, for the operator:
 * nothing was given up then.
 */
const char *bounds_set(struct proxyd *);

/*
 * Whether the way to next's upstream, or next's confinement, is beyond what a
 * process that is confined for the settings "now" can do.  Both were checked.
 */
bool bounds_exclude(
    const struct proxyd_conf *now, const struct proxyd_conf *next);

#endif
