#include <event2/buffer.h>

#include "common/base64.h"
#include "common/log.h"
#include "proxyd/cut.h"

/* Input whose base64 is sure to fit. */
#define BINARY_MAX (CUT_MAX / 4 * 3 - 3)

static void
reserve(struct evbuffer *out, size_t len, struct evbuffer_iovec *room)
{
	if (evbuffer_reserve_space(out, (ev_ssize_t)len, room, 1) != 1)
		fatalx("tunnel: out of memory");
}

size_t
cut_text(struct evbuffer *out, const uint8_t *in, size_t len, bool *invalid)
{
	struct escape escape = { 0 };
	struct evbuffer_iovec room;
	size_t size, taken, written, unfinished = 0;

	size = len < CUT_MAX / ESCAPE_WORST ? len * ESCAPE_WORST : CUT_MAX;
	taken = len;
	if (size > 0)
		reserve(out, size, &room);
	written = size == 0
		      ? 0
		      : escape_feed(&escape, in, &taken, room.iov_base, size);
	*invalid = escape.invalid;
	/* The bytes of wide characters are written as they are. */
	if (escape.utf8.need > 0) {
		while ((in[taken - unfinished - 1] & 0xc0) == 0x80)
			unfinished++;
		unfinished++;
	}
	if (size > 0) {
		room.iov_len = written - unfinished;
		(void)evbuffer_commit_space(out, &room, 1);
	}
	return taken - unfinished;
}

size_t
cut_binary(struct evbuffer *out, const uint8_t *in, size_t len)
{
	struct base64 encoder = { 0 };
	struct evbuffer_iovec room;
	char *text;

	if (len > BINARY_MAX)
		len = BINARY_MAX;
	reserve(out, BASE64_SIZE(len), &room);
	text = room.iov_base;
	room.iov_len = base64_feed(&encoder, in, len, text);
	room.iov_len += base64_finish(&encoder, text + room.iov_len);
	(void)evbuffer_commit_space(out, &room, 1);
	return len;
}
