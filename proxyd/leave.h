#ifndef PROXYD_LEAVE_H
#define PROXYD_LEAVE_H

#include "common/msg.h"

/*
 * The end of this process when it is told to go.  With a connector another
 * proxyd follows, for other settings: connector keeps for it what comes from
 * now on, and what came is answered before.  Without one all stops.
 */

struct proxyd;

/* How long what came may take, if another one follows. */
#define LEAVE_MS 7000

/* How long the upstream may take to say goodbye to tunnels and chats. */
#define LEAVE_GOODBYE_MS 1000

/* Told to go. */
void leave_begin(struct proxyd *);

/* LEAVE_NOTED: there is no more to come. */
int leave_on_noted(struct proxyd *, struct msg *);

/* Something is done: go if that was the last of it. */
void leave_check(struct proxyd *);

#endif
