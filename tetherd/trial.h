#ifndef TETHERD_TRIAL_H
#define TETHERD_TRIAL_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * An authd that is only to see whether it could work with a configuration: as
 * another user, or with databases in other places, which are beyond the reach
 * of the one that runs.  It starts as ever, up to its sandbox, answers, and
 * exits.
 */

/* How long that may take, in milliseconds. */
#define TRIAL_TIMEOUT_MS 10000

struct conf;
struct event_base;
struct trial;

/*
 * It is over: why is NULL, or says why not, for the operator and valid until
 * it returns.
 */
typedef void (*trial_done)(void *arg, const char *why);

struct trial *trial_new(struct event_base *, trial_done, void *arg);

/* Ends the one under way without a word.  NULL is allowed. */
void trial_free(struct trial *);

/*
 * Start one, in place of one that is under way: 0, or -1 after logging why
 * there can be none.  conf is of no more use afterwards.
 */
int trial_start(struct trial *, const struct conf *);

/* End it without a word. */
void trial_give_up(struct trial *);

/* A process of ours died: true if it was this one. */
bool trial_reap(struct trial *, pid_t, int status);

#endif
