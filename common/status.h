#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

/*
 * What a process tells of itself on STATUS_GET: the values that status.def
 * lists for its program, in that order.
 */

/* Room for a text with its NUL, in bytes; what is longer is cut. */
#define STATUS_TEXT_SIZE 512

enum status_id {
#define STATUS(program, name, kind, where, label) STATUS_##program##_##name,
#include "common/status.def"
#undef STATUS
	STATUS_ID_COUNT
};

enum status_kind { STATUS_TEXT, STATUS_COUNT, STATUS_BYTES, STATUS_SINCE };

enum status_where { STATUS_IN_STATUS, STATUS_IN_STATS, STATUS_IN_USE };

struct status_row {
	enum program program;
	enum status_kind kind;
	enum status_where where;
	const char *label;
};

/* What status.def says, by status_id. */
extern const struct status_row status_rows[STATUS_ID_COUNT];

/* The values of one program; those that are not set are 0 or "". */
struct status;

/* Fatal when out of memory. */
struct status *status_new(enum program);
void status_free(struct status *); /* NULL is allowed */

/* The id must be one of that program, and of the kind that is set. */
void status_set_number(struct status *, enum status_id, uint64_t);
void status_set_text(struct status *, enum status_id, const char *);

uint64_t status_number(const struct status *, enum status_id);
const char *status_text(const struct status *, enum status_id);

/*
 * The payload of STATUS.  The reader returns -1 if it is malformed; texts
 * are made safe to print: they come from a process that faces a network.
 */
void status_add(struct msg_out *, const struct status *);
int status_read(struct msg *, struct status *);

#endif
