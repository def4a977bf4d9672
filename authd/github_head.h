#ifndef AUTHD_GITHUB_HEAD_H
#define AUTHD_GITHUB_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* What an answer of the GitHub API says beside its body. */

/* Bytes and lines of all heads of one answer, trailers included. */
#define GITHUB_HEAD_MAX	      32768
#define GITHUB_HEAD_LINES_MAX 200

/* How long a rate limit is taken to last, at least and at most. */
#define GITHUB_WAIT_MIN_MS 1000
#define GITHUB_WAIT_MAX_MS 3600000

/* Zeroed before the first line. */
struct github_head {
	size_t bytes;
	size_t lines;
	bool whole;	   /* up to the empty line */
	bool more;	   /* Link (RFC 8288) has a "next" */
	bool has_after;	   /* Retry-After (RFC 9110 section 10.2.3) */
	int64_t after;	   /* in seconds from now on, -1 if unreadable */
	int64_t remaining; /* requests of the quota, -1 if unreadable */
	int64_t reset;	   /* when there is a new one, epoch; or -1 */
	bool has_remaining;
	bool has_reset;
};

/*
 * Take one line as curl hands it over, with its line end or without: a status
 * line, a field, or the empty line.  now is the time of day.  -1 when there is
 * too much of it.
 */
int github_head_add(
    struct github_head *, const char *line, size_t len, time_t now);

/*
 * Whether an answer with that status is about a rate limit: how long to wait
 * from now on in *wait_ms, within the bounds above.
 */
bool github_head_is_limit(
    const struct github_head *, int status, time_t now, uint32_t *wait_ms);

#endif
