#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/rewrite_html.h"

/*
 * Any page, in any pieces: what comes out must not depend on the pieces, and
 * it must be the page with nothing but insertions, one of which is the
 * injection.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char injection[] = "<script>0</script>";

struct output {
	char *data;
	size_t len, size;
};

static int
append(void *arg, const void *data, size_t len)
{
	struct output *out = arg;

	if (out->size - out->len < len) {
		out->size = (out->size + len) * 2;
		if ((out->data = realloc(out->data, out->size)) == NULL)
			abort();
	}
	memcpy(out->data + out->len, data, len);
	out->len += len;
	return 0;
}

/* cuts says how long the pieces are, in turn; 0 is all that is left. */
static struct output
rewrite(const uint8_t *data, size_t size, const uint8_t *cuts, size_t ncuts)
{
	struct output out = { NULL, 0, 0 };
	struct sink sink = { append, &out };
	struct rewrite_html *h = malloc(sizeof(*h));
	struct prefix prefix;
	char *piece;
	size_t i, k, n;

	if (h == NULL || !prefix_init(&prefix, "/c/b"))
		abort();
	rewrite_html_init(h, &prefix, injection, strlen(injection), &sink);
	for (i = k = 0; i < size; i += n, k++) {
		n = cuts[k % ncuts];
		if (n == 0 || n > size - i)
			n = size - i;
		if ((piece = malloc(n)) == NULL)
			abort();
		memcpy(piece, data + i, n);
		if (rewrite_html_feed(h, piece, n) == -1)
			abort();
		free(piece);
	}
	if (rewrite_html_finish(h) == -1)
		abort();
	free(h);
	return out;
}

/* Whether all of the page is there, in its order. */
static int
contains_all(const struct output *out, const uint8_t *data, size_t size)
{
	size_t i, k = 0;

	for (i = 0; i < out->len && k < size; i++)
		if (out->data[i] == (char)data[k])
			k++;
	return k == size;
}

/* The first four bytes say how to cut the rest. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t none[] = { 0 }, one[] = { 1 };
	struct output whole, bytes, pieces;

	if (size < 4)
		return 0;
	whole = rewrite(data + 4, size - 4, none, 1);
	bytes = rewrite(data + 4, size - 4, one, 1);
	pieces = rewrite(data + 4, size - 4, data, 4);
	if (whole.len != bytes.len ||
	    memcmp(whole.data, bytes.data, whole.len) != 0 ||
	    whole.len != pieces.len ||
	    memcmp(whole.data, pieces.data, whole.len) != 0)
		abort();
	if (!contains_all(&whole, data + 4, size - 4) ||
	    memmem(whole.data, whole.len, injection, strlen(injection)) == NULL)
		abort();
	free(whole.data);
	free(bytes.data);
	free(pieces.data);
	return 0;
}
