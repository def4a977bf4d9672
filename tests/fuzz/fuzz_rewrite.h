#ifndef FUZZ_REWRITE_H
#define FUZZ_REWRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/prefix.h"
#include "proxyd/sink.h"

/*
 * Any bytes to a rewriter, whole and in pieces: the output must be the same,
 * and the input again when what was added is left out, which is what comes
 * neither from the input nor from what was held back.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct output {
	char *all;
	size_t all_len;
	char *old; /* without what was added */
	size_t old_len;
	const void *in;
	size_t in_size;
	const void *state;
	size_t state_size;
};

typedef void (*rewrite_fn)(const struct prefix *, struct output *,
    const uint8_t *in, size_t len, size_t piece);

static inline bool
output_is_in(const void *data, const void *object, size_t size)
{
	return (uintptr_t)data >= (uintptr_t)object &&
	       (uintptr_t)data < (uintptr_t)object + size;
}

static inline void
output_append(char **text, size_t *text_len, const void *data, size_t len)
{
	if ((*text = realloc(*text, *text_len + len)) == NULL)
		abort();
	memcpy(*text + *text_len, data, len);
	*text_len += len;
}

static inline int
output_write(void *arg, const void *data, size_t len)
{
	struct output *output = arg;

	output_append(&output->all, &output->all_len, data, len);
	if (output_is_in(data, output->in, output->in_size) ||
	    output_is_in(data, output->state, output->state_size))
		output_append(&output->old, &output->old_len, data, len);
	return 0;
}

static inline void
fuzz_rewrite(rewrite_fn rewrite, const uint8_t *data, size_t size)
{
	static const char *const bases[] = { "/clients/box/proxy", "/api/x",
		"/a", "/assets" };
	struct output whole = { 0 }, pieces = { 0 };
	struct prefix prefix;
	size_t piece;

	if (size < 2)
		return;
	if (!prefix_init(&prefix, bases[data[0] % 4]))
		abort();
	piece = 1 + data[0] / 4;
	data++;
	size--;
	whole.in = pieces.in = data;
	whole.in_size = pieces.in_size = size;
	rewrite(&prefix, &whole, data, size, size);
	rewrite(&prefix, &pieces, data, size, piece);
	if (whole.all_len != pieces.all_len ||
	    memcmp(whole.all, pieces.all, whole.all_len) != 0)
		abort();
	if (whole.old_len != size || memcmp(whole.old, data, size) != 0 ||
	    pieces.old_len != size || memcmp(pieces.old, data, size) != 0)
		abort();
	free(whole.all);
	free(whole.old);
	free(pieces.all);
	free(pieces.old);
}

#endif
