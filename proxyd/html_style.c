#include "proxyd/html_style.h"

#define LEN_OPEN 0x80

/* Insert what the CSS rewriter had inserted. */
static void
insert(struct html_style *style, const char *text, size_t len)
{
	/* "&#4" and a "7" of ours would be another character. */
	if (style->open)
		html_output_insert(style->output, style->at, ";", 1);
	style->open = false;
	html_output_insert(style->output, style->at, text, len);
}

/*
 * The text is the value with something inserted, so it can be taken for
 * the value's next character wherever it is the same: that may be one of
 * ours, but then one like it is missed and inserted later.
 */
static int
compare(void *arg, const void *data, size_t len)
{
	struct html_style *style = arg;
	const char *text = data;
	size_t i, begin = 0;
	uint8_t n;

	if (!style->lost && !html_output_has(style->at, style->now))
		style->lost = true;
	if (style->lost)
		return 0;
	for (i = 0; i < len; i++) {
		if (style->count == 0 || text[i] != style->c[style->first])
			continue;
		if (begin < i)
			insert(style, text + begin, i - begin);
		begin = i + 1;
		n = style->len[style->first];
		style->open = (n & LEN_OPEN) != 0;
		style->at += n & ~LEN_OPEN;
		style->first = (style->first + 1) % HTML_STYLE_MAX;
		style->count--;
	}
	if (begin < len)
		insert(style, text + begin, len - begin);
	return style->output->failed ? -1 : 0;
}

void
html_style_start(struct html_style *style, struct rewrite_css *css,
    const struct prefix *prefix, struct html_output *output, uint64_t at)
{
	style->output = output;
	style->css = css;
	style->sink.write = compare;
	style->sink.arg = style;
	style->lost = style->open = false;
	style->at = style->now = at;
	style->first = style->count = 0;
	rewrite_css_init(css, prefix, &style->sink);
}

void
html_style_feed(
    struct html_style *style, const struct html_unit *unit, uint64_t now)
{
	size_t last = (style->first + style->count) % HTML_STYLE_MAX;
	uint64_t len = unit->end - unit->at;

	if (style->count == HTML_STYLE_MAX || len >= LEN_OPEN)
		style->lost = true;
	if (style->lost)
		return;
	style->now = now;
	style->c[last] = unit->c;
	style->len[last] = (uint8_t)(len | (unit->open ? LEN_OPEN : 0));
	style->count++;
	/* The sink's errors are kept in the output. */
	(void)rewrite_css_feed(style->css, &unit->c, 1);
}

void
html_style_finish(struct html_style *style, uint64_t now)
{
	style->now = now;
	if (!style->lost)
		(void)rewrite_css_finish(style->css);
}
