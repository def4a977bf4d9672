#ifndef PROXYD_OUTBOX_H
#define PROXYD_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * Answers and replies on their way to the connector, whole and one after the
 * other.  An answer is kept until the connector says that it is out, so that a connector
 * that takes over can have it again.
 */

struct evbuffer;
struct outbox;
struct proxyd;

/* Fatal when out of memory. */
struct outbox *outbox_new(struct proxyd *);
void outbox_free(struct outbox *);

/* Take over the answer to the request of that number and id. */
void outbox_add(struct outbox *, uint64_t number, const char *request_id,
    struct evbuffer *answer);

/*
 * Take over a reply to the user_request of that number: one whole protocol
 * message of at most link.message_max bytes; last says that no more follow.
 * A last one that is empty ends the number without a word.  Replies are not
 * kept for another connector: who waited for them is gone.
 */
void outbox_reply(
    struct outbox *, uint64_t number, struct evbuffer *message, bool last);

/*
 * A reply of at most so many bytes travels in one piece: who may cut what
 * there is to say cuts it to this, so that others need not wait long.
 */
#define OUTBOX_REPLY_MAX MSG_PAYLOAD_MAX

/*
 * Whether few bytes of replies wait for the connector: who has more of them
 * should stop until outbox_continue() sent some.  One reply may be longer
 * than all that.
 */
#define OUTBOX_REPLIES_HIGH (1024 * 1024)
bool outbox_has_room(const struct outbox *);

/*
 * Whether there are so many that no user_request may bring more: a connector
 * that counts them, as it should, never has so many waiting.  A long one
 * counts as OUTBOX_REPLIES_HIGH bytes.
 */
#define OUTBOX_REPLIES_MAX (8 * 1024 * 1024)
bool outbox_is_flooded(const struct outbox *);

/* Send what the connector takes; when its channel or the link is new, too. */
void outbox_continue(struct outbox *);

/* The connector says that an answer is out. */
void outbox_on_sent(struct outbox *, uint64_t number);

/* The connector died: what it did not get out begins anew. */
void outbox_rewind(struct outbox *);
/* Tell a connector that took over which requests these answer. */
void outbox_adopt(struct outbox *);

/* Nobody waits for these answers any more. */
void outbox_clear(struct outbox *);

bool outbox_is_empty(const struct outbox *);

#endif
