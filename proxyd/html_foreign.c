#include <string.h>

#include "proxyd/html_foreign.h"

/* HTML elements that end all foreign content which they are met in. */
static const char *const breakouts[] = { "b", "big", "blockquote", "body", "br",
	"center", "code", "dd", "div", "dl", "dt", "em", "embed", "h1", "h2",
	"h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing",
	"menu", "meta", "nobr", "ol", "p", "pre", "ruby", "s", "small", "span",
	"strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var",
	NULL };

static const char *const voids[] = { "area", "base", "br", "col", "embed", "hr",
	"img", "input", "link", "meta", "param", "source", "track", "wbr",
	NULL };

static const char *const roots[] = { "svg", "math", NULL };

/* Elements of SVG and MathML in which there is HTML. */
static const char *const svg_points[] = { "foreignobject", "desc", "title",
	NULL };
static const char *const math_points[] = { "mi", "mo", "mn", "ms", "mtext",
	NULL };

static bool
is_one_of(const char *const *names, const char *name, size_t len)
{
	for (; *names != NULL; names++)
		if ((*names)[0] == name[0] && strlen(*names) == len &&
		    memcmp(*names, name, len) == 0)
			return true;
	return false;
}

/* In foreign content, whether an element has HTML in it. */
static bool
is_point(const struct html_foreign *f, const char *name, size_t len)
{
	bool svg = f->open[f->depth - 1].name[0] == 's';

	return is_one_of(svg ? svg_points : math_points, name, len);
}

static bool
is_foreign(const struct html_foreign *f)
{
	return f->depth > 0 && !f->open[f->depth - 1].point;
}

static void
push(struct html_foreign *f, const char *name, size_t len, bool point)
{
	if (f->depth == HTML_FOREIGN_MAX)
		return;
	memcpy(f->open[f->depth].name, name, len);
	f->open[f->depth].name[len] = '\0';
	f->open[f->depth].point = point;
	f->open[f->depth].html = 0;
	f->depth++;
}

bool
html_foreign_start(
    struct html_foreign *f, const char *name, size_t len, bool self_closing)
{
	bool root = is_one_of(roots, name, len);

	if (root) {
		if (!self_closing)
			push(f, name, len, false);
		return false;
	}
	if (is_foreign(f) && !is_one_of(breakouts, name, len)) {
		if (!self_closing && is_point(f, name, len))
			push(f, name, len, true);
		return false;
	}
	while (is_foreign(f))
		f->depth--;
	if (f->depth > 0 && !is_one_of(voids, name, len))
		f->open[f->depth - 1].html++;
	return true;
}

static bool
is_named(const struct html_foreign *f, size_t i, const char *name, size_t len)
{
	return strlen(f->open[i].name) == len &&
	       memcmp(f->open[i].name, name, len) == 0;
}

void
html_foreign_end(struct html_foreign *f, const char *name, size_t len)
{
	size_t i = f->depth;

	if (i > 0 && f->open[i - 1].html > 0) {
		/* HTML's elements are not closed by those around them. */
		if (!is_one_of(roots, name, len) &&
		    !is_one_of(svg_points, name, len) &&
		    !is_one_of(math_points, name, len) &&
		    !is_one_of(voids, name, len))
			f->open[i - 1].html--;
		return;
	}
	for (; i > 0 && f->open[i - 1].html == 0; i--)
		if (is_named(f, i - 1, name, len)) {
			f->depth = i - 1;
			return;
		}
	if (is_one_of((const char *const[]){ "p", "br", NULL }, name, len))
		while (is_foreign(f))
			f->depth--;
}

bool
html_foreign_has_cdata(const struct html_foreign *f)
{
	return f->depth > 0 && f->open[f->depth - 1].html == 0;
}
