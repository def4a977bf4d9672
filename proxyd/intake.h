#ifndef PROXYD_INTAKE_H
#define PROXYD_INTAKE_H

#include "common/msg.h"

/*
 * What comes from the connector in chunks: put together, and refused when
 * there is no room for it.
 */

struct intake;
struct proxyd;

/* The longest text of a user_request, in bytes. */
#define INTAKE_USER_MAX (8 * 1024 * 1024)

/* Fatal when out of memory. */
struct intake *intake_new(struct proxyd *);
void intake_free(struct intake *);

/*
 * A chunk, REQUEST or USER_REQUEST.  A text that is whole goes to
 * transactions_begin() or user_requests_begin().
 */
int intake_on_chunk(struct intake *, struct msg *);

/* Take no more texts. */
void intake_drain(struct intake *);

/* The connector died, or its link: what is half there is never whole. */
void intake_clear(struct intake *);

#endif
