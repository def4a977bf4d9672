#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Base64 (RFC 4648 section 4) of streams: libc's b64_ntop() wants all of
 * the input at once, and bodies come in pieces.
 */

/* Bytes that base64_feed() and base64_finish() may write for len of input. */
#define BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 4)

struct base64 {
	uint8_t held[2]; /* input that does not fill a group of three yet */
	size_t nheld;
};

/* Encode a piece; returns the bytes written to out.  Start from zeroes. */
size_t base64_feed(struct base64 *, const uint8_t *in, size_t len, char *out);

/* Encode what is left, with padding; returns the bytes written (0 or 4). */
size_t base64_finish(struct base64 *, char *out);

/*
 * Decode all of in; out must have room for len / 4 * 3 bytes, and may be
 * in itself.  Returns the length, or -1 if in is not canonical base64 with
 * padding (RFC 4648 section 3.5).
 */
ssize_t base64_decode(const char *in, size_t len, uint8_t *out);

#endif
