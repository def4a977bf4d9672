#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/utf8.h"
#include "tetherd/json_string.h"

#define REPLACEMENT 0xfffd

/* The length of the character at s, of a text that is valid. */
static size_t
decode(const uint8_t *s, uint32_t *c)
{
	size_t len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4, i;

	*c = s[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++)
		*c = *c << 6 | (s[i] & 0x3f);
	return len;
}

static void
put_escape(FILE *out, uint32_t c)
{
	if (c < 0x10000) {
		fprintf(out, "\\u%04" PRIx32, c);
		return;
	}
	c -= 0x10000;
	fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (c >> 10),
	    0xdc00 + (c & 0x3ff));
}

void
json_string(FILE *out, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;
	bool valid = utf8_valid(at, strlen(text));
	uint32_t c;

	fputc('"', out);
	while (*at != '\0') {
		size_t len = 1;

		c = *at;
		if (c >= 0x80 && valid)
			len = decode(at, &c);
		else if (c >= 0x80)
			c = REPLACEMENT;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", (int)c);
		else if (c >= 0x20 && c < 0x7f)
			fputc((int)c, out);
		else
			put_escape(out, c);
		at += len;
	}
	fputc('"', out);
}
