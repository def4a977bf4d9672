#ifndef CONNECTOR_HEARTBEAT_H
#define CONNECTOR_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct event;
struct event_base;

/*
 * Is the orchestrator still there?  A ping at each interval, a pong within
 * 10 s, and an extra ping when the machine seems to have slept.
 */

#define HEARTBEAT_PONG_MS 10000

struct heartbeat {
	struct event *ping;
	struct event *pong;
	struct event *tick;
	struct timespec ticked; /* CLOCK_BOOTTIME */
	uint32_t interval_ms;
	void (*send_ping)(void *arg);
	void (*dead)(void *arg, const char *why);
	void *arg;
};

/* Fatal when out of memory. */
void heartbeat_init(struct heartbeat *, struct event_base *,
    uint32_t interval_ms, void (*send_ping)(void *arg),
    void (*dead)(void *arg, const char *why), void *arg);
void heartbeat_clear(struct heartbeat *);

/* Another interval: also for the ping that is next, if that is sooner. */
void heartbeat_set_interval(struct heartbeat *, uint32_t interval_ms);

/* dead() is only called between these two. */
void heartbeat_start(struct heartbeat *);
void heartbeat_stop(struct heartbeat *);

/* True if a ping was waiting for it. */
bool heartbeat_on_pong(struct heartbeat *);

#endif
