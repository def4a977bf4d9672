#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>

#include "common/log.h"
#include "common/monotonic.h"
#include "common/slice.h"
#include "proxyd/rates.h"

#define NS_PER_MS     INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)

/*
 * A bucket is the time at which it will be full again (the generic cell rate
 * algorithm): each token taken moves that by its interval, and what is taken
 * of an empty one would move it too far.
 */
struct person {
	RB_ENTRY(person) by_id;
	TAILQ_ENTRY(person) by_use; /* the latest first */
	uint64_t github_id;
	int64_t full_ns[RATE_COUNT];
	int64_t tell_ns; /* not before */
};

RB_HEAD(rates_tree, person);
TAILQ_HEAD(person_list, person);

struct rates {
	const struct proxyd_conf *conf;
	struct rates_tree people;
	struct person_list used;
	size_t count;
};

/* What a limit means in time. */
struct measure {
	int64_t interval_ns; /* of one token, 0 for no limit */
	int64_t depth_ns;    /* of a full bucket */
};

static const char *const reasons[RATE_COUNT] = {
	[RATE_REQUESTS] = "too many requests; try again in a moment",
	[RATE_TUNNELS] = "too many connections; try again in a moment",
	[RATE_FAILURES] = "too much was refused; try again in a moment",
};

static int person_compare(const struct person *, const struct person *);
RB_PROTOTYPE(rates_tree, person, by_id, person_compare)
RB_GENERATE(rates_tree, person, by_id, person_compare)

static int
person_compare(const struct person *a, const struct person *b)
{
	if (a->github_id == b->github_id)
		return 0;
	return a->github_id < b->github_id ? -1 : 1;
}

struct rates *
rates_new(const struct proxyd_conf *conf)
{
	struct rates *r = calloc(1, sizeof(*r));

	if (r == NULL)
		fatal("rates");
	r->conf = conf;
	RB_INIT(&r->people);
	TAILQ_INIT(&r->used);
	return r;
}

static void
forget(struct rates *r, struct person *p)
{
	RB_REMOVE(rates_tree, &r->people, p);
	TAILQ_REMOVE(&r->used, p, by_use);
	r->count--;
	free(p);
}

void
rates_free(struct rates *r)
{
	struct person *p;

	while ((p = TAILQ_FIRST(&r->used)) != NULL)
		forget(r, p);
	free(r);
}

static struct person *
add(struct rates *r, uint64_t github_id)
{
	struct person *p;

	if (r->count == RATES_PEOPLE_MAX)
		forget(r, TAILQ_LAST(&r->used, person_list));
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		fatal("rates");
	p->github_id = github_id;
	(void)RB_INSERT(rates_tree, &r->people, p);
	TAILQ_INSERT_HEAD(&r->used, p, by_use);
	r->count++;
	return p;
}

static struct person *
find(struct rates *r, uint64_t github_id)
{
	struct person *p = TAILQ_FIRST(&r->used);
	struct person key = { .github_id = github_id };

	/* Who asks for a page asks for all that is on it. */
	if (p != NULL && p->github_id == github_id)
		return p;
	p = RB_FIND(rates_tree, &r->people, &key);
	if (p == NULL)
		return add(r, github_id);
	TAILQ_REMOVE(&r->used, p, by_use);
	TAILQ_INSERT_HEAD(&r->used, p, by_use);
	return p;
}

static struct measure
measure(const struct rates *r, enum rate rate)
{
	const uint32_t limits[RATE_COUNT] = {
		[RATE_REQUESTS] = r->conf->requests_rate,
		[RATE_TUNNELS] = r->conf->tunnels_rate,
		[RATE_FAILURES] = r->conf->failures_rate,
	};
	uint32_t limit = limits[rate], burst = limit;
	struct measure m = { 0 };

	if (limit == 0)
		return m;
	m.interval_ns = NS_PER_SECOND / limit;
	if (rate != RATE_REQUESTS)
		m.interval_ns = 60 * NS_PER_SECOND / limit;
	else if (burst < RATES_REQUESTS_BURST)
		burst = RATES_REQUESTS_BURST;
	m.depth_ns = m.interval_ns * burst;
	return m;
}

/*
 * How long to wait until the bucket has a token, in nanoseconds, 0 if it has
 * one now.  One that was filled under a lower limit is empty under this one,
 * not more than that.
 */
static int64_t
look(struct person *p, enum rate rate, const struct measure *m, int64_t now_ns)
{
	int64_t *full_ns = &p->full_ns[rate];

	if (*full_ns < now_ns)
		*full_ns = now_ns;
	if (*full_ns > now_ns + m->depth_ns)
		*full_ns = now_ns + m->depth_ns;
	return *full_ns + m->interval_ns > now_ns + m->depth_ns
		   ? *full_ns + m->interval_ns - now_ns - m->depth_ns
		   : 0;
}

static uint32_t
to_seconds(int64_t ns)
{
	return (uint32_t)((ns + NS_PER_SECOND - 1) / NS_PER_SECOND);
}

const char *
rates_admit(
    struct rates *r, enum rate rate, uint64_t github_id, uint32_t *wait_s)
{
	struct measure failures = measure(r, RATE_FAILURES);
	struct measure m = measure(r, rate);
	struct person *p;
	int64_t now_ns, wait_ns;

	if (github_id == RATES_NOBODY ||
	    (failures.interval_ns == 0 && m.interval_ns == 0))
		return NULL;
	p = find(r, github_id);
	now_ns = monotonic_ms() * NS_PER_MS;
	wait_ns = look(p, RATE_FAILURES, &failures, now_ns);
	if (wait_ns > 0) {
		*wait_s = to_seconds(wait_ns);
		return reasons[RATE_FAILURES];
	}
	wait_ns = look(p, rate, &m, now_ns);
	if (wait_ns > 0) {
		*wait_s = to_seconds(wait_ns);
		return reasons[rate];
	}
	p->full_ns[rate] += m.interval_ns;
	return NULL;
}

void
rates_note_failure(struct rates *r, uint64_t github_id)
{
	struct measure m = measure(r, RATE_FAILURES);
	struct person *p;

	if (github_id == RATES_NOBODY || m.interval_ns == 0)
		return;
	p = find(r, github_id);
	if (look(p, RATE_FAILURES, &m, monotonic_ms() * NS_PER_MS) == 0)
		p->full_ns[RATE_FAILURES] += m.interval_ns;
}

bool
rates_tells(struct rates *r, uint64_t github_id)
{
	struct person *p = find(r, github_id);
	int64_t now_ns = monotonic_ms() * NS_PER_MS;

	if (now_ns < p->tell_ns)
		return false;
	p->tell_ns = now_ns + NS_PER_SECOND;
	return true;
}

size_t
rates_count(const struct rates *r)
{
	return r->count;
}
