#ifndef PROXYD_PREFIX_H
#define PROXYD_PREFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "proxyd/request.h"

/*
 * The path under which the orchestrator shows the web app (proxy_base, like
 * "/clients/box/proxy"), and which URLs of the app must have it in front.
 */
struct prefix {
	char text[REQUEST_BASE_MAX + 1]; /* no "/" at the end */
	size_t len;
};

/*
 * Take a proxy_base over.  It ends up in HTML attributes, CSS, JavaScript
 * strings and header fields alike, so it must mean the same in all of them:
 * segments of letters, digits, "-", ".", "_", "~" and percent-encoded bytes,
 * none of them empty, "." or ".." (or "%2e"); one "/" at the end is cut off.
 * False if it is anything else.
 */
bool prefix_init(struct prefix *, const char *proxy_base);

enum prefix_verdict {
	PREFIX_KEEP,  /* the URL stays as it is */
	PREFIX_ADD,   /* the prefix goes in front of it */
	PREFIX_CLOSE, /* it is the prefix itself, behind which a "/" goes */
	PREFIX_MORE   /* that depends on bytes which are not there */
};

/* As much of a URL as prefix_judge() ever asks for, in bytes. */
#define PREFIX_LOOK (REQUEST_BASE_MAX + 2)

/*
 * What to do with a URL that begins with these bytes; whole says that they
 * are all of it.  Only URLs with exactly one "/" in front are the app's own
 * rooted ones: "//host", what browsers take for the same ("/\host", or a tab
 * or newline between), absolute and relative URLs, "#…", "?…" and "" are
 * kept, as are those that have the prefix already.  White space in front,
 * which browsers cut off, is the caller's to skip.  A verdict other than
 * PREFIX_MORE is that of everything longer, too.
 */
enum prefix_verdict prefix_judge(
    const struct prefix *, const char *url, size_t len, bool whole);

/*
 * Write a whole URL with the prefix where it belongs to a string of the
 * caller, of size bytes.  Returns false if there is no room.
 */
bool prefix_apply(
    const struct prefix *, const char *url, size_t len, char *out, size_t size);

#endif
