#ifndef PROXYD_TEXT_H
#define PROXYD_TEXT_H

#include <stdbool.h>

/*
 * Whether a body of this Content-Type may travel as the text that it is, if
 * its bytes turn out to be UTF-8.  NULL, for no type, is not text; nor is
 * a type that declares a charset other than UTF-8 or its subset US-ASCII.
 */
bool text_type(const char *content_type);

/* Whether a Content-Type names a charset. */
bool text_has_charset(const char *content_type);

#endif
