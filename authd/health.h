#ifndef AUTHD_HEALTH_H
#define AUTHD_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "authd/trouble.h"

/*
 * How GitHub is doing, as the operator is told: a line for each kind of
 * trouble when it starts, a line when GitHub works again, and a text for
 * tetherctl.  Start from zeroes.
 */

enum health_kind {
	/* Of GitHub, or of the way to it. */
	HEALTH_UNREACHABLE, /* no (whole) answer */
	HEALTH_STATUS,	    /* one that means nothing here */
	HEALTH_SHAPE,	    /* an answer that is not what it should be */
	HEALTH_TOKEN,	    /* the instance's token is refused */
	HEALTH_LIMITED,
	/* It works, but not for all. */
	HEALTH_FORBIDDEN, /* a token that may not see members */
	HEALTH_PERSON,	  /* a login that is not of the id it came with */
	HEALTH_COUNT
};

struct health {
	struct trouble trouble[HEALTH_COUNT];
	char failing[128]; /* what is wrong, "" while it works */
	bool asked;	   /* it answered, or did not */
};

/* The line gets "GitHub: " in front. */
void health_report(struct health *, enum health_kind, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* GitHub gave an answer as it should. */
void health_good(struct health *);

/* The settings changed: nothing is known. */
void health_reset(struct health *);

/* "not asked", "works" or "failing: …". */
void health_describe(const struct health *, char *dst, size_t size);

#endif
