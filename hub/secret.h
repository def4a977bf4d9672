#ifndef HUB_SECRET_H
#define HUB_SECRET_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Open a file that keeps secrets; NULL, having logged why, if it cannot be
 * read or if others than its owner may read or write it.
 */
FILE *secret_open(const char *file);

/*
 * The first line of such a file, without its end, or NULL, having logged
 * why.  The caller wipes and frees it.
 */
char *secret_read_line(const char *file);

/* Compare two strings in time that depends on their lengths only. */
bool secret_equal(const char *, const char *);

#endif
