#ifndef TETHERD_NOTIFY_H
#define TETHERD_NOTIFY_H

/*
 * Tell the service manager about our state, as sd_notify(3) does, e.g.
 * "READY=1".  Does nothing without $NOTIFY_SOCKET.
 */
void notify(const char *state);

#endif
