#ifndef PROXYD_HTML_FOREIGN_H
#define PROXYD_HTML_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where a page is SVG or MathML (HTML standard, "The rules for parsing
 * tokens in foreign content"): there CDATA sections exist, and the text of
 * style, title and script is parsed like any other.  Follows only the
 * elements at which that changes, but not annotation-xml, whose attributes
 * decide that.  Names are in lower case.
 */

#define HTML_FOREIGN_MAX 16 /* what is nested deeper is not followed */

struct html_foreign {
	size_t depth;
	struct {
		char name[16];
		bool point;    /* in which there is HTML again */
		unsigned html; /* elements open in it */
	} open[HTML_FOREIGN_MAX];
};

/* A start tag; returns whether the element is one of HTML's. */
bool html_foreign_start(
    struct html_foreign *, const char *name, size_t len, bool self_closing);
void html_foreign_end(struct html_foreign *, const char *name, size_t len);

/* Whether "<![CDATA[" means what it says. */
bool html_foreign_has_cdata(const struct html_foreign *);

#endif
