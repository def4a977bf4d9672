#ifndef TETHERD_CONTROL_SHOW_H
#define TETHERD_CONTROL_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/program.h"
#include "tetherd/control_protocol.h"

/* The answers to show and stats, row by row. */

struct channel;
struct children;
struct reload;
struct status;

/* What is shown. */
struct control_view_source {
	const struct children *children;
	const struct reload *reload;
	uint64_t started; /* control_show_now() then */
	unsigned clients; /* of the control socket */
	/* The ABI that confined processes are confined by, 0 for none. */
	unsigned landlock;
	/* What the children told, by program; NULL for no answer. */
	const struct status *const *values;
};

/* Seconds of a clock that nobody sets. */
uint64_t control_show_now(void);

/* True if it shows what the children are asked for. */
bool control_show_asks(enum control_view);

/* Send the answer, without its CTL_DONE.  Returns NULL, or why not. */
const char *control_show(
    enum control_view, const struct control_view_source *, struct channel *);

/* Send a text, however long, in pieces.  Returns NULL, or why not. */
const char *control_show_text(struct channel *, const char *);

#endif
