#include <stdint.h>
#include <string.h>

#include "hub/unescape.h"

#define REPLACEMENT 0xfffd

/* The four hexadecimal digits at p, or -1. */
static int32_t
unescape_hex(const char *p)
{
	int32_t value = 0;
	int i;

	for (i = 0; i < 4; i++) {
		value <<= 4;
		if (p[i] >= '0' && p[i] <= '9')
			value |= p[i] - '0';
		else if (p[i] >= 'a' && p[i] <= 'f')
			value |= p[i] - 'a' + 10;
		else if (p[i] >= 'A' && p[i] <= 'F')
			value |= p[i] - 'A' + 10;
		else
			return -1;
	}
	return value;
}

static char *
put_utf8(char *out, int32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*out++ = (char)(0xe0 | c >> 12);
		} else {
			*out++ = (char)(0xf0 | c >> 18);
			*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

/*
 * Undo "\uXXXX", or two of them that make a surrogate pair, from *in, which
 * stands behind the "\u".  Returns where output goes on, or NULL.
 */
static char *
unescape_unicode(const char **in, const char *end, char *out)
{
	const char *p = *in;
	int32_t c, low;

	if (end - p < 4 || (c = unescape_hex(p)) == -1)
		return NULL;
	p += 4;
	*in = p;
	if (c >= 0xdc00 && c <= 0xdfff)
		return put_utf8(out, REPLACEMENT);
	if (c < 0xd800 || c > 0xdbff)
		return put_utf8(out, c);
	if (end - p < 6 || p[0] != '\\' || p[1] != 'u' ||
	    (low = unescape_hex(p + 2)) < 0xdc00 || low > 0xdfff)
		return put_utf8(out, REPLACEMENT);
	*in = p + 6;
	return put_utf8(out, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
}

/* Undo one escape at *in; returns where output goes on, or NULL. */
static char *
unescape_one(const char **in, const char *end, char *out)
{
	static const char plain[256] = {
		['"'] = '"',
		['\\'] = '\\',
		['/'] = '/',
		['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t',
	};
	const char *p = *in + 1;
	char c;

	if (p == end)
		return NULL;
	*in = p + 1;
	if (*p == 'u')
		return unescape_unicode(in, end, out);
	if ((c = plain[(unsigned char)*p]) == '\0')
		return NULL;
	*out = c;
	return out + 1;
}

ssize_t
unescape(char *text, size_t len)
{
	const char *in = text, *end = text + len, *next;
	char *out = text;

	for (;;) {
		next = memchr(in, '\\', (size_t)(end - in));
		if (next == NULL)
			next = end;
		if (out != in)
			memmove(out, in, (size_t)(next - in));
		out += next - in;
		if (next == end)
			return out - text;
		in = next;
		if ((out = unescape_one(&in, end, out)) == NULL)
			return -1;
	}
}
