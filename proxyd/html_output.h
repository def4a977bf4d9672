#ifndef PROXYD_HTML_OUTPUT_H
#define PROXYD_HTML_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/sink.h"

/*
 * The way of a page's bytes to the sink, unchanged, and of what is inserted
 * between them.  Places are offsets in the input.  What a decision is still
 * due for can be kept over the end of a piece, up to HTML_KEEP_MAX bytes.
 */

#define HTML_KEEP_MAX 4096
#define HTML_NOWHERE  UINT64_MAX

struct html_output {
	const struct sink *sink; /* for what is inserted */
	const struct sink *via;	 /* for the input; a filter may be behind it */
	bool failed;		 /* a sink said so; all is ignored from then */
	uint64_t done;		 /* what is before it was passed on */
	uint64_t piece_at;
	const char *piece;
	size_t piece_len;
	size_t kept; /* bytes before piece_at that are still here */
	char keep[HTML_KEEP_MAX];
};

void html_output_init(struct html_output *, const struct sink *);

/* The next piece of the input, which is valid until html_output_end(). */
void html_output_begin(struct html_output *, const char *, size_t);

/*
 * Pass the piece on, but keep what is at or behind the given place; all of
 * it is passed on if that were more than HTML_KEEP_MAX bytes.
 */
void html_output_end(struct html_output *, uint64_t keep);

/* Pass on what is before that place. */
void html_output_pass(struct html_output *, uint64_t to);

/* Write a text of ours between the bytes before and behind that place. */
void html_output_insert(
    struct html_output *, uint64_t at, const char *, size_t);

/*
 * Whether a decision which fell when the byte before now was read is in time
 * for a place, however the input was split.
 */
static inline bool
html_output_has(uint64_t at, uint64_t now)
{
	return now - at <= HTML_KEEP_MAX;
}

/* The place of a byte of the piece. */
static inline uint64_t
html_output_place(const struct html_output *output, const char *p)
{
	return output->piece_at + (uint64_t)(p - output->piece);
}

#endif
