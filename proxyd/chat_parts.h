#ifndef PROXYD_CHAT_PARTS_H
#define PROXYD_CHAT_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ws.h"

/* Shared by chat.c and its parts only. */

struct chat;
struct user_auth_answer;
struct user_request;

/* Count what it holds in memory. */
void chat_count(struct chat *);

/* Somebody is refused, or it could not be decided: it ends. */
void chat_refuse(struct chat *, const struct user_auth_answer *);

void chat_up_init(struct chat *);
/* Take a message; the chat ends if that is too much. */
void chat_up_add(struct chat *, const struct user_request *);
/* Ask who says the first one that waits, which began the chat. */
void chat_up_ask(struct chat *);
/* Send what may be sent, and end the numbers of what is sent. */
void chat_up_continue(struct chat *);
/* Drop what waits; its numbers end if somebody is there to be told. */
void chat_up_clear(struct chat *, bool told);

void chat_down_init(struct chat *);
/* Drop what came of a message. */
void chat_down_drop(struct chat *);
void chat_down_free(struct chat *);
/* A part of a message, as struct ws_ops has them. */
void chat_down_part(
    struct chat *, enum ws_type, const void *data, size_t len, bool fin);
/* Stop and resume reading, as the outbox has room. */
void chat_down_continue(struct chat *);

/* Open the upstream's socket as the user of that JWT, which is not kept. */
void chat_socket_open(struct chat *, const char *jwt);
/* Close it, now that the chat is over. */
void chat_socket_close(struct chat *, uint16_t code);

#endif
