#ifndef SANDBOX_PROCESS_H
#define SANDBOX_PROCESS_H

#include <sys/resource.h>

/*
 * What every process of ours gives up: core files, debuggers, and new
 * privileges by executing something.  After privileges_drop(), which makes a
 * process dumpable again where the system is set up so.
 *
 *	files		the most descriptors, or what there was if that is less
 *	file_size	bytes of the largest file, RLIM_INFINITY for any
 */
void process_restrict(rlim_t files, rlim_t file_size);

/* Start no process and no thread from here on. */
void process_alone(void);

#endif
