#ifndef TETHERD_INQUIRY_H
#define TETHERD_INQUIRY_H

#include <stdint.h>

#include "common/program.h"

/*
 * Inquiries: what the children know of themselves, gathered.  Several may be
 * under way at once.
 */

/* A child that has not answered by then has no answer, in milliseconds. */
#define INQUIRY_TIMEOUT_MS 2000

struct children;
struct event_base;
struct inquiries;
struct status;

/* By program; NULL for those that did not answer.  Valid in the call only. */
typedef void (*inquiry_done)(
    void *arg, const struct status *const values[PROGRAM_COUNT]);

/* Fatal when out of memory. */
struct inquiries *inquiries_new(struct event_base *, struct children *);
void inquiries_free(struct inquiries *); /* NULL is allowed */

/* Begin one.  done is called once, from the event loop. */
void inquiries_start(struct inquiries *, inquiry_done done, void *arg);

/* Who asked is gone: its done() will not be called. */
void inquiries_forget(struct inquiries *, const void *arg);

/* An answer of a child, see children.h; it stays the caller's. */
void inquiries_on_status(
    struct inquiries *, enum program, uint64_t id, const struct status *);

#endif
