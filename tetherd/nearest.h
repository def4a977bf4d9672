#ifndef TETHERD_NEAREST_H
#define TETHERD_NEAREST_H

/*
 * The word of a list, which ends with NULL, that somebody most likely meant:
 * at most a third of its letters added, left out, replaced or swapped, in
 * any case.  The first of those that are equally near; NULL if none is.
 */
const char *nearest(const char *word, const char *const *list);

#endif
