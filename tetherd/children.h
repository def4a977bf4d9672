#ifndef TETHERD_CHILDREN_H
#define TETHERD_CHILDREN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * The three lasting children, connector, proxyd and authd: started, wired
 * to each other, restarted when they die, stopped in order.
 */

struct children;
struct conf;
struct event_base;

struct children_ops {
	/* All are ready, for the first time. */
	void (*all_ready)(void *arg);
	/* All are gone: asked for, or because one of them died too often. */
	void (*all_stopped)(void *arg, bool failed);
	/* The connector wants a socket to the orchestrator. */
	void (*dial)(void *arg, uint64_t id);
};

/* Fatal when out of memory.  conf stays the caller's and must live on. */
struct children *children_new(struct event_base *, const struct conf *conf,
    const struct children_ops *, void *arg);

/* Kills whatever still runs.  NULL is allowed. */
void children_free(struct children *);

void children_start(struct children *);

/* Connector first, so that answers under way get out; 5 s at the most. */
void children_stop(struct children *);

/* Another configuration: those whose slice differs are restarted. */
void children_set_conf(struct children *, const struct conf *);

/* A process of ours died: true if it was one of these. */
bool children_reap(struct children *, pid_t, int status);

/* Send a message without payload to one child, or to all, if they run. */
void children_send(struct children *, enum program, enum msg_type);
void children_send_all(struct children *, enum msg_type);

/* Answer a dial: with a socket, which is taken over, or the failure. */
void children_dialed(struct children *, uint64_t id, int fd, const char *text);

/* One line about each child. */
void children_log_status(const struct children *);

#endif
