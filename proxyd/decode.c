#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "proxyd/decode.h"
#include "proxyd/field.h"
#include "proxyd/headers.h"

/* What inflateInit2() adds to the window's size for a gzip header. */
#define GZIP_BITS 16

struct decode {
	enum decode_coding coding;
	z_stream z;
	bool begun;  /* there is a z */
	bool inside; /* a member that has no end yet */
	bool over;   /* what follows has no meaning */
};

static const struct {
	const char *name;
	enum decode_coding coding;
} codings[] = {
	{ "identity", DECODE_NONE },
	{ "gzip", DECODE_GZIP },
	{ "x-gzip", DECODE_GZIP },
	{ "deflate", DECODE_DEFLATE },
};

static enum decode_coding
find_coding(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
		if (strlen(codings[i].name) == len &&
		    strncasecmp(codings[i].name, name, len) == 0)
			return codings[i].coding;
	return DECODE_OTHER;
}

/* Join those of a list to what is known so far. */
static enum decode_coding
join_codings(enum decode_coding so_far, const char *list)
{
	const char *end, *name;
	enum decode_coding coding;
	size_t len;

	for (; *list != '\0'; list = *end == '\0' ? end : end + 1) {
		end = list + strcspn(list, ",");
		name = list;
		len = (size_t)(end - list);
		field_trim(&name, &len);
		coding = len == 0 ? DECODE_NONE : find_coding(name, len);
		if (coding == DECODE_NONE)
			continue;
		so_far = so_far == DECODE_NONE ? coding : DECODE_OTHER;
	}
	return so_far;
}

enum decode_coding
decode_coding(const struct headers *headers, int status)
{
	enum decode_coding coding = DECODE_NONE;
	size_t i;

	for (i = 0; i < headers->count; i++)
		if (strcmp(headers->list[i].name, "content-encoding") == 0)
			coding = join_codings(coding, headers->list[i].value);
	return status == 206 && coding != DECODE_NONE ? DECODE_OTHER : coding;
}

bool
decode_is_known(enum decode_coding coding)
{
	return coding == DECODE_GZIP || coding == DECODE_DEFLATE;
}

static bool
is_about_coded(const char *name)
{
	static const char *const names[] = { "accept-ranges", "content-md5",
		"content-digest", "digest", "repr-digest" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

int
decode_fields(struct headers *headers)
{
	const struct header *header;
	char *weak;
	size_t i = 0;

	while (i < headers->count) {
		header = &headers->list[i];
		if (is_about_coded(header->name)) {
			headers_remove(headers, i);
			continue;
		}
		if (strcmp(header->name, "etag") == 0 &&
		    header->value[0] == '"') {
			if (asprintf(&weak, "W/%s", header->value) == -1)
				return -1;
			headers_replace(headers, i, weak);
		}
		i++;
	}
	return 0;
}

struct decode *
decode_new(enum decode_coding coding)
{
	struct decode *d = calloc(1, sizeof(*d));

	if (d != NULL)
		d->coding = coding;
	return d;
}

void
decode_free(struct decode *d)
{
	if (d == NULL)
		return;
	if (d->begun)
		(void)inflateEnd(&d->z);
	free(d);
}

/*
 * Begin with the first byte there is.  What is called deflate is zlib's
 * format (RFC 9110 section 8.4.1.2), but some servers leave its header out,
 * which has an 8 where a bare block never has one.
 */
static int
begin(struct decode *d, uint8_t first)
{
	int bits = MAX_WBITS;

	if (d->coding == DECODE_GZIP)
		bits += GZIP_BITS;
	else if ((first & 0x0f) != 8)
		bits = -bits;
	if (inflateInit2(&d->z, bits) != Z_OK)
		return -1;
	d->begun = true;
	d->inside = true;
	return 0;
}

/* A member ended: gzip allows for another one (RFC 1952 section 2.2). */
static int
begin_next(struct decode *d, uint8_t first)
{
	if (d->coding != DECODE_GZIP || first != 0x1f) {
		d->over = true;
		return 0;
	}
	d->inside = true;
	return inflateReset(&d->z) == Z_OK ? 0 : -1;
}

/* One step of zlib: bytes written, or -1. */
static ssize_t
step(struct decode *d, const uint8_t **in, size_t *len, uint8_t *out,
    size_t size)
{
	uInt most = *len < UINT_MAX ? (uInt)*len : UINT_MAX;
	uInt room = size < INT_MAX ? (uInt)size : INT_MAX;
	int rc;

	d->z.next_in = (z_const Bytef *)(uintptr_t)*in;
	d->z.avail_in = most;
	d->z.next_out = out;
	d->z.avail_out = room;
	rc = inflate(&d->z, Z_NO_FLUSH);
	*in += most - d->z.avail_in;
	*len -= most - d->z.avail_in;
	if (rc == Z_STREAM_END)
		d->inside = false;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return -1;
	return (ssize_t)(room - d->z.avail_out);
}

ssize_t
decode_feed(struct decode *d, const uint8_t **in, size_t *len, uint8_t *out,
    size_t size)
{
	ssize_t n = 0;

	do {
		if (!d->begun && *len > 0 && begin(d, **in) == -1)
			return -1;
		if (d->begun && !d->inside && !d->over && *len > 0 &&
		    begin_next(d, **in) == -1)
			return -1;
		if (d->over || !d->begun) {
			*in += *len;
			*len = 0;
			return 0;
		}
		if (d->inside)
			n = step(d, in, len, out, size);
	} while (n == 0 && *len > 0);
	return n;
}

bool
decode_is_whole(const struct decode *d)
{
	return !d->inside;
}
