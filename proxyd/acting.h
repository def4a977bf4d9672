#ifndef PROXYD_ACTING_H
#define PROXYD_ACTING_H

#include <stdbool.h>

/*
 * What the web apps that are known do, instead of showing something, when
 * they are asked with GET.
 */

/*
 * Whether a GET for that target (path and query) could change or run
 * something: it is one that is there to do so, or its query would become more
 * than a name to the shell or to git, which some versions hand it to as it is.
 */
bool acting_matches(const char *target);

#endif
