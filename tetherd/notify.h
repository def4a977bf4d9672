#ifndef TETHERD_NOTIFY_H
#define TETHERD_NOTIFY_H

#include <stdbool.h>

/*
 * What the service manager is told about us, by the protocol of sd_notify(3).
 * Nothing of this does anything without $NOTIFY_SOCKET.
 */

struct event_base;

/*
 * Connect to $NOTIFY_SOCKET, a path or, with '@' in front, a name in the
 * abstract space: before there is a sandbox, in which that could not be done.
 * A socket that cannot be is a warning.  If $WATCHDOG_USEC is set, and
 * $WATCHDOG_PID is absent or us, the event loop tells that it runs, twice in
 * each such time, from now on.
 */
void notify_start(struct event_base *);

/* The first start is over. */
void notify_ready(void);

/*
 * A reload begins and ends.  Counts between notify_ready() and
 * notify_stopping() only: those who wait for either would take the end of a
 * reload for it.
 */
void notify_reloading(void);
void notify_reloaded(bool failed);

void notify_stopping(void);

/* Close the socket, and end the watchdog's event. */
void notify_finish(void);

#endif
