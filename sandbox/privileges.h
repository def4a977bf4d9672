#ifndef SANDBOX_PRIVILEGES_H
#define SANDBOX_PRIVILEGES_H

#include <stdint.h>

#include "common/confinement.h"

/*
 * Make a folder the root directory, if privileges are to be dropped at all;
 * then fd is closed.  It must be root's, and be removed already: nothing can
 * be in it, now or ever.
 */
void privileges_chroot_gone(const struct confinement *, int fd);

/* The same with a folder that has a path, and something in it. */
void privileges_chroot(const struct confinement *, const char *path);

/*
 * Become the user that c says, if any, without other groups, and without
 * capabilities in any case; make sure that there is no way back.
 */
void privileges_drop(const struct confinement *c);

/*
 * Give up all capabilities but those of the mask (1 << CAP_...), and the right
 * to get others by executing something where it is ours to give up.
 */
void privileges_keep(uint64_t mask);

#endif
