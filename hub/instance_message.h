#ifndef HUB_INSTANCE_MESSAGE_H
#define HUB_INSTANCE_MESSAGE_H

#include <stdbool.h>

struct evbuffer;
struct instance;
struct ws;

/* Act on a text message from an instance. */
void instance_message(struct instance *, struct evbuffer *);

/* Tell the sender that we cannot make sense of its message. */
void instance_message_error(struct ws *, const char *why);

/*
 * It has its id no more: for_good fails its requests; replaced says that
 * another connection has the id now, so that browsers notice nothing.
 */
void instance_retire(struct instance *, bool for_good, bool replaced);

#endif
