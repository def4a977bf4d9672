#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <event2/buffer.h>

#include "proxyd/escape.h"

/* What is reserved in an evbuffer at a time, at most. */
#define RESERVE_MAX 65536

/* The letter after the backslash, for controls that have a short form. */
static const char letters[0x20] = {
	['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
};

#ifdef __SSE2__
static void ascii_blocks(
    const uint8_t *, size_t, size_t *, char *, size_t, size_t *);
#endif
static size_t plain_run(const uint8_t *, size_t, char *);
static size_t wide_run(const uint8_t *, size_t, char *);
static bool escape_check(struct escape *, uint8_t);
static size_t escape_char(uint8_t, char *, size_t);

size_t
escape_feed(
    struct escape *e, const uint8_t *in, size_t *len, char *out, size_t size)
{
	size_t i = 0, o = 0, n;

	while (i < *len && o < size && !e->invalid) {
#ifdef __SSE2__
		if (e->utf8.need == 0)
			ascii_blocks(in, *len, &i, out, size, &o);
#endif
		n = *len - i < size - o ? *len - i : size - o;
		if (e->utf8.need == 0 && in[i] < 0x80) {
			n = plain_run(in + i, n, out + o);
			i += n;
			o += n;
			if (i == *len || o == size || in[i] >= 0x80)
				continue;
			n = escape_char(in[i], out + o, size - o);
			if (n == 0)
				break;
			i++;
			o += n;
		} else if (e->utf8.need == 0 && n >= 4 &&
			   (n = wide_run(in + i, n, out + o)) > 0) {
			i += n;
			o += n;
		} else if (escape_check(e, in[i])) {
			out[o++] = (char)in[i++];
		}
	}
	*len = i;
	return o;
}

#ifdef __SSE2__
/* What a block of 16 bytes may need of the output, and read of the input. */
#define BLOCK_ROOM  (16 * ESCAPE_WORST + 16)
#define BLOCK_INPUT 32

/* The bits of those of 16 bytes that can not be copied as they are. */
static unsigned
block_stops(__m128i bytes)
{
	const __m128i space = _mm_set1_epi8(' ');
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');

	/* As signed bytes all above 0x7f are less than a space. */
	return (unsigned)_mm_movemask_epi8(
	    _mm_or_si128(_mm_cmplt_epi8(bytes, space),
		_mm_or_si128(_mm_cmpeq_epi8(bytes, quote),
		    _mm_cmpeq_epi8(bytes, backslash))));
}

static void
block_copy(char *out, const uint8_t *in)
{
	_mm_storeu_si128((void *)out, _mm_loadu_si128((const void *)in));
}

/*
 * Escape one block from in to *out, and move *out.  Copies 16 bytes wherever
 * fewer are meant, which is much faster.  Returns how far it came: less than
 * 16 means that a character of several bytes begins there.
 */
static unsigned
ascii_block(const uint8_t *in, char **out)
{
	unsigned stops, stop, done = 0;
	char *o = *out;

	stops = block_stops(_mm_loadu_si128((const void *)in));
	for (; stops != 0; stops &= stops - 1) {
		stop = (unsigned)__builtin_ctz(stops);
		block_copy(o, in + done);
		o += stop - done;
		if (in[stop] >= 0x80) {
			*out = o;
			return stop;
		}
		o += escape_char(in[stop], o, ESCAPE_WORST);
		done = stop + 1;
	}
	block_copy(o, in + done);
	*out = o + (16 - done);
	return 16;
}

/* Escape ASCII from in + *i on, as long as blocks surely fit. */
static void
ascii_blocks(
    const uint8_t *in, size_t len, size_t *i, char *out, size_t size, size_t *o)
{
	char *end = out + *o;
	unsigned n = 16;

	while (n == 16 && len - *i >= BLOCK_INPUT &&
	       size - (size_t)(end - out) >= BLOCK_ROOM) {
		n = ascii_block(in + *i, &end);
		*i += n;
	}
	*o = (size_t)(end - out);
}
#endif

/* The high bit of some byte of the result is set if a byte of x is 0. */
static uint64_t
zero_byte(uint64_t x)
{
	return (x - 0x0101010101010101) & ~x & 0x8080808080808080;
}

/*
 * Copy what needs neither escaping nor decoding, a word at a time; returns
 * how many bytes that is.  For what blocks leave, or where there are none.
 */
static size_t
plain_run(const uint8_t *in, size_t len, char *out)
{
	size_t i = 0;

	for (; len - i >= 8; i += 8) {
		uint64_t x, control;

		memcpy(&x, in + i, 8);
		/* Any borrow starts at a byte that is a control itself. */
		control = (x - 0x2020202020202020) & ~x;
		if (((control | x) & 0x8080808080808080) != 0 ||
		    zero_byte(x ^ 0x2222222222222222) != 0 ||
		    zero_byte(x ^ 0x5c5c5c5c5c5c5c5c) != 0)
			break;
		memcpy(out + i, &x, 8);
	}
	for (; i < len; i++) {
		if (in[i] < 0x20 || in[i] >= 0x80 || in[i] == '"' ||
		    in[i] == '\\')
			break;
		out[i] = (char)in[i];
	}
	return i;
}

/* Check a byte that is not ASCII, or stands within a character. */
static bool
escape_check(struct escape *e, uint8_t byte)
{
	e->invalid = !utf8_feed(&e->utf8, &byte, 1);
	return !e->invalid;
}

static bool
is_tail(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/*
 * Copy characters of several bytes as long as they are whole, valid and at
 * least four bytes are left; returns how many bytes that is.
 */
static size_t
wide_run(const uint8_t *in, size_t len, char *out)
{
	struct utf8 c = { 0 };
	size_t i = 0;

	while (len - i >= 4 && utf8_feed(&c, in + i, 1) && c.need > 0) {
		const uint8_t *p = in + i;

		if (p[1] < c.min || p[1] > c.max ||
		    (c.need > 1 && !is_tail(p[2])) ||
		    (c.need > 2 && !is_tail(p[3])))
			break;
		memcpy(out + i, p, 4);
		i += 1 + (size_t)c.need;
		c.need = 0;
	}
	return i;
}

/* Write the escape of a byte; returns its length, 0 if that is over room. */
static size_t
escape_char(uint8_t byte, char *out, size_t room)
{
	static const char hex[] = "0123456789abcdef";
	char letter = byte < 0x20 ? letters[byte] : (char)byte;

	if (letter != '\0') {
		if (room < 2)
			return 0;
		out[0] = '\\';
		out[1] = letter;
		return 2;
	}
	if (room < ESCAPE_WORST)
		return 0;
	memcpy(out, "\\u00", 4);
	out[4] = hex[byte >> 4];
	out[5] = hex[byte & 0xf];
	return ESCAPE_WORST;
}

ssize_t
escape_add(struct escape *e, struct evbuffer *out, const void *in, size_t len)
{
	const uint8_t *p = in;
	struct evbuffer_iovec space[2];
	size_t done = 0, room, used;
	int i, n;

	while (done < len && !e->invalid) {
		/*
		 * Little more than the input, so that small bodies stay
		 * small; enough for an escape to fit into one of two parts.
		 */
		room = (len - done) + (len - done) / 8 + 2 * ESCAPE_WORST;
		if (room > RESERVE_MAX)
			room = RESERVE_MAX;
		n = evbuffer_reserve_space(out, (ev_ssize_t)room, space, 2);
		if (n == -1)
			return -1;
		for (i = 0; i < n; i++) {
			used = len - done;
			space[i].iov_len = escape_feed(e, p + done, &used,
			    space[i].iov_base, space[i].iov_len);
			done += used;
		}
		if (evbuffer_commit_space(out, space, n) == -1)
			return -1;
	}
	return (ssize_t)done;
}

bool
escape_complete(const struct escape *e)
{
	return !e->invalid && utf8_complete(&e->utf8);
}

int
escape_add_text(struct evbuffer *out, const char *in, size_t len)
{
	struct escape e = { 0 };
	uint8_t wide[2];
	size_t i;

	if (utf8_valid((const uint8_t *)in, len))
		return escape_add(&e, out, in, len) == -1 ? -1 : 0;
	for (i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)in[i];
		size_t n = byte < 0x80 ? 1 : 2;

		wide[0] = n == 1 ? byte : (uint8_t)(0xc0 | byte >> 6);
		wide[1] = 0x80 | (byte & 0x3f);
		if (escape_add(&e, out, wide, n) == -1)
			return -1;
	}
	return 0;
}

static uint8_t
unescape_letter(char letter)
{
	uint8_t i;

	for (i = 0; i < sizeof(letters); i++)
		if (letters[i] == letter)
			return i;
	return (uint8_t)letter; /* quote and backslash */
}

static uint8_t
hex_value(char digit)
{
	return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

size_t
unescape_feed(struct unescape *u, const char *in, size_t len, uint8_t *out)
{
	size_t i = 0, o = 0;

	while (i < len) {
		if (u->seen == 0) {
			const char *next = memchr(in + i, '\\', len - i);
			size_t n = next ? (size_t)(next - in) - i : len - i;

			memmove(out + o, in + i, n);
			i += n;
			o += n;
			if (next != NULL) {
				u->seen = 1;
				i++;
			}
		} else if (u->seen == 1 && in[i] != 'u') {
			out[o++] = unescape_letter(in[i++]);
			u->seen = 0;
		} else {
			if (u->seen > 1)
				u->digits = (uint8_t)(u->digits << 4 |
						      hex_value(in[i]));
			i++;
			if (++u->seen == ESCAPE_WORST) {
				out[o++] = u->digits;
				u->seen = 0;
				u->digits = 0;
			}
		}
	}
	return o;
}
