#ifndef TETHERD_DIAL_H
#define TETHERD_DIAL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Getting a socket to a target of ours, the orchestrator or GitHub: a dialer
 * process for each attempt, which resolves, connects and exits.
 */

struct dial;
struct dialer_conf;
struct event_base;

/* The outcome: a socket, which the callee owns, and its peer; or -1 and why
 * not. */
typedef void (*dial_done)(void *arg, uint64_t id, int fd, const char *text);

struct dial *dial_new(struct event_base *, dial_done, void *arg);

/* Ends the attempt under way without a word.  NULL is allowed. */
void dial_free(struct dial *);

/* Start an attempt; one that is under way is ended without a word. */
void dial_start(struct dial *, const struct dialer_conf *, uint64_t id);

/* The same without a new attempt: nobody waits for it any more. */
void dial_give_up(struct dial *);

/* A process of ours died: true if it was this dialer. */
bool dial_reap(struct dial *, pid_t, int status);

#endif
