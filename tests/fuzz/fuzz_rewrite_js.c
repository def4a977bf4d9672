#include "fuzz_rewrite.h"
#include "proxyd/rewrite_js.h"

/* JavaScript: see fuzz_rewrite.h. */

static void
rewrite(const struct prefix *prefix, struct output *output, const uint8_t *in,
    size_t len, size_t piece)
{
	struct sink sink = { output_write, output };
	struct rewrite_js js;
	size_t i, n;

	output->state = &js;
	output->state_size = sizeof(js);
	rewrite_js_init(&js, prefix, &sink);
	for (i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		if (rewrite_js_feed(&js, (const char *)in + i, n) == -1)
			abort();
	}
	if (rewrite_js_finish(&js) == -1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_rewrite(rewrite, data, size);
	return 0;
}
