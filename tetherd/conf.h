#ifndef TETHERD_CONF_H
#define TETHERD_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"
#include "common/slice.h"

struct channel;

/*
 * The whole configuration, as the parent holds it: the slices of the
 * children, complete and checked, and its own part.
 */
struct conf {
	struct connector_conf connector;
	struct proxyd_conf proxyd;
	struct authd_conf authd;
	struct dialer_conf dialer;	  /* how the orchestrator is reached */
	struct dialer_conf github_dialer; /* and the GitHub API */

	/*
	 * Files that are opened for a child: a copy of the contents that
	 * nobody can change, so that a child that is started anew gets what
	 * was accepted.
	 */
	struct conf_open_file {
		char *path; /* NULL for none */
		int fd;
	} files[CONF_FILE_COUNT];

	struct parent_conf {
		char *socket;	    /* of tetherctl; "" for the usual place */
		char *group;	    /* who may look on; "" for our own group */
		char *log_file;	    /* "" for none */
		char *audit_file;   /* of JSON lines, "" for none */
		bool log_to_stderr; /* else syslog, unless there is a file */
		enum log_level log_level;
		bool sandbox;
	} parent;

	struct launcher_conf launcher;
};

/* Wipe the secrets, close the files and free all.  NULL is allowed. */
void conf_free(struct conf *);

/* The same, but the struct stays, empty as conf_reset() leaves it. */
void conf_clear(struct conf *);
void conf_reset(struct conf *);

/*
 * Send a child its slice: the settings, the files, CONF_DONE; all with the
 * number of the reload that it came with, 0 for none, as their id.
 */
void conf_send(
    const struct conf *, enum program, struct channel *, uint64_t id);

/*
 * The message with a child's settings alone; for the dialer those that lead to
 * the orchestrator.
 */
void conf_slice(const struct conf *, enum program, struct msg_out *);

/*
 * The name of a setting that differs between both and cannot be changed by a
 * reload; NULL if there is none.
 */
const char *conf_needs_restart(const struct conf *, const struct conf *);

/*
 * True when an authd for the second one has other databases in reach than the
 * one for the first; see trial.h.
 */
bool conf_needs_trial(const struct conf *, const struct conf *);

/* True when the orchestrator's dialer would do the same with both. */
bool conf_same_dialer(const struct conf *, const struct conf *);

#endif
