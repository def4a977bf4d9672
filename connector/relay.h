#ifndef CONNECTOR_RELAY_H
#define CONNECTOR_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * Messages that proxyd has for the orchestrator, answers as well as replies,
 * pass through here in parts: one message at a time, as one WebSocket message
 * in fragments.  What connector says itself waits behind the last part.
 */

struct connector;

/* What is half out, as a member of struct connector; all zero at first. */
struct relay {
	bool is_open;
	enum msg_type type;
	uint64_t number;
	int64_t heard_ms; /* when its last part came, or could */
};

/*
 * Whether that part may come now.  Between two parts of a message no other
 * one may: it would wait behind the rest, without a bound.
 */
bool relay_allows(const struct connector *, const struct msg *);

/*
 * Whether a message of that type, not yet whole, is under way to the
 * orchestrator.
 */
bool relay_has(const struct connector *, enum msg_type, uint64_t number);

/*
 * Whether the rest of the message that is half out is proxyd's to send, which
 * does not do so: it is waited for no more.
 */
bool relay_is_stalled(const struct connector *);

/* proxyd was kept from sending that, until now. */
void relay_resume(struct connector *);

/* How long its rest is waited for, in milliseconds. */
#define RELAY_STALL_MS 1000

/*
 * Pass a part on that relay_allows(), while the connection is up.  When that
 * takes no more for now, proxyd is not read from.
 */
void relay_send(struct connector *, const struct msg *);

/*
 * The rest of a message of that type, if there is one, will not come: it ends
 * here.  Cut short it is no JSON, which orchestrators ignore.
 */
void relay_cut(struct connector *, enum msg_type);

/* The connection is gone, and a message with it. */
void relay_forget(struct connector *);

#endif
