#ifndef HUB_UNESCAPE_H
#define HUB_UNESCAPE_H

#include <sys/types.h>

/*
 * Undo the escapes of a JSON string, given without its quotes, in place.
 * A surrogate without its other half becomes U+FFFD.  Returns the length,
 * which is never larger, or -1 if an escape is malformed.
 */
ssize_t unescape(char *text, size_t len);

#endif
