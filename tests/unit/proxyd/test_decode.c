#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "proxyd/decode.h"
#include "proxyd/headers.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SIZE	 65536
#define GZIP	 (MAX_WBITS + 16)
#define ZLIB	 MAX_WBITS
#define RAW	 (-MAX_WBITS)

static const char text[] = "a text, and again a text, and again something";

/* Append the text, compressed, and return the new length. */
static size_t
append(uint8_t *to, size_t at, const void *plain, size_t len, int bits)
{
	z_stream z = { 0 };

	assert_int_equal(
	    deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)plain;
	z.avail_in = (uInt)len;
	z.next_out = to + at;
	z.avail_out = (uInt)(SIZE - at);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	at = SIZE - z.avail_out;
	deflateEnd(&z);
	return at;
}

/* Decode in pieces of so many bytes, into as many: the length, or -1. */
static ssize_t
decode_all(enum decode_coding coding, const uint8_t *in, size_t len,
    size_t piece, size_t room, uint8_t *out, bool *whole)
{
	struct decode *d = decode_new(coding);
	size_t left, n, total = 0;
	ssize_t got = 0;

	for (; len > 0 && got != -1; len -= n) {
		n = left = len < piece ? len : piece;
		do {
			got = decode_feed(d, &in, &left, out + total,
			    room < SIZE - total ? room : SIZE - total);
			if (got > 0)
				total += (size_t)got;
			assert_true(got <= (ssize_t)room);
		} while (got > 0);
		if (got == 0)
			assert_int_equal(left, 0);
	}
	*whole = decode_is_whole(d);
	decode_free(d);
	return got == -1 ? -1 : (ssize_t)total;
}

static const struct {
	enum decode_coding coding;
	int bits;
} forms[] = {
	{ DECODE_GZIP, GZIP },
	{ DECODE_DEFLATE, ZLIB },
	{ DECODE_DEFLATE, RAW },
};

static void
test_split(void **state)
{
	static uint8_t in[SIZE], out[SIZE];
	static const size_t rooms[] = { 1, 7, SIZE };
	size_t i, piece, r, len, n = strlen(text);
	bool whole;

	(void)state;
	for (i = 0; i < COUNT(forms); i++) {
		len = append(in, 0, text, n, forms[i].bits);
		for (piece = 1; piece <= len; piece++)
			for (r = 0; r < COUNT(rooms); r++) {
				assert_int_equal(
				    decode_all(forms[i].coding, in, len, piece,
					rooms[r], out, &whole),
				    n);
				assert_memory_equal(out, text, n);
				assert_true(whole);
			}
		/* Cut anywhere, it is not whole. */
		for (piece = 1; piece < len; piece++) {
			(void)decode_all(forms[i].coding, in, piece, piece,
			    SIZE, out, &whole);
			assert_false(whole);
		}
	}
}

/* A few bytes that become many. */
static void
test_growth(void **state)
{
	static uint8_t in[SIZE], out[SIZE], zeroes[SIZE];
	size_t len = append(in, 0, zeroes, sizeof(zeroes), GZIP);
	bool whole;

	(void)state;
	assert_true(len < 200);
	assert_int_equal(
	    decode_all(DECODE_GZIP, in, len, len, 1000, out, &whole), SIZE);
	assert_true(whole);
}

static void
test_members(void **state)
{
	static uint8_t in[SIZE], out[SIZE];
	size_t piece, len, n = strlen(text);
	bool whole;

	(void)state;
	len = append(in, 0, text, n, GZIP);
	len = append(in, len, "", 0, GZIP);
	len = append(in, len, text, n, GZIP);
	for (piece = 1; piece <= len; piece++) {
		assert_int_equal(
		    decode_all(DECODE_GZIP, in, len, piece, SIZE, out, &whole),
		    2 * n);
		assert_true(whole);
	}
	/* What cannot be another one is skipped, also what looks so. */
	memset(in + len, 0, 512);
	in[len + 300] = 0x1f;
	assert_int_equal(
	    decode_all(DECODE_GZIP, in, len + 512, SIZE, SIZE, out, &whole),
	    2 * n);
	assert_true(whole);
	in[len] = 0x1f;
	assert_int_equal(
	    decode_all(DECODE_GZIP, in, len + 512, SIZE, SIZE, out, &whole),
	    -1);
	/* deflate has no members. */
	len = append(in, 0, text, n, ZLIB);
	len = append(in, len, text, n, GZIP);
	assert_int_equal(
	    decode_all(DECODE_DEFLATE, in, len, SIZE, SIZE, out, &whole), n);
	assert_true(whole);
}

