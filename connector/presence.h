#ifndef CONNECTOR_PRESENCE_H
#define CONNECTOR_PRESENCE_H

#include "common/msg.h"

/*
 * What the orchestrator is told of this instance's activity, which proxyd
 * knows (protocol: "status_update"): the status on each registration, and
 * changes from there on.
 */

struct connector;
struct presence;

/* Two changes are told at least so far apart; of more the last one is. */
#define PRESENCE_INTERVAL_MS 200

/* Idle, as far as we know.  Fatal when out of memory. */
struct presence *presence_new(struct connector *);
void presence_free(struct presence *);

/* ACTIVITY of proxyd.  Without proxyd its last word stands. */
int presence_on_activity(struct presence *, struct msg *);

/* "idle", "active" or "busy". */
const char *presence_name(const struct presence *);

/* The status that goes into "register": the orchestrator knows it then. */
const char *presence_register(struct presence *);

/* The connection is registered, or lost: only between the two is it told. */
void presence_on_up(struct presence *);
void presence_on_down(struct presence *);

/*
 * The orchestrator wants to know, now; or else, and where it has just asked,
 * as soon as it may.
 */
void presence_refresh(struct presence *);

#endif
