#ifndef COMMON_ACTIVITY_H
#define COMMON_ACTIVITY_H

#include "common/msg.h"

/*
 * What this instance is doing, as proxyd tells connector with ACTIVITY, and
 * connector the orchestrator (protocol: "status_update").
 */

enum activity_status {
	ACTIVITY_IDLE,
	ACTIVITY_ACTIVE, /* a tunnel or a chat session is open */
	ACTIVITY_BUSY,	 /* the upstream works at something */
	ACTIVITY_COUNT
};

/* As the orchestrator knows it: "idle", "active", "busy". */
const char *activity_name(enum activity_status);

/* The payload of ACTIVITY; the reader returns -1 if it is malformed. */
void activity_add(struct msg_out *, enum activity_status);
int activity_read(struct msg *, enum activity_status *);

#endif
