#ifndef PROXYD_CHATS_H
#define PROXYD_CHATS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Chat sessions: user_requests of people's browsers that become a WebSocket
 * to the upstream's chat, by their request_ids (tetherd-protocol(7)).
 */

struct chats;
struct proxyd;
struct user_request;

/* Where the upstream has its chat. */
#define CHATS_TARGET "/ws"

/* Fatal when out of memory. */
struct chats *chats_new(struct proxyd *);
void chats_free(struct chats *);

/*
 * A user_request whose action is one of a chat session's: begins one, or goes
 * on with the one of that request_id.  "close" ends it.  A follow-up has no
 * action, and only goes on.  All replies come from here.
 */
void chats_act(struct chats *, const struct user_request *);
void chats_close(struct chats *, const struct user_request *);
void chats_follow_up(struct chats *, const struct user_request *);

/* Whether one of that request_id is there. */
bool chats_has(const struct chats *, const char *request_id);

/* The outbox has room again. */
void chats_continue(struct chats *);

/* The link is down, or the connector is gone: nobody can be told. */
void chats_clear(struct chats *);

/* Told to stop: people and upstream are, too, and no more begin. */
void chats_drain(struct chats *);

/* The upstream is another one from now on; the rules are. */
void chats_move(struct chats *);
void chats_on_rules(struct chats *);

/* How many there are; done() is called when there are none any more. */
size_t chats_count(const struct chats *);
void chats_on_none(struct chats *, void (*done)(void *arg), void *arg);

#endif
