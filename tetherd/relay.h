#ifndef TETHERD_RELAY_H
#define TETHERD_RELAY_H

#include <sys/types.h>

#include "common/log.h"
#include "common/program.h"

/*
 * The log lines of a child, which it sends as datagrams: the parent bounds
 * and escapes them, adds the name and pid that it knows, and logs them.  The
 * child's standard error is the same socket: what libc says there is logged
 * as a warning.
 */

struct relay;
struct event_base;

/*
 * Lines up to that level are logged, whatever our own level is.  Owns fd from
 * now on.  Fatal when out of memory.
 */
struct relay *relay_new(
    struct event_base *, int fd, enum program, pid_t, enum log_level);

void relay_set_level(struct relay *, enum log_level);

/* Log what is still there, then close.  NULL is allowed. */
void relay_free(struct relay *);

#endif
