#ifndef SANDBOX_PRIVILEGES_H
#define SANDBOX_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/confinement.h"

/*
 * Make a folder the root directory, if privileges are to be dropped at all;
 * then fd is closed.  It must be root's, and be removed already: nothing can
 * be in it, now or ever.
 */
void privileges_chroot_gone(const struct confinement *, int fd);

/*
 * The same with a folder that has a path, and something in it.  It has to be
 * within reach of the user that c says: a root without capabilities may not
 * look into the folders of others.
 */
void privileges_chroot(const struct confinement *c, const char *path);

/*
 * Look at files as that user from here on, if any; and as root again.  With
 * that in between nothing is given up.
 */
void privileges_lend(const struct confinement *c);
void privileges_take_back(const struct confinement *c);

/*
 * Whether privileges_drop() and the like can work: root of a container may lack
 * the capabilities for it, that of a user namespace the right to give up
 * groups.
 */
bool privileges_are_there(void);

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
