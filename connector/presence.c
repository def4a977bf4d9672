#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>

#include "common/activity.h"
#include "common/log.h"
#include "common/timer.h"
#include "connector/connector.h"
#include "connector/outgoing.h"
#include "connector/presence.h"

struct presence {
	struct connector *connector;
	enum activity_status status;
	enum activity_status told;
	bool is_up;
	bool is_wanted;	     /* when it may be told, whatever was told */
	bool was_refreshed;  /* since the timer began */
	struct event *timer; /* while it is too early for the next */
};

static void on_timer(int, short, void *);

struct presence *
presence_new(struct connector *connector)
{
	struct presence *p = calloc(1, sizeof(*p));

	if (p == NULL)
		fatal("presence");
	p->connector = connector;
	p->timer = evtimer_new(connector->child.base, on_timer, p);
	if (p->timer == NULL)
		fatalx("no timer");
	return p;
}

void
presence_free(struct presence *p)
{
	event_free(p->timer);
	free(p);
}

static void
tell(struct presence *p)
{
	p->told = p->status;
	p->is_wanted = false;
	p->was_refreshed = false;
	timer_set(p->timer, PRESENCE_INTERVAL_MS);
	outgoing_status_update(p->connector, presence_name(p));
}

static void
tell_news(struct presence *p)
{
	if (p->is_up && (p->status != p->told || p->is_wanted) &&
	    !evtimer_pending(p->timer, NULL))
		tell(p);
}

static void
on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	((struct presence *)arg)->was_refreshed = false;
	tell_news(arg);
}

int
presence_on_activity(struct presence *p, struct msg *m)
{
	if (activity_read(m, &p->status) == -1)
		return -1;
	tell_news(p);
	return 0;
}

const char *
presence_name(const struct presence *p)
{
	return activity_name(p->status);
}

const char *
presence_register(struct presence *p)
{
	p->told = p->status;
	p->is_wanted = false;
	return presence_name(p);
}

void
presence_on_up(struct presence *p)
{
	p->is_up = true;
	tell_news(p);
}

void
presence_on_down(struct presence *p)
{
	p->is_up = false;
	p->was_refreshed = false;
	evtimer_del(p->timer);
}

void
presence_refresh(struct presence *p)
{
	/* Once at once, but a flood of them is not answered by one. */
	if (!p->is_up || p->was_refreshed) {
		p->is_wanted = true;
		return;
	}
	tell(p);
	p->was_refreshed = true;
}