static void
test_broken(void **state)
{
	static uint8_t in[SIZE], out[SIZE];
	size_t len, n = strlen(text);
	bool whole;

	(void)state;
	len = append(in, 0, text, n, GZIP);
	in[len - 6] ^= 1;
	assert_int_equal(
	    decode_all(DECODE_GZIP, in, len, 1, SIZE, out, &whole), -1);
	len = append(in, 0, text, n, ZLIB);
	assert_int_equal(
	    decode_all(DECODE_GZIP, in, len, SIZE, SIZE, out, &whole), -1);
	in[len - 1] ^= 1;
	assert_int_equal(
	    decode_all(DECODE_DEFLATE, in, len, SIZE, SIZE, out, &whole), -1);
	/* A dictionary (RFC 1950) is nothing that anybody has. */
	assert_int_equal(
	    decode_all(DECODE_DEFLATE, (const uint8_t *)"\x78\xbb\1\2\3\4", 6,
		SIZE, SIZE, out, &whole),
	    -1);
	/* Nothing is nothing. */
	assert_int_equal(
	    decode_all(DECODE_GZIP, in, 0, 1, SIZE, out, &whole), 0);
	assert_true(whole);
}

static void
add(struct headers *h, const char *line)
{
	assert_int_equal(headers_line(h, line, strlen(line)), 0);
}

static const struct {
	int status;
	const char *fields[3];
	enum decode_coding coding;
} codings[] = {
	{ 200, { NULL }, DECODE_NONE },
	{ 200, { "X: gzip" }, DECODE_NONE },
	{ 200, { "Content-Encoding:" }, DECODE_NONE },
	{ 200, { "Content-Encoding: ," }, DECODE_NONE },
	{ 200, { "Content-Encoding: identity" }, DECODE_NONE },
	{ 200, { "Content-Encoding: gzip" }, DECODE_GZIP },
	{ 200, { "content-encoding: GZIP" }, DECODE_GZIP },
	{ 200, { "Content-Encoding: x-gzip" }, DECODE_GZIP },
	{ 200, { "Content-Encoding: deflate" }, DECODE_DEFLATE },
	{ 200, { "Content-Encoding: identity , gzip" }, DECODE_GZIP },
	{ 200, { "Content-Encoding: gzip,\t" }, DECODE_GZIP },
	{ 200, { "Content-Encoding: gzip", "Content-Encoding: identity" },
	    DECODE_GZIP },
	{ 404, { "Content-Encoding: gzip" }, DECODE_GZIP },
	{ 206, { "Content-Encoding: gzip" }, DECODE_OTHER },
	{ 206, { "Content-Encoding: identity" }, DECODE_NONE },
	{ 200, { "Content-Encoding: gzip, gzip" }, DECODE_OTHER },
	{ 200, { "Content-Encoding: gzip", "Content-Encoding: gzip" },
	    DECODE_OTHER },
	{ 200, { "Content-Encoding: br" }, DECODE_OTHER },
	{ 200, { "Content-Encoding: gzip, br" }, DECODE_OTHER },
	{ 200, { "Content-Encoding: br, gzip, identity" }, DECODE_OTHER },
	{ 200, { "Content-Encoding: gzi" }, DECODE_OTHER },
	{ 200, { "Content-Encoding: gzipp" }, DECODE_OTHER },
	{ 200, { "Content-Encoding: gzip;q=1" }, DECODE_OTHER },
};

static void
test_codings(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(codings); i++) {
		struct headers h;

		headers_init(&h, 16, 1024);
		for (j = 0; codings[i].fields[j] != NULL; j++)
			add(&h, codings[i].fields[j]);
		assert_int_equal(
		    decode_coding(&h, codings[i].status), codings[i].coding);
		headers_clear(&h);
	}
	assert_true(decode_is_known(DECODE_GZIP));
	assert_true(decode_is_known(DECODE_DEFLATE));
	assert_false(decode_is_known(DECODE_NONE));
	assert_false(decode_is_known(DECODE_OTHER));
}

static void
test_fields(void **state)
{
	struct headers h;

	(void)state;
	headers_init(&h, 16, 1024);
	add(&h, "Accept-Ranges: bytes");
	add(&h, "Content-MD5: x");
	add(&h, "ETag: \"x\"");
	add(&h, "ETag: W/\"y\"");
	add(&h, "ETag: z");
	add(&h, "Digest: x");
	add(&h, "Content-Digest: x");
	add(&h, "Repr-Digest: x");
	add(&h, "X-Digest: x");
	assert_int_equal(decode_fields(&h), 0);
	assert_int_equal(h.count, 4);
	assert_string_equal(h.list[0].value, "W/\"x\"");
	assert_string_equal(h.list[1].value, "W/\"y\"");
	assert_string_equal(h.list[2].value, "z");
	assert_string_equal(h.list[3].name, "x-digest");
	headers_clear(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_codings),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
