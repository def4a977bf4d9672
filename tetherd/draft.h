#ifndef TETHERD_DRAFT_H
#define TETHERD_DRAFT_H

#include "tetherd/conf.h"

/*
 * A configuration that is being read, and settings as texts, whose
 * meaning depends on each other, so that they are only put together at the
 * end.  Strings are never NULL.
 */
struct draft {
	struct conf conf;
	char *url;	/* of the orchestrator, as it is printed */
	char *proxy;	/* its proxy */
	char *no_proxy; /* comma-separated */
	char *claim_users;
	char *claim_orgs;
	char *claim_teams;
};

/* The defaults of all settings; fatal if this host cannot tell them. */
void draft_start(struct draft *);

/* The configuration; the draft is empty afterwards. */
struct conf *draft_take(struct draft *);
void draft_free(struct draft *);

#endif
