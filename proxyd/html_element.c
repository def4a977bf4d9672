#include <string.h>

#include "proxyd/html_element.h"
#include "proxyd/html_names.h"

static const struct {
	size_t len;
	char name[10];
} elements[HTML_ELEMENT_COUNT] = {
	[HTML_ELEMENT_OTHER] = { 0, "" },
	[HTML_ELEMENT_HTML] = { 4, "html" },
	[HTML_ELEMENT_HEAD] = { 4, "head" },
	[HTML_ELEMENT_BODY] = { 4, "body" },
	[HTML_ELEMENT_BR] = { 2, "br" },
	[HTML_ELEMENT_META] = { 4, "meta" },
	[HTML_ELEMENT_LINK] = { 4, "link" },
	[HTML_ELEMENT_OBJECT] = { 6, "object" },
	[HTML_ELEMENT_SVG] = { 3, "svg" },
	[HTML_ELEMENT_MATH] = { 4, "math" },
	[HTML_ELEMENT_PLAINTEXT] = { 9, "plaintext" },
	[HTML_ELEMENT_SCRIPT] = { 6, "script" },
	[HTML_ELEMENT_STYLE] = { 5, "style" },
	[HTML_ELEMENT_XMP] = { 3, "xmp" },
	[HTML_ELEMENT_IFRAME] = { 6, "iframe" },
	[HTML_ELEMENT_NOEMBED] = { 7, "noembed" },
	[HTML_ELEMENT_NOFRAMES] = { 8, "noframes" },
	[HTML_ELEMENT_NOSCRIPT] = { 8, "noscript" },
	[HTML_ELEMENT_TEXTAREA] = { 8, "textarea" },
	[HTML_ELEMENT_TITLE] = { 5, "title" },
};

static const uint32_t letters[] = { [2] = HTML_LETTER('b'),
	[3] = HTML_LETTER('s') | HTML_LETTER('x'),
	[4] = HTML_LETTER('b') | HTML_LETTER('h') | HTML_LETTER('l') |
	      HTML_LETTER('m'),
	[5] = HTML_LETTER('s') | HTML_LETTER('t'),
	[6] = HTML_LETTER('i') | HTML_LETTER('o') | HTML_LETTER('s'),
	[7] = HTML_LETTER('n'),
	[8] = HTML_LETTER('n') | HTML_LETTER('t'),
	[9] = HTML_LETTER('p') };

enum html_element
html_element_find(const char *name, size_t len)
{
	unsigned i;

	if (!html_names_may_have(
		letters, sizeof(letters) / sizeof(letters[0]), name, len))
		return HTML_ELEMENT_OTHER;
	for (i = HTML_ELEMENT_OTHER + 1; i < HTML_ELEMENT_COUNT; i++)
		if (elements[i].len == len && elements[i].name[0] == name[0] &&
		    memcmp(elements[i].name, name, len) == 0)
			return (enum html_element)i;
	return HTML_ELEMENT_OTHER;
}

const char *
html_element_name(enum html_element element)
{
	return elements[element].name;
}
