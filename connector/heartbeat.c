#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"
#include "connector/heartbeat.h"

/*
 * Timers stand still while the machine sleeps, CLOCK_BOOTTIME does not: a
 * tick that is this late by that clock means that it slept.
 */
#define TICK_SECONDS 5
#define LATE_SECONDS 15

static void
ping_now(struct heartbeat *h)
{
	timer_set(h->ping, h->interval_ms);
	if (!evtimer_pending(h->pong, NULL))
		timer_set(h->pong, HEARTBEAT_PONG_MS);
	h->send_ping(h->arg);
}

static void
on_ping(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ping_now(arg);
}

static void
on_pong_missing(int fd, short what, void *arg)
{
	struct heartbeat *h = arg;

	(void)fd;
	(void)what;
	heartbeat_stop(h);
	h->dead(h->arg, "no pong");
}

static void
on_tick(int fd, short what, void *arg)
{
	struct heartbeat *h = arg;
	struct timespec now;
	time_t passed;

	(void)fd;
	(void)what;
	clock_gettime(CLOCK_BOOTTIME, &now);
	passed = now.tv_sec - h->ticked.tv_sec;
	h->ticked = now;
	timer_set(h->tick, TICK_SECONDS * 1000);
	if (passed < TICK_SECONDS + LATE_SECONDS)
		return;
	log_infox(
	    "slept for %lld s; checking the connection", (long long)passed);
	ping_now(h);
}

void
heartbeat_init(struct heartbeat *h, struct event_base *base,
    uint32_t interval_ms, void (*send_ping)(void *arg),
    void (*dead)(void *arg, const char *why), void *arg)
{
	*h = (struct heartbeat){
		.ping = evtimer_new(base, on_ping, h),
		.pong = evtimer_new(base, on_pong_missing, h),
		.tick = evtimer_new(base, on_tick, h),
		.interval_ms = interval_ms,
		.send_ping = send_ping,
		.dead = dead,
		.arg = arg,
	};
	if (h->ping == NULL || h->pong == NULL || h->tick == NULL)
		fatalx("no timer");
}

void
heartbeat_clear(struct heartbeat *h)
{
	event_free(h->ping);
	event_free(h->pong);
	event_free(h->tick);
}

void
heartbeat_set_interval(struct heartbeat *h, uint32_t interval_ms)
{
	bool sooner = interval_ms < h->interval_ms;

	h->interval_ms = interval_ms;
	if (sooner && evtimer_pending(h->ping, NULL))
		timer_set(h->ping, interval_ms);
}

void
heartbeat_start(struct heartbeat *h)
{
	clock_gettime(CLOCK_BOOTTIME, &h->ticked);
	timer_set(h->ping, h->interval_ms);
	timer_set(h->tick, TICK_SECONDS * 1000);
}

void
heartbeat_stop(struct heartbeat *h)
{
	evtimer_del(h->ping);
	evtimer_del(h->pong);
	evtimer_del(h->tick);
}

bool
heartbeat_on_pong(struct heartbeat *h)
{
	bool waited = evtimer_pending(h->pong, NULL) != 0;

	evtimer_del(h->pong);
	return waited;
}
