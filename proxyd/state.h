#ifndef PROXYD_STATE_H
#define PROXYD_STATE_H

struct status;

/* What proxyd tells of itself: child_ops.status, of a struct proxyd. */
void state_fill(void *proxyd, struct status *);

#endif
