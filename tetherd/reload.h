#ifndef TETHERD_RELOAD_H
#define TETHERD_RELOAD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/program.h"

/*
 * A reload in two steps: the new configuration is read, staged in every
 * child, and switched to everywhere once all of them have accepted it; else
 * it is dropped everywhere and the old one stays in force.  One at a time;
 * it is over when every child runs with the new one.
 */

/* How long a child may take to accept or refuse, and to switch, in
 * milliseconds. */
#define RELOAD_TIMEOUT_MS 10000

struct children;
struct event_base;
struct reload;
struct settings;
struct sources;

/* Room for all that was wrong, in bytes; what is more is cut. */
#define RELOAD_WHY_SIZE 16000

/* Called once: why is NULL when the new configuration is in force, else all
 * that was wrong, a line each, valid until it returns. */
typedef void (*reload_done)(void *arg, const char *why);

struct reload_ops {
	/* Make ready what can fail of the parent's own part; nothing changes
	 * yet.  Returns NULL, or why not, valid until the next call. */
	const char *(*check)(void *arg, const struct settings *next);
	/* What was checked is not wanted: undo it. */
	void (*dropped)(void *arg);
	/* Every child accepts: take over what concerns the parent.  The old
	 * settings are freed afterwards. */
	void (*switched)(
	    void *arg, const struct settings *now, const struct settings *old);
};

/* settings are those in force, and the reload's from now on. */
struct reload *reload_new(struct event_base *, struct children *,
    const struct sources *, struct settings *, const struct reload_ops *,
    void *arg);
void reload_free(struct reload *); /* NULL is allowed */

/* The settings in force. */
const struct settings *reload_settings(const struct reload *);

/*
 * Begin one.  done (NULL is allowed) is called when it is over, possibly at
 * once; with arg.  If one is under way, another one begins when that is over,
 * and it answers all who asked meanwhile.
 */
void reload_start(struct reload *, reload_done, void *arg);

/* Who asked is gone: its done() will not be called. */
void reload_forget(struct reload *, void *arg);

/* tetherd stops: the one under way fails, and so do all from now on. */
void reload_stop(struct reload *);

/* A process of ours died: true if it was one that reloads start. */
bool reload_reap(struct reload *, pid_t, int status);

/*
 * Decide anew who the processes run as, see privileges.h: true if authd is
 * somebody else now.
 */
bool reload_reassign(struct reload *);

/* What the children say; see children.h. */
void reload_on_accepted(
    struct reload *, enum program, uint64_t id, uint32_t flags);
void reload_on_switched(struct reload *, enum program, uint64_t id);
void reload_on_refused(
    struct reload *, enum program, uint64_t id, const char *why);
void reload_on_lost(struct reload *, enum program);
void reload_on_all_running(struct reload *);

#endif
