#ifndef TETHERD_CONTROL_ROW_H
#define TETHERD_CONTROL_ROW_H

#include <stdint.h>

#include "common/msg.h"
#include "tetherd/control_protocol.h"

/* A row of an answer to tetherctl, field by field; see control_protocol.h. */

void control_row_start(struct msg_out *);
void control_row_none(struct msg_out *, const char *name);
void control_row_text(struct msg_out *, const char *name, const char *text);

/* For all kinds that are numbers. */
void control_row_number(
    struct msg_out *, const char *name, enum control_kind, uint64_t);

#endif
