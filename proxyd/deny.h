#ifndef PROXYD_DENY_H
#define PROXYD_DENY_H

#include <stdbool.h>

#include "common/session.h"

/*
 * Paths of the upstream that are closed, for everybody or for people of one
 * role.  Servers differ in what they make of a path before they look where it
 * leads: a path is closed if any of its readings is.
 */

struct deny;
struct proxyd_conf;

/* What whoever asks for one is told. */
#define DENY_REASON "this path is closed on this instance"
#define DENY_ADVICE                                                 \
	"Ask the operator of this instance if you need it: policy " \
	"deny path."

/*
 * The paths of a configuration, each of which begins with '/' and ends with a
 * newline; as they were written, percent-encoded or not.  NULL for none.
 * Fatal when out of memory.
 */
struct deny *deny_new(const struct proxyd_conf *);
void deny_free(struct deny *); /* NULL is allowed */

/* The same for paths that are closed for everybody. */
struct deny *deny_new_paths(const char *paths);

/*
 * Whether a target (path and query, as it goes into the request line) is one
 * of them, for people of that role, or below it.  Who is nobody (ROLE_NOBODY)
 * could be anyone: for them all are closed.  The readings of its path are: as it stands, and with
 * its percent-encodings (RFC 3986 section 2.1) undone once; with dot segments
 * (section 5.2.4), encoded or not, and without; with backslashes as slashes
 * and as themselves; with two slashes in front of a host.  Duplicate slashes
 * and the case of letters never count.
 */
bool deny_matches(const struct deny *, enum session_role, const char *target);

#endif
