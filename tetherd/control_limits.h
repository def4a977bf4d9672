#ifndef TETHERD_CONTROL_LIMITS_H
#define TETHERD_CONTROL_LIMITS_H

#include "common/program.h"

struct channel;
struct conf;
struct status;

/* The most clients of the control socket at once. */
#define CONTROL_CLIENTS_MAX 8

/*
 * A row for each limit: its value, how much of it is in use as far as
 * somebody counts that, and whether tetherd.conf can set it.  values are
 * those of the children by program, NULL for no answer.
 */
void control_limits_send(const struct conf *,
    const struct status *const *values, unsigned clients, struct channel *);

#endif
