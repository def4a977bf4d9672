#ifndef TETHERD_DESCRIPTORS_H
#define TETHERD_DESCRIPTORS_H

struct conf;

/*
 * Warn if the system lets a process have fewer file descriptors than the
 * limits of the settings add up to.  First called before the sandbox, which
 * leaves us fewer than the others have.
 */
void descriptors_check(const struct conf *);

#endif
