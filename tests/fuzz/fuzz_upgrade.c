#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "common/upgrade.h"

/*
 * Any bytes as a server's answer to the opening handshake: the same answer,
 * whole or in pieces, must come to the same end.
 */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The example of RFC 6455 section 1.3. */
static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char accept_value[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

struct outcome {
	enum upgrade_result result;
	struct upgrade_answer answer;
	size_t left;
};

static const char *const protocols[] = { "a", "bc" };
static const struct upgrade offer = {
	.protocols = protocols,
	.nprotocols = 2,
};

static struct outcome
feed(const uint8_t *data, size_t size, size_t piece)
{
	struct evbuffer *in = evbuffer_new();
	struct outcome o = { .result = UPGRADE_MORE };
	size_t n;

	for (; size > 0 && o.result == UPGRADE_MORE; data += n, size -= n) {
		n = size < piece ? size : piece;
		evbuffer_add(in, data, n);
		o.result = upgrade_response(in, &offer, key, &o.answer);
	}
	if (o.result == UPGRADE_BROKEN && o.answer.why == NULL)
		abort();
	if (o.result == UPGRADE_REFUSED &&
	    (o.answer.status < 0 || o.answer.status == 101))
		abort();
	o.left = evbuffer_get_length(in) + size;
	evbuffer_free(in);
	return o;
}

static void
check(const uint8_t *data, size_t size)
{
	struct outcome whole = feed(data, size, size), pieces;

	if (whole.result == UPGRADE_DONE) {
		if (whole.answer.status != 101 ||
		    memmem(data, size, accept_value,
			sizeof(accept_value) - 1) == NULL)
			abort();
	}
	pieces = feed(data, size, 7);
	if (pieces.result != whole.result ||
	    pieces.answer.status != whole.answer.status ||
	    pieces.answer.protocol != whole.answer.protocol)
		abort();
	if (whole.result == UPGRADE_DONE && pieces.left != whole.left)
		abort();
}

/* The first byte says how much of a good answer comes before the rest. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char good[] =
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: "
	    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
	size_t n;
	uint8_t *answer;

	if (size == 0)
		return 0;
	n = data[0] < sizeof(good) ? data[0] : 0;
	answer = malloc(n + size);
	if (answer == NULL)
		abort();
	memcpy(answer, good, n);
	memcpy(answer + n, data + 1, size - 1);
	check(answer, n + size - 1);
	free(answer);
	return 0;
}
