#ifndef PROXYD_TUNNEL_ACTIONS_H
#define PROXYD_TUNNEL_ACTIONS_H

/*
 * What pages say about their tunnels: handlers of user_requests.c.
 */

struct proxyd;
struct user_request;

void tunnel_action_open(struct proxyd *, const struct user_request *);
void tunnel_action_send(struct proxyd *, const struct user_request *);
void tunnel_action_close(struct proxyd *, const struct user_request *);

void stream_action_open(struct proxyd *, const struct user_request *);
void stream_action_cancel(struct proxyd *, const struct user_request *);

/* Both kinds. */
void tunnel_action_ack(struct proxyd *, const struct user_request *);
void tunnel_action_pong(struct proxyd *, const struct user_request *);

#endif
