#include "common/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of each character plus one, so that zero means none. */
#define V(c, n) [c] = (n) + 1
static const uint8_t values[256] = { V('A', 0), V('B', 1), V('C', 2), V('D', 3),
	V('E', 4), V('F', 5), V('G', 6), V('H', 7), V('I', 8), V('J', 9),
	V('K', 10), V('L', 11), V('M', 12), V('N', 13), V('O', 14), V('P', 15),
	V('Q', 16), V('R', 17), V('S', 18), V('T', 19), V('U', 20), V('V', 21),
	V('W', 22), V('X', 23), V('Y', 24), V('Z', 25), V('a', 26), V('b', 27),
	V('c', 28), V('d', 29), V('e', 30), V('f', 31), V('g', 32), V('h', 33),
	V('i', 34), V('j', 35), V('k', 36), V('l', 37), V('m', 38), V('n', 39),
	V('o', 40), V('p', 41), V('q', 42), V('r', 43), V('s', 44), V('t', 45),
	V('u', 46), V('v', 47), V('w', 48), V('x', 49), V('y', 50), V('z', 51),
	V('0', 52), V('1', 53), V('2', 54), V('3', 55), V('4', 56), V('5', 57),
	V('6', 58), V('7', 59), V('8', 60), V('9', 61), V('+', 62),
	V('/', 63) };
#undef V

static void
base64_group(uint8_t a, uint8_t b, uint8_t c, char *out)
{
	uint32_t group = (uint32_t)a << 16 | (uint32_t)b << 8 | c;

	out[0] = alphabet[group >> 18];
	out[1] = alphabet[group >> 12 & 63];
	out[2] = alphabet[group >> 6 & 63];
	out[3] = alphabet[group & 63];
}

size_t
base64_feed(struct base64 *b, const uint8_t *in, size_t len, char *out)
{
	uint8_t first[3];
	size_t i = 0, n = 0, have;

	if (b->nheld > 0 && b->nheld + len >= 3) {
		for (have = 0; have < b->nheld; have++)
			first[have] = b->held[have];
		while (have < 3)
			first[have++] = in[i++];
		base64_group(first[0], first[1], first[2], out);
		b->nheld = 0;
		n = 4;
	}
	if (b->nheld == 0) {
		for (; len - i >= 3; i += 3, n += 4)
			base64_group(in[i], in[i + 1], in[i + 2], out + n);
	}
	while (i < len)
		b->held[b->nheld++] = in[i++];
	return n;
}

size_t
base64_finish(struct base64 *b, char *out)
{
	if (b->nheld == 0)
		return 0;
	base64_group(b->held[0], b->nheld == 2 ? b->held[1] : 0, 0, out);
	out[3] = '=';
	if (b->nheld == 1)
		out[2] = '=';
	b->nheld = 0;
	return 4;
}

/* Decode the last group; bits that no byte takes up must be zero. */
static ssize_t
base64_decode_last(const uint8_t *in, uint8_t *out)
{
	uint8_t a = values[in[0]], b = values[in[1]];
	uint8_t c = values[in[2]], d = values[in[3]];

	if (a-- == 0 || b-- == 0)
		return -1;
	if (in[2] == '=' && in[3] == '=') {
		if ((b & 15) != 0)
			return -1;
		out[0] = (uint8_t)(a << 2 | b >> 4);
		return 1;
	}
	if (c-- == 0 || (in[3] == '=' && (c & 3) != 0))
		return -1;
	out[0] = (uint8_t)(a << 2 | b >> 4);
	out[1] = (uint8_t)(b << 4 | c >> 2);
	if (in[3] == '=')
		return 2;
	if (d-- == 0)
		return -1;
	out[2] = (uint8_t)(c << 6 | d);
	return 3;
}

ssize_t
base64_decode(const char *text, size_t len, uint8_t *out)
{
	const uint8_t *in = (const uint8_t *)text;
	uint32_t group;
	uint8_t a, b, c, d;
	uint8_t *start = out;
	ssize_t last;

	if (len % 4 != 0)
		return -1;
	if (len == 0)
		return 0;
	for (; len > 4; len -= 4, in += 4, out += 3) {
		a = values[in[0]];
		b = values[in[1]];
		c = values[in[2]];
		d = values[in[3]];
		if (a == 0 || b == 0 || c == 0 || d == 0)
			return -1;
		group = (uint32_t)(a - 1) << 18 | (uint32_t)(b - 1) << 12 |
			(uint32_t)(c - 1) << 6 | (uint32_t)(d - 1);
		out[0] = (uint8_t)(group >> 16);
		out[1] = (uint8_t)(group >> 8);
		out[2] = (uint8_t)group;
	}
	if ((last = base64_decode_last(in, out)) == -1)
		return -1;
	return out - start + last;
}
