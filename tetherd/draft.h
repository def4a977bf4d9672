#ifndef TETHERD_DRAFT_H
#define TETHERD_DRAFT_H

#include "tetherd/conf.h"

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

#endif
