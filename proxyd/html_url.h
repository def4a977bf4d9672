#ifndef PROXYD_HTML_URL_H
#define PROXYD_HTML_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/html_entity.h"
#include "proxyd/prefix.h"

/*
 * A URL in an attribute value, one character after the other, as browsers
 * clean it before they parse it (URL standard, "basic URL parser"): without
 * controls and spaces at its ends, tabs and newlines anywhere.
 */

enum html_origin {
	HTML_ORIGIN_EMPTY,
	HTML_ORIGIN_SLASH,  /* only "/" so far */
	HTML_ORIGIN_SCHEME, /* what may be a scheme, so far */
	HTML_ORIGIN_OWN,    /* relative to the page, or rooted */
	HTML_ORIGIN_FOREIGN
};

struct html_url {
	const struct prefix *prefix;
	enum prefix_verdict verdict;
	enum html_origin origin;
	uint64_t at;	   /* where the prefix goes, once there is any text */
	uint64_t close_at; /* where a "/" goes if it is the prefix itself */
	bool gap;	   /* a space, if more comes */
	size_t len;
	char text[PREFIX_LOOK];
};

/* The prefix must outlive it. */
void html_url_start(struct html_url *, const struct prefix *);

/* Both are no use once html_url_known(). */
void html_url_feed(struct html_url *, const struct html_unit *);
void html_url_finish(struct html_url *);

/* Whether verdict and origin will not change any more. */
static inline bool
html_url_known(const struct html_url *url)
{
	return url->verdict != PREFIX_MORE && url->origin >= HTML_ORIGIN_OWN;
}

#endif
