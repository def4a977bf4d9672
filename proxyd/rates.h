#ifndef PROXYD_RATES_H
#define PROXYD_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How much one person may ask for in a while: token buckets, by GitHub id.
 * Limits are those of the configuration at that moment; 0 is no limit.  Of
 * the people, who are the orchestrator's word, a bounded number is known: the
 * one not heard of for the longest is forgotten, as if with full buckets.
 */

struct proxyd_conf;
struct rates;

/* In the place of a GitHub id: all who come without one. */
#define RATES_NOBODY 0

/* People known at once. */
#define RATES_PEOPLE_MAX 4096

/* A bucket holds at least that many requests, however few in a second. */
#define RATES_REQUESTS_BURST 10

enum rate {
	RATE_REQUESTS, /* in a second, and a second's worth at once */
	RATE_TUNNELS,  /* in a minute, and a minute's worth at once */
	RATE_FAILURES, /* in a minute: refusals; see rates_note_failure() */
	RATE_COUNT
};

/* Fatal when out of memory; conf must outlive it, and may change. */
struct rates *rates_new(const struct proxyd_conf *);
void rates_free(struct rates *);

/*
 * One more request, or one more tunnel, of a person who was not refused too
 * often of late.  Returns NULL; or why not, for the person, and how long to
 * wait in *wait_s (seconds, from 1 up): nothing is to be asked for them then.
 * Nobody has no limit.
 */
const char *rates_admit(
    struct rates *, enum rate, uint64_t github_id, uint32_t *wait_s);

/* Something was refused to a person, but not because of a rate. */
void rates_note_failure(struct rates *, uint64_t github_id);

/*
 * Whether one more refusal that no limit of failures stops, of nobody, because
 * of a rate, or because authd could not say, is worth a line in the audit log:
 * once a second for each person, so that nobody fills the disk by asking.
 */
bool rates_tells(struct rates *, uint64_t github_id);

size_t rates_count(const struct rates *);

#endif
