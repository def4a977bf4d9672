#include "fuzz_rewrite.h"
#include "proxyd/rewrite_css.h"

/* Style sheets: see fuzz_rewrite.h. */

static void
rewrite(const struct prefix *prefix, struct output *output, const uint8_t *in,
    size_t len, size_t piece)
{
	struct sink sink = { output_write, output };
	struct rewrite_css css;
	size_t i, n;

	output->state = &css;
	output->state_size = sizeof(css);
	rewrite_css_init(&css, prefix, &sink);
	for (i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		if (rewrite_css_feed(&css, (const char *)in + i, n) == -1)
			abort();
	}
	if (rewrite_css_finish(&css) == -1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_rewrite(rewrite, data, size);
	return 0;
}
