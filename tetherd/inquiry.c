#include <sys/queue.h>

#include <stdlib.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/status.h"
#include "common/timer.h"
#include "tetherd/children.h"
#include "tetherd/inquiry.h"

struct inquiry {
	TAILQ_ENTRY(inquiry) entry;
	struct inquiries *all;
	uint64_t id;
	unsigned missing; /* answers */
	struct status *values[PROGRAM_COUNT];
	struct event *timer;
	inquiry_done done;
	void *arg;
};

struct inquiries {
	struct event_base *base;
	struct children *children;
	uint64_t last_id;
	TAILQ_HEAD(, inquiry) list;
};

struct inquiries *
inquiries_new(struct event_base *base, struct children *children)
{
	struct inquiries *all = calloc(1, sizeof(*all));

	if (all == NULL)
		fatal("inquiries");
	all->base = base;
	all->children = children;
	TAILQ_INIT(&all->list);
	return all;
}

static void
inquiry_free(struct inquiry *q)
{
	size_t i;

	TAILQ_REMOVE(&q->all->list, q, entry);
	event_free(q->timer);
	for (i = 0; i < PROGRAM_COUNT; i++)
		status_free(q->values[i]);
	free(q);
}

void
inquiries_free(struct inquiries *all)
{
	struct inquiry *q;

	if (all == NULL)
		return;
	while ((q = TAILQ_FIRST(&all->list)) != NULL)
		inquiry_free(q);
	free(all);
}

/* All answers are there, or the time is over. */
static void
inquiry_on_timer(int fd, short what, void *arg)
{
	struct inquiry *q = arg;
	const struct status *values[PROGRAM_COUNT];
	inquiry_done done = q->done;
	void *done_arg = q->arg;
	size_t i;

	(void)fd;
	(void)what;
	/* done() may begin another one, or forget all of its own. */
	q->arg = NULL;
	for (i = 0; i < PROGRAM_COUNT; i++)
		values[i] = q->values[i];
	done(done_arg, values);
	inquiry_free(q);
}

void
inquiries_start(struct inquiries *all, inquiry_done done, void *arg)
{
	struct inquiry *q = calloc(1, sizeof(*q));

	if (q == NULL)
		fatal("inquiry");
	q->all = all;
	q->id = ++all->last_id;
	q->done = done;
	q->arg = arg;
	q->timer = evtimer_new(all->base, inquiry_on_timer, q);
	if (q->timer == NULL)
		fatalx("inquiry: no timer");
	TAILQ_INSERT_TAIL(&all->list, q, entry);
	q->missing = children_ask_status(all->children, q->id);
	timer_set(q->timer, q->missing == 0 ? 0 : INQUIRY_TIMEOUT_MS);
}

void
inquiries_forget(struct inquiries *all, const void *arg)
{
	struct inquiry *q, *next;

	if (arg == NULL)
		return;
	TAILQ_FOREACH_SAFE (q, &all->list, entry, next)
		if (q->arg == arg)
			inquiry_free(q);
}

/* A copy: the values come from, and go back to, whoever got the message. */
static struct status *
status_copy(enum program program, const struct status *s)
{
	struct status *copy = status_new(program);
	int i;

	for (i = 0; i < STATUS_ID_COUNT; i++) {
		enum status_id id = (enum status_id)i;

		if (status_rows[id].program != program)
			continue;
		if (status_rows[id].kind == STATUS_TEXT)
			status_set_text(copy, id, status_text(s, id));
		else
			status_set_number(copy, id, status_number(s, id));
	}
	return copy;
}

void
inquiries_on_status(struct inquiries *all, enum program program, uint64_t id,
    const struct status *s)
{
	struct inquiry *q;

	TAILQ_FOREACH (q, &all->list, entry)
		if (q->id == id)
			break;
	/* Too late, or twice, which would hide that another is missing. */
	if (q == NULL || q->missing == 0 || q->values[program] != NULL)
		return;
	q->values[program] = status_copy(program, s);
	if (--q->missing == 0)
		timer_set(q->timer, 0);
}
