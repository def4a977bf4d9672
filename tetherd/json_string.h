#ifndef TETHERD_JSON_STRING_H
#define TETHERD_JSON_STRING_H

#include <stdio.h>

/*
 * Write a string of JSON (RFC 8259) with its quotes, in printable ASCII: all
 * else is escaped.  A text that is no UTF-8 keeps its ASCII, and each other
 * byte of it becomes U+FFFD.
 */
void json_string(FILE *, const char *);

#endif
