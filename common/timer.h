#ifndef COMMON_TIMER_H
#define COMMON_TIMER_H

#include <stdint.h>

struct event;

/*
 * Let a timer of libevent fire after so many milliseconds, once, instead of
 * when it was to fire before.  Fatal if libevent has no memory for it.
 */
void timer_set(struct event *, uint32_t ms);

#endif
