#ifndef TETHERD_PRIVILEGES_H
#define TETHERD_PRIVILEGES_H

struct conf;

/*
 * Which user each process runs as.  Only root can have them differ: tetherd
 * started by anybody else runs all of them as that user.
 */

/* Whose processes face a network, and whose user the web app's data is not. */
#define PRIVILEGES_CONNECTOR "_tetherconn"
#define PRIVILEGES_PROXYD    "_tetherproxy"

/*
 * Look up the users, as root; once, at the start: later the modules of the
 * system's name service are out of reach.
 */
void privileges_find(void);

/* Tell the operator who runs as whom, and what is amiss with it. */
void privileges_log(const struct conf *);

/* The same for authd alone, once that has changed. */
void privileges_log_authd(const struct conf *);

/* Decide how each process is to confine itself, see common/confinement.h. */
void privileges_assign(struct conf *);

/*
 * A folder to be the root of processes that need no files: owned by root, and
 * removed already, so that nothing can ever be put into it.  Returns a
 * descriptor, or -1 if nobody changes root.  Fatal if there can be none.
 */
int privileges_root(void);

#endif
