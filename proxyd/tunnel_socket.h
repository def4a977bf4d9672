#ifndef PROXYD_TUNNEL_SOCKET_H
#define PROXYD_TUNNEL_SOCKET_H

/*
 * A WebSocket of the upstream, the far end of a tunnel.
 */

struct tunnel;
struct tunnel_ask;

/*
 * Connect, as the person that the JWT speaks for.  What is asked for is
 * taken over; the JWT is not kept.  The tunnel is opened or refused, at
 * once or later.
 */
void tunnel_socket_start(struct tunnel *, struct tunnel_ask *, const char *jwt);

#endif
