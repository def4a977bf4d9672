#ifndef TETHERD_CONF_H
#define TETHERD_CONF_H

#include <stdbool.h>

#include "common/slice.h"

/*
 * The whole configuration, as the parent holds it: the slices of the
 * children, complete and checked.  Whoever reads settings fills this one.
 */
struct conf {
	struct connector_conf connector;
	struct proxyd_conf proxyd;
	struct authd_conf authd;
	struct dialer_conf dialer; /* how the orchestrator is reached */
};

/*
 * What is being read: settings as texts, whose meaning depends on each
 * other, so that they are only put together at the end.
 */
struct draft {
	struct conf conf;
	char *url;
	char *proxy;	/* HTTPS_PROXY */
	char *no_proxy; /* NO_PROXY */
};

/* The defaults of all settings; fatal if this host cannot tell them. */
void draft_start(struct draft *);

/*
 * Check the settings against each other and derive what depends on several.
 * Returns NULL, or the name of a setting in *name and what is wrong with it;
 * the text is valid until the next call.  The draft stays the caller's.
 */
const char *draft_finish(struct draft *, const char **name);

/* The configuration of a finished draft; the draft is empty afterwards. */
struct conf *draft_take(struct draft *);
void draft_free(struct draft *);

/* Wipe the secrets and free all.  NULL is allowed. */
void conf_free(struct conf *);

/* The configuration message of a child. */
void conf_slice(const struct conf *, enum program, struct msg_out *);

/* True when that child would get the same slice of both. */
bool conf_same_slice(const struct conf *, const struct conf *, enum program);

#endif
