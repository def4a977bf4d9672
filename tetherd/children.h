#ifndef TETHERD_CHILDREN_H
#define TETHERD_CHILDREN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"
#include "common/msg.h"

/*
 * The three lasting children, connector, proxyd and authd: started, wired
 * to each other, restarted when they die, stopped in order.
 */

struct admin_done;
struct admin_request;
struct admin_token;
struct admin_user;
struct audit_record;
struct children;
struct conf;
struct event_base;
struct status;

struct children_ops {
	/* All are ready, for the first time. */
	void (*all_ready)(void *arg);
	/* All run (again). */
	void (*all_running)(void *arg);
	/* All are gone: asked for, or because one of them died too often. */
	void (*all_stopped)(void *arg, bool failed);
	/* connector wants a socket to the orchestrator, or authd to GitHub. */
	void (*dial)(void *arg, enum program, uint64_t id);
	/* One of them is gone, however that came: it wants none any more. */
	void (*gone)(void *arg, enum program);
	/* A child died, and nobody told it to; it is not started again yet. */
	void (*lost)(void *arg, enum program);
	/* One wants to be started anew, perhaps only if as another user:
	 * whether that is of use. */
	bool (*restart)(void *arg, enum program, bool owner);
	/* Answers to children_stage() and children_switch(). */
	void (*conf_accepted)(
	    void *arg, enum program, uint64_t id, uint32_t flags);
	void (*conf_refused)(
	    void *arg, enum program, uint64_t id, const char *why);
	void (*conf_switched)(void *arg, enum program, uint64_t id);
	/* An answer to children_ask_status(), still the caller's. */
	void (*status)(void *arg, enum program, uint64_t id, struct status *);
	/* What proxyd or authd decided about somebody. */
	void (*audit)(void *arg, enum program, const struct audit_record *);
	/*
	 * Answers to children_ask_admin(): rows, and the end.  They return -1
	 * for what nobody can have asked for: authd is broken.
	 */
	int (*admin_user)(void *arg, uint64_t id, const struct admin_user *);
	int (*admin_token)(void *arg, uint64_t id, const struct admin_token *);
	int (*admin_done)(void *arg, uint64_t id, const struct admin_done *);
};

/* Fatal when out of memory.  conf stays the caller's and must live on. */
struct children *children_new(struct event_base *, const struct conf *conf,
    const struct children_ops *, void *arg);

/* Kills whatever still runs.  NULL is allowed. */
void children_free(struct children *);

void children_start(struct children *);

/* Connector first, so that answers under way get out; 5 s at the most. */
void children_stop(struct children *);

/* Nothing can be started any more: as after too many deaths. */
void children_give_up_all(struct children *);

/* A process of ours died: true if it was one of these. */
bool children_reap(struct children *, pid_t, int status);

/* True when all three run, and take messages. */
bool children_all_run(const struct children *);

/*
 * The steps of a reload, see reload.h: stage a configuration in all of them,
 * drop it, or go on with it.
 */
void children_stage(struct children *, const struct conf *, uint64_t id);
void children_drop(struct children *, uint64_t id);

/* conf, which must live on, is for those that are started from now on. */
void children_set_conf(struct children *, const struct conf *, uint64_t id);

/*
 * Let one of them switch to what it has staged, or start it anew if that is
 * what it wants; flags are those of CONF_SWITCH.  ops->conf_switched() says
 * when it runs with the configuration of children_set_conf(), possibly at
 * once.
 */
void children_switch(
    struct children *, enum program, uint64_t id, uint32_t flags, bool anew);

/* One that takes too long for that is killed, and so started anew. */
void children_give_up(struct children *, enum program);

/*
 * Send a message without payload to one child, or to all, if they run.
 * DISCONNECT also holds for the connectors to come, up to a RECONNECT or a
 * reload.
 */
void children_send(struct children *, enum program, enum msg_type);
void children_send_all(struct children *, enum msg_type);

/*
 * Answer a dial of that program: with a socket, which is taken over, or the
 * failure.
 */
void children_dialed(
    struct children *, enum program, uint64_t id, int fd, const char *text);

/*
 * Ask all that run for their status; returns how many there are.  The id must
 * be larger than the last one.
 */
unsigned children_ask_status(struct children *, uint64_t id);

/* Ask authd about people or tokens; false if it does not run. */
bool children_ask_admin(
    struct children *, uint64_t id, const struct admin_request *);

/*
 * The log level of one child, also after its restart, or of all with
 * PROGRAM_COUNT.  At first it is that of the parent.
 */
void children_set_log_level(struct children *, enum program, enum log_level);

struct child_info {
	pid_t pid; /* 0 if there is none */
	const char *state;
	uint64_t uptime; /* seconds since it was started */
	unsigned lost;	 /* how often it died */
	enum log_level log_level;
};

/* False for a program that is none of the three. */
bool children_info(const struct children *, enum program, struct child_info *);

/* One line about each child. */
void children_log_status(const struct children *);

#endif
