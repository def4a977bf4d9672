#ifndef PROXYD_CHATS_H
#define PROXYD_CHATS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Chat sessions: user_requests of people's browsers that become a WebSocket
 * to the upstream's chat, by their request_ids (tetherd-protocol(7)).
 */

struct chat;
struct chats;
struct proxyd;
struct user_request;

/* Where the upstream has its chat. */
#define CHATS_TARGET "/ws"

/*
 * Messages of one person that wait: each is a user_request, of which the
 * connector has only so many for all.  Not looked at for a chat that has few.
 */
#define CHATS_WAITING_MAX 1024
#define CHATS_WAITING_FEW 4

/* Fatal when out of memory. */
struct chats *chats_new(struct proxyd *);
void chats_free(struct chats *);

/*
 * A user_request begins one; or, if there is one of its request_id, goes on
 * with it, or closes it.  All replies come from here, also where there is
 * none to go on with.
 */
void chats_begin(struct chats *, const struct user_request *);
void chats_go_on(struct chats *, const struct user_request *);
void chats_close(struct chats *, const struct user_request *);

/* Whether one of that request_id is there. */
bool chats_has(struct chats *, const char *request_id);

/* Whether what waits in that chat is not too much for all. */
bool chats_may_wait(const struct chats *, const struct chat *);

/* The outbox has room again. */
void chats_continue(struct chats *);

/* The link is down, or the connector is gone: nobody can be told. */
void chats_clear(struct chats *);

/* Told to stop: people and upstream are, too, and no more begin. */
void chats_drain(struct chats *);

/* Another proxyd follows, with which people may begin anew. */
void chats_leave(struct chats *);

/*
 * There are other settings: chats of people who may not have one any more
 * end, as do those of nobody where there are rules now.
 */
void chats_on_settings(struct chats *);

/* The upstream is another one from now on: chats with the old one end. */
void chats_move(struct chats *);

/* All sessions count no more: ask again whose chats may go on. */
void chats_on_flush(struct chats *);

/*
 * How many there are, without those that only say goodbye to the upstream; and
 * how many of them may be there: used() is called whenever that changes.
 */
size_t chats_count(const struct chats *);
size_t chats_in_use(const struct chats *);
void chats_on_use(struct chats *, void (*used)(void *arg), void *arg);

/* Whether all are gone, those too; done() is called when they are. */
bool chats_are_gone(const struct chats *);
void chats_on_none(struct chats *, void (*done)(void *arg), void *arg);

#endif
