#ifndef PROXYD_RUN_POLL_H
#define PROXYD_RUN_POLL_H

/*
 * When the upstream is asked what it works at, and how: while the link is up
 * and the settings want it, often while it is used or busy, else now and then,
 * and soon after anything happened.
 */

struct proxyd;
struct run_poll;
struct runs;

#define RUN_POLL_SOON_MS   200 /* after what happens */
#define RUN_POLL_DOUBT_MS  1000
#define RUN_POLL_USED_MS   5000
#define RUN_POLL_UNUSED_MS 30000
#define RUN_POLL_LIMIT_MS  10000 /* until there is an answer */

/* Fatal when out of memory.  Answers go to the runs. */
struct run_poll *run_poll_new(struct proxyd *, struct runs *);
void run_poll_free(struct run_poll *);

/* Something happened: what was said last may no longer be true. */
void run_poll_soon(struct run_poll *);

/* It is used, or no more: it is looked at as often as that calls for. */
void run_poll_use(struct run_poll *);

/* Nothing that was found out about the app counts any more. */
void run_poll_restart(struct run_poll *);

#endif
