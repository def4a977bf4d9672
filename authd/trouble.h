#ifndef AUTHD_TROUBLE_H
#define AUTHD_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Something that may fail at every request: the operator hears of it when
 * it starts, when it changes, once a minute while it lasts, and when it is
 * over.  Start from zeroes.
 */

#define TROUBLE_LINE_MAX 512

struct trouble {
	char line[TROUBLE_LINE_MAX]; /* what was logged last */
	int64_t logged_ms;	     /* and when; 0 for never */
	int64_t window_ms;	     /* start of the minute being counted */
	int lines;		     /* logged in that minute */
	bool announced;		     /* logged, and not over since */
	bool quiet;		     /* keep the line, and log none */
};

/* Warn about a failure, unless the operator knows already. */
void trouble_report(struct trouble *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* It works again: say so if a failure was logged.  what names the thing. */
void trouble_over(struct trouble *, const char *what);

/* Milliseconds of a clock that is never set back, never 0. */
int64_t trouble_clock(void);

#endif
