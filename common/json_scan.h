#ifndef COMMON_JSON_SCAN_H
#define COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/utf8.h"

/*
 * Whether a text that comes in pieces is one JSON value (RFC 8259), in UTF-8,
 * and nothing else.  Strict: no comments, other quotes, NaN or commas too
 * many.  An escape of half a surrogate pair is taken: it is no invalid UTF-8,
 * and what it means is up to who decodes it.  Nothing is built or copied.
 */

/* Nobody can allow deeper nesting. */
#define JSON_SCAN_DEPTH_LIMIT 1024

/* What is in it is for json_scan.c, but for the count of values. */
struct json_scan {
	uint8_t expected; /* what may come next */
	bool name;	  /* the string that it is in is one */
	uint8_t digits;	  /* still to come of an escape */
	const char *word; /* what is still to come of true, false or null */
	struct utf8 utf8;
	unsigned depth, depth_max;
	size_t values; /* that began so far, whole text included */
	/* One bit each: what is open is an object, not an array. */
	uint64_t objects[JSON_SCAN_DEPTH_LIMIT / 64];
};

/* Of objects and arrays in each other at most so many may be open. */
void json_scan_start(struct json_scan *, unsigned depth_max);

/* Read a piece; false once the text can not become valid any more. */
bool json_scan_feed(struct json_scan *, const void *, size_t len);

/* Whether the text may end here. */
bool json_scan_complete(const struct json_scan *);

/* Check a whole text: any value.  How many values it holds has no bound. */
bool json_scan_text(const void *, size_t len, unsigned depth_max);

#endif
