#ifndef COMMON_CONFINEMENT_H
#define COMMON_CONFINEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * How a process is to confine itself, as the parent decides it for each of
 * them; see sandbox/sandbox.h for what is done about it.
 */
struct confinement {
	bool sandbox; /* false for "sandbox none" */
	bool drop;    /* started as root: become somebody else */
	uint32_t uid; /* whom then */
	uint32_t gid;
};

/* As a part of a message: the reader looks at msg_end() later. */
void confinement_add(struct msg_out *, const struct confinement *);
void confinement_get(struct msg *, struct confinement *);

/* A process that runs by one of them need not be started anew for the other. */
bool confinement_is_same(
    const struct confinement *, const struct confinement *);

#endif
