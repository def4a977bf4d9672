#ifndef TETHERD_AUDIT_TEXT_H
#define TETHERD_AUDIT_TEXT_H

#include <stdio.h>

#include "common/audit.h"
#include "common/log.h"

/*
 * An audit record as text.  What it says of people may come from anywhere: it
 * can neither forge a line, nor a word of one, nor drive a terminal.
 */

/*
 * audit: request refused id=583231 login=octocat role=full GET /a 403 why="x"
 *
 * What a record does not have is left out.  Bytes that are not printable
 * ASCII become question marks, as do blanks in words; in why, quotes and
 * backslashes have a backslash in front.
 */
void audit_text_line(const struct audit_record *, char dst[LOG_AUDIT_MAX]);

/*
 * The same as an object of JSON in one line, without its line feed; strings
 * as of json_string().
 */
void audit_text_json(FILE *, const struct audit_record *, const char *time);

#endif
