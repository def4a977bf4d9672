#ifndef AUTHD_STATE_FOLDER_H
#define AUTHD_STATE_FOLDER_H

#include <stdbool.h>

struct confinement;

/*
 * The folder of the identity database: made if it is missing, and that of the
 * user who authd runs as.
 */

/*
 * As root, while there are privileges to drop: make the folder, and give it,
 * with the database in it, to the user that the confinement names, if it is
 * root's.  Only where nobody but root can have had a hand in it, from the root
 * directory on: no link is followed, and a folder with other things in it
 * stays what it is.  What was not to be done is logged, where it was called
 * for.  Does nothing without privileges to drop.
 */
void state_folder_give(const char *path, const struct confinement *);

/* Whether that would end with a folder of that user's; nothing changes. */
bool state_folder_is_to_give(const char *path, const struct confinement *);

/*
 * As that user: make the folder, and those that lead to it, with mode 0700.
 * Returns 0 also if it is there already, or -1 with errno set.
 */
int state_folder_make(const char *path);

#endif
