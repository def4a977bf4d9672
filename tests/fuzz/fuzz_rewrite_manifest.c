#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/json.h"
#include "proxyd/rewrite_manifest.h"

/*
 * Any bytes as a manifest, whole and in pieces: the output must be the same;
 * it is the input, or a JSON object in which nothing is left to change.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
output_write(void *arg, const void *data, size_t len)
{
	return evbuffer_add(arg, data, len);
}

static struct evbuffer *
rewrite(
    const struct prefix *prefix, const uint8_t *in, size_t len, size_t piece)
{
	struct evbuffer *output = evbuffer_new();
	struct sink sink = { output_write, output };
	struct rewrite_manifest manifest;
	size_t i, n;

	if (output == NULL ||
	    rewrite_manifest_init(&manifest, prefix, &sink) == -1)
		abort();
	for (i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		if (rewrite_manifest_feed(&manifest, (const char *)in + i, n) ==
		    -1)
			abort();
	}
	if (rewrite_manifest_finish(&manifest) == -1)
		abort();
	rewrite_manifest_clear(&manifest);
	return output;
}

static bool
is_same(struct evbuffer *output, const void *data, size_t len)
{
	return evbuffer_get_length(output) == len &&
	       (len == 0 ||
		   memcmp(evbuffer_pullup(output, -1), data, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evbuffer *whole, *pieces, *again;
	struct json_object *json;
	struct prefix prefix;
	const uint8_t *text;

	if (size < 2 || !prefix_init(&prefix, "/a"))
		return 0;
	whole = rewrite(&prefix, data + 1, size - 1, size);
	pieces = rewrite(&prefix, data + 1, size - 1, 1 + data[0]);
	text = evbuffer_pullup(whole, -1);
	if (!is_same(pieces, text, evbuffer_get_length(whole)))
		abort();
	if (!is_same(whole, data + 1, size - 1)) {
		if ((json = json_parse(whole, JSON_DEPTH_MAX)) == NULL)
			abort();
		json_object_put(json);
		again = rewrite(&prefix, text, evbuffer_get_length(whole), 7);
		if (!is_same(again, text, evbuffer_get_length(whole)))
			abort();
		evbuffer_free(again);
	}
	evbuffer_free(whole);
	evbuffer_free(pieces);
	return 0;
}
