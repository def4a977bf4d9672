#ifndef TETHERD_CTL_ANSWER_H
#define TETHERD_CTL_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"
#include "tetherd/control_protocol.h"

/*
 * An answer of tetherd, gathered from its messages.  tetherd is not trusted
 * more than anybody: what it sends is checked and bounded.
 */

/* The most fields of a row. */
#define CTL_FIELDS_MAX 16

struct ctl_field {
	enum control_kind kind;
	char *name;
	char *text;	 /* of CONTROL_KIND_TEXT, else NULL */
	uint64_t number; /* of the others */
};

struct ctl_row {
	size_t nfields;
	struct ctl_field fields[CTL_FIELDS_MAX];
};

struct ctl_answer {
	size_t nrows;
	struct ctl_row *rows;
	char *text; /* never NULL once something came */
	size_t text_len;
	enum control_code code;		/* once it is done */
	char reason[CONTROL_DONE_SIZE]; /* or "" */
};

/*
 * Add a CTL_ROW, a CTL_TEXT or the CTL_DONE to an answer that begins as
 * zeroes.  Returns 1 when it is complete, 0 when there is more to come, -1
 * if the message is malformed or too much.
 */
int ctl_answer_add(struct ctl_answer *, struct msg *);

/* Free what it holds. */
void ctl_answer_clear(struct ctl_answer *);

#endif
