#ifndef TETHERD_DIALER_H
#define TETHERD_DIALER_H

#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

/*
 * What the dialer does: names to addresses, addresses to a socket, and
 * through a proxy where one is set.  All of it blocks, within the time that
 * the configuration gives for everything together.
 */

#define DIALER_TEXT_MAX 256

/* A point in time, in milliseconds of the monotonic clock. */
typedef int64_t deadline;

deadline deadline_in(uint32_t ms);
/* Milliseconds until then, never negative. */
int deadline_left(deadline);

/*
 * The socket, non-blocking and connected to the target, with the address of
 * its peer in text; or -1 with the reason in text.
 */
int dialer_dial(const struct dialer_conf *, char text[DIALER_TEXT_MAX]);

/*
 * Resolve and connect, several addresses in parallel as RFC 8305 (Happy
 * Eyeballs) says.  Result as above.
 */
int dialer_connect(
    const char *host, uint32_t port, deadline, char text[DIALER_TEXT_MAX]);

/*
 * Ask the HTTP proxy at the other end of fd for a tunnel (CONNECT, RFC 9110
 * section 9.3.6).  auth is "user:password" or "".  0, or -1 with the reason
 * in text.
 */
int dialer_tunnel(int fd, const char *host, uint32_t port, const char *auth,
    deadline, char text[DIALER_TEXT_MAX]);

#endif
