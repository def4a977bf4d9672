#ifndef TETHERD_AUDIT_H
#define TETHERD_AUDIT_H

#include "common/program.h"

/*
 * The audit log: what proxyd and authd decided about people, each a line of
 * the log and, where the settings name a file, an object in it (JSON lines).
 * Writing never waits: a full disk loses records of the file, which the log
 * tells once, and so does a child that sends too many.
 */

/* What one child may send in a second. */
#define AUDIT_RATE 5000

struct audit;
struct audit_record;
struct event_base;
struct parent_conf;

/* Fatal when the file cannot be opened, or out of memory. */
struct audit *audit_new(struct event_base *, const struct parent_conf *);
void audit_free(struct audit *); /* NULL is allowed */

/* Write a record that a child sent. */
void audit_take(struct audit *, enum program, const struct audit_record *);

/*
 * A reload: open what next names, if that is something else.  Returns NULL,
 * or why it cannot be, valid until the next call.  Then go on with it, or
 * forget it.
 */
const char *audit_stage(struct audit *, const struct parent_conf *now,
    const struct parent_conf *next);
void audit_switch(struct audit *, const struct parent_conf *now,
    const struct parent_conf *old);
void audit_drop(struct audit *);

/* Open the file anew: it was moved away.  If that fails, the old one stays. */
void audit_reopen(struct audit *, const struct parent_conf *);

#endif
