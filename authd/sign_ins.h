#ifndef AUTHD_SIGN_INS_H
#define AUTHD_SIGN_INS_H

#include <stdbool.h>

/*
 * Who came in and who did not, for the audit log: a record when that was
 * found out anew, but of the same person and the same verdict no more than
 * one a minute, however often proxyd asks.
 */

struct child;
struct session;
struct sign_ins;

/* Between two records of the same, in milliseconds. */
#define SIGN_INS_PAUSE_MS 60000

/* Verdicts remembered; what is forgotten is recorded anew. */
#define SIGN_INS_MAX 4096

/* The child must outlive it.  Fatal when out of memory. */
struct sign_ins *sign_ins_new(struct child *);
void sign_ins_free(struct sign_ins *);

/*
 * Record an answer to proxyd, unless it is in the log already.  fresh says
 * that the rules were looked at for it; what else keeps people out always is.
 */
void sign_ins_note(struct sign_ins *, const struct session *, bool fresh);

/* The operator changed something: what comes next is worth a record. */
void sign_ins_forget(struct sign_ins *);

#endif
