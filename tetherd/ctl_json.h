#ifndef TETHERD_CTL_JSON_H
#define TETHERD_CTL_JSON_H

#include <stdio.h>

#include "tetherd/ctl_answer.h"

/*
 * Answers for programs, as JSON (RFC 8259) in ASCII: names have underscores
 * for spaces, numbers are plain (bytes, seconds, dates as seconds since 1970), what nobody knows is null.
 */

/* All fields of all rows as one object. */
void ctl_json_list(FILE *, const struct ctl_answer *);

/* An array with an object for each row. */
void ctl_json_table(FILE *, const struct ctl_answer *);

/* An object with one text. */
void ctl_json_text(FILE *, const char *name, const char *text);

#endif
