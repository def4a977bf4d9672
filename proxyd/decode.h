#ifndef PROXYD_DECODE_H
#define PROXYD_DECODE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Content codings (RFC 9110 section 8.4) that the upstream applies though
 * nobody asked: gzip and deflate are undone.  Others stay, as does more than
 * one at a time, which would let a few bytes become endless work: such a body
 * goes on as it is, and is labelled so.
 */

struct decode;
struct headers;

enum decode_coding {
	DECODE_NONE,
	DECODE_GZIP,
	DECODE_DEFLATE,
	DECODE_OTHER /* cannot be undone here */
};

/* What the head of a response says; a part (206) cannot be undone, either. */
enum decode_coding decode_coding(const struct headers *, int status);

/* Whether decode_new() takes it. */
bool decode_is_known(enum decode_coding);

/*
 * Make true what a head says besides Content-Encoding and Content-Length
 * when the body is decoded: digests and ranges of the coded one go, and an
 * entity tag becomes weak.  Returns -1 when out of memory.
 */
int decode_fields(struct headers *);

/* For GZIP or DEFLATE; about 40 KiB.  NULL when out of memory. */
struct decode *decode_new(enum decode_coding);
void decode_free(struct decode *); /* NULL is fine */

/*
 * Take bytes from *in, which moves forward as *len shrinks, and write at most
 * size (not 0) bytes to out: how many.  0 means that all of *len was taken
 * and more is needed, so that it is to be called until then; -1 that this is
 * not what the coding's name says, or that memory is short.  What stands
 * behind the end is skipped, as browsers do.
 */
ssize_t decode_feed(struct decode *, const uint8_t **in, size_t *len,
    uint8_t *out, size_t size);

/* Whether what was taken is whole; nothing at all is, too. */
bool decode_is_whole(const struct decode *);

#endif
