#include <event2/event.h>

#include "common/log.h"
#include "common/timer.h"

void
timer_set(struct event *timer, uint32_t ms)
{
	struct timeval after = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	if (evtimer_add(timer, &after) == -1)
		fatalx("no memory for a timer");
}
