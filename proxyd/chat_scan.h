#ifndef PROXYD_CHAT_SCAN_H
#define PROXYD_CHAT_SCAN_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a JSON text says of itself, read in the only way that there is: a text
 * that two parsers could read differently is none.  No object is built.
 */

/* Nesting beyond this is refused. */
#define CHAT_SCAN_DEPTH_MAX 64

/* Members of the outermost object, NULL where there are none of them. */
struct chat_scan {
	/* "type", if it is a string: as it stands, without its quotes. */
	const char *type;
	size_t type_len;
	/* "sessionId", if it is a string: with its quotes. */
	const char *session;
	size_t session_len;
};

/*
 * Read a text that is one object and nothing else (RFC 8259), in UTF-8.  The
 * pointers lead into the text.  Returns -1 if it is not that, is nested too
 * deep, has a name of the outermost object with an escape in it, or has one
 * of the members above twice.
 */
int chat_scan(const uint8_t *text, size_t len, struct chat_scan *);

#endif
