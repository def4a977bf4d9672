#ifndef PROXYD_TUNNEL_PARTS_H
#define PROXYD_TUNNEL_PARTS_H

#include <stdbool.h>

struct piece;
struct tunnel;

/* Shared by tunnel.c and its parts only. */

/* Count what it holds in memory. */
void tunnel_count(struct tunnel *);

void tunnel_up_init(struct tunnel *);
/* Answer what waits for a credit with an error; or without, just forget. */
void tunnel_up_fail(struct tunnel *);
void tunnel_up_clear(struct tunnel *);
/* Whether a piece is missing. */
bool tunnel_up_has_gap(const struct tunnel *);

/* Send a piece of somebody who may only look, as far as that goes. */
void tunnel_mute_send(struct tunnel *, const struct piece *);

void tunnel_down_init(struct tunnel *);
void tunnel_down_clear(struct tunnel *);
/* Send what may be sent; pause or resume the far end; end it if that was
 * the last of it. */
void tunnel_down_continue(struct tunnel *);
/* The page wants no more of it. */
void tunnel_down_stop(struct tunnel *);

/* The upstream's last word is said: tell the page. */
void tunnel_finish(struct tunnel *);

#endif
