#include <string.h>

#include "proxyd/html_output.h"

void
html_output_init(struct html_output *output, const struct sink *sink)
{
	output->sink = output->via = sink;
	output->failed = false;
	output->done = output->piece_at = 0;
	output->piece = "";
	output->piece_len = output->kept = 0;
}

static void
put(struct html_output *output, const struct sink *sink, const char *data,
    size_t len)
{
	if (!output->failed && sink_write(sink, data, len) == -1)
		output->failed = true;
}

void
html_output_begin(struct html_output *output, const char *piece, size_t len)
{
	output->piece_at += output->piece_len;
	output->piece = piece;
	output->piece_len = len;
}

void
html_output_pass(struct html_output *output, uint64_t to)
{
	size_t len;

	if (output->kept > 0 && to > output->done) {
		len = output->kept;
		if (to - output->done < len)
			len = (size_t)(to - output->done);
		put(output, output->via, output->keep, len);
		output->kept -= len;
		memmove(output->keep, output->keep + len, output->kept);
		output->done += len;
	}
	if (to > output->done) {
		put(output, output->via,
		    output->piece + (output->done - output->piece_at),
		    (size_t)(to - output->done));
		output->done = to;
	}
}

void
html_output_end(struct html_output *output, uint64_t keep)
{
	uint64_t end = output->piece_at + output->piece_len;
	size_t more;

	if (keep > end || !html_output_has(keep, end))
		keep = end;
	html_output_pass(output, keep);
	more = (size_t)(end - output->done) - output->kept;
	memcpy(output->keep + output->kept,
	    output->piece + output->piece_len - more, more);
	output->kept += more;
}

void
html_output_insert(
    struct html_output *output, uint64_t at, const char *text, size_t len)
{
	html_output_pass(output, at);
	put(output, output->sink, text, len);
}
