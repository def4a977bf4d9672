#ifndef TETHERD_COMPLAINTS_H
#define TETHERD_COMPLAINTS_H

#include <stddef.h>

/*
 * What is wrong with the settings: gathered, so that one run names all of
 * it, and the log and a tetherctl that asked for a reload say the same.
 */

/* More than these are counted, and not kept. */
#define COMPLAINTS_MAX 100

struct complaints;

/* Where a setting was read, see below. */
enum origin_kind {
	ORIGIN_DEFAULT,
	ORIGIN_FILE,	    /* tetherd.conf and what it includes */
	ORIGIN_ENV_FILE,    /* of -e */
	ORIGIN_ENVIRONMENT, /* file is the name of the variable */
	ORIGIN_FLAG,	    /* file is the flag, like "-d" */
};

struct origin {
	enum origin_kind kind;
	const char *file; /* NULL for none */
	unsigned line;	  /* 0 for none */
};

/* Fatal when out of memory. */
struct complaints *complaints_new(void);
void complaints_free(struct complaints *); /* NULL is allowed */

/*
 * "FILE:LINE: text", or what of it there is.  Bytes that are not printable
 * ASCII become question marks.  What was said already is not said again.
 */
void complain(struct complaints *, const struct origin *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for what is to be said, but no reason to refuse the settings. */
void complain_mildly(struct complaints *, const struct origin *, const char *,
    ...) __attribute__((format(printf, 3, 4)));

/* How many there are, without the mild ones. */
size_t complaints_count(const struct complaints *);

/* Log all, a line each, in the order in which they came. */
void complaints_log(const struct complaints *);

/*
 * All as one text, a line each, no newline behind the last; at most size
 * bytes with the NUL.  "and N more" stands for what is left out.
 */
void complaints_text(const struct complaints *, char *, size_t size);

#endif
