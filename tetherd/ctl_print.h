#ifndef TETHERD_CTL_PRINT_H
#define TETHERD_CTL_PRINT_H

#include <stdio.h>

#include "tetherd/ctl_answer.h"

/*
 * Answers for people.  Whatever they hold, only printable ASCII, line feeds
 * and tabs get out: this goes to a terminal.
 */

/* All fields of all rows, "name: value", aligned. */
void ctl_print_list(FILE *, const struct ctl_answer *);

/* A column for each field of the first row, under its name. */
void ctl_print_table(FILE *, const struct ctl_answer *);

/* A text of several lines. */
void ctl_print_text(FILE *, const char *);

/* A value as people read it: "3d 04:05:06", "1.5 MiB", "29s". */
void ctl_print_value(const struct ctl_field *, char *dst, size_t size);

#endif
