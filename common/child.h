#ifndef COMMON_CHILD_H
#define COMMON_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/channel.h"

struct audit_record;
struct event_base;
struct slice_type;
struct status;

/*
 * What connector, proxyd, authd and dialer have in common: how a child of
 * tetherd comes up, and its channel to the parent.
 *
 * Order in a child's main:
 *   child_start()      descriptors, title, HELLO both ways
 *   child_configure()  its own slice of the configuration
 *   (own code)         open and initialise what needs files; what the
 *                      configuration is to blame for is a child_refuse()
 *   sandbox_NAME()     privileges and sandbox, see sandbox/sandbox.h
 *   child_run()        READY, then the event loop
 *   child_finish()     after the program freed its own events
 */

/* The descriptors that the parent leaves open in a child, besides 0 to 2. */
#define CHILD_FD_PARENT 3
#define CHILD_FD_LOG	4
#define CHILD_FD_ROOT	5 /* a folder to change root to, if we are to */

/* Room for why a configuration is refused; what is longer is cut. */
#define CHILD_WHY_SIZE 1000

/* How long each set-up message may take to come, in milliseconds. */
#define CHILD_SETUP_TIMEOUT 10000

struct child {
	enum program self;
	struct event_base *base;	      /* from child_start() on */
	struct channel *parent;		      /* from child_run() on */
	struct channel *peers[PROGRAM_COUNT]; /* NULL where there is none */
	const struct child_ops *ops;
	void *arg;
	bool stopping;
	const struct slice_type *slice; /* from child_configure() on */
	uint64_t conf_id;    /* number of the reload that this conf came with */
	uint64_t audit_lost; /* records, since the last line about them */
	struct staged {
		void *conf; /* NULL when there is none */
		uint64_t id;
		bool checked; /* and accepted */
		bool refused;
		char why[CHILD_WHY_SIZE];
	} staged;
};

struct child_ops {
	/* Messages of each peer: handlers, broken and writable.  broken must
	 * not be set: child.c does what is needed and calls peer_lost. */
	const struct channel_ops *peers[PROGRAM_COUNT];

	/* A peer's channel is there, at start or after the peer's restart. */
	void (*peer_attached)(void *arg, enum program);
	/* A peer's channel is gone; child->peers[] is NULL already. */
	void (*peer_lost)(void *arg, enum program);

	/* SHUTDOWN: finish, then call child_exit().  NULL: exit at once. */
	void (*shutdown)(void *arg);
	/* Log one line about the state of affairs.  May be NULL. */
	void (*log_status)(void *arg);
	/* Fill in the values of this program, see status.h.  May be NULL. */
	void (*status)(void *arg, struct status *);

	/*
	 * A reload, in two steps.  Check whether the program could go on with
	 * the slice *next, and make ready what can fail; nothing changes yet.
	 * Returns NULL, or why not, valid until the next call; *flags are
	 * those of slice.h.
	 */
	const char *(*conf_check)(void *arg, const void *next, uint32_t *flags);
	/*
	 * Go on with *next, whose contents are the callee's from now on.  Also
	 * comes when nothing differs: the operator wants a fresh look at
	 * things.  flags are those of slice.h.
	 */
	void (*conf_switch)(void *arg, void *next, uint32_t flags);
	/* What was accepted is not wanted: undo it.  May be NULL. */
	void (*conf_drop)(void *arg);

	/* Further messages of the parent, by type; may be all NULL. */
	channel_handler parent[MSG_TYPE_COUNT];
};

/*
 * Exits with status 1 and a hint on standard error unless the parent
 * started this process.  Everything else that goes wrong is fatal, too.
 */
void child_start(struct child *, enum program self, int argc, char **argv);

/*
 * Only the parent takes signals: those of a terminal reach the whole group.
 * Also before execve(2), which keeps it so: child_start() comes a little late.
 */
void child_ignore_signals(void);

/* Wait for the program's slice of the configuration, and its end. */
void child_configure(struct child *, const struct slice_type *, void *conf);

/*
 * Tell the parent what is wrong with the configuration, and exit.  Before
 * child_run() only.
 */
void child_refuse(struct child *, const char *why) __attribute__((noreturn));

/* The same for one that was to be tried only: there is nothing wrong. */
void child_accept(struct child *) __attribute__((noreturn));

/*
 * Tell the parent READY and run the event loop until child_exit().  Timers
 * and other events of the program may be made before, on child->base.
 */
void child_run(struct child *, const struct child_ops *, void *arg);

/* The last step: what child_start() made. */
void child_finish(struct child *);

/* Leave the event loop; child_run() then returns. */
void child_exit(struct child *);

/* True, and the message sent, if there is a channel to that peer. */
bool child_send(struct child *, enum program, struct msg_out *);

/*
 * Send a record for the audit log.  While the parent does not read, records
 * are dropped, so that nobody waits and no queue grows; a warning says how
 * many once it reads again.
 */
void child_audit(struct child *, const struct audit_record *);

#endif
