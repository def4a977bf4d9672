#ifndef PROXYD_HTML_ELEMENT_H
#define PROXYD_HTML_ELEMENT_H

#include <stddef.h>

/* Elements of which the rewriter knows more than their name. */

enum html_element {
	HTML_ELEMENT_OTHER,
	HTML_ELEMENT_HTML,
	HTML_ELEMENT_HEAD,
	HTML_ELEMENT_BODY,
	HTML_ELEMENT_BR,
	HTML_ELEMENT_META,
	HTML_ELEMENT_LINK,
	HTML_ELEMENT_OBJECT,
	HTML_ELEMENT_SVG,
	HTML_ELEMENT_MATH,
	HTML_ELEMENT_PLAINTEXT,
	/* Those with a text in which only their own end tag is one: */
	HTML_ELEMENT_SCRIPT,
	HTML_ELEMENT_STYLE,
	HTML_ELEMENT_XMP,
	HTML_ELEMENT_IFRAME,
	HTML_ELEMENT_NOEMBED,
	HTML_ELEMENT_NOFRAMES,
	HTML_ELEMENT_NOSCRIPT, /* its text, as scripts do run */
	HTML_ELEMENT_TEXTAREA,
	HTML_ELEMENT_TITLE,
	HTML_ELEMENT_COUNT
};

/* The name is in lower case. */
enum html_element html_element_find(const char *name, size_t len);

/* "" for the others. */
const char *html_element_name(enum html_element);

#endif
