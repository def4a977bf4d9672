#ifndef PROXYD_TUNNEL_STREAM_H
#define PROXYD_TUNNEL_STREAM_H

/*
 * An answer of the upstream that may last for ever, as event streams do: the
 * far end of a tunnel.
 */

struct tunnel;
struct tunnel_ask;

/* As tunnel_socket_start(). */
void tunnel_stream_start(struct tunnel *, struct tunnel_ask *, const char *jwt);

#endif
