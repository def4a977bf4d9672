#ifndef CONNECTOR_TURNOVER_H
#define CONNECTOR_TURNOVER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Another configuration while the program runs.  What does not concern the
 * connection is in force at once.  For all else the connection has to be
 * another one, and no request may be lost by that: the old one serves on, as
 * it was configured, until nothing is under way; where that takes too long
 * it takes no new requests, as soon as only such are left that came since; then
 * it is closed, and the next one comes with the new configuration.  Tunnels do not delay that: pages open them anew.
 */

struct connector;
struct connector_conf;
struct turnover;

/* All at most, in milliseconds: 30 s in sum. */
#define TURNOVER_SERVE_MS 2000	/* and go on as ever */
#define TURNOVER_WAIT_MS  18000 /* so, too, while one from before waits */
#define TURNOVER_DRAIN_MS 26000 /* and take no new requests; less the wait */
#define TURNOVER_END_MS	  2000	/* and no user requests either */

/* Nothing may have come for so long before the connection is closed. */
#define TURNOVER_QUIET_MS 20

/* Fatal when out of memory. */
struct turnover *turnover_new(struct connector *);
void turnover_free(struct turnover *);

/*
 * At the start, before the sandbox: make ready what connector->conf needs.
 * Returns NULL, or what is wrong with it.
 */
const char *turnover_start(struct turnover *);

/* The steps of a reload; see struct child_ops. */
const char *turnover_check(
    struct turnover *, const struct connector_conf *next, uint32_t *flags);
void turnover_switch(
    struct turnover *, struct connector_conf *next, uint32_t flags);
void turnover_drop(struct turnover *);

/* The connection was up, and is no more. */
void turnover_on_down(struct turnover *);

/*
 * Nothing uses connector->conf now: true if it was replaced by one that
 * waited for that.
 */
bool turnover_on_ended(struct turnover *);

/* We stop: what is under way is others' to finish. */
void turnover_stop(struct turnover *);

#endif
